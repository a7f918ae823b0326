//! Depthwise convolutions with dynamic exponents.

use super::conv2d::{exponents_of, gradient_drop};
use super::{Block, Exponents, Magnitude, add_biases, drop_bits, narrow, narrow_in_place, normalise};
use crate::layers::matrix::is_product;
use crate::window::Patches;
use crate::{Clamp, Fixed16, Window2d};

/// `y[p, o] = activation(Σ patch(p)[k, o / m] W[k, o] + b[o])` over HWC images, with `m` outputs for each input channel and weights
/// in HWO order.
#[derive(Debug, Clone, Copy)]
pub struct DepthwiseConv2d<'a> {
    window: Window2d,
    weights: &'a [i16],
    biases: &'a [i32],
    exponents: Exponents,
    output: Clamp<i16>,
}

impl<'a> DepthwiseConv2d<'a> {
    /// A depthwise convolution with as many outputs as `biases`; the range is as for [`Dense`](super::Dense::new).
    ///
    /// # Panics
    /// If the outputs are no multiple of the input channels, or `weights` has not taps times outputs entries; in a `const` or
    /// `static` that is a compile error.
    pub const fn new(
        window: Window2d,
        weights: &'a [i16],
        biases: &'a [i32],
        exponents: Exponents,
        output: Clamp<i16>,
    ) -> Self {
        assert!(
            !biases.is_empty() && biases.len().is_multiple_of(window.input()[2]),
            "a depthwise convolution has a whole number of outputs for each input channel"
        );
        assert!(
            is_product(weights.len(), window.taps(), biases.len()),
            "a depthwise convolution has kernel height x kernel width x output channels weights"
        );
        Self { window, weights, biases, exponents, output }
    }

    /// Outputs of an input channel.
    fn multiplier(&self) -> usize {
        self.biases.len().checked_div(self.window.input()[2]).unwrap_or(0).max(1)
    }

    /// The taps of a patch with their weights.
    fn taps<'p, T>(&'p self, patch: &'p [T]) -> impl Iterator<Item = (&'p [T], &'p [i16])> {
        let depth = self.window.input()[2].max(1);
        patch.chunks_exact(depth).zip(self.weights.chunks_exact(self.biases.len().max(1)))
    }

    /// Convolves `x` into `y`, by a `patch` of [`Window2d::patch_len`] elements and `sums` as long as `y`; returns the exponent of `y`.
    #[inline(never)]
    pub fn forward(&self, x: Block<'_>, patch: &mut [i16], sums: &mut [i32], y: &mut [i16]) -> i16 {
        let (Some(patch), Some(sums)) = (patch.get_mut(..self.window.patch_len()), sums.get_mut(..y.len()))
        else {
            return 0;
        };
        let magnitude = Magnitude::of(x.mantissas);
        let drop = magnitude.excess(self.window.taps());
        let patches = Patches::new(&self.window);
        sums.fill(0);
        let mut pixels = sums.chunks_exact_mut(self.biases.len().max(1));
        for row in patches.rows() {
            for (column, sums) in row.columns().zip(&mut pixels) {
                row.gather::<Fixed16>(x.mantissas, column, 0, patch);
                narrow_in_place(patch, drop);
                for (x, weights) in self.taps(patch) {
                    each_output(self.multiplier(), x, weights, sums, |sum, x, w| {
                        *sum += i32::from(x) * i32::from(w);
                    });
                }
            }
        }
        let biases_exponent = i32::from(self.exponents.biases);
        let exponent = match magnitude.sum {
            0 => biases_exponent,
            _ => x.exponent() + drop as i32 + i32::from(self.exponents.weights),
        };
        let exponent = add_biases(sums, exponent, self.biases, biases_exponent);
        normalise(sums, exponent, &self.output, y)
    }

    /// `δx`: at each position and tap `W[k, o] δ[o]` over the channel's outputs, added up where patches overlap. By a `scratch` of a
    /// position's `δ`, and `sums` as long as `δx` and a patch together; returns the exponent of `δx`.
    #[inline(never)]
    pub fn backward_input(
        &self,
        delta: Block<'_>,
        scratch: &mut [i16],
        sums: &mut [i32],
        delta_x: &mut [i16],
    ) -> i16 {
        let (outputs, depth) = (self.biases.len(), self.window.input()[2].max(1));
        let Some((image, rest)) = sums.split_at_mut_checked(delta_x.len()) else { return 0 };
        let (Some(patch), Some(scratch)) =
            (rest.get_mut(..self.window.patch_len()), scratch.get_mut(..outputs))
        else {
            return 0;
        };
        let drop = Magnitude::of(delta.mantissas).excess(self.window.taps() * self.multiplier());
        image.fill(0);
        for (at, delta) in self.window.each_position().zip(delta.mantissas.chunks_exact(outputs.max(1))) {
            narrow(delta, drop, scratch);
            if scratch.iter().all(|&delta| delta == 0) {
                continue;
            }
            for (sums, weights) in
                patch.chunks_exact_mut(depth).zip(self.weights.chunks_exact(outputs.max(1)))
            {
                let channels = weights.chunks(self.multiplier()).zip(scratch.chunks(self.multiplier()));
                for (sum, (weights, delta)) in sums.iter_mut().zip(channels) {
                    let products =
                        weights.iter().zip(delta).map(|(&w, &delta)| i32::from(w) * i32::from(delta));
                    *sum = products.fold(0, i32::wrapping_add);
                }
            }
            self.window.scatter(patch, at, image, i32::wrapping_add);
        }
        let exponent = delta.exponent() + drop as i32 + i32::from(self.exponents.weights);
        normalise(image, exponent, &Clamp::<i16>::LINEAR, delta_x)
    }

    /// The gradients of one sample; returns the exponents of those of weights and biases.
    #[inline(never)]
    pub fn gradients(
        &self,
        x: Block<'_>,
        delta: Block<'_>,
        patch: &mut [i16],
        weights: &mut [i32],
        biases: &mut [i32],
    ) -> [i16; 2] {
        let (outputs, depth) = (self.biases.len().max(1), self.window.input()[2].max(1));
        weights.fill(0);
        biases.fill(0);
        let Some(patch) = patch.get_mut(..self.window.patch_len()) else { return [0; 2] };
        let drop = gradient_drop(&self.window, x, delta);
        let patches = Patches::new(&self.window);
        let mut pixels = delta.mantissas.chunks_exact(outputs);
        for row in patches.rows() {
            for (column, delta) in row.columns().zip(&mut pixels) {
                row.gather::<Fixed16>(x.mantissas, column, 0, patch);
                for (x, gradient) in patch.chunks_exact(depth).zip(weights.chunks_exact_mut(outputs)) {
                    each_output(self.multiplier(), x, delta, gradient, |sum, x, delta| {
                        *sum += i32::from(x) * drop_bits(delta.into(), drop);
                    });
                }
                biases.iter_mut().zip(delta).for_each(|(sum, &delta)| *sum += drop_bits(delta.into(), drop));
            }
        }
        exponents_of(x, delta, drop)
    }
}

/// Calls `join` with each output, the element of its channel and what belongs to the output.
#[inline(always)]
fn each_output<T>(
    multiplier: usize,
    x: &[i16],
    values: &[i16],
    outputs: &mut [T],
    join: impl Fn(&mut T, i16, i16),
) {
    let channels = outputs.chunks_mut(multiplier).zip(values.chunks(multiplier));
    for (&x, (outputs, values)) in x.iter().zip(channels) {
        outputs.iter_mut().zip(values).for_each(|(output, &value)| join(output, x, value));
    }
}
