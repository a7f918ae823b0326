//! The layers, one file each: shape rule, forward, backward.
//!
//! | layer | int8 | f32, f64 | Fixed16 | learns |
//! |---|---|---|---|---|
//! | [`Dense`] | ✓ | ✓ | ✓ | f32, f64, Fixed16 |
//! | [`Conv2d`], [`DepthwiseConv2d`] | ✓ | ✓ | ✓ | f32, f64, Fixed16 |
//! | [`MaxPool2d`], [`AvgPool2d`] | ✓ | ✓ | ✓ | no parameters |
//! | [`add()`], [`QuantizedAdd`] | ✓ | ✓ | | no parameters |
//! | [`softmax()`], [`QuantizedSoftmax`] | ✓ | ✓ | | no parameters |
//! | [`leaky_relu`], [`elu`], [`sigmoid`], [`tanh`], [`hard_swish`] and their tables | ✓ | ✓ | | no parameters |
//! | [`Multiply`], [`QuantizedMul`], [`Broadcast`] | ✓ | ✓ | | no parameters |
//! | [`QuantizedSub`] | ✓ | | | no parameters |
//! | [`TransposeConv2d`] | ✓ | ✓ | ✓ | |
//! | [`QuantizedReduce`]: mean, sum | ✓ | | | no parameters |
//! | [`Strided`]: pad, concatenation | ✓ | ✓ | | no parameters |
//! | [`Strided`]: transpose, slice, split; [`ResizeNearest`] | ✓ | | | no parameters |
//! | changes of scale, as tables | ✓ | | | no parameters |
//! | linear, ReLU, ReLU6 | fused | fused | fused | no parameters |
//!
//! Flatten is no layer: images are stored row by row, so a flat view is the same slice.

mod activation;
mod add;
mod conv2d;
mod convert;
pub mod dense;
mod depthwise_conv2d;
mod elementwise;
pub(crate) mod matrix;
mod pool2d;
mod reduce;
mod resize;
mod runs;
mod softmax;
mod strided;
mod transpose_conv2d;

pub use activation::{
    Table, elu, elu_backward, hard_swish, hard_swish_table, leaky_relu, leaky_relu_backward,
    leaky_relu_table, lookup, lookup_in_place, requantize_table, sigmoid, sigmoid_backward, sigmoid_table,
    tanh, tanh_backward, tanh_table,
};
pub use add::{QuantizedAdd, add};
pub use conv2d::Conv2d;
pub use convert::{accumulate, accumulate_biases, clamp, clamp_backward, copy, dequantize, quantize};
pub use dense::Dense;
pub use depthwise_conv2d::DepthwiseConv2d;
pub use elementwise::{Broadcast, Elementwise, Multiply, QuantizedMul, QuantizedSub};
pub use pool2d::{AvgPool2d, MaxPool2d};
pub use reduce::QuantizedReduce;
pub use resize::ResizeNearest;
pub(crate) use softmax::plain_softmax;
pub use softmax::{QuantizedSoftmax, softmax, softmax_backward};
pub use strided::Strided;
pub use transpose_conv2d::{TransposeConv2d, TransposedWindow};
