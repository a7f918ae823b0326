//! The inner loops of dense layers as any core runs them; `arch/thumb.rs` has the same in assembly.

use super::saturate;
use crate::arch::rolled;

/// `Σ x w` of four rows, each as long as `x`, modulo 2³²; zero where a row is shorter.
#[cfg_attr(milligrad_thumb, allow(dead_code, reason = "the assembly is called instead"))]
#[inline(never)]
pub(crate) fn four_sums(x: &[i16], rows: [&[i16]; 4]) -> [i32; 4] {
    if rows.iter().any(|row| row.len() < x.len()) {
        return [0; 4];
    }
    // Two elements of four rows at a time: a load of `x` serves four products, and all fits the registers.
    let mut sums = [0_i32; 4];
    let (pairs, rest) = x.as_chunks::<2>();
    let [w0, w1, w2, w3] = rows.map(|row| row.as_chunks::<2>().0);
    for ((((x, w0), w1), w2), w3) in pairs.iter().zip(w0).zip(w1).zip(w2).zip(w3) {
        for (sum, row) in sums.iter_mut().zip([w0, w1, w2, w3]) {
            for (&x, &w) in x.iter().zip(row) {
                *sum = sum.wrapping_add(i32::from(x) * i32::from(w));
            }
        }
    }
    let done = x.len() - rest.len();
    for (sum, row) in sums.iter_mut().zip(rows) {
        for (&x, &w) in rest.iter().zip(row.get(done..).unwrap_or_default()) {
            rolled();
            *sum = sum.wrapping_add(i32::from(x) * i32::from(w));
        }
    }
    sums
}

/// `Σ w δ` of the first two columns of rows of `inputs` weights, modulo 2³²; zero where there are fewer rows than deltas.
#[cfg_attr(milligrad_thumb, allow(dead_code, reason = "the assembly is called instead"))]
#[inline(always)]
pub(crate) fn two_columns(inputs: usize, weights: &[i16], delta: &[i16]) -> [i32; 2] {
    let needed = delta.len().saturating_sub(1).saturating_mul(inputs).saturating_add(2);
    if delta.is_empty() || weights.len() < needed {
        return [0; 2];
    }
    let mut sums = [0_i32; 2];
    for (row, &delta) in weights.chunks(inputs.max(1)).zip(delta) {
        let Some(row) = row.first_chunk::<2>() else { break };
        for (sum, &w) in sums.iter_mut().zip(row) {
            *sum = sum.wrapping_add(i32::from(w) * i32::from(delta));
        }
    }
    sums
}

/// `w -= s >> shift` of sums `s = δ x + remainder`, whose low bits are the next remainder; returns how many weights saturated.
#[cfg_attr(milligrad_thumb, allow(dead_code, reason = "the assembly is called instead"))]
#[inline(always)]
pub(crate) fn update(
    weights: &mut [i16],
    x: &[i16],
    delta: i32,
    shift: u32,
    mut remainder: i32,
    mask: i32,
) -> u32 {
    let mut saturated = 0;
    for (w, &x) in weights.iter_mut().zip(x) {
        let sum = delta * i32::from(x) + remainder;
        remainder = sum & mask;
        saturated += move_weight(w, sum.wrapping_shr(shift));
    }
    saturated
}

/// `w -= step`; 1 if it saturated.
#[inline(always)]
pub(crate) fn move_weight(w: &mut i16, step: i32) -> u32 {
    let moved = i32::from(*w) - step;
    *w = saturate(moved);
    u32::from(i32::from(*w) != moved)
}
