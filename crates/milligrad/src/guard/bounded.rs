//! How far a rule can go in one step.

use crate::math::sqrt;
use crate::{Adam, Momentum, Nesterov, Optimizer, RmsProp, Sgd, Trainable, WeightDecay};

/// An optimizer that knows how far it can go in one step.
pub trait Bounded<A: Trainable>: Optimizer<A> + Sized {
    /// Its learning rate.
    fn learning_rate(&self) -> f32;

    /// The same with its learning rate times `scale`.
    fn scaled(&self, scale: f32) -> Self;

    /// With no gradient beyond `±gradient`, no velocity beyond `±velocity`, and no parameter beyond `±parameter`: bounds
    /// of the new velocity, and of the change of a parameter.
    fn reach(&self, gradient: f32, velocity: f32, parameter: f32) -> (f32, f32);

    /// The magnitude of the velocity in a state, where the rule has one.
    fn velocity(state: &Self::State) -> f32;
}

impl Bounded<f32> for Sgd {
    fn learning_rate(&self) -> f32 {
        self.learning_rate
    }

    fn scaled(&self, scale: f32) -> Self {
        Self::new(self.learning_rate * scale)
    }

    fn reach(&self, gradient: f32, _: f32, _: f32) -> (f32, f32) {
        (0.0, self.learning_rate.abs() * gradient)
    }

    fn velocity((): &()) -> f32 {
        0.0
    }
}

impl Bounded<f32> for Momentum {
    fn learning_rate(&self) -> f32 {
        self.learning_rate
    }

    fn scaled(&self, scale: f32) -> Self {
        Self { learning_rate: self.learning_rate * scale, ..*self }
    }

    fn reach(&self, gradient: f32, velocity: f32, _: f32) -> (f32, f32) {
        let velocity = self.momentum.abs() * velocity + self.learning_rate.abs() * gradient;
        (velocity, velocity)
    }

    fn velocity(state: &f32) -> f32 {
        state.abs()
    }
}

impl Bounded<f32> for Nesterov {
    fn learning_rate(&self) -> f32 {
        self.learning_rate
    }

    fn scaled(&self, scale: f32) -> Self {
        Self { learning_rate: self.learning_rate * scale, ..*self }
    }

    fn reach(&self, gradient: f32, velocity: f32, _: f32) -> (f32, f32) {
        let step = self.learning_rate.abs() * gradient;
        let velocity = self.momentum.abs() * velocity + step;
        (velocity, self.momentum.abs() * velocity + step)
    }

    fn velocity(state: &f32) -> f32 {
        state.abs()
    }
}

impl Bounded<f32> for RmsProp {
    fn learning_rate(&self) -> f32 {
        self.learning_rate
    }

    fn scaled(&self, scale: f32) -> Self {
        Self { learning_rate: self.learning_rate * scale, ..*self }
    }

    /// `|g| / √(v + ε) ≤ 1 / √(1 - ρ)`, where the square of the gradient is a number.
    fn reach(&self, gradient: f32, _: f32, _: f32) -> (f32, f32) {
        (0.0, self.learning_rate.abs() / sqrt(1.0 - self.rho) + 0.0 * (gradient * gradient))
    }

    fn velocity(square: &f32) -> f32 {
        0.0 * *square
    }
}

impl Bounded<f32> for Adam {
    fn learning_rate(&self) -> f32 {
        self.learning_rate
    }

    fn scaled(&self, scale: f32) -> Self {
        let mut scaled = *self;
        scaled.learning_rate *= scale;
        scaled
    }

    /// By Cauchy and Schwarz `|m| / √v ≤ (1 - β₁) / √(1 - β₂) √((1 - rᵗ) / (1 - r))` with `r = β₁² / β₂`, and the correction times
    /// `√(1 - rᵗ)` is at most 1, as `√((1 - β₂ᵗ) (1 - rᵗ)) ≤ 1 - β₁ᵗ`. Where `v` is too small for an `f32`, `m` is below 1e-19
    /// and `ε` divides it.
    fn reach(&self, gradient: f32, _: f32, _: f32) -> (f32, f32) {
        let remains = (1.0 - self.beta_2) * (1.0 - self.beta_1 * self.beta_1 / self.beta_2);
        let quotient = (1.0 - self.beta_1) / sqrt(remains);
        let small = 1e-18 / self.epsilon / (1.0 - self.beta_1);
        (0.0, self.learning_rate.abs() * (quotient + small) + 0.0 * (gradient * gradient))
    }

    fn velocity([m, v]: &[f32; 2]) -> f32 {
        0.0 * (*m + *v)
    }
}

impl<O: Bounded<f32>> Bounded<f32> for WeightDecay<O> {
    fn learning_rate(&self) -> f32 {
        self.rule.learning_rate()
    }

    fn scaled(&self, scale: f32) -> Self {
        Self { rule: self.rule.scaled(scale), ..*self }
    }

    fn reach(&self, gradient: f32, velocity: f32, parameter: f32) -> (f32, f32) {
        let (velocity, step) = self.rule.reach(gradient, velocity, parameter);
        (velocity, step + (self.learning_rate() * self.weight_decay).abs() * parameter)
    }

    fn velocity(state: &O::State) -> f32 {
        O::velocity(state)
    }
}
