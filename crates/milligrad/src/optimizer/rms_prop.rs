//! RMSProp.

use super::Optimizer;
use super::each::{Rule, updates};
#[cfg(milligrad_fpu)]
use crate::arch::arm_fpu;
use crate::math::sqrt;

/// `v = ρ v + (1 - ρ) g²`, `w -= η g / √(v + ε)` (Tieleman and Hinton, 2012; Keras' definition). It remembers the mean
/// square `v`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RmsProp {
    /// Step size `η`.
    pub learning_rate: f32,
    /// How much of the mean square is kept, `ρ`.
    pub rho: f32,
    /// What keeps the root from zero, `ε`.
    pub epsilon: f32,
}

impl RmsProp {
    /// With Keras' constants: `ρ` 0.9, `ε` 1e-7.
    pub const fn new(learning_rate: f32) -> Self {
        Self { learning_rate, rho: 0.9, epsilon: 1e-7 }
    }
}

impl Rule for RmsProp {
    type State = f32;
    type Row = f32;

    #[inline(always)]
    fn row(&self, delta: f32) -> f32 {
        delta
    }

    #[inline(always)]
    fn step(&self, w: &mut f32, square: &mut f32, delta: f32, x: f32) {
        let gradient = delta * x;
        *square = self.rho * *square + (1.0 - self.rho) * (gradient * gradient);
        *w -= self.learning_rate * gradient / sqrt(*square + self.epsilon);
    }

    #[cfg(milligrad_fpu)]
    #[inline(always)]
    fn run(&self, weights: &mut [f32], states: &mut [f32], row: f32, x: Option<&[f32]>) {
        arm_fpu::rms_prop(
            weights,
            states,
            x,
            [self.rho, 1.0 - self.rho, row, self.learning_rate, self.epsilon],
        );
    }
}

impl Optimizer<f32> for RmsProp {
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
