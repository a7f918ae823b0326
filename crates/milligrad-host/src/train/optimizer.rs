//! Optimizers, with Keras' definitions and constants.

use super::kernels::{Adam, Remembered, vectorized};
use super::real::Real;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How parameters `w` follow from their gradient `g`. `η` is the learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Optimizer {
    /// `w -= η g`; with momentum `v = μ v - η g`, `w += v`, or `w += μ v - η g` (Nesterov).
    Sgd {
        /// `η`
        learning_rate: f64,
        /// `μ`, 0 for none.
        momentum: f64,
        /// Look ahead by the momentum.
        nesterov: bool,
    },
    /// `m += (1 - β₁) (g - m)`, `v += (1 - β₂) (g² - v)`, `w -= η √(1 - β₂ᵗ) / (1 - β₁ᵗ) m / (√v + ε)` at step `t`
    /// (Kingma and Ba, 2014).
    Adam {
        /// `η`
        learning_rate: f64,
        /// `β₁`
        beta_1: f64,
        /// `β₂`
        beta_2: f64,
        /// `ε`
        epsilon: f64,
    },
    /// Adam after `w -= η λ w` (Loshchilov and Hutter, 2017).
    AdamW {
        /// `η`
        learning_rate: f64,
        /// `λ`
        weight_decay: f64,
        /// `β₁`
        beta_1: f64,
        /// `β₂`
        beta_2: f64,
        /// `ε`
        epsilon: f64,
    },
    /// `v = ρ v + (1 - ρ) g²`, `w -= η g / √(v + ε)`; centered with `a = ρ a + (1 - ρ) g` and `v - a²` for `v`; with
    /// momentum `m = μ m + η g / √(v + ε)`, `w -= m` (Hinton, 2012).
    RmsProp {
        /// `η`
        learning_rate: f64,
        /// `ρ`
        rho: f64,
        /// `μ`, 0 for none.
        momentum: f64,
        /// `ε`
        epsilon: f64,
        /// Divide by an estimate of the variance instead of the second moment.
        centered: bool,
    },
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::adam(0.001)
    }
}

impl Optimizer {
    /// Plain gradient descent.
    pub fn sgd(learning_rate: f64) -> Self {
        Self::Sgd { learning_rate, momentum: 0.0, nesterov: false }
    }

    /// Gradient descent with momentum.
    pub fn momentum(learning_rate: f64, momentum: f64) -> Self {
        Self::Sgd { learning_rate, momentum, nesterov: false }
    }

    /// Adam with the usual constants: `β₁` 0.9, `β₂` 0.999, `ε` 1e-7.
    pub fn adam(learning_rate: f64) -> Self {
        Self::Adam { learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }

    /// Gradient descent with Nesterov's momentum.
    pub fn nesterov(learning_rate: f64, momentum: f64) -> Self {
        Self::Sgd { learning_rate, momentum, nesterov: true }
    }

    /// AdamW with the usual constants: `λ` 0.004, `β₁` 0.9, `β₂` 0.999, `ε` 1e-7.
    pub fn adamw(learning_rate: f64) -> Self {
        Self::AdamW { learning_rate, weight_decay: 0.004, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }

    /// RMSProp with the usual constants: `ρ` 0.9, `μ` 0, `ε` 1e-7, not centered.
    pub fn rmsprop(learning_rate: f64) -> Self {
        Self::RmsProp { learning_rate, rho: 0.9, momentum: 0.0, epsilon: 1e-7, centered: false }
    }

    /// `η`
    pub fn learning_rate(&self) -> f64 {
        match *self {
            Self::Sgd { learning_rate, .. }
            | Self::Adam { learning_rate, .. }
            | Self::AdamW { learning_rate, .. }
            | Self::RmsProp { learning_rate, .. } => learning_rate,
        }
    }

    /// The same with another `η`.
    pub fn with_learning_rate(mut self, rate: f64) -> Self {
        match &mut self {
            Self::Sgd { learning_rate, .. }
            | Self::Adam { learning_rate, .. }
            | Self::AdamW { learning_rate, .. }
            | Self::RmsProp { learning_rate, .. } => *learning_rate = rate,
        }
        self
    }

    /// What is wrong with the constants, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        let rate = self.learning_rate();
        if !(rate.is_finite() && rate > 0.0) {
            return Some(format!("the learning rate is {rate}; it must be positive"));
        }
        let (shares, epsilon) = match *self {
            Self::Sgd { momentum, .. } => ([momentum, 0.0], 0.0),
            Self::Adam { beta_1, beta_2, epsilon, .. } | Self::AdamW { beta_1, beta_2, epsilon, .. } => {
                ([beta_1, beta_2], epsilon)
            }
            Self::RmsProp { rho, momentum, epsilon, .. } => ([rho, momentum], epsilon),
        };
        if let Self::AdamW { weight_decay, .. } = *self
            && !(weight_decay >= 0.0 && weight_decay.is_finite())
        {
            return Some(format!("weight decay is {weight_decay}; it is a number from 0"));
        }
        if !shares.iter().all(|share| (0.0..1.0).contains(share)) {
            return Some(format!("momentum and betas are at least 0 and below 1, not {shares:?}"));
        }
        (!(epsilon.is_finite() && epsilon >= 0.0)).then(|| format!("epsilon is {epsilon}"))
    }

    /// Numbers that are remembered of each parameter.
    pub(crate) fn states(&self) -> usize {
        match *self {
            Self::Sgd { momentum, .. } => usize::from(momentum != 0.0),
            Self::Adam { .. } | Self::AdamW { .. } => 2,
            Self::RmsProp { momentum, centered, .. } => {
                1 + usize::from(centered) + usize::from(momentum != 0.0)
            }
        }
    }

    /// Adam's constants in step `t` (from 1) with the learning rate times `factor`, if this is Adam or AdamW.
    pub(crate) fn adam_step<F: Real>(&self, (t, factor): (u64, f64)) -> Option<Adam<F>> {
        let (beta_1, beta_2, epsilon, weight_decay) = match *self {
            Self::Adam { beta_1, beta_2, epsilon, .. } => (beta_1, beta_2, epsilon, None),
            Self::AdamW { beta_1, beta_2, epsilon, weight_decay, .. } => {
                (beta_1, beta_2, epsilon, Some(weight_decay))
            }
            _ => return None,
        };
        let rate = F::from_f64(self.learning_rate() * factor);
        // Keras takes the powers in single precision.
        let power = |beta: f64| 1.0 - (beta as f32).powf(t as f32);
        Some(Adam {
            rate: rate * F::from_f32(power(beta_2).sqrt() / power(beta_1)),
            first: F::from_f64(1.0 - beta_1),
            second: F::from_f64(1.0 - beta_2),
            epsilon: F::from_f64(epsilon),
            decay: weight_decay.map(|decay| rate * F::from_f64(decay)),
        })
    }

    /// Step `t` (from 1) with the learning rate times `factor`, for a part of the parameters. The gradient is the sum
    /// of all lanes', in their order.
    pub(crate) fn update<F: Real>(
        &self,
        (t, factor): (u64, f64),
        parameters: &mut [F],
        gradients: &[&[F]],
        states: &mut [&mut [F]],
    ) {
        let rate = F::from_f64(self.learning_rate() * factor);
        match (*self, states) {
            (Self::Sgd { momentum, nesterov, .. }, [velocity]) => {
                let momentum = F::from_f64(momentum);
                in_parts(parameters, gradients, |range, w, g| {
                    let v = &mut velocity[range];
                    vectorized!({
                        for ((w, &g), v) in w.iter_mut().zip(g).zip(v) {
                            *v = momentum * *v - g * rate;
                            *w += if nesterov { momentum * *v - g * rate } else { *v };
                        }
                    });
                });
            }
            (Self::Sgd { .. }, _) => in_parts(parameters, gradients, |_, w, g| {
                vectorized!({ w.iter_mut().zip(g).for_each(|(w, &g)| *w += -(g * rate)) });
            }),
            (Self::Adam { .. } | Self::AdamW { .. }, [m, v]) => {
                let Some(adam) = self.adam_step((t, factor)) else { return };
                in_parts(parameters, gradients, |range, w, g| {
                    let (m, v) = (&mut m[range.clone()], &mut v[range]);
                    vectorized!({ adam.step(g, Remembered { w, m, v }) });
                });
            }
            (Self::RmsProp { rho, momentum, epsilon, centered, .. }, [velocity, others @ ..]) => {
                let (average, velocities) = others.split_at_mut(usize::from(centered));
                let mut rmsprop = RmsProp { rate, rho, momentum, epsilon, average, velocities };
                in_parts(parameters, gradients, |range, w, g| {
                    rmsprop.step(range.clone(), w, g, &mut velocity[range]);
                });
            }
            (Self::Adam { .. } | Self::AdamW { .. } | Self::RmsProp { .. }, _) => {}
        }
    }
}

/// RMSProp with what it remembers beside the mean of squares.
struct RmsProp<'s, 'a, F> {
    rate: F,
    rho: f64,
    momentum: f64,
    epsilon: f64,
    /// The mean of gradients, if it is centered.
    average: &'s mut [&'a mut [F]],
    /// The last updates, if it has momentum.
    velocities: &'s mut [&'a mut [F]],
}

impl<F: Real> RmsProp<'_, '_, F> {
    fn step(&mut self, range: Range<usize>, w: &mut [F], g: &[F], v: &mut [F]) {
        let (keep, new) = (F::from_f64(self.rho), F::from_f64(1.0 - self.rho));
        let (momentum, epsilon, rate) = (F::from_f64(self.momentum), F::from_f64(self.epsilon), self.rate);
        vectorized!({
            v.iter_mut().zip(g).for_each(|(v, &g)| *v = keep * *v + new * (g * g));
        });
        let average = self.average.first_mut().map(|average| &mut average[range.clone()]);
        let mut squares = [F::ZERO; PART];
        let squares = &mut squares[..g.len()];
        if let Some(average) = average {
            vectorized!({
                for ((a, s), &g) in average.iter_mut().zip(&mut *squares).zip(g) {
                    *a = keep * *a + new * g;
                    *s = *a * *a;
                }
            });
        }
        match self.velocities.first_mut().map(|velocities| &mut velocities[range]) {
            None => vectorized!({
                for (((w, &g), &v), &s) in w.iter_mut().zip(g).zip(&*v).zip(&*squares) {
                    *w += -(rate * g / (v - s + epsilon).sqrt());
                }
            }),
            Some(m) => vectorized!({
                for ((((w, &g), &v), &s), m) in w.iter_mut().zip(g).zip(&*v).zip(&*squares).zip(m) {
                    *m = momentum * *m + rate * g / (v - s + epsilon).sqrt();
                    *w += -*m;
                }
            }),
        }
    }
}

/// Parameters that are updated together: they stay in the nearest cache while the lanes are summed up.
const PART: usize = 1024;

/// Calls `step(range, w, g)` for parts of the parameters and their gradient, the sum of all lanes'.
fn in_parts<F: Real>(
    parameters: &mut [F],
    gradients: &[&[F]],
    mut step: impl FnMut(Range<usize>, &mut [F], &[F]),
) {
    let Some((&first, others)) = gradients.split_first() else { return };
    let mut sum = [F::ZERO; PART];
    for start in (0..parameters.len()).step_by(PART) {
        let part = start..parameters.len().min(start + PART);
        let mut gradient = &first[part.clone()];
        if !others.is_empty() {
            let sum = &mut sum[..part.len()];
            sum.copy_from_slice(gradient);
            for other in others {
                let other = &other[part.clone()];
                vectorized!({ sum.iter_mut().zip(other).for_each(|(sum, &g)| *sum += g) });
            }
            gradient = sum;
        }
        step(part.clone(), &mut parameters[part], gradient);
    }
}
