//! Learning rates that change from step to step.

use crate::math::{exp, ln};
use core::f32::consts::FRAC_PI_2;

/// How a learning rate changes: a factor on the optimizer's, for each step, the first of which is step 0.
///
/// ```
/// use milligrad::fixed::PowerOfTwoSgd;
/// use milligrad::{Learner, Schedule, Sgd, Target, TrainError};
///
/// const SCHEDULE: Schedule = Schedule::Step { steps: 1000, factor: 0.5 };
///
/// /// A step of any exported network; what an optimizer remembers is the network's, so that each step may have its own.
/// fn learn(network: &mut impl Learner<Optimizer = Sgd>, label: usize, step: u32) -> Result<f32, TrainError> {
///     network.train_step(Target::Class(label), &Sgd::new(0.05 * SCHEDULE.factor(step)))
/// }
///
/// assert_eq!(0.05 * SCHEDULE.factor(2500), 0.0125);
/// // In fixed point, the next power of two.
/// assert_eq!(PowerOfTwoSgd::at_most(0.05 * SCHEDULE.factor(2500)), PowerOfTwoSgd::new(7));
/// ```
///
/// Factors have the same bits on every target. They are off by at most 1e-6; where `factor` was applied
/// `n` times, rounding adds up to `n 2⁻²³` of the value.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Schedule {
    /// 1
    #[default]
    Constant,
    /// `factorⁿ` after `n` times `steps` steps.
    Step {
        /// Steps between changes; 0 as 1.
        steps: u32,
        /// The change, over 0 and at most 1.
        factor: f32,
    },
    /// `factor^(step / steps)`
    Exponential {
        /// Steps in which the rate falls by `factor`; 0 as 1.
        steps: u32,
        /// The change in so many steps, over 0 and at most 1.
        factor: f32,
    },
    /// Linearly from 0 to 1 within `warmup` steps, then half a cosine down to `floor` within `steps`, where it stays.
    Cosine {
        /// Steps of the rise.
        warmup: u32,
        /// Steps of the fall; 0 as 1.
        steps: u32,
        /// Factor at the end.
        floor: f32,
    },
}

impl Schedule {
    /// The factor at a step, counted from 0.
    pub fn factor(&self, step: u32) -> f32 {
        match *self {
            Self::Constant => 1.0,
            Self::Step { steps, factor } => power(factor, step / steps.max(1)),
            Self::Exponential { steps, factor } => {
                // Whole powers apart, so that the exponent of `exp` stays small and exact.
                let steps = steps.max(1);
                let share = (step % steps) as f32 / steps as f32;
                power(factor, step / steps) * exp(share * ln(factor))
            }
            Self::Cosine { warmup, .. } if step < warmup => step as f32 / warmup as f32,
            Self::Cosine { warmup, steps, floor } => {
                let passed = (step - warmup) as f32 / steps.max(1) as f32;
                floor + (1.0 - floor) * half_cosine(passed.min(1.0))
            }
        }
    }
}

/// `xⁿ`, by squaring.
fn power(mut x: f32, mut n: u32) -> f32 {
    let mut product = 1.0;
    while n > 0 {
        if n & 1 == 1 {
            product *= x;
        }
        x *= x;
        n >>= 1;
    }
    product
}

/// `(1 + cos(π x)) / 2` for `x` from 0 to 1, which is the square of `cos(π x / 2)`, by its Taylor series.
fn half_cosine(x: f32) -> f32 {
    const TERMS: [f32; 6] = [1.0 / 132.0, 1.0 / 90.0, 1.0 / 56.0, 1.0 / 30.0, 1.0 / 12.0, 1.0 / 2.0];
    let square = (x * FRAC_PI_2) * (x * FRAC_PI_2);
    let cosine = TERMS.iter().fold(1.0, |series, term| 1.0 - square * term * series);
    cosine * cosine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(schedule: Schedule, step: u32, expected: f64) {
        let factor = f64::from(schedule.factor(step));
        assert!((factor - expected).abs() <= 1e-6, "{schedule:?} at {step}: {factor}, not {expected}");
    }

    #[test]
    fn follows_its_definition() {
        for step in 0..500 {
            let at = f64::from(step);
            close(Schedule::Constant, step, 1.0);
            let rate = f64::from(0.7f32);
            close(Schedule::Step { steps: 30, factor: 0.7 }, step, libm::pow(rate, f64::from(step / 30)));
            close(Schedule::Exponential { steps: 30, factor: 0.7 }, step, libm::pow(rate, at / 30.0));
            let fall = ((at - 40.0) / 400.0).min(1.0);
            let cosine = 0.125 + 0.875 * 0.5 * (1.0 + libm::cos(core::f64::consts::PI * fall));
            let expected = if step < 40 { at / 40.0 } else { cosine };
            close(Schedule::Cosine { warmup: 40, steps: 400, floor: 0.125 }, step, expected);
        }
    }

    #[test]
    fn has_ends() {
        let cosine = Schedule::Cosine { warmup: 10, steps: 90, floor: 0.25 };
        assert_eq!(cosine.factor(0), 0.0);
        assert_eq!(cosine.factor(10), 1.0);
        for step in [100, 101, u32::MAX] {
            close(cosine, step, 0.25);
        }
        assert_eq!(Schedule::Step { steps: 0, factor: 0.5 }.factor(3), 0.125);
        assert_eq!(Schedule::Exponential { steps: 1, factor: 0.5 }.factor(u32::MAX), 0.0);
    }
}
