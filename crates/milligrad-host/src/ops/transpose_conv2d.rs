//! TransposeConv2d.

use super::{Lower, check_parameters, fusible, image, int8_only};
use crate::graph::{Activation, Constant, TensorInfo};
use crate::program::Kernel;
use milligrad::layers::TransposedWindow;

pub(super) fn infer(
    [kernel, stride, before, size]: [[usize; 2]; 4],
    activation: Activation,
    input: &TensorInfo,
    (weights, bias): (&Constant, &Constant),
) -> Result<Vec<usize>, String> {
    fusible(activation)?;
    int8_only(input)?;
    let extents = image(input)?;
    let fits = |n: &usize| (1..=usize::from(u16::MAX)).contains(n);
    for (what, axes) in [("kernel", kernel), ("stride", stride), ("output", size)] {
        if !axes.iter().all(fits) {
            return Err(format!("{what} {axes:?} is not within 1 to 65,535"));
        }
    }
    if !extents.iter().all(fits) || before.iter().any(|&n| n > usize::from(u16::MAX)) {
        return Err(format!("image {extents:?} or padding {before:?} is beyond 65,535"));
    }
    let filters = bias.values.len();
    check_parameters(input, weights, bias, &[filters, kernel[0], kernel[1], extents[2]], filters)?;
    Ok(vec![size[0], size[1], filters])
}

pub(super) fn lower(
    node: &Lower<'_>,
    [kernel, stride, before, size]: [[usize; 2]; 4],
    activation: Activation,
) -> Kernel {
    let extents = image(node.input()).expect("a verified window has an image");
    let window = TransposedWindow::new(extents, kernel, stride, before, size);
    let row = window.patch_len();
    Kernel::TransposeConv2d { window, parameters: node.int8_parameters(activation, |index| index / row) }
}
