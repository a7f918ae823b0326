//! The kernels of [`plain`] for `f32`, with the machine's widest vectors and fused multiply-add.
//!
//! All four are tiles of sums that stay in registers: `M` broadcast numbers times `V` vectors.

use super::{Patches, plain};
use pulp::{Arch, Simd, WithSimd};

/// Numbers of sums in a tile: what the registers hold besides the operands.
const fn budget<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 24 } else { 12 }
}

/// Calls a tile function for strips of `$total` rows, each as high as `$limit` allows; `$M` is the height.
macro_rules! strips {
    ($total:expr, $limit:expr, |$start:ident, $m:ident| $tile:expr) => {{
        let (total, limit) = ($total, $limit);
        let mut $start = 0;
        while $start < total {
            let room = if total - $start < limit { total - $start } else { limit };
            macro_rules! step {
                ($height:literal) => {{
                    const $m: usize = $height;
                    $tile;
                    $start += $height;
                }};
            }
            match room {
                12.. => step!(12),
                8.. => step!(8),
                6.. => step!(6),
                4.. => step!(4),
                2.. => step!(2),
                _ => step!(1),
            }
        }
    }};
}

/// Runs `$run::<S, V>` with the number of vectors of a tile that suits blocks of `N`; the plain kernel without vectors.
macro_rules! by_width {
    ($n:expr, $run:ident, $plain:expr) => {
        match ($n / S::F32_LANES, budget::<S>()) {
            _ if S::F32_LANES == 1 || $n % S::F32_LANES != 0 => $plain,
            (1, _) => $run!(1),
            (2, _) | (_, 12) => $run!(2),
            _ => $run!(4),
        }
    };
}

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

struct Correlate<'a, const N: usize> {
    patches: Patches<'a>,
    weights: &'a [f32],
    bias: &'a [f32],
    x: &'a [[f32; N]],
    y: &'a mut [[f32; N]],
    clamp: (f32, f32),
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
        for (pixels, y) in self.patches.positions().zip(y.chunks_exact_mut(outputs * block)) {
            for vector in (0..block).step_by(V) {
                strips!(outputs, budget::<S>() / V, |o, M| {
                    let mut sums = [[simd.splat_f32s(0.0); V]; M];
                    for (sums, &bias) in sums.iter_mut().zip(&self.bias[o..o + M]) {
                        *sums = [simd.splat_f32s(bias); V];
                    }
                    let weights = &self.weights[o * self.patches.len()..(o + M) * self.patches.len()];
                    multiply::<S, M, V>(simd, self.patches, pixels, weights, (x, block, vector), &mut sums);
                    let (low, high) = (simd.splat_f32s(self.clamp.0), simd.splat_f32s(self.clamp.1));
                    for (y, sums) in y[o * block..].chunks_exact_mut(block).zip(sums) {
                        for (y, sum) in y[vector..vector + V].iter_mut().zip(sums) {
                            // In this order NaN stays NaN.
                            *y = simd.min_f32s(high, simd.max_f32s(low, sum));
                        }
                    }
                });
            }
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

/// See [`plain::correlate_input`].
pub(crate) fn correlate_input<const N: usize>(
    patches: Patches<'_>,
    weights: &[f32],
    dy: &[[f32; N]],
    dx: &mut [[f32; N]],
) {
    Arch::new().dispatch(CorrelateInput { patches, weights, dy, dx });
}

struct CorrelateInput<'a, const N: usize> {
    patches: Patches<'a>,
    weights: &'a [f32],
    dy: &'a [[f32; N]],
    dx: &'a mut [[f32; N]],
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

struct CorrelateWeights<'a, const N: usize> {
    patches: Patches<'a>,
    x: &'a [[f32; N]],
    dy: &'a [[f32; N]],
    dw: &'a mut [f32],
    accumulate: bool,
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

struct Outer<'a, const N: usize> {
    rows: &'a [f32],
    width: usize,
    dy: &'a [[f32; N]],
    dw: &'a mut [f32],
    accumulate: bool,
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
        for column in (0..vectors).step_by(2) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::buffer::Buffer;
    use crate::train::random::Pcg32;

    fn random(random: &mut Pcg32, len: usize) -> Buffer<f32> {
        let mut buffer = Buffer::zeros(len);
        buffer.iter_mut().for_each(|x| *x = 2.0 * random.uniform() - 1.0);
        buffer
    }

    fn close(a: &[f32], b: &[f32]) {
        assert_eq!(a.len(), b.len());
        for (i, (a, b)) in a.iter().zip(b).enumerate() {
            assert!((a - b).abs() < 1e-4 * (1.0 + b.abs()), "{i}: {a} and {b}");
        }
    }

    /// All sizes of tiles and rests, against the formulas.
    fn check<const N: usize>(seed: u64) {
        let r = &mut Pcg32::new(seed);
        let mut draw = |from: u32, to: u32| (from + r.below(to - from)) as usize;
        let (positions, taps, channels, outputs) = (draw(1, 6), draw(1, 6), draw(1, 30), draw(1, 40));
        let count = draw(1, 9);
        let pixels: Vec<u32> = (0..positions * taps).map(|_| draw(0, count as u32 + 1) as u32).collect();
        let patches = Patches { pixels: &pixels, taps, channels };
        let weights = random(r, outputs * patches.len());
        let bias = random(r, outputs);
        let x = random(r, (count + 1) * channels * N);
        let dy = random(r, positions * outputs * N);
        let clamp = (-0.5, 0.75);

        let mut y = [Buffer::zeros(positions * outputs * N), Buffer::zeros(positions * outputs * N)];
        correlate::<N>(patches, &weights, &bias, x.blocks(), y[0].blocks_mut(), clamp);
        plain::correlate::<f32, N>(patches, &weights, &bias, x.blocks(), y[1].blocks_mut(), clamp);
        close(&y[0], &y[1]);

        let mut dx = [x.clone(), x.clone()];
        correlate_input::<N>(patches, &weights, dy.blocks(), dx[0].blocks_mut());
        plain::correlate_input::<f32, N>(patches, &weights, dy.blocks(), dx[1].blocks_mut());
        close(&dx[0], &dx[1]);

        for accumulate in [false, true] {
            let mut dw = [weights.clone(), weights.clone()];
            correlate_weights::<N>(patches, x.blocks(), dy.blocks(), &mut dw[0], accumulate);
            plain::correlate_weights::<f32, N>(patches, x.blocks(), dy.blocks(), &mut dw[1], accumulate);
            close(&dw[0], &dw[1]);

            let rows = random(r, patches.len().next_multiple_of(32) * N);
            let dy = &dy.blocks::<N>()[..outputs];
            outer::<N>(&rows, patches.len(), dy, &mut dw[0], accumulate);
            plain::outer::<f32, N>(&rows, patches.len(), dy, &mut dw[1], accumulate);
            close(&dw[0], &dw[1]);
        }
    }

    #[test]
    fn vectors_agree_with_the_formulas() {
        for seed in 0..60 {
            check::<16>(seed);
            check::<32>(seed);
            check::<4>(seed);
        }
    }

    #[test]
    fn nan_stays_nan() {
        let mut y = [[0.0; 16]];
        correlate::<16>(Patches::dense(1), &[1.0], &[0.0], &[[f32::NAN; 16]], &mut y, (0.0, 6.0));
        assert!(y[0].iter().all(|y| y.is_nan()));
    }
}
