//! Dense: `y = activation(W x + b)`.

use super::{Delta, Gradient, Layer, Pass, WeightsAndBias, bias_gradient, row_len};
use crate::train::kernels::{Adam, Patches, Remembered};
use crate::train::real::Real;
use rayon::prelude::*;

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

    /// A step of Adam for the weights, with the gradient of these blocks: the inputs sample by sample, and `δy`.
    ///
    /// Threads share the outputs; each weight's gradient is summed in the order of the samples.
    pub(crate) fn update<const N: usize>(
        &self,
        blocks: &[(&[F], &[[F; N]])],
        adam: Adam<F>,
        weights: Remembered<'_, F>,
    ) {
        /// Multiplications that are worth a thread.
        const SHARE: usize = 1 << 22;
        /// Whole strips of the kernels.
        const STRIP: usize = 12;
        let Remembered { w, m, v } = weights;
        let shares = (w.len() * blocks.len() * N / SHARE).clamp(1, rayon::current_num_threads());
        let outputs = self.place.bias.len().div_ceil(shares).next_multiple_of(STRIP);
        let length = outputs * self.inputs;
        let step = |(i, ((w, m), v))| {
            F::outer_adam(blocks, (self.inputs, i * outputs), adam, Remembered { w, m, v });
        };
        if shares == 1 {
            return step((0, ((w, m), v)));
        }
        let parts = w.par_chunks_mut(length).zip(m.par_chunks_mut(length)).zip(v.par_chunks_mut(length));
        parts.enumerate().for_each(step);
    }
}
