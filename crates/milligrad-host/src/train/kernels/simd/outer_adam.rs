//! `dW` of a dense layer and Adam's step with it. The gradient never leaves the nearest cache, and the divisions and
//! roots of one tile's weights are computed while the sums of the next run through the multipliers.

use super::outer::fits;
use super::{budget, strips};
use crate::train::arch;
use crate::train::kernels::{Adam, Remembered, plain};
use pulp::{Arch, Simd, WithSimd};

/// See [`plain::outer_adam`].
pub(crate) fn outer_adam<const N: usize>(
    blocks: &[(&[f32], &[[f32; N]])],
    place: (usize, usize),
    adam: Adam<f32>,
    weights: Remembered<'_, f32>,
) {
    Arch::new().dispatch(OuterAdam { blocks, place, adam, weights });
}

pub(super) struct OuterAdam<'a, const N: usize> {
    pub(super) blocks: &'a [(&'a [f32], &'a [[f32; N]])],
    pub(super) place: (usize, usize),
    pub(super) adam: Adam<f32>,
    pub(super) weights: Remembered<'a, f32>,
}

/// Parts of the samples between which a step is made.
const PARTS: usize = 32;
/// Vectors whose step it is.
const TURN: usize = TILE.div_ceil(PARTS);
/// Most vectors of a tile.
const TILE: usize = 24;
/// The place of what a tile has beyond the end of a row.
const NOWHERE: usize = usize::MAX;

/// The gradients of a tile, and where they belong.
struct Waiting<S: Simd> {
    gradients: [S::f32s; TILE],
    places: [usize; TILE],
    count: usize,
}

impl<const N: usize> WithSimd for OuterAdam<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { blocks, place: (width, first), adam, weights } = self;
        let samples = N / PARTS;
        let fit = blocks.iter().all(|(rows, _)| fits::<S, N>(rows));
        if !fit || !width.is_multiple_of(S::F32_LANES) || samples == 0 {
            return plain::outer_adam(blocks, (width, first), adam, weights);
        }
        let outputs = weights.w.len() / width;
        let Remembered { w, m, v } = weights;
        let (w, m, v) = (S::as_mut_simd_f32s(w).0, S::as_mut_simd_f32s(m).0, S::as_mut_simd_f32s(v).0);
        let adam = Constants::new(simd, &adam);
        let width = width / S::F32_LANES;
        let mut waiting =
            Waiting::<S> { gradients: [simd.splat_f32s(0.0); TILE], places: [0; TILE], count: 0 };
        for column in (0..width).step_by(2) {
            strips!(outputs, budget::<S>() / 2, |o, M| {
                let mut sums = [[simd.splat_f32s(0.0); 2]; M];
                for (block, (rows, dy)) in blocks.iter().enumerate() {
                    let (rows, dy) = (S::as_simd_f32s(rows).0, &dy[first + o..first + o + M]);
                    let length = rows.len() / N;
                    for (part, rows) in rows.chunks_exact(length * samples).enumerate() {
                        for (sample, row) in rows.chunks_exact(length).enumerate() {
                            let x = &row[column..column + 2];
                            if o == 0 {
                                arch::prefetch_far(row, column + 2);
                                arch::prefetch_far(row, column + 3);
                            }
                            for (sums, dy) in sums.iter_mut().zip(dy) {
                                let dy = simd.splat_f32s(dy[part * samples + sample]);
                                sums[0] = simd.mul_add_e_f32s(dy, x[0], sums[0]);
                                sums[1] = simd.mul_add_e_f32s(dy, x[1], sums[1]);
                            }
                        }
                        for i in part * TURN..(part + 1) * TURN {
                            if block == 0 && i < waiting.count {
                                waiting.step(simd, i, &adam, [&mut *w, &mut *m, &mut *v]);
                            }
                            if block + 1 == blocks.len() {
                                let place = (o + i / 2) * width + column + i % 2;
                                arch::prefetch(w, place);
                                arch::prefetch(m, place);
                                arch::prefetch(v, place);
                            }
                        }
                    }
                }
                waiting.count = 2 * M;
                for (r, sums) in sums.iter().enumerate() {
                    for (i, &sum) in sums.iter().enumerate() {
                        waiting.gradients[2 * r + i] = sum;
                        let place = (o + r) * width + column + i;
                        waiting.places[2 * r + i] = if column + i < width { place } else { NOWHERE };
                    }
                }
            });
        }
        for i in 0..waiting.count {
            waiting.step(simd, i, &adam, [&mut *w, &mut *m, &mut *v]);
        }
    }
}

impl<S: Simd> Waiting<S> {
    /// The step of one vector.
    #[inline(always)]
    fn step(&self, simd: S, i: usize, adam: &Constants<S>, [w, m, v]: [&mut [S::f32s]; 3]) {
        let place = self.places[i];
        if let (Some(w), Some(m), Some(v)) = (w.get_mut(place), m.get_mut(place), v.get_mut(place)) {
            adam.step(simd, self.gradients[i], w, m, v);
        }
    }
}

/// [`Adam`] in vectors.
struct Constants<S: Simd> {
    rate: S::f32s,
    first: S::f32s,
    second: S::f32s,
    epsilon: S::f32s,
    /// Zero takes nothing away.
    decay: S::f32s,
}

impl<S: Simd> Constants<S> {
    #[inline(always)]
    fn new(simd: S, adam: &Adam<f32>) -> Self {
        Self {
            rate: simd.splat_f32s(adam.rate),
            first: simd.splat_f32s(adam.first),
            second: simd.splat_f32s(adam.second),
            epsilon: simd.splat_f32s(adam.epsilon),
            decay: simd.splat_f32s(adam.decay.unwrap_or(0.0)),
        }
    }

    /// The same operations in the same order as [`Adam::step`], so that the bits are the same.
    #[inline(always)]
    fn step(&self, simd: S, g: S::f32s, w: &mut S::f32s, m: &mut S::f32s, v: &mut S::f32s) {
        let kept = simd.sub_f32s(*w, simd.mul_f32s(*w, self.decay));
        let first = simd.add_f32s(*m, simd.mul_f32s(simd.sub_f32s(g, *m), self.first));
        let second = simd.add_f32s(*v, simd.mul_f32s(simd.sub_f32s(simd.mul_f32s(g, g), *v), self.second));
        let root = simd.add_f32s(simd.sqrt_f32s(second), self.epsilon);
        *w = simd.sub_f32s(kept, simd.div_f32s(simd.mul_f32s(first, self.rate), root));
        *m = first;
        *v = second;
    }
}
