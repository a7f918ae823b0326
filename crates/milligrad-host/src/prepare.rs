//! Preparing a trained graph for inference: batch norm is folded into the layer before or becomes a depthwise
//! convolution of one pixel, dropout and noise are removed, and activations that are a range are fused. What the model computes stays the same, up to rounding.

use crate::error::Result;
use crate::graph::{
    Activation, Axes, Constant, ConstantId, Draft, Graph, Node, Op, TensorId, TensorInfo, Values, Window,
};
use crate::lower::floats;
use milligrad::Padding;

/// The graph as it runs on a device.
///
/// # Errors
/// None for graphs that a builder or a file gave; the result is verified again.
pub fn for_inference(graph: &Graph) -> Result<Graph> {
    let mut draft = graph.clone().into_draft();
    draft.nodes.clear();
    draft.training.clear();
    // Tensors whose producer was folded away stand for another tensor.
    let mut alias: Vec<TensorId> = (0..draft.tensors.len()).map(TensorId).collect();
    // Whether exactly one node reads a tensor, and every tensor that it stands for.
    let readers = |id| graph.nodes.iter().flat_map(|node| &node.inputs).filter(|&&input| input == id).count();
    let mut single: Vec<bool> = (0..draft.tensors.len())
        .map(|i| readers(TensorId(i)) == 1 && !graph.is_output(TensorId(i)))
        .collect();
    for node in &graph.nodes {
        let mut node = node.clone();
        node.inputs.iter_mut().for_each(|id| *id = alias[id.0]);
        let folded = match node.op {
            Op::Dropout { .. }
            | Op::GaussianNoise { .. }
            | Op::FakeQuantize { .. }
            | Op::Activation { activation: Activation::Linear } => true,
            Op::BatchNorm { epsilon, .. } => {
                let producer = if single[node.inputs[0].0] { writer(&draft, node.inputs[0]) } else { None };
                if !fold_batch_norm(graph, &mut draft, &node, epsilon, producer) {
                    // It has become nodes of its own.
                    continue;
                }
                true
            }
            Op::Activation { activation } if activation.is_clamp() => {
                single[node.inputs[0].0] && fuse(graph, &mut draft, &node, activation)
            }
            _ => false,
        };
        if folded {
            alias[node.output.0] = node.inputs[0];
            single[node.inputs[0].0] &= single[node.output.0];
        } else {
            draft.nodes.push(node);
        }
    }
    draft.outputs.iter_mut().for_each(|port| port.tensor = alias[port.tensor.0]);
    remove_unused(&mut draft);
    Graph::verify(draft)
}

/// Index of the node that writes `tensor`; the input has none.
fn writer(draft: &Draft, tensor: TensorId) -> Option<usize> {
    draft.nodes.iter().position(|node| node.output == tensor)
}

fn fuse(graph: &Graph, draft: &mut Draft, node: &Node, new: Activation) -> bool {
    let int8 = graph.tensor(node.output).quantization.is_some();
    let Some(producer) = writer(draft, node.inputs[0]) else { return false };
    match &mut draft.nodes[producer].op {
        Op::Dense { activation }
        | Op::Conv2d { activation, .. }
        | Op::DepthwiseConv2d { activation, .. }
        | Op::Add { activation }
            // In int8 the activation has a scale of its own.
            if *activation == Activation::Linear && !int8 =>
        {
            *activation = new;
            true
        }
        _ => false,
    }
}

/// `gamma (W x + b - mean) / sqrt(variance + epsilon) + beta` is a layer with other weights and another bias.
///
/// `producer` is the node before, if nothing else reads its output. `false` if it is no such layer, and the batch norm has
/// become a convolution of its own.
fn fold_batch_norm(
    graph: &Graph,
    draft: &mut Draft,
    node: &Node,
    epsilon: f32,
    producer: Option<usize>,
) -> bool {
    let statistics = [0, 1, 2, 3].map(|i| floats(&graph.constant(node.constants[i]).values).to_vec());
    let [gamma, beta, mean, variance] = statistics;
    let scale: Vec<f64> = gamma
        .iter()
        .zip(&variance)
        .map(|(&gamma, &variance)| f64::from(gamma) / (f64::from(variance) + f64::from(epsilon)).sqrt())
        .collect();
    let shift = |channel: usize, b: f32| {
        (f64::from(b) - f64::from(mean[channel])) * scale[channel] + f64::from(beta[channel])
    };
    let outputs = scale.len();
    let foldable = |producer: &&Node| {
        let linear = producer.op.fused_activation() == Some(Activation::Linear);
        linear && matches!(producer.op, Op::Dense { .. } | Op::Conv2d { .. } | Op::DepthwiseConv2d { .. })
    };
    match producer.map(|producer| &draft.nodes[producer]).filter(foldable) {
        Some(producer) => {
            let by_last_axis = matches!(producer.op, Op::DepthwiseConv2d { .. });
            let [weights, bias] = [producer.constants[0], producer.constants[1]];
            change(&mut draft.constants, weights, |index, len, w| {
                let channel = if by_last_axis { index % outputs } else { index / (len / outputs) };
                f64::from(w) * scale[channel]
            });
            change(&mut draft.constants, bias, |channel, _, b| shift(channel, b));
            true
        }
        None => {
            let weights = scale.iter().map(|&scale| scale as f32).collect();
            let bias = (0..outputs).map(|channel| shift(channel, 0.0) as f32).collect();
            scale_channels(draft, node, weights, bias);
            false
        }
    }
}

/// `y = weights x + bias`, channel by channel, as a depthwise convolution of one pixel.
fn scale_channels(draft: &mut Draft, node: &Node, weights: Vec<f32>, bias: Vec<f32>) {
    let channels = bias.len();
    let mut constant = |part: &str, shape: Vec<usize>, values| {
        let name = format!("{}/{part}", node.name);
        draft.constants.push(Constant { name, shape, values: Values::F32(values), scales: Vec::new() });
        ConstantId(draft.constants.len() - 1)
    };
    let constants =
        vec![constant("weights", vec![1, 1, channels], weights), constant("bias", vec![channels], bias)];
    let window = Window { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: Padding::Valid };
    let op = Op::DepthwiseConv2d { window, activation: Activation::Linear };
    let name = node.name.clone();
    let (input, output) = (node.inputs[0], node.output);
    if draft.tensors[input.0].shape.len() > 1 {
        draft.nodes.push(Node { name, op, inputs: vec![input], constants, output });
        return;
    }
    // A window has no view of a single axis: between two others the tensor is a row of one pixel.
    let row = |draft: &mut Draft| {
        let info = TensorInfo { shape: vec![1, channels], ..draft.tensors[input.0].clone() };
        draft.tensors.push(info);
        TensorId(draft.tensors.len() - 1)
    };
    let view = |shape: &[usize]| Op::Reshape { shape: Axes::new(shape).expect("at most two axes") };
    let (from, to) = (row(draft), row(draft));
    let before = Node {
        name: format!("{name}.row"),
        op: view(&[1, channels]),
        inputs: vec![input],
        constants: Vec::new(),
        output: from,
    };
    let after = Node {
        name: format!("{name}.flat"),
        op: view(&[channels]),
        inputs: vec![to],
        constants: Vec::new(),
        output,
    };
    let scaling = Node { name, op, inputs: vec![from], constants, output: to };
    draft.nodes.extend([before, scaling, after]);
}

/// Replaces each value `v` at `index` of `len` by `f(index, len, v)`.
fn change(constants: &mut [Constant], id: ConstantId, f: impl Fn(usize, usize, f32) -> f64) {
    if let Values::F32(values) = &mut constants[id.0].values {
        let len = values.len();
        values.iter_mut().enumerate().for_each(|(index, v)| *v = f(index, len, *v) as f32);
    }
}

/// Removes constants that no node names any more.
fn remove_unused(draft: &mut Draft) {
    let mut new_id = vec![None; draft.constants.len()];
    let mut kept = Vec::new();
    for id in draft.nodes.iter_mut().flat_map(|node| &mut node.constants) {
        let new = *new_id[id.0].get_or_insert_with(|| {
            kept.push(draft.constants[id.0].clone());
            ConstantId(kept.len() - 1)
        });
        *id = new;
    }
    draft.constants = kept;
}
