//! Momentum, and Nesterov's.

use super::Optimizer;
use super::each::{Rule, updates};
#[cfg(milligrad_fpu)]
use crate::arch::arm_fpu;

/// Gradient descent with momentum: `v = μ v - η g`, `w += v` (Keras' definition). It remembers the velocity `v`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Momentum {
    /// Step size `η`.
    pub learning_rate: f32,
    /// How much of the last step is kept, `μ`.
    pub momentum: f32,
}

impl Momentum {
    /// Descent with fixed step size and momentum.
    pub const fn new(learning_rate: f32, momentum: f32) -> Self {
        Self { learning_rate, momentum }
    }
}

impl Rule for Momentum {
    type State = f32;
    type Row = f32;

    #[inline(always)]
    fn row(&self, delta: f32) -> f32 {
        delta
    }

    #[inline(always)]
    fn step(&self, w: &mut f32, velocity: &mut f32, delta: f32, x: f32) {
        *velocity = self.momentum * *velocity - self.learning_rate * (delta * x);
        *w += *velocity;
    }

    #[cfg(milligrad_fpu)]
    #[inline(always)]
    fn run(&self, weights: &mut [f32], states: &mut [f32], row: f32, x: Option<&[f32]>) {
        arm_fpu::momentum(weights, states, x, [self.momentum, self.learning_rate, row, 0.0, 0.0]);
    }
}

impl Optimizer<f32> for Momentum {
    type State = f32;
    const START: f32 = 0.0;
    type Progress = ();
    const OUTSET: () = ();

    #[inline]
    fn begin(&self, (): &mut ()) -> Self {
        *self
    }

    updates!();
}

/// Gradient descent with Nesterov's momentum: `v = μ v - η g`, `w += μ v - η g` (Keras' definition). It remembers the
/// velocity `v`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Nesterov {
    /// Step size `η`.
    pub learning_rate: f32,
    /// How much of the last step is kept, `μ`.
    pub momentum: f32,
}

impl Nesterov {
    /// Descent with fixed step size and momentum.
    pub const fn new(learning_rate: f32, momentum: f32) -> Self {
        Self { learning_rate, momentum }
    }
}

impl Rule for Nesterov {
    type State = f32;
    type Row = f32;

    #[inline(always)]
    fn row(&self, delta: f32) -> f32 {
        self.learning_rate * delta
    }

    #[inline(always)]
    fn step(&self, w: &mut f32, velocity: &mut f32, step: f32, x: f32) {
        let step = step * x;
        *velocity = self.momentum * *velocity - step;
        *w += self.momentum * *velocity - step;
    }

    #[cfg(milligrad_fpu)]
    #[inline(always)]
    fn run(&self, weights: &mut [f32], states: &mut [f32], row: f32, x: Option<&[f32]>) {
        arm_fpu::nesterov(weights, states, x, [self.momentum, row, 0.0, 0.0, 0.0]);
    }
}

impl Optimizer<f32> for Nesterov {
    type State = f32;
    const START: f32 = 0.0;
    type Progress = ();
    const OUTSET: () = ();

    #[inline]
    fn begin(&self, (): &mut ()) -> Self {
        *self
    }

    updates!();
}
