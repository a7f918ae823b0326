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

/// The function in `f32`, times the inverse of the output's scale, rounded to the nearest number: what TensorFlow Lite
/// fills its tables of floats with. For sigmoid and tanh it differs from the integer arithmetic by one where a value lies
/// next to the middle of two numbers.
fn real_table(node: &Lower<'_>, output: Quantization, f: impl Fn(f32) -> f32) -> Kernel {
    let input = node.input_quantization();
    let mut table = [0; 256];
    for (x, y) in (0..=u8::MAX).zip(&mut table) {
        let steps = (f(input.dequantize(x as i8)) * (1.0 / output.scale)).round();
        *y = (steps + f32::from(output.zero_point)).clamp(-128.0, 127.0) as i8;
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

#[cfg(test)]
mod tests {
    use crate::data::npz::Npz;
    use crate::graph::{DType, Draft, Graph, Node, Op, TensorId, TensorInfo};
    use crate::{Activation, Program};
    use milligrad::Quantization;
    use std::path::Path;

    /// `tests/golden/elu.npz`, made by `int8_ops.py` beside it: TensorFlow Lite Micro's outputs for every int8.
    #[test]
    fn elu_is_tensorflow_lite_micros() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/elu.npz");
        let golden = Npz::read(&path).unwrap();
        for case in 0..24 {
            let get = |field: &str| golden.get(&format!("{case:02}.{field}")).unwrap().to_f32();
            let tensor = |which: &str| {
                let number = |what: &str| get(&format!("{which}_{what}"))[0];
                let quantization = Quantization::new(number("scale"), number("zero_point") as i8);
                TensorInfo { shape: vec![256], dtype: DType::I8, quantization: Some(quantization) }
            };
            let graph = Graph::verify(Draft {
                name: "elu".into(),
                labels: Vec::new(),
                normalize: Default::default(),
                features: None,
                target: None,
                tensors: vec![tensor("input"), tensor("output")],
                constants: Vec::new(),
                nodes: vec![Node {
                    name: "elu".into(),
                    op: Op::Activation { activation: Activation::Elu { alpha: 1.0 } },
                    inputs: vec![TensorId(0)],
                    constants: Vec::new(),
                    output: TensorId(1),
                }],
                training: Default::default(),
                inputs: vec![crate::graph::Port::input(TensorId(0))],
                outputs: vec![crate::graph::Port::output(TensorId(1))],
            });
            let program = Program::compile(&graph.unwrap(), &Default::default()).unwrap();
            let bytes = |field: &str| get(field).iter().map(|&x| x as i8 as u8).collect::<Vec<_>>();
            let output = program.runner().predict(&bytes("input")).unwrap();
            assert_eq!(output, bytes("output_tflm"), "case {case}");
        }
    }
}
