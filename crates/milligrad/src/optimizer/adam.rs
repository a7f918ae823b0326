//! Adam.

use super::Optimizer;
use super::each::{Rule, updates};
#[cfg(milligrad_fpu)]
use crate::arch::arm_fpu;
use crate::math::sqrt;

/// `m = β₁ m + (1 - β₁) g`, `v = β₂ v + (1 - β₂) g²`, `w -= η √(1 - β₂ᵗ) / (1 - β₁ᵗ) m / (√v + ε)` at step `t` (Kingma and Ba,
/// 2014; Keras' definition). It remembers `m` and `v` of each parameter, and once the powers `β₁ᵗ` and `β₂ᵗ`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Adam {
    /// Step size `η`.
    pub learning_rate: f32,
    /// How much of the mean is kept, `β₁`.
    pub beta_1: f32,
    /// How much of the mean square is kept, `β₂`.
    pub beta_2: f32,
    /// What keeps the quotient finite, `ε`.
    pub epsilon: f32,
    /// What the learning rate is multiplied with at this step.
    correction: f32,
}

impl Adam {
    /// With the usual constants: `β₁` 0.9, `β₂` 0.999, `ε` 1e-7.
    pub const fn new(learning_rate: f32) -> Self {
        Self { learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, correction: 1.0 }
    }
}

impl Rule for Adam {
    type State = [f32; 2];
    type Row = [f32; 2];

    #[inline(always)]
    fn row(&self, delta: f32) -> [f32; 2] {
        [(1.0 - self.beta_1) * delta, (1.0 - self.beta_2) * (delta * delta)]
    }

    #[inline(always)]
    fn step(&self, w: &mut f32, [m, v]: &mut [f32; 2], [mean, square]: [f32; 2], x: f32) {
        *m = self.beta_1 * *m + mean * x;
        *v = self.beta_2 * *v + square * x * x;
        *w -= self.learning_rate * self.correction * (*m / (sqrt(*v) + self.epsilon));
    }

    #[cfg(milligrad_fpu)]
    #[inline(always)]
    fn run(&self, weights: &mut [f32], states: &mut [[f32; 2]], [mean, square]: [f32; 2], x: Option<&[f32]>) {
        let &Self { learning_rate, beta_1, beta_2, epsilon, correction } = self;
        let rate = learning_rate * correction;
        arm_fpu::adam(weights, states, x, arm_fpu::Factors { beta_1, beta_2, mean, square, epsilon, rate });
    }
}

impl Optimizer<f32> for Adam {
    type State = [f32; 2];
    const START: [f32; 2] = [0.0; 2];
    /// `β₁ᵗ` and `β₂ᵗ`.
    type Progress = [f32; 2];
    const OUTSET: [f32; 2] = [1.0; 2];

    #[inline]
    fn begin(&self, [power_1, power_2]: &mut [f32; 2]) -> Self {
        *power_1 *= self.beta_1;
        *power_2 *= self.beta_2;
        Self { correction: sqrt(1.0 - *power_2) / (1.0 - *power_1), ..*self }
    }

    updates!();
}
