//! Dense in floats on int8 inputs: floats are made of them block by block, so that all of them are never in RAM.
//!
//! The bits are those of [`dequantize`] followed by [`Dense`]: between two blocks the sums wait in `y`, from the bias on and in
//! the order of the weights. Blocks of 16 zeros are left out whatever the width, so that a sum that is zero may have the other
//! sign than in a layer of less than 256 inputs.

use super::Dense;
use crate::layers::runs::Runs;
use crate::layers::{dequantize, matrix};
use crate::{Optimizer, Quantization};
use core::ops::Range;

/// int8 numbers and what they stand for, `scale (q - zero_point)`.
#[derive(Debug, Clone, Copy)]
pub struct Dequantized<'a> {
    quantization: Quantization,
    values: &'a [i8],
}

impl<'a> Dequantized<'a> {
    /// These numbers, at this scale.
    pub const fn new(quantization: Quantization, values: &'a [i8]) -> Self {
        Self { quantization, values }
    }

    /// The first numbers, so many at most.
    const fn up_to(self, len: usize) -> Self {
        match self.values.split_at_checked(len) {
            Some((values, _)) => Self { values, ..self },
            None => self,
        }
    }

    /// The indices, `most` at a time at most, with blocks of zeros or without.
    #[inline(always)]
    pub(crate) fn runs(self, most: usize, zeros: bool) -> Runs<'a, i8, impl Fn(i8) -> bool> {
        Runs::new(self.values, most, move |q| !zeros && q == self.quantization.zero_point)
    }

    /// The floats at these indices, which are no more than `block` holds.
    #[inline(never)]
    pub(crate) fn floats(self, run: Range<usize>, block: &mut [f32]) -> Option<&[f32]> {
        let values = self.values.get(run)?;
        let block = block.get_mut(..values.len())?;
        dequantize(self.quantization, values, block);
        Some(block)
    }
}

impl Dense<'_, f32> {
    /// As [`forward`](Self::forward) for `x` of `inputs` and `y` of `outputs` elements, with scratch for a block of inputs, which
    /// go one by one where the block is empty. Of a longer `x` the rest is left out, of a shorter one what is missing is 0.
    #[inline(never)]
    pub fn forward_dequantized(&self, x: Dequantized<'_>, block: &mut [f32], y: &mut [f32]) {
        let (x, mut one) = (x.up_to(self.inputs), [0.0]);
        let block = if block.is_empty() { &mut one } else { block };
        matrix::sum_runs(x.runs(block.len(), false), self.channels, &self.output, y, |run, sums| {
            if let (Some(weights), Some(floats)) = (self.weights.get(run.start..), x.floats(run, block)) {
                sums.add(weights, self.inputs, floats);
            }
        });
    }
}

/// As [`accumulate`](super::accumulate), rows as long as `x`, with scratch for a block of inputs, which go one by one where the
/// block is empty.
#[inline(never)]
pub fn accumulate_dequantized(
    x: Dequantized<'_>,
    block: &mut [f32],
    delta: &[f32],
    weights: &mut [f32],
    biases: &mut [f32],
) {
    let (stride, mut one) = (x.values.len(), [0.0]);
    let block = if block.is_empty() { &mut one } else { block };
    for run in x.runs(block.len(), false) {
        if let (Some(weights), Some(x)) = (weights.get_mut(run.start..), x.floats(run, block)) {
            matrix::subtract_all(weights, stride, -1.0, delta, x);
        }
    }
    biases.iter_mut().zip(delta).for_each(|(sum, &delta)| *sum += delta);
}

/// As [`apply`](super::apply), rows as long as `x`, with scratch for a block of inputs, which go one by one where the block is
/// empty.
#[inline]
pub fn apply_dequantized<O: Optimizer<f32>>(
    x: Dequantized<'_>,
    block: &mut [f32],
    delta: &[f32],
    weights: &mut [f32],
    biases: &mut [f32],
    (state_weights, state_biases): (&mut [O::State], &mut [O::State]),
    optimizer: &O,
) {
    let (stride, mut one) = (x.values.len(), [0.0]);
    let block = if block.is_empty() { &mut one } else { block };
    for run in x.runs(block.len(), !O::RESTS_AT_ZERO) {
        // A rule without a state of each parameter is also called with none.
        let state = state_weights.get_mut(run.start..).unwrap_or_default();
        if let (Some(weights), Some(x)) = (weights.get_mut(run.start..), x.floats(run, block)) {
            optimizer.update_columns(weights, state, delta, x, stride);
        }
    }
    optimizer.update_biases(biases, state_biases, delta);
}
