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
    quantization: Quantization,
    values: &'a [i8],
}

impl<'a> Dequantized<'a> {
    /// These numbers, at this scale.
    pub const fn new(quantization: Quantization, values: &'a [i8]) -> Self {
        Self { quantization, values }
    }

    /// The floats from an index on, as many as `block` holds; `None` at the end.
    #[inline(never)]
    pub(crate) fn floats(self, first: usize, block: &mut [f32]) -> Option<&[f32]> {
        let values = self.values.get(first..)?;
        let block = block.get_mut(..values.len().min(block.len())).filter(|block| !block.is_empty())?;
        dequantize(self.quantization, values, block);
        Some(block)
    }
}

impl Dense<'_, f32> {
    /// As [`forward`](Self::forward), with scratch for a block of inputs, of one element or more.
    #[inline(never)]
    pub fn forward_dequantized(&self, x: Dequantized<'_>, block: &mut [f32], y: &mut [f32]) {
        y.iter_mut().zip(self.channels).for_each(|(y, &bias)| *y = bias);
        let mut first = 0;
        while let (Some(x), Some(weights)) = (x.floats(first, block), self.weights.get(first..)) {
            first += x.len();
            let output = if first == self.inputs { self.output } else { Clamp::<f32>::LINEAR };
            matrix::add_columns(weights, self.inputs, &output, x, y);
        }
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
    let (mut first, stride) = (0, x.values.len());
    while let (Some(x), Some(weights)) = (x.floats(first, block), weights.get_mut(first..)) {
        first += x.len();
        matrix::subtract_outer(weights, stride, -1.0, delta, x);
    }
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
    let (mut first, stride) = (0, x.values.len());
    while let (Some(x), Some(weights), Some(state)) =
        (x.floats(first, block), weights.get_mut(first..), state_weights.get_mut(first..))
    {
        first += x.len();
        optimizer.update_columns(weights, state, delta, x, stride);
    }
    optimizer.update_biases(biases, state_biases, delta);
}
