//! Blocks from real numbers and back. Floats are taken apart and put together by their bits: nothing is computed in floats.

use super::{drop_bits, scale};
use crate::fixed::saturate;

/// The exponent field of what is not finite.
const NOT_FINITE: u32 = 0xff << 23;

#[inline(always)]
const fn magnitude(x: f32) -> u32 {
    x.to_bits() & 0x7fff_ffff
}

/// `true` if no value is NaN or infinite.
#[inline(never)]
pub fn all_finite(values: &[f32]) -> bool {
    values.iter().all(|&x| magnitude(x) < NOT_FINITE)
}

/// A float as an integer of 24 bits and an exponent; what is not finite counts as the largest number there is, subnormal numbers as 0.
#[inline(always)]
pub(super) const fn parts(x: f32) -> (i32, i32) {
    let magnitude = if magnitude(x) < NOT_FINITE { magnitude(x) } else { NOT_FINITE - 1 };
    let field = (magnitude >> 23) as i32;
    if field == 0 {
        return (0, -150);
    }
    let mantissa = (magnitude & 0x7f_ffff | 0x80_0000) as i32;
    (if x.is_sign_negative() { -mantissa } else { mantissa }, field - 150)
}

/// The exponent of the largest magnitude, that of its [`parts`]; of zeros the least.
#[inline(never)]
pub(super) fn largest_exponent(x: &[f32]) -> i32 {
    let largest = x.iter().fold(0, |largest, &x| if magnitude(x) > largest { magnitude(x) } else { largest });
    parts(f32::from_bits(largest)).1
}

/// Real numbers as a block whose largest takes 15 bits; returns its exponent. What is not finite counts as the largest number there
/// is: ask [`all_finite`] first where that matters.
#[inline(never)]
pub fn from_reals(x: &[f32], y: &mut [i16]) -> i16 {
    let exponent = largest_exponent(x) + 9;
    for (y, &x) in y.iter_mut().zip(x) {
        let (mantissa, own) = parts(x);
        // Its exponent is not above the largest: 9 bits or more fall off.
        *y = saturate(scale(mantissa, own - exponent));
    }
    exponent as i16
}

/// A mantissa times `2^exponent` as a float: what is beyond floats becomes the largest of them, what is below normal ones 0.
#[inline]
pub const fn real(mantissa: i32, exponent: i16) -> f32 {
    times_power(mantissa as f32, exponent as i32)
}

/// `x 2^exponent`
#[inline]
const fn times_power(x: f32, exponent: i32) -> f32 {
    let bits = x.to_bits();
    let field = ((bits >> 23) & 0xff) as i32;
    let moved = field.saturating_add(exponent);
    if field == 0 || moved <= 0 {
        0.0
    } else if moved >= 255 {
        if x > 0.0 { f32::MAX } else { f32::MIN }
    } else {
        f32::from_bits(bits & 0x807f_ffff | (moved as u32) << 23)
    }
}

/// A large mantissa times `2^exponent` as a float, cut to 24 bits.
#[inline]
pub(super) const fn real_of_sum(mantissa: u64, exponent: i32) -> f32 {
    let drop = (64 - mantissa.leading_zeros()).saturating_sub(24);
    times_power((mantissa >> drop) as f32, exponent + drop as i32)
}

/// A block as real numbers.
#[inline(never)]
pub fn to_reals(x: &[i16], exponent: i16, y: &mut [f32]) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = real(x.into(), exponent));
}

/// Values converted at a time by [`visit_weights`] and [`visit_biases`].
const CHUNK: usize = 32;

/// Calls `visit(name, values)` with weights in units of `2^exponent` as real numbers, a part at a time.
#[inline(never)]
pub fn visit_weights(
    name: &'static str,
    exponent: i16,
    weights: &[i16],
    visit: &mut impl FnMut(&'static str, &[f32]),
) {
    in_parts(name, weights, |w| real(w.into(), exponent), visit);
}

/// As [`visit_weights`], for biases.
#[inline(never)]
pub fn visit_biases(
    name: &'static str,
    exponent: i16,
    biases: &[i32],
    visit: &mut impl FnMut(&'static str, &[f32]),
) {
    in_parts(name, biases, |b| real(b, exponent), visit);
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

/// Activations in units of `2^exponent` in Q7.8, saturated.
#[inline(never)]
pub(super) fn to_activations(x: &mut [i16], largest: i16, exponent: i16) {
    let by = i32::from(exponent) + crate::fixed::ACTIVATION_BITS as i32;
    x.iter_mut().for_each(|x| *x = saturate(scale(i32::from(*x) - i32::from(largest), by)));
}

/// `x 2^-exponent` of a float, to nearest, saturated.
#[inline(always)]
pub(super) const fn in_units(x: f32, exponent: i32) -> i32 {
    let (mantissa, own) = parts(x);
    scale(mantissa, own - exponent)
}

/// `x / n` to nearest, half away from zero.
#[inline(always)]
pub(super) fn divide(x: i32, n: i32) -> i32 {
    let half = if x > 0 { n / 2 } else { -(n / 2) };
    x.saturating_add(half).checked_div(n).unwrap_or(0)
}

/// The largest of the mantissas that fall off rounds to the end of the range at most.
#[inline(always)]
pub(super) const fn cut(x: i32, drop: u32) -> i16 {
    saturate(drop_bits(x, drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reals_come_back() {
        for power in -110..120 {
            let unit = libm::exp2f(power as f32);
            let x = [1.0, -0.75, 0.1, 1.999, -1e-3, 0.0].map(|x: f32| x * unit);
            let (mut block, mut back) = ([0; 6], [0.0; 6]);
            let exponent = from_reals(&x, &mut block);
            to_reals(&block, exponent, &mut back);
            let room = libm::exp2(f64::from(exponent));
            for (x, back) in x.into_iter().zip(back) {
                // A unit where rounding comes to the end of the range.
                assert!((f64::from(x) - f64::from(back)).abs() <= room, "{x}: {back}");
            }
            assert!(block[0] >= 1 << 13 && block[3] >= 1 << 14, "{block:?}");
        }
        let mut block = [1; 3];
        let exponent = from_reals(&[0.0, -0.0, 1e-42], &mut block);
        assert_eq!((block, exponent < -100), ([0; 3], true));
        from_reals(&[f32::INFINITY, f32::NEG_INFINITY, 1.0], &mut block);
        assert_eq!(block, [i16::MAX, -i16::MAX - 1, 0]);
        assert!(all_finite(&[1.0, f32::MAX, -0.0]));
        for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(!all_finite(&[0.0, bad]), "{bad}");
        }
    }

    #[test]
    fn mantissas_become_floats() {
        for (mantissa, exponent) in
            [(1, 0), (-77, -12), (i32::MAX, -20), (i32::MIN, 3), (0, 100), (12_345, -135)]
        {
            let exact = f64::from(mantissa) * libm::exp2(exponent.into());
            assert_eq!(real(mantissa, exponent), exact as f32, "{mantissa}, {exponent}");
        }
        assert_eq!((real(5, 300), real(-5, 300), real(5, -300)), (f32::MAX, f32::MIN, 0.0));
        assert_eq!(real_of_sum(3 << 50, -51), 1.5);
        assert_eq!(real_of_sum(0, 40), 0.0);
    }
}
