//! Loops over a matrix of weights, rows of `inputs` weights, one row an output: what dense layers and convolutions are
//! made of. One copy of each in flash, whatever the number of layers.

use super::runs::{Runs, is_zero};
use crate::math::add_product;
use crate::{Arithmetic, Clamp, Trainable};
use core::ops::Range;

/// One output element a row of weights: `y = activation(W x + b)`. Rows go together, in pairs or fours, to share each
/// load of `x`; every sum runs in order, from its bias.
#[inline(never)]
pub(crate) fn rows<A: Arithmetic>(
    weights: &[A::Weight],
    channels: &[A::Channel],
    output: &A::Output,
    x: &[A::Element],
    y: &mut [A::Element],
) {
    let mut rows = weights.chunks_exact(x.len().max(1));
    let (channels, y) = if A::MANY_SUMS {
        let ((channels, last_channels), (y, last_y)) = (channels.as_chunks::<4>(), y.as_chunks_mut::<4>());
        for (channels, y) in channels.iter().zip(y) {
            let (Some(w0), Some(w1), Some(w2), Some(w3)) =
                (rows.next(), rows.next(), rows.next(), rows.next())
            else {
                return;
            };
            let sums = four_sums::<A>(channels.each_ref().map(A::start), x, [w0, w1, w2, w3]);
            finish::<A, 4>(output, channels, sums, y);
        }
        (last_channels, last_y)
    } else if cfg!(milligrad_mve) {
        // The compiler makes vectors of one plain sum, and of nothing else.
        (channels, y)
    } else {
        let ((channels, last_channel), (y, last_y)) = (channels.as_chunks::<2>(), y.as_chunks_mut::<2>());
        for (channels, y) in channels.iter().zip(y) {
            let (Some(w0), Some(w1)) = (rows.next(), rows.next()) else { return };
            let sums = two_sums::<A>(channels.each_ref().map(A::start), x, [w0, w1]);
            finish::<A, 2>(output, channels, sums, y);
        }
        (last_channel, last_y)
    };
    for ((channel, y), row) in channels.iter().zip(y).zip(rows) {
        let sum = x.iter().zip(row).fold(A::start(channel), |sum, (&x, &w)| A::multiply_add(sum, x, w));
        *y = A::finish(output, channel, sum);
    }
}

/// Inputs from which on a dense layer of floats leaves blocks of zeros out: fewer are not worth a look.
pub(crate) const WIDE: usize = 256;

/// As [`rows`], of at least [`WIDE`] inputs: blocks of 16 that are all zero are left out of the sums. Of finite weights that
/// changes nothing but the sign of a sum that is zero.
#[inline(never)]
pub(crate) fn wide_rows(weights: &[f32], biases: &[f32], output: &Clamp<f32>, x: &[f32], y: &mut [f32]) {
    sum_runs(Runs::new(x, usize::MAX, is_zero), biases, output, y, |run, sums| {
        if let (Some(weights), Some(part)) = (weights.get(run.start..), x.get(run)) {
            sums.add(weights, x.len(), part);
        }
    });
}

/// The sums of a layer whose inputs come in runs.
pub(crate) struct Sums<'s> {
    /// What they start from, in the first run.
    starts: Option<&'s [f32]>,
    /// The range they are limited to: that of the activation in the last run.
    output: &'s Clamp<f32>,
    y: &'s mut [f32],
}

/// Calls `add` for each run; it is to add the products of these inputs.
#[inline(always)]
pub(crate) fn sum_runs(
    mut runs: impl Iterator<Item = Range<usize>>,
    biases: &[f32],
    output: &Clamp<f32>,
    y: &mut [f32],
    mut add: impl FnMut(Range<usize>, Sums<'_>),
) {
    // Without any run the sums are the biases: those of no inputs.
    let (mut next, mut starts) = (Some(runs.next().unwrap_or(0..0)), Some(biases));
    while let Some(run) = next {
        next = runs.next();
        let output = if next.is_none() { output } else { &Clamp::<f32>::LINEAR };
        add(run, Sums { starts: starts.take(), output, y });
    }
}

impl<'s> Sums<'s> {
    /// Those of a layer whose inputs come all at once.
    #[cfg(not(milligrad_fpu))]
    #[inline(always)]
    pub(crate) fn new(biases: &'s [f32], output: &'s Clamp<f32>, y: &'s mut [f32]) -> Self {
        Self { starts: Some(biases), output, y }
    }

    /// Adds the products of these inputs and the first columns of rows that are `stride` weights apart.
    #[inline(never)]
    pub(crate) fn add(self, weights: &[f32], stride: usize, x: &[f32]) {
        let Self { starts, output, y } = self;
        #[cfg(milligrad_fpu)]
        crate::arch::arm_fpu::add_columns(weights, stride, starts, output, x, y);
        #[cfg(not(milligrad_fpu))]
        plain_add_columns(weights, stride, starts, output, x, y);
    }
}

/// `y = activation(s + W x)` for the first columns of rows that are `stride` weights apart, as many as `x` is long; `s` is `starts`, or
/// `y` where the sums go on.
#[cfg_attr(milligrad_fpu, allow(dead_code, reason = "there is a kernel for it"))]
#[inline(always)]
fn plain_add_columns(
    weights: &[f32],
    stride: usize,
    starts: Option<&[f32]>,
    output: &Clamp<f32>,
    x: &[f32],
    y: &mut [f32],
) {
    y.iter_mut().zip(starts.unwrap_or_default()).for_each(|(y, &start)| *y = start);
    let mut rows = weights.chunks(stride.max(1)).filter_map(|row| row.get(..x.len()));
    let (blocks, rest) = y.as_chunks_mut::<4>();
    for y in blocks {
        let (Some(w0), Some(w1), Some(w2), Some(w3)) = (rows.next(), rows.next(), rows.next(), rows.next())
        else {
            return;
        };
        *y = four_sums::<f32>(*y, x, [w0, w1, w2, w3]).map(|sum| output.apply(sum));
    }
    for (y, row) in rest.iter_mut().zip(rows) {
        *y = output.apply(x.iter().zip(row).fold(*y, |sum, (&x, &w)| add_product(sum, x, w)));
    }
}

/// Sums as outputs.
#[inline(always)]
pub(crate) fn finish<A: Arithmetic, const N: usize>(
    output: &A::Output,
    channels: &[A::Channel; N],
    sums: [A::Accumulator; N],
    y: &mut [A::Element; N],
) {
    for ((y, channel), sum) in y.iter_mut().zip(channels).zip(sums) {
        *y = A::finish(output, channel, sum);
    }
}

/// Adds `x wᵢ` to each sum. Written out, and in runs of 8, as the compiler makes the shortest loop of it.
#[inline(always)]
fn two_sums<A: Arithmetic>(
    [mut s0, mut s1]: [A::Accumulator; 2],
    x: &[A::Element],
    [w0, w1]: [&[A::Weight]; 2],
) -> [A::Accumulator; 2] {
    let mut add = |x: &[A::Element], w0: &[A::Weight], w1: &[A::Weight]| {
        for ((&x, &w0), &w1) in x.iter().zip(w0).zip(w1) {
            s0 = A::multiply_add(s0, x, w0);
            s1 = A::multiply_add(s1, x, w1);
        }
    };
    let ((x, last_x), (w0, last_w0), (w1, last_w1)) =
        (x.as_chunks::<8>(), w0.as_chunks::<8>(), w1.as_chunks::<8>());
    x.iter().zip(w0).zip(w1).for_each(|((x, w0), w1)| add(x, w0, w1));
    add(last_x, last_w0, last_w1);
    [s0, s1]
}

/// As [`two_sums`].
#[inline(always)]
fn four_sums<A: Arithmetic>(
    [mut s0, mut s1, mut s2, mut s3]: [A::Accumulator; 4],
    x: &[A::Element],
    [w0, w1, w2, w3]: [&[A::Weight]; 4],
) -> [A::Accumulator; 4] {
    let mut add =
        |x: &[A::Element], w0: &[A::Weight], w1: &[A::Weight], w2: &[A::Weight], w3: &[A::Weight]| {
            for ((((&x, &w0), &w1), &w2), &w3) in x.iter().zip(w0).zip(w1).zip(w2).zip(w3) {
                s0 = A::multiply_add(s0, x, w0);
                s1 = A::multiply_add(s1, x, w1);
                s2 = A::multiply_add(s2, x, w2);
                s3 = A::multiply_add(s3, x, w3);
            }
        };
    let ((x, last_x), (w0, last_w0), (w1, last_w1), (w2, last_w2), (w3, last_w3)) = (
        x.as_chunks::<8>(),
        w0.as_chunks::<8>(),
        w1.as_chunks::<8>(),
        w2.as_chunks::<8>(),
        w3.as_chunks::<8>(),
    );
    for ((((x, w0), w1), w2), w3) in x.iter().zip(w0).zip(w1).zip(w2).zip(w3) {
        add(x, w0, w1, w2, w3);
    }
    add(last_x, last_w0, last_w1, last_w2, last_w3);
    [s0, s1, s2, s3]
}

/// `δx = Wᵀ δ` for rows of `inputs` weights. Columns go together, in fours or eights, to share each load of `δ`.
#[inline(never)]
pub(crate) fn columns<A: Trainable>(
    inputs: usize,
    weights: &[A::Weight],
    delta: &[A::Element],
    delta_x: &mut [A::Element],
) {
    let mut at = 0;
    let mut rest = delta_x;
    if A::MANY_SUMS {
        rest = column_blocks::<A, 8>(inputs, weights, delta, rest, &mut at);
    }
    rest = column_blocks::<A, 4>(inputs, weights, delta, rest, &mut at);
    column_blocks::<A, 1>(inputs, weights, delta, rest, &mut at);
}

/// The columns from `at` on, `N` together; returns the elements of `delta_x` that are left.
#[inline(always)]
fn column_blocks<'d, A: Trainable, const N: usize>(
    inputs: usize,
    weights: &[A::Weight],
    delta: &[A::Element],
    delta_x: &'d mut [A::Element],
    at: &mut usize,
) -> &'d mut [A::Element] {
    let (blocks, rest) = delta_x.as_chunks_mut::<N>();
    for block in blocks {
        let mut sums = [A::ZERO; N];
        for (row, &delta) in weights.chunks_exact(inputs.max(1)).zip(delta) {
            if let Some(row) = row.get(*at..).and_then(|row| row.first_chunk::<N>()) {
                sums.iter_mut().zip(row).for_each(|(sum, &w)| *sum = A::multiply_add_delta(*sum, w, delta));
            }
        }
        *block = sums.map(A::delta);
        *at += N;
    }
    rest
}

/// Adds `δ xᵀ` to `gradient`.
#[inline(never)]
pub(crate) fn outer<A: Trainable>(x: &[A::Element], delta: &[A::Element], gradient: &mut [A::Gradient]) {
    update_rows(
        gradient,
        x.len(),
        delta,
        x,
        A::NO_DELTA,
        |delta| delta,
        |sum, delta, x| *sum = A::accumulate(*sum, delta, x),
    );
}

/// `M -= (factor δ) xᵀ` for the first columns of rows that are `stride` elements apart, as many as `x` is long, but for rows
/// whose `δ` is zero and, of at least [`WIDE`] `x`, for blocks of 16, counted from the first, that are: there `M` stays, even if
/// the other factor is not finite. The update of plain descent, and with -1 as factor a sum of gradients.
#[inline(always)]
pub(crate) fn subtract_outer(matrix: &mut [f32], stride: usize, factor: f32, delta: &[f32], x: &[f32]) {
    if x.len() < WIDE {
        subtract_all(matrix, stride, factor, delta, x);
    } else {
        subtract_runs(matrix, stride, factor, delta, x);
    }
}

#[inline(never)]
fn subtract_runs(matrix: &mut [f32], stride: usize, factor: f32, delta: &[f32], x: &[f32]) {
    for run in Runs::new(x, usize::MAX, is_zero) {
        if let (Some(matrix), Some(x)) = (matrix.get_mut(run.start..), x.get(run)) {
            subtract_all(matrix, stride, factor, delta, x);
        }
    }
}

/// As [`subtract_outer`], blocks of zeros included.
#[inline(never)]
pub(crate) fn subtract_all(matrix: &mut [f32], stride: usize, factor: f32, delta: &[f32], x: &[f32]) {
    #[cfg(milligrad_fpu)]
    crate::arch::arm_fpu::subtract_all(matrix, stride, factor, delta, x);
    #[cfg(not(milligrad_fpu))]
    update_rows(
        matrix,
        stride,
        delta,
        x,
        0.0,
        |delta| factor * delta,
        |m, step, x| *m = add_product(*m, -step, x),
    );
}

/// Calls `update(m, factor(δ), x)` for the first elements `m` of rows that are `stride` elements apart, as many as `x` is
/// long. Rows whose `δ` is `none` are left alone; the others go in pairs, to share each load of `x`.
#[inline(always)]
pub(crate) fn update_rows<M, E: Copy + PartialOrd, F: Copy>(
    matrix: &mut [M],
    stride: usize,
    delta: &[E],
    x: &[E],
    none: E,
    factor: impl Fn(E) -> F,
    update: impl Fn(&mut M, F, E),
) {
    let (runs, last_x) = x.as_chunks::<8>();
    let mut waiting: Option<(&mut [M], F)> = None;
    for (row, &delta) in matrix.chunks_mut(stride.max(1)).zip(delta) {
        let (Some(row), true) = (row.get_mut(..x.len()), delta != none) else { continue };
        let (b, factor_b) = (row, factor(delta));
        let Some((a, factor_a)) = waiting.take() else {
            waiting = Some((b, factor_b));
            continue;
        };
        let pair = |a: &mut [M], b: &mut [M], x: &[E]| {
            for ((a, b), &x) in a.iter_mut().zip(b).zip(x) {
                update(a, factor_a, x);
                update(b, factor_b, x);
            }
        };
        let ((a, last_a), (b, last_b)) = (a.as_chunks_mut::<8>(), b.as_chunks_mut::<8>());
        for ((a, b), x) in a.iter_mut().zip(b).zip(runs) {
            pair(a, b, x);
        }
        pair(last_a, last_b, last_x);
    }
    if let Some((a, factor_a)) = waiting {
        a.iter_mut().zip(x).for_each(|(a, &x)| update(a, factor_a, x));
    }
}

/// `δ = 0` where the fused activation limited `y`. Not inlined: for a range that it knows the compiler makes long
/// bit tests of the comparisons, for each element anew.
#[inline(never)]
pub(crate) fn backward_clamp<A: Trainable>(output: &A::Output, y: &[A::Element], delta: &mut [A::Element]) {
    for (delta, &y) in delta.iter_mut().zip(y) {
        if !A::passed(output, y) {
            *delta = A::NO_DELTA;
        }
    }
}

/// `n = a b`, without overflow.
pub(crate) const fn is_product(n: usize, a: usize, b: usize) -> bool {
    matches!(a.checked_mul(b), Some(product) if product == n)
}
