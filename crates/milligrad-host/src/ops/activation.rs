//! Activations as layers of their own.

use super::{Lower, PROBABILITIES, clamp, lookup, quantized_output};
use crate::export::values::requantize as print;
use crate::graph::{Activation, DType, TensorInfo};
use crate::program::Kernel;
use crate::quantize::multiplier::{input_radius, quantize_multiplier, requantize};
use milligrad::layers::{leaky_relu_table, sigmoid_table, tanh_table};
use milligrad::{Quantization, Requantize, Rounding};

/// Scale and zero point of an int8 tanh.
pub(crate) const TANH: Quantization = Quantization::new(1.0 / 128.0, 0);

/// Integer bits of the argument of sigmoid and tanh, as in TensorFlow Lite.
const INTEGER_BITS: u32 = 4;

pub(super) fn infer(activation: Activation, input: &TensorInfo) -> Result<Vec<usize>, String> {
    if let Activation::LeakyRelu { alpha } | Activation::Elu { alpha } = activation
        && !(alpha.is_finite() && alpha >= 0.0)
    {
        return Err(format!("alpha {alpha} is not a number from 0"));
    }
    Ok(input.shape.clone())
}

pub(super) fn lower(node: &Lower<'_>, activation: Activation) -> Kernel {
    match (node.input().dtype, activation) {
        (DType::F32, Activation::LeakyRelu { alpha }) => Kernel::LeakyRelu { alpha },
        (DType::F32, Activation::Elu { alpha }) => Kernel::Elu { alpha },
        (DType::F32, Activation::Sigmoid) => Kernel::Sigmoid,
        (DType::F32, Activation::Tanh) => Kernel::Tanh,
        (DType::F32, clamped) => Kernel::Clamp(clamp(clamped)),
        (DType::I8, Activation::Sigmoid) if node.rounding == Rounding::Single => {
            real_table(node, PROBABILITIES, |x| 1.0 / (1.0 + f64::from(-x).exp() as f32))
        }
        (DType::I8, Activation::Tanh) if node.rounding == Rounding::Single => {
            real_table(node, TANH, |x| f64::from(x).tanh() as f32)
        }
        (DType::I8, Activation::Elu { alpha }) => real_table(node, node.output_quantization(), |x| {
            if x < 0.0 { (f64::from(alpha) * f64::from(x).exp_m1()) as f32 } else { x }
        }),
        (DType::I8, Activation::Sigmoid) => {
            let (zero_point, scale, radius) = argument(node);
            let source = format!("sigmoid_table({zero_point}, {}, {radius})", print(&scale));
            lookup(sigmoid_table(zero_point, scale, radius), source)
        }
        (DType::I8, Activation::Tanh) => {
            let (zero_point, scale, radius) = argument(node);
            let source = format!("tanh_table({zero_point}, {}, {radius})", print(&scale));
            lookup(tanh_table(zero_point, scale, radius), source)
        }
        (DType::I8, other) => {
            let alpha = if let Activation::LeakyRelu { alpha } = other { alpha } else { 1.0 };
            let (input, output) = (node.input_quantization(), node.output_quantization());
            let ratio = f64::from(input.scale) / f64::from(output.scale);
            let positive = requantize(ratio, Rounding::Double);
            let negative = requantize(
                f64::from(input.scale) * f64::from(alpha) / f64::from(output.scale),
                Rounding::Double,
            );
            let range = quantized_output(other, output);
            let source = format!(
                "leaky_relu_table({}, {}, {}, {})",
                input.zero_point,
                print(&positive),
                print(&negative),
                crate::export::values::quantized_output(&range)
            );
            lookup(leaky_relu_table(input.zero_point, positive, negative, range), source)
        }
    }
}

/// The function in `f32`, rounded to the nearest number: what TensorFlow's interpreter fills its tables with. It differs
/// from the integer arithmetic by one where a value lies next to the middle of two numbers.
fn real_table(node: &Lower<'_>, output: Quantization, f: impl Fn(f32) -> f32) -> Kernel {
    let input = node.input_quantization();
    let mut table = [0; 256];
    for (x, y) in (0..=u8::MAX).zip(&mut table) {
        *y = output.quantize(f(input.dequantize(x as i8)));
    }
    lookup(table, crate::export::values::array(&table))
}

/// The input's zero point, the factor that brings it to 4 integer bits, and from where the function is flat.
fn argument(node: &Lower<'_>) -> (i8, Requantize, i32) {
    let input = node.input_quantization();
    let real = f64::from(input.scale) * f64::from(1u32 << (31 - INTEGER_BITS));
    let (_, shift) = quantize_multiplier(real);
    let radius = input_radius(INTEGER_BITS, u32::from(shift.max(0) as u8));
    (input.zero_point, requantize(real, Rounding::Double), radius)
}
