//! `dW` of a convolution: a few weights of a few outputs at a time, over all positions.

use super::{budget, strips};
use crate::train::kernels::{Patches, plain};
use pulp::{Arch, Simd, WithSimd};

/// See [`plain::correlate_weights`].
pub(crate) fn correlate_weights<const N: usize>(
    patches: Patches<'_>,
    x: &[[f32; N]],
    dy: &[[f32; N]],
    dw: &mut [f32],
    accumulate: bool,
) {
    Arch::new().dispatch(CorrelateWeights { patches, x, dy, dw, accumulate });
}

pub(super) struct CorrelateWeights<'a, const N: usize> {
    pub(super) patches: Patches<'a>,
    pub(super) x: &'a [[f32; N]],
    pub(super) dy: &'a [[f32; N]],
    pub(super) dw: &'a mut [f32],
    pub(super) accumulate: bool,
}

impl<const N: usize> WithSimd for CorrelateWeights<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::F32_LANES == 1 || !N.is_multiple_of(S::F32_LANES) {
            return plain::correlate_weights(self.patches, self.x, self.dy, self.dw, self.accumulate);
        }
        let block = N / S::F32_LANES;
        let (length, channels) = (self.patches.len(), self.patches.channels);
        let outputs = self.dw.len() / length;
        let x = S::as_simd_f32s(self.x.as_flattened()).0;
        let dy = S::as_simd_f32s(self.dy.as_flattened()).0;
        // A tile is M weights of an output times 4 outputs.
        strips!(length, budget::<S>() / 4, |i, M| {
            // Where each weight's number lies in a patch: its tap, and its channel in the pixel.
            let mut places = [(0, 0); M];
            for (r, place) in places.iter_mut().enumerate() {
                *place = ((i + r) / channels, (i + r) % channels);
            }
            let x = (x, block, channels);
            let mut o = 0;
            while o < outputs {
                macro_rules! step {
                    ($outputs:literal) => {{
                        let sums = cross::<S, M, $outputs>(simd, self.patches, &places, x, (dy, outputs, o));
                        for (r, sums) in sums.into_iter().enumerate() {
                            for (j, sum) in sums.into_iter().enumerate() {
                                let dw = &mut self.dw[(o + j) * length + i + r];
                                let sum = simd.reduce_sum_f32s(sum);
                                *dw = if self.accumulate { *dw + sum } else { sum };
                            }
                        }
                        o += $outputs;
                    }};
                }
                match outputs - o {
                    4.. => step!(4),
                    2.. => step!(2),
                    _ => step!(1),
                }
            }
        });
    }
}

/// `Σ x[pixel(p, tap r), channel r] dy[p, output + j]` over all positions, for `M` places and `O` outputs.
#[inline(always)]
fn cross<S: Simd, const M: usize, const O: usize>(
    simd: S,
    patches: Patches<'_>,
    places: &[(usize, usize); M],
    (x, block, channels): (&[S::f32s], usize, usize),
    (dy, outputs, output): (&[S::f32s], usize, usize),
) -> [[S::f32s; O]; M] {
    let mut sums = [[simd.splat_f32s(0.0); O]; M];
    for (pixels, dy) in patches.positions().zip(dy.chunks_exact(outputs * block)) {
        let dy = &dy[output * block..(output + O) * block];
        let mut pointers = [x; M];
        for (pointer, &(tap, channel)) in pointers.iter_mut().zip(places) {
            *pointer = &x[(pixels[tap] as usize * channels + channel) * block..][..block];
        }
        for vector in 0..block {
            let mut factors = [simd.splat_f32s(0.0); O];
            for (j, factor) in factors.iter_mut().enumerate() {
                *factor = dy[j * block + vector];
            }
            for (sums, x) in sums.iter_mut().zip(&pointers) {
                let x = x[vector];
                for (sum, &factor) in sums.iter_mut().zip(&factors) {
                    *sum = simd.mul_add_e_f32s(x, factor, *sum);
                }
            }
        }
    }
    sums
}
