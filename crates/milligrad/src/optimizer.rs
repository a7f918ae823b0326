//! Optimizers: how a parameter changes by its gradient.

mod adam;
mod each;
mod fixed;
mod momentum;
mod rms_prop;
mod schedule;
mod weight_decay;

pub use adam::Adam;
pub(crate) use fixed::static_exponent;
pub use fixed::{PowerOfTwoSgd, Rule, StochasticSgd, apply};
pub use momentum::{Momentum, Nesterov};
pub use rms_prop::RmsProp;
pub use schedule::Schedule;
pub use weight_decay::WeightDecay;

use crate::Trainable;
use crate::layers::matrix;

/// An update rule. The shape of its calls follows what a microcontroller can afford: a dense layer's
/// gradient at batch 1 is the product `δ x`, which is formed while it is used.
pub trait Optimizer<A: Trainable>: Sized {
    /// What is remembered of each parameter; `()` where nothing is.
    type State: Copy;
    /// The state before the first step.
    const START: Self::State;
    /// What is remembered once for all parameters, such as powers that count steps; `()` where nothing is.
    type Progress: Copy;
    /// The progress before the first step.
    const OUTSET: Self::Progress;
    /// Whether a gradient of zero changes neither a parameter nor what is remembered of it.
    const RESTS_AT_ZERO: bool = false;

    /// The rule for the next step, to be asked for once a step, when nothing refuses it any more.
    fn begin(&self, progress: &mut Self::Progress) -> Self;

    /// Updates dense weights, rows as long as `x`, by the gradients `δ xᵀ`. Where `δ` is zero the gradients are, even if `x` is
    /// not finite; rules that [rest at zero](Self::RESTS_AT_ZERO) leave the weights alone, where there are 256 inputs or more, of
    /// each
    /// 16 inputs, counted from the first, that are all zero, even if `δ` is not finite.
    fn update_rows(
        &self,
        weights: &mut [A::Weight],
        state: &mut [Self::State],
        delta: &[A::Element],
        x: &[A::Element],
    );
    /// As [`update_rows`](Self::update_rows), for the first weights of rows that are `stride` weights apart, as many as `x` is
    /// long: a layer's inputs can come in parts.
    fn update_columns(
        &self,
        weights: &mut [A::Weight],
        state: &mut [Self::State],
        delta: &[A::Element],
        x: &[A::Element],
        stride: usize,
    ) {
        let mut states = state.chunks_mut(stride.max(1));
        for (weights, delta) in weights.chunks_mut(stride.max(1)).zip(delta) {
            let state = states.next().and_then(|state| state.get_mut(..x.len())).unwrap_or_default();
            if let Some(weights) = weights.get_mut(..x.len()) {
                self.update_rows(weights, state, core::slice::from_ref(delta), x);
            }
        }
    }
    /// Updates biases by the gradients `δ`.
    fn update_biases(&self, biases: &mut [A::Channel], state: &mut [Self::State], delta: &[A::Element]);
    /// Updates weights by accumulated gradients.
    fn update_weights(&self, weights: &mut [A::Weight], state: &mut [Self::State], gradient: &[A::Gradient]);
    /// Updates biases by accumulated gradients.
    fn update_accumulated_biases(
        &self,
        biases: &mut [A::Channel],
        state: &mut [Self::State],
        gradient: &[A::Gradient],
    );
}

/// Stochastic gradient descent: `w -= η g`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Sgd {
    /// Step size `η`.
    pub learning_rate: f32,
}

impl Sgd {
    /// Descent with a fixed step size.
    pub const fn new(learning_rate: f32) -> Self {
        Self { learning_rate }
    }
}

impl Optimizer<f32> for Sgd {
    type State = ();
    const START: () = ();
    type Progress = ();
    const OUTSET: () = ();
    const RESTS_AT_ZERO: bool = true;

    #[inline]
    fn begin(&self, (): &mut ()) -> Self {
        *self
    }

    #[inline]
    fn update_rows(&self, weights: &mut [f32], _: &mut [()], delta: &[f32], x: &[f32]) {
        matrix::subtract_outer(weights, x.len(), self.learning_rate, delta, x);
    }

    #[inline]
    fn update_columns(&self, weights: &mut [f32], _: &mut [()], delta: &[f32], x: &[f32], stride: usize) {
        matrix::subtract_all(weights, stride, self.learning_rate, delta, x);
    }

    #[inline]
    fn update_biases(&self, biases: &mut [f32], _: &mut [()], delta: &[f32]) {
        self.update_weights(biases, &mut [], delta);
    }

    #[inline]
    fn update_weights(&self, weights: &mut [f32], _: &mut [()], gradient: &[f32]) {
        // One row, for one δ of 1.
        let len = weights.len().min(gradient.len());
        if let (Some(weights), Some(gradient)) = (weights.get_mut(..len), gradient.get(..len)) {
            matrix::subtract_all(weights, len, self.learning_rate, &[1.0], gradient);
        }
    }

    #[inline]
    fn update_accumulated_biases(&self, biases: &mut [f32], _: &mut [()], gradient: &[f32]) {
        self.update_weights(biases, &mut [], gradient);
    }
}
