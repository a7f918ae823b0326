//! Dense in floats on int8 inputs: floats are made of them block by block, so that all of them are never in RAM.
//!
//! The bits are those of [`dequantize`] followed by [`Dense`]: between two blocks the sums wait in `y`, from the bias on and
//! in the order of the weights.

use super::Dense;
use crate::layers::{dequantize, matrix};
use crate::{Clamp, Optimizer, Quantization};

/// int8 numbers and what they stand for, `scale (q - zero_point)`.
#[derive(Debug, Clone, Copy)]
pub struct Dequantized<'a> {
    pub(crate) quantization: Quantization,
    pub(crate) values: &'a [i8],
}

impl<'a> Dequantized<'a> {
    /// These numbers, at this scale.
    pub const fn new(quantization: Quantization, values: &'a [i8]) -> Self {
        Self { quantization, values }
    }

    /// Makes floats of as many numbers as `block` holds, shows them with the index of the first, and goes on with the next.
    #[inline(always)]
    fn each_block(self, block: &mut [f32], mut see: impl FnMut(usize, &[f32])) {
        let len = block.len().max(1);
        for (index, values) in self.values.chunks(len).enumerate() {
            if let Some(block) = block.get_mut(..values.len()) {
                dequantize(self.quantization, values, block);
                see(index * len, block);
            }
        }
    }
}

impl Dense<'_, f32> {
    /// As [`forward`](Self::forward), with scratch for a block of inputs, of one element or more.
    #[inline(never)]
    pub fn forward_dequantized(&self, x: Dequantized<'_>, block: &mut [f32], y: &mut [f32]) {
        y.iter_mut().zip(self.channels).for_each(|(y, &bias)| *y = bias);
        x.each_block(block, |first, block| {
            let is_last = first + block.len() == self.inputs;
            let output = if is_last { self.output } else { Clamp::<f32>::LINEAR };
            let weights = self.weights.get(first..).unwrap_or_default();
            matrix::add_columns(weights, self.inputs, &output, block, y);
        });
    }
}

/// As [`accumulate`](super::accumulate), with scratch for a block of inputs.
#[inline(never)]
pub fn accumulate_dequantized(
    x: Dequantized<'_>,
    block: &mut [f32],
    delta: &[f32],
    weights: &mut [f32],
    biases: &mut [f32],
) {
    x.each_block(block, |first, block| {
        let weights = weights.get_mut(first..).unwrap_or_default();
        matrix::subtract_outer(weights, x.values.len(), -1.0, delta, block);
    });
    biases.iter_mut().zip(delta).for_each(|(sum, &delta)| *sum += delta);
}

/// As [`apply`](super::apply), with scratch for a block of inputs.
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
    x.each_block(block, |first, block| {
        let weights = weights.get_mut(first..).unwrap_or_default();
        let state = state_weights.get_mut(first..).unwrap_or_default();
        optimizer.update_columns(weights, state, delta, block, x.values.len());
    });
    optimizer.update_biases(biases, state_biases, delta);
}
