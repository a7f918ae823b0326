//! Attributes of operators: activations, windows, axes, functions.

use milligrad::Padding;
use serde::{Deserialize, Serialize};

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
