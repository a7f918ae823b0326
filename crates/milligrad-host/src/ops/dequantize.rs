//! Dequantize: from the frozen int8 part to the trainable float part.

use super::Lower;
use crate::graph::{DType, TensorInfo};
use crate::program::Kernel;

pub(super) fn infer(input: &TensorInfo) -> Result<Vec<usize>, String> {
    match input.dtype {
        DType::I8 => Ok(input.shape.clone()),
        DType::F32 => Err("its input is f32 already".into()),
    }
}

pub(super) fn lower(node: &Lower<'_>) -> Kernel {
    Kernel::Dequantize(node.input_quantization())
}
