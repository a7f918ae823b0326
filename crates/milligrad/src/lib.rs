//! Neural networks that run **and learn** on microcontrollers: no heap, no operating system, no C.
//!
//! This is the part of milligrad that runs on the chip. The same code runs on a desk machine, and gives the same
//! bits there. Usually the `milligrad` command trains a model, quantises it and prints a `model.rs` that calls
//! this crate; the same layers can be put together by hand:
//!
//! ```
//! use milligrad::{Clamp, Sgd, TrainError, layers::{Dense, dense, softmax}, loss};
//!
//! /// A network of one layer, 2-3, that lives in 36 bytes of RAM.
//! struct Network {
//!     weights: [f32; 6],
//!     biases: [f32; 3],
//! }
//!
//! impl Network {
//!     fn predict(&self, x: &[f32; 2]) -> [f32; 3] {
//!         let mut y = [0.0; 3];
//!         Dense::<f32>::new(2, &self.weights, &self.biases, Clamp::<f32>::LINEAR).forward(x, &mut y);
//!         softmax(&mut y);
//!         y
//!     }
//!
//!     /// One step of gradient descent: forward, delta, check, apply.
//!     fn learn(&mut self, x: &[f32; 2], label: usize) -> Result<f32, TrainError> {
//!         let mut delta = self.predict(x);
//!         let loss = loss::sparse_categorical_cross_entropy(&mut delta, label)?;
//!         if !loss.is_finite() {
//!             return Err(TrainError::NotFinite);
//!         }
//!         let state = (&mut [(); 6][..], &mut [(); 3][..]);
//!         dense::apply::<f32, _>(x, &delta, &mut self.weights, &mut self.biases, state, &Sgd::new(0.5));
//!         Ok(loss)
//!     }
//! }
//!
//! let mut network = Network { weights: [0.0; 6], biases: [0.0; 3] };
//! let first = network.learn(&[1.0, -1.0], 2)?;
//! for _ in 0..20 {
//!     network.learn(&[1.0, -1.0], 2)?;
//! }
//! assert!(network.predict(&[1.0, -1.0])[2] > 0.9);
//! # Ok::<(), TrainError>(())
//! ```
//!
//! # A tour
//! - [`Arithmetic`] is what a number format must know; [`Trainable`] what it must know to learn. There are `f32`,
//!   `f64`, [`Int8`] (TensorFlow Lite's arithmetic, bit for bit) and [`Fixed16`].
//! - [`Window2d`] is the geometry of convolutions and pooling: the one place that knows of padding.
//! - [`layers`] are loop nests over an arithmetic and a geometry, forward and backward.
//! - [`loss`] and [`Optimizer`] are the two ends of training. A step is forward → deltas → check → apply: nothing
//!   is written to a parameter before the check.
//! - [`fixed`] is 16-bit fixed point, for cores without an FPU: its formats, losses and guard.
//! - A [`guard`] refuses bad steps before their first write, clips gradients and adapts the step size.
//! - [`math`] are elementary functions with stated errors.
//! - [`Model`], [`Learner`] and [`BatchLearner`] are what every exported model offers; [`arena`] are views into its memory.
//!
//! Kernels take slices and never panic; constructors are `const` and check their shapes, so that a wrong
//! shape in a `static` does not compile.
//!
//! # Features
//! - `micromath`: coarse and fast sine, arc tangent, ... for feature extraction ([`math`]`::approximate`).
//! - `defmt`: `defmt::Format` for public types.
//! - `fma`: layers in f32 add up products by fused multiply-add, on a Cortex-M4F in as many instructions ([`math`] says what
//!   it is worth). Its bits are other ones, again the same on every target that has it.
#![no_std]

mod arch;
pub mod arena;
mod arithmetic;
mod clamp;
mod cores;
pub mod fixed;
pub mod guard;
pub mod layers;
pub mod loss;
pub mod math;
mod model;
mod optimizer;
pub mod packed;
mod quantization;
mod quantized_math;
mod target;
mod window;

pub use arena::argmax;
pub use arithmetic::{Arithmetic, Trainable};
pub use clamp::Clamp;
pub use cores::Core;
pub use fixed::{ACTIVATION_BITS, DELTA_BITS, Fixed16, SUM_BITS, WEIGHT_BITS};
pub use model::{BatchLearner, Element, Elements, ElementsMut, Learner, Model, Port};
pub use optimizer::{
    Adam, Momentum, Nesterov, Optimizer, PowerOfTwoSgd, RmsProp, Schedule, Sgd, StochasticSgd, WeightDecay,
};
pub use quantization::{Int8, Quantization, QuantizedChannel, QuantizedOutput, Requantize, Rounding};
pub use target::{Evaluation, Target, TargetKind, UNLABELLED};
pub use window::{Lines, Padding, Window2d};

/// Why a training step was refused. No parameter was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TrainError {
    /// The label is not the index of an output.
    LabelOutOfRange,
    /// The input, the loss or the gradient is NaN or infinite.
    NotFinite,
    /// The sample has no label ([`UNLABELLED`]).
    Unlabelled,
    /// A class where values are wanted, values where a class is, or another number of values.
    WrongTarget,
    /// A [`guard`] found the norm of the gradient too large.
    GradientTooLarge,
    /// A [`guard`] saw that a parameter could leave its range.
    OutOfRange,
}

impl core::fmt::Display for TrainError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::LabelOutOfRange => "the label is not the index of an output",
            Self::NotFinite => "the input, the loss or the gradient is not finite",
            Self::Unlabelled => "the sample has no label",
            Self::WrongTarget => "the target is not of the kind or length that the network takes",
            Self::GradientTooLarge => "the norm of the gradient is beyond the guard's limit",
            Self::OutOfRange => "a parameter could leave the range that the guard keeps",
        })
    }
}

impl core::error::Error for TrainError {}
