//! FakeQuantize: what int8 makes of activations, in floats.

use super::{Delta, Layer, Pass};
use crate::train::kernels::vectorized;
use crate::train::real::Real;
use milligrad::Quantization;

/// `y = scale clamp(round(x / scale), -128 - zero_point, 127 - zero_point)`; `δx = δy` where nothing was cut off, else 0:
/// the straight-through estimate (Jacob et al., arXiv 1712.05877).
pub(crate) struct FakeQuantize<F> {
    len: usize,
    scale: F,
    /// `1 / scale`
    inverse: F,
    /// Smallest and largest whole number of scales.
    limits: (F, F),
}

impl<F: Real> FakeQuantize<F> {
    pub(crate) fn new(len: usize, quantization: Quantization) -> Self {
        let zero = f32::from(quantization.zero_point);
        Self {
            len,
            scale: F::from_f32(quantization.scale),
            inverse: F::ONE / F::from_f32(quantization.scale),
            limits: (F::from_f32(-128.0 - zero), F::from_f32(127.0 - zero)),
        }
    }
}

impl<F: Real, const N: usize> Layer<F, N> for FakeQuantize<F> {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        let (low, high) = self.limits;
        let x = pass.x()[..self.len].as_flattened();
        vectorized!({
            for (y, &x) in y.as_flattened_mut().iter_mut().zip(x) {
                let steps = (x * self.inverse).round();
                let steps = if steps < low { low } else { steps };
                *y = if steps > high { high } else { steps } * self.scale;
            }
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
        let half = F::from_f32(0.5);
        let (low, high) = ((self.limits.0 - half) * self.scale, (self.limits.1 + half) * self.scale);
        let x = pass.x();
        vectorized!({
            dx.limited(self.len).put(
                #[inline(always)]
                |i| {
                    let (x, dy) = (&x[i], &dy[i]);
                    move |n: usize| if x[n] >= low && x[n] <= high { dy[n] } else { F::ZERO }
                },
            )
        });
    }
}
