//! Fixed point from reals and back.

use super::{ACTIVATION_BITS, DELTA_BITS, SUM_BITS, WEIGHT_BITS, saturate};
use crate::Requantize;

/// `x 2^bits` to nearest, half away from zero, saturated to `i32`; NaN becomes 0.
#[inline]
pub(super) fn quantize(x: f32, bits: u32) -> i32 {
    // Both a float and the cast saturate, and the product with a power of two is exact.
    let scaled = x * (1_u32 << bits) as f32;
    let whole = scaled as i32;
    let rest = scaled - whole as f32;
    whole.saturating_add(i32::from(rest >= 0.5)).saturating_sub(i32::from(rest <= -0.5))
}

/// `x / 2^bits`, exact up to 24 bits of `x`, then to nearest.
#[inline]
pub(crate) fn dequantize(x: i32, bits: u32) -> f32 {
    if x == 0 {
        return 0.0;
    }
    // A smaller exponent, without a multiplication.
    f32::from_bits((x as f32).to_bits() - (bits << 23))
}

/// A real number as an activation, Q7.8.
#[inline]
pub fn activation(x: f32) -> i16 {
    saturate(quantize(x, ACTIVATION_BITS))
}

/// A real number as a weight, Q3.12.
#[inline]
pub fn weight(x: f32) -> i16 {
    saturate(quantize(x, WEIGHT_BITS))
}

/// A real number as a bias, Q11.20.
#[inline]
pub fn bias(x: f32) -> i32 {
    quantize(x, SUM_BITS)
}

/// An activation as a real number.
#[inline]
pub fn from_activation(x: i16) -> f32 {
    dequantize(x.into(), ACTIVATION_BITS)
}

/// A probability, which is in Q0.15 as deltas are, as a real number.
#[inline]
pub fn from_probability(p: i16) -> f32 {
    dequantize(p.into(), DELTA_BITS)
}

/// A weight as a real number.
#[inline]
pub fn from_weight(w: i16) -> f32 {
    dequantize(w.into(), WEIGHT_BITS)
}

/// A bias as a real number.
#[inline]
pub fn from_bias(b: i32) -> f32 {
    dequantize(b, SUM_BITS)
}

/// Values converted at a time by [`visit_weights`] and [`visit_biases`].
const CHUNK: usize = 32;

/// Calls `visit(name, values)` with weights as real numbers, a part at a time.
#[inline(never)]
pub fn visit_weights(name: &'static str, weights: &[i16], visit: &mut impl FnMut(&'static str, &[f32])) {
    in_parts(name, weights, from_weight, visit);
}

/// As [`visit_weights`], for biases.
#[inline(never)]
pub fn visit_biases(name: &'static str, biases: &[i32], visit: &mut impl FnMut(&'static str, &[f32])) {
    in_parts(name, biases, from_bias, visit);
}

#[inline(always)]
fn in_parts<T: Copy>(
    name: &'static str,
    values: &[T],
    real: impl Fn(T) -> f32,
    visit: &mut impl FnMut(&'static str, &[f32]),
) {
    for part in values.chunks(CHUNK) {
        let mut reals = [0.0; CHUNK];
        reals.iter_mut().zip(part).for_each(|(to, &from)| *to = real(from));
        visit(name, reals.get(..part.len()).unwrap_or_default());
    }
}

/// `y = 2^8 scale (x - zero_point)`, rounded: the border between a frozen int8 part and a part in fixed point. `scale` is 2^8 times
/// that of the int8 tensor.
#[inline]
pub fn from_int8(zero_point: i8, scale: &Requantize, x: &[i8], y: &mut [i16]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = saturate(scale.apply(i32::from(x) - i32::from(zero_point)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for x in i16::MIN..=i16::MAX {
            assert_eq!(activation(from_activation(x)), x);
            assert_eq!(weight(from_weight(x)), x);
            assert_eq!(from_weight(x), f32::from(x) / 4096.0);
            assert_eq!(from_probability(x), f32::from(x) / 32768.0);
            // A bias within ±16 has an exact float.
            let b = i32::from(x) * 511 + 77;
            assert_eq!(bias(from_bias(b)), b);
        }
        for (x, bits) in [(1.5, 0), (-1.5, 0), (0.49, 0), (-0.51, 0)] {
            assert_eq!(f64::from(quantize(x, bits)), libm::round(x.into()), "{x}");
        }
        assert_eq!((weight(f32::NAN), weight(1e30), weight(-1e30)), (0, i16::MAX, i16::MIN));
        assert_eq!((bias(f32::INFINITY), bias(f32::NEG_INFINITY)), (i32::MAX, i32::MIN));
    }

    #[test]
    fn parts_are_the_whole() {
        let weights: [i16; 70] = core::array::from_fn(|i| i as i16 * 100 - 999);
        let mut seen = 0;
        visit_weights("w", &weights, &mut |name, part| {
            for &value in part {
                assert_eq!((name, value), ("w", from_weight(weights[seen])));
                seen += 1;
            }
        });
        assert_eq!(seen, 70);
    }
}
