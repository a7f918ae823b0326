//! Decoupled weight decay.

use super::Optimizer;
use crate::guard::Bounded;

/// Any rule after `w -= η λ w` (Loshchilov and Hutter, 2017; Keras' `weight_decay`): `WeightDecay<Adam>` is AdamW.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WeightDecay<O> {
    /// The rule.
    pub rule: O,
    /// `λ`
    pub weight_decay: f32,
}

impl<O> WeightDecay<O> {
    /// A rule with weight decay.
    pub const fn new(rule: O, weight_decay: f32) -> Self {
        Self { rule, weight_decay }
    }
}

impl<O: Bounded<f32>> WeightDecay<O> {
    fn decay(&self, parameters: &mut [f32]) {
        let len = parameters.len();
        self.decay_columns(parameters, len, len);
    }

    /// The first so many parameters of rows that are `stride` parameters apart.
    #[inline(never)]
    fn decay_columns(&self, parameters: &mut [f32], columns: usize, stride: usize) {
        let factor = self.rule.learning_rate() * self.weight_decay;
        for row in parameters.chunks_mut(stride.max(1)) {
            row.iter_mut().take(columns).for_each(|w| *w -= factor * *w);
        }
    }
}

impl<O: Bounded<f32>> Optimizer<f32> for WeightDecay<O> {
    type State = O::State;
    const START: O::State = O::START;
    type Progress = O::Progress;
    const OUTSET: O::Progress = O::OUTSET;

    #[inline]
    fn begin(&self, progress: &mut O::Progress) -> Self {
        Self { rule: self.rule.begin(progress), ..*self }
    }

    #[inline]
    fn update_rows(&self, weights: &mut [f32], state: &mut [O::State], delta: &[f32], x: &[f32]) {
        self.decay(weights);
        self.rule.update_rows(weights, state, delta, x);
    }

    #[inline]
    fn update_columns(
        &self,
        weights: &mut [f32],
        state: &mut [O::State],
        delta: &[f32],
        x: &[f32],
        stride: usize,
    ) {
        self.decay_columns(weights, x.len(), stride);
        self.rule.update_columns(weights, state, delta, x, stride);
    }

    #[inline]
    fn update_biases(&self, biases: &mut [f32], state: &mut [O::State], delta: &[f32]) {
        self.decay(biases);
        self.rule.update_biases(biases, state, delta);
    }

    #[inline]
    fn update_weights(&self, weights: &mut [f32], state: &mut [O::State], gradient: &[f32]) {
        self.decay(weights);
        self.rule.update_weights(weights, state, gradient);
    }

    #[inline]
    fn update_accumulated_biases(&self, biases: &mut [f32], state: &mut [O::State], gradient: &[f32]) {
        self.decay(biases);
        self.rule.update_accumulated_biases(biases, state, gradient);
    }
}
