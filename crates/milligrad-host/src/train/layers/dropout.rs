//! Dropout: a random part of the elements is zero in training.

use super::{Delta, Layer, Mode, Pass};
use crate::train::kernels::vectorized;
use crate::train::random::{key, mix};
use crate::train::real::Real;

/// In training `y[i] = x[i] / (1 - rate)`, or 0 with probability `rate`; in inference `y = x`.
///
/// Whether an element survives is a function of the step, the layer, the sample's place in the batch and the
/// element: the same for any number of threads, and computed again in the backward pass instead of remembered.
pub(crate) struct Dropout {
    pub(crate) rate: f32,
    pub(crate) len: usize,
    /// Number of the layer.
    pub(crate) layer: u64,
}

impl Dropout {
    /// Calls `put(i, factors)` for each element `i`.
    #[inline(always)]
    fn factors<F: Real, const N: usize>(&self, mode: Mode, mut put: impl FnMut(usize, [F; N])) {
        let Mode::Training { key: step, first } = mode else {
            return (0..self.len).for_each(|i| put(i, [F::ONE; N]));
        };
        let threshold = (f64::from(self.rate) * 4_294_967_296.0) as u32;
        let keep = F::from_f64(1.0 / (1.0 - f64::from(self.rate)));
        let mut seeds = [0; N];
        for (n, seed) in seeds.iter_mut().enumerate() {
            *seed = key(&[step, self.layer, (first + n) as u64]) as u32;
        }
        for i in 0..self.len {
            let mut factors = [F::ZERO; N];
            for n in 0..N {
                let random = mix(seeds[n] ^ mix(i as u32));
                factors[n] = if random >= threshold { keep } else { F::ZERO };
            }
            put(i, factors);
        }
    }
}

impl<F: Real, const N: usize> Layer<F, N> for Dropout {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        let x = pass.x();
        vectorized!({
            self.factors(pass.mode, |i, factors: [F; N]| {
                (0..N).for_each(|n| y[i][n] = x[i][n] * factors[n]);
            });
        });
    }

    fn backward_input(
        &self,
        pass: Pass<'_, F, N>,
        _y: &[[F; N]],
        dy: &[[F; N]],
        _input: usize,
        dx: Delta<'_, F, N>,
    ) {
        let dx = dx.sum();
        vectorized!({
            self.factors(pass.mode, |i, factors: [F; N]| {
                (0..N).for_each(|n| dx[i][n] += dy[i][n] * factors[n]);
            });
        });
    }
}
