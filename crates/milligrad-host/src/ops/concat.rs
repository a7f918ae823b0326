//! Concat: tensors side by side.

use super::{Lower, strided};
use crate::graph::TensorInfo;
use crate::program::Kernel;

pub(super) fn infer(axis: usize, inputs: &[&TensorInfo]) -> Result<Vec<usize>, String> {
    let Some(first) = inputs.first() else { return Err("it has no inputs".into()) };
    let mut shape = first.shape.clone();
    if axis >= shape.len() {
        return Err(format!("axis {axis} of {shape:?} does not exist"));
    }
    shape[axis] = 0;
    for input in inputs {
        let fits = |(i, (&n, &m)): (usize, (&usize, &usize))| i == axis || n == m;
        if input.shape.len() != shape.len() || !input.shape.iter().zip(&first.shape).enumerate().all(fits) {
            return Err(format!(
                "its inputs are {:?} and {:?}; all but axis {axis} are equal",
                first.shape, input.shape
            ));
        }
        shape[axis] = shape[axis].checked_add(input.shape[axis]).ok_or("it is too large")?;
    }
    Ok(shape)
}

pub(super) fn lower(node: &Lower<'_>, axis: usize) -> Kernel {
    let output = node.output();
    let steps = strided::steps(&output.shape);
    let mut start = 0;
    let parts = node.node.inputs.iter().map(|&id| {
        let shape = &node.graph.tensor(id).shape;
        let part = strided::elements(output.len(), shape, &steps, start);
        start += shape[axis] * steps[axis] as usize;
        part
    });
    Kernel::Concat(parts.collect())
}
