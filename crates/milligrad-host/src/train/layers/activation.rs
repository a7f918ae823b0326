//! Activations, element by element.

use super::{Delta, Layer, Pass};
use crate::graph::Activation;
use crate::train::kernels::vectorized;
use crate::train::real::Real;

/// `y = f(x)`, `δx = f'(x) δy`, where `f'` follows from `x` and `y`.
pub(crate) struct Elementwise {
    pub(crate) activation: Activation,
    pub(crate) len: usize,
}

impl<F: Real, const N: usize> Layer<F, N> for Elementwise {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        let (x, y) = (pass.x()[..self.len].as_flattened(), y.as_flattened_mut());
        let map = |f: &dyn Fn(F) -> F, y: &mut [F]| {
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = f(x));
        };
        let six = F::from_f32(6.0);
        match self.activation {
            Activation::Linear => y[..x.len()].copy_from_slice(x),
            Activation::Relu => vectorized!({
                y.iter_mut().zip(x).for_each(|(y, &x)| *y = if x < F::ZERO { F::ZERO } else { x });
            }),
            Activation::Relu6 => vectorized!({
                for (y, &x) in y.iter_mut().zip(x) {
                    let x = if x < F::ZERO { F::ZERO } else { x };
                    *y = if x > six { six } else { x };
                }
            }),
            Activation::LeakyRelu { alpha } => vectorized!({
                let alpha = F::from_f32(alpha);
                y.iter_mut().zip(x).for_each(|(y, &x)| *y = if x < F::ZERO { alpha * x } else { x });
            }),
            Activation::Sigmoid => map(&|x| F::ONE / (F::ONE + (-x).exp()), y),
            Activation::Tanh => map(&F::tanh, y),
        }
    }

    fn backward_input(
        &self,
        pass: Pass<'_, F, N>,
        y: &[[F; N]],
        dy: &[[F; N]],
        _input: usize,
        dx: Delta<'_, F, N>,
    ) {
        let x = pass.x();
        let six = F::from_f32(6.0);
        let slope = |slope: &dyn Fn(F, F) -> F, dx: Delta<'_, F, N>| {
            dx.put(|i| std::array::from_fn(|n| slope(x[i][n], y[i][n]) * dy[i][n]));
        };
        let dx = Delta::new(&mut dx.values[..self.len], dx.accumulate);
        match self.activation {
            Activation::Linear => dx.put(|i| dy[i]),
            Activation::Relu => {
                vectorized!({ dx.put(|i| keep::<F, N>(&dy[i], |n| y[i][n] > F::ZERO)) });
            }
            Activation::Relu6 => {
                vectorized!({ dx.put(|i| keep::<F, N>(&dy[i], |n| y[i][n] > F::ZERO && y[i][n] < six)) });
            }
            Activation::LeakyRelu { alpha } => {
                let alpha = F::from_f32(alpha);
                slope(&|x, _| if x < F::ZERO { alpha } else { F::ONE }, dx);
            }
            Activation::Sigmoid => slope(&|_, y| y * (F::ONE - y), dx),
            Activation::Tanh => slope(&|_, y| F::ONE - y * y, dx),
        }
    }
}

/// The elements that pass a test, zero for the others.
#[inline(always)]
fn keep<F: Real, const N: usize>(dy: &[F; N], test: impl Fn(usize) -> bool) -> [F; N] {
    let mut kept = [F::ZERO; N];
    for n in 0..N {
        kept[n] = if test(n) { dy[n] } else { F::ZERO };
    }
    kept
}

/// The backward pass of a fused activation: `δy` becomes zero where the range `low..high` limited `y`.
pub(crate) fn mask_clamped<F: Real, const N: usize>(y: &[[F; N]], dy: &mut [[F; N]], (low, high): (F, F)) {
    vectorized!({
        for (dy, &y) in dy.as_flattened_mut().iter_mut().zip(y.as_flattened()) {
            *dy = if y > low && y < high { *dy } else { F::ZERO };
        }
    });
}
