//! The way back as source: deltas, gradients, updates.

use super::steps::{float_layer, with};
use super::values::{Literal, clamp, identifier};
use crate::program::{Apply, Backward, BufferId, Gradients, Kernel, Layer, Program, Step};
use std::fmt::Write as _;

/// One action that computes deltas.
pub(super) fn backward(program: &Program, action: &Backward, text: &mut String) {
    match action {
        Backward::Activation { step, y, delta } => {
            let step = &program.steps[*step];
            let call = match &step.kernel {
                Kernel::F32(layer) => format!("{}.backward_activation(y, delta);", float_layer(step, layer)),
                Kernel::Add(range) | Kernel::Clamp(range) => {
                    format!("layers::clamp_backward(&{}, y, delta);", clamp(range))
                }
                Kernel::LeakyRelu { alpha } => {
                    format!("layers::leaky_relu_backward({}, y, delta);", alpha.literal())
                }
                Kernel::Elu { alpha } => format!("layers::elu_backward({}, y, delta);", alpha.literal()),
                Kernel::Sigmoid => "layers::sigmoid_backward(y, delta);".into(),
                Kernel::Tanh => "layers::tanh_backward(y, delta);".into(),
                _ => unreachable!("this kernel has no activation"),
            };
            let _ = writeln!(text, "        // {}: through the activation", step.name);
            with(program, &[("y", *y), ("delta", *delta)], &call, text);
        }
        Backward::Input { step, delta, patch, values, delta_x } => {
            let step = &program.steps[*step];
            let Kernel::F32(layer) = &step.kernel else { unreachable!("deltas pass float layers") };
            let mut buffers = vec![("delta", *delta)];
            buffers.extend(values.iter().flat_map(|(x, y)| [("x", *x), ("y", *y)]));
            buffers.extend(patch.map(|patch| ("patch", patch)));
            buffers.push(("delta_x", *delta_x));
            let arguments = match layer {
                Layer::MaxPool2d { .. } => "x, y, delta, delta_x",
                Layer::Dense { .. } | Layer::AvgPool2d { .. } => "delta, delta_x",
                Layer::Conv2d { .. } | Layer::DepthwiseConv2d { .. } => "delta, patch, delta_x",
            };
            let _ = writeln!(text, "        // {}: through the layer", step.name);
            let call = format!("{}.backward_input({arguments});", float_layer(step, layer));
            with(program, &buffers, &call, text);
        }
        Backward::Join { from, into, .. } if from == into => {
            with(program, &[("into", *into)], "into.iter_mut().for_each(|x| *x += *x);", text);
        }
        Backward::Join { from, into, first } => {
            let call = if *first { "layers::copy(from, into);" } else { "layers::accumulate(from, into);" };
            with(program, &[("from", *from), ("into", *into)], call, text);
        }
    }
}

/// The step, its layer, and the fields of its parameters and states.
fn learner<'p>(program: &'p Program, apply: &Apply) -> (&'p Step, &'p Layer<f32>, String) {
    let step = &program.steps[apply.step];
    let Kernel::F32(layer) = &step.kernel else { unreachable!("only float layers learn") };
    (step, layer, identifier(&step.name))
}

/// Zeroes the gradients of a layer that stores them at batch 1, and adds those of the sample.
pub(super) fn gradients(program: &Program, apply: &Apply, text: &mut String) {
    let Some(gradients) = apply.gradients else { return };
    let _ = writeln!(text, "        // {}: gradients", program.steps[apply.step].name);
    let zero = match gradients.weights {
        Some(_) => "gradient_w.fill(0.0);\n            gradient_b.fill(0.0);\n            ",
        None => "gradient_b.fill(0.0);\n            ",
    };
    sum(program, apply, gradients, zero, text);
}

/// Adds the gradients of a layer to those of the batch.
pub(super) fn batch(program: &Program, apply: &Apply, text: &mut String) {
    let Some(gradients) = apply.batch else { return };
    let _ = writeln!(text, "        // {}: gradients", program.steps[apply.step].name);
    sum(program, apply, gradients, "", text);
}

fn sum(program: &Program, apply: &Apply, into: Gradients, before: &str, text: &mut String) {
    let (step, layer, _) = learner(program, apply);
    let Some(weights) = into.weights else {
        let call = format!("{before}layers::accumulate_biases::<f32>(delta, gradient_b);");
        with(program, &[("delta", apply.delta), ("gradient_b", into.biases)], &call, text);
        return;
    };
    let call = match layer {
        Layer::Dense { .. } => "dense::accumulate::<f32>(x, delta, gradient_w, gradient_b);".to_owned(),
        _ => format!("{}.accumulate(x, delta, patch, gradient_w, gradient_b);", float_layer(step, layer)),
    };
    let mut buffers = vec![("x", apply.x), ("delta", apply.delta)];
    buffers.extend(apply.patch.map(|patch| ("patch", patch)));
    buffers.extend([("gradient_w", weights), ("gradient_b", into.biases)]);
    with(program, &buffers, &format!("{before}{call}"), text);
}

/// Adds a layer's gradients to the norm.
pub(super) fn norm(program: &Program, apply: &Apply, text: &mut String) {
    match apply.gradients {
        Some(gradients) => norm_of(program, gradients, text),
        None if apply.parameters.weights.is_some() => {
            with(program, &[("x", apply.x), ("delta", apply.delta)], "norm.dense(x, delta);", text);
        }
        None => with(program, &[("delta", apply.delta)], "norm.gradient(delta);", text),
    }
}

/// Adds stored gradients to the norm.
pub(super) fn norm_of(program: &Program, gradients: Gradients, text: &mut String) {
    each(program, gradients.buffers(), "norm.gradient(values);", text);
}

/// Clips what the update of a layer reads.
pub(super) fn clip(program: &Program, apply: &Apply, text: &mut String) {
    let own = apply.gradients.is_none().then_some(apply.delta);
    let stored = apply.gradients.into_iter().flat_map(Gradients::buffers);
    each(program, stored.chain(own), "step.clip(values);", text);
}

/// Does `call` with the `values` of each buffer.
pub(super) fn each(
    program: &Program,
    buffers: impl Iterator<Item = BufferId>,
    call: &str,
    text: &mut String,
) {
    buffers.for_each(|id| with(program, &[("values", id)], call, text));
}

/// The update of a layer at batch 1.
pub(super) fn update(program: &Program, apply: &Apply, text: &mut String) {
    if let Some(gradients) = apply.gradients {
        update_by(program, apply, gradients, text);
        return;
    }
    let (step, _, id) = learner(program, apply);
    let _ = writeln!(text, "        // {}: update", step.name);
    if apply.parameters.weights.is_none() {
        let call = format!(
            "optimizer.update_biases(&mut self.parameters.{id}_bias, &mut self.state.{id}_bias, delta);"
        );
        with(program, &[("delta", apply.delta)], &call, text);
        return;
    }
    let call = format!(
        "let state = (&mut self.state.{id}_weights[..], &mut self.state.{id}_bias[..]);
            let Parameters {{ {id}_weights, {id}_bias, .. }} = &mut self.parameters;
            dense::apply::<f32, _>(x, delta, {id}_weights, {id}_bias, state, optimizer);"
    );
    with(program, &[("x", apply.x), ("delta", apply.delta)], &call, text);
}

/// The update of a layer by gradients that are stored.
pub(super) fn update_by(program: &Program, apply: &Apply, gradients: Gradients, text: &mut String) {
    let (step, _, id) = learner(program, apply);
    let _ = writeln!(text, "        // {}: update", step.name);
    let mut buffers = Vec::new();
    let mut calls = Vec::new();
    if let Some(weights) = gradients.weights {
        buffers.push(("gradient_w", weights));
        calls.push(format!(
            "optimizer.update_weights(&mut self.parameters.{id}_weights, &mut self.state.{id}_weights, gradient_w);"
        ));
    }
    buffers.push(("gradient_b", gradients.biases));
    calls.push(format!(
        "optimizer.update_accumulated_biases(&mut self.parameters.{id}_bias, &mut self.state.{id}_bias, gradient_b);"
    ));
    with(program, &buffers, &calls.join("\n            "), text);
}
