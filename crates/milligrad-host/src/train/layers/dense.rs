//! Dense: `y = activation(W x + b)`.

use super::{Delta, Gradient, Layer, Pass, WeightsAndBias, bias_gradient, row_len};
use crate::train::kernels::{Patches, vectorized};
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
            let rows = pass.rows.unwrap_or_else(|| {
                transpose(&pass.x()[..self.inputs], scratch, row_len(self.inputs));
                scratch
            });
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

    fn multiplications(&self) -> usize {
        self.place.weights.len()
    }
}

/// `rows[n, i] = x[i][n]`, and zeros where a row is longer than `x`.
fn transpose<F: Real, const N: usize>(x: &[[F; N]], rows: &mut [F], length: usize) {
    const TILE: usize = 16;
    vectorized!({
        for row in rows.chunks_exact_mut(length) {
            row[x.len()..].fill(F::ZERO);
        }
        for (tile, x) in x.chunks(TILE).enumerate() {
            for (n, row) in rows.chunks_exact_mut(length).enumerate() {
                let row = &mut row[tile * TILE..][..x.len()];
                row.iter_mut().zip(x).for_each(|(row, x)| *row = x[n]);
            }
        }
    });
}
