//! exp, sigmoid, tanh and reciprocal in 32-bit fixed point, bit for bit as gemmlowp computes them: what
//! TensorFlow Lite's int8 softmax, logistic and tanh are made of.
//!
//! A number with `n` integer bits is `raw / 2^(31 - n)`. Everything is `const`, so that tables of 256
//! entries can be made at compile time.
//!
//! Source: <https://github.com/google/gemmlowp/blob/master/fixedpoint/fixedpoint.h>

use crate::quantization::{doubling_high_multiply as multiply, rounding_divide_by_power_of_two as divide};

/// 1 with no integer bits: the largest number below it.
const ONE: i32 = i32::MAX;
/// 1 with two integer bits.
const ONE_2: i32 = 1 << 29;

/// `eᵃ` with no integer bits, for `a <= 0` with `integer_bits` (4 or 5) integer bits.
pub(crate) const fn exp_on_negative_values(a: i32, integer_bits: u32) -> i32 {
    if a == 0 {
        return ONE;
    }
    let fraction_bits = 31 - integer_bits;
    let quarter = 1 << (fraction_bits - 2);
    let reduced = (a & (quarter - 1)) - quarter;
    let mut result = exp_between_minus_quarter_and_zero(shift_left_saturating(reduced, integer_bits));
    let remainder = reduced.wrapping_sub(a);
    // e^-(2^exponent) for the exponents -2, -1, 0, 1, ...
    const FACTORS: [i32; 7] =
        [1_672_461_947, 1_302_514_674, 790_015_084, 290_630_308, 39_332_535, 720_401, 242];
    let mut i = 0;
    while i < FACTORS.len() && (i as u32) < integer_bits + 2 {
        if remainder & (1 << (fraction_bits - 2 + i as u32)) != 0 {
            result = multiply(result, FACTORS[i]);
        }
        i += 1;
    }
    result
}

/// `eᵃ` for `-1/4 <= a < 0`: Taylor around -1/8.
const fn exp_between_minus_quarter_and_zero(a: i32) -> i32 {
    const EXP_MINUS_EIGHTH: i32 = 1_895_147_668;
    const THIRD: i32 = 715_827_883;
    let x = a + (1 << 28);
    let x2 = multiply(x, x);
    let x3 = multiply(x2, x);
    let x4_over_4 = divide(multiply(x2, x2), 2);
    let rest = divide(multiply(x4_over_4 + x3, THIRD) + x2, 1);
    EXP_MINUS_EIGHTH + multiply(EXP_MINUS_EIGHTH, x + rest)
}

/// `2 / (1 + a)` with two integer bits, for `0 <= a < 1` with none: three Newton steps.
const fn two_over_one_plus(a: i32) -> i32 {
    let half_denominator = ((a as i64 + ONE as i64 + 1) / 2) as i32;
    let mut x = 1_515_870_810 + multiply(half_denominator, -1_010_580_540);
    let mut i = 0;
    while i < 3 {
        let error = ONE_2 - multiply(half_denominator, x);
        x += shift_left_saturating(multiply(x, error), 2);
        i += 1;
    }
    x
}

/// `1 / (1 + a)` with no integer bits, for `0 <= a < 1`.
pub(crate) const fn one_over_one_plus(a: i32) -> i32 {
    // Half of it has one integer bit with the same raw number.
    shift_left_saturating(two_over_one_plus(a), 1)
}

/// `1 / (1 + e⁻ᵃ)` with no integer bits, for `a` with 4.
pub(crate) const fn sigmoid(a: i32) -> i32 {
    if a == 0 {
        return 1 << 30;
    }
    let positive = one_over_one_plus(exp_on_negative_values(if a > 0 { -a } else { a }, 4));
    if a > 0 { positive } else { ONE - positive }
}

/// `tanh a` with no integer bits, for `a` with 4.
pub(crate) const fn tanh(a: i32) -> i32 {
    if a == 0 {
        return 0;
    }
    // e^2a: the same raw number with one more integer bit.
    let e = exp_on_negative_values(if a > 0 { -a } else { a }, 5);
    let magnitude = shift_left_saturating(two_over_one_plus(e) - ONE_2, 2);
    if a > 0 { magnitude } else { -magnitude }
}

const fn shift_left_saturating(x: i32, bits: u32) -> i32 {
    let limit = (1 << (31 - bits)) - 1;
    if x > limit {
        i32::MAX
    } else if x < -limit {
        i32::MIN
    } else {
        x << bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_shifts_saturate_as_gemmlowp_does() {
        // The last number below the threshold shifts, the next saturates: one short of what would fit.
        let limit = (1 << 29) - 1;
        assert_eq!(
            [limit, limit + 1, i32::MAX].map(|x| shift_left_saturating(x, 2)),
            [limit << 2, i32::MAX, i32::MAX]
        );
        let negative = [-limit, -limit - 1, i32::MIN].map(|x| shift_left_saturating(x, 2));
        assert_eq!(negative, [-limit << 2, i32::MIN, i32::MIN]);
    }

    #[test]
    fn near_the_real_functions() {
        let real = |raw: i32, bits: i32| f64::from(raw) / libm::ldexp(1.0, 31 - bits);
        for a in (-(15 << 27)..(15 << 27)).step_by(1_000_003) {
            let x = real(a, 4);
            assert!((real(sigmoid(a), 0) - 1.0 / (1.0 + libm::exp(-x))).abs() < 5e-7, "sigmoid {x}");
            assert!((real(tanh(a), 0) - libm::tanh(x)).abs() < 1e-6, "tanh {x}");
            if a <= 0 {
                assert!((real(exp_on_negative_values(a, 4), 0) - libm::exp(x)).abs() < 5e-7, "exp {x}");
            }
        }
    }
}
