//! Inputs and outputs.

use super::TensorId;
use serde::{Deserialize, Deserializer, Serialize};

/// An input or output of a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// `input` and `output` where there is one of each, else what tells it from the others. An identifier.
    pub name: String,
    /// The tensor.
    pub tensor: TensorId,
}

impl Port {
    /// The only input of a model.
    pub fn input(tensor: TensorId) -> Self {
        Self { name: "input".into(), tensor }
    }

    /// The only output of a model.
    pub fn output(tensor: TensorId) -> Self {
        Self { name: "output".into(), tensor }
    }
}

/// Ports as they are in files: format 1 had the tensor of the one input or output.
#[derive(Deserialize)]
#[serde(untagged)]
enum Ports {
    One(TensorId),
    Many(Vec<Port>),
}

pub(super) fn inputs<'d, D: Deserializer<'d>>(d: D) -> Result<Vec<Port>, D::Error> {
    Ports::deserialize(d).map(|ports| match ports {
        Ports::One(tensor) => vec![Port::input(tensor)],
        Ports::Many(ports) => ports,
    })
}

pub(super) fn outputs<'d, D: Deserializer<'d>>(d: D) -> Result<Vec<Port>, D::Error> {
    Ports::deserialize(d).map(|ports| match ports {
        Ports::One(tensor) => vec![Port::output(tensor)],
        Ports::Many(ports) => ports,
    })
}
