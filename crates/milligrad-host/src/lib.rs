//! The desk side of milligrad.

pub mod analysis;
pub mod builder;
pub mod data;
pub mod error;
pub mod export;
pub mod graph;
pub mod import;
pub mod lower;
pub mod model_file;
pub mod ops;
pub mod plan;
mod prepare;
pub mod program;
pub mod quantize;
mod run;
mod score;
pub mod spec;
pub mod train;
mod verify;

pub use analysis::{Analysis, LayerCost};
pub use builder::Builder;
pub use error::{Error, Result};
pub use graph::{
    Activation, Axes, Constant, ConstantId, DType, Draft, Function, Graph, Node, Normalize, Op, Operand, Reduction,
    TensorId, TensorInfo, Values, Window,
};
pub use lower::{CompileOptions, Layers, Learn};
pub use prepare::for_inference;
pub use program::{OptimizerKind, Program};
pub use quantize::{QuantizeOptions, quantize};
pub use run::{Rule, Runner};
