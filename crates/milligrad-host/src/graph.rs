//! The graph: what a model computes, before anybody decides where and with which kernels.
//!
//! A [`Draft`] is what importers, the builder and model files produce: plain data that may be wrong in every way.
//! [`Graph::verify`] is the only gate from there to a [`Graph`], whose nodes are in order of
//! execution, whose shapes, types and constants fit, and which later stages never check again.

use crate::error::{Error, Result};
use milligrad::{Padding, Quantization};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod rules;
pub use rules::{Regularizer, TrainRule};

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
    /// Extents; see [`Op`] for the order of axes.
    pub shape: Vec<usize>,
    /// The values.
    pub values: Values,
    /// Scales of int8 weights, one for all or one for each output channel; empty for others.
    pub scales: Vec<f32>,
}

/// Activation functions.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x`
    #[default]
    Linear,
    /// `max(x, 0)`
    Relu,
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `x` where positive, else `alpha x`
    LeakyRelu {
        /// Slope below zero.
        alpha: f32,
    },
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `tanh x`
    Tanh,
    /// `x` where positive, else `alpha (eˣ - 1)`
    Elu {
        /// Limit below zero.
        alpha: f32,
    },
}

impl Activation {
    /// `true` for the activations that are a range and can be fused into the layer before.
    pub fn is_clamp(self) -> bool {
        matches!(self, Self::Linear | Self::Relu | Self::Relu6)
    }
}

/// Serialisable twin of [`Padding`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Padding", rename_all = "snake_case")]
enum PaddingDef {
    Valid,
    Same,
    Explicit { top: u16, bottom: u16, left: u16, right: u16 },
}

/// A sliding window over an image `[height, width, channels]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Height and width.
    pub kernel: [usize; 2],
    /// Step down and to the right.
    pub stride: [usize; 2],
    /// Distance of taps.
    pub dilation: [usize; 2],
    /// Extension of the border.
    #[serde(with = "PaddingDef")]
    pub padding: Padding,
}

/// Up to four extents, axes, ... in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<usize>", into = "Vec<usize>")]
pub struct Axes {
    rank: u8,
    values: [usize; 4],
}

impl Axes {
    /// At most four numbers.
    pub fn new(values: &[usize]) -> Option<Self> {
        let mut this = Self { rank: values.len().try_into().ok()?, values: [0; 4] };
        this.values.get_mut(..values.len())?.copy_from_slice(values);
        Some(this)
    }
}

impl std::ops::Deref for Axes {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.values[..usize::from(self.rank)]
    }
}

impl TryFrom<Vec<usize>> for Axes {
    type Error = String;
    fn try_from(values: Vec<usize>) -> std::result::Result<Self, String> {
        Self::new(&values).ok_or_else(|| format!("{values:?} has more than four axes"))
    }
}

impl From<Axes> for Vec<usize> {
    fn from(axes: Axes) -> Self {
        axes.to_vec()
    }
}

/// Functions of two tensors, element by element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a b`
    Mul,
}

/// An operand that is the node's constant instead of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operand {
    /// It is the first one.
    pub first: bool,
    /// Its zero point; its scale is the constant's.
    pub zero_point: i8,
}

/// What a reduction computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// The mean.
    Mean,
    /// The sum.
    Sum,
}

/// What a node computes. Constants are listed in the order in which the node names them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// `activation(W x + b)`; constants: weights `[units, inputs]`, bias `[units]`. The input is taken flat.
    Dense {
        /// Fused activation, a range.
        activation: Activation,
    },
    /// 2-D convolution; constants: weights `[filters, height, width, channels]` (OHWI), bias `[filters]`. Like all
    /// operators with a window it takes `[length, channels]` too, as an image of height 1, and then gives such a tensor.
    Conv2d {
        /// Geometry.
        window: Window,
        /// Fused activation, a range.
        activation: Activation,
    },
    /// Depthwise convolution; constants: weights `[height, width, channels * multiplier]`, bias.
    DepthwiseConv2d {
        /// Geometry.
        window: Window,
        /// Fused activation, a range.
        activation: Activation,
    },
    /// Largest element of each window.
    MaxPool2d {
        /// Geometry.
        window: Window,
    },
    /// Mean of each window.
    AvgPool2d {
        /// Geometry.
        window: Window,
    },
    /// The same elements as one axis.
    Flatten,
    /// An activation of its own.
    Activation {
        /// The function.
        activation: Activation,
    },
    /// `e^x[i] / Σ e^x[j]` over all elements.
    Softmax,
    /// `activation(a + b)`
    Add {
        /// Fused activation, a range.
        activation: Activation,
    },
    /// `gamma (x - mean) / sqrt(variance + epsilon) + beta` for each channel; constants: gamma, beta, mean,
    /// variance. Folded into the layer before when a model is prepared for inference.
    BatchNorm {
        /// Added to the variance.
        epsilon: f32,
        /// How much of the moving statistics a batch keeps.
        momentum: f32,
    },
    /// Zeroes this share of the elements in training and scales up the others; nothing in inference.
    Dropout {
        /// Share, `0.0..1.0`.
        rate: f32,
    },
    /// Adds normal noise of this standard deviation in training; nothing in inference.
    GaussianNoise {
        /// Standard deviation.
        stddev: f32,
    },
    /// int8 to f32: the border between a frozen and a trainable part.
    Dequantize,
    /// f32 to int8: the border where a float input enters an int8 model.
    Quantize,
    /// int8 to int8 with another scale or zero point.
    Requantize,
    /// `x min(max(x + 3, 0), 6) / 6`
    HardSwish,
    /// The same elements with other extents.
    Reshape {
        /// The extents.
        shape: Axes,
    },
    /// `activation(f(a, b))`; either is repeated along axes that it has not. A constant operand is the node's
    /// constant, with one scale. In f32 there is the product of two inputs alone.
    Elementwise {
        /// The function.
        function: Function,
        /// Fused activation, a range.
        activation: Activation,
        /// The constant operand, if one is.
        constant: Option<Operand>,
    },
    /// The tensor with a border of one value.
    Pad {
        /// Elements before, for each axis.
        before: Axes,
        /// Elements after, for each axis.
        after: Axes,
        /// The value, quantised; 0 in f32.
        value: i8,
    },
    /// Its inputs side by side along an axis.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// Axis `i` of the output is axis `permutation[i]` of the input, int8.
    Transpose {
        /// The order of the axes.
        permutation: Axes,
    },
    /// A part of the tensor, int8: along each axis `size` elements from `begin` on, `step` apart. Steps may be negative.
    Slice {
        /// The first elements.
        begin: Axes,
        /// The numbers of elements.
        size: Axes,
        /// The steps.
        step: [isize; 4],
    },
    /// Mean or sum over axes, int8.
    Reduce {
        /// Which of them.
        function: Reduction,
        /// Over which axes.
        axes: Axes,
        /// Axes that were reduced stay, with one element.
        keep: bool,
    },
    /// Transposed 2-D convolution, int8; constants: weights `[filters, height, width, channels]` (OHWI), bias `[filters]`.
    TransposeConv2d {
        /// Height and width of the kernel.
        kernel: [usize; 2],
        /// Step down and to the right, in the output.
        stride: [usize; 2],
        /// Rows and columns of the output that are cut off above and to the left.
        before: [usize; 2],
        /// Height and width of the output.
        size: [usize; 2],
        /// Fused activation, a range.
        activation: Activation,
    },
    /// An image `[height, width, channels]` at another size, each pixel the nearest one, int8.
    ResizeNearest {
        /// Height and width of the output.
        size: [usize; 2],
        /// The corners of both images meet.
        align_corners: bool,
        /// Pixels are at half coordinates.
        half_pixel_centers: bool,
    },
}

impl Op {
    /// The operator's name, as users know it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Dense { .. } => "Dense",
            Self::Conv2d { .. } => "Conv2d",
            Self::DepthwiseConv2d { .. } => "DepthwiseConv2d",
            Self::MaxPool2d { .. } => "MaxPool2d",
            Self::AvgPool2d { .. } => "AvgPool2d",
            Self::Flatten => "Flatten",
            Self::Activation { activation } => match activation {
                Activation::Linear => "Linear",
                Activation::Relu => "ReLU",
                Activation::Relu6 => "ReLU6",
                Activation::LeakyRelu { .. } => "LeakyReLU",
                Activation::Sigmoid => "Sigmoid",
                Activation::Tanh => "Tanh",
                Activation::Elu { .. } => "ELU",
            },
            Self::Softmax => "Softmax",
            Self::Add { .. } => "Add",
            Self::BatchNorm { .. } => "BatchNorm",
            Self::Dropout { .. } => "Dropout",
            Self::GaussianNoise { .. } => "GaussianNoise",
            Self::Dequantize => "Dequantize",
            Self::Quantize => "Quantize",
            Self::Requantize => "Requantize",
            Self::HardSwish => "HardSwish",
            Self::Reshape { .. } => "Reshape",
            Self::Elementwise { function, .. } => match function {
                Function::Add => "Add",
                Function::Sub => "Sub",
                Function::Mul => "Mul",
            },
            Self::Pad { .. } => "Pad",
            Self::Concat { .. } => "Concat",
            Self::Transpose { .. } => "Transpose",
            Self::Slice { .. } => "Slice",
            Self::Reduce { function, .. } => match function {
                Reduction::Mean => "Mean",
                Reduction::Sum => "Sum",
            },
            Self::TransposeConv2d { .. } => "TransposeConv2d",
            Self::ResizeNearest { .. } => "ResizeNearest",
        }
    }

    /// The fused activation of an operator that has one.
    pub fn fused_activation(&self) -> Option<Activation> {
        match *self {
            Self::Dense { activation }
            | Self::Conv2d { activation, .. }
            | Self::DepthwiseConv2d { activation, .. }
            | Self::Add { activation }
            | Self::Elementwise { activation, .. }
            | Self::TransposeConv2d { activation, .. } => Some(activation),
            _ => None,
        }
    }
}

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
    /// Where a sample goes in.
    pub input: TensorId,
    /// Where the result comes out.
    pub output: TensorId,
}

/// The input transform `x = raw * scale + offset`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Normalize {
    /// Factor.
    pub scale: f32,
    /// Then added.
    pub offset: f32,
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

    /// Number of elements of the input.
    pub fn input_len(&self) -> usize {
        self.tensor(self.input).len()
    }

    /// Number of elements of the output.
    pub fn output_len(&self) -> usize {
        self.tensor(self.output).len()
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

    /// An error about one of the nodes.
    pub fn error(&self, node: &Node, problem: impl Into<String>) -> Error {
        Error::Graph { layer: node.name.clone(), op: node.op.name(), problem: problem.into() }
    }
}

impl std::ops::Deref for Graph {
    type Target = Draft;
    fn deref(&self) -> &Draft {
        &self.0
    }
}
