//! The operators.

use super::{Activation, Axes, Function, Operand, Reduction, Window};
use serde::{Deserialize, Serialize};

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
    /// Rounds to the 256 numbers that int8 has for this range, in floats: a stand-in for quantisation while a model is
    /// trained for it. The derivative is 1 within the range and 0 outside. Nothing in a model that is compiled.
    FakeQuantize {
        /// Smallest value, at most 0.
        min: f32,
        /// Largest value, at least 0.
        max: f32,
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
            Self::FakeQuantize { .. } => "FakeQuantize",
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
