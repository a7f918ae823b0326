//! The guarded step in fixed point: a step that shows that training diverges is refused before its first write.
//!
//! As with floats ([`guard`](crate::guard)), no parameter moves further in a step than a running bound says: here `|δ| |x| 2^-k`,
//! in integers. What is not finite does not exist; instead numbers saturate, and many of them in one step are the sign that
//! gradients have lost their meaning.

use super::{ACTIVATION_BITS, DELTA_BITS, Rule, SUM_BITS, WEIGHT_BITS};
use crate::TrainError;
use crate::optimizer::static_exponent;

/// What a [`Guard`] lets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Limits {
    /// A step with more saturated activations and deltas than this is refused; of a batch, in the mean of its samples, and with its
    /// sums of gradients that saturated.
    pub max_saturated: u32,
    /// A step that could take a weight or bias beyond `±max_parameter` is refused: in Q3.12, with dynamic exponents in units of each
    /// tensor of weights, and of 2⁸ of its biases'.
    pub max_parameter: u16,
    /// How often the learning rate may be halved.
    pub max_back_off: u8,
    /// After so many steps without a refusal one halving is taken back.
    pub recovery: u16,
}

impl Limits {
    /// 8 saturated numbers pass; parameters stay within ±7.5; the learning rate halves at a refusal, down to 1/16, and doubles after
    /// 32 steps.
    pub const DEFAULT: Self =
        Self { max_saturated: 8, max_parameter: 15 << (WEIGHT_BITS - 1), max_back_off: 4, recovery: 32 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What a [`Guard`] has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Report {
    /// Steps taken.
    pub taken: u32,
    /// Steps refused.
    pub refused: u32,
    /// Activations and deltas of the last step that saturated, as [`Limits::max_saturated`] counts them.
    pub saturated: u32,
    /// How often the learning rate is halved now.
    pub back_off: u8,
    /// Why the last step was refused; `None` where it was taken.
    pub refusal: Option<TrainError>,
}

/// Fraction bits of a gradient beyond those of the change of a parameter.
pub(super) const STEP_BITS: u32 = DELTA_BITS + ACTIVATION_BITS - WEIGHT_BITS;

/// How far a step goes: [`Reach`], and with dynamic exponents [`dynamic::Reach`](super::dynamic::Reach).
pub trait Steps {
    /// The furthest that a parameter goes at the learning rate `2^-exponent`, in units of weights.
    fn step(self, exponent: u32) -> u32;
}

/// The largest gradient of a step, put together layer by layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    /// Of weights and of biases, in Q.23.
    gradient: u32,
}

impl Reach {
    /// Of no layers.
    pub const fn new() -> Self {
        Self { gradient: 0 }
    }

    /// Adds weights and biases of a dense layer.
    #[inline]
    pub fn dense(&mut self, x: &[i16], delta: &[i16]) {
        // At least 1 for `x`, as a bias has.
        self.see(largest(delta) * largest(x).max(1 << ACTIVATION_BITS));
    }

    /// Adds biases alone.
    #[inline]
    pub fn biases(&mut self, delta: &[i16]) {
        self.see(largest(delta) << ACTIVATION_BITS);
    }

    /// Adds gradients that are stored.
    #[inline(never)]
    pub fn gradient(&mut self, gradient: &[i32]) {
        gradient.iter().for_each(|g| self.see(g.unsigned_abs()));
    }

    #[inline(always)]
    fn see(&mut self, gradient: u32) {
        self.gradient = self.gradient.max(gradient);
    }
}

impl Steps for Reach {
    /// In Q.12.
    #[inline(always)]
    fn step(self, exponent: u32) -> u32 {
        // However it is rounded.
        self.gradient.wrapping_shr(STEP_BITS + static_exponent(exponent)) + 1
    }
}

#[inline(never)]
fn largest(values: &[i16]) -> u32 {
    values.iter().fold(0, |largest, x| largest.max(x.unsigned_abs())).into()
}

/// The largest magnitude of weights, in Q.12.
#[inline]
pub fn largest_weight(weights: &[i16]) -> u32 {
    largest(weights)
}

/// The largest magnitude of biases, in Q.12, rounded up.
#[inline(never)]
pub fn largest_bias(biases: &[i32]) -> u32 {
    let largest = biases.iter().fold(0, |largest: u32, b| largest.max(b.unsigned_abs()));
    (largest >> (SUM_BITS - WEIGHT_BITS)) + 1
}

/// Decides on steps. One guard watches one network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// What may pass.
    pub limits: Limits,
    report: Report,
    /// Steps since the last refusal or recovery.
    calm: u16,
    /// No parameter is beyond this, in Q.12.
    parameter: u32,
}

impl Guard {
    /// A guard with the usual limits.
    pub const fn new() -> Self {
        Self::with(Limits::DEFAULT)
    }

    /// A guard with limits.
    pub const fn with(limits: Limits) -> Self {
        let report = Report { taken: 0, refused: 0, saturated: 0, back_off: 0, refusal: None };
        Self { limits, report, calm: 0, parameter: u32::MAX }
    }

    /// The same, when no parameter is beyond `±parameter`, in Q3.12, so that it need not look.
    #[must_use]
    pub const fn knowing(mut self, parameter: u32) -> Self {
        self.parameter = parameter;
        self
    }

    /// What it has done.
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// To be called when parameters were changed by anything but a step that it let pass.
    pub const fn forget(&mut self) {
        self.parameter = u32::MAX;
    }

    /// Notes that a step was refused; returns the reason.
    pub fn refuse(&mut self, reason: TrainError) -> TrainError {
        self.report.refused = self.report.refused.saturating_add(1);
        self.report.refusal = Some(reason);
        if let TrainError::GradientTooLarge | TrainError::OutOfRange = reason {
            self.calm = 0;
            self.report.back_off = self.report.back_off.saturating_add(1).min(self.limits.max_back_off);
        }
        reason
    }

    /// Decides on a step that saturated so many numbers and reaches so far; returns the rule to take it by. `parameters` tells the
    /// largest magnitude of weights and biases, as [`largest_weight`] and [`largest_bias`] do.
    ///
    /// # Errors
    /// `GradientTooLarge` if too many numbers saturated, `OutOfRange`; then nothing is to be written.
    #[inline(never)]
    pub fn decide<R: Rule>(
        &mut self,
        reach: impl Steps,
        saturated: u32,
        rule: &R,
        parameters: impl FnOnce() -> u32,
    ) -> Result<R, TrainError> {
        self.report.saturated = saturated;
        if saturated > self.limits.max_saturated {
            return Err(self.refuse(TrainError::GradientTooLarge));
        }
        let rule = rule.slower(self.report.back_off.into());
        let (step, limit) = (reach.step(rule.exponent()), u32::from(self.limits.max_parameter));
        if self.parameter.saturating_add(step) > limit {
            self.parameter = parameters();
        }
        let parameter = self.parameter.saturating_add(step);
        if parameter > limit {
            return Err(self.refuse(TrainError::OutOfRange));
        }
        self.parameter = parameter;
        self.report.taken = self.report.taken.saturating_add(1);
        self.report.refusal = None;
        self.calm = self.calm.saturating_add(1);
        if self.calm >= self.limits.recovery && self.report.back_off > 0 {
            self.calm = 0;
            self.report.back_off -= 1;
        }
        Ok(rule)
    }
}

impl Default for Guard {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PowerOfTwoSgd;

    #[test]
    fn refusals_halve_the_rate_and_calm_doubles_it() {
        let mut guard = Guard::new();
        let small = Reach { gradient: 1 << 10 };
        let decide = |guard: &mut Guard, saturated, reach| {
            guard.decide(reach, saturated, &PowerOfTwoSgd::new(3), || 4096).map(|rule| rule.exponent())
        };
        assert_eq!(decide(&mut guard, 8, small), Ok(3));
        assert_eq!(decide(&mut guard, 9, small), Err(TrainError::GradientTooLarge));
        assert_eq!(decide(&mut guard, 0, small), Ok(4));
        // 2¹⁵ by 2¹⁵ at 2^-4: 2¹⁵ in Q.12.
        assert_eq!(decide(&mut guard, 0, Reach { gradient: 1 << 30 }), Err(TrainError::OutOfRange));
        assert_eq!(guard.report().refusal, Some(TrainError::OutOfRange));
        assert_eq!((guard.report().refused, guard.report().back_off), (2, 2));
        guard.refuse(TrainError::LabelOutOfRange);
        assert_eq!(guard.report().back_off, 2, "a wrong label is not the rate's fault");
        for _ in 0..32 {
            assert_eq!(decide(&mut guard, 0, small), Ok(5));
        }
        assert_eq!(decide(&mut guard, 0, small), Ok(4));
        for _ in 0..20 {
            guard.refuse(TrainError::OutOfRange);
        }
        assert_eq!(guard.report().back_off, 4);
    }

    #[test]
    fn parameters_are_looked_at_when_the_bound_comes_to_the_limit() {
        let mut guard = Guard::new();
        let (mut looks, reach) = (0, Reach { gradient: 1 << 23 });
        for _ in 0..100 {
            let rule = PowerOfTwoSgd::new(0);
            let _ = guard.decide(reach, 0, &rule, || {
                looks += 1;
                1000
            });
        }
        // Each step is 4097, so that there are 7 from 1000 to 30,720.
        assert_eq!((looks, guard.report().taken), (15, 100));
    }

    #[test]
    fn reaches_bound_every_update() {
        let (x, delta) = ([300_i16, -700, 20], [-1234_i16, 800]);
        let mut reach = Reach::new();
        reach.dense(&x, &delta);
        assert_eq!(reach.gradient, 1234 * 700);
        let mut biases = Reach::new();
        biases.biases(&delta);
        assert_eq!(biases.gradient, 1234 * 256);
        let mut stored = Reach::new();
        stored.gradient(&[5, i32::MIN, 7]);
        assert_eq!(stored.gradient, 1 << 31);
        assert_eq!(
            (largest_weight(&[-5, i16::MIN]), largest_bias(&[-(3 << 20), 1])),
            (1 << 15, (3 << 12) + 1)
        );
    }
}
