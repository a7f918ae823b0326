//! 16-bit fixed point: inference and training for cores without an FPU.
//!
//! | quantity | type | format | holds |
//! |---|---|---|---|
//! | inputs, activations | `i16` | Q7.8 | ±128, in steps of 1/256 |
//! | weights | `i16` | Q3.12 | ±8, in steps of 1/4096 |
//! | sums, biases | `i32` | Q11.20 | ±2048 |
//! | probabilities of [`softmax`] and [`sigmoid_probability`] | `i16` | Q0.15 | 0 to 1 - 2⁻¹⁵ |
//! | deltas | `i16` | Q0.15 | ±1 |
//! | gradients that are summed | `i32` | Q8.23 | ±256 |
//!
//! Every conversion rounds to nearest and saturates; nothing wraps. Sums of dense layers and convolutions are exact and saturate
//! once, at their end; those of depthwise convolutions, of a few taps, saturate tap by tap. A learning rate is a power of two.
//! Shifting without rounding destroys training, and so does rounding each weight's update for itself where the rate is small:
//! [`PowerOfTwoSgd`] rounds the running sums of updates along a row to nearest, [`StochasticSgd`] up or down at random, so that
//! the mean of many is right. [`mean()`](mean) makes the mean of gradients that were summed over a batch. [`Saturation`] counts
//! what came to the end of its range, and a [`Guard`] refuses steps before their first write. Where ranges are not known, exponents are
//! [`dynamic`].
//!
//! ```
//! use milligrad::fixed::{self, Fixed16, PowerOfTwoSgd, Saturation, activation};
//! use milligrad::{Clamp, TrainError, layers::Dense};
//!
//! /// A network of one layer, 2-3, that lives in 24 bytes of RAM.
//! struct Network {
//!     weights: [i16; 6],
//!     biases: [i32; 3],
//!     saturation: Saturation,
//! }
//!
//! impl Network {
//!     fn predict(&self, x: &[i16; 2]) -> [i16; 3] {
//!         let mut y = [0; 3];
//!         Dense::<Fixed16>::new(2, &self.weights, &self.biases, Clamp::<i16>::LINEAR).forward(x, &mut y);
//!         fixed::softmax(&mut y);
//!         y
//!     }
//!
//!     fn learn(&mut self, x: &[i16; 2], label: usize) -> Result<f32, TrainError> {
//!         let mut delta = self.predict(x);
//!         let loss = fixed::sparse_categorical_cross_entropy(&mut delta, label)?;
//!         let count =
//!             fixed::apply(x, &delta, &mut self.weights, &mut self.biases, &PowerOfTwoSgd::new(1), &mut ());
//!         self.saturation.add_weights(count);
//!         Ok(loss)
//!     }
//! }
//!
//! let mut network = Network { weights: [0; 6], biases: [0; 3], saturation: Saturation::NONE };
//! let sample = [1.0, -1.0].map(activation);
//! for _ in 0..20 {
//!     network.learn(&sample, 2)?;
//! }
//! assert!(fixed::from_probability(network.predict(&sample)[2]) > 0.9);
//! assert_eq!(network.saturation, Saturation::NONE);
//! # Ok::<(), TrainError>(())
//! ```

mod batch;
mod convert;
pub mod dynamic;
mod elementwise;
mod exponential;
mod guard;
mod loss;
pub(crate) mod portable;
mod saturation;
mod sums;

pub use crate::optimizer::{PowerOfTwoSgd, Rule, StochasticSgd, apply};
pub use batch::mean;
pub use convert::{
    activation, bias, from_activation, from_bias, from_int8, from_probability, from_weight, visit_biases,
    visit_weights, weight,
};
pub use elementwise::{accumulate, add, clamp, clamp_backward, leaky_relu, leaky_relu_backward, slope};
pub use exponential::{sigmoid, sigmoid_backward, sigmoid_probability, tanh, tanh_backward};
pub use guard::{Guard, Limits, Reach, Report, Steps, largest_bias, largest_weight};
pub use loss::{binary_cross_entropy, mean_squared_error, softmax, sparse_categorical_cross_entropy};
pub use saturation::Saturation;

use crate::{Arithmetic, Clamp, Trainable};

/// 16-bit fixed-point arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixed16;

/// Fraction bits of activations.
pub const ACTIVATION_BITS: u32 = 8;
/// Fraction bits of weights.
pub const WEIGHT_BITS: u32 = 12;
/// Fraction bits of sums and biases.
pub const SUM_BITS: u32 = ACTIVATION_BITS + WEIGHT_BITS;
/// Fraction bits of deltas.
pub const DELTA_BITS: u32 = 15;

impl Clamp<i16> {
    /// No fused activation, only saturation.
    pub const LINEAR: Self = Self { min: i16::MIN, max: i16::MAX };
    /// `max(x, 0)`
    pub const RELU: Self = Self { min: 0, max: i16::MAX };
    /// `min(max(x, 0), 6)`
    pub const RELU6: Self = Self { min: 0, max: 6 << ACTIVATION_BITS };
}

/// `x / 2^bits`, to nearest, half up; `bits` is 2 to 32.
#[inline(always)]
pub(crate) const fn round_shift(x: i32, bits: u32) -> i32 {
    // All bits but one, then that one with rounding: so nothing overflows.
    (x.wrapping_shr(bits - 1) + 1) >> 1
}

/// The nearest `i16`.
#[inline(always)]
pub(crate) const fn saturate(x: i32) -> i16 {
    if x > i16::MAX as i32 {
        i16::MAX
    } else if x < i16::MIN as i32 {
        i16::MIN
    } else {
        x as i16
    }
}

impl Arithmetic for Fixed16 {
    type Element = i16;
    type Weight = i16;
    type Accumulator = i32;
    type Channel = i32;
    type Output = Clamp<i16>;

    const ZERO: i32 = 0;
    #[inline(always)]
    fn start(bias: &i32) -> i32 {
        *bias
    }
    #[inline(always)]
    fn multiply_add(sum: i32, x: i16, w: i16) -> i32 {
        sum.saturating_add(i32::from(x) * i32::from(w))
    }
    #[inline(always)]
    fn finish(output: &Clamp<i16>, _: &i32, sum: i32) -> i16 {
        output.apply(saturate(round_shift(sum, WEIGHT_BITS)))
    }
    #[inline(always)]
    fn add(sum: i32, x: i16) -> i32 {
        sum.saturating_add(i32::from(x))
    }
    #[inline(always)]
    fn average(sum: i32, count: u32) -> i16 {
        divide(sum, count)
    }
    #[inline(always)]
    fn clamp(output: &Clamp<i16>, x: i16) -> i16 {
        output.apply(x)
    }
    #[inline(always)]
    fn rows(weights: &[i16], biases: &[i32], output: &Clamp<i16>, x: &[i16], y: &mut [i16]) {
        sums::rows(weights, biases, output, x, y);
    }
}

impl Trainable for Fixed16 {
    type Gradient = i32;

    const NO_GRADIENT: i32 = 0;
    const NO_DELTA: i16 = 0;
    #[inline(always)]
    fn multiply_add_delta(sum: i32, w: i16, delta: i16) -> i32 {
        sum.saturating_add(i32::from(w) * i32::from(delta))
    }
    #[inline(always)]
    fn columns(inputs: usize, weights: &[i16], delta: &[i16], delta_x: &mut [i16]) {
        sums::columns(inputs, weights, delta, delta_x);
    }
    #[inline(always)]
    fn backward_clamp(output: &Clamp<i16>, y: &[i16], delta: &mut [i16]) {
        elementwise::clamp_backward(output, y, delta);
    }
    #[inline(always)]
    fn delta(sum: i32) -> i16 {
        saturate(round_shift(sum, WEIGHT_BITS))
    }
    #[inline(always)]
    fn add_delta(a: i16, b: i16) -> i16 {
        a.saturating_add(b)
    }
    #[inline(always)]
    fn divide_delta(delta: i16, count: u32) -> i16 {
        divide(i32::from(delta), count)
    }
    #[inline(always)]
    fn accumulate(sum: i32, delta: i16, x: i16) -> i32 {
        sum.saturating_add(i32::from(delta) * i32::from(x))
    }
    #[inline(always)]
    fn accumulate_bias(sum: i32, delta: i16) -> i32 {
        sum.saturating_add(i32::from(delta) << ACTIVATION_BITS)
    }
    #[inline(always)]
    fn passed(output: &Clamp<i16>, y: i16) -> bool {
        output.min < y && y < output.max
    }
}

/// `x / count` to nearest, half away from zero.
#[inline(always)]
fn divide(x: i32, count: u32) -> i16 {
    let count = count as i32;
    let half = if x > 0 { count / 2 } else { -(count / 2) };
    saturate(x.saturating_add(half).checked_div(count).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_to_nearest_and_saturates() {
        for x in -100_000i32..100_000 {
            let exact = f64::from(x) / 4096.0;
            assert_eq!(f64::from(round_shift(x, 12)), libm::floor(exact + 0.5), "{x}");
        }
        assert_eq!(round_shift(i32::MAX, 12), 1 << 19);
        for x in i16::MIN..=i16::MAX {
            let sum = Fixed16::multiply_add(i32::MAX, x, i16::MAX);
            assert!(x < 0 || sum == i32::MAX, "no wrap");
            let sum = Fixed16::multiply_add(i32::MIN, x, i16::MAX);
            assert!(x > 0 || sum == i32::MIN, "no wrap");
        }
        assert_eq!(Fixed16::finish(&Clamp::<i16>::RELU6, &0, 7 << SUM_BITS), 6 << ACTIVATION_BITS);
    }
}
