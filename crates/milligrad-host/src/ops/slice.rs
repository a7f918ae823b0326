//! Slice: a part of a tensor, with steps.

use super::{Lower, int8_only, strided};
use crate::graph::TensorInfo;
use crate::program::Kernel;

pub(super) fn infer(
    begin: &[usize],
    size: &[usize],
    step: &[isize; 4],
    input: &TensorInfo,
) -> Result<Vec<usize>, String> {
    int8_only(input)?;
    let rank = input.shape.len();
    if begin.len() != rank || size.len() != rank {
        return Err(format!("{begin:?} and {size:?} do not fit the axes of {:?}", input.shape));
    }
    for axis in 0..rank {
        let reach = (size[axis] as i128 - 1) * step[axis] as i128 + begin[axis] as i128;
        let within = |at: i128| (0..input.shape[axis] as i128).contains(&at);
        if size[axis] == 0 || !within(begin[axis] as i128) || !within(reach) {
            return Err(format!(
                "{} elements from {} on by {} leave axis {axis} of {:?}",
                size[axis], begin[axis], step[axis], input.shape
            ));
        }
    }
    Ok(size.to_vec())
}

pub(super) fn lower(node: &Lower<'_>, begin: &[usize], step: &[isize; 4]) -> Kernel {
    let input = node.input();
    let own = strided::steps(&input.shape);
    let start = own.iter().zip(begin).map(|(&own, &begin)| own as usize * begin).sum();
    let steps: Vec<_> = own.iter().zip(step).map(|(own, step)| own * step).collect();
    Kernel::Gather(strided::elements(input.len(), &node.output().shape, &steps, start))
}
