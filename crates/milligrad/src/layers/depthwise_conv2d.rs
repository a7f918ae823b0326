//! DepthwiseConv2d: every input channel is convolved with filters of its own.

use super::dense::backward_clamp;
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
    /// entries; in a `const` or `static` that is a compile error.
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
            weights.len() == window.taps() * channels.len(),
            "a depthwise convolution has kernel height x kernel width x output channels weights"
        );
        Self { window, weights, channels, output, pad }
    }

    fn multiplier(&self) -> usize {
        self.channels.len().checked_div(self.window.input()[2]).unwrap_or(0)
    }

    /// Convolves `x` into `y`, through a `patch` of [`Window2d::patch_len`] elements.
    #[inline]
    pub fn forward(&self, x: &[A::Element], patch: &mut [A::Element], y: &mut [A::Element]) {
        let (depth, outputs, multiplier) = (self.window.input()[2], self.channels.len(), self.multiplier());
        if depth == 0 || outputs == 0 || multiplier == 0 {
            return;
        }
        for (at, y) in self.window.each_position().zip(y.chunks_exact_mut(outputs)) {
            self.window.gather(x, at, self.pad, patch);
            let mut done = 0;
            if multiplier == 1 {
                // Four channels at a time share the walk over the taps.
                let (blocks, _) = y.as_chunks_mut::<4>();
                let (channels, _) = self.channels.as_chunks::<4>();
                for (y, channels) in blocks.iter_mut().zip(channels) {
                    let mut sums = channels.each_ref().map(A::start);
                    for (x, w) in patch.chunks_exact(depth).zip(self.weights.chunks_exact(outputs)) {
                        let x = x.get(done..).and_then(|x| x.first_chunk::<4>());
                        let w = w.get(done..).and_then(|w| w.first_chunk::<4>());
                        if let (Some(x), Some(w)) = (x, w) {
                            for ((sum, &x), &w) in sums.iter_mut().zip(x).zip(w) {
                                *sum = A::multiply_add(*sum, x, w);
                            }
                        }
                    }
                    for ((y, channel), sum) in y.iter_mut().zip(channels).zip(sums) {
                        *y = A::finish(&self.output, channel, sum);
                    }
                    done += 4;
                }
            }
            let rest = y.iter_mut().zip(self.channels).enumerate().skip(done);
            for (o, (y, channel)) in rest {
                let taps = patch.chunks_exact(depth).zip(self.weights.chunks_exact(outputs));
                let sum =
                    taps.fold(A::start(channel), |sum, (x, w)| match (x.get(o / multiplier), w.get(o)) {
                        (Some(&x), Some(&w)) => A::multiply_add(sum, x, w),
                        _ => sum,
                    });
                *y = A::finish(&self.output, channel, sum);
            }
        }
    }
}

impl<A: Trainable> DepthwiseConv2d<'_, A> {
    /// Turns `δ` of the outputs into `δ` of the sums, in place: zero where the fused activation limited `y`.
    #[inline]
    pub fn backward_activation(&self, y: &[A::Element], delta: &mut [A::Element]) {
        backward_clamp::<A>(&self.output, y, delta);
    }

    /// `δx`: at each position and tap `W[k, o] δ[o]` over the channel's outputs, added up where patches overlap.
    #[inline]
    pub fn backward_input(&self, delta: &[A::Element], patch: &mut [A::Element], delta_x: &mut [A::Element]) {
        let (depth, outputs, multiplier) = (self.window.input()[2], self.channels.len(), self.multiplier());
        if depth == 0 || outputs == 0 || multiplier == 0 {
            return;
        }
        delta_x.fill(A::NO_DELTA);
        for (at, delta) in self.window.each_position().zip(delta.chunks_exact(outputs)) {
            for (patch, weights) in patch.chunks_exact_mut(depth).zip(self.weights.chunks_exact(outputs)) {
                let groups = weights.chunks_exact(multiplier).zip(delta.chunks_exact(multiplier));
                for (patch, (weights, delta)) in patch.iter_mut().zip(groups) {
                    let terms = weights.iter().zip(delta);
                    let sum = terms.fold(A::ZERO, |sum, (&w, &delta)| A::multiply_add_delta(sum, w, delta));
                    *patch = A::delta(sum);
                }
            }
            self.window.scatter(patch, at, delta_x, A::add_delta);
        }
    }

    /// Adds the gradients of one sample to `weights` and `biases`.
    #[inline]
    pub fn accumulate(
        &self,
        x: &[A::Element],
        delta: &[A::Element],
        patch: &mut [A::Element],
        weights: &mut [A::Gradient],
        biases: &mut [A::Gradient],
    ) {
        let (depth, outputs, multiplier) = (self.window.input()[2], self.channels.len(), self.multiplier());
        if depth == 0 || outputs == 0 || multiplier == 0 {
            return;
        }
        for (at, delta) in self.window.each_position().zip(delta.chunks_exact(outputs)) {
            self.window.gather(x, at, self.pad, patch);
            for (x, gradient) in patch.chunks_exact(depth).zip(weights.chunks_exact_mut(outputs)) {
                let groups = gradient.chunks_exact_mut(multiplier).zip(delta.chunks_exact(multiplier));
                for (&x, (gradient, delta)) in x.iter().zip(groups) {
                    gradient
                        .iter_mut()
                        .zip(delta)
                        .for_each(|(sum, &delta)| *sum = A::accumulate(*sum, delta, x));
                }
            }
            biases.iter_mut().zip(delta).for_each(|(sum, &delta)| *sum = A::accumulate_bias(*sum, delta));
        }
    }
}
