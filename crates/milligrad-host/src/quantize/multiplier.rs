//! Real factors as integers: the multipliers and shifts that TensorFlow Lite computes when a model is loaded.

use milligrad::{Requantize, Rounding};

/// `real = multiplier 2^(shift - 31)` with `multiplier` in `2^30..2^31`; factors below 2^-32 become zero
/// (`QuantizeMultiplier`).
pub(crate) fn quantize_multiplier(real: f64) -> (i32, i8) {
    if real <= 0.0 {
        return (0, 0);
    }
    let (fraction, exponent) = frexp(real);
    let mut multiplier = (fraction * f64::from(1u32 << 31)).round() as i64;
    let mut shift = exponent;
    if multiplier == 1 << 31 {
        multiplier /= 2;
        shift += 1;
    }
    if shift < -31 {
        return (0, 0);
    }
    if shift > 30 {
        // Beyond any sum: the largest factor there is.
        return (i32::MAX, 30);
    }
    (multiplier as i32, shift as i8)
}

/// A factor as a [`Requantize`].
pub(crate) fn requantize(real: f64, rounding: Rounding) -> Requantize {
    let (multiplier, shift) = quantize_multiplier(real);
    Requantize::new(multiplier, shift, rounding)
}

/// The factor by which TensorFlow's interpreter multiplies in FULLY_CONNECTED: `round(x real)` in double precision, half
/// away from zero. `largest` bounds the magnitude of `x`, `steps` that of the results that are not limited anyway.
///
/// The result gives the same integer for every such `x`, or is `None` where no 31-bit multiplier does. Both
/// functions are odd and do not decrease, so they are equal if they reach each of the numbers `1..=steps` at the
/// same `x`. That is a lower and an upper bound on the multiplier for each number; all of them together leave an interval.
pub(crate) fn requantize_like_double(real: f64, largest: i64, steps: i64) -> Option<Requantize> {
    let (multiplier, shift) = quantize_multiplier(real);
    let reference = |x: i64| (x as f64 * real).round();
    // x multiplier / 2^drop
    let drop = 31 - i32::from(shift);
    let half = |number: i64| (2 * i128::from(number) - 1) << drop;
    let (mut low, mut high) = (0i128, i128::from(i32::MAX));
    for number in 1..=steps {
        let mut first = ((number as f64 - 0.5) / real).min(largest as f64 + 1.0) as i64;
        while first > 1 && reference(first - 1) >= number as f64 {
            first -= 1;
        }
        while first <= largest && reference(first) < number as f64 {
            first += 1;
        }
        let first = first.max(1);
        // 2 x multiplier must be less than half(number) before the first x that gives the number, and not from there on.
        if first > 1 {
            high = high.min((half(number) - 1).div_euclid(2 * i128::from(first - 1)));
        }
        if first > largest {
            break;
        }
        low = low.max((half(number) + 2 * i128::from(first) - 1).div_euclid(2 * i128::from(first)));
    }
    // No sum may leave 32 bits where the factor is 1 or more.
    let fits = (i128::from(largest) * high.min(i128::from(multiplier))) >> drop <= i128::from(i32::MAX - 512);
    (low <= high && fits).then(|| {
        let nearest = i128::from(multiplier).clamp(low, high);
        // An odd one leaves no sum exactly between two results, where kernels would have to look at its sign.
        let odd =
            [nearest, nearest + 1, nearest - 1].into_iter().find(|m| m % 2 == 1 && (low..=high).contains(m));
        let nearest = odd.unwrap_or(nearest);
        Requantize::new(nearest as i32, shift, Rounding::Single)
    })
}

/// The largest quantised difference whose scaled value fits `integer_bits` (`CalculateInputRadius`).
pub(crate) fn input_radius(integer_bits: u32, shift: u32) -> i32 {
    let largest = f64::from((1u32 << integer_bits) - 1) * f64::from(1u32 << (31 - integer_bits));
    (largest / (1u64 << shift) as f64).floor() as i32
}

/// `x = fraction 2^exponent` with `fraction` in `0.5..1`, for positive finite `x`.
fn frexp(x: f64) -> (f64, i32) {
    let bits = x.to_bits();
    let raw = (bits >> 52) as i32;
    if raw == 0 {
        // Denormal.
        let (fraction, exponent) = frexp(x * 2f64.powi(64));
        return (fraction, exponent - 64);
    }
    (f64::from_bits(bits & !(0x7ff << 52) | (1022 << 52)), raw - 1022)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multipliers_are_close() {
        for real in [1.0, 0.5, 0.999_999_999_9, 1e-9, 3.7e-4, 1234.5, 7e8] {
            let (multiplier, shift) = quantize_multiplier(real);
            assert!((1 << 30..=i32::MAX).contains(&multiplier));
            let back = f64::from(multiplier) * 2f64.powi(i32::from(shift) - 31);
            assert!((back / real - 1.0).abs() < 1e-9, "{real}: {back}");
        }
        assert_eq!(quantize_multiplier(0.0), (0, 0));
        assert_eq!(quantize_multiplier(1e-12), (0, 0));
        assert_eq!(frexp(f64::MIN_POSITIVE / 4.0), (0.5, -1023));
    }

    /// The factor agrees with double precision at every sum, for scales as they occur and for odd ones.
    #[test]
    fn double_precision_in_integers() {
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1u64 << 31) as f64
        };
        let (mut tuned, mut refused) = (0, 0);
        for round in 0..4000 {
            let real = match round % 4 {
                0 => {
                    f64::from((random() * 0.05) as f32) * f64::from((random() * 0.01) as f32)
                        / f64::from(0.05f32)
                }
                1 => 2f64.powi(-((round / 4) % 20)),
                2 => (random() * 20.0).ceil() / (random() * 4000.0).ceil(),
                _ => 1e-4 + random() * 0.5,
            };
            if !(1e-4..=0.9).contains(&real) {
                continue;
            }
            let largest = ((600.0 / real) as i64).min(1 << 24);
            let Some(found) = requantize_like_double(real, largest, 256) else {
                // Below that, 2^31 multipliers may be too few for 256 thresholds. And simple fractions meet the middle of
                // two numbers, where double precision goes up or down by chance; scales from files are none.
                assert!(real < 3e-4 || round % 4 == 2, "{real} has a multiplier");
                refused += 1;
                continue;
            };
            tuned += i32::from(found.multiplier != quantize_multiplier(real).0);
            let step = if round % 40 < 4 { 1 } else { 997 };
            let mut check = |x: i64| {
                let expected = (x as f64 * real).round() as i64;
                let (limited, result) = (expected.clamp(-256, 256), i64::from(found.apply(x as i32)));
                assert_eq!(result.clamp(-256, 256), limited, "{x} times {real}");
            };
            (-largest..=largest).step_by(step).for_each(&mut check);
            for number in -256..=256i64 {
                let near = ((number as f64 + 0.5) / real) as i64;
                (near - 2..=near + 2).filter(|x| x.abs() <= largest).for_each(&mut check);
            }
        }
        assert!(tuned > 0, "some multipliers had to move");
        assert!(refused < tuned, "{refused} factors have no multiplier, {tuned} moved");
    }
}
