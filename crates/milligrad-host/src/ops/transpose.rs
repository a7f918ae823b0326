//! Transpose: the axes in another order.

use super::{Lower, int8_only, strided};
use crate::graph::TensorInfo;
use crate::program::Kernel;

pub(super) fn infer(permutation: &[usize], input: &TensorInfo) -> Result<Vec<usize>, String> {
    int8_only(input)?;
    let mut seen = permutation.to_vec();
    seen.sort_unstable();
    if !seen.into_iter().eq(0..input.shape.len()) {
        return Err(format!("{permutation:?} is no order of the axes of {:?}", input.shape));
    }
    Ok(permutation.iter().map(|&axis| input.shape[axis]).collect())
}

pub(super) fn lower(node: &Lower<'_>, permutation: &[usize]) -> Kernel {
    let input = node.input();
    let own = strided::steps(&input.shape);
    let steps: Vec<_> = permutation.iter().map(|&axis| own[axis]).collect();
    Kernel::Gather(strided::elements(input.len(), &node.output().shape, &steps, 0))
}
