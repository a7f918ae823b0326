//! Softmax over all elements of a sample.

use super::{Delta, Layer, Pass};
use crate::train::real::Real;

/// `y[i] = e^x[i] / Σ[j] e^x[j]`, `δx[i] = y[i] (δy[i] - Σ[j] y[j] δy[j])`.
///
/// A cross entropy takes the scores before a final softmax instead; then this layer does not take part in training.
pub(crate) struct Softmax {
    pub(crate) len: usize,
}

impl<F: Real, const N: usize> Layer<F, N> for Softmax {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        softmax(&pass.x()[..self.len], y);
    }

    fn backward_input(
        &self,
        _pass: Pass<'_, F, N>,
        y: &[[F; N]],
        dy: &[[F; N]],
        _input: usize,
        dx: Delta<'_, F, N>,
    ) {
        let mut dot = [F::ZERO; N];
        for (y, dy) in y[..self.len].iter().zip(dy) {
            (0..N).for_each(|n| dot[n] += y[n] * dy[n]);
        }
        dx.limited(self.len).put(|i| std::array::from_fn(|n| y[i][n] * (dy[i][n] - dot[n])));
    }
}

/// `y = softmax(x)`; returns `ln Σ e^x[j]` of each sample.
pub(crate) fn softmax<F: Real, const N: usize>(x: &[[F; N]], y: &mut [[F; N]]) -> [F; N] {
    let mut largest = x[0];
    for x in x {
        (0..N).for_each(|n| largest[n] = if x[n] > largest[n] { x[n] } else { largest[n] });
    }
    let mut sum = [F::ZERO; N];
    for (x, y) in x.iter().zip(y.iter_mut()) {
        for n in 0..N {
            y[n] = (x[n] - largest[n]).exp();
            sum[n] += y[n];
        }
    }
    for y in y.iter_mut().take(x.len()) {
        (0..N).for_each(|n| y[n] = y[n] / sum[n]);
    }
    std::array::from_fn(|n| sum[n].ln() + largest[n])
}
