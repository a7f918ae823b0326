//! Descent in fixed point.

use super::Optimizer;
use crate::Fixed16;
use crate::fixed::{ACTIVATION_BITS, DELTA_BITS, SUM_BITS, WEIGHT_BITS, round_shift, saturate};
use crate::layers::matrix;

/// Gradient descent in fixed point with the learning rate `2^-exponent`, to nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PowerOfTwoSgd {
    exponent: u32,
}

impl PowerOfTwoSgd {
    /// Descent with the learning rate `2^-exponent`.
    ///
    /// # Panics
    /// If the exponent is over 15; in a `const` or `static` that is a compile error.
    pub const fn new(exponent: u32) -> Self {
        assert!(exponent <= 15, "a learning rate below 2^-15 changes nothing");
        Self { exponent }
    }

    /// A Q8.23 gradient as the change of a Q3.12 weight.
    #[inline(always)]
    fn weight(&self, w: &mut i16, gradient: i32) {
        const BITS: u32 = DELTA_BITS + ACTIVATION_BITS - WEIGHT_BITS;
        *w = saturate(i32::from(*w) - round_shift(gradient, BITS + self.exponent));
    }
}

impl Optimizer<Fixed16> for PowerOfTwoSgd {
    type State = ();
    const START: () = ();
    type Progress = ();
    const OUTSET: () = ();

    #[inline]
    fn begin(&self, (): &mut ()) -> Self {
        *self
    }

    #[inline(never)]
    fn update_rows(&self, weights: &mut [i16], _: &mut [()], delta: &[i16], x: &[i16]) {
        matrix::update_rows(weights, delta, x, 0, i32::from, |w, delta, x| {
            self.weight(w, delta * i32::from(x))
        });
    }

    #[inline]
    fn update_biases(&self, biases: &mut [i32], _: &mut [()], delta: &[i16]) {
        for (bias, &delta) in biases.iter_mut().zip(delta) {
            // Two bits more, as a shift by nothing is none.
            let step = round_shift(i32::from(delta) << (SUM_BITS - DELTA_BITS + 2), self.exponent + 2);
            *bias = bias.saturating_sub(step);
        }
    }

    #[inline]
    fn update_weights(&self, weights: &mut [i16], _: &mut [()], gradient: &[i32]) {
        weights.iter_mut().zip(gradient).for_each(|(w, &g)| self.weight(w, g));
    }

    #[inline]
    fn update_accumulated_biases(&self, biases: &mut [i32], _: &mut [()], gradient: &[i32]) {
        // Bias gradients are Q8.23, as `accumulate_bias` sums them.
        const BITS: u32 = DELTA_BITS + ACTIVATION_BITS - SUM_BITS;
        for (bias, &gradient) in biases.iter_mut().zip(gradient) {
            *bias = bias.saturating_sub(round_shift(gradient, BITS + self.exponent));
        }
    }
}
