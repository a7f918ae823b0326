//! Activations, element by element.

use super::{Delta, Layer, Pass};
use crate::graph::Activation;
use crate::train::kernels::vectorized;
use crate::train::real::Real;

/// `y = f(x)`, `δx = f'(x) δy`, where `f'` follows from `x` and `y`.
pub(crate) struct Elementwise {
    pub(crate) function: Function,
    pub(crate) len: usize,
}

/// Functions of one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Function {
    /// An activation.
    Activation(Activation),
    /// `x min(max(x + 3, 0), 6) / 6`
    HardSwish,
}

/// `y[i] = $f(x[i])`, vectorised.
macro_rules! map {
    ($x:expr, $y:expr, |$element:ident| $f:expr) => {{
        let (x, y) = ($x, $y.as_flattened_mut());
        vectorized!({
            for (y, &$element) in y.iter_mut().zip(x) {
                *y = $f;
            }
        })
    }};
}

/// `δx[i] = $slope(x[i], y[i]) δy[i]`, vectorised.
macro_rules! slope {
    ($x:expr, $y:expr, $dy:expr, $dx:expr, |$element:ident, $result:ident| $slope:expr) => {
        vectorized!({
            $dx.put(
                #[inline(always)]
                |i| {
                    let (x, y, dy) = (&$x[i], &$y[i], &$dy[i]);
                    move |n: usize| {
                        let ($element, $result) = (x[n], y[n]);
                        dy[n] * $slope
                    }
                },
            )
        })
    };
}

impl<F: Real, const N: usize> Layer<F, N> for Elementwise {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        let x = pass.x()[..self.len].as_flattened();
        let six = F::from_f32(6.0);
        let activation = match self.function {
            Function::Activation(activation) => activation,
            Function::HardSwish => {
                let (three, sixth) = (F::from_f32(3.0), F::from_f64(1.0 / 6.0));
                return map!(x, y, |x| {
                    let gate = x + three;
                    let gate = if gate < F::ZERO { F::ZERO } else { gate };
                    let gate = if gate > six { six } else { gate };
                    x * (gate * sixth)
                });
            }
        };
        match activation {
            Activation::Linear => y.as_flattened_mut().copy_from_slice(x),
            Activation::Relu => map!(x, y, |x| if x < F::ZERO { F::ZERO } else { x }),
            Activation::Relu6 => map!(x, y, |x| {
                let x = if x < F::ZERO { F::ZERO } else { x };
                if x > six { six } else { x }
            }),
            Activation::LeakyRelu { alpha } => {
                let alpha = F::from_f32(alpha);
                map!(x, y, |x| if x < F::ZERO { alpha * x } else { x });
            }
            Activation::Sigmoid => map!(x, y, |x| F::ONE / (F::ONE + (-x).exp())),
            Activation::Tanh => map!(x, y, |x| x.tanh()),
            Activation::Elu { alpha } => {
                let alpha = F::from_f32(alpha);
                map!(x, y, |x| if x < F::ZERO { alpha * (x.exp() - F::ONE) } else { x });
            }
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
        let dx = dx.limited(self.len);
        let (zero, one, six) = (F::ZERO, F::ONE, F::from_f32(6.0));
        let activation = match self.function {
            Function::Activation(activation) => activation,
            Function::HardSwish => {
                let (three, third, half) = (F::from_f32(3.0), F::from_f64(1.0 / 3.0), F::from_f64(0.5));
                return slope!(x, y, dy, dx, |x, _y| {
                    let inner = x * third + half;
                    let slope = if x < three { inner } else { one };
                    if x > -three { slope } else { zero }
                });
            }
        };
        match activation {
            Activation::Linear => slope!(x, y, dy, dx, |_x, _y| one),
            Activation::Relu => slope!(x, y, dy, dx, |_x, y| if y > zero { one } else { zero }),
            Activation::Relu6 => {
                slope!(x, y, dy, dx, |_x, y| if y > zero && y < six { one } else { zero });
            }
            Activation::LeakyRelu { alpha } => {
                let alpha = F::from_f32(alpha);
                slope!(x, y, dy, dx, |x, _y| if x < zero { alpha } else { one });
            }
            Activation::Sigmoid => slope!(x, y, dy, dx, |_x, y| y * (one - y)),
            Activation::Tanh => slope!(x, y, dy, dx, |_x, y| one - y * y),
            Activation::Elu { alpha } => {
                let alpha = F::from_f32(alpha);
                slope!(x, y, dy, dx, |x, y| if x < zero { y + alpha } else { one });
            }
        }
    }
}

/// The backward pass of a fused activation: `δy` becomes zero where the range `low..high` limited `y`.
pub(crate) fn mask_clamped<F: Real, const N: usize>(y: &[[F; N]], dy: &mut [[F; N]], (low, high): (F, F)) {
    vectorized!({
        for (dy, &y) in dy.as_flattened_mut().iter_mut().zip(y.as_flattened()) {
            *dy = if y > low && y < high { *dy } else { F::ZERO };
        }
    });
}
