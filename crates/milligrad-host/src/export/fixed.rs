//! Learning in 16-bit fixed point as source.

use super::learn::{add_to_batch, call_deltas, open_accumulate, open_apply, target};
use super::steps::{fixed_layer, in_place, sum, with};
use super::values::{fixed_clamp, identifier, requantize};
use super::{dynamic, way_back};
use crate::program::{
    Apply, Backward, FixedKernel, FixedPoint, Gradients, Layer, Learning, LossKind, Program, Step,
};
use milligrad::Fixed16;
use std::fmt::Write as _;

/// What the rule remembers.
pub(super) fn state(fixed: FixedPoint, text: &mut String) {
    let rule = fixed.rule_name();
    let start = fixed.word().map_or("()".into(), |word| word.to_string());
    let _ = writeln!(
        text,
        "/// What the rule remembers.
#[derive(Clone, Copy)]
pub struct State {{
    memory: <{rule} as fixed::Rule>::Memory,
}}

impl State {{
    /// As before the first step.
    pub const fn new() -> Self {{
        Self {{ memory: {start} }}
    }}
}}
"
    );
}

/// One kernel of the forward pass.
pub(super) fn forward(
    program: &Program,
    step: &Step,
    kernel: &FixedKernel,
    layer: impl FnOnce(String, &Layer<Fixed16>, &mut String),
    text: &mut String,
) {
    let (x, y) = (step.inputs[0], step.output);
    match kernel {
        FixedKernel::Layer(kernel) => layer(fixed_layer(step, kernel), kernel, text),
        FixedKernel::Softmax | FixedKernel::Sigmoid { .. } | FixedKernel::Tanh => {
            in_place(program, x, y, &format!("fixed::{}(y);", kernel.name()), text);
        }
        FixedKernel::Clamp(range) => {
            in_place(program, x, y, &format!("fixed::clamp(&{}, y);", fixed_clamp(range)), text);
        }
        FixedKernel::LeakyRelu { alpha } => {
            in_place(program, x, y, &format!("fixed::leaky_relu({alpha}, y);"), text);
        }
        FixedKernel::Add(range) => {
            sum(program, step, |a, b| format!("fixed::add({a}, {b}, &{}, y);", fixed_clamp(range)), text);
        }
        FixedKernel::FromInt8 { zero_point, scale, .. } => {
            let _ = writeln!(
                text,
                "        let (x, y) = (self.int8.get({:?}).unwrap_or_default(), self.int16.get_mut({:?}).unwrap_or_default());
        fixed::from_int8({zero_point}, &{}, x, y);",
                program.range(x),
                program.range(y),
                requantize(scale),
            );
        }
        FixedKernel::Dynamic(..) | FixedKernel::FromReals | FixedKernel::ToReals => {
            unreachable!("exponents are static")
        }
    }
    if kernel.sums() {
        with(program, &[("y", y)], "self.saturation.see_activations(y);", text);
    }
}

/// Through the activation of a step.
pub(super) fn activation(step: &Step, kernel: &FixedKernel) -> String {
    match kernel {
        FixedKernel::Layer(layer) => format!("{}.backward_activation(y, delta);", fixed_layer(step, layer)),
        FixedKernel::Add(range) | FixedKernel::Clamp(range) => {
            format!("fixed::clamp_backward(&{}, y, delta);", fixed_clamp(range))
        }
        FixedKernel::LeakyRelu { alpha } => format!("fixed::leaky_relu_backward({alpha}, y, delta);"),
        FixedKernel::Sigmoid { .. } => "fixed::sigmoid_backward(y, delta);".into(),
        FixedKernel::Tanh => "fixed::tanh_backward(y, delta);".into(),
        _ => unreachable!("this kernel has no activation"),
    }
}

/// The methods that learn, but for `commit` and `rollback`.
pub(super) fn methods(program: &Program, learning: &Learning, text: &mut String) {
    deltas(program, learning, text);
    train_step(program, learning, text);
    if learning.batches {
        accumulate(program, learning, text);
        apply_batch(program, learning, text);
    }
    evaluate(program, learning, text);
    if learning.guard {
        extent(program, text);
    }
}

/// Forward, loss, deltas.
fn deltas(program: &Program, learning: &Learning, text: &mut String) {
    let (parameter, argument) = target(program, learning);
    let outputs = program.buffer(learning.output).len;
    let _ = writeln!(
        text,
        "
    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, {parameter}) -> Result<f32, TrainError> {{"
    );
    if learning.loss == LossKind::SparseCategoricalCrossEntropy {
        let _ = writeln!(text, "        Target::Class(label).class({outputs})?;");
    }
    if is_dynamic(learning) {
        dynamic::deltas(program, learning, argument, text);
        return;
    }
    text.push_str("        self.forward(|_| {});\n");
    if learning.delta != program.output().buffer {
        let buffers = [("y", program.output().buffer), ("delta", learning.delta)];
        with(program, &buffers, "layers::copy(y, delta);", text);
    }
    let counters = if learning.loss == LossKind::MeanSquaredError { ", &mut self.saturation" } else { "" };
    let _ = writeln!(
        text,
        "        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<i16, {outputs}>(&mut self.int16, {});
        let loss = fixed::{}(outputs, {argument}{counters})?;",
        program.range(learning.delta).start,
        learning.loss.function(),
    );
    for action in &learning.backward {
        way_back::backward(program, action, text);
        let summed = match action {
            Backward::Input { delta_x, .. } => Some(*delta_x),
            Backward::Join { into, first: false, .. } => Some(*into),
            _ => None,
        };
        if let Some(delta) = summed {
            with(program, &[("delta", delta)], "self.saturation.see_deltas(delta);", text);
        }
    }
    text.push_str("        Ok(loss)\n    }\n");
}

fn train_step(program: &Program, learning: &Learning, text: &mut String) {
    let (parameter, _) = target(program, learning);
    let refusals = match learning.guard {
        true => "What the guard refuses",
        false if is_dynamic(learning) => "A target that is none, or an input that is not finite",
        false => "A target that is none",
    };
    let _ = writeln!(
        text,
        "
    /// One step of gradient descent on the [`input`](Self::input) and its target; returns the loss before the update.
    /// The optimizer may be another at each step: a `milligrad::Schedule` tells its learning rate.
    ///
    /// # Errors
    /// {refusals}. No parameter has changed then.
    #[inline]
    pub fn train_step(&mut self, {parameter}, optimizer: &{}) -> Result<f32, TrainError> {{",
        learning.rule_name(),
    );
    if learning.guard {
        text.push_str("        let before = self.saturation;\n");
    }
    text.push_str(&call_deltas(program, learning));
    if learning.guard {
        let module = if is_dynamic(learning) { "fixed::dynamic" } else { "fixed" };
        let _ = writeln!(text, "        let mut reach = {module}::Reach::new();");
        for apply in &learning.apply {
            gradients(program, learning, apply, text);
            reach(program, learning, apply, text);
        }
        text.push_str("        let saturated = self.saturation.since(&before);\n");
        text.push_str(DECIDE);
    }
    for apply in &learning.apply {
        if !learning.guard {
            gradients(program, learning, apply, text);
        }
        if is_dynamic(learning) {
            dynamic::update(program, apply, text);
        } else {
            update(program, apply, text);
        }
    }
    text.push_str("        Ok(loss)\n    }\n");
}

fn is_dynamic(learning: &Learning) -> bool {
    learning.fixed.is_some_and(|fixed| fixed.is_dynamic())
}

/// The gradients of a layer that stores them at batch 1.
fn gradients(program: &Program, learning: &Learning, apply: &Apply, text: &mut String) {
    if is_dynamic(learning) {
        dynamic::gradients(program, apply, text);
    } else {
        way_back::gradients(program, apply, text);
    }
}

/// The guard's decision.
const DECIDE: &str = "        let optimizer = &self.guard.decide(reach, saturated, optimizer, || Self::extent(&self.parameters))?;\n";

/// `true` where the guard wants to know how much of a batch saturated.
pub(super) fn counts_batches(learning: &Learning) -> bool {
    learning.fixed.is_some() && learning.guard && learning.batches
}

fn accumulate(program: &Program, learning: &Learning, text: &mut String) {
    open_accumulate(program, learning, "A target that is none", text);
    if learning.guard {
        text.push_str("        let before = self.saturation;\n");
    }
    text.push_str(&call_deltas(program, learning));
    if learning.guard {
        text.push_str(
            "        let saturated = if self.samples == 0 { 0 } else { self.saturated };
        self.saturated = saturated.saturating_add(self.saturation.since(&before));\n",
        );
    }
    add_to_batch(program, learning, text);
}

fn apply_batch(program: &Program, learning: &Learning, text: &mut String) {
    open_apply(learning, text);
    if learning.guard {
        text.push_str("        let before = self.saturation;\n");
    }
    let mean = "fixed::mean(samples, values, &mut self.saturation);";
    way_back::each(program, learning.batch_sums(), mean, text);
    if learning.guard {
        text.push_str("        let mut reach = fixed::Reach::new();\n");
        way_back::each(program, learning.batch_sums(), "reach.gradient(values);", text);
        text.push_str(
            "        // The mean of the samples, and the sums of gradients.
        let mean = self.saturated.checked_div(samples).unwrap_or(0);
        let saturated = mean.saturating_add(self.saturation.since(&before));\n",
        );
        text.push_str(DECIDE);
    }
    for apply in &learning.apply {
        if let Some(sums) = apply.batch {
            update_by(program, apply, sums, text);
        }
    }
    text.push_str("        Ok(samples as usize)\n    }\n");
}

/// Adds a layer to the guard's view of the step.
fn reach(program: &Program, learning: &Learning, apply: &Apply, text: &mut String) {
    if is_dynamic(learning) {
        dynamic::reach(program, apply, text);
        return;
    }
    match apply.gradients {
        Some(gradients) => {
            way_back::each(program, gradients.buffers(), "reach.gradient(values);", text);
        }
        None if apply.parameters.weights.is_some() => {
            with(program, &[("x", apply.x), ("delta", apply.delta)], "reach.dense(x, delta);", text);
        }
        None => with(program, &[("delta", apply.delta)], "reach.biases(delta);", text),
    }
}

/// The update of a layer at batch 1.
fn update(program: &Program, apply: &Apply, text: &mut String) {
    if let Some(gradients) = apply.gradients {
        update_by(program, apply, gradients, text);
        return;
    }
    let step = &program.steps[apply.step];
    let id = identifier(&step.name);
    let _ = writeln!(text, "        // {}: update", step.name);
    if apply.parameters.weights.is_none() {
        let biases = format!("{RULE}::update_biases(optimizer, &mut self.parameters.{id}_bias, delta)");
        with(program, &[("delta", apply.delta)], &count(&biases), text);
        return;
    }
    let call = format!(
        "let Parameters {{ {id}_weights, {id}_bias, .. }} = &mut self.parameters;
            let count = fixed::apply(x, delta, {id}_weights, {id}_bias, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);"
    );
    with(program, &[("x", apply.x), ("delta", apply.delta)], &call, text);
}

/// The update of a layer by gradients that are stored.
fn update_by(program: &Program, apply: &Apply, gradients: Gradients, text: &mut String) {
    let step = &program.steps[apply.step];
    let id = identifier(&step.name);
    let _ = writeln!(text, "        // {}: update", step.name);
    let (mut buffers, mut calls) = (Vec::new(), Vec::new());
    if let Some(weights) = gradients.weights {
        buffers.push(("gradient_w", weights));
        calls.push(count(&format!(
            "{RULE}::update_weights(optimizer, &mut self.state.memory, &mut self.parameters.{id}_weights, gradient_w)"
        )));
    }
    buffers.push(("gradient_b", gradients.biases));
    calls.push(count(&format!(
        "{RULE}::update_accumulated_biases(optimizer, &mut self.parameters.{id}_bias, gradient_b)"
    )));
    with(program, &buffers, &calls.join("\n            "), text);
}

/// The trait whose methods update.
pub(super) const RULE: &str = "fixed::Rule";

/// A call that updates, with the weights that it saturates counted.
fn count(call: &str) -> String {
    format!("self.saturation.add_weights({call});")
}

fn evaluate(program: &Program, learning: &Learning, text: &mut String) {
    let (parameter, argument) = target(program, learning);
    let outputs = program.buffer(learning.output).len;
    let (check, hit, counters) = match learning.loss {
        LossKind::SparseCategoricalCrossEntropy => (
            format!("        Target::Class(label).class({outputs})?;\n"),
            "Some(milligrad::argmax(outputs) == label)",
            "",
        ),
        LossKind::BinaryCrossEntropy => (
            String::new(),
            "Some(outputs.iter().zip(target).all(|(&y, &t)| (y >= 1 << 14) == (t >= 0.5)))",
            "",
        ),
        LossKind::MeanSquaredError => (String::new(), "None", ", &mut { fixed::Saturation::NONE }"),
    };
    let _ = writeln!(
        text,
        "
    /// How well the network does on its [`input`](Self::input): loss and hit. Changes no parameter.
    ///
    /// # Errors
    /// A target that is none.
    pub fn evaluate(&mut self, {parameter}) -> Result<Evaluation, TrainError> {{
{check}        self.forward(|_| {{}});
        let outputs = arena::array_mut::<i16, {outputs}>(&mut self.int16, {});
        let hit = {hit};
        let loss = {};
        Ok(Evaluation {{ loss, hit }})
    }}",
        program.range(learning.output).start,
        match is_dynamic(learning) && learning.loss == LossKind::MeanSquaredError {
            true => dynamic::squares(program, learning) + ".0",
            false => format!("fixed::{}(outputs, {argument}{counters})?", learning.loss.function()),
        },
    );
}

/// The guard's look at all parameters.
fn extent(program: &Program, text: &mut String) {
    text.push_str(
        "
    /// The largest magnitude of a parameter, in Q.12.
    fn extent(parameters: &Parameters) -> u32 {
        let mut largest = 0;
",
    );
    for apply in program.learning.iter().flat_map(|learning| &learning.apply) {
        let ids = apply.parameters;
        let kinds = [("weight", ids.weights), ("bias", Some(ids.biases))];
        for (kind, index) in kinds.into_iter().filter_map(|(kind, index)| Some((kind, index?))) {
            let field = identifier(&program.parameters[index].name);
            let _ =
                writeln!(text, "        largest = largest.max(fixed::largest_{kind}(&parameters.{field}));");
        }
    }
    text.push_str("        largest\n    }\n");
}
