//! How far a step with dynamic exponents goes, for a [`Guard`](crate::fixed::Guard).

use super::{Block, Exponents, Magnitude};
use crate::fixed::guard::{STEP_BITS, Steps};

/// The largest gradient of a step, put together layer by layer, each in units of its own parameters: of weights, and of 2⁸ biases'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    /// In units of `2^-STEP_BITS`.
    gradient: u64,
}

impl Reach {
    /// Of no layers.
    pub const fn new() -> Self {
        Self { gradient: 0 }
    }

    /// Adds weights and biases of a dense layer.
    #[inline(never)]
    pub fn dense(&mut self, x: Block<'_>, delta: Block<'_>, exponents: Exponents) {
        let [x_most, delta_most] = [x, delta].map(|block| Magnitude::of(block.mantissas).largest);
        self.see(x_most * delta_most, x.exponent() + delta.exponent() - i32::from(exponents.weights));
        self.biases(delta, exponents);
    }

    /// Adds biases alone.
    #[inline]
    pub fn biases(&mut self, delta: Block<'_>, exponents: Exponents) {
        let largest = Magnitude::of(delta.mantissas).largest;
        self.see(largest, delta.exponent() - i32::from(exponents.biases) - 8);
    }

    /// Adds gradients of weights that are stored, in units of `2^exponent`.
    #[inline(never)]
    pub fn weight_gradient(&mut self, gradient: &[i32], exponent: i16, exponents: Exponents) {
        self.see(largest(gradient), i32::from(exponent) - i32::from(exponents.weights));
    }

    /// The same of biases.
    #[inline(never)]
    pub fn bias_gradient(&mut self, gradient: &[i32], exponent: i16, exponents: Exponents) {
        self.see(largest(gradient), i32::from(exponent) - i32::from(exponents.biases) - 8);
    }

    /// Adds a gradient times `2^unit`.
    #[inline(never)]
    fn see(&mut self, gradient: u32, unit: i32) {
        let (gradient, up) = (u64::from(gradient), unit + STEP_BITS as i32);
        let scaled = if up < 0 {
            // Rounded up.
            gradient.checked_shr(up.unsigned_abs()).unwrap_or(0) + 1
        } else if gradient == 0 || up.unsigned_abs() < gradient.leading_zeros() {
            gradient.checked_shl(up.unsigned_abs()).unwrap_or(0)
        } else {
            u64::MAX
        };
        if scaled > self.gradient {
            self.gradient = scaled;
        }
    }
}

fn largest(gradient: &[i32]) -> u32 {
    gradient.iter().fold(0, |largest: u32, g| largest.max(g.unsigned_abs()))
}

impl Steps for Reach {
    #[inline(always)]
    fn step(self, exponent: u32) -> u32 {
        // However it is rounded.
        let step = self.gradient.wrapping_shr(STEP_BITS + exponent) + 1;
        if step > u32::MAX.into() { u32::MAX } else { step as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches_bound_every_update() {
        let exponents = Exponents::new(-13, -21);
        let x = Block::new(&[300, -20_000], -15);
        for (delta_exponent, rate) in [(-15, 0), (-15, 5), (-40, 0), (0, 15), (90, 15)] {
            let mut reach = Reach::new();
            reach.dense(x, Block::new(&[8, -32_000], delta_exponent), exponents);
            let step = f64::from(reach.step(rate));
            // |x| is up to 20,000 2^-15, below the 1 of a bias; |δ| is 32,000 2^e, and a unit 2^-13.
            let bound = 32_000.0 * libm::exp2(f64::from(delta_exponent + 13 - rate as i16));
            assert!(step >= bound.min(f64::from(u32::MAX)), "{step}, not {bound}");
            assert!(step <= 1.01 * bound + 3.0 || step == f64::from(u32::MAX), "{step}, not {bound}");
            let mut weights = Reach::new();
            weights.weight_gradient(&[-640_000_000, 5], -15 + delta_exponent, exponents);
            let (step, bound) = (f64::from(weights.step(rate)), bound * 20_000.0 / 32_768.0);
            assert!(step >= bound.min(f64::from(u32::MAX)), "{step}, not {bound}");
            assert!(step <= 1.01 * bound + 3.0 || step == f64::from(u32::MAX), "{step}, not {bound}");
        }
    }
}
