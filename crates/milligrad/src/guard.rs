//! The guarded step: whatever can refuse a training step does so before its first write.
//!
//! A network that is exported with a guard asks it between deltas and updates. From the deltas it knows the norm of the
//! whole gradient ([`Norm`]): that of a dense layer is `|δ| √(|x|² + 1)`, without the gradient itself. Then it
//! - refuses the step if the norm is not finite, or larger than [`Limits::max_norm`];
//! - scales the gradient down to [`Limits::clip_norm`];
//! - refuses the step if it could take a parameter beyond `±`[`Limits::max_parameter`]. No parameter changes by more than
//!   the optimizer makes of the norm ([`Bounded::reach`]), so that a running bound does; the parameters are looked at only
//!   where the bound comes to the limit;
//! - takes smaller steps after a refusal ([`Limits::back_off`]), and larger ones again after a while without.
//!
//! A refused step leaves parameters and the optimizer's memory as they are, bit for bit. So parameters are finite and
//! within the limit whatever inputs, labels and learning rates come.
//!
//! ```
//! use milligrad::guard::{Guard, Norm, largest, most};
//! use milligrad::{Clamp, Sgd, TrainError, layers::{Dense, dense, softmax}, loss};
//!
//! /// A network of one layer, 2-3, written by hand, with a guard.
//! struct Network {
//!     weights: [f32; 6],
//!     biases: [f32; 3],
//!     guard: Guard,
//! }
//!
//! impl Network {
//!     fn learn(&mut self, x: &[f32; 2], label: usize, optimizer: &Sgd) -> Result<f32, TrainError> {
//!         let mut delta = [0.0; 3];
//!         Dense::<f32>::new(2, &self.weights, &self.biases, Clamp::<f32>::LINEAR).forward(x, &mut delta);
//!         softmax(&mut delta);
//!         let loss = loss::sparse_categorical_cross_entropy(&mut delta, label)
//!             .map_err(|reason| self.guard.refuse(reason))?;
//!         let mut norm = Norm::new();
//!         norm.dense(x, &delta);
//!         let parameters = || (most(largest(&self.weights), largest(&self.biases)), 0.0);
//!         let step = self.guard.decide(norm, optimizer, parameters)?;
//!         step.clip(&mut delta);
//!         let state = (&mut [(); 6][..], &mut [(); 3][..]);
//!         dense::apply::<f32, _>(x, &delta, &mut self.weights, &mut self.biases, state, &step.optimizer);
//!         Ok(loss)
//!     }
//! }
//!
//! let mut network = Network { weights: [0.0; 6], biases: [0.0; 3], guard: Guard::new() };
//! network.learn(&[1.0, -1.0], 2, &Sgd::new(0.5))?;
//! let before = network.weights;
//! assert_eq!(network.learn(&[1.0, f32::NAN], 2, &Sgd::new(0.5)), Err(TrainError::NotFinite));
//! assert_eq!(network.learn(&[1.0, 1.0], 2, &Sgd::new(1e9)), Err(TrainError::OutOfRange));
//! assert_eq!(network.weights, before);
//! assert_eq!(network.guard.report().refused, 2);
//! # Ok::<(), TrainError>(())
//! ```

mod bounded;

pub use bounded::Bounded;

use crate::layers::dense::Dequantized;
use crate::math::sqrt;
use crate::{TrainError, Trainable};

/// What a guard lets pass.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Limits {
    /// A gradient with a larger norm is scaled down to this one. Infinite: it isn't.
    pub clip_norm: f32,
    /// A step with a larger norm of its gradient, before clipping, is refused.
    pub max_norm: f32,
    /// A step that could take a parameter beyond `±max_parameter` is refused.
    pub max_parameter: f32,
    /// What the learning rate is multiplied with after a step refused for its norm or range; 1: nothing.
    pub back_off: f32,
    /// The learning rate is never multiplied with less than this.
    pub min_scale: f32,
    /// After so many steps without a refusal one back-off is taken back.
    pub recovery: u32,
}

impl Limits {
    /// Norms up to 1,000 pass, clipped to 10; parameters stay within ±100; the learning rate halves at a refusal, down to
    /// 1/1024, and doubles after 32 steps.
    pub const DEFAULT: Self = Self {
        clip_norm: 10.0,
        max_norm: 1e3,
        max_parameter: 100.0,
        back_off: 0.5,
        min_scale: 1.0 / 1024.0,
        recovery: 32,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What a guard has done.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Report {
    /// Steps taken.
    pub taken: u32,
    /// Steps refused.
    pub refused: u32,
    /// Steps taken with a clipped gradient.
    pub clipped: u32,
    /// Norm of the last gradient, before clipping; NaN where it could not be computed.
    pub norm: f32,
    /// What learning rates are multiplied with now.
    pub scale: f32,
    /// Why the last step was refused; `None` where it was taken.
    pub refusal: Option<TrainError>,
}

/// The norm of a gradient, put together layer by layer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Norm {
    squares: f32,
}

impl Norm {
    /// Of no layers.
    pub const fn new() -> Self {
        Self { squares: 0.0 }
    }

    /// Adds weights and biases of a dense layer: `|δ|² (|x|² + 1)`.
    #[inline]
    pub fn dense(&mut self, x: &[f32], delta: &[f32]) {
        self.squares += (squares(delta) + UNDERFLOW) * (squares(x) + 1.0);
    }

    /// As [`dense`](Self::dense), of a layer with int8 inputs.
    #[inline]
    pub fn dense_dequantized(&mut self, x: Dequantized<'_>, delta: &[f32]) {
        self.squares += (squares(delta) + UNDERFLOW) * (squares_dequantized(x) + 1.0);
    }

    /// Adds gradients that are stored, or the deltas of biases, which are their gradient.
    #[inline]
    pub fn gradient(&mut self, gradient: &[f32]) {
        self.squares += squares(gradient) + UNDERFLOW;
    }

    /// The norm of the gradient times `factor`, for a mean.
    #[inline]
    pub fn scaled(self, factor: f32) -> Self {
        Self { squares: self.squares * factor * factor }
    }

    /// The norm.
    #[inline]
    pub fn norm(self) -> f32 {
        sqrt(self.squares)
    }
}

/// More than what is lost of a sum where squares are too small for an `f32`: deltas below 1e-19 count as 1e-17, so that the
/// norm is a bound of every gradient even where an enormous learning rate makes something of it.
const UNDERFLOW: f32 = 1e-34;

#[inline(never)]
fn squares(values: &[f32]) -> f32 {
    let mut sums = [0.0; 4];
    let rest = add_squares(values, &mut sums);
    finish_squares(sums, rest)
}

/// As [`squares`] of the floats.
#[inline(never)]
fn squares_dequantized(x: Dequantized<'_>) -> f32 {
    let (mut sums, mut block) = ([0.0; 4], [0.0; 32]);
    for run in x.runs(block.len(), false) {
        let Some(floats) = x.floats(run, &mut block) else { break };
        let rest = add_squares(floats, &mut sums);
        if !rest.is_empty() {
            return finish_squares(sums, rest);
        }
    }
    finish_squares(sums, &[])
}

/// Adds up the squares of whole fours, in four sums, so that none waits for the one before. Returns what is left.
#[inline(never)]
fn add_squares<'v>(values: &'v [f32], sums: &mut [f32; 4]) -> &'v [f32] {
    let (blocks, rest) = values.as_chunks::<4>();
    for block in blocks {
        sums.iter_mut().zip(block).for_each(|(sum, x)| *sum += x * x);
    }
    rest
}

#[inline(always)]
fn finish_squares(sums: [f32; 4], rest: &[f32]) -> f32 {
    rest.iter().fold((sums[0] + sums[1]) + (sums[2] + sums[3]), |sum, x| sum + x * x)
}

/// `true` if no value is NaN or infinite.
#[inline(never)]
pub fn all_finite(values: &[f32]) -> bool {
    // Times zero, all that is finite is zero, and all else NaN.
    values.iter().fold(0.0, |sum, x| sum + x * 0.0) == 0.0
}

/// The largest magnitude, NaN if a value is not finite.
#[inline(never)]
pub fn largest(values: &[f32]) -> f32 {
    let largest = values.iter().fold(0.0, |largest, x| if x.abs() > largest { x.abs() } else { largest });
    if all_finite(values) { largest } else { f32::NAN }
}

/// The larger of two magnitudes, NaN if one is.
#[inline]
pub fn most(a: f32, b: f32) -> f32 {
    if b <= a { a } else { b + 0.0 * a }
}

/// The largest velocity among the states of parameters, NaN if one is NaN.
#[inline(never)]
pub fn fastest<A: Trainable, O: Bounded<A>>(states: &[O::State]) -> f32 {
    states.iter().map(O::velocity).fold(0.0, most)
}

/// A step that is to be taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step<O> {
    /// What to multiply deltas or gradients with; 1 where they are not clipped.
    pub factor: f32,
    /// The rule, its learning rate backed off.
    pub optimizer: O,
}

impl<O> Step<O> {
    /// Clips deltas, or gradients that are stored.
    #[inline]
    pub fn clip(&self, deltas: &mut [f32]) {
        if self.factor != 1.0 {
            scale(self.factor, deltas);
        }
    }
}

/// `x = factor x`
#[inline(never)]
pub fn scale(factor: f32, values: &mut [f32]) {
    values.iter_mut().for_each(|x| *x *= factor);
}

/// Decides on steps. One guard watches one network.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// What may pass.
    pub limits: Limits,
    report: Report,
    /// Steps since the last refusal or recovery.
    calm: u32,
    /// No parameter is beyond this, nor a velocity beyond that.
    parameter: f32,
    velocity: f32,
}

impl Guard {
    /// A guard with the usual limits.
    pub const fn new() -> Self {
        Self::with(Limits::DEFAULT)
    }

    /// A guard with limits.
    pub const fn with(limits: Limits) -> Self {
        let report = Report { taken: 0, refused: 0, clipped: 0, norm: 0.0, scale: 1.0, refusal: None };
        Self { limits, report, calm: 0, parameter: f32::INFINITY, velocity: f32::INFINITY }
    }

    /// The same, when no parameter is beyond `±parameter` and nothing is in the optimizer's memory, so that it need not look.
    #[must_use]
    pub const fn knowing(mut self, parameter: f32) -> Self {
        (self.parameter, self.velocity) = (parameter, 0.0);
        self
    }

    /// What it has done.
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// To be called when parameters were changed by anything but a step that it let pass.
    pub const fn forget(&mut self) {
        (self.parameter, self.velocity) = (f32::INFINITY, f32::INFINITY);
    }

    /// Notes that a step was refused; returns the reason.
    pub fn refuse(&mut self, reason: TrainError) -> TrainError {
        self.report.refused = self.report.refused.saturating_add(1);
        self.report.refusal = Some(reason);
        if let TrainError::NotFinite | TrainError::GradientTooLarge | TrainError::OutOfRange = reason {
            self.calm = 0;
            let scale = self.report.scale * self.limits.back_off;
            self.report.scale = if scale < self.limits.min_scale { self.limits.min_scale } else { scale };
        }
        reason
    }

    /// Decides on a step with this norm. `parameters` tells the largest magnitudes of parameters and velocities.
    ///
    /// # Errors
    /// `NotFinite`, `GradientTooLarge`, `OutOfRange`; then nothing is to be written.
    #[inline(never)]
    pub fn decide<O: Bounded<f32>>(
        &mut self,
        norm: Norm,
        optimizer: &O,
        parameters: impl FnOnce() -> (f32, f32),
    ) -> Result<Step<O>, TrainError> {
        let norm = norm.norm();
        self.report.norm = norm;
        if !norm.is_finite() {
            return Err(self.refuse(TrainError::NotFinite));
        }
        if norm > self.limits.max_norm {
            return Err(self.refuse(TrainError::GradientTooLarge));
        }
        let clipped = norm > self.limits.clip_norm;
        let (factor, gradient) =
            if clipped { (self.limits.clip_norm / norm, self.limits.clip_norm) } else { (1.0, norm) };
        let optimizer = optimizer.scaled(self.report.scale);
        // A little more, as each of these bounds is rounded.
        const ROUNDING: f32 = 1.0 + 1e-4;
        let bounds = |parameter: f32, velocity: f32| {
            let (velocity, step) = optimizer.reach(gradient, velocity, parameter);
            (ROUNDING * (parameter + step), ROUNDING * velocity)
        };
        // NaN is not within the limit either.
        let limit = self.limits.max_parameter;
        let within = |parameter: f32| parameter <= limit;
        let (mut parameter, mut velocity) = bounds(self.parameter, self.velocity);
        if !within(parameter) {
            (self.parameter, self.velocity) = parameters();
            (parameter, velocity) = bounds(self.parameter, self.velocity);
        }
        if !within(parameter) {
            return Err(self.refuse(TrainError::OutOfRange));
        }
        (self.parameter, self.velocity) = (parameter, velocity);
        self.report.taken = self.report.taken.saturating_add(1);
        self.report.clipped = self.report.clipped.saturating_add(u32::from(clipped));
        self.report.refusal = None;
        self.calm = self.calm.saturating_add(1);
        if self.calm >= self.limits.recovery && self.report.scale < 1.0 {
            self.calm = 0;
            let scale = self.report.scale / self.limits.back_off;
            self.report.scale = if scale < 1.0 { scale } else { 1.0 };
        }
        Ok(Step { factor, optimizer })
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
    use crate::{Momentum, Sgd};

    #[test]
    fn norms_are_those_of_the_gradient() {
        let (x, delta) = ([0.5f32, -2.0, 3.0, 1.0, 0.25], [0.1f32, -0.7, 0.3]);
        let (mut weights, mut biases) = ([0.0; 15], [0.0; 3]);
        crate::layers::dense::accumulate::<f32>(&x, &delta, &mut weights, &mut biases);
        let (mut stored, mut short) = (Norm::new(), Norm::new());
        stored.gradient(&weights);
        stored.gradient(&biases);
        short.dense(&x, &delta);
        assert!((stored.norm() - short.norm()).abs() < 1e-6 * short.norm());
        assert!((short.scaled(0.5).norm() - 0.5 * short.norm()).abs() < 1e-6);
    }

    #[test]
    fn what_is_not_finite_is_seen() {
        assert!(all_finite(&[0.0, -1e38, f32::MIN_POSITIVE]) && all_finite(&[]));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(!all_finite(&[1.0, bad, 2.0]));
            assert!(largest(&[bad, 1.0]).is_nan() && largest(&[1.0, bad]).is_nan());
        }
        assert_eq!(largest(&[1.0, -3.0, 2.0]), 3.0);
        assert_eq!(fastest::<f32, Momentum>(&[1.0, -3.0, 2.0]), 3.0);
        assert!(fastest::<f32, Momentum>(&[1.0, f32::NAN, 2.0]).is_nan());
    }

    #[test]
    fn the_rate_falls_at_refusals_and_recovers() {
        let mut guard = Guard::new();
        let norm = |squares| Norm { squares };
        let mut decide = |squares, rate| {
            let step = guard.decide(norm(squares), &Sgd::new(rate), || (1.0, 0.0));
            (step.map(|step| (step.factor, step.optimizer.learning_rate)), guard.report().scale)
        };
        assert_eq!(decide(4.0, 0.5), (Ok((1.0, 0.5)), 1.0));
        assert_eq!(decide(400.0, 0.5), (Ok((0.5, 0.5)), 1.0));
        assert_eq!(decide(1e8, 0.5), (Err(TrainError::GradientTooLarge), 0.5));
        assert_eq!(decide(f32::NAN, 0.5), (Err(TrainError::NotFinite), 0.25));
        assert_eq!(decide(1.0, f32::NAN), (Err(TrainError::OutOfRange), 0.125));
        assert_eq!(decide(1.0, 1e6), (Err(TrainError::OutOfRange), 0.0625));
        for _ in 0..31 {
            assert_eq!(decide(1e-4, 1.0), (Ok((1.0, 0.0625)), 0.0625));
        }
        assert_eq!(decide(1e-4, 1.0).1, 0.125);
        for _ in 0..200 {
            let _ = decide(1e-4, 1.0);
        }
        assert_eq!(decide(1e-4, 1.0).1, 1.0);
        guard.refuse(TrainError::LabelOutOfRange);
        assert_eq!(guard.report().scale, 1.0, "a wrong label is not the rate's fault");
    }
}
