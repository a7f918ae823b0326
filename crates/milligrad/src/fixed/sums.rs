//! The loops of dense layers and convolutions in fixed point. A sum is exact, and saturates once, when it is finished.
//!
//! A product of two `i16` takes 31 bits, and cores without an FPU have no room for more than 32. Where `Σ|x|` is small enough no sum
//! can leave an `i32`, whatever the weights, and the loop needs no check; elsewhere sums take 64 bits.

use super::{Fixed16, WEIGHT_BITS, round_shift, saturate};
use crate::{Arithmetic, Clamp};

/// `Σ|x|` up to which no `Σ x w` leaves an `i32`: `65,535 · 2¹⁵ < 2³¹`.
const NARROW: u32 = 65_535;

/// `Σ|x|`, or anything over [`NARROW`] if it is over that.
#[inline(always)]
fn magnitude(x: &[i16]) -> u32 {
    x.iter().fold(0, |sum: u32, &x| sum.saturating_add(x.unsigned_abs().into()))
}

/// As `matrix::rows`.
#[inline(never)]
pub(super) fn rows(weights: &[i16], biases: &[i32], output: &Clamp<i16>, x: &[i16], y: &mut [i16]) {
    if magnitude(x) > NARROW {
        return wide_rows(weights, biases, output, x, y);
    }
    let finish = |bias: i32, sum: i32| Fixed16::finish(output, &bias, bias.saturating_add(sum));
    let mut rows = weights.chunks_exact(x.len().max(1));
    let ((pairs, last), (y, last_y)) = (biases.as_chunks::<2>(), y.as_chunks_mut::<2>());
    for ([b0, b1], [y0, y1]) in pairs.iter().zip(y) {
        let (Some(w0), Some(w1)) = (rows.next(), rows.next()) else { return };
        let (s0, s1) = two_sums(x, w0, w1);
        *y0 = finish(*b0, s0);
        *y1 = finish(*b1, s1);
    }
    if let ([bias], [y], Some(w)) = (last, last_y, rows.next()) {
        *y = finish(*bias, two_sums(x, w, w).0);
    }
}

/// Two rows together, to share each load of `x`.
#[inline(always)]
fn two_sums(x: &[i16], w0: &[i16], w1: &[i16]) -> (i32, i32) {
    let (mut s0, mut s1) = (0_i32, 0_i32);
    for ((&x, &w0), &w1) in x.iter().zip(w0).zip(w1) {
        s0 = s0.wrapping_add(i32::from(x) * i32::from(w0));
        s1 = s1.wrapping_add(i32::from(x) * i32::from(w1));
    }
    (s0, s1)
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

/// As `matrix::columns`.
#[inline(never)]
pub(super) fn columns(inputs: usize, weights: &[i16], delta: &[i16], delta_x: &mut [i16]) {
    let small = magnitude(delta) <= NARROW;
    let mut rest = weights;
    let (blocks, last) = delta_x.as_chunks_mut::<4>();
    for block in blocks {
        block.copy_from_slice(&column_block::<4>(inputs, rest, delta, small));
        rest = rest.get(4..).unwrap_or_default();
    }
    for delta_x in last {
        [*delta_x] = column_block::<1>(inputs, rest, delta, small);
        rest = rest.get(1..).unwrap_or_default();
    }
}

/// `N` columns together, to share each load of `δ`; `weights` begin at the first of them.
#[inline(always)]
fn column_block<const N: usize>(inputs: usize, weights: &[i16], delta: &[i16], small: bool) -> [i16; N] {
    let rows = || weights.chunks(inputs.max(1)).filter_map(|row| row.first_chunk::<N>()).zip(delta);
    if small {
        let mut sums = [0_i32; N];
        for (row, &delta) in rows() {
            let term = |w: i16| i32::from(w) * i32::from(delta);
            sums.iter_mut().zip(row).for_each(|(sum, &w)| *sum = sum.wrapping_add(term(w)));
        }
        return sums.map(delta_of);
    }
    let mut sums = [0_i64; N];
    for (row, &delta) in rows() {
        sums.iter_mut().zip(row).for_each(|(sum, &w)| *sum += i64::from(i32::from(w) * i32::from(delta)));
    }
    sums.map(|sum| delta_of(narrow(sum)))
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
