//! Dense.

use super::{Lower, check_parameters, fusible, lower_parameters};
use crate::graph::{Activation, Constant, DType, TensorInfo};
use crate::program::{Kernel, Layer};
use milligrad::{Padding, Window2d};

pub(super) fn infer(
    activation: Activation,
    input: &TensorInfo,
    (weights, bias): (&Constant, &Constant),
) -> Result<Vec<usize>, String> {
    fusible(activation)?;
    let outputs = bias.values.len();
    match input.shape[..] {
        // Several rows, each on its own.
        [rows, inputs] if input.dtype == DType::I8 && weights.shape.get(1) == Some(&inputs) && rows > 1 => {
            if rows.max(inputs) > usize::from(u16::MAX) {
                return Err(format!("its input is {:?}, an extent is above 65,535", input.shape));
            }
            check_parameters(input, weights, bias, &[outputs, inputs], outputs)?;
            Ok(vec![rows, outputs])
        }
        _ => {
            check_parameters(input, weights, bias, &[outputs, input.len()], outputs)?;
            Ok(vec![outputs])
        }
    }
}

pub(super) fn lower(node: &Lower<'_>, activation: Activation) -> Kernel {
    if let ([rows, inputs], [_, _]) = (&node.input().shape[..], &node.output().shape[..]) {
        // Rows are the pixels of a pointwise convolution.
        let parameters = node.int8_parameters(activation, |index| index / inputs);
        let window = Window2d::new([1, *rows, *inputs], [1, 1], [1, 1], [1, 1], Padding::Valid);
        return Kernel::Int8(Layer::Conv2d { window, parameters });
    }
    let inputs = node.input().len();
    lower_parameters!(node, activation, |index| index / inputs, |parameters| Layer::Dense {
        inputs,
        parameters
    })
}
