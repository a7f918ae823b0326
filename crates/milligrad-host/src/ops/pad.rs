//! Pad: a border of one value.

use super::{Lower, strided};
use crate::graph::{DType, TensorInfo};
use crate::program::Kernel;

pub(super) fn infer(
    before: &[usize],
    after: &[usize],
    value: i8,
    input: &TensorInfo,
) -> Result<Vec<usize>, String> {
    if input.dtype == DType::F32 && value != 0 {
        return Err("the border of a float tensor is 0".into());
    }
    let rank = input.shape.len();
    if before.len() != rank || after.len() != rank {
        return Err(format!("{before:?} and {after:?} do not fit the axes of {:?}", input.shape));
    }
    let extents = input.shape.iter().zip(before).zip(after);
    let sum = |((&n, &before), &after): ((&usize, &usize), &usize)| n.checked_add(before)?.checked_add(after);
    extents.map(sum).collect::<Option<_>>().ok_or_else(|| "its border is too large".into())
}

pub(super) fn lower(node: &Lower<'_>, before: &[usize], value: i8) -> Kernel {
    let (input, output) = (node.input(), node.output());
    let steps = strided::steps(&output.shape);
    let start = steps.iter().zip(before).map(|(&step, &before)| step as usize * before).sum();
    Kernel::Pad { value, inner: strided::elements(output.len(), &input.shape, &steps, start) }
}
