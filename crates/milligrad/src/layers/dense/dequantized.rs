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

    /// The first numbers, so many at most.
    const fn up_to(self, len: usize) -> Self {
        match self.values.split_at_checked(len) {
            Some((values, _)) => Self { values, ..self },
            None => self,
        }
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
    /// As [`forward`](Self::forward) for `x` of `inputs` and `y` of `outputs` elements, with scratch for a block of inputs, which
    /// go one by one where the block is empty. Of a longer `x` the rest is left out, of a shorter one what is missing is 0.
    #[inline(never)]
    pub fn forward_dequantized(&self, x: Dequantized<'_>, block: &mut [f32], y: &mut [f32]) {
        let (x, mut one) = (x.up_to(self.inputs), [0.0]);
        let block = if block.is_empty() { &mut one } else { block };
        y.iter_mut().zip(self.channels).for_each(|(y, &bias)| *y = bias);
        if x.values.is_empty() {
            matrix::limit(&self.output, y);
        }
        let mut first = 0;
        while let (Some(floats), Some(weights)) = (x.floats(first, block), self.weights.get(first..)) {
            first += floats.len();
            let output = if first == x.values.len() { self.output } else { Clamp::<f32>::LINEAR };
            matrix::add_columns(weights, self.inputs, &output, floats, y);
        }
    }
}

/// As [`accumulate`](super::accumulate), rows as long as `x`, with scratch for a block of inputs, which go one by one where the block
/// is empty.
#[inline(never)]
pub fn accumulate_dequantized(
    x: Dequantized<'_>,
    block: &mut [f32],
    delta: &[f32],
    weights: &mut [f32],
    biases: &mut [f32],
) {
    let (mut first, stride, mut one) = (0, x.values.len(), [0.0]);
    let block = if block.is_empty() { &mut one } else { block };
    while let (Some(x), Some(weights)) = (x.floats(first, block), weights.get_mut(first..)) {
        first += x.len();
        matrix::subtract_outer(weights, stride, -1.0, delta, x);
    }
    biases.iter_mut().zip(delta).for_each(|(sum, &delta)| *sum += delta);
}

/// As [`apply`](super::apply), rows as long as `x`, with scratch for a block of inputs, which go one by one where the block is empty.
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
    let (mut first, stride, mut one) = (0, x.values.len(), [0.0]);
    let block = if block.is_empty() { &mut one } else { block };
    while let (Some(x), Some(weights)) = (x.floats(first, block), weights.get_mut(first..)) {
        // A rule without a state of each parameter is also called with none.
        let state = state_weights.get_mut(first..).unwrap_or_default();
        first += x.len();
        optimizer.update_columns(weights, state, delta, x, stride);
    }
    optimizer.update_biases(biases, state_biases, delta);
}
