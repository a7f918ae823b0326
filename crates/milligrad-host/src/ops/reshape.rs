//! Reshape: another view of the same elements.

use crate::graph::TensorInfo;

pub(super) fn infer(shape: &[usize], input: &TensorInfo) -> Result<Vec<usize>, String> {
    let len = shape.iter().try_fold(1usize, |len, &n| len.checked_mul(n));
    if len != Some(input.len()) {
        return Err(format!("{:?} has {} elements, {shape:?} has not", input.shape, input.len()));
    }
    Ok(shape.to_vec())
}
