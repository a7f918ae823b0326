//! Conv2d.

use super::{Lower, check_parameters, fusible, geometry, lower_parameters, plane, windowed};
use crate::graph::{Activation, Constant, TensorInfo, Window};
use crate::program::{Kernel, Layer};

pub(super) fn infer(
    window: &Window,
    activation: Activation,
    input: &TensorInfo,
    (weights, bias): (&Constant, &Constant),
) -> Result<Vec<usize>, String> {
    fusible(activation)?;
    let extents = plane(input)?;
    let size = geometry(window, extents)?.output();
    let filters = bias.values.len();
    let expected = [filters, window.kernel[0], window.kernel[1], extents[2]];
    check_parameters(input, weights, bias, &expected, filters)?;
    windowed(input, size, filters)
}

pub(super) fn lower(node: &Lower<'_>, window: &Window, activation: Activation) -> Kernel {
    let window = node.geometry(window);
    let row = window.patch_len();
    lower_parameters!(node, activation, |index| index / row, |parameters| Layer::Conv2d {
        window,
        parameters
    })
}
