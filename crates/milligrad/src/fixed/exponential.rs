//! Exponentials, sigmoid and tanh in fixed point, in integers alone: all of one table of 33 powers of two.

use super::{ACTIVATION_BITS, DELTA_BITS, round_shift, saturate};
use crate::arch::rolled;

/// `2^(-i/32)` in Q0.15 for `i` of 0 to 32.
const POWERS: [u16; 33] = {
    // 2^(-1/32)
    const ROOT: f64 = 0.978_572_062_087_700_1;
    let (mut table, mut power, mut i) = ([0; 33], 32_768.0, 0);
    while i < table.len() {
        table[i] = (power + 0.5) as u16;
        power *= ROOT;
        i += 1;
    }
    table
};

/// `e^-d` in Q0.15 of `d ≥ 0` in Q.8, within 3 · 2⁻¹⁵.
#[inline(always)]
pub(super) fn exp_of_minus(d: u32) -> u32 {
    // 2⁸ · 16: from there on nothing is left.
    if d >= 4096 {
        return 0;
    }
    // log2(e) in Q.16, so that the exponent of 2 is in Q.24.
    let t = d * 94_548;
    let (whole, fraction) = (t >> 24, (t >> 8) & 0xffff);
    // 32 pieces, straight lines between.
    let [from, to] = match POWERS.get((fraction >> 11) as usize..).and_then(|rest| rest.first_chunk()) {
        Some(&[from, to]) => [u32::from(from), u32::from(to)],
        None => return 0,
    };
    let power = from - (((from - to) * (fraction & 0x7ff) + 0x400) >> 11);
    // Up to 23 bits fall off, one of them with rounding.
    ((power << 1 >> whole) + 1) >> 1
}

/// `1 / (1 + e^-x)` in Q0.15 of `x` in Q.8, within 2 · 2⁻¹⁵; 0 to 2¹⁵.
#[inline(never)]
fn logistic(x: i32) -> i32 {
    let e = exp_of_minus(x.unsigned_abs());
    let divisor = (1 << DELTA_BITS) + e;
    // Of |x|, rounded: 2¹⁴ to 2¹⁵.
    let p = ((1 << (2 * DELTA_BITS)) + divisor / 2).checked_div(divisor).unwrap_or(0) as i32;
    if x < 0 { (1 << DELTA_BITS) - p } else { p }
}

/// Bits that fall off a number in Q0.15 to make an activation of it.
const TO_ACTIVATION: u32 = DELTA_BITS - ACTIVATION_BITS;

/// `1 / (1 + e⁻ˣ)` of activations in Q7.8, in place, within 0.52 · 2⁻⁸.
#[inline(never)]
pub fn sigmoid(x: &mut [i16]) {
    for x in x {
        rolled();
        *x = saturate(round_shift(logistic((*x).into()), TO_ACTIVATION));
    }
}

/// The same as a probability in Q0.15, as [`softmax`](super::softmax) gives it, within 2 · 2⁻¹⁵; the largest is `1 - 2⁻¹⁵`.
#[inline(never)]
pub fn sigmoid_probability(x: &mut [i16]) {
    for x in x {
        rolled();
        *x = saturate(logistic((*x).into()));
    }
}

/// `tanh x` of activations in Q7.8, in place, within 0.54 · 2⁻⁸.
#[inline(never)]
pub fn tanh(x: &mut [i16]) {
    for x in x {
        rolled();
        // tanh |x| = 2 / (1 + e^-2|x|) - 1, and odd
        let y = 2 * logistic(2 * i32::from(*x).abs()) - (1 << DELTA_BITS);
        let y = saturate(round_shift(y, TO_ACTIVATION));
        *x = if *x < 0 { -y } else { y };
    }
}

/// `δ *= y (1 - y)` for the output `y` of [`sigmoid`].
#[inline(never)]
pub fn sigmoid_backward(y: &[i16], delta: &mut [i16]) {
    scale(y, delta, |y| y * ((1 << ACTIVATION_BITS) - y));
}

/// `δ *= 1 - y²` for the output `y` of [`tanh`].
#[inline(never)]
pub fn tanh_backward(y: &[i16], delta: &mut [i16]) {
    scale(y, delta, |y| (1 << (2 * ACTIVATION_BITS)) - y * y);
}

/// `δ *= slope(y)`, a slope in Q.16 of 0 to 1.
#[inline(always)]
fn scale(y: &[i16], delta: &mut [i16], slope: impl Fn(i32) -> i32) {
    for (delta, &y) in delta.iter_mut().zip(y) {
        rolled();
        let slope = slope(y.into()).clamp(0, 1 << (2 * ACTIVATION_BITS));
        *delta = saturate(round_shift(i32::from(*delta) * slope, 2 * ACTIVATION_BITS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_near() {
        for d in 0..5000 {
            let exact = 32_768.0 * libm::exp(-f64::from(d) / 256.0);
            assert!((f64::from(exp_of_minus(d)) - exact).abs() <= 3.0, "{d}");
        }
        assert_eq!((exp_of_minus(0), exp_of_minus(u32::MAX)), (1 << 15, 0));
    }

    /// Of every input there is.
    #[test]
    fn functions_are_near() {
        let (mut off_sigmoid, mut off_probability, mut off_tanh) = (0.0_f64, 0.0_f64, 0.0_f64);
        for x in i16::MIN..=i16::MAX {
            let real = f64::from(x) / 256.0;
            let of = |function: fn(&mut [i16])| {
                let mut y = [x];
                function(&mut y);
                f64::from(y[0])
            };
            let exact = 1.0 / (1.0 + libm::exp(-real));
            off_sigmoid = off_sigmoid.max((of(sigmoid) - 256.0 * exact).abs());
            off_probability = off_probability.max((of(sigmoid_probability) - 32_768.0 * exact).abs());
            off_tanh = off_tanh.max((of(tanh) - 256.0 * libm::tanh(real)).abs());
            assert_eq!(
                of(tanh),
                -of(|x| {
                    x[0] = x[0].saturating_neg();
                    tanh(x);
                }),
                "{x}"
            );
        }
        assert!(off_sigmoid <= 0.52, "sigmoid is off by {off_sigmoid} / 256");
        assert!(off_probability <= 2.0, "sigmoid_probability is off by {off_probability} / 32768");
        assert!(off_tanh <= 0.54, "tanh is off by {off_tanh} / 256");
    }

    /// Of every output there is, and deltas of both signs: half a unit of rounding, whatever the slope.
    #[test]
    fn slopes_are_near() {
        for y in -256..=256_i16 {
            let real = f64::from(y) / 256.0;
            for delta in [i16::MIN, -12_345, -1, 0, 1, 777, i16::MAX] {
                let near = |function: fn(&[i16], &mut [i16]), slope: f64| {
                    let mut scaled = [delta];
                    function(&[y], &mut scaled);
                    let exact = f64::from(delta) * slope;
                    assert!((f64::from(scaled[0]) - exact).abs() <= 0.5, "{y}: {}, not {exact}", scaled[0]);
                };
                near(tanh_backward, 1.0 - real * real);
                if y >= 0 {
                    near(sigmoid_backward, real * (1.0 - real));
                }
            }
        }
    }
}
