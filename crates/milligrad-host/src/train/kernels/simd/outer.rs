//! `dW` of a dense layer: a strip of outputs times two vectors of inputs at a time, over all samples.

use super::{budget, strips};
use crate::train::kernels::plain;
use pulp::{Arch, Simd, WithSimd};

/// See [`plain::outer`].
pub(crate) fn outer<const N: usize>(
    rows: &[f32],
    width: usize,
    dy: &[[f32; N]],
    dw: &mut [f32],
    accumulate: bool,
) {
    Arch::new().dispatch(Outer { rows, width, dy, dw, accumulate });
}

pub(super) struct Outer<'a, const N: usize> {
    pub(super) rows: &'a [f32],
    pub(super) width: usize,
    pub(super) dy: &'a [[f32; N]],
    pub(super) dw: &'a mut [f32],
    pub(super) accumulate: bool,
}

impl<const N: usize> WithSimd for Outer<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { rows, width, dy, dw, accumulate } = self;
        if !fits::<S, N>(rows) {
            return plain::outer(rows, width, dy, dw, accumulate);
        }
        let length = rows.len() / N / S::F32_LANES;
        let rows = S::as_simd_f32s(rows).0;
        for column in (0..width.div_ceil(S::F32_LANES)).step_by(2) {
            let start = column * S::F32_LANES;
            strips!(dy.len(), budget::<S>() / 2, |o, M| {
                let mut sums = [[simd.splat_f32s(0.0); 2]; M];
                let dy = &dy[o..o + M];
                for (sample, row) in rows.chunks_exact(length).take(N).enumerate() {
                    let x = &row[column..column + 2];
                    for (sums, dy) in sums.iter_mut().zip(dy) {
                        let dy = simd.splat_f32s(dy[sample]);
                        sums[0] = simd.mul_add_e_f32s(dy, x[0], sums[0]);
                        sums[1] = simd.mul_add_e_f32s(dy, x[1], sums[1]);
                    }
                }
                for (r, sums) in sums.iter().enumerate() {
                    let row = &mut dw[(o + r) * width..][..width];
                    put(simd, &mut row[start..], sums[0], accumulate);
                    put(simd, row.get_mut(start + S::F32_LANES..).unwrap_or_default(), sums[1], accumulate);
                }
            });
        }
    }
}

/// Are there whole pairs of vectors in a row?
#[inline(always)]
pub(super) fn fits<S: Simd, const N: usize>(rows: &[f32]) -> bool {
    S::F32_LANES > 1 && (rows.len() / N).is_multiple_of(2 * S::F32_LANES)
}

/// Stores a vector at the start of `to`, or as much of it as there is room for.
#[inline(always)]
fn put<S: Simd>(simd: S, to: &mut [f32], sum: S::f32s, accumulate: bool) {
    if let Some(to) = S::as_mut_simd_f32s(to).0.first_mut() {
        *to = if accumulate { simd.add_f32s(*to, sum) } else { sum };
    } else {
        let sum = if accumulate { simd.add_f32s(simd.partial_load_f32s(to), sum) } else { sum };
        simd.partial_store_f32s(to, sum);
    }
}
