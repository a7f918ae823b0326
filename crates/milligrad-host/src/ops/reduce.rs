//! Mean and Sum over axes.

use super::{Lower, int8_only, quantized_output, strided};
use crate::graph::{Activation, Reduction, TensorInfo};
use crate::program::Kernel;
use crate::quantize::multiplier::quantize_multiplier;
use milligrad::{Requantize, Rounding};

pub(super) fn infer(axes: &[usize], keep: bool, input: &TensorInfo) -> Result<Vec<usize>, String> {
    int8_only(input)?;
    let rank = input.shape.len();
    if axes.iter().any(|&axis| axis >= rank) || axes.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(format!("{axes:?} are no axes of {:?} in order", input.shape));
    }
    let reduced = |axis: &usize| axes.contains(axis);
    let shape: Vec<_> = match keep {
        true => (0..rank).map(|axis| if reduced(&axis) { 1 } else { input.shape[axis] }).collect(),
        false => (0..rank).filter(|axis| !reduced(axis)).map(|axis| input.shape[axis]).collect(),
    };
    Ok(if shape.is_empty() { vec![1] } else { shape })
}

pub(super) fn lower(node: &Lower<'_>, function: Reduction, axes: &[usize]) -> Kernel {
    let (input, output) = (node.input_quantization(), node.output_quantization());
    let shape = &node.input().shape;
    let own = strided::steps(shape);
    let walk = |reduced: bool| {
        let chosen = (0..shape.len()).filter(|axis| axes.contains(axis) == reduced);
        let (extents, steps): (Vec<_>, Vec<_>) = chosen.map(|axis| (shape[axis], own[axis])).unzip();
        strided::elements(node.input().len(), &extents, &steps, 0)
    };
    let count: usize = axes.iter().map(|&axis| shape[axis]).product();
    let real = f64::from(input.scale) / f64::from(output.scale);
    let (mut multiplier, mut shift) = quantize_multiplier(real);
    if let Reduction::Mean = function {
        // The division by the count goes into the multiplier, truncated, as in TensorFlow Lite.
        let up = (count.ilog2() as i8).min(32).min(31 + shift);
        multiplier = ((i64::from(multiplier) << up) / count as i64) as i32;
        shift -= up;
    }
    Kernel::Reduce {
        kept: walk(false),
        reduced: walk(true),
        offset: i32::from(input.zero_point).wrapping_mul(count as i32),
        scale: Requantize::new(multiplier, shift, Rounding::Double),
        output: quantized_output(Activation::Linear, output),
    }
}
