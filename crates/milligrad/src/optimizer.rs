//! Optimizers: how a parameter changes by its gradient.

use crate::fixed::{ACTIVATION_BITS, DELTA_BITS, SUM_BITS, WEIGHT_BITS, round_shift, saturate};
use crate::layers::matrix;
use crate::{Fixed16, Trainable};

/// An update rule. The shape of its calls follows what a microcontroller can afford: a dense layer's
/// gradient at batch 1 is the product `δ x`, which is formed while it is used.
pub trait Optimizer<A: Trainable> {
    /// What is remembered of each parameter; `()` where nothing is.
    type State: Copy;
    /// The state before the first step.
    const START: Self::State;

    /// Updates dense weights, rows as long as `x`, by the gradients `δ xᵀ`. Where `δ` is zero the gradients are, even if
    /// `x` is not finite.
    fn update_rows(
        &self,
        weights: &mut [A::Weight],
        state: &mut [Self::State],
        delta: &[A::Element],
        x: &[A::Element],
    );
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

    #[inline(never)]
    fn update_rows(&self, weights: &mut [f32], _: &mut [()], delta: &[f32], x: &[f32]) {
        matrix::update_rows(
            weights,
            delta,
            x,
            0.0,
            |delta| self.learning_rate * delta,
            |w, step, x| *w -= step * x,
        );
    }

    #[inline]
    fn update_biases(&self, biases: &mut [f32], _: &mut [()], delta: &[f32]) {
        self.update_weights(biases, &mut [], delta);
    }

    #[inline]
    fn update_weights(&self, weights: &mut [f32], _: &mut [()], gradient: &[f32]) {
        weights.iter_mut().zip(gradient).for_each(|(w, &g)| *w -= self.learning_rate * g);
    }

    #[inline]
    fn update_accumulated_biases(&self, biases: &mut [f32], _: &mut [()], gradient: &[f32]) {
        self.update_weights(biases, &mut [], gradient);
    }
}

/// Gradient descent with momentum: `v = μ v - η g`, `w += v` (Keras' definition).
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Momentum {
    /// Step size `η`.
    pub learning_rate: f32,
    /// How much of the last step is kept, `μ`.
    pub momentum: f32,
}

impl Momentum {
    /// Descent with fixed step size and momentum.
    pub const fn new(learning_rate: f32, momentum: f32) -> Self {
        Self { learning_rate, momentum }
    }

    #[inline(always)]
    fn step(&self, w: &mut f32, velocity: &mut f32, gradient: f32) {
        *velocity = self.momentum * *velocity - self.learning_rate * gradient;
        *w += *velocity;
    }
}

impl Optimizer<f32> for Momentum {
    /// The velocity `v`.
    type State = f32;
    const START: f32 = 0.0;

    #[inline(never)]
    fn update_rows(&self, weights: &mut [f32], state: &mut [f32], delta: &[f32], x: &[f32]) {
        let inputs = x.len().max(1);
        let rows = weights.chunks_exact_mut(inputs).zip(state.chunks_exact_mut(inputs));
        for ((row, state), &delta) in rows.zip(delta) {
            let row = row.iter_mut().zip(state);
            if delta == 0.0 {
                row.for_each(|(w, v)| self.step(w, v, 0.0));
            } else {
                row.zip(x).for_each(|((w, v), &x)| self.step(w, v, delta * x));
            }
        }
    }

    #[inline]
    fn update_biases(&self, biases: &mut [f32], state: &mut [f32], delta: &[f32]) {
        self.update_weights(biases, state, delta);
    }

    #[inline]
    fn update_weights(&self, weights: &mut [f32], state: &mut [f32], gradient: &[f32]) {
        weights.iter_mut().zip(state).zip(gradient).for_each(|((w, v), &g)| self.step(w, v, g));
    }

    #[inline]
    fn update_accumulated_biases(&self, biases: &mut [f32], state: &mut [f32], gradient: &[f32]) {
        self.update_weights(biases, state, gradient);
    }
}

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
