//! Dense layers with dynamic exponents.

use super::{Block, Exponents, Magnitude, add_biases, column_sums, narrow, normalise, row_sums};
use crate::Clamp;
use crate::layers::matrix::is_product;

/// `y = activation(W x + b)` with `W` as rows of `inputs` weights, one row an output.
#[derive(Debug, Clone, Copy)]
pub struct Dense<'a> {
    inputs: usize,
    weights: &'a [i16],
    biases: &'a [i32],
    exponents: Exponents,
    output: Clamp<i16>,
}

impl<'a> Dense<'a> {
    /// A layer of `inputs` inputs and as many outputs as `biases`. The range is that of the fused activation in Q7.8; ends at the end of
    /// the `i16` are none.
    ///
    /// # Panics
    /// If `weights` has not inputs times outputs entries; in a `const` or `static` that is a compile error.
    pub const fn new(
        inputs: usize,
        weights: &'a [i16],
        biases: &'a [i32],
        exponents: Exponents,
        output: Clamp<i16>,
    ) -> Self {
        assert!(inputs > 0, "a dense layer has inputs");
        assert!(
            is_product(weights.len(), inputs, biases.len()),
            "a dense layer has inputs x outputs weights"
        );
        Self { inputs, weights, biases, exponents, output }
    }

    /// `y = activation(W x + b)`, by a `scratch` as long as `x` and `sums` as long as `y`; returns the exponent of `y`.
    #[inline]
    pub fn forward(&self, x: Block<'_>, scratch: &mut [i16], sums: &mut [i32], y: &mut [i16]) -> i16 {
        rows(self, x, scratch, sums, y)
    }

    /// `δx = Wᵀ δ`, by a `scratch` as long as `δ` and `sums` as long as `δx`; returns the exponent of `δx`.
    #[inline]
    pub fn backward_input(
        &self,
        delta: Block<'_>,
        scratch: &mut [i16],
        sums: &mut [i32],
        delta_x: &mut [i16],
    ) -> i16 {
        columns(self, delta, scratch, sums, delta_x)
    }
}

#[inline(never)]
fn rows(layer: &Dense<'_>, x: Block<'_>, scratch: &mut [i16], sums: &mut [i32], y: &mut [i16]) -> i16 {
    let Dense { inputs, weights, biases, exponents, output } = layer;
    let (Some(scratch), Some(sums)) = (scratch.get_mut(..*inputs), sums.get_mut(..biases.len())) else {
        return 0;
    };
    let magnitude = Magnitude::of(x.mantissas);
    let drop = magnitude.excess(*inputs);
    narrow(x.mantissas, drop, scratch);
    row_sums(weights, scratch, sums);
    let biases_exponent = i32::from(exponents.biases);
    let exponent = match magnitude.sum {
        // Nothing but biases, in their own units.
        0 => biases_exponent,
        _ => x.exponent() + drop as i32 + i32::from(exponents.weights),
    };
    let exponent = add_biases(sums, exponent, biases, biases_exponent);
    normalise(sums, exponent, output, y)
}

#[inline(never)]
fn columns(
    layer: &Dense<'_>,
    delta: Block<'_>,
    scratch: &mut [i16],
    sums: &mut [i32],
    delta_x: &mut [i16],
) -> i16 {
    let Dense { inputs, weights, biases, exponents, .. } = layer;
    let (Some(scratch), Some(sums)) = (scratch.get_mut(..biases.len()), sums.get_mut(..*inputs)) else {
        return 0;
    };
    let drop = Magnitude::of(delta.mantissas).excess(biases.len());
    narrow(delta.mantissas, drop, scratch);
    column_sums(*inputs, weights, scratch, sums);
    let exponent = delta.exponent() + drop as i32 + i32::from(exponents.weights);
    normalise(sums, exponent, &Clamp::<i16>::LINEAR, delta_x)
}
