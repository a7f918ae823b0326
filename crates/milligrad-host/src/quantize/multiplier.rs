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
}
