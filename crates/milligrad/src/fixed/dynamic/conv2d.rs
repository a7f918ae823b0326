//! Convolutions with dynamic exponents.

use super::{
    Block, Exponents, Magnitude, add_biases, bits, column_sums, drop_bits, narrow, narrow_in_place,
    normalise, row_sums,
};
use crate::layers::matrix::is_product;
use crate::window::Patches;
use crate::{Clamp, Fixed16, Window2d};

/// `y[p, o] = activation(Σ patch(p)[k, i] W[o, k, i] + b[o])` over HWC images, with weights in OHWI order.
#[derive(Debug, Clone, Copy)]
pub struct Conv2d<'a> {
    window: Window2d,
    weights: &'a [i16],
    biases: &'a [i32],
    exponents: Exponents,
    output: Clamp<i16>,
}

impl<'a> Conv2d<'a> {
    /// A convolution with as many filters as `biases`; the range is as for [`Dense`](super::Dense::new).
    ///
    /// # Panics
    /// If `weights` has not filters times patch length entries; in a `const` or `static` that is a compile error.
    pub const fn new(
        window: Window2d,
        weights: &'a [i16],
        biases: &'a [i32],
        exponents: Exponents,
        output: Clamp<i16>,
    ) -> Self {
        assert!(
            is_product(weights.len(), window.patch_len(), biases.len()),
            "a convolution has filters x kernel height x kernel width x input channels weights"
        );
        Self { window, weights, biases, exponents, output }
    }

    /// Convolves `x` into `y`, by a `patch` of [`Window2d::patch_len`] elements and `sums` as long as `y`; returns the exponent of `y`.
    #[inline(never)]
    pub fn forward(&self, x: Block<'_>, patch: &mut [i16], sums: &mut [i32], y: &mut [i16]) -> i16 {
        let (Some(patch), Some(sums)) = (patch.get_mut(..self.window.patch_len()), sums.get_mut(..y.len()))
        else {
            return 0;
        };
        let magnitude = Magnitude::of(x.mantissas);
        let drop = magnitude.excess(patch.len());
        let patches = Patches::new(&self.window);
        let mut pixels = sums.chunks_exact_mut(self.biases.len().max(1));
        for row in patches.rows() {
            for (column, sums) in row.columns().zip(&mut pixels) {
                row.gather::<Fixed16>(x.mantissas, column, 0, patch);
                narrow_in_place(patch, drop);
                row_sums(self.weights, patch, sums);
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

    /// `δx`: at each position `Wᵀ δ`, added up where patches overlap. By a `scratch` of a position's `δ`, and `sums` as long as `δx` and
    /// a patch together; returns the exponent of `δx`.
    #[inline(never)]
    pub fn backward_input(
        &self,
        delta: Block<'_>,
        scratch: &mut [i16],
        sums: &mut [i32],
        delta_x: &mut [i16],
    ) -> i16 {
        let filters = self.biases.len();
        let Some((image, rest)) = sums.split_at_mut_checked(delta_x.len()) else { return 0 };
        let (Some(patch), Some(scratch)) =
            (rest.get_mut(..self.window.patch_len()), scratch.get_mut(..filters))
        else {
            return 0;
        };
        // What meets in an element: the filters of as many positions as there are taps.
        let drop = Magnitude::of(delta.mantissas).excess(self.window.taps() * filters);
        image.fill(0);
        for (at, delta) in self.window.each_position().zip(delta.mantissas.chunks_exact(filters.max(1))) {
            narrow(delta, drop, scratch);
            if scratch.iter().all(|&delta| delta == 0) {
                continue;
            }
            column_sums(patch.len(), self.weights, scratch, patch);
            self.window.scatter(patch, at, image, i32::wrapping_add);
        }
        let exponent = delta.exponent() + drop as i32 + i32::from(self.exponents.weights);
        normalise(image, exponent, &Clamp::<i16>::LINEAR, delta_x)
    }

    /// The gradients of one sample, `Σ δ patchᵀ` and `Σ δ` over all positions; returns the exponents of both.
    #[inline(never)]
    pub fn gradients(
        &self,
        x: Block<'_>,
        delta: Block<'_>,
        patch: &mut [i16],
        weights: &mut [i32],
        biases: &mut [i32],
    ) -> [i16; 2] {
        weights.fill(0);
        biases.fill(0);
        let Some(patch) = patch.get_mut(..self.window.patch_len()) else { return [0; 2] };
        let drop = gradient_drop(&self.window, x, delta);
        let patches = Patches::new(&self.window);
        let mut pixels = delta.mantissas.chunks_exact(self.biases.len().max(1));
        for row in patches.rows() {
            for (column, delta) in row.columns().zip(&mut pixels) {
                // Behind a max pooling most are zero.
                if delta.iter().all(|&delta| delta == 0) {
                    continue;
                }
                row.gather::<Fixed16>(x.mantissas, column, 0, patch);
                let rows = weights.chunks_exact_mut(patch.len().max(1));
                for ((row, bias), &delta) in rows.zip(biases.iter_mut()).zip(delta) {
                    let delta = drop_bits(delta.into(), drop);
                    if delta != 0 {
                        *bias += delta;
                        row.iter_mut().zip(&*patch).for_each(|(g, &x)| *g += delta * i32::from(x));
                    }
                }
            }
        }
        exponents_of(x, delta, drop)
    }
}

/// How many bits of `δ` have to fall off so that sums of `δ x` over all positions are below 2³¹.
#[inline]
pub(super) fn gradient_drop(window: &Window2d, x: Block<'_>, delta: Block<'_>) -> u32 {
    let most = Magnitude::of(delta.mantissas).most(window.positions());
    let x = Magnitude::of(x.mantissas).largest;
    // Rounding makes a sum at most twice as large.
    (bits(most) + bits(x)).saturating_sub(30)
}

/// The exponents of sums of `δ x` and of `δ`.
#[inline]
pub(super) fn exponents_of(x: Block<'_>, delta: Block<'_>, drop: u32) -> [i16; 2] {
    let biases = delta.exponent() + drop as i32;
    [(biases + x.exponent()) as i16, biases as i16]
}
