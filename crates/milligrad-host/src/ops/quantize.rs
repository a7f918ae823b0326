//! Quantize: the border where a float input enters an int8 model, and changes of scale within it.

use super::{Lower, int8_only, lookup, quantized_output};
use crate::graph::{Activation, DType, TensorInfo};
use crate::program::Kernel;
use crate::quantize::multiplier::requantize;
use milligrad::Rounding;
use milligrad::layers::requantize_table;

pub(super) fn infer(input: &TensorInfo) -> Result<Vec<usize>, String> {
    match input.dtype {
        DType::F32 => Ok(input.shape.clone()),
        DType::I8 => Err("its input is int8 already".into()),
    }
}

pub(super) fn lower(node: &Lower<'_>) -> Kernel {
    Kernel::Quantize(node.output_quantization())
}

pub(super) fn infer_again(input: &TensorInfo) -> Result<Vec<usize>, String> {
    int8_only(input)?;
    Ok(input.shape.clone())
}

pub(super) fn lower_again(node: &Lower<'_>) -> Kernel {
    let (input, output) = (node.input_quantization(), node.output_quantization());
    let scale = requantize(f64::from(input.scale) / f64::from(output.scale), Rounding::Double);
    let range = quantized_output(Activation::Linear, output);
    let source = format!(
        "requantize_table({}, {}, {})",
        input.zero_point,
        crate::export::values::requantize(&scale),
        crate::export::values::quantized_output(&range)
    );
    lookup(requantize_table(input.zero_point, scale, range), source)
}
