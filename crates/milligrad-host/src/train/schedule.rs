//! Learning rates that change over a run.

use super::plateau::Plateau;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// How the learning rate changes over a run: a factor on the optimizer's, for each step, the first of which is step 0.
///
/// Those that count in epochs are Keras' with as many steps as an epoch has batches.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Schedule {
    /// 1
    #[default]
    Constant,
    /// `factorⁿ` after `n` times `epochs` epochs.
    Step {
        /// Epochs between changes.
        epochs: usize,
        /// The change.
        factor: f64,
    },
    /// `factorⁿ` after `n` epochs, continuously.
    Exponential {
        /// Change in an epoch.
        factor: f64,
    },
    /// Linearly from 0 to 1 within `warmup_epochs`, then half a cosine down to `floor` at the end of the run.
    Cosine {
        /// Epochs of the rise.
        warmup_epochs: f64,
        /// Factor at the end.
        floor: f64,
    },
    /// Keras' `ExponentialDecay`: `decay_rate^(step / decay_steps)`.
    ExponentialDecay {
        /// Steps in which the rate falls by `decay_rate`.
        decay_steps: u64,
        /// The change in so many steps.
        decay_rate: f64,
        /// Whether it changes at the end of so many steps only.
        staircase: bool,
    },
    /// Keras' `CosineDecay` with `initial_learning_rate` 0 and `warmup_target` the optimizer's rate, or without warm-up:
    /// linearly from 0 to 1 within `warmup_steps`, then half a cosine down to `alpha` within `decay_steps`.
    CosineDecay {
        /// Steps of the fall.
        decay_steps: u64,
        /// Factor at the end.
        alpha: f64,
        /// Steps of the rise.
        warmup_steps: u64,
    },
    /// Down by a factor whenever a figure stops improving. What it multiplies with is known after each epoch alone, so
    /// [`factor`](Self::factor) is 1.
    Plateau(Plateau),
}

impl Schedule {
    /// The factor at a step, counted from 0, of a run of `epochs` epochs with `batches` steps each.
    pub fn factor(&self, step: u64, batches: usize, epochs: usize) -> f64 {
        let step = step as f64;
        let steps = |epochs: f64| epochs * batches.max(1) as f64;
        match *self {
            Self::Constant | Self::Plateau(_) => 1.0,
            Self::Step { epochs, factor } => factor.powf((step / steps(epochs.max(1) as f64)).floor()),
            Self::Exponential { factor } => factor.powf(step / steps(1.0)),
            Self::Cosine { warmup_epochs, floor } => {
                let warmup = steps(warmup_epochs);
                cosine(step, warmup, steps(epochs as f64) - warmup, floor)
            }
            Self::ExponentialDecay { decay_steps, decay_rate, staircase } => {
                let passed = step / decay_steps.max(1) as f64;
                decay_rate.powf(if staircase { passed.floor() } else { passed })
            }
            Self::CosineDecay { decay_steps, alpha, warmup_steps } => {
                cosine(step, warmup_steps as f64, decay_steps as f64, alpha)
            }
        }
    }

    /// `true` if it depends on the number of epochs.
    pub(super) fn ends_with_the_run(&self) -> bool {
        matches!(self, Self::Cosine { .. })
    }

    /// What is wrong with the constants, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        let share = |x: f64| (0.0..=1.0).contains(&x);
        match *self {
            Self::Plateau(plateau) => plateau.problem(),
            Self::Step { epochs: 0, .. } => Some("a schedule with steps of 0 epochs".into()),
            Self::ExponentialDecay { decay_steps: 0, .. } | Self::CosineDecay { decay_steps: 0, .. } => {
                Some("a schedule that decays in 0 steps".into())
            }
            Self::Step { factor, .. }
            | Self::Exponential { factor }
            | Self::ExponentialDecay { decay_rate: factor, .. }
                if !(factor > 0.0 && factor.is_finite()) =>
            {
                Some(format!("the schedule's factor is {factor}; it must be positive"))
            }
            Self::Cosine { warmup_epochs, floor }
                if !(warmup_epochs >= 0.0 && warmup_epochs.is_finite() && share(floor)) =>
            {
                Some("a cosine schedule rises over 0 or more epochs and falls to a factor of 0 to 1".into())
            }
            Self::CosineDecay { alpha, .. } if !share(alpha) => {
                Some(format!("a cosine schedule falls to a factor of 0 to 1, not {alpha}"))
            }
            _ => None,
        }
    }
}

/// A rise from 0 to 1 and half a cosine down to `floor`.
fn cosine(step: f64, warmup: f64, decay: f64, floor: f64) -> f64 {
    if step < warmup {
        return step / warmup;
    }
    let passed = ((step - warmup) / decay.max(f64::MIN_POSITIVE)).min(1.0);
    floor + (1.0 - floor) * 0.5 * (1.0 + (PI * passed).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors() {
        let at = |schedule: Schedule, steps: &[u64]| -> Vec<f64> {
            steps.iter().map(|&step| (schedule.factor(step, 10, 4) * 1e9).round() / 1e9).collect()
        };
        let step = Schedule::Step { epochs: 2, factor: 0.5 };
        assert_eq!(at(step, &[0, 19, 20, 39, 40]), [1.0, 1.0, 0.5, 0.5, 0.25]);
        assert_eq!(at(Schedule::Exponential { factor: 0.81 }, &[0, 5, 10]), [1.0, 0.9, 0.81]);
        let cosine = Schedule::Cosine { warmup_epochs: 1.0, floor: 0.2 };
        assert_eq!(at(cosine, &[0, 5, 10, 25, 40]), [0.0, 0.5, 1.0, 0.6, 0.2]);
        let same = Schedule::CosineDecay { decay_steps: 30, alpha: 0.2, warmup_steps: 10 };
        let steps: Vec<u64> = (0..50).collect();
        assert_eq!(at(cosine, &steps), at(same, &steps));
        let stairs = Schedule::ExponentialDecay { decay_steps: 5, decay_rate: 0.5, staircase: true };
        assert_eq!(at(stairs, &[0, 4, 5, 9, 10]), [1.0, 1.0, 0.5, 0.5, 0.25]);
        let slope = Schedule::ExponentialDecay { decay_steps: 4, decay_rate: 0.25, staircase: false };
        assert_eq!(at(slope, &[0, 2, 4]), [1.0, 0.5, 0.25]);
    }
}
