//! Conv2d, the 2-D convolution: a dense layer over the patch that each output position sees.

use super::dense::{backward_clamp, columns, outer, rows};
use crate::{Arithmetic, Trainable, Window2d};

/// `y[p, o] = activation(Σ patch(p)[k, i] W[o, k, i] + b[o])` over HWC images, with weights in OHWI order.
///
/// Each position's patch is gathered into a scratch of [`Window2d::patch_len`] elements, with padding
/// filled in, and goes through the same rows of weights as a dense layer.
#[derive(Debug, Clone, Copy)]
pub struct Conv2d<'a, A: Arithmetic> {
    window: Window2d,
    weights: &'a [A::Weight],
    channels: &'a [A::Channel],
    output: A::Output,
    pad: A::Element,
}

impl<'a, A: Arithmetic> Conv2d<'a, A> {
    /// A convolution with as many filters as `channels` has entries. `pad` is the element that stands for
    /// zero: 0.0, or the input's zero point.
    ///
    /// # Panics
    /// If `weights` has not filters times patch length entries; in a `const` or `static` that is a compile error.
    pub const fn new(
        window: Window2d,
        weights: &'a [A::Weight],
        channels: &'a [A::Channel],
        output: A::Output,
        pad: A::Element,
    ) -> Self {
        assert!(
            weights.len() == window.patch_len() * channels.len(),
            "a convolution has filters x kernel height x kernel width x input channels weights"
        );
        Self { window, weights, channels, output, pad }
    }

    /// Convolves `x` into `y`, through a `patch` of [`Window2d::patch_len`] elements.
    #[inline]
    pub fn forward(&self, x: &[A::Element], patch: &mut [A::Element], y: &mut [A::Element]) {
        let filters = self.channels.len();
        if filters == 0 {
            return;
        }
        for (at, y) in self.window.each_position().zip(y.chunks_exact_mut(filters)) {
            self.window.gather(x, at, self.pad, patch);
            rows::<A>(self.weights, self.channels, &self.output, patch, y);
        }
    }

    /// As [`forward`](Self::forward) for a 1x1 window with stride 1 ([`Window2d::is_pointwise`]): the pixels are
    /// the patches.
    #[inline]
    pub fn forward_pointwise(&self, x: &[A::Element], y: &mut [A::Element]) {
        let (filters, depth) = (self.channels.len(), self.window.patch_len());
        if filters == 0 || depth == 0 {
            return;
        }
        for (x, y) in x.chunks_exact(depth).zip(y.chunks_exact_mut(filters)) {
            rows::<A>(self.weights, self.channels, &self.output, x, y);
        }
    }
}

impl<A: Trainable> Conv2d<'_, A> {
    /// Turns `δ` of the outputs into `δ` of the sums, in place: zero where the fused activation limited `y`.
    #[inline]
    pub fn backward_activation(&self, y: &[A::Element], delta: &mut [A::Element]) {
        backward_clamp::<A>(&self.output, y, delta);
    }

    /// `δx`: at each position `Wᵀ δ`, added up where patches overlap.
    #[inline]
    pub fn backward_input(&self, delta: &[A::Element], patch: &mut [A::Element], delta_x: &mut [A::Element]) {
        let filters = self.channels.len();
        if filters == 0 {
            return;
        }
        delta_x.fill(A::NO_DELTA);
        for (at, delta) in self.window.each_position().zip(delta.chunks_exact(filters)) {
            columns::<A>(self.window.patch_len(), self.weights, delta, patch);
            self.window.scatter(patch, at, delta_x, A::add_delta);
        }
    }

    /// Adds the gradients of one sample, `Σ δ patchᵀ` and `Σ δ` over all positions, to `weights` and `biases`.
    #[inline]
    pub fn accumulate(
        &self,
        x: &[A::Element],
        delta: &[A::Element],
        patch: &mut [A::Element],
        weights: &mut [A::Gradient],
        biases: &mut [A::Gradient],
    ) {
        let filters = self.channels.len();
        if filters == 0 {
            return;
        }
        for (at, delta) in self.window.each_position().zip(delta.chunks_exact(filters)) {
            self.window.gather(x, at, self.pad, patch);
            outer::<A>(patch, delta, weights);
            biases.iter_mut().zip(delta).for_each(|(sum, &delta)| *sum = A::accumulate_bias(*sum, delta));
        }
    }
}
