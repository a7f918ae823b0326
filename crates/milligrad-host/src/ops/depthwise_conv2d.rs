//! DepthwiseConv2d.

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
    let outputs = bias.values.len();
    if outputs == 0 || outputs % extents[2] != 0 {
        return Err(format!("{outputs} outputs are no multiple of {} input channels", extents[2]));
    }
    check_parameters(input, weights, bias, &[window.kernel[0], window.kernel[1], outputs], outputs)?;
    windowed(input, size, outputs)
}

pub(super) fn lower(node: &Lower<'_>, window: &Window, activation: Activation) -> Kernel {
    let window = node.geometry(window);
    let outputs = node.output().shape.last().copied().unwrap_or(1);
    lower_parameters!(node, activation, |index| index % outputs, |parameters| Layer::DepthwiseConv2d {
        window,
        parameters
    })
}
