//! Descent in fixed point: rounded to nearest, or at random.
//!
//! Along a row of weights, what the update of one rounds off goes to the next. So each running sum of changes is off by less than
//! a unit, and steps far below a weight's resolution move one of the row's weights each time their running sum comes to half a
//! unit, one and a half, and so on. What is left at the end of a row is lost: rounded to nearest, a row whose running sum stays
//! below half a unit does not move at all. Weights that were rounded each for itself would learn from the largest deltas alone,
//! those of one sign, and drift until nothing is left of what was learned.

mod fall;

use super::Optimizer;
use crate::Fixed16;
use crate::arch::rolled;
#[cfg(milligrad_thumb)]
use crate::arch::thumb as kernels;
use crate::fixed::dynamic::scale;
#[cfg(not(milligrad_thumb))]
use crate::fixed::portable as kernels;
use crate::fixed::portable::move_weight;
use crate::fixed::{ACTIVATION_BITS, DELTA_BITS, SUM_BITS, WEIGHT_BITS, round_shift};
use fall::{Fall, OfRate, OfUnit};

/// Bits that fall off a Q8.23 gradient to make the change of a Q3.12 weight, at a learning rate of 1.
const TO_WEIGHT: u32 = DELTA_BITS + ACTIVATION_BITS - WEIGHT_BITS;
/// The same for a Q11.20 bias.
const TO_BIAS: u32 = DELTA_BITS + ACTIVATION_BITS - SUM_BITS;
/// The smallest learning rate is 2 to the minus this.
const MAX_EXPONENT: u32 = 30;
/// The same with static ranges, where a smaller one changes nothing.
const MAX_STATIC_EXPONENT: u32 = 15;

/// The exponent of a rate with static ranges.
#[inline(always)]
pub(crate) const fn static_exponent(exponent: u32) -> u32 {
    if exponent < MAX_STATIC_EXPONENT { exponent } else { MAX_STATIC_EXPONENT }
}

/// An update rule in fixed point, `w -= 2^-exponent g`. Updates return how many parameters saturated.
pub trait Rule: Copy {
    /// What it remembers from update to update; the same on a desk and on a device gives the same bits.
    type Memory: Copy + PartialEq + core::fmt::Debug;
    /// The memory before the first step, of any seed.
    fn memory(seed: u32) -> Self::Memory;
    /// The exponent of the learning rate. With static ranges one beyond 15 is taken as 15.
    fn exponent(&self) -> u32;
    /// The rule with its learning rate halved so many times, down to 2^-30.
    #[must_use]
    fn slower(&self, halvings: u32) -> Self;
    /// Updates weights, rows as long as `x`, by the gradients `δ xᵀ`.
    fn update_rows(&self, memory: &mut Self::Memory, weights: &mut [i16], delta: &[i16], x: &[i16]) -> u32;
    /// Updates weights by gradients that were summed, in Q8.23.
    fn update_weights(&self, memory: &mut Self::Memory, weights: &mut [i16], gradient: &[i32]) -> u32;

    /// Updates biases by the gradients `δ`. They have 8 bits more than weights, and are rounded to nearest.
    #[inline(never)]
    fn update_biases(&self, biases: &mut [i32], delta: &[i16]) -> u32 {
        // Two bits more, as a shift by nothing is none.
        let step = |delta: i16| {
            rolled();
            round_shift(i32::from(delta) << (SUM_BITS - DELTA_BITS + 2), static_exponent(self.exponent()) + 2)
        };
        biases.iter_mut().zip(delta).map(|(bias, &delta)| subtract(bias, step(delta))).sum()
    }

    /// Updates biases by gradients that were summed, in Q8.23.
    #[inline(never)]
    fn update_accumulated_biases(&self, biases: &mut [i32], gradient: &[i32]) -> u32 {
        let step = |gradient: i32| {
            rolled();
            round_shift(gradient, TO_BIAS + static_exponent(self.exponent()))
        };
        biases.iter_mut().zip(gradient).map(|(bias, &gradient)| subtract(bias, step(gradient))).sum()
    }

    /// As [`update_rows`](Self::update_rows), where `δ x` comes in units that are `2^unit` times those of weights. Of changes below 2^-30
    /// of a unit the last bits of `δ` fall off.
    fn update_rows_by(
        &self,
        memory: &mut Self::Memory,
        weights: &mut [i16],
        delta: &[i16],
        x: &[i16],
        unit: i32,
    ) -> u32;
    /// As [`update_weights`](Self::update_weights), by gradients in units that are `2^unit` times those of weights.
    fn update_weights_by(
        &self,
        memory: &mut Self::Memory,
        weights: &mut [i16],
        gradient: &[i32],
        unit: i32,
    ) -> u32;

    /// Updates biases by gradients in units that are `2^unit` times theirs, rounded to nearest.
    #[inline(never)]
    fn update_biases_by<G: Copy + Into<i32>>(&self, biases: &mut [i32], gradient: &[G], unit: i32) -> u32 {
        let by = unit - self.exponent() as i32;
        biases
            .iter_mut()
            .zip(gradient)
            .map(|(bias, &gradient)| {
                rolled();
                let step = scale(gradient.into(), by);
                // A step that saturates itself counts, too.
                subtract(bias, step) | u32::from(step == i32::MAX || step == i32::MIN)
            })
            .sum()
    }
}

/// `b -= step`; 1 if it saturated.
#[inline(always)]
fn subtract(b: &mut i32, step: i32) -> u32 {
    let (moved, saturated) = b.overflowing_sub(step);
    *b = if saturated { b.saturating_sub(step) } else { moved };
    saturated.into()
}

/// One step of a dense layer on a single sample, in place; returns how many parameters saturated.
#[inline]
pub fn apply<R: Rule>(
    x: &[i16],
    delta: &[i16],
    weights: &mut [i16],
    biases: &mut [i32],
    rule: &R,
    memory: &mut R::Memory,
) -> u32 {
    rule.update_rows(memory, weights, delta, x) + rule.update_biases(biases, delta)
}

/// Gradient descent in fixed point with the learning rate `2^-exponent`, to nearest: each running sum of changes along a row of
/// weights is rounded to the nearest unit. The same row, input and delta change in the same way, whatever came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PowerOfTwoSgd {
    exponent: u32,
}

impl PowerOfTwoSgd {
    /// Descent with the learning rate `2^-exponent`.
    ///
    /// # Panics
    /// If the exponent is over 30; in a `const` or `static` that is a compile error.
    pub const fn new(exponent: u32) -> Self {
        assert!(exponent <= MAX_EXPONENT, "a learning rate below 2^-30 changes nothing");
        Self { exponent }
    }
}

impl PowerOfTwoSgd {
    /// Descent with the greatest power of two that is not above a learning rate, from 1 down to 2^-30, which is also
    /// what smaller rates become. With static ranges one below 2^-15 is 2^-15.
    pub const fn at_most(learning_rate: f32) -> Self {
        Self::new(exponent_of(learning_rate))
    }
}

/// `k` of the greatest 2^-k that is not above `rate`, within 0 to 30; 30 where there is none.
const fn exponent_of(rate: f32) -> u32 {
    let biased = rate.to_bits() >> 23;
    match rate > 0.0 {
        true if biased >= 127 => 0,
        true if biased > 127 - MAX_EXPONENT => 127 - biased,
        _ => MAX_EXPONENT,
    }
}

impl Rule for PowerOfTwoSgd {
    type Memory = ();

    fn memory(_: u32) {}

    #[inline(always)]
    fn exponent(&self) -> u32 {
        self.exponent
    }

    #[inline]
    fn slower(&self, halvings: u32) -> Self {
        Self { exponent: self.exponent.saturating_add(halvings).min(MAX_EXPONENT) }
    }

    #[inline(never)]
    fn update_rows(&self, (): &mut (), weights: &mut [i16], delta: &[i16], x: &[i16]) -> u32 {
        update_rows(OfRate(self.exponent), weights, delta, x, half)
    }

    #[inline(never)]
    fn update_weights(&self, (): &mut (), weights: &mut [i16], gradient: &[i32]) -> u32 {
        update_weights(OfRate(self.exponent), weights, gradient, half)
    }

    #[inline(never)]
    fn update_rows_by(&self, (): &mut (), weights: &mut [i16], delta: &[i16], x: &[i16], unit: i32) -> u32 {
        update_rows(OfUnit::new(self.exponent, unit), weights, delta, x, half)
    }

    #[inline(never)]
    fn update_weights_by(&self, (): &mut (), weights: &mut [i16], gradient: &[i32], unit: i32) -> u32 {
        update_weights(OfUnit::new(self.exponent, unit), weights, gradient, half)
    }
}

/// Updates rows of weights; `remainder` makes what a row begins with of the mask of the bits that fall off.
#[inline(always)]
fn update_rows(
    fall: impl Fall,
    weights: &mut [i16],
    delta: &[i16],
    x: &[i16],
    mut remainder: impl FnMut(i32) -> i32,
) -> u32 {
    let (shift, mask) = fall.bits_and_mask();
    let mut saturated = 0;
    for (row, &delta) in weights.chunks_exact_mut(x.len().max(1)).zip(delta) {
        let delta = fall.delta(delta);
        if delta != 0 {
            saturated += kernels::update(row, x, delta, shift, remainder(mask), mask);
        }
    }
    saturated
}

/// The same by gradients that were summed, as one row.
#[inline(always)]
fn update_weights(
    fall: impl Fall,
    weights: &mut [i16],
    gradient: &[i32],
    remainder: impl FnOnce(i32) -> i32,
) -> u32 {
    let (shift, mask) = fall.bits_and_mask();
    let (mut saturated, mut remainder) = (0, remainder(mask));
    for (w, &gradient) in weights.iter_mut().zip(gradient) {
        let gradient = fall.gradient(gradient);
        // In two parts, as the sum may need more than 32 bits.
        let rest = (gradient & mask) + remainder;
        remainder = rest & mask;
        saturated += move_weight(w, (gradient >> shift) + (rest >> shift));
    }
    saturated
}

/// Half a unit; nothing where nothing falls off.
#[inline(always)]
fn half(mask: i32) -> i32 {
    (mask >> 1) + (mask & 1)
}

/// Gradient descent in fixed point with the learning rate `2^-exponent`, rounded up or down at random: what a step rounds is
/// right in the mean, so that steps far below a weight's resolution still add up.
///
/// A row begins with a random remainder: so each remainder along it is uniform, at one random number a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct StochasticSgd {
    exponent: u32,
}

impl StochasticSgd {
    /// Descent with the learning rate `2^-exponent`.
    ///
    /// # Panics
    /// If the exponent is over 30; in a `const` or `static` that is a compile error.
    pub const fn new(exponent: u32) -> Self {
        assert!(exponent <= MAX_EXPONENT, "a learning rate below 2^-30 changes nothing");
        Self { exponent }
    }
}

impl StochasticSgd {
    /// Descent with the greatest power of two that is not above a learning rate, from 1 down to 2^-30, as
    /// [`PowerOfTwoSgd::at_most`].
    pub const fn at_most(learning_rate: f32) -> Self {
        Self::new(exponent_of(learning_rate))
    }
}

/// Rows that each begin with a random remainder.
#[inline(always)]
fn random_rows(fall: impl Fall, memory: &mut u32, weights: &mut [i16], delta: &[i16], x: &[i16]) -> u32 {
    // In a register until the end.
    let mut word = *memory;
    let saturated = update_rows(fall, weights, delta, x, |mask| {
        word = next(word);
        word as i32 & mask
    });
    *memory = word;
    saturated
}

/// Xorshift; `word` is not zero.
#[inline(always)]
const fn next(word: u32) -> u32 {
    let word = word ^ (word << 13);
    let word = word ^ (word >> 17);
    word ^ (word << 5)
}

impl Rule for StochasticSgd {
    /// A random word, not zero.
    type Memory = u32;

    fn memory(seed: u32) -> u32 {
        // Small seeds are far apart.
        let word = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9);
        if word == 0 { 1 } else { word }
    }

    #[inline(always)]
    fn exponent(&self) -> u32 {
        self.exponent
    }

    #[inline]
    fn slower(&self, halvings: u32) -> Self {
        Self { exponent: self.exponent.saturating_add(halvings).min(MAX_EXPONENT) }
    }

    #[inline(never)]
    fn update_rows(&self, memory: &mut u32, weights: &mut [i16], delta: &[i16], x: &[i16]) -> u32 {
        random_rows(OfRate(self.exponent), memory, weights, delta, x)
    }

    #[inline(never)]
    fn update_weights(&self, memory: &mut u32, weights: &mut [i16], gradient: &[i32]) -> u32 {
        *memory = next(*memory);
        update_weights(OfRate(self.exponent), weights, gradient, |mask| *memory as i32 & mask)
    }

    #[inline(never)]
    fn update_rows_by(
        &self,
        memory: &mut u32,
        weights: &mut [i16],
        delta: &[i16],
        x: &[i16],
        unit: i32,
    ) -> u32 {
        random_rows(OfUnit::new(self.exponent, unit), memory, weights, delta, x)
    }

    #[inline(never)]
    fn update_weights_by(&self, memory: &mut u32, weights: &mut [i16], gradient: &[i32], unit: i32) -> u32 {
        *memory = next(*memory);
        update_weights(OfUnit::new(self.exponent, unit), weights, gradient, |mask| *memory as i32 & mask)
    }
}

/// The same as by [`Rule`], for hand-written networks over any arithmetic, without counters.
impl Optimizer<Fixed16> for PowerOfTwoSgd {
    type State = ();
    const START: () = ();
    type Progress = ();
    const OUTSET: () = ();

    #[inline]
    fn begin(&self, (): &mut ()) -> Self {
        *self
    }

    #[inline]
    fn update_rows(&self, weights: &mut [i16], _: &mut [()], delta: &[i16], x: &[i16]) {
        Rule::update_rows(self, &mut (), weights, delta, x);
    }

    #[inline]
    fn update_biases(&self, biases: &mut [i32], _: &mut [()], delta: &[i16]) {
        Rule::update_biases(self, biases, delta);
    }

    #[inline]
    fn update_weights(&self, weights: &mut [i16], _: &mut [()], gradient: &[i32]) {
        Rule::update_weights(self, &mut (), weights, gradient);
    }

    #[inline]
    fn update_accumulated_biases(&self, biases: &mut [i32], _: &mut [()], gradient: &[i32]) {
        Rule::update_accumulated_biases(self, biases, gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of many stochastic updates is the exact one, however small it is, for the first and for the last weight of a row.
    #[test]
    fn stochastic_updates_are_right_in_the_mean() {
        let (x, delta) = ([37_i16, 1, -256, 90, 3], [123_i16, -77]);
        let mut memory = StochasticSgd::memory(1);
        let rule = StochasticSgd::new(7);
        let mut sums = [0_i32; 10];
        const STEPS: i32 = 100_000;
        for _ in 0..STEPS {
            let mut weights = [100_i16; 10];
            assert_eq!(rule.update_rows(&mut memory, &mut weights, &delta, &x), 0);
            sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += i32::from(w) - 100);
        }
        for (i, sum) in sums.into_iter().enumerate() {
            let product = f64::from(delta[i / 5]) * f64::from(x[i % 5]);
            let (mean, exact) = (f64::from(sum) / f64::from(STEPS), -product / f64::from(1 << 18));
            assert!((mean - exact).abs() < 0.006, "weight {i}: {mean}, not {exact}");
        }
    }

    /// Also of steps that are far below a unit each, and of sums beyond 32 bits.
    #[test]
    fn running_sums_round_to_nearest() {
        let x: [i16; 40] = core::array::from_fn(|i| (i as i16 * 37) % 101 - 20);
        let gradient: [i32; 40] =
            core::array::from_fn(|i| if i < 3 { i32::MAX } else { i as i32 * 997 - 9000 });
        for (exponent, delta) in [(0, 500), (7, 123), (11, -77), (15, 30_000)] {
            let rule = PowerOfTwoSgd::new(exponent);
            let rounded = |sum: i64| (sum + (1 << (TO_WEIGHT + exponent - 1))) >> (TO_WEIGHT + exponent);
            let (mut row, mut weights) = ([0_i16; 40], [0_i16; 40]);
            assert_eq!(Rule::update_rows(&rule, &mut (), &mut row, &[delta], &x), 0);
            Rule::update_weights(&rule, &mut (), &mut weights, &gradient);
            let (mut moved, mut sum) = (0, [0_i64; 2]);
            for i in 0..40 {
                sum[0] += i64::from(delta) * i64::from(x[i]);
                sum[1] += i64::from(gradient[i]);
                moved -= i64::from(row[i]);
                // The first three saturate at small exponents.
                let exact = rounded(sum[1]) - rounded(sum[1] - i64::from(gradient[i]));
                assert_eq!(i64::from(weights[i]), (-exact).clamp(-32_768, 32_767), "2^-{exponent}, {i}");
                assert_eq!(moved, rounded(sum[0]), "2^-{exponent}, {i}");
            }
        }
    }

    #[test]
    fn saturated_parameters_are_counted() {
        let mut weights = [i16::MAX, 0, i16::MIN, i16::MIN];
        let rule = PowerOfTwoSgd::new(0);
        let count = Rule::update_rows(&rule, &mut (), &mut weights, &[-32_768], &[256, 256, -256, 256]);
        assert_eq!((count, weights), (2, [i16::MAX, 4096, i16::MIN, i16::MIN + 4096]));
        let mut biases = [i32::MAX - 5, i32::MIN + 5, 0];
        assert_eq!(Rule::update_biases(&rule, &mut biases, &[-9, 9, -9]), 2);
        assert_eq!(biases, [i32::MAX, i32::MIN, 9 << 5]);
        let rule = StochasticSgd::new(0);
        let count = rule.update_weights(&mut 1, &mut weights, &[i32::MIN, 0, i32::MAX, 0]);
        assert_eq!((count, weights[0], weights[2]), (2, i16::MAX, i16::MIN));
    }

    #[test]
    fn rates_become_powers_of_two() {
        let cases = [(1.0, 0), (0.75, 1), (0.5, 1), (0.05, 5), (0.031_25, 5), (0.031_249, 6), (1e30, 0)];
        for (rate, exponent) in cases {
            assert_eq!(PowerOfTwoSgd::at_most(rate), PowerOfTwoSgd::new(exponent), "{rate}");
            assert_eq!(StochasticSgd::at_most(rate), StochasticSgd::new(exponent), "{rate}");
        }
        for rate in [0.0, -1.0, 1e-30, f32::NAN, f32::NEG_INFINITY] {
            assert_eq!(PowerOfTwoSgd::at_most(rate).exponent(), 30, "{rate}");
        }
        // With static ranges none is smaller than 2^-15.
        let (mut small, mut least) = ([0_i16; 4], [0_i16; 4]);
        Rule::update_rows(&PowerOfTwoSgd::new(30), &mut (), &mut small, &[30_000], &[i16::MAX; 4]);
        Rule::update_rows(&PowerOfTwoSgd::new(15), &mut (), &mut least, &[30_000], &[i16::MAX; 4]);
        assert_eq!((small, small[0] < 0), (least, true));
        assert_eq!(PowerOfTwoSgd::at_most(f32::INFINITY).exponent(), 0);
    }

    /// A word that is zero would stay so.
    #[test]
    fn no_seed_is_stuck() {
        for seed in [0, 1, u32::MAX, u32::MAX - 1, 12_345] {
            assert_ne!(StochasticSgd::memory(seed), 0);
        }
        let (mut word, mut steps) = (StochasticSgd::memory(0), 0);
        while steps < 100_000 {
            word = next(word);
            assert_ne!(word, 0);
            steps += 1;
        }
    }
}
