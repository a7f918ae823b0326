//! Quantisation-aware training: the float graph with everything that int8 will round rounded already, so that training
//! makes the best of it.
//!
//! [`prepare`] folds batch norm, measures ranges on calibration data, and puts a `FakeQuantize` behind every tensor that
//! int8 rounds; weights get the rule to be rounded, channel by channel. [`fit`](crate::train::fit()) then trains through
//! the rounding as if it were not there (Jacob et al., arXiv 1712.05877), and [`convert`] makes the int8 graph with these
//! very scales. [`refine`] does all three, with [`fit_options`] unless there are better ones.

use super::{QuantizeOptions, calibrated, first_float, keeps_scale, prepared, with_ranges};
use crate::error::{Error, Result};
use crate::graph::{Activation, Draft, Graph, Node, Op, TensorId, TrainRule, WeightScales};
use crate::ops::{PROBABILITIES, TANH};
use crate::train::{Event, FitOptions, Observer, Samples, Schedule, evaluate, fit, means};
use milligrad::Quantization;

/// Trains a float graph on for int8, and quantises it. Of all epochs, and of none, the one counts that does best on the
/// validation samples; the last, if there are none. `calibration` holds normalised inputs, one after the other.
///
/// # Errors
/// As [`quantize`](super::quantize) and [`fit`](crate::train::fit()).
pub fn refine(
    graph: &Graph,
    calibration: &[f32],
    (train, validation): (&Samples, Option<&Samples>),
    options: &QuantizeOptions,
    fit_options: &FitOptions,
    observer: Observer<'_>,
) -> Result<Graph> {
    let mut graph = prepare(graph, calibration, options)?;
    // A frozen batch norm may have been folded away.
    let mut frozen = fit_options.frozen.clone();
    frozen.retain(|pattern| graph.nodes.iter().any(|node| means(pattern, &node.name)));
    let fit_options = &FitOptions { frozen, ..fit_options.clone() };
    let mut best = None;
    if let Some(validation) = validation {
        let start = evaluate(&graph, validation, fit_options.loss)?;
        best = Some((start.accuracy, start.loss, graph.clone()));
    }
    fit(&mut graph, train, validation, fit_options, &mut |event| {
        if let (Event::Epoch { record, graph }, Some(best)) = (&event, &mut best) {
            let (accuracy, loss) = (record.val_accuracy, record.val_loss.unwrap_or(f64::INFINITY));
            // More right answers, or as many with a smaller loss.
            if (accuracy, -loss) > (best.0, -best.1) {
                *best = (accuracy, loss, (*graph).clone());
            }
        }
        observer(event)
    })?;
    convert(&best.map_or(graph, |(_, _, graph)| graph), options)
}

/// Options for training on: a tenth of the learning rate, which falls to zero along half a cosine; [`refine`] itself takes the
/// best epoch.
pub fn fit_options(training: &FitOptions, epochs: usize) -> FitOptions {
    let optimizer = training.optimizer.with_learning_rate(0.1 * training.optimizer.learning_rate());
    let schedule = Schedule::Cosine { warmup_epochs: 0.0, floor: 0.0 };
    FitOptions {
        epochs,
        optimizer,
        schedule,
        early_stopping: None,
        save_best: None,
        checkpoint: None,
        resume: None,
        ..training.clone()
    }
}

/// The graph to train for int8. `calibration` holds normalised inputs, one after the other.
///
/// # Errors
/// As [`quantize`](super::quantize).
pub fn prepare(original: &Graph, calibration: &[f32], options: &QuantizeOptions) -> Result<Graph> {
    let graph = prepared(original)?;
    let mut ranges = calibrated(&graph, calibration)?;
    let first_float = first_float(&graph, options)?;
    let mut draft = graph.clone().into_draft();
    draft.nodes.clear();
    // What regularises weights goes on doing so, where they are still the same.
    for constant in &original.constants {
        let rule = original.training.get(&constant.name).map(|rule| TrainRule { fixed: false, ..*rule });
        if let Some(rule) = rule.filter(|_| draft.constants.contains(constant)) {
            draft.training.insert(constant.name.clone(), rule);
        }
    }
    // The rounded form of each tensor.
    let mut rounded: Vec<TensorId> = (0..draft.tensors.len()).map(TensorId).collect();
    if first_float > 0 {
        let input = graph.input();
        rounded[input.0] = round(&mut draft, "input", input, ranges[input.0]);
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        let output = node.output;
        let mut seen = node.clone();
        seen.inputs.iter_mut().for_each(|id| *id = rounded[id.0]);
        draft.nodes.push(seen);
        if index >= first_float {
            continue;
        }
        if let [weights, _bias] = node.constants[..] {
            let name = graph.constant(weights).name.clone();
            let rule: &mut TrainRule = draft.training.entry(name).or_default();
            rule.fake_quantize = Some(match node.op {
                _ if options.per_tensor => WeightScales::One,
                Op::DepthwiseConv2d { .. } => WeightScales::LastAxis,
                _ => WeightScales::FirstAxis,
            });
        }
        if keeps_scale(&node.op) {
            ranges[output.0] = ranges[node.inputs[0].0];
        }
        if let Some(range) = range_of(node, ranges[output.0], graph.is_output(output)) {
            ranges[output.0] = range;
            rounded[output.0] = round(&mut draft, &node.name, output, range);
        }
    }
    draft.outputs.iter_mut().for_each(|port| port.tensor = rounded[port.tensor.0]);
    Graph::verify(draft)
}

/// The int8 graph of one that [`prepare`] made.
///
/// # Errors
/// If nothing in it is rounded, or as [`quantize`](super::quantize).
pub fn convert(graph: &Graph, options: &QuantizeOptions) -> Result<Graph> {
    let mut ranges = vec![(0.0, 0.0); graph.tensors.len()];
    let mut found = false;
    for node in &graph.nodes {
        if let Op::FakeQuantize { min, max } = node.op {
            ranges[node.inputs[0].0] = (min, max);
            found = true;
        }
    }
    if !found {
        let problem = "it has not been trained for int8".into();
        return Err(Error::Model { model: graph.name.clone(), problem });
    }
    with_ranges(&prepared(graph)?, ranges, options)
}

/// What a node's output is rounded to; `None` if it is exact in its input's scale, or if the loss wants it as it is.
fn range_of(node: &Node, range: (f32, f32), is_output: bool) -> Option<(f32, f32)> {
    match node.op {
        Op::AvgPool2d { .. } => Some(range),
        op if keeps_scale(&op) => None,
        Op::Softmax | Op::Activation { activation: Activation::Sigmoid } => {
            (!is_output).then(|| extremes(PROBABILITIES))
        }
        Op::Activation { activation: Activation::Tanh } => Some(extremes(TANH)),
        _ => Some(range),
    }
}

/// Smallest and largest number of a scale.
fn extremes(quantization: Quantization) -> (f32, f32) {
    let at = |q: f32| (q - f32::from(quantization.zero_point)) * quantization.scale;
    (at(-128.0), at(127.0))
}

/// A node that rounds `tensor`; returns its output.
fn round(draft: &mut Draft, name: &str, tensor: TensorId, (min, max): (f32, f32)) -> TensorId {
    draft.tensors.push(draft.tensors[tensor.0].clone());
    let output = TensorId(draft.tensors.len() - 1);
    let op = Op::FakeQuantize { min: min.min(0.0), max: max.max(0.0) };
    let name = format!("{name}.fake_quantize");
    draft.nodes.push(Node { name, op, inputs: vec![tensor], constants: Vec::new(), output });
    output
}

#[cfg(test)]
#[path = "qat_tests.rs"]
mod tests;
