//! Updates of parameters by deltas and inputs with dynamic exponents.

use super::{Block, Exponents, Magnitude, bits, drop_bits};
use crate::fixed::Rule;

/// One step of a dense layer on a single sample, in place; returns how many parameters saturated.
#[inline]
pub fn apply<R: Rule>(
    x: Block<'_>,
    delta: Block<'_>,
    weights: &mut [i16],
    biases: &mut [i32],
    exponents: Exponents,
    rule: &R,
    memory: &mut R::Memory,
) -> u32 {
    let unit = x.exponent() + delta.exponent() - i32::from(exponents.weights);
    rule.update_rows_by(memory, weights, delta.mantissas, x.mantissas, unit)
        + update_biases(delta, biases, exponents, rule)
}

/// The same for biases alone.
#[inline]
pub fn update_biases<R: Rule>(delta: Block<'_>, biases: &mut [i32], exponents: Exponents, rule: &R) -> u32 {
    rule.update_biases_by(biases, delta.mantissas, delta.exponent() - i32::from(exponents.biases))
}

/// A step by gradients that are stored, whose units are `2^gradient_exponents`; returns how many parameters saturated.
#[inline]
pub fn update_by<R: Rule>(
    gradients: (&[i32], &[i32]),
    gradient_exponents: [i16; 2],
    weights: &mut [i16],
    biases: &mut [i32],
    exponents: Exponents,
    rule: &R,
    memory: &mut R::Memory,
) -> u32 {
    let unit = |at: usize, own: i16| i32::from(gradient_exponents[at]) - i32::from(own);
    rule.update_weights_by(memory, weights, gradients.0, unit(0, exponents.weights))
        + rule.update_biases_by(biases, gradients.1, unit(1, exponents.biases))
}

/// The gradients of biases alone, `Σ δ` over positions; returns their exponent.
#[inline(never)]
pub fn accumulate_biases(delta: Block<'_>, biases: &mut [i32]) -> i16 {
    biases.fill(0);
    let drop = bits(Magnitude::of(delta.mantissas).sum).saturating_sub(30);
    for delta in delta.mantissas.chunks_exact(biases.len().max(1)) {
        biases.iter_mut().zip(delta).for_each(|(sum, &delta)| *sum += drop_bits(delta.into(), drop));
    }
    (delta.exponent() + drop as i32) as i16
}
