//! Conv2d: 2-D convolution with any stride, dilation and padding.

use super::{Delta, Gradient, Layer, Pass, WeightsAndBias, bias_gradient};
use crate::train::kernels::Patches;
use crate::train::real::Real;
use milligrad::Window2d;

/// `y[p, o] = clamp(Σ[t, c] W[o, t, c] x[pixel(p, t), c] + b[o])`; the weights `W` are OHWI, which is `[outputs, taps,
/// channels]`.
///
/// `dW[o, t, c] = Σ[p] δy[p, o] x[pixel(p, t), c]`, `db[o] = Σ[p] δy[p, o]`,
/// `δx[q, c] = Σ W[o, t, c] δy[p, o]` over all `p`, `t` whose pixel is `q`.
pub(crate) struct Conv2d<F> {
    pixels: Vec<u32>,
    window: Window2d,
    place: WeightsAndBias,
    clamp: (F, F),
}

impl<F: Real> Conv2d<F> {
    pub(crate) fn new(window: Window2d, place: WeightsAndBias, clamp: (F, F)) -> Self {
        Self { pixels: pixels(&window), window, place, clamp }
    }

    fn patches(&self) -> Patches<'_> {
        Patches { pixels: &self.pixels, taps: self.window.taps(), channels: self.window.input()[2] }
    }
}

/// For each position and tap the pixel that it sees; the pixel behind the last for padding.
pub(crate) fn pixels(window: &Window2d) -> Vec<u32> {
    let [height, width, channels] = window.input();
    let count = (height * width) as u32;
    // Every channel of a pixel carries the pixel's number.
    let image: Vec<u32> = (0..count).flat_map(|pixel| std::iter::repeat_n(pixel, channels)).collect();
    let mut patch = vec![0; window.patch_len()];
    let mut pixels = Vec::with_capacity(window.positions() * window.taps());
    for at in window.each_position() {
        window.gather(&image, at, count, &mut patch);
        pixels.extend(patch.iter().step_by(channels));
    }
    pixels
}

impl<F: Real, const N: usize> Layer<F, N> for Conv2d<F> {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        let (weights, bias) =
            (&pass.parameters[self.place.weights.clone()], &pass.parameters[self.place.bias.clone()]);
        F::correlate(self.patches(), weights, bias, pass.x(), y, self.clamp);
    }

    fn backward_parameters(
        &self,
        pass: Pass<'_, F, N>,
        dy: &[[F; N]],
        gradient: Gradient<'_, F>,
        _scratch: &mut [F],
    ) {
        let positions = self.window.positions() * self.place.bias.len();
        if gradient.wanted[0] {
            let dw = &mut gradient.values[self.place.weights.clone()];
            F::correlate_weights(self.patches(), pass.x(), dy, dw, gradient.accumulate[0]);
        }
        if gradient.wanted[1] {
            let db = &mut gradient.values[self.place.bias.clone()];
            bias_gradient(&dy[..positions], db, gradient.accumulate[1]);
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
        F::correlate_input(self.patches(), weights, dy, dx.sum());
    }

    fn multiplications(&self) -> usize {
        self.window.positions() * self.place.weights.len()
    }
}
