//! Dense: `y = activation(W x + b)`.

use super::{Delta, Gradient, Layer, Pass, WeightsAndBias, bias_gradient, row_len};
use crate::train::kernels::{Adam, Patches, Remembered};
use crate::train::real::Real;

/// `y[o] = clamp(Σ[i] W[o, i] x[i] + b[o])`; the weights `W` are `[outputs, inputs]`.
///
/// `dW = δy xᵀ`, `db = δy`, `δx = Wᵀ δy`, summed over the samples.
pub(crate) struct Dense<F> {
    pub(crate) inputs: usize,
    pub(crate) place: WeightsAndBias,
    pub(crate) clamp: (F, F),
}

impl<F: Real, const N: usize> Layer<F, N> for Dense<F> {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        let (weights, bias) =
            (&pass.parameters[self.place.weights.clone()], &pass.parameters[self.place.bias.clone()]);
        F::correlate(Patches::dense(self.inputs), weights, bias, pass.x(), y, self.clamp);
    }

    fn backward_parameters(
        &self,
        pass: Pass<'_, F, N>,
        dy: &[[F; N]],
        gradient: Gradient<'_, F>,
        scratch: &mut [F],
    ) {
        if gradient.wanted[0] {
            let rows = self.rows(pass.x(), pass.rows, scratch);
            let dw = &mut gradient.values[self.place.weights.clone()];
            F::outer(rows, self.inputs, dy, dw, gradient.accumulate[0]);
        }
        if gradient.wanted[1] {
            bias_gradient(dy, &mut gradient.values[self.place.bias.clone()], gradient.accumulate[1]);
        }
    }

    fn backward_input(
        &self,
        pass: Pass<'_, F, N>,
        _y: &[[F; N]],
        dy: &[[F; N]],
        _input: usize,
        dx: Delta<'_, F, N>,
    ) {
        let weights = &pass.parameters[self.place.weights.clone()];
        F::correlate_input(Patches::dense(self.inputs), weights, dy, dx.sum());
    }

    fn scratch_len(&self) -> usize {
        row_len(self.inputs) * N
    }

    fn dense(&self) -> Option<&Dense<F>> {
        Some(self)
    }

    fn multiplications(&self) -> usize {
        self.place.weights.len()
    }
}

impl<F: Real> Dense<F> {
    /// The inputs sample by sample.
    pub(crate) fn rows<'a, const N: usize>(
        &self,
        x: &[[F; N]],
        rows: Option<&'a [F]>,
        scratch: &'a mut [F],
    ) -> &'a [F] {
        rows.unwrap_or_else(|| {
            let length = row_len(self.inputs);
            if length > self.inputs {
                scratch.chunks_exact_mut(length).for_each(|row| row[self.inputs..].fill(F::ZERO));
            }
            F::transpose((x[..self.inputs].as_flattened(), N), N, (scratch, length));
            scratch
        })
    }

    /// The layer's weights in as many shares as are worth a thread, for a step of Adam with the gradient of these blocks: the
    /// inputs sample by sample, and `δy`.
    pub(crate) fn shares<'a, const N: usize>(
        &self,
        blocks: &'a [Factors<'a, F, N>],
        weights: Remembered<'a, F>,
    ) -> impl Iterator<Item = Share<'a, F, N>> {
        /// Multiplications that are worth a thread.
        const WORTH: usize = 1 << 22;
        /// Outputs that the kernels take in at once without loss.
        const STRIP: usize = 4;
        // More of them than threads, as some threads are slower than others.
        let threads = rayon::current_num_threads();
        let most = if threads == 1 { 1 } else { 4 * threads };
        let worth = (weights.w.len() * blocks.len() * N / WORTH).clamp(1, most);
        let shares = 1 << worth.ilog2();
        let (inputs, outputs) = (self.inputs, self.place.bias.len());
        let height = outputs.div_ceil(shares).next_multiple_of(STRIP);
        let mut left = Some(weights);
        (0..outputs).step_by(height).filter_map(move |first| {
            let (weights, others) = left.take()?.split_at(height.min(outputs - first) * inputs);
            left = Some(others);
            Some(Share { blocks, place: (inputs, first), weights })
        })
    }
}

/// What a block's gradient of a dense layer is the product of: the inputs sample by sample, and `δy`.
pub(crate) type Factors<'a, F, const N: usize> = (&'a [F], &'a [[F; N]]);

/// The weights of some outputs, and what their gradient is made of.
pub(crate) struct Share<'a, F, const N: usize> {
    blocks: &'a [Factors<'a, F, N>],
    /// The layer's inputs, and the first output.
    place: (usize, usize),
    weights: Remembered<'a, F>,
}

impl<F: Real, const N: usize> Share<'_, F, N> {
    pub(crate) fn update(self, adam: Adam<F>) {
        F::outer_adam(self.blocks, self.place, adam, self.weights);
    }
}
