//! What TensorFlow Lite computes when it loads a model: integers from real scales.

use milligrad::layers::QuantizedSoftmax;
use milligrad::{QuantizedOutput, Requantize, Rounding};

/// `real = multiplier 2^(shift - 31)` with `multiplier` in `2^30..2^31`, or zero (`QuantizeMultiplier`).
pub(crate) fn quantize_multiplier(real: f64) -> (i32, i32) {
    if real == 0.0 {
        return (0, 0);
    }
    let (fraction, mut shift) = frexp(real);
    // `round` is to nearest, half away from zero, as C's.
    let mut multiplier = (fraction * (1u64 << 31) as f64).round() as i64;
    if multiplier == 1 << 31 {
        multiplier /= 2;
        shift += 1;
    }
    if shift < -31 { (0, 0) } else { (multiplier as i32, shift) }
}

/// `x = fraction 2^exponent` with a fraction in `0.5..1`, for a normal `x > 0`.
fn frexp(x: f64) -> (f64, i32) {
    assert!(x.is_normal() && x > 0.0, "{x} has no multiplier");
    let exponent = (x.to_bits() >> 52) as i32 - 1022;
    (f64::from_bits(x.to_bits() & ((1 << 52) - 1) | 1022 << 52), exponent)
}

/// The multiplication by a real number.
pub(crate) fn requantize(real: f64, rounding: Rounding) -> Requantize {
    let (multiplier, shift) = quantize_multiplier(real);
    Requantize::new(multiplier, shift as i8, rounding)
}

/// A fused activation, numbered as in the golden files: 0 none, 1 ReLU, 2 ReLU6
/// (`CalculateActivationRangeQuantized`, which computes in `f32`).
pub(crate) fn output(scale: f32, zero_point: i32, activation: usize) -> QuantizedOutput {
    let quantize = |real: f32| zero_point + (real / scale).round() as i32;
    let min = if activation == 0 { -128 } else { quantize(0.0).max(-128) };
    let max = if activation == 2 { quantize(6.0).min(127) } else { 127 };
    QuantizedOutput::new(zero_point as i8, min as i8, max as i8)
}

/// The largest input that still fits `integer_bits` after a left shift (`CalculateInputRadius`).
pub(crate) fn input_radius(integer_bits: u32, shift: i32) -> i32 {
    let largest = f64::from((1 << integer_bits) - 1) * f64::from(1 << (31 - integer_bits));
    (largest / (shift as f64).exp2()).floor() as i32
}

/// The multiplication by the two scales of a layer with weights (`PopulateConvolutionQuantizationParams`).
pub(crate) fn layer_scale(input: f64, weight: f64, output: f64, rounding: Rounding) -> Requantize {
    requantize(input * weight / output, rounding)
}

/// Softmax with `beta` 1 (`PreprocessSoftmaxScaling`).
pub(crate) fn softmax(input_scale: f64) -> QuantizedSoftmax {
    let (multiplier, shift) = quantize_multiplier((input_scale * (1 << 26) as f64).min(f64::from(i32::MAX)));
    let smallest = (-input_radius(5, shift)).max(i32::from(i16::MIN));
    QuantizedSoftmax::new(multiplier, shift as u8, smallest as i16)
}

/// Sigmoid and tanh: the multiplication that brings the input to 4 integer bits, and from where on they are flat.
pub(crate) fn sigmoid_input(input_scale: f64) -> (Requantize, i32) {
    let scale = input_scale * (1 << 27) as f64;
    (requantize(scale, Rounding::Double), input_radius(4, quantize_multiplier(scale).1))
}
