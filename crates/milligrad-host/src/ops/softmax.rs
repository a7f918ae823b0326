//! Softmax.

use super::Lower;
use crate::graph::{DType, TensorInfo};
use crate::program::Kernel;
use crate::quantize::multiplier::{input_radius, quantize_multiplier};
use milligrad::Quantization;
use milligrad::layers::QuantizedSoftmax;

/// Scale and zero point of int8 probabilities.
pub(crate) const PROBABILITIES: Quantization = Quantization::new(1.0 / 256.0, -128);

/// Integer bits of scaled differences, as in TensorFlow Lite.
const INTEGER_BITS: u32 = 5;

pub(super) fn infer(input: &TensorInfo) -> Result<Vec<usize>, String> {
    // The int8 kernel sums up to 4,096 probabilities.
    let row = *input.shape.last().expect("a tensor has axes");
    if row > 4096 {
        return Err(format!("softmax over {row} elements, at most 4,096"));
    }
    if input.dtype == DType::F32 && row != input.len() {
        return Err(format!("softmax of f32 runs over one axis, its input is {:?}", input.shape));
    }
    Ok(input.shape.clone())
}

pub(super) fn lower(node: &Lower<'_>) -> Kernel {
    match node.input().dtype {
        DType::F32 => Kernel::Softmax,
        DType::I8 => {
            let scale = f64::from(node.input_quantization().scale);
            let real = (scale * f64::from(1u32 << (31 - INTEGER_BITS))).min(f64::from(i32::MAX));
            let (multiplier, shift) = quantize_multiplier(real);
            // A scale below 2^-26 makes all differences vanish: no left shift is left to do.
            let (multiplier, shift) = if shift < 0 { (0, 0) } else { (multiplier, shift as u8) };
            let smallest = -input_radius(INTEGER_BITS, u32::from(shift)).min(256);
            Kernel::QuantizedSoftmax(QuantizedSoftmax::new(multiplier, shift, smallest as i16))
        }
    }
}
