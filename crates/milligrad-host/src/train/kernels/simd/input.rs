//! `δx` of a convolution: one tap and a strip of channels at a time.

use super::{budget, by_width, strips};
use crate::train::kernels::{Patches, plain};
use pulp::{Arch, Simd, WithSimd};

/// See [`plain::correlate_input`].
pub(crate) fn correlate_input<const N: usize>(
    patches: Patches<'_>,
    weights: &[f32],
    dy: &[[f32; N]],
    dx: &mut [[f32; N]],
) {
    Arch::new().dispatch(CorrelateInput { patches, weights, dy, dx });
}

pub(super) struct CorrelateInput<'a, const N: usize> {
    pub(super) patches: Patches<'a>,
    pub(super) weights: &'a [f32],
    pub(super) dy: &'a [[f32; N]],
    pub(super) dx: &'a mut [[f32; N]],
}

impl<const N: usize> WithSimd for CorrelateInput<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        macro_rules! run {
            ($v:literal) => {
                self.run::<S, $v>(simd)
            };
        }
        by_width!(N, run, plain::correlate_input(self.patches, self.weights, self.dy, self.dx))
    }
}

impl<const N: usize> CorrelateInput<'_, N> {
    #[inline(always)]
    fn run<S: Simd, const V: usize>(self, simd: S) {
        let block = N / S::F32_LANES;
        let (length, channels) = (self.patches.len(), self.patches.channels);
        let outputs = self.weights.len() / length;
        let dy = S::as_simd_f32s(self.dy.as_flattened()).0;
        let dx = S::as_mut_simd_f32s(self.dx.as_flattened_mut()).0;
        for (pixels, dy) in self.patches.positions().zip(dy.chunks_exact(outputs * block)) {
            for vector in (0..block).step_by(V) {
                for (tap, &pixel) in pixels.iter().enumerate() {
                    let dx = &mut dx[pixel as usize * channels * block..][..channels * block];
                    strips!(channels, budget::<S>() / V, |c, M| {
                        let dx = &mut dx[c * block..(c + M) * block];
                        let mut sums = [[simd.splat_f32s(0.0); V]; M];
                        for (sums, dx) in sums.iter_mut().zip(dx.chunks_exact(block)) {
                            sums.copy_from_slice(&dx[vector..vector + V]);
                        }
                        let columns = self.weights[tap * channels + c..].chunks(length);
                        for (dy, w) in dy.chunks_exact(block).zip(columns) {
                            let (dy, w) = (&dy[vector..vector + V], &w[..M]);
                            for (sums, &w) in sums.iter_mut().zip(w) {
                                let w = simd.splat_f32s(w);
                                for (sum, &dy) in sums.iter_mut().zip(dy) {
                                    *sum = simd.mul_add_e_f32s(w, dy, *sum);
                                }
                            }
                        }
                        for (sums, dx) in sums.iter().zip(dx.chunks_exact_mut(block)) {
                            dx[vector..vector + V].copy_from_slice(sums);
                        }
                    });
                }
            }
        }
    }
}
