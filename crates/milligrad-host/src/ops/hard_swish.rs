//! HardSwish; in int8 a table made of 16-bit multipliers, which TensorFlow Lite computes in f32.

use super::{Lower, lookup};
use crate::graph::DType;
use crate::program::Kernel;
use crate::quantize::multiplier::quantize_multiplier;
use milligrad::layers::hard_swish_table;

pub(super) fn lower(node: &Lower<'_>) -> Kernel {
    if node.input().dtype == DType::F32 {
        return Kernel::HardSwish;
    }
    let (input, output) = (node.input_quantization(), node.output_quantization());
    let fine = input.scale * (1.0 / 128.0);
    let (out, gate) = (multiplier_16(fine / output.scale), multiplier_16(fine / (3.0 / 32768.0)));
    let source = format!("hard_swish_table({}, {out:?}, {gate:?}, {})", input.zero_point, output.zero_point);
    lookup(hard_swish_table(input.zero_point, out, gate, output.zero_point), source)
}

/// The rounded upper half of the 32-bit multiplier, and its shift.
fn multiplier_16(real: f32) -> (i16, i8) {
    let (multiplier, shift) = quantize_multiplier(f64::from(real));
    (((i64::from(multiplier) + (1 << 15)) >> 16).min(i64::from(i16::MAX)) as i16, shift)
}
