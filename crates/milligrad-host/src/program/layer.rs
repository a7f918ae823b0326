//! Layers that exist in every arithmetic, and their parameters.

use milligrad::{Arithmetic, Window2d};

/// Where a layer's parameters are.
#[derive(Debug, Clone, PartialEq)]
pub enum Source<T> {
    /// In flash, with these values.
    Flash(Vec<T>),
    /// In RAM, where they learn: an index of [`Program::parameters`](super::Program::parameters).
    Ram(usize),
}

impl<T> Source<T> {
    /// The values, those in RAM as `ram` gives them.
    pub fn values<'a>(&'a self, ram: impl FnOnce(usize) -> &'a [T]) -> &'a [T] {
        match self {
            Self::Flash(values) => values,
            Self::Ram(index) => ram(*index),
        }
    }
}

/// Parameters of a layer in the form in which the device crate takes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters<A: Arithmetic> {
    /// Weights.
    pub weights: Source<A::Weight>,
    /// Biases, for int8 with scales.
    pub channels: Source<A::Channel>,
    /// Fused activation and so on.
    pub output: A::Output,
    /// The element that stands for zero where the input is padded.
    pub pad: A::Element,
}

/// A layer that exists in every arithmetic.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer<A: Arithmetic> {
    /// [`milligrad::layers::Dense`]
    Dense {
        /// Inputs of each output.
        inputs: usize,
        /// Weights, biases.
        parameters: Parameters<A>,
    },
    /// [`milligrad::layers::Conv2d`]
    Conv2d {
        /// Geometry.
        window: Window2d,
        /// Weights, biases.
        parameters: Parameters<A>,
    },
    /// [`milligrad::layers::DepthwiseConv2d`]
    DepthwiseConv2d {
        /// Geometry.
        window: Window2d,
        /// Weights, biases.
        parameters: Parameters<A>,
    },
    /// [`milligrad::layers::MaxPool2d`]
    MaxPool2d {
        /// Geometry.
        window: Window2d,
        /// Range.
        output: A::Output,
    },
    /// [`milligrad::layers::AvgPool2d`]
    AvgPool2d {
        /// Geometry.
        window: Window2d,
        /// Range.
        output: A::Output,
    },
}

impl<A: Arithmetic> Layer<A> {
    /// Name of the kernel that the exporter calls.
    pub fn kernel(&self) -> &'static str {
        match self {
            Self::Dense { .. } => "dense",
            Self::Conv2d { window, .. } if window.is_pointwise() => "conv2d_pointwise",
            Self::Conv2d { .. } => "conv2d",
            Self::DepthwiseConv2d { .. } => "depthwise_conv2d",
            Self::MaxPool2d { .. } => "max_pool2d",
            Self::AvgPool2d { .. } => "avg_pool2d",
        }
    }

    /// Elements of scratch that the kernel needs, in the type of its elements.
    pub fn scratch(&self) -> usize {
        match self {
            Self::Conv2d { window, .. } if !window.is_pointwise() => window.patch_len(),
            Self::DepthwiseConv2d { window, .. } => window.patch_len(),
            _ => 0,
        }
    }

    /// Weights and biases of a layer that has them.
    pub fn parameters(&self) -> Option<&Parameters<A>> {
        match self {
            Self::Dense { parameters, .. }
            | Self::Conv2d { parameters, .. }
            | Self::DepthwiseConv2d { parameters, .. } => Some(parameters),
            Self::MaxPool2d { .. } | Self::AvgPool2d { .. } => None,
        }
    }

    /// `true` for a pooling under whose windows elements lie more than once, so that deltas add up.
    pub(crate) fn overlaps(&self) -> bool {
        match self {
            Self::MaxPool2d { window, .. } | Self::AvgPool2d { window, .. } => {
                window.kernel().iter().zip(window.stride()).any(|(&kernel, stride)| kernel > stride)
            }
            _ => false,
        }
    }

    pub(super) fn training(&self, linear: A::Output) -> TrainingLayer {
        let parameters = self.parameters();
        TrainingLayer {
            dense: matches!(self, Self::Dense { .. }),
            maximum: matches!(self, Self::MaxPool2d { .. }),
            weights: parameters.is_some(),
            masks: parameters.is_some_and(|parameters| parameters.output != linear),
            convolution: match self {
                Self::Conv2d { window, .. } | Self::DepthwiseConv2d { window, .. } => Some(*window),
                _ => None,
            },
        }
    }

    pub(crate) fn parameters_mut(&mut self) -> Option<&mut Parameters<A>> {
        match self {
            Self::Dense { parameters, .. }
            | Self::Conv2d { parameters, .. }
            | Self::DepthwiseConv2d { parameters, .. } => Some(parameters),
            Self::MaxPool2d { .. } | Self::AvgPool2d { .. } => None,
        }
    }
}

/// What the way back wants to know of a layer, whatever its numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainingLayer {
    /// Its gradient need not be stored at batch 1.
    pub dense: bool,
    /// It needs its input and output on the way back.
    pub maximum: bool,
    /// It has weights.
    pub weights: bool,
    /// It has weights and its activation masks deltas.
    pub masks: bool,
    /// Its window, where it is a convolution.
    pub convolution: Option<Window2d>,
}
