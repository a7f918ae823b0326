//! Dense, the fully connected layer: `y = activation(W x + b)`.

mod dequantized;

use super::matrix::is_product;
use crate::{Arithmetic, Optimizer, Trainable};
pub use dequantized::{Dequantized, accumulate_dequantized, apply_dequantized};

/// `y = activation(W x + b)` with `W` as rows of `inputs` weights, one row an output.
///
/// It borrows its parameters: from flash where it is frozen, from RAM where it learns.
///
/// ```
/// use milligrad::{Clamp, layers::Dense};
/// static LAYER: Dense<f32> = Dense::new(2, &[1.0, 2.0, 3.0, 4.0], &[0.5, -20.0], Clamp::<f32>::RELU);
/// let mut y = [0.0; 2];
/// LAYER.forward(&[1.0, 1.0], &mut y);
/// assert_eq!(y, [3.5, 0.0]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Dense<'a, A: Arithmetic> {
    inputs: usize,
    weights: &'a [A::Weight],
    channels: &'a [A::Channel],
    output: A::Output,
}

impl<'a, A: Arithmetic> Dense<'a, A> {
    /// A layer of `inputs` inputs and as many outputs as `channels` has entries (biases, for floats).
    ///
    /// # Panics
    /// If `weights` has not inputs times outputs entries; in a `const` or `static` that is a compile error:
    ///
    /// ```compile_fail,E0080
    /// use milligrad::{Clamp, layers::Dense};
    /// // 2 inputs and 2 outputs make 4 weights.
    /// static LAYER: Dense<f32> = Dense::new(2, &[1.0, 2.0, 3.0], &[0.5, -20.0], Clamp::<f32>::RELU);
    /// ```
    pub const fn new(
        inputs: usize,
        weights: &'a [A::Weight],
        channels: &'a [A::Channel],
        output: A::Output,
    ) -> Self {
        assert!(inputs > 0, "a dense layer has inputs");
        assert!(
            is_product(weights.len(), inputs, channels.len()),
            "a dense layer has inputs x outputs weights"
        );
        Self { inputs, weights, channels, output }
    }

    /// `y = activation(W x + b)` for `x` of `inputs` and `y` of `outputs` elements.
    #[inline]
    pub fn forward(&self, x: &[A::Element], y: &mut [A::Element]) {
        A::dense_rows(self.weights, self.channels, &self.output, x, y);
    }
}

impl<A: Trainable> Dense<'_, A> {
    /// Turns `δ` of the outputs into `δ` of the sums, in place: zero where the fused activation limited `y`.
    #[inline]
    pub fn backward_activation(&self, y: &[A::Element], delta: &mut [A::Element]) {
        A::backward_clamp(&self.output, y, delta);
    }

    /// `δx = Wᵀ δ`
    #[inline]
    pub fn backward_input(&self, delta: &[A::Element], delta_x: &mut [A::Element]) {
        A::columns(self.inputs, self.weights, delta, delta_x);
    }
}

/// Adds the gradients of one sample, `δ xᵀ` and `δ`, to `weights` and `biases`: for batches. A single
/// sample needs no gradient, see [`apply`].
#[inline]
pub fn accumulate<A: Trainable>(
    x: &[A::Element],
    delta: &[A::Element],
    weights: &mut [A::Gradient],
    biases: &mut [A::Gradient],
) {
    A::outer(x, delta, weights);
    biases.iter_mut().zip(delta).for_each(|(sum, &delta)| *sum = A::accumulate_bias(*sum, delta));
}

/// One optimizer step on a single sample, in place: `W` by the gradient `δ xᵀ` and `b` by `δ`. The
/// gradient is never stored. `state_*` hold what the optimizer remembers of each parameter.
#[inline]
pub fn apply<A: Trainable, O: Optimizer<A>>(
    x: &[A::Element],
    delta: &[A::Element],
    weights: &mut [A::Weight],
    biases: &mut [A::Channel],
    (state_weights, state_biases): (&mut [O::State], &mut [O::State]),
    optimizer: &O,
) {
    optimizer.update_rows(weights, state_weights, delta, x);
    optimizer.update_biases(biases, state_biases, delta);
}
