//! The graph: what a model computes, before anybody decides where and with which kernels.
//!
//! A [`Draft`] is what importers, the builder and model files produce: plain data that may be wrong in every way.
//! [`Graph::verify`] is the only gate from there to a [`Graph`], whose nodes are in order of
//! execution, whose shapes, types and constants fit, and which later stages never check again.

mod attributes;
mod op;
mod port;
mod rules;
mod tensor;

pub use attributes::{Activation, Axes, Function, Operand, Reduction, Window};
pub use op::Op;
pub use port::Port;
pub use rules::{Regularizer, TrainRule, WeightScales};
pub use tensor::{Constant, ConstantId, DType, TensorId, TensorInfo, Values};

use crate::error::{Error, Result};
use crate::features::{Features, TargetScaling};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One layer at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Unique name.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// What it reads.
    pub inputs: Vec<TensorId>,
    /// Its weights, biases, statistics, in the order that [`Op`] gives.
    #[serde(default)]
    pub constants: Vec<ConstantId>,
    /// What it writes.
    pub output: TensorId,
}

/// A graph that nobody checked yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Name of the model.
    pub name: String,
    /// Names of the classes, one for each output, or empty.
    #[serde(default)]
    pub labels: Vec<String>,
    /// What raw data are multiplied with and then shifted by, before they enter the model.
    #[serde(default)]
    pub normalize: Normalize,
    /// What is computed of raw columns instead, where features are engineered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<Features>,
    /// How targets of a regression were scaled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetScaling>,
    /// The tensors.
    pub tensors: Vec<TensorInfo>,
    /// Weights and so on; in files they are stored apart.
    #[serde(skip)]
    pub constants: Vec<Constant>,
    /// The layers.
    pub nodes: Vec<Node>,
    /// How constants are trained, by name; those that are not listed are trained freely.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub training: BTreeMap<String, TrainRule>,
    /// Where a sample goes in: one tensor, unless an imported model has several. Model files of format 1 have one.
    #[serde(alias = "input", deserialize_with = "port::inputs")]
    pub inputs: Vec<Port>,
    /// Where the result comes out.
    #[serde(alias = "output", deserialize_with = "port::outputs")]
    pub outputs: Vec<Port>,
}

impl Draft {
    /// The tensor of the first input, the only one of a model that learns.
    ///
    /// # Panics
    /// If there is none, which no verified graph has.
    pub fn input(&self) -> TensorId {
        self.inputs[0].tensor
    }

    /// The tensor of the first output.
    ///
    /// # Panics
    /// If there is none, which no verified graph has.
    pub fn output(&self) -> TensorId {
        self.outputs[0].tensor
    }

    /// Whether the tensor is an output.
    pub fn is_output(&self, id: TensorId) -> bool {
        self.outputs.iter().any(|port| port.tensor == id)
    }
}

/// The input transform `x = raw * scale + offset`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Normalize {
    /// Factor.
    pub scale: f32,
    /// Then added.
    pub offset: f32,
}

impl Normalize {
    /// What a network that takes normalised inputs gets for a raw one.
    #[must_use]
    #[inline]
    pub fn apply(self, raw: f32) -> f32 {
        raw * self.scale + self.offset
    }
}

impl Default for Normalize {
    fn default() -> Self {
        Self { scale: 1.0, offset: 0.0 }
    }
}

/// A sound graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph(Draft);

impl Graph {
    /// `true` if a part of the model is int8.
    pub fn has_int8(&self) -> bool {
        self.tensors.iter().any(|tensor| tensor.dtype == DType::I8)
    }

    /// Checks a draft: the one gate from untrusted to sound.
    ///
    /// # Errors
    /// The first problem found, with the layer's name.
    pub fn verify(draft: Draft) -> Result<Self> {
        crate::verify::verify(&draft)?;
        Ok(Self(draft))
    }

    /// The plain data, to change them and verify again.
    pub fn into_draft(self) -> Draft {
        self.0
    }

    /// Number of elements of a sample: of all inputs.
    pub fn input_len(&self) -> usize {
        self.inputs.iter().map(|port| self.tensor(port.tensor).len()).sum()
    }

    /// Number of elements of a result: of all outputs.
    pub fn output_len(&self) -> usize {
        self.outputs.iter().map(|port| self.tensor(port.tensor).len()).sum()
    }

    /// Refuses models with several inputs or outputs, for what takes one of each.
    ///
    /// # Errors
    /// If there are more; `what` takes one of each.
    pub fn require_single(&self, what: &str) -> Result<()> {
        let (inputs, outputs) = (self.inputs.len(), self.outputs.len());
        match (inputs, outputs) {
            (1, 1) => Ok(()),
            _ => Err(Error::Model {
                model: self.name.clone(),
                problem: format!(
                    "it has {inputs} inputs and {outputs} outputs; {what} takes a model with one of each"
                ),
            }),
        }
    }

    /// A tensor of this graph.
    pub fn tensor(&self, id: TensorId) -> &TensorInfo {
        &self.tensors[id.0]
    }

    /// A constant of this graph.
    pub fn constant(&self, id: ConstantId) -> &Constant {
        &self.constants[id.0]
    }

    /// Number of values of all constants.
    pub fn parameters(&self) -> usize {
        self.constants.iter().map(|c| c.values.len()).sum()
    }

    /// Replaces the values of a float constant, as training does.
    ///
    /// # Errors
    /// If the constant is no float constant of this length.
    pub fn set_values(&mut self, id: ConstantId, values: &[f32]) -> Result<()> {
        let constant = &mut self.0.constants[id.0];
        match &mut constant.values {
            Values::F32(old) if old.len() == values.len() => {
                old.copy_from_slice(values);
                Ok(())
            }
            old => Err(Error::Model {
                model: self.0.name.clone(),
                problem: format!(
                    "`{}` holds {} values, not {} floats",
                    constant.name,
                    old.len(),
                    values.len()
                ),
            }),
        }
    }

    /// The operator of a node, as users know it: a window over `[length, channels]` is a 1-D layer.
    pub fn op_name(&self, node: &Node) -> &'static str {
        let line = node.inputs.first().is_some_and(|&id| self.tensor(id).shape.len() == 2);
        match node.op {
            Op::Conv2d { .. } if line => "Conv1d",
            Op::DepthwiseConv2d { .. } if line => "DepthwiseConv1d",
            Op::MaxPool2d { .. } if line => "MaxPool1d",
            Op::AvgPool2d { .. } if line => "AvgPool1d",
            op => op.name(),
        }
    }

    /// An error about one of the nodes.
    pub fn error(&self, node: &Node, problem: impl Into<String>) -> Error {
        Error::Graph { layer: node.name.clone(), op: self.op_name(node), problem: problem.into() }
    }
}

impl std::ops::Deref for Graph {
    type Target = Draft;
    fn deref(&self) -> &Draft {
        &self.0
    }
}
