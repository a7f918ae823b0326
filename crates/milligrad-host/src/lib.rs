//! The desk side of milligrad: from data to the source of a firmware's model.
//!
//! ```
//! use milligrad_host::{Builder, CompileOptions, Program, QuantizeOptions, export, quantize};
//! use milligrad_host::train::{FitOptions, Samples, Targets, fit};
//! use std::ops::ControlFlow;
//!
//! // Which of two numbers is larger?
//! let inputs: Vec<f32> = (0..512).map(|i| (i * 37 % 101) as f32 / 101.0).collect();
//! let labels = inputs.chunks(2).map(|pair| u32::from(pair[1] > pair[0])).collect();
//! let samples = Samples::new(inputs.clone(), vec![2], Targets::Classes(labels))?;
//!
//! let mut model = Builder::new("larger", &[2]).dense(8).relu().dense(2).softmax().build(0)?;
//! let options = FitOptions { epochs: 60, ..FitOptions::default() };
//! let history = fit(&mut model, &samples, None, &options, &mut |_| ControlFlow::Continue(()))?;
//! assert!(history.epochs.last().and_then(|epoch| epoch.accuracy) > Some(0.9));
//!
//! let int8 = quantize(&model, &inputs, &QuantizeOptions::default())?;
//! let program = Program::compile(&int8, &CompileOptions::default())?;
//! let record = program.encode_input(&[0.9, 0.1]);
//! let scores = program.decode_output(&program.runner().predict(&record)?);   // bit for bit what the chip computes
//! assert!(scores[0] > scores[1]);
//! assert!(export::rust(&program)?.contains("pub fn predict"));
//! # Ok::<(), milligrad_host::Error>(())
//! ```
//!
//! # A tour, in the direction of the flow
//! - [`data`] reads and splits data; [`spec`] reads model specifications, [`builder`] makes models in code.
//! - [`graph`] is what a model computes. A [`Draft`] becomes a [`Graph`] only through [`Graph::verify`].
//! - [`train`](mod@train) fits a graph; [`model_file`] keeps it.
//! - [`quantize`](mod@quantize) makes it int8, all of it or all but the layers that are to learn on the device.
//! - [`lower`], [`plan`]: a [`Program`] is what a device does, step by step, every buffer in its place, proven.
//! - [`metrics`] says how good its answers are, [`plot`] draws curves and heat maps.
//! - [`Runner`] runs a program with the device crate's own kernels, [`export`] prints it, [`analysis`] counts it.

pub mod analysis;
pub mod builder;
pub mod data;
mod dump;
pub mod error;
pub mod export;
pub mod features;
pub mod graph;
pub mod import;
pub mod lower;
pub mod metrics;
pub mod model_file;
pub mod ops;
mod optimize;
pub mod pack;
pub mod plan;
pub mod plot;
mod prepare;
pub mod program;
pub mod quantize;
mod run;
mod score;
pub mod spec;
pub mod sweep;
pub mod train;
mod verify;

pub use analysis::{Analysis, LayerCost};
pub use builder::Builder;
pub use dump::{Difference, Dump, DumpedLayer};
pub use error::{Error, Result};
pub use graph::{
    Activation, Axes, Constant, ConstantId, DType, Draft, Function, Graph, Node, Normalize, Op, Operand,
    Port, Reduction, Regularizer, TensorId, TensorInfo, TrainRule, Values, WeightScales, Window,
};
pub use lower::{CompileOptions, Layers, Learn};
pub use prepare::for_inference;
pub use program::{ElementType, FixedExponents, FixedPoint, FixedRounding, LossKind, OptimizerKind, Program};
pub use quantize::{QuantizeOptions, qat, quantize};
pub use run::{Rule, Runner, Snapshot};

/// The README's code runs with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
