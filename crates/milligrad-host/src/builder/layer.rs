//! A layer before its shapes are known.

use super::Handle;
use crate::graph::{Activation, Regularizer, Window};
use crate::train::Initializer;

/// Height and width; a single number stands for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent(pub(super) [usize; 2]);

impl From<usize> for Extent {
    fn from(both: usize) -> Self {
        Self([both; 2])
    }
}

impl From<[usize; 2]> for Extent {
    fn from(height_width: [usize; 2]) -> Self {
        Self(height_width)
    }
}

/// Rows above and below, columns left and right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Border(pub(super) [[usize; 2]; 2]);

impl From<usize> for Border {
    fn from(all: usize) -> Self {
        Self([[all; 2]; 2])
    }
}

impl From<[usize; 2]> for Border {
    fn from([rows, columns]: [usize; 2]) -> Self {
        Self([[rows; 2], [columns; 2]])
    }
}

impl From<[[usize; 2]; 2]> for Border {
    fn from(rows_columns: [[usize; 2]; 2]) -> Self {
        Self(rows_columns)
    }
}

/// What a layer is; its shapes follow from its input.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Dense { units: usize },
    Conv2d { filters: usize, window: Window },
    DepthwiseConv2d { multiplier: usize, window: Window },
    MaxPool2d { window: Window },
    AvgPool2d { window: Window },
    GlobalMaxPool2d,
    GlobalAvgPool2d,
    Flatten,
    Reshape { shape: Vec<usize> },
    ZeroPadding { border: Border },
    Activation(Activation),
    HardSwish,
    Softmax,
    Add,
    Multiply,
    Concat { axis: Option<usize> },
    BatchNorm { epsilon: f32, momentum: f32 },
    Dropout { rate: f32 },
    GaussianNoise { stddev: f32 },
}

impl Kind {
    pub(super) fn window(&mut self) -> Option<&mut Window> {
        match self {
            Self::Conv2d { window, .. }
            | Self::DepthwiseConv2d { window, .. }
            | Self::MaxPool2d { window }
            | Self::AvgPool2d { window } => Some(window),
            _ => None,
        }
    }

    pub(super) fn has_parameters(&self) -> bool {
        matches!(self, Self::Dense { .. } | Self::Conv2d { .. } | Self::DepthwiseConv2d { .. })
    }
}

/// How the parameters of a layer start and are trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Options {
    pub(super) init: Initializer,
    pub(super) bias_init: Initializer,
    pub(super) regularizer: Regularizer,
    pub(super) bias_regularizer: Regularizer,
    pub(super) bias: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            init: Initializer::GlorotUniform,
            bias_init: Initializer::Zeros,
            regularizer: Regularizer::default(),
            bias_regularizer: Regularizer::default(),
            bias: true,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layer {
    pub(super) name: Option<String>,
    pub(super) kind: Kind,
    pub(super) inputs: Vec<Handle>,
    pub(super) options: Options,
    /// Axes of the input of a layer that takes an image (3) or a series (2).
    pub(super) rank: Option<usize>,
    /// An option was given that this layer does not have.
    pub(super) misuse: Option<String>,
}
