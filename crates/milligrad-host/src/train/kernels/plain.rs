//! The kernels as formulas: what they compute, in any float format. The other files are tested against this one.

use super::{Adam, Patches, Remembered};
use crate::train::real::Real;

/// `y[p, o] = clamp(bias[o] + Σ[t, c] weights[o, t, c] x[pixel(p, t), c])`
pub(crate) fn correlate<F: Real, const N: usize>(
    patches: Patches<'_>,
    weights: &[F],
    bias: &[F],
    x: &[[F; N]],
    y: &mut [[F; N]],
    (low, high): (F, F),
) {
    let channels = patches.channels;
    for (pixels, y) in patches.positions().zip(y.chunks_exact_mut(bias.len())) {
        for ((y, weights), &bias) in y.iter_mut().zip(weights.chunks_exact(patches.len())).zip(bias) {
            let mut sum = [bias; N];
            for (&pixel, weights) in pixels.iter().zip(weights.chunks_exact(channels)) {
                for (x, &w) in x[pixel as usize * channels..].iter().zip(weights) {
                    sum.iter_mut().zip(x).for_each(|(sum, &x)| *sum += w * x);
                }
            }
            for (y, sum) in y.iter_mut().zip(sum) {
                let sum = if sum < low { low } else { sum };
                *y = if sum > high { high } else { sum };
            }
        }
    }
}

/// `dx[pixel(p, t), c] += Σ[o] weights[o, t, c] dy[p, o]`; what falls on padding is to be ignored.
pub(crate) fn correlate_input<F: Real, const N: usize>(
    patches: Patches<'_>,
    weights: &[F],
    dy: &[[F; N]],
    dx: &mut [[F; N]],
) {
    let outputs = weights.len() / patches.len();
    let channels = patches.channels;
    for (pixels, dy) in patches.positions().zip(dy.chunks_exact(outputs)) {
        for (dy, weights) in dy.iter().zip(weights.chunks_exact(patches.len())) {
            for (&pixel, weights) in pixels.iter().zip(weights.chunks_exact(channels)) {
                for (dx, &w) in dx[pixel as usize * channels..].iter_mut().zip(weights) {
                    dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += w * dy);
                }
            }
        }
    }
}

/// `dw[o, t, c] = Σ[p, n] dy[p, o][n] x[pixel(p, t), c][n]`, or added to it.
pub(crate) fn correlate_weights<F: Real, const N: usize>(
    patches: Patches<'_>,
    x: &[[F; N]],
    dy: &[[F; N]],
    dw: &mut [F],
    accumulate: bool,
) {
    let outputs = dw.len() / patches.len();
    let channels = patches.channels;
    for (output, dw) in dw.chunks_exact_mut(patches.len()).enumerate() {
        for (weight, dw) in dw.iter_mut().enumerate() {
            let mut sum = [F::ZERO; N];
            for (pixels, dy) in patches.positions().zip(dy.chunks_exact(outputs)) {
                let x = &x[pixels[weight / channels] as usize * channels + weight % channels];
                sum.iter_mut().zip(x).zip(&dy[output]).for_each(|((sum, &x), &dy)| *sum += x * dy);
            }
            let sum = sum.into_iter().fold(F::ZERO, |a, b| a + b);
            *dw = if accumulate { *dw + sum } else { sum };
        }
    }
}

/// `dw[o, i] = Σ[n] dy[o][n] rows[n, i]`, or added to it. A row holds the `i` of one sample, and ends in zeros
/// where it is longer than `width`.
pub(crate) fn outer<F: Real, const N: usize>(
    rows: &[F],
    width: usize,
    dy: &[[F; N]],
    dw: &mut [F],
    accumulate: bool,
) {
    let length = rows.len() / N;
    for (dy, dw) in dy.iter().zip(dw.chunks_exact_mut(width)) {
        if !accumulate {
            dw.fill(F::ZERO);
        }
        for (row, &dy) in rows.chunks_exact(length).zip(dy) {
            dw.iter_mut().zip(row).for_each(|(dw, &x)| *dw += dy * x);
        }
    }
}

/// A step of Adam for weights `[outputs, width]`, those of the outputs from `first` on, with the gradient that [`outer`]
/// computes of all blocks: `rows` and `dy` of each.
pub(crate) fn outer_adam<F: Real, const N: usize>(
    blocks: &[(&[F], &[[F; N]])],
    (width, first): (usize, usize),
    adam: Adam<F>,
    mut weights: Remembered<'_, F>,
) {
    let mut gradient = vec![F::ZERO; width];
    for o in 0..weights.w.len() / width {
        for (i, (rows, dy)) in blocks.iter().enumerate() {
            outer(rows, width, &dy[first + o..=first + o], &mut gradient, i > 0);
        }
        adam.step(&gradient, weights.part(o * width..(o + 1) * width));
    }
}

/// `to[column, row] = from[row, column]` for the first `columns` of all rows.
pub(crate) fn transpose<F: Copy>(
    (from, length): (&[F], usize),
    columns: usize,
    (to, stride): (&mut [F], usize),
) {
    for (row, from) in from.chunks_exact(length).enumerate() {
        for (to, &value) in to[row..].iter_mut().step_by(stride).zip(&from[..columns]) {
            *to = value;
        }
    }
}
