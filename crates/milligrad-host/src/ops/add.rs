//! Add.

use super::{Lower, clamp, fusible, quantized_output};
use crate::graph::{Activation, DType, TensorInfo};
use crate::program::Kernel;
use crate::quantize::multiplier::requantize;
use milligrad::layers::QuantizedAdd;
use milligrad::{Quantization, QuantizedOutput, Rounding};

pub(super) fn infer(activation: Activation, inputs: &[&TensorInfo]) -> Result<Vec<usize>, String> {
    fusible(activation)?;
    match inputs {
        [a, b] if a.shape == b.shape => Ok(a.shape.clone()),
        [a, b] => Err(format!("its inputs are {:?} and {:?}; they must be equal", a.shape, b.shape)),
        _ => Err(format!("it takes two inputs, not {}", inputs.len())),
    }
}

pub(super) fn lower(node: &Lower<'_>, activation: Activation) -> Kernel {
    match node.input().dtype {
        DType::F32 => Kernel::Add(clamp(activation)),
        DType::I8 => {
            let [a, b] = [0, 1].map(|i| node.quantization(node.node.inputs[i]));
            let output = node.output_quantization();
            Kernel::QuantizedAdd(scales(a, b, output, quantized_output(activation, output)))
        }
    }
}

/// Both terms are brought to twice the larger scale, with 20 bits to spare, as in TensorFlow Lite.
pub(super) fn scales(
    a: Quantization,
    b: Quantization,
    output: Quantization,
    range: QuantizedOutput,
) -> QuantizedAdd {
    let common = 2.0 * f64::from(a.scale.max(b.scale));
    let term = |q: Quantization| (q.zero_point, requantize(f64::from(q.scale) / common, Rounding::Double));
    let sum = requantize(common / (f64::from(1 << 20) * f64::from(output.scale)), Rounding::Double);
    QuantizedAdd::new(term(a), term(b), sum, range)
}
