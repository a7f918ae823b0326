//! The loops of dense layers and convolutions in fixed point. A sum is exact, and saturates once, when it is finished.
//!
//! A product of two `i16` takes 31 bits, and cores without an FPU have no room for more than 32. Where `Σ|x|` is small enough no sum
//! can leave an `i32`, whatever the weights, and the loop needs no check; elsewhere sums take 64 bits.

#[cfg(not(milligrad_thumb))]
use super::portable as kernels;
use super::{Fixed16, WEIGHT_BITS, round_shift, saturate};
#[cfg(milligrad_thumb)]
use crate::arch::thumb as kernels;
use crate::{Arithmetic, Clamp};

/// `Σ|x|` up to which no `Σ x w` leaves an `i32`: `65,535 · 2¹⁵ < 2³¹`.
const NARROW: u32 = 65_535;

/// `Σ|x|`, or anything over [`NARROW`] if it is over that.
#[inline(always)]
fn magnitude(x: &[i16]) -> u32 {
    x.iter().fold(0, |sum: u32, &x| sum.saturating_add(x.unsigned_abs().into()))
}

/// As `matrix::rows`. Four rows go together, to share each load of `x`; where there are fewer, the last is summed again.
#[inline(never)]
pub(super) fn rows(weights: &[i16], biases: &[i32], output: &Clamp<i16>, x: &[i16], y: &mut [i16]) {
    if magnitude(x) > NARROW {
        return wide_rows(weights, biases, output, x, y);
    }
    let mut rows = weights.chunks_exact(x.len().max(1));
    for (biases, y) in biases.chunks(4).zip(y.chunks_mut(4)) {
        let Some(mut row) = rows.next() else { return };
        let mut next = || {
            let this = row;
            row = rows.next().unwrap_or(row);
            this
        };
        let four = if biases.len() == 4 {
            let [w0, w1, w2] = [next(), next(), next()];
            [w0, w1, w2, row]
        } else {
            [next(), next(), next(), next()]
        };
        let sums = kernels::four_sums(x, four);
        for ((y, bias), sum) in y.iter_mut().zip(biases).zip(sums) {
            *y = Fixed16::finish(output, bias, bias.saturating_add(sum));
        }
    }
}

/// As [`rows`], for any `x`.
#[inline(never)]
fn wide_rows(weights: &[i16], biases: &[i32], output: &Clamp<i16>, x: &[i16], y: &mut [i16]) {
    let rows = weights.chunks_exact(x.len().max(1));
    for ((&bias, row), y) in biases.iter().zip(rows).zip(y) {
        let terms = x.iter().zip(row).map(|(&x, &w)| i64::from(i32::from(x) * i32::from(w)));
        *y = Fixed16::finish(output, &bias, narrow(terms.fold(bias.into(), |sum, term| sum + term)));
    }
}

/// As `matrix::columns`. Two columns go together, to share each load of `δ`.
#[inline(never)]
pub(super) fn columns(inputs: usize, weights: &[i16], delta: &[i16], delta_x: &mut [i16]) {
    if magnitude(delta) > NARROW {
        return wide_columns(inputs, weights, delta, delta_x);
    }
    let mut rest = weights;
    let (pairs, last) = delta_x.as_chunks_mut::<2>();
    for pair in pairs {
        *pair = kernels::two_columns(inputs, rest, delta).map(delta_of);
        rest = rest.get(2..).unwrap_or_default();
    }
    if let [last] = last {
        *last = delta_of(column(inputs, rest, delta).fold(0, |sum: i32, term| sum.wrapping_add(term)));
    }
}

/// The products of the first column of rows of `inputs` weights.
#[inline(always)]
fn column<'a>(inputs: usize, weights: &'a [i16], delta: &'a [i16]) -> impl Iterator<Item = i32> + 'a {
    let column = weights.iter().step_by(inputs.max(1));
    column.zip(delta).map(|(&w, &delta)| i32::from(w) * i32::from(delta))
}

/// As [`columns`], for any `δ`.
#[inline(never)]
fn wide_columns(inputs: usize, weights: &[i16], delta: &[i16], delta_x: &mut [i16]) {
    let mut rest = weights;
    for delta_x in delta_x {
        let sum = column(inputs, rest, delta).fold(0, |sum, term| sum + i64::from(term));
        *delta_x = delta_of(narrow(sum));
        rest = rest.get(1..).unwrap_or_default();
    }
}

#[inline(always)]
fn delta_of(sum: i32) -> i16 {
    saturate(round_shift(sum, WEIGHT_BITS))
}

/// The nearest `i32`.
#[inline(always)]
fn narrow(sum: i64) -> i32 {
    sum.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}
