//! GaussianNoise: normal noise on every element in training.

use super::{Delta, Layer, Mode, Pass};
use crate::train::kernels::vectorized;
use crate::train::random::{Pcg32, key};
use crate::train::real::Real;

/// In training `y[i] = x[i] + stddev e[i]` with `e` from the standard normal distribution; in inference `y = x`.
/// `δx = δy`.
///
/// As for dropout, the noise is a function of the step, the layer, the sample's place in the batch and the element: the
/// same for any number of threads.
pub(crate) struct GaussianNoise {
    pub(crate) stddev: f32,
    pub(crate) len: usize,
    /// Number of the layer.
    pub(crate) layer: u64,
}

impl<F: Real, const N: usize> Layer<F, N> for GaussianNoise {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        let x = &pass.x()[..self.len];
        let Mode::Training { key: step, first } = pass.mode else {
            return y.copy_from_slice(x);
        };
        y.copy_from_slice(x);
        for n in 0..N {
            let mut random = Pcg32::new(key(&[step, self.layer, (first + n) as u64]));
            y.iter_mut().for_each(|y| y[n] += F::from_f32(self.stddev * random.normal()));
        }
    }

    fn backward_input(
        &self,
        _pass: Pass<'_, F, N>,
        _y: &[[F; N]],
        dy: &[[F; N]],
        _input: usize,
        dx: Delta<'_, F, N>,
    ) {
        vectorized!({
            dx.limited(self.len).put(
                #[inline(always)]
                |i| {
                    let dy = &dy[i];
                    move |n: usize| dy[n]
                },
            )
        });
    }
}
