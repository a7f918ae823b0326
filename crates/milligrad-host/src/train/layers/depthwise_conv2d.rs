//! DepthwiseConv2d: each channel convolved with filters of its own.

use super::conv2d::pixels;
use super::{Delta, Gradient, Layer, Pass, WeightsAndBias, bias_gradient};
use crate::train::kernels::vectorized;
use crate::train::real::Real;
use milligrad::Window2d;

/// `y[p, o] = clamp(Σ[t] W[t, o] x[pixel(p, t), o / multiplier] + b[o])`; the weights `W` are HWO, which is `[taps,
/// channels * multiplier]`.
///
/// `dW[t, o] = Σ[p] δy[p, o] x[pixel(p, t), o / multiplier]`, `db[o] = Σ[p] δy[p, o]`,
/// `δx[q, c] = Σ W[t, o] δy[p, o]` over all `p`, `t` whose pixel is `q` and all `o` of channel `c`.
pub(crate) struct DepthwiseConv2d<F> {
    pixels: Vec<u32>,
    window: Window2d,
    place: WeightsAndBias,
    clamp: (F, F),
}

impl<F: Real> DepthwiseConv2d<F> {
    pub(crate) fn new(window: Window2d, place: WeightsAndBias, clamp: (F, F)) -> Self {
        Self { pixels: pixels(&window), window, place, clamp }
    }

    fn channels(&self) -> usize {
        self.window.input()[2]
    }

    fn outputs(&self) -> usize {
        self.place.bias.len()
    }
}

impl<F: Real, const N: usize> Layer<F, N> for DepthwiseConv2d<F> {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        let (weights, bias) =
            (&pass.parameters[self.place.weights.clone()], &pass.parameters[self.place.bias.clone()]);
        let (x, channels, outputs) = (pass.x(), self.channels(), self.outputs());
        let multiplier = outputs / channels;
        let (low, high) = self.clamp;
        vectorized!({
            let positions = self.pixels.chunks_exact(self.window.taps());
            for (pixels, y) in positions.zip(y.chunks_exact_mut(outputs)) {
                for (o, (y, &bias)) in y.iter_mut().zip(bias).enumerate() {
                    let mut sum = [bias; N];
                    for (&pixel, weights) in pixels.iter().zip(weights.chunks_exact(outputs)) {
                        let (x, w) = (&x[pixel as usize * channels + o / multiplier], weights[o]);
                        sum.iter_mut().zip(x).for_each(|(sum, &x)| *sum += w * x);
                    }
                    for (y, sum) in y.iter_mut().zip(sum) {
                        let sum = if sum < low { low } else { sum };
                        *y = if sum > high { high } else { sum };
                    }
                }
            }
        });
    }

    fn backward_parameters(
        &self,
        pass: Pass<'_, F, N>,
        dy: &[[F; N]],
        gradient: Gradient<'_, F>,
        _scratch: &mut [F],
    ) {
        let (x, channels, outputs, taps) = (pass.x(), self.channels(), self.outputs(), self.window.taps());
        let multiplier = outputs / channels;
        let dy = &dy[..self.window.positions() * outputs];
        if gradient.wanted[0] {
            let dw = &mut gradient.values[self.place.weights.clone()];
            let accumulate = gradient.accumulate[0];
            vectorized!({
                for (i, dw) in dw.iter_mut().enumerate() {
                    let (tap, o) = (i / outputs, i % outputs);
                    let mut sum = [F::ZERO; N];
                    for (pixels, dy) in self.pixels.chunks_exact(taps).zip(dy.chunks_exact(outputs)) {
                        let x = &x[pixels[tap] as usize * channels + o / multiplier];
                        sum.iter_mut().zip(x).zip(&dy[o]).for_each(|((sum, &x), &dy)| *sum += x * dy);
                    }
                    let sum = sum.into_iter().fold(F::ZERO, |a, b| a + b);
                    *dw = if accumulate { *dw + sum } else { sum };
                }
            });
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
        let (channels, outputs) = (self.channels(), self.outputs());
        let multiplier = outputs / channels;
        let dx = dx.sum();
        vectorized!({
            let positions = self.pixels.chunks_exact(self.window.taps());
            for (pixels, dy) in positions.zip(dy.chunks_exact(outputs)) {
                for (&pixel, weights) in pixels.iter().zip(weights.chunks_exact(outputs)) {
                    let dx = &mut dx[pixel as usize * channels..][..channels];
                    for (o, (dy, &w)) in dy.iter().zip(weights).enumerate() {
                        dx[o / multiplier].iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += w * dy);
                    }
                }
            }
        });
    }

    fn multiplications(&self) -> usize {
        self.window.positions() * self.place.weights.len()
    }
}
