//! The way back as source: deltas, gradients, updates.

use super::fixed;
use super::steps::{dequantized, fixed_layer, float_layer, with};
use super::values::{Literal, clamp, identifier};
use crate::program::{Apply, Backward, BufferId, ElementType, FixedKernel, Gradients, Kernel, Program, Step};
use std::fmt::Write as _;

/// One action that computes deltas.
pub(super) fn backward(program: &Program, action: &Backward, text: &mut String) {
    match action {
        Backward::Activation { step, y, delta } => {
            let step = &program.steps[*step];
            let call = match &step.kernel {
                Kernel::F32(layer) | Kernel::Dequantized { layer, .. } => {
                    format!("{}.backward_activation(y, delta);", float_layer(step, layer))
                }
                Kernel::Add(range) | Kernel::Clamp(range) => {
                    format!("layers::clamp_backward(&{}, y, delta);", clamp(range))
                }
                Kernel::LeakyRelu { alpha } => {
                    format!("layers::leaky_relu_backward({}, y, delta);", alpha.literal())
                }
                Kernel::Elu { alpha } => format!("layers::elu_backward({}, y, delta);", alpha.literal()),
                Kernel::Fixed(kernel) => fixed::activation(step, kernel),
                Kernel::Sigmoid => "layers::sigmoid_backward(y, delta);".into(),
                Kernel::Tanh => "layers::tanh_backward(y, delta);".into(),
                _ => unreachable!("this kernel has no activation"),
            };
            let _ = writeln!(text, "        // {}: through the activation", step.name);
            with(program, &[("y", *y), ("delta", *delta)], &call, text);
        }
        Backward::Input { step, delta, patch, values, delta_x, .. } => {
            let step = &program.steps[*step];
            let layer = step.kernel.trains().expect("deltas pass layers that train");
            let mut buffers = vec![("delta", *delta)];
            buffers.extend(values.iter().flat_map(|(x, y)| [("x", *x), ("y", *y)]));
            buffers.extend(patch.map(|patch| ("patch", patch)));
            buffers.push(("delta_x", *delta_x));
            let arguments = match (layer.maximum, layer.convolution) {
                (true, _) => "x, y, delta, delta_x",
                (_, Some(_)) => "delta, patch, delta_x",
                _ => "delta, delta_x",
            };
            let _ = writeln!(text, "        // {}: through the layer", step.name);
            let call = format!("{}.backward_input({arguments});", layer_source(step));
            with(program, &buffers, &call, text);
        }
        Backward::Join { from, into, .. } if from == into => {
            let call = match program.buffer(*into).dtype {
                ElementType::I16 => "into.iter_mut().for_each(|x| *x = x.saturating_add(*x));",
                _ => "into.iter_mut().for_each(|x| *x += *x);",
            };
            with(program, &[("into", *into)], call, text);
        }
        Backward::Join { from, into, first } => {
            let call = match (first, program.buffer(*into).dtype) {
                (true, _) => "layers::copy(from, into);",
                (false, ElementType::I16) => "fixed::accumulate(from, into);",
                (false, _) => "layers::accumulate(from, into);",
            };
            with(program, &[("from", *from), ("into", *into)], call, text);
        }
    }
}

/// The layer of a step that trains.
fn layer_source(step: &Step) -> String {
    match &step.kernel {
        Kernel::F32(layer) => float_layer(step, layer),
        Kernel::Fixed(FixedKernel::Layer(layer)) => fixed_layer(step, layer),
        _ => unreachable!("only layers in floats and in fixed point train"),
    }
}

/// Zero and the arithmetic of gradients.
fn arithmetic(program: &Program) -> (&'static str, &'static str) {
    if program.fixed_point().is_some() { ("0", "Fixed16") } else { ("0.0", "f32") }
}

/// Zeroes the gradients of a layer that stores them at batch 1, and adds those of the sample.
pub(super) fn gradients(program: &Program, apply: &Apply, text: &mut String) {
    let Some(gradients) = apply.gradients else { return };
    let _ = writeln!(text, "        // {}: gradients", program.steps[apply.step].name);
    let (zero, _) = arithmetic(program);
    let biases = format!("gradient_b.fill({zero});\n            ");
    let zero = match gradients.weights {
        Some(_) => format!("gradient_w.fill({zero});\n            {biases}"),
        None => biases,
    };
    sum(program, apply, gradients, &zero, text);
}

/// Adds the gradients of a layer to those of the batch.
pub(super) fn batch(program: &Program, apply: &Apply, text: &mut String) {
    let Some(gradients) = apply.batch else { return };
    let _ = writeln!(text, "        // {}: gradients", program.steps[apply.step].name);
    sum(program, apply, gradients, "", text);
}

fn sum(program: &Program, apply: &Apply, into: Gradients, before: &str, text: &mut String) {
    let step = &program.steps[apply.step];
    let (_, arithmetic) = arithmetic(program);
    let Some(weights) = into.weights else {
        let call = format!("{before}layers::accumulate_biases::<{arithmetic}>(delta, gradient_b);");
        with(program, &[("delta", apply.delta), ("gradient_b", into.biases)], &call, text);
        return;
    };
    let call = match (step.kernel.dequantizes(), apply.patch) {
        (Some(quantization), _) => {
            let x = dequantized(&quantization);
            format!("dense::accumulate_dequantized({x}, patch, delta, gradient_w, gradient_b);")
        }
        (_, None) => format!("dense::accumulate::<{arithmetic}>(x, delta, gradient_w, gradient_b);"),
        (_, Some(_)) => {
            format!("{}.accumulate(x, delta, patch, gradient_w, gradient_b);", layer_source(step))
        }
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
            let call = match program.steps[apply.step].kernel.dequantizes() {
                Some(quantization) => {
                    format!("norm.dense_dequantized({}, delta);", dequantized(&quantization))
                }
                None => "norm.dense(x, delta);".into(),
            };
            with(program, &[("x", apply.x), ("delta", apply.delta)], &call, text);
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
    let step = &program.steps[apply.step];
    let id = identifier(&step.name);
    let _ = writeln!(text, "        // {}: update", step.name);
    if apply.parameters.weights.is_none() {
        let call = format!(
            "optimizer.update_biases(&mut self.parameters.{id}_bias, &mut self.state.{id}_bias, delta);"
        );
        with(program, &[("delta", apply.delta)], &call, text);
        return;
    }
    let update = match step.kernel.dequantizes() {
        Some(quantization) => {
            format!("dense::apply_dequantized({}, patch, delta", dequantized(&quantization))
        }
        None => "dense::apply::<f32, _>(x, delta".into(),
    };
    let call = format!(
        "let state = (&mut self.state.{id}_weights[..], &mut self.state.{id}_bias[..]);
            let Parameters {{ {id}_weights, {id}_bias, .. }} = &mut self.parameters;
            {update}, {id}_weights, {id}_bias, state, optimizer);"
    );
    let mut buffers = vec![("x", apply.x), ("delta", apply.delta)];
    buffers.extend(apply.patch.map(|patch| ("patch", patch)));
    with(program, &buffers, &call, text);
}

/// The update of a layer by gradients that are stored.
pub(super) fn update_by(program: &Program, apply: &Apply, gradients: Gradients, text: &mut String) {
    let step = &program.steps[apply.step];
    let id = identifier(&step.name);
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
