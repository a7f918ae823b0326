//! Tensors and constants: what flows through a graph, and what its layers hold.

use milligrad::Quantization;
use serde::{Deserialize, Serialize};

/// Index of a tensor in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TensorId(pub usize);

/// Index of a constant in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConstantId(pub usize);

/// Type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DType {
    /// 32-bit float.
    F32,
    /// 8-bit integer with scale and zero point.
    I8,
}

impl DType {
    /// Bytes of one element.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::I8 => 1,
        }
    }
}

/// Serialisable twin of [`Quantization`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Quantization")]
struct QuantizationDef {
    scale: f32,
    zero_point: i8,
}

mod optional_quantization {
    use super::{Quantization, QuantizationDef};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Wrapper(#[serde(with = "QuantizationDef")] Quantization);

    pub(super) fn serialize<S: Serializer>(q: &Option<Quantization>, s: S) -> Result<S::Ok, S::Error> {
        q.map(Wrapper).serialize(s)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(d: D) -> Result<Option<Quantization>, D::Error> {
        Ok(Option::<Wrapper>::deserialize(d)?.map(|w| w.0))
    }
}

/// A value that flows through the graph: one sample, so there is no batch axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TensorInfo {
    /// Extents, outermost first: `[height, width, channels]` or `[features]`.
    pub shape: Vec<usize>,
    /// Element type.
    pub dtype: DType,
    /// Scale and zero point of an int8 tensor.
    #[serde(with = "optional_quantization", default, skip_serializing_if = "Option::is_none")]
    pub quantization: Option<Quantization>,
}

impl TensorInfo {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// `true` if an extent is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Values of a constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Float weights, biases, statistics.
    F32(Vec<f32>),
    /// int8 weights.
    I8(Vec<i8>),
    /// Biases of int8 layers, in units of input scale times weight scale.
    I32(Vec<i32>),
}

impl Values {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::I8(v) => v.len(),
            Self::I32(v) => v.len(),
        }
    }

    /// `true` if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes in flash.
    pub fn bytes(&self) -> usize {
        match self {
            Self::F32(v) => 4 * v.len(),
            Self::I8(v) => v.len(),
            Self::I32(v) => 4 * v.len(),
        }
    }
}

/// Weights, biases or statistics of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    /// `layer/weights`, `layer/bias`, `layer/gamma`, ...
    pub name: String,
    /// Extents; see [`Op`](super::Op) for the order of axes.
    pub shape: Vec<usize>,
    /// The values.
    pub values: Values,
    /// Scales of int8 weights, one for all or one for each output channel; empty for others.
    pub scales: Vec<f32>,
}
