//! `y` of a convolution: one position and a strip of outputs at a time.

use super::{budget, by_width, strips};
use crate::train::kernels::{Patches, plain};
use pulp::{Arch, Simd, WithSimd};

/// See [`plain::correlate`].
pub(crate) fn correlate<const N: usize>(
    patches: Patches<'_>,
    weights: &[f32],
    bias: &[f32],
    x: &[[f32; N]],
    y: &mut [[f32; N]],
    clamp: (f32, f32),
) {
    Arch::new().dispatch(Correlate { patches, weights, bias, x, y, clamp });
}

pub(super) struct Correlate<'a, const N: usize> {
    pub(super) patches: Patches<'a>,
    pub(super) weights: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) x: &'a [[f32; N]],
    pub(super) y: &'a mut [[f32; N]],
    pub(super) clamp: (f32, f32),
}

impl<const N: usize> WithSimd for Correlate<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        macro_rules! run {
            ($v:literal) => {
                self.run::<S, $v>(simd)
            };
        }
        by_width!(N, run, plain::correlate(self.patches, self.weights, self.bias, self.x, self.y, self.clamp))
    }
}

impl<const N: usize> Correlate<'_, N> {
    #[inline(always)]
    fn run<S: Simd, const V: usize>(self, simd: S) {
        let block = N / S::F32_LANES;
        let x = S::as_simd_f32s(self.x.as_flattened()).0;
        let y = S::as_mut_simd_f32s(self.y.as_flattened_mut()).0;
        let outputs = self.bias.len();
        if let [pixel] = *self.patches.pixels {
            let x = &x[pixel as usize * self.patches.channels * block..];
            return dense::<S, V>(simd, (self.weights, self.bias), (x, block), y, self.clamp);
        }
        for (pixels, y) in self.patches.positions().zip(y.chunks_exact_mut(outputs * block)) {
            for vector in (0..block).step_by(V) {
                strips!(outputs, budget::<S>() / V, |o, M| {
                    let mut sums = [[simd.splat_f32s(0.0); V]; M];
                    for (sums, &bias) in sums.iter_mut().zip(&self.bias[o..o + M]) {
                        *sums = [simd.splat_f32s(bias); V];
                    }
                    let weights = &self.weights[o * self.patches.len()..(o + M) * self.patches.len()];
                    multiply::<S, M, V>(simd, self.patches, pixels, weights, (x, block, vector), &mut sums);
                    limit(simd, &mut sums, self.clamp);
                    for (y, sums) in y[o * block..].chunks_exact_mut(block).zip(sums) {
                        y[vector..vector + V].copy_from_slice(&sums);
                    }
                });
            }
        }
    }
}

/// Sums within a range.
#[inline(always)]
fn limit<S: Simd, const M: usize, const V: usize>(
    simd: S,
    sums: &mut [[S::f32s; V]; M],
    (low, high): (f32, f32),
) {
    let (low, high) = (simd.splat_f32s(low), simd.splat_f32s(high));
    for sums in sums {
        for sum in sums {
            // In this order NaN stays NaN.
            *sum = simd.min_f32s(high, simd.max_f32s(low, *sum));
        }
    }
}

/// Most inputs of a dense layer that stay in the nearest cache while all outputs pass over them.
const PART: usize = 160;

/// One position with one tap: a part of the inputs at a time; between parts the sums wait in `y`.
#[inline(always)]
fn dense<S: Simd, const V: usize>(
    simd: S,
    (weights, bias): (&[f32], &[f32]),
    (x, block): (&[S::f32s], usize),
    y: &mut [S::f32s],
    clamp: (f32, f32),
) {
    let (outputs, inputs) = (bias.len(), weights.len() / bias.len());
    let part = inputs.div_ceil(inputs.div_ceil(PART));
    for first in (0..inputs).step_by(part) {
        let part = part.min(inputs - first);
        for vector in (0..block).step_by(V) {
            strips!(outputs, budget::<S>() / V, |o, M| {
                let y = &mut y[o * block..(o + M) * block];
                let mut rows = [weights; M];
                for (r, row) in rows.iter_mut().enumerate() {
                    *row = &weights[(o + r) * inputs + first..][..part];
                }
                let mut sums = [[simd.splat_f32s(0.0); V]; M];
                if first == 0 {
                    for (sums, &bias) in sums.iter_mut().zip(&bias[o..o + M]) {
                        *sums = [simd.splat_f32s(bias); V];
                    }
                } else {
                    for (sums, y) in sums.iter_mut().zip(y.chunks_exact(block)) {
                        sums.copy_from_slice(&y[vector..vector + V]);
                    }
                }
                for (i, x) in x[first * block..].chunks_exact(block).take(part).enumerate() {
                    let x = &x[vector..vector + V];
                    for (sums, row) in sums.iter_mut().zip(&rows) {
                        let w = simd.splat_f32s(row[i]);
                        for (sum, &x) in sums.iter_mut().zip(x) {
                            *sum = simd.mul_add_e_f32s(w, x, *sum);
                        }
                    }
                }
                if first + part == inputs {
                    limit(simd, &mut sums, clamp);
                }
                for (y, sums) in y.chunks_exact_mut(block).zip(sums) {
                    y[vector..vector + V].copy_from_slice(&sums);
                }
            });
        }
    }
}

/// `sums[r][v] += Σ weights[r, i] x[i][v]` over one patch.
#[inline(always)]
fn multiply<S: Simd, const M: usize, const V: usize>(
    simd: S,
    patches: Patches<'_>,
    pixels: &[u32],
    weights: &[f32],
    (x, block, vector): (&[S::f32s], usize, usize),
    sums: &mut [[S::f32s; V]; M],
) {
    let length = patches.len();
    let mut rows = [weights; M];
    for (r, row) in rows.iter_mut().enumerate() {
        *row = &weights[r * length..][..length];
    }
    let mut i = 0;
    for &pixel in pixels {
        let run = &x[pixel as usize * patches.channels * block..][..patches.channels * block];
        for x in run.chunks_exact(block) {
            let x = &x[vector..vector + V];
            for (sums, row) in sums.iter_mut().zip(&rows) {
                let w = simd.splat_f32s(row[i]);
                for (sum, &x) in sums.iter_mut().zip(x) {
                    *sum = simd.mul_add_e_f32s(w, x, *sum);
                }
            }
            i += 1;
        }
    }
}
