//! The gate: a draft that passes is sound, and no later stage checks it again.

use crate::error::{Error, Result};
use crate::graph::{DType, Draft, Node, Op, TensorInfo, Values};
use crate::ops::{self, PROBABILITIES, TANH};
use crate::{Activation, Constant};
use std::collections::HashSet;

/// Largest number of elements of a constant.
const LARGEST_CONSTANT: usize = 1 << 31;
/// Most elements of a tensor: more than any microcontroller holds, and few enough to be planned and checked in bounded memory.
pub(crate) const LARGEST_TENSOR: usize = 1 << 24;
/// Most layers: every analysis of a graph stays a matter of seconds.
pub(crate) const MOST_LAYERS: usize = 4096;
/// Longest name of a layer: boards report layers by name.
const LONGEST_NAME: usize = 64;

pub(crate) fn verify(draft: &Draft) -> Result<()> {
    let model = |problem: String| Error::Model { model: draft.name.clone(), problem };
    // Names become files, modules and comments.
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let model_name = draft.name.len() <= 64 && draft.name.chars().all(fits);
    if !model_name || !draft.name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(model(
            "a name is up to 64 letters, digits, `-`, `_` and `.`, the first a letter or digit".into(),
        ));
    }
    if draft.nodes.len() > MOST_LAYERS {
        return Err(model(format!(
            "it has {} layers, at most {MOST_LAYERS} are supported",
            draft.nodes.len()
        )));
    }
    let unfit = |name: &str| name.len() > LONGEST_NAME || name.contains(char::is_control);
    if let Some(node) = draft.nodes.iter().find(|node| unfit(&node.name)) {
        let start: String = node.name.chars().take(LONGEST_NAME).collect();
        return Err(model(format!(
            "the layer that is called {start:?}... has a name over {LONGEST_NAME} bytes or with control characters; \
             rename it"
        )));
    }
    for (i, tensor) in draft.tensors.iter().enumerate() {
        check_tensor(tensor).map_err(|problem| model(format!("tensor {i}: {problem}")))?;
    }
    for constant in &draft.constants {
        check_constant(constant).map_err(|problem| model(format!("`{}`: {problem}", constant.name)))?;
    }
    for (name, rule) in &draft.training {
        if let Some(problem) = rule.problem() {
            return Err(model(format!("`{name}`: {problem}")));
        }
    }
    check_ports(draft).map_err(model)?;
    let input = draft.tensors[draft.input().0].len();
    if let Some(problem) = draft.features.as_ref().and_then(|features| features.problem(input)) {
        return Err(model(problem));
    }
    if draft.features.is_some() && draft.normalize != Default::default() {
        return Err(model("its features have scales of their own, and its inputs one more".into()));
    }
    if draft.target.is_some_and(|t| !(t.shift.is_finite() && t.deviation.is_finite() && t.deviation > 0.0)) {
        return Err(model(format!("its scaling of targets {:?} is not invertible", draft.target)));
    }
    let finite = draft.normalize.scale.is_finite() && draft.normalize.offset.is_finite();
    if !finite || draft.normalize.scale == 0.0 {
        return Err(model(format!("its input transform {:?} is not invertible", draft.normalize)));
    }
    let (mut names, mut written) =
        (HashSet::new(), draft.inputs.iter().map(|port| port.tensor).collect::<HashSet<_>>());
    for node in &draft.nodes {
        let error = |problem| Error::Graph { layer: node.name.clone(), op: node.op.name(), problem };
        if node.name.is_empty() || !names.insert(&node.name) {
            return Err(error("names of layers are unique and not empty".into()));
        }
        for id in node.inputs.iter().chain([&node.output]) {
            if id.0 >= draft.tensors.len() {
                return Err(error(format!(
                    "tensor {} does not exist, there are {}",
                    id.0,
                    draft.tensors.len()
                )));
            }
        }
        if let Some(id) = node.constants.iter().find(|id| id.0 >= draft.constants.len()) {
            return Err(error(format!(
                "constant {} does not exist, there are {}",
                id.0,
                draft.constants.len()
            )));
        }
        if let Some(id) = node.inputs.iter().find(|id| !written.contains(id)) {
            return Err(error(format!(
                "it reads tensor {} before any layer wrote it (a cycle, or layers out of order)",
                id.0
            )));
        }
        check_node(draft, node).map_err(error)?;
        if !written.insert(node.output) {
            return Err(error(format!("tensor {} has been written already", node.output.0)));
        }
    }
    if let Some(port) = draft.outputs.iter().find(|port| !written.contains(&port.tensor)) {
        return Err(model(format!("no layer writes its output `{}`", port.name)));
    }
    let outputs = draft.tensors[draft.output().0].len();
    if !draft.labels.is_empty() && draft.labels.len() != outputs.max(2) {
        return Err(model(format!("{} labels for {outputs} outputs", draft.labels.len())));
    }
    Ok(())
}

/// Inputs and outputs exist, have names that can be identifiers, and no tensor comes from two inputs.
fn check_ports(draft: &Draft) -> Result<(), String> {
    for (what, ports) in [("input", &draft.inputs), ("output", &draft.outputs)] {
        if ports.is_empty() {
            return Err(format!("it has no {what}"));
        }
        let mut names = HashSet::new();
        for port in ports {
            let id = port.tensor.0;
            if id >= draft.tensors.len() {
                return Err(format!("its {what} is tensor {id}, there are {}", draft.tensors.len()));
            }
            let identifier = port.name.starts_with(|c: char| c.is_ascii_lowercase())
                && port.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                && port.name.len() <= 64;
            if !identifier || !names.insert(&port.name) {
                return Err(format!(
                    "its {what} {:?}: names are unique, of lower-case letters, digits and `_`, at most 64",
                    port.name
                ));
            }
        }
    }
    let tensors: HashSet<_> = draft.inputs.iter().map(|port| port.tensor).collect();
    if tensors.len() < draft.inputs.len() {
        return Err("two of its inputs are the same tensor".into());
    }
    Ok(())
}

fn check_tensor(tensor: &TensorInfo) -> Result<(), String> {
    elements(&tensor.shape, LARGEST_TENSOR)?;
    match (tensor.dtype, tensor.quantization) {
        (DType::I8, None) => Err("an int8 tensor needs a scale and a zero point".into()),
        (DType::F32, Some(_)) => Err("a float tensor has no scale".into()),
        (DType::I8, Some(q)) if !(q.scale > 0.0 && q.scale.is_finite()) => {
            Err(format!("scale {} is not positive and finite", q.scale))
        }
        _ => Ok(()),
    }
}

/// Product of the extents, if rank, extents and product are within bounds.
fn elements(shape: &[usize], most: usize) -> Result<usize, String> {
    if !(1..=4).contains(&shape.len()) {
        return Err(format!("shape {shape:?} has not 1 to 4 axes"));
    }
    if shape.contains(&0) {
        return Err(format!("shape {shape:?} has an extent of zero"));
    }
    let len =
        shape.iter().try_fold(1usize, |len, &extent| len.checked_mul(extent).filter(|&len| len <= most));
    len.ok_or_else(|| format!("shape {shape:?} has more than {most} elements"))
}

fn check_constant(constant: &Constant) -> Result<(), String> {
    let len = elements(&constant.shape, LARGEST_CONSTANT)?;
    if constant.values.len() != len {
        return Err(format!(
            "it has {} values, its shape {:?} needs {len}",
            constant.values.len(),
            constant.shape
        ));
    }
    if let Values::F32(values) = &constant.values
        && let Some(i) = values.iter().position(|v| !v.is_finite())
    {
        return Err(format!("value {i} is {}; train again with a lower learning rate", values[i]));
    }
    match constant.scales.iter().find(|s| !(**s > 0.0 && s.is_finite())) {
        Some(scale) => Err(format!("weight scale {scale} is not positive and finite")),
        None => Ok(()),
    }
}

fn check_node(draft: &Draft, node: &Node) -> Result<(), String> {
    let inputs: Vec<_> = node.inputs.iter().map(|id| &draft.tensors[id.0]).collect();
    let constants: Vec<_> = node.constants.iter().map(|id| &draft.constants[id.0]).collect();
    let output = &draft.tensors[node.output.0];
    let shape = ops::infer(&node.op, &inputs, &constants)?;
    if shape != output.shape {
        return Err(format!("its output is {shape:?}, the graph says {:?}", output.shape));
    }
    let input = inputs[0];
    let expected = match node.op {
        Op::Dequantize => DType::F32,
        Op::Quantize => DType::I8,
        _ => input.dtype,
    };
    if output.dtype != expected || inputs.iter().any(|other| other.dtype != input.dtype) {
        return Err(format!("types do not fit: it reads {:?} and writes {:?}", input.dtype, output.dtype));
    }
    if output.dtype == DType::I8 {
        let fixed = match node.op {
            Op::Softmax | Op::Activation { activation: Activation::Sigmoid } => Some(PROBABILITIES),
            Op::Activation { activation: Activation::Tanh } => Some(TANH),
            Op::Flatten
            | Op::MaxPool2d { .. }
            | Op::AvgPool2d { .. }
            | Op::Reshape { .. }
            | Op::Pad { .. }
            | Op::Concat { .. }
            | Op::Transpose { .. }
            | Op::Slice { .. }
            | Op::ResizeNearest { .. } => input.quantization,
            _ => None,
        };
        if let Op::Concat { .. } = node.op
            && let Some(other) = inputs.iter().find(|other| other.quantization != input.quantization)
        {
            return Err(format!(
                "its inputs have {:?} and {:?}; they must be equal",
                input.quantization, other.quantization
            ));
        }
        if let (Op::HardSwish, Some(x), Some(y)) = (node.op, input.quantization, output.quantization)
            && x.scale / 128.0 >= y.scale
        {
            return Err(format!("its output's scale {} is too small for the input's {}", y.scale, x.scale));
        }
        if fixed.is_some() && output.quantization != fixed {
            return Err(format!("its output has {:?}, this operator gives {:?}", output.quantization, fixed));
        }
    }
    Ok(())
}
