//! Flatten: another view of the same elements.

use crate::graph::TensorInfo;

pub(super) fn infer(input: &TensorInfo) -> Result<Vec<usize>, String> {
    Ok(vec![input.len()])
}
