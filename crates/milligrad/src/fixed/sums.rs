//! The loops of dense layers and convolutions in fixed point. A sum is exact, and saturates once, when it is finished.
//!
//! A product of two `i16` takes 31 bits, and cores without an FPU multiply into 32. Where `Σ|x|` is small enough no sum can leave
//! an `i32`, whatever the weights, and the loop needs no check. Longer inputs are cut into parts that are so small, whose sums add
//! up in 64 bits.

#[cfg(not(milligrad_thumb))]
use super::portable as kernels;
use super::{Fixed16, WEIGHT_BITS, round_shift, saturate};
use crate::arch::rolled;
#[cfg(milligrad_thumb)]
use crate::arch::thumb as kernels;
use crate::{Arithmetic, Clamp};

/// `Σ|x|` up to which no `Σ x w` leaves an `i32`: `65,535 · 2¹⁵ < 2³¹`.
const NARROW: u32 = 65_535;

/// The length of parts of `x`, all but the last as long, whose `Σ|x|` is at most [`NARROW`]: that of `x`, halved until it fits.
#[inline(never)]
fn part_len(x: &[i16]) -> usize {
    // So many `|x|` fit a `u32`.
    let mut len = x.len().min(1 << 16);
    let magnitude = |part: &[i16]| {
        part.iter().fold(0_u32, |sum, &x| {
            rolled();
            sum.wrapping_add(x.unsigned_abs().into())
        })
    };
    // At the latest, one element fits.
    while x.chunks(len.max(1)).any(|part| magnitude(part) > NARROW) {
        len = len.div_ceil(2);
    }
    len.max(1)
}

/// As `matrix::rows`.
#[inline(never)]
pub(super) fn rows(weights: &[i16], biases: &[i32], output: &Clamp<i16>, x: &[i16], y: &mut [i16]) {
    let len = part_len(x);
    if x.len() <= len {
        by_fours(weights, biases, output, x.len(), y, |rows| kernels::four_sums(x, rows));
    } else {
        wide_rows(weights, biases, output, x, len, y);
    }
}

/// As [`rows`], with sums of parts that are `len` long.
#[inline(never)]
fn wide_rows(weights: &[i16], biases: &[i32], output: &Clamp<i16>, x: &[i16], len: usize, y: &mut [i16]) {
    by_fours(weights, biases, output, x.len(), y, |mut rows| {
        let mut sums = [0_i64; 4];
        for part in x.chunks(len.max(1)) {
            add(&mut sums, kernels::four_sums(part, rows));
            rows = rows.map(|row| row.get(part.len()..).unwrap_or_default());
        }
        sums
    });
}

/// Finishes the sums of all rows. Four rows go together, to share each load of `x`; where there are fewer, the last is summed
/// again.
#[inline(always)]
fn by_fours<S: Into<i64>>(
    weights: &[i16],
    biases: &[i32],
    output: &Clamp<i16>,
    inputs: usize,
    y: &mut [i16],
    sums: impl Fn([&[i16]; 4]) -> [S; 4],
) {
    let mut rows = weights.chunks_exact(inputs.max(1));
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
        for ((y, &bias), sum) in y.iter_mut().zip(biases).zip(sums(four)) {
            *y = Fixed16::finish(output, &bias, narrow(i64::from(bias) + sum.into()));
        }
    }
}

/// As `matrix::columns`.
#[inline(never)]
pub(super) fn columns(inputs: usize, weights: &[i16], delta: &[i16], delta_x: &mut [i16]) {
    let len = part_len(delta);
    if delta.len() <= len {
        by_twos(inputs, weights, delta, delta_x, |columns| kernels::two_columns(inputs, columns, delta));
    } else {
        wide_columns(inputs, weights, delta, len, delta_x);
    }
}

/// As [`columns`], with sums of parts that are `len` long.
#[inline(never)]
fn wide_columns(inputs: usize, weights: &[i16], delta: &[i16], len: usize, delta_x: &mut [i16]) {
    by_twos(inputs, weights, delta, delta_x, |mut columns| {
        let mut sums = [0_i64; 2];
        for part in delta.chunks(len.max(1)) {
            add(&mut sums, kernels::two_columns(inputs, columns, part));
            columns = columns.get(part.len().saturating_mul(inputs)..).unwrap_or_default();
        }
        sums
    });
}

/// Finishes the sums of all columns. Two go together, to share each load of `δ`.
#[inline(always)]
fn by_twos<S: Into<i64>>(
    inputs: usize,
    weights: &[i16],
    delta: &[i16],
    delta_x: &mut [i16],
    sums: impl Fn(&[i16]) -> [S; 2],
) {
    let mut columns = weights;
    let (pairs, last) = delta_x.as_chunks_mut::<2>();
    for pair in pairs {
        *pair = sums(columns).map(|sum| delta_of(sum.into()));
        columns = columns.get(2..).unwrap_or_default();
    }
    if let [last] = last {
        let products = columns.iter().step_by(inputs.max(1)).zip(delta).map(|(&w, &delta)| {
            rolled();
            i64::from(i32::from(w) * i32::from(delta))
        });
        *last = delta_of(products.sum());
    }
}

#[inline(always)]
fn add<const N: usize>(sums: &mut [i64; N], part: [i32; N]) {
    sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += i64::from(part));
}

#[inline(always)]
fn delta_of(sum: i64) -> i16 {
    saturate(round_shift(narrow(sum), WEIGHT_BITS))
}

/// The nearest `i32`.
#[inline(always)]
fn narrow(sum: i64) -> i32 {
    sum.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 900;

    /// Inputs of every length and magnitude, from one part to parts of one element, and weights.
    fn each(mut check: impl FnMut(&[i16], &[i16])) {
        let mut word = 1_u32;
        let mut random = || {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (word >> 16) as i16
        };
        for n in [1, 2, 3, 17, 64, 511, 784, MOST] {
            for bits in 0..16 {
                let x: [i16; MOST] = core::array::from_fn(|_| random() >> bits);
                let weights: [i16; 5 * MOST] = core::array::from_fn(|_| random());
                check(&x[..n], &weights[..5 * n]);
            }
            check(&[i16::MIN; MOST][..n], &[i16::MIN; 5 * MOST][..5 * n]);
        }
    }

    #[test]
    fn parts_are_small_enough_and_no_smaller() {
        let fits = |x: &[i16], len| {
            x.chunks(len).all(|part| part.iter().map(|x| u64::from(x.unsigned_abs())).sum::<u64>() <= 65_535)
        };
        each(|x, _| {
            let len = part_len(x);
            assert!(len >= 1 && fits(x, len));
            // Of one of these it is the half.
            let whole = fits(x, 2 * len - 1) && fits(x, 2 * len);
            assert!(len == x.len() || !whole, "{len} of {}", x.len());
        });
        assert_eq!(part_len(&[]), 1);
    }

    #[test]
    fn sums_are_exact() {
        each(|x, weights| {
            let biases = [i32::MIN, 77, -1_000_000, i32::MAX, 0];
            let products =
                |row: &[i16]| -> i64 { x.iter().zip(row).map(|(&x, &w)| i64::from(x) * i64::from(w)).sum() };
            let nearest = |sum: i64| ((sum + (1 << 11)) >> 12).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
            for outputs in 1..=5 {
                let mut y = [0; 5];
                rows(weights, &biases[..outputs], &Clamp::<i16>::LINEAR, x, &mut y[..outputs]);
                for ((y, row), bias) in y.iter().zip(weights.chunks(x.len())).zip(&biases[..outputs]) {
                    assert_eq!(*y, nearest(products(row) + i64::from(*bias)), "{outputs} of {}", x.len());
                }
            }
            // The same weights as columns: five inputs, and a row for each element of `x`.
            let mut y = [0; 5];
            columns(5, weights, x, &mut y);
            for (i, y) in y.into_iter().enumerate() {
                let mut column = [0; MOST];
                column.iter_mut().zip(weights.iter().skip(i).step_by(5)).for_each(|(to, &w)| *to = w);
                assert_eq!(y, nearest(products(&column)), "column {i} of {}", x.len());
            }
        });
    }
}
