//! Softmax: `y[i] = e^x[i] / Σ e^x[j]`.

use crate::math::Float;
use crate::quantization::{doubling_high_multiply, rounding_divide_by_power_of_two};
use crate::quantized_math::{exp_on_negative_values, one_over_one_plus};

/// Softmax of float scores, in place. The largest score is subtracted first, so that nothing overflows.
#[inline]
pub fn softmax<F: Float>(x: &mut [F]) {
    F::softmax(x);
}

/// In plain Rust, for any core.
#[inline(never)]
pub(crate) fn plain_softmax<F: Float>(x: &mut [F]) {
    let Some((&first, rest)) = x.split_first() else { return };
    let max = rest.iter().fold(first, |max, &x| if x > max { x } else { max });
    let mut sum = F::ZERO;
    for x in x.iter_mut() {
        *x = (*x - max).exp();
        sum = sum + *x;
    }
    let scale = F::from_f64(1.0) / sum;
    x.iter_mut().for_each(|x| *x = *x * scale);
}

/// Turns `δ` of the probabilities `y` into `δ` of the scores, in place: `δ[i] = y[i] (δ[i] - Σ δ[j] y[j])`. Training
/// with cross entropy has a shorter way, see [`loss`](crate::loss).
#[inline]
pub fn softmax_backward<F: Float>(y: &[F], delta: &mut [F]) {
    let mean = y.iter().zip(delta.iter()).fold(F::ZERO, |sum, (&y, &delta)| sum + y * delta);
    delta.iter_mut().zip(y).for_each(|(delta, &y)| *delta = y * (*delta - mean));
}

/// Softmax of int8 scores as TensorFlow Lite computes it, with output scale 1/256 and zero point -128.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuantizedSoftmax {
    /// Mantissa of the input's scale times 2^26, as a 31-bit fraction.
    pub multiplier: i32,
    /// Its exponent.
    pub shift: u8,
    /// Differences to the largest score below this count as none.
    pub smallest_difference: i16,
}

impl QuantizedSoftmax {
    /// Probabilities of scores whose scale is `multiplier 2^(shift - 31)` with 5 integer bits, that is the input
    /// scale times `2^26`; differences to the largest score below `smallest_difference` count as none.
    ///
    /// # Panics
    /// If a field is out of range; in a `const` or `static` that is a compile error.
    pub const fn new(multiplier: i32, shift: u8, smallest_difference: i16) -> Self {
        assert!(multiplier >= 0 && shift <= 31, "a softmax scale has a shift within 0..=31");
        assert!(smallest_difference <= 0, "differences to the largest score are not positive");
        Self { multiplier, shift, smallest_difference }
    }

    /// `y[i] = e^x[i] / Σ e^x[j]`
    pub fn forward(&self, x: &[i8], y: &mut [i8]) {
        let max = x.iter().fold(i8::MIN, |max, &x| if x > max { x } else { max });
        // 12 integer bits hold the sum of up to 4,096 terms of at most 1.
        let sum = x
            .iter()
            .filter_map(|&x| self.exp(x, max))
            .fold(0i32, |sum, e| sum.saturating_add(rounding_divide_by_power_of_two(e, 12)))
            .max(1);
        let headroom = sum.leading_zeros();
        let scale = one_over_one_plus(((sum as u32).wrapping_shl(headroom) ^ (1 << 31)) as i32);
        // 8 bits of output; the sum's integer bits less its headroom are what the reciprocal lacks.
        let drop = (12 + 31 - 8u32).saturating_sub(headroom).min(31);
        for (y, &x) in y.iter_mut().zip(x) {
            *y = self.exp(x, max).map_or(i8::MIN, |e| {
                let q = rounding_divide_by_power_of_two(doubling_high_multiply(scale, e), drop);
                (q - 128).clamp(-128, 127) as i8
            });
        }
    }

    /// `e^(x - max)` with no integer bits.
    #[inline(always)]
    fn exp(&self, x: i8, max: i8) -> Option<i32> {
        let difference = i32::from(x) - i32::from(max);
        (difference >= i32::from(self.smallest_difference)).then(|| {
            let scaled =
                doubling_high_multiply(difference.wrapping_shl(u32::from(self.shift)), self.multiplier);
            exp_on_negative_values(scaled, 5)
        })
    }
}
