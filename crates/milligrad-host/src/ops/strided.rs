//! Index arithmetic that Transpose, Slice, Pad, Concat, Reduce and broadcasting share.

use crate::program::Elements;

/// Steps from one element to the next along each axis of a tensor that lies row by row.
pub(super) fn steps(shape: &[usize]) -> Vec<isize> {
    let mut steps = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        steps[axis - 1] = steps[axis] * shape[axis] as isize;
    }
    steps
}

/// Joins axes that lie together in all `N` walks, and fills up to four axes with ones in front.
pub(super) fn merge<const N: usize>(
    extents: &[usize],
    steps: [&[isize]; N],
) -> ([usize; 4], [[isize; 4]; N]) {
    let mut axes: Vec<(usize, [isize; N])> = Vec::new();
    for (axis, &extent) in extents.iter().enumerate() {
        let step = steps.map(|steps| steps[axis]);
        match axes.last_mut() {
            _ if extent == 1 => {}
            Some((outer, along)) if (0..N).all(|n| along[n] == step[n] * extent as isize) => {
                (*outer, *along) = (*outer * extent, step);
            }
            _ => axes.push((extent, step)),
        }
    }
    let (mut merged, mut walks) = ([1; 4], [[0; 4]; N]);
    let front = 4 - axes.len();
    for (axis, (extent, step)) in axes.into_iter().enumerate() {
        merged[front + axis] = extent;
        walks.iter_mut().zip(step).for_each(|(walk, step)| walk[front + axis] = step);
    }
    (merged, walks)
}

/// Elements of a tensor of `len`, from `start` on, along these axes.
pub(super) fn elements(len: usize, extents: &[usize], steps: &[isize], start: usize) -> Elements {
    let (extents, [steps]) = merge(extents, [steps]);
    Elements { len, extents, steps, start }
}
