//! Dense.

use super::{Lower, check_parameters, fusible, lower_parameters};
use crate::graph::{Activation, Constant, TensorInfo};
use crate::program::{Kernel, Layer};

pub(super) fn infer(
    activation: Activation,
    input: &TensorInfo,
    (weights, bias): (&Constant, &Constant),
) -> Result<Vec<usize>, String> {
    fusible(activation)?;
    let outputs = bias.values.len();
    check_parameters(input, weights, bias, &[outputs, input.len()], outputs)?;
    Ok(vec![outputs])
}

pub(super) fn lower(node: &Lower<'_>, activation: Activation) -> Kernel {
    let inputs = node.input().len();
    lower_parameters!(node, activation, |index| index / inputs, |parameters| Layer::Dense {
        inputs,
        parameters
    })
}
