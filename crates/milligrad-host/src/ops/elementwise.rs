//! Add, Sub and Mul of int8 tensors, with constants and broadcasting, and Mul of floats.

use super::add::scales;
use super::{Lower, clamp, fusible, int8_only, quantized_output, strided};
use crate::graph::{Activation, Constant, DType, Function, Operand, TensorInfo, Values};
use crate::program::{Broadcasting, Elementwise, Kernel, QuantizedFunction};
use crate::quantize::multiplier::requantize;
use milligrad::layers::{QuantizedMul, QuantizedSub};
use milligrad::{Quantization, Rounding};

pub(super) fn infer(
    function: Function,
    activation: Activation,
    operand: Option<Operand>,
    inputs: &[&TensorInfo],
    constants: &[&Constant],
) -> Result<Vec<usize>, String> {
    fusible(activation)?;
    if function != Function::Mul || operand.is_some() {
        inputs.iter().try_for_each(|input| int8_only(input))?;
    }
    match (operand, inputs, constants) {
        (None, [a, b], []) => broadcast(&a.shape, &b.shape),
        (Some(_), [x], [c]) => {
            if !matches!(c.values, Values::I8(_)) || c.scales.len() != 1 {
                return Err("its constant is int8 with one scale".into());
            }
            broadcast(&x.shape, &c.shape)
        }
        _ => Err(format!("it takes two operands, not {} and {} constants", inputs.len(), constants.len())),
    }
}

/// The shape of both, aligned at the last axis, where extents of one are repeated.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, String> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    let meet = |axis: usize| match (at(a, axis), at(b, axis)) {
        (n, m) if n == m || m == 1 => Ok(n),
        (1, m) => Ok(m),
        _ => Err(format!("its operands are {a:?} and {b:?}; extents are equal, or one of them is 1")),
    };
    (0..rank).map(meet).collect()
}

pub(super) fn lower(
    node: &Lower<'_>,
    function: Function,
    activation: Activation,
    operand: Option<Operand>,
) -> Kernel {
    if node.input().dtype == DType::F32 {
        let shapes = [0, 1].map(|i| &node.graph.tensor(node.node.inputs[i]).shape);
        return Kernel::Mul { output: clamp(activation), broadcast: meet(node, shapes) };
    }
    let tensor = |index: usize| {
        let id = node.node.inputs[index];
        (node.graph.tensor(id).shape.clone(), node.quantization(id))
    };
    let (constant, [a, b]) = match operand {
        None => (None, [tensor(0), tensor(1)]),
        Some(operand) => {
            let constant = node.graph.constant(node.node.constants[0]);
            let Values::I8(values) = &constant.values else { unreachable!("a verified operand is int8") };
            let quantization = Quantization::new(constant.scales[0], operand.zero_point);
            let (x, c) = (tensor(0), (constant.shape.clone(), quantization));
            (Some((operand.first, values.clone())), if operand.first { [c, x] } else { [x, c] })
        }
    };
    let output = node.output_quantization();
    let range = quantized_output(activation, output);
    let function = match function {
        Function::Mul => {
            let real = f64::from(a.1.scale) * f64::from(b.1.scale) / f64::from(output.scale);
            let scale = requantize(real, Rounding::Double);
            QuantizedFunction::Mul(QuantizedMul::new(a.1.zero_point, b.1.zero_point, scale, range))
        }
        Function::Add => QuantizedFunction::Add(scales(a.1, b.1, output, range)),
        Function::Sub => QuantizedFunction::Sub(QuantizedSub { terms: scales(a.1, b.1, output, range) }),
    };
    let broadcast = meet(node, [&a.0, &b.0]);
    Kernel::Elementwise(Elementwise { function, broadcast, constant })
}

/// How operands of these shapes meet, where they differ.
fn meet(node: &Lower<'_>, [a, b]: [&Vec<usize>; 2]) -> Option<Broadcasting> {
    (a != b).then(|| {
        let shape = &node.output().shape;
        let [steps_a, steps_b] = [a, b].map(|from| repeated(from, shape));
        let (extents, [a, b]) = strided::merge(shape, [&steps_a, &steps_b]);
        Broadcasting { extents, a: a.map(|n| n as usize), b: b.map(|n| n as usize) }
    })
}

/// Steps of a tensor along the axes of a larger one; 0 repeats it.
fn repeated(from: &[usize], to: &[usize]) -> Vec<isize> {
    let own = strided::steps(from);
    let front = to.len() - from.len();
    (0..to.len())
        .map(|axis| if axis < front || from[axis - front] == 1 { 0 } else { own[axis - front] })
        .collect()
}
