//! The layers, one file each: shape rule, forward, backward.
//!
//! | layer | int8 | f32, f64 | Fixed16 | learns |
//! |---|---|---|---|---|
//! | [`Dense`] | ✓ | ✓ | ✓ | f32, f64, Fixed16 |
//! | [`Conv2d`], [`DepthwiseConv2d`] | ✓ | ✓ | ✓ | f32, f64, Fixed16 |
//! | [`MaxPool2d`], [`AvgPool2d`] | ✓ | ✓ | ✓ | no parameters |
//! | [`add()`], [`QuantizedAdd`] | ✓ | ✓ | | no parameters |
//! | [`softmax()`], [`QuantizedSoftmax`] | ✓ | ✓ | | no parameters |
//! | [`leaky_relu`], [`sigmoid`], [`tanh`] and their tables | ✓ | ✓ | | no parameters |
//! | linear, ReLU, ReLU6 | fused | fused | fused | no parameters |
//!
//! Flatten is no layer: images are stored row by row, so a flat view is the same slice.

mod activation;
mod add;
mod conv2d;
mod convert;
pub mod dense;
mod depthwise_conv2d;
pub(crate) mod matrix;
mod pool2d;
mod softmax;

pub use activation::{
    Table, leaky_relu, leaky_relu_backward, leaky_relu_table, lookup, lookup_in_place, sigmoid,
    sigmoid_backward, sigmoid_table, tanh, tanh_backward, tanh_table,
};
pub use add::{QuantizedAdd, add};
pub use conv2d::Conv2d;
pub use convert::{accumulate, clamp, clamp_backward, copy, dequantize};
pub use dense::Dense;
pub use depthwise_conv2d::DepthwiseConv2d;
pub use pool2d::{AvgPool2d, MaxPool2d};
pub use softmax::{QuantizedSoftmax, softmax, softmax_backward};
