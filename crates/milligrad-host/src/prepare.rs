//! Preparing a trained graph for inference: batch norm is folded into the layer before, dropout is removed,
//! and activations that are a range are fused. What the model computes stays the same, up to rounding.

use crate::error::Result;
use crate::graph::{Activation, Constant, ConstantId, Draft, Graph, Node, Op, TensorId, Values};
use crate::lower::floats;

/// The graph as it runs on a device.
///
/// # Errors
/// If a batch norm follows something that it can't be folded into.
pub fn for_inference(graph: &Graph) -> Result<Graph> {
    let mut draft = graph.clone().into_draft();
    draft.nodes.clear();
    // Tensors whose producer was folded away stand for another tensor.
    let mut alias: Vec<TensorId> = (0..draft.tensors.len()).map(TensorId).collect();
    // Whether exactly one node reads a tensor, and every tensor that it stands for.
    let readers = |id| graph.nodes.iter().flat_map(|node| &node.inputs).filter(|&&input| input == id).count();
    let mut single: Vec<bool> =
        (0..draft.tensors.len()).map(|i| readers(TensorId(i)) == 1 && graph.output != TensorId(i)).collect();
    for node in &graph.nodes {
        let mut node = node.clone();
        node.inputs.iter_mut().for_each(|id| *id = alias[id.0]);
        let folded = match node.op {
            Op::Dropout { .. } | Op::Activation { activation: Activation::Linear } => true,
            Op::BatchNorm { epsilon, .. } => {
                let producer = if single[node.inputs[0].0] { writer(&draft, node.inputs[0]) } else { None };
                fold_batch_norm(graph, &mut draft, &node, epsilon, producer)?;
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
    draft.output = alias[draft.output.0];
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
/// `producer` is the node before, if nothing else reads its output.
fn fold_batch_norm(
    graph: &Graph,
    draft: &mut Draft,
    node: &Node,
    epsilon: f32,
    producer: Option<usize>,
) -> Result<()> {
    let refuse = || {
        graph.error(
            node,
            "it can't be folded: put it right after a Dense, Conv2d or DepthwiseConv2d without activation that nothing \
             else reads",
        )
    };
    let statistics = [0, 1, 2, 3].map(|i| floats(&graph.constant(node.constants[i]).values).to_vec());
    let [gamma, beta, mean, variance] = statistics;
    let producer = &draft.nodes[producer.ok_or_else(refuse)?];
    let by_last_axis = matches!(producer.op, Op::DepthwiseConv2d { .. });
    let foldable = matches!(producer.op, Op::Dense { .. } | Op::Conv2d { .. } | Op::DepthwiseConv2d { .. });
    if !foldable || producer.op.fused_activation() != Some(Activation::Linear) {
        return Err(refuse());
    }
    let [weights, bias] = [producer.constants[0], producer.constants[1]];
    let scale: Vec<f64> = gamma
        .iter()
        .zip(&variance)
        .map(|(&gamma, &variance)| f64::from(gamma) / (f64::from(variance) + f64::from(epsilon)).sqrt())
        .collect();
    let outputs = scale.len();
    change(&mut draft.constants, weights, |index, len, w| {
        let channel = if by_last_axis { index % outputs } else { index / (len / outputs) };
        f64::from(w) * scale[channel]
    });
    change(&mut draft.constants, bias, |channel, _, b| {
        (f64::from(b) - f64::from(mean[channel])) * scale[channel] + f64::from(beta[channel])
    });
    Ok(())
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
