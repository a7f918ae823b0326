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
        let length = self.rows.len() / N;
        if S::F32_LANES == 1 || !length.is_multiple_of(2 * S::F32_LANES) {
            return plain::outer(self.rows, self.width, self.dy, self.dw, self.accumulate);
        }
        let vectors = length / S::F32_LANES;
        let rows = S::as_simd_f32s(self.rows).0;
        for column in (0..self.width.div_ceil(S::F32_LANES)).step_by(2) {
            strips!(self.dy.len(), budget::<S>() / 2, |o, M| {
                let mut sums = [[simd.splat_f32s(0.0); 2]; M];
                let dy = &self.dy[o..o + M];
                for (sample, row) in rows.chunks_exact(vectors).enumerate() {
                    let x = &row[column..column + 2];
                    for (sums, dy) in sums.iter_mut().zip(dy) {
                        let dy = simd.splat_f32s(dy[sample]);
                        sums[0] = simd.mul_add_e_f32s(dy, x[0], sums[0]);
                        sums[1] = simd.mul_add_e_f32s(dy, x[1], sums[1]);
                    }
                }
                let start = column * S::F32_LANES;
                for (sums, dw) in sums.into_iter().zip(self.dw[o * self.width..].chunks_mut(self.width)) {
                    let end = self.width.min(start + 2 * S::F32_LANES);
                    let dw = &mut dw[start..end];
                    let (head, tail) = dw.split_at_mut(dw.len().min(S::F32_LANES));
                    for (dw, sum) in [head, tail].into_iter().zip(sums) {
                        let sum = if self.accumulate {
                            simd.add_f32s(simd.partial_load_f32s(dw), sum)
                        } else {
                            sum
                        };
                        simd.partial_store_f32s(dw, sum);
                    }
                }
            });
        }
    }
}
