//! Add: the sum of two tensors, as in residual networks.

use super::{Delta, Layer, Pass};
use crate::train::kernels::vectorized;
use crate::train::real::Real;

/// `y = clamp(a + b)`, `δa = δb = δy`.
pub(crate) struct Add<F> {
    pub(crate) len: usize,
    pub(crate) clamp: (F, F),
}

impl<F: Real, const N: usize> Layer<F, N> for Add<F> {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        let [a, b] = [0, 1].map(|i: usize| pass.inputs[i][..self.len].as_flattened());
        let (low, high) = self.clamp;
        vectorized!({
            for ((y, &a), &b) in y.as_flattened_mut().iter_mut().zip(a).zip(b) {
                let sum = a + b;
                let sum = if sum < low { low } else { sum };
                *y = if sum > high { high } else { sum };
            }
        });
    }

    fn backward_input(
        &self,
        _pass: Pass<'_, F, N>,
        _y: &[[F; N]],
        dy: &[[F; N]],
        _input: usize,
        dx: Delta<'_, F, N>,
    ) {
        let dx = dx.limited(self.len);
        vectorized!({ dx.put(|i| dy[i]) });
    }
}
