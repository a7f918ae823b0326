//! DepthwiseConv2d: every input channel is convolved with filters of its own.

use super::matrix::{finish, is_product};
use crate::window::Patches;
use crate::{Arithmetic, Trainable, Window2d};

/// `y[p, o] = activation(Σ patch(p)[k, o / m] W[k, o] + b[o])` over HWC images, with `m` output channels for
/// each input channel (the depth multiplier) and weights in HWO order (TensorFlow's 1HWO).
#[derive(Debug, Clone, Copy)]
pub struct DepthwiseConv2d<'a, A: Arithmetic> {
    window: Window2d,
    weights: &'a [A::Weight],
    channels: &'a [A::Channel],
    output: A::Output,
    pad: A::Element,
}

impl<'a, A: Arithmetic> DepthwiseConv2d<'a, A> {
    /// A depthwise convolution with as many outputs as `channels` has entries. `pad` is the element that
    /// stands for zero: 0.0, or the input's zero point.
    ///
    /// # Panics
    /// If the outputs are no multiple of the input channels, or `weights` has not taps times outputs
    /// entries; in a `const` or `static` that is a compile error:
    ///
    /// ```compile_fail,E0080
    /// use milligrad::{Clamp, Padding, Window2d, layers::DepthwiseConv2d};
    /// const WINDOW: Window2d = Window2d::new([8, 8, 2], [3, 3], [1, 1], [1, 1], Padding::Valid);
    /// // Three outputs are no multiple of two channels.
    /// static LAYER: DepthwiseConv2d<f32> =
    ///     DepthwiseConv2d::new(WINDOW, &[0.0; 27], &[0.0; 3], Clamp::<f32>::LINEAR, 0.0);
    /// ```
    pub const fn new(
        window: Window2d,
        weights: &'a [A::Weight],
        channels: &'a [A::Channel],
        output: A::Output,
        pad: A::Element,
    ) -> Self {
        let depth = window.input()[2];
        assert!(
            !channels.is_empty() && channels.len() % depth == 0,
            "a depthwise convolution has a whole number of outputs for each input channel"
        );
        assert!(
            is_product(weights.len(), window.taps(), channels.len()),
            "a depthwise convolution has kernel height x kernel width x output channels weights"
        );
        Self { window, weights, channels, output, pad }
    }

    fn multiplier(&self) -> usize {
        self.channels.len().checked_div(self.window.input()[2]).unwrap_or(0)
    }

    /// Convolves `x` into `y`, through a `patch` of [`Window2d::patch_len`] elements.
    #[inline(never)]
    pub fn forward(&self, x: &[A::Element], patch: &mut [A::Element], y: &mut [A::Element]) {
        let patches = Patches::new(&self.window);
        let mut pixels = y.chunks_exact_mut(self.channels.len().max(1));
        for row in patches.rows() {
            for (column, y) in row.columns().zip(&mut pixels) {
                row.gather::<A>(x, column, self.pad, patch);
                // Without a multiplier four channels at a time share the walk over the taps.
                let (blocks, rest) =
                    if self.multiplier() == 1 { y.as_chunks_mut::<4>() } else { (Default::default(), y) };
                let mut output = 0;
                for (y, channels) in blocks.iter_mut().zip(self.channels.as_chunks::<4>().0) {
                    let sums = self.sums(channels.each_ref().map(A::start), patch, output);
                    finish::<A, 4>(&self.output, channels, sums, y);
                    output += 4;
                }
                for (y, channel) in rest.iter_mut().zip(self.channels.get(output..).unwrap_or_default()) {
                    let [sum] = self.sums([A::start(channel)], patch, output);
                    *y = A::finish(&self.output, channel, sum);
                    output += 1;
                }
            }
        }
    }

    /// Adds what `N` outputs from `output` on see of a patch to their sums, tap by tap.
    #[inline(never)]
    fn sums<const N: usize>(
        &self,
        mut sums: [A::Accumulator; N],
        patch: &[A::Element],
        output: usize,
    ) -> [A::Accumulator; N] {
        let input = output / self.multiplier().max(1);
        let taps = patch.chunks_exact(self.window.input()[2].max(1));
        for (x, weights) in taps.zip(self.weights.chunks_exact(self.channels.len().max(1))) {
            let x = x.get(input..).and_then(|x| x.first_chunk::<N>());
            let weights = weights.get(output..).and_then(|weights| weights.first_chunk::<N>());
            if let (Some(x), Some(weights)) = (x, weights) {
                for ((sum, &x), &w) in sums.iter_mut().zip(x).zip(weights) {
                    *sum = A::multiply_add(*sum, x, w);
                }
            }
        }
        sums
    }
}

impl<A: Trainable> DepthwiseConv2d<'_, A> {
    /// Turns `δ` of the outputs into `δ` of the sums, in place: zero where the fused activation limited `y`.
    #[inline]
    pub fn backward_activation(&self, y: &[A::Element], delta: &mut [A::Element]) {
        A::backward_clamp(&self.output, y, delta);
    }

    /// `δx`: at each position and tap `W[k, o] δ[o]` over the channel's outputs, added up where patches overlap.
    #[inline(never)]
    pub fn backward_input(&self, delta: &[A::Element], patch: &mut [A::Element], delta_x: &mut [A::Element]) {
        let (depth, outputs) = (self.window.input()[2].max(1), self.channels.len().max(1));
        delta_x.fill(A::NO_DELTA);
        for (at, delta) in self.window.each_position().zip(delta.chunks_exact(outputs)) {
            for (patch, weights) in patch.chunks_exact_mut(depth).zip(self.weights.chunks_exact(outputs)) {
                tap_deltas::<A>(self.multiplier(), weights, delta, patch);
            }
            self.window.scatter(patch, at, delta_x, A::add_delta);
        }
    }

    /// Adds the gradients of one sample to `weights` and `biases`.
    #[inline(never)]
    pub fn accumulate(
        &self,
        x: &[A::Element],
        delta: &[A::Element],
        patch: &mut [A::Element],
        weights: &mut [A::Gradient],
        biases: &mut [A::Gradient],
    ) {
        let (depth, outputs) = (self.window.input()[2].max(1), self.channels.len().max(1));
        let patches = Patches::new(&self.window);
        let mut pixels = delta.chunks_exact(outputs);
        for row in patches.rows() {
            for (column, delta) in row.columns().zip(&mut pixels) {
                row.gather::<A>(x, column, self.pad, patch);
                for (x, gradient) in patch.chunks_exact(depth).zip(weights.chunks_exact_mut(outputs)) {
                    tap_gradient::<A>(self.multiplier(), x, delta, gradient);
                }
                biases.iter_mut().zip(delta).for_each(|(sum, &delta)| *sum = A::accumulate_bias(*sum, delta));
            }
        }
    }
}

/// `δx[c] = Σ W[o] δ[o]` over the outputs `o` of channel `c`, at one tap.
#[inline(never)]
fn tap_deltas<A: Trainable>(
    multiplier: usize,
    weights: &[A::Weight],
    delta: &[A::Element],
    delta_x: &mut [A::Element],
) {
    if multiplier == 1 {
        for ((delta_x, &w), &delta) in delta_x.iter_mut().zip(weights).zip(delta) {
            *delta_x = A::delta(A::multiply_add_delta(A::ZERO, w, delta));
        }
        return;
    }
    let multiplier = multiplier.max(1);
    let channels = weights.chunks_exact(multiplier).zip(delta.chunks_exact(multiplier));
    for (delta_x, (weights, delta)) in delta_x.iter_mut().zip(channels) {
        let terms = weights.iter().zip(delta);
        *delta_x = A::delta(terms.fold(A::ZERO, |sum, (&w, &delta)| A::multiply_add_delta(sum, w, delta)));
    }
}

/// Adds `δ[o] x[c]` to the gradients of the outputs `o` of each channel `c`, at one tap.
#[inline(never)]
fn tap_gradient<A: Trainable>(
    multiplier: usize,
    x: &[A::Element],
    delta: &[A::Element],
    gradient: &mut [A::Gradient],
) {
    if multiplier == 1 {
        for ((sum, &delta), &x) in gradient.iter_mut().zip(delta).zip(x) {
            if delta != A::NO_DELTA {
                *sum = A::accumulate(*sum, delta, x);
            }
        }
        return;
    }
    let multiplier = multiplier.max(1);
    let channels = gradient.chunks_exact_mut(multiplier).zip(delta.chunks_exact(multiplier));
    for (&x, (gradient, delta)) in x.iter().zip(channels) {
        for (sum, &delta) in gradient.iter_mut().zip(delta) {
            if delta != A::NO_DELTA {
                *sum = A::accumulate(*sum, delta, x);
            }
        }
    }
}
