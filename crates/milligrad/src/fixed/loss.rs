//! Softmax, the cross entropies and the mean squared error in fixed point, in integers alone.

use super::convert::{activation, dequantize, quantize};
use super::exponential::exp_of_minus;
use super::{ACTIVATION_BITS, DELTA_BITS, Saturation, divide, saturate};
use crate::TrainError;
use crate::arch::rolled;

/// 1 in Q0.15.
const ONE: i32 = 1 << DELTA_BITS;

/// Softmax in place: activations in Q7.8 become probabilities in Q0.15, within 4 · 2⁻¹⁵. The largest is at most `1 - 2⁻¹⁵`.
#[inline(never)]
pub fn softmax(x: &mut [i16]) {
    let largest = x.iter().fold(i16::MIN, |largest, &x| if x > largest { x } else { largest });
    let mut sum = 0_u32;
    for x in x.iter_mut() {
        rolled();
        let e = exp_of_minus((i32::from(largest) - i32::from(*x)) as u32);
        sum = sum.saturating_add(e);
        // At most 2¹⁵, which an unsigned 16-bit number holds.
        *x = e as u16 as i16;
    }
    // The sum as 2^drop times a number of 2¹⁵ to 2¹⁶, and the reciprocal of that number.
    let drop = 16_u32.saturating_sub(sum.leading_zeros()).min(15);
    let scaled = sum >> drop;
    let reciprocal = (1_u32 << 31).checked_div(scaled).unwrap_or(0);
    let half = 1_u32.wrapping_shl(15 + drop);
    for x in x.iter_mut() {
        rolled();
        let p = (u32::from(*x as u16) * reciprocal).saturating_add(half).wrapping_shr(16 + drop);
        *x = p.min(i16::MAX as u32) as i16;
    }
}

/// `-ln p` in Q.16 of a probability in Q0.15; what is below 2⁻¹⁵ counts as 2⁻¹⁵. Within 10⁻³.
#[inline(never)]
fn minus_ln(p: i16) -> u32 {
    let p = u32::from(p.max(1) as u16);
    // p = x 2^-places with x of 1 to 2, in Q.15.
    let places = p.leading_zeros() - 16;
    let mut x = p << places;
    // Squaring shows one more bit of log2(x) each time; of 1 there are none.
    let (mut log, mut bit) = (0_u32, 1 << 15);
    while bit > 0 && x > 1 << 15 {
        rolled();
        x = (x * x) >> 15;
        if x >> 16 != 0 {
            x >>= 1;
            log |= bit;
        }
        bit >>= 1;
    }
    // ln 2 in Q.16, times -log2(p) in Q.16, which is below 2²⁰: 4 bits first, so that 32 are enough.
    let minus_log2 = (places << 16) - log;
    (((minus_log2 + 8) >> 4) * 45_426 + 2048) >> 12
}

/// The loss in Q.16 as a float.
#[inline(always)]
fn loss_of(loss: u32) -> f32 {
    dequantize(loss.min(i32::MAX as u32) as i32, 16)
}

/// `-ln p[label]` of probabilities from [`softmax`], with `δ = p - onehot(label)` in Q0.15 in their place.
///
/// # Errors
/// `LabelOutOfRange` if there is no such output; `p` is unchanged then.
#[inline]
pub fn sparse_categorical_cross_entropy(p: &mut [i16], label: usize) -> Result<f32, TrainError> {
    let p = p.get_mut(label).ok_or(TrainError::LabelOutOfRange)?;
    let loss = minus_ln(*p);
    // From -1 on, which fits.
    *p = (i32::from(*p) - (1 << DELTA_BITS)) as i16;
    Ok(loss_of(loss))
}

/// `-1/n Σ (t ln p + (1 - t) ln(1 - p))` of probabilities from [`sigmoid_probability`](super::sigmoid_probability) and targets, which
/// are limited to 0 to 1 and rounded to Q0.15, with `δ = (p - t) / n` in Q0.15 in place of `p`. The loss is within 10⁻³.
///
/// # Errors
/// `NotFinite` for a target that is NaN or infinite; `p` is unchanged then.
#[inline(never)]
pub fn binary_cross_entropy(p: &mut [i16], target: &[f32]) -> Result<f32, TrainError> {
    if target.iter().any(|t| !t.is_finite()) {
        return Err(TrainError::NotFinite);
    }
    let n = (p.len() as u32).max(1);
    let mut loss = 0_u64;
    for (p, &target) in p.iter_mut().zip(target) {
        let target = quantize(target, DELTA_BITS).clamp(0, ONE);
        let minus_ln_not = minus_ln(saturate(ONE - i32::from(*p)));
        loss += target as u64 * u64::from(minus_ln(*p)) + (ONE - target) as u64 * u64::from(minus_ln_not);
        *p = divide(i32::from(*p) - target, n);
    }
    Ok(loss_of(((loss >> DELTA_BITS) / u64::from(n)).min(u32::MAX.into()) as u32))
}

/// `1/n Σ (y - t)²` of activations in Q7.8 and targets, which are rounded to it, with `δ = 2 (y - t) / n` in Q0.15 in place of `y`.
/// The loss saturates at 32,768, deltas at ±1; those are counted.
///
/// # Errors
/// `NotFinite` for a target that is NaN or infinite; `y` is unchanged then.
#[inline(never)]
pub fn mean_squared_error(
    y: &mut [i16],
    target: &[f32],
    saturation: &mut Saturation,
) -> Result<f32, TrainError> {
    if target.iter().any(|t| !t.is_finite()) {
        return Err(TrainError::NotFinite);
    }
    let n = (y.len() as u32).max(1);
    let mut squares = 0_u64;
    for (y, &target) in y.iter_mut().zip(target) {
        let error = i32::from(*y) - i32::from(activation(target));
        squares += u64::from(error.unsigned_abs()) * u64::from(error.unsigned_abs());
        // Q.8 to Q.15, times 2, and one bit more, which rounds.
        let twice = (error << (DELTA_BITS - ACTIVATION_BITS + 2)) / n as i32;
        *y = saturate((twice + 1) >> 1);
    }
    saturation.see_deltas(y);
    Ok(loss_of((squares / u64::from(n)).min(u32::MAX.into()) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::from_activation;

    #[test]
    fn logarithms_are_near() {
        for p in 1..=i16::MAX {
            let exact = -libm::log(f64::from(p) / 32_768.0);
            assert!((f64::from(minus_ln(p)) / 65_536.0 - exact).abs() < 1e-3, "{p}");
        }
        assert_eq!((minus_ln(i16::MIN), minus_ln(0)), (minus_ln(1), minus_ln(1)));
    }

    /// Random scores, of 1 to 40 classes and of any spread.
    fn each_scores(mut check: impl FnMut(&[i16])) {
        let mut state = 9_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        for round in 0..20_000 {
            let n = 1 + random() as usize % 40;
            let spread = [1, 64, 256, 2000, 65_536][round % 5];
            let scores: [i16; 40] = core::array::from_fn(|_| (random() % spread) as u16 as i16);
            check(&scores[..n]);
        }
        check(&[i16::MAX, i16::MIN]);
        check(&[i16::MIN; 3]);
        check(&[]);
    }

    #[test]
    fn probabilities_are_near() {
        each_scores(|scores| {
            let mut p = [0; 40];
            let p = &mut p[..scores.len()];
            p.copy_from_slice(scores);
            softmax(p);
            let largest = scores.iter().max().copied().unwrap_or(0);
            let exp = |x: i16| libm::exp(f64::from(from_activation(x)) - f64::from(from_activation(largest)));
            let sum: f64 = scores.iter().map(|&x| exp(x)).sum();
            for (&p, &x) in p.iter().zip(scores) {
                let exact = 32_768.0 * exp(x) / sum;
                assert!((f64::from(p) - exact).abs() <= 4.0, "{p}, not {exact} of {scores:?}");
            }
        });
    }

    #[test]
    fn cross_entropy_and_its_deltas() {
        each_scores(|scores| {
            let mut p = [0; 40];
            let p = &mut p[..scores.len()];
            p.copy_from_slice(scores);
            softmax(p);
            let before: [i16; 40] = core::array::from_fn(|i| p.get(i).copied().unwrap_or(0));
            assert_eq!(sparse_categorical_cross_entropy(p, scores.len()), Err(TrainError::LabelOutOfRange));
            assert_eq!(&before[..p.len()], p);
            if let Some(label) = p.len().checked_sub(1) {
                let exact = -libm::log(f64::from(p[label].max(1)) / 32_768.0);
                let loss = sparse_categorical_cross_entropy(p, label).unwrap();
                assert!((f64::from(loss) - exact).abs() < 1e-3, "{loss}, not {exact}");
                assert_eq!(i32::from(p[label]), i32::from(before[label]) - 32_768);
            }
        });
    }

    #[test]
    fn binary_cross_entropy_and_its_deltas() {
        let real = |p: i16| f64::from(p) / 32_768.0;
        let ps = [1, 77, 4000, 16_384, 30_000, 32_000, 32_767];
        for targets in [[0.0; 7], [1.0; 7], [0.25; 7], [0.0, 1.0, 1.0, 0.5, 0.0, 1.0, 0.75]] {
            for n in 1..=7 {
                let mut delta = ps;
                let loss = binary_cross_entropy(&mut delta[..n], &targets[..n]).unwrap();
                let terms = ps[..n].iter().zip(targets).map(|(&p, t)| {
                    let (p, t) = (real(p), f64::from(t));
                    -(t * libm::log(p) + (1.0 - t) * libm::log(1.0 - p))
                });
                let exact = terms.sum::<f64>() / n as f64;
                assert!((f64::from(loss) - exact).abs() < 1e-3, "{loss}, not {exact}");
                for ((delta, p), t) in delta[..n].iter().zip(ps).zip(targets) {
                    let exact = 32_768.0 * (real(p) - f64::from(t)) / n as f64;
                    assert!((f64::from(*delta) - exact).abs() <= 0.5, "{delta}, not {exact}");
                }
            }
        }
        // Ends of the range, and targets that are no probabilities.
        let mut p = [0, i16::MAX];
        assert!(binary_cross_entropy(&mut p, &[7.0, -1e30]).unwrap() > 10.0);
        assert_eq!(p, [-16_384, 16_384]);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(
                (binary_cross_entropy(&mut p, &[0.0, bad]), p),
                (Err(TrainError::NotFinite), [-16_384, 16_384])
            );
        }
        assert_eq!(binary_cross_entropy(&mut [], &[]), Ok(0.0));
    }

    #[test]
    fn squares_and_their_deltas() {
        let mut saturation = Saturation::NONE;
        let mut y = [256, -128, 0, 700];
        let loss = mean_squared_error(&mut y, &[0.5, 0.0, 0.25, 2.5], &mut saturation).unwrap();
        let errors = [0.5, -0.5, -0.25, f64::from(700 - 640) / 256.0];
        let exact = errors.iter().map(|e| e * e).sum::<f64>() / 4.0;
        assert!((f64::from(loss) - exact).abs() < 1e-4, "{loss}, not {exact}");
        for (delta, error) in y.into_iter().zip(errors) {
            assert!((f64::from(delta) - 32_768.0 * 2.0 * error / 4.0).abs() <= 1.0, "{delta}");
        }
        assert_eq!(saturation, Saturation::NONE);
        let mut y = [i16::MAX, i16::MIN];
        let loss = mean_squared_error(&mut y, &[-1e30, 1e30], &mut saturation).unwrap();
        assert_eq!((y, saturation.deltas), ([i16::MAX, i16::MIN], 2));
        assert!(loss >= 32_767.0);
        let mut y = [5, 6];
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let refused = mean_squared_error(&mut y, &[0.0, bad], &mut saturation);
            assert_eq!((refused, y), (Err(TrainError::NotFinite), [5, 6]));
        }
    }
}
