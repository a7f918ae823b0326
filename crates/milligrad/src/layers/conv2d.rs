//! Conv2d, the 2-D convolution: a dense layer over the patch that each output position sees.

use super::matrix::is_product;
use crate::window::Patches;
use crate::{Arithmetic, Trainable, Window2d};

/// `y[p, o] = activation(Σ patch(p)[k, i] W[o, k, i] + b[o])` over HWC images, with weights in OHWI order.
///
/// Each position's patch is gathered into a scratch of [`Window2d::patch_len`] elements, with padding
/// filled in, and goes through the same rows of weights as a dense layer.
///
/// ```
/// use milligrad::{Clamp, Padding, Window2d, layers::Conv2d};
/// const WINDOW: Window2d = Window2d::new([3, 3, 1], [2, 2], [1, 1], [1, 1], Padding::Valid);
/// static LAYER: Conv2d<f32> = Conv2d::new(WINDOW, &[1.0; 4], &[0.5], Clamp::<f32>::LINEAR, 0.0);
/// let (x, mut patch, mut y) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], [0.0; 4], [0.0; 4]);
/// LAYER.forward(&x, &mut patch, &mut y);
/// assert_eq!(y, [12.5, 16.5, 24.5, 28.5]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Conv2d<'a, A: Arithmetic> {
    pub(crate) window: Window2d,
    pub(crate) weights: &'a [A::Weight],
    pub(crate) channels: &'a [A::Channel],
    pub(crate) output: A::Output,
    pub(crate) pad: A::Element,
}

impl<'a, A: Arithmetic> Conv2d<'a, A> {
    /// A convolution with as many filters as `channels` has entries. `pad` is the element that stands for
    /// zero: 0.0, or the input's zero point.
    ///
    /// # Panics
    /// If `weights` has not filters times patch length entries; in a `const` or `static` that is a compile error:
    ///
    /// ```compile_fail,E0080
    /// use milligrad::{Clamp, Padding, Window2d, layers::Conv2d};
    /// const WINDOW: Window2d = Window2d::new([8, 8, 1], [3, 3], [1, 1], [1, 1], Padding::Valid);
    /// // Two filters of 3x3 make 18 weights.
    /// static LAYER: Conv2d<f32> = Conv2d::new(WINDOW, &[0.0; 17], &[0.0; 2], Clamp::<f32>::LINEAR, 0.0);
    /// ```
    pub const fn new(
        window: Window2d,
        weights: &'a [A::Weight],
        channels: &'a [A::Channel],
        output: A::Output,
        pad: A::Element,
    ) -> Self {
        assert!(
            is_product(weights.len(), window.patch_len(), channels.len()),
            "a convolution has filters x kernel height x kernel width x input channels weights"
        );
        Self { window, weights, channels, output, pad }
    }

    /// Convolves `x` into `y`, through a `patch` of [`Window2d::patch_len`] elements.
    #[inline(never)]
    pub fn forward(&self, x: &[A::Element], patch: &mut [A::Element], y: &mut [A::Element]) {
        A::convolve(self, x, patch, y);
    }

    /// [`forward`](Self::forward) in any arithmetic.
    #[inline(always)]
    pub(crate) fn convolve(&self, x: &[A::Element], patch: &mut [A::Element], y: &mut [A::Element]) {
        let Some(patch) = patch.get_mut(..self.window.patch_len()) else { return };
        let patches = Patches::new(&self.window);
        let mut pixels = y.chunks_exact_mut(self.channels.len().max(1));
        for row in patches.rows() {
            for (column, y) in row.columns().zip(&mut pixels) {
                row.gather::<A>(x, column, self.pad, patch);
                A::rows(self.weights, self.channels, &self.output, patch, y);
            }
        }
    }

    /// As [`forward`](Self::forward) for a 1x1 window with stride 1 ([`Window2d::is_pointwise`]): the pixels are
    /// the patches.
    #[inline(never)]
    pub fn forward_pointwise(&self, x: &[A::Element], y: &mut [A::Element]) {
        let (filters, depth) = (self.channels.len().max(1), self.window.patch_len().max(1));
        for (x, y) in x.chunks_exact(depth).zip(y.chunks_exact_mut(filters)) {
            A::rows(self.weights, self.channels, &self.output, x, y);
        }
    }
}

impl<A: Trainable> Conv2d<'_, A> {
    /// Turns `δ` of the outputs into `δ` of the sums, in place: zero where the fused activation limited `y`.
    #[inline]
    pub fn backward_activation(&self, y: &[A::Element], delta: &mut [A::Element]) {
        A::backward_clamp(&self.output, y, delta);
    }

    /// `δx`: at each position `Wᵀ δ`, added up where patches overlap. Positions where all `δ` are zero add nothing.
    #[inline(never)]
    pub fn backward_input(&self, delta: &[A::Element], patch: &mut [A::Element], delta_x: &mut [A::Element]) {
        A::clear(delta_x);
        let Some(patch) = patch.get_mut(..self.window.patch_len()) else { return };
        for (at, delta) in self.window.each_position().zip(delta.chunks_exact(self.channels.len().max(1))) {
            if delta.iter().all(|&delta| delta == A::NO_DELTA) {
                continue;
            }
            A::columns(patch.len(), self.weights, delta, patch);
            self.window.scatter(patch, at, delta_x, A::add_delta);
        }
    }

    /// Adds the gradients of one sample, `Σ δ patchᵀ` and `Σ δ` over all positions, to `weights` and `biases`. Positions where
    /// all `δ` or the whole patch are zero add nothing to the weights, even if the other factor is not finite.
    #[inline(never)]
    pub fn accumulate(
        &self,
        x: &[A::Element],
        delta: &[A::Element],
        patch: &mut [A::Element],
        weights: &mut [A::Gradient],
        biases: &mut [A::Gradient],
    ) {
        super::accumulate_biases::<A>(delta, biases);
        A::accumulate_patches(self, x, delta, patch, weights);
    }

    /// The part of [`accumulate`](Self::accumulate) that is the weights', in any arithmetic.
    #[inline(always)]
    pub(crate) fn accumulate_patches(
        &self,
        x: &[A::Element],
        delta: &[A::Element],
        patch: &mut [A::Element],
        weights: &mut [A::Gradient],
    ) {
        let Some(patch) = patch.get_mut(..self.window.patch_len()) else { return };
        let patches = Patches::new(&self.window);
        let mut pixels = delta.chunks_exact(self.channels.len().max(1));
        for row in patches.rows() {
            for (column, delta) in row.columns().zip(&mut pixels) {
                // Behind a max pooling most are zero.
                if delta.iter().all(|&delta| delta == A::NO_DELTA) {
                    continue;
                }
                row.gather::<A>(x, column, self.pad, patch);
                // Of an image, it is the background.
                if patch.iter().any(|&x| x != A::NO_DELTA) {
                    A::outer(patch, delta, weights);
                }
            }
        }
    }
}
