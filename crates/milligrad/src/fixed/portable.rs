//! The inner loops of dense layers as any core runs them; `arch/thumb.rs` has the same in assembly.

use super::saturate;

/// `Σ x w` of four rows, each as long as `x`, modulo 2³²; zero where a row is shorter.
#[cfg_attr(milligrad_thumb, allow(dead_code, reason = "the assembly is called instead"))]
#[inline(always)]
pub(crate) fn four_sums(x: &[i16], rows: [&[i16]; 4]) -> [i32; 4] {
    if rows.iter().any(|row| row.len() < x.len()) {
        return [0; 4];
    }
    rows.map(|row| {
        let terms = x.iter().zip(row).map(|(&x, &w)| i32::from(x) * i32::from(w));
        terms.fold(0_i32, |sum, term| sum.wrapping_add(term))
    })
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
        sums.iter_mut()
            .zip(row)
            .for_each(|(sum, &w)| *sum = sum.wrapping_add(i32::from(w) * i32::from(delta)));
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
