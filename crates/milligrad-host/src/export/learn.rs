//! Training as source.

use super::values::{array, identifier};
use super::{fixed, way_back};
use crate::program::{ElementType, Learning, LossKind, Program, Trainable};
use std::fmt::Write as _;

/// The target of a step as a parameter, and as an argument.
pub(super) fn target(program: &Program, learning: &Learning) -> (String, &'static str) {
    match learning.loss {
        LossKind::SparseCategoricalCrossEntropy => ("label: usize".into(), "label"),
        _ => (format!("target: &[f32; {}]", program.buffer(program.output().buffer).len), "target"),
    }
}

/// `Parameters`, `State`, `Snapshot`, and the implementation of `Learner`.
pub(super) fn learner(program: &Program, learning: &Learning, text: &mut String) {
    let fields: Vec<_> =
        program.parameters.iter().map(|p| (identifier(&p.name), p, p.values.len())).collect();
    let each = |text: &mut String, line: &dyn Fn(&str, usize) -> String| {
        fields.iter().for_each(|(field, _, len)| text.push_str(&line(field, *len)));
    };
    text.push_str("/// The parameters that learn, in RAM.\n#[derive(Debug, Clone, Copy, PartialEq)]\npub struct Parameters {\n");
    for (field, parameter, len) in &fields {
        let (name, element) = (&parameter.name, parameter.dtype.rust());
        let _ = writeln!(text, "    /// `{name}`\n    pub {field}: [{element}; {len}],");
    }
    text.push_str("}\n\n");
    for (field, parameter, len) in &fields {
        let (name, element) = (field.to_uppercase(), parameter.dtype.rust());
        let _ = writeln!(text, "const {name}: [{element}; {len}] = {};", initial(parameter));
    }
    text.push_str("\nimpl Parameters {\n    /// As they were exported.\n    pub const fn new() -> Self {\n        Self {");
    each(text, &|field, _| format!(" {field}: {},", field.to_uppercase()));
    text.push_str(" }\n    }\n}\n\nimpl Default for Parameters {\n    fn default() -> Self {\n        Self::new()\n    }\n}\n\n");
    match learning.fixed {
        Some(fixed) => fixed::state(fixed, text),
        None => state(learning, &fields, text),
    }
    snapshot(learning, &fields, text);
    implement(program, learning, &fields, text);
}

/// A parameter's field, and its length.
type Field<'p> = (String, &'p Trainable, usize);

/// What the optimizer remembers.
fn state(learning: &Learning, fields: &[Field<'_>], text: &mut String) {
    let each = |text: &mut String, line: &dyn Fn(&str, usize) -> String| {
        fields.iter().for_each(|(field, _, len)| text.push_str(&line(field, *len)));
    };
    let optimizer = learning.optimizer.type_name();
    let _ = writeln!(
        text,
        "/// What the optimizer remembers of a parameter.
type Memory = <{optimizer} as Optimizer<f32>>::State;

/// What the optimizer remembers of each parameter.
#[derive(Clone, Copy)]
pub struct State {{"
    );
    each(text, &|field, len| format!("    {field}: [Memory; {len}],\n"));
    let _ = writeln!(text, "    progress: <{optimizer} as Optimizer<f32>>::Progress,");
    text.push_str("}\n\nimpl State {\n    /// As before the first step.\n    pub const fn new() -> Self {\n        Self {");
    each(text, &|field, len| format!(" {field}: [<{optimizer} as Optimizer<f32>>::START; {len}],"));
    let _ = write!(text, " progress: <{optimizer} as Optimizer<f32>>::OUTSET,");
    text.push_str(" }\n    }\n}\n\n");
}

fn snapshot(learning: &Learning, fields: &[Field<'_>], text: &mut String) {
    text.push_str(
        "/// Parameters and the optimizer's memory as they were at some time, see [`Network::commit`]. Nothing at first: where the
/// optimizer starts from zeros, a `static` takes no flash.
#[derive(Clone, Copy)]
pub struct Snapshot {
    parameters: Parameters,
    state: State,
    committed: bool,
}

impl Snapshot {
    /// One that holds nothing yet.
    pub const fn new() -> Self {
        let parameters = Parameters {",
    );
    let zero = if learning.fixed.is_some() { "0" } else { "0.0" };
    for (field, _, len) in fields {
        let _ = write!(text, " {field}: [{zero}; {len}],");
    }
    text.push_str(
        " };
        Self { parameters, state: State::new(), committed: false }
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self::new()
    }
}

",
    );
}

/// The implementation of `Learner`.
fn implement(program: &Program, learning: &Learning, fields: &[Field<'_>], text: &mut String) {
    let optimizer = learning.rule_name();
    let note = if learning.guard { ".map_err(|reason| self.guard.refuse(reason))" } else { "" };
    let outputs = program.buffer(program.output().buffer).len;
    let (kind, read, pass) = match learning.loss {
        LossKind::SparseCategoricalCrossEntropy => ("Class", format!("target.class({outputs})"), "target"),
        _ => ("Values", format!("target.values::<{outputs}>()"), "&target"),
    };
    let _ = writeln!(
        text,
        "impl Learner for Network {{
    type Optimizer = {optimizer};
    const TARGET: TargetKind = TargetKind::{kind}({outputs});

    fn train_step(&mut self, target: Target<'_>, optimizer: &{optimizer}) -> Result<f32, TrainError> {{
        let target = {read}{note}?;
        self.train_step({pass}, optimizer)
    }}

    fn evaluate(&mut self, target: Target<'_>) -> Result<Evaluation, TrainError> {{
        let target = {read}?;
        self.evaluate({pass})
    }}

    fn parameters(&self, mut visit: impl FnMut(&'static str, &[f32])) {{"
    );
    for (field, parameter, _) in fields {
        let (name, exponent) = (&parameter.name, parameter.exponent);
        let is_dynamic = learning.fixed.is_some_and(|fixed| fixed.is_dynamic());
        let _ = match parameter.dtype {
            ElementType::I16 | ElementType::I32 if is_dynamic => {
                let kind = if parameter.dtype == ElementType::I16 { "weights" } else { "biases" };
                writeln!(
                    text,
                    "        fixed::dynamic::visit_{kind}({name:?}, {exponent}, &self.parameters.{field}, &mut visit);"
                )
            }
            ElementType::I16 => {
                writeln!(
                    text,
                    "        fixed::visit_weights({name:?}, &self.parameters.{field}, &mut visit);"
                )
            }
            ElementType::I32 => {
                writeln!(text, "        fixed::visit_biases({name:?}, &self.parameters.{field}, &mut visit);")
            }
            _ => writeln!(text, "        visit({name:?}, &self.parameters.{field});"),
        };
    }
    text.push_str("    }\n}\n\n");
    if learning.batches {
        let _ = writeln!(
            text,
            "impl BatchLearner for Network {{
    fn accumulate(&mut self, target: Target<'_>) -> Result<f32, TrainError> {{
        let target = {read}{note}?;
        self.accumulate({pass})
    }}

    fn apply(&mut self, optimizer: &{optimizer}) -> Result<usize, TrainError> {{
        self.apply(optimizer)
    }}
}}
"
        );
    }
}

/// The initial values of a parameter.
fn initial(parameter: &Trainable) -> String {
    match parameter.dtype {
        ElementType::I16 | ElementType::I32 => array(&parameter.mantissas()),
        _ => array(&parameter.values),
    }
}

/// The methods that learn.
pub(super) fn methods(program: &Program, learning: &Learning, text: &mut String) {
    if learning.fixed.is_some() {
        fixed::methods(program, learning, text);
    } else {
        deltas(program, learning, text);
        train_step(program, learning, text);
        if learning.batches {
            accumulate(program, learning, text);
            apply_batch(program, learning, text);
        }
        evaluate(program, learning, text);
        if learning.guard {
            extent(program, learning, text);
        }
    }
    let forget = if learning.guard { "\n            self.guard.forget();" } else { "" };
    let samples = if learning.batches { "\n            self.samples = 0;" } else { "" };
    let _ = writeln!(
        text,
        "
    /// Copies parameters and the optimizer's memory, to come back to by [`rollback`](Self::rollback).
    pub fn commit(&self, snapshot: &mut Snapshot) {{
        snapshot.parameters = self.parameters;
        snapshot.state = self.state;
        snapshot.committed = true;
    }}

    /// Takes back what a snapshot holds; `false` if it holds nothing.
    pub fn rollback(&mut self, snapshot: &Snapshot) -> bool {{
        if snapshot.committed {{
            self.parameters = snapshot.parameters;
            self.state = snapshot.state;{forget}{samples}
        }}
        snapshot.committed
    }}"
    );
}

/// Forward, loss, deltas.
fn deltas(program: &Program, learning: &Learning, text: &mut String) {
    let (parameter, argument) = target(program, learning);
    let _ = writeln!(
        text,
        "
    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, {parameter}) -> Result<f32, TrainError> {{"
    );
    let outputs = program.buffer(program.output().buffer).len;
    let class = learning.loss == LossKind::SparseCategoricalCrossEntropy;
    if class {
        let _ = writeln!(text, "        Target::Class(label).class({outputs})?;");
    }
    if learning.guard && program.input().quantization.is_none() {
        let input = program.range(program.input().buffer);
        let _ = writeln!(
            text,
            "        if !self.float.get({input:?}).is_some_and(guard::all_finite) {{\n            return \
             Err(TrainError::NotFinite);\n        }}"
        );
    }
    text.push_str("        self.forward(|_| {});\n");
    if learning.delta != program.output().buffer {
        let buffers = [("y", program.output().buffer), ("delta", learning.delta)];
        super::steps::with(program, &buffers, "layers::copy(y, delta);", text);
    }
    let _ = writeln!(
        text,
        "        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<f32, {outputs}>(&mut self.float, {});
        let loss = loss::{}(outputs, {argument}){};
        if !loss.is_finite() {{
            return Err(TrainError::NotFinite);
        }}",
        program.range(learning.delta).start,
        learning.loss.function(),
        if class { "?" } else { "" },
    );
    learning.backward.iter().for_each(|action| way_back::backward(program, action, text));
    text.push_str("        Ok(loss)\n    }\n");
}

/// The call of `deltas`; a guard takes note of a refusal.
pub(super) fn call_deltas(program: &Program, learning: &Learning) -> String {
    let (_, argument) = target(program, learning);
    let note = if learning.guard { ".map_err(|reason| self.guard.refuse(reason))" } else { "" };
    format!("        let loss = self.deltas({argument}){note}?;\n")
}

/// The guard's decision.
const DECIDE: &str = "        let step = self.guard.decide(norm, optimizer, || Self::extent(&self.parameters, &self.state))?;\n";

fn train_step(program: &Program, learning: &Learning, text: &mut String) {
    let (parameter, _) = target(program, learning);
    let refusals = match learning.guard {
        true => "What the guard refuses",
        false => "A target that is none, or a loss that is not finite",
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
        learning.optimizer.type_name(),
    );
    text.push_str(&call_deltas(program, learning));
    if learning.guard {
        text.push_str("        let mut norm = guard::Norm::new();\n");
        for apply in learning.in_order_of_layers() {
            way_back::gradients(program, apply, text);
            way_back::norm(program, apply, text);
        }
        text.push_str(DECIDE);
        learning.apply.iter().for_each(|apply| way_back::clip(program, apply, text));
    }
    let rule = if learning.guard { "step.optimizer" } else { "optimizer" };
    let _ = writeln!(text, "        let optimizer = &{rule}.begin(&mut self.state.progress);");
    for apply in &learning.apply {
        if !learning.guard {
            way_back::gradients(program, apply, text);
        }
        way_back::update(program, apply, text);
    }
    text.push_str("        Ok(loss)\n    }\n");
}

fn accumulate(program: &Program, learning: &Learning, text: &mut String) {
    let refusals = "A target that is none, or an input, a loss or a delta that is not finite";
    open_accumulate(program, learning, refusals, text);
    text.push_str(&call_deltas(program, learning));
    text.push_str("        let mut finite = true;\n");
    for apply in &learning.apply {
        // What is int8 is finite.
        let is_float = program.steps[apply.step].kernel.dequantizes().is_none();
        let x = apply.parameters.weights.filter(|_| is_float).map(|_| apply.x);
        let read = [apply.delta].into_iter().chain(x);
        way_back::each(program, read, "finite &= guard::all_finite(values);", text);
    }
    let refuse =
        if learning.guard { "self.guard.refuse(TrainError::NotFinite)" } else { "TrainError::NotFinite" };
    let _ = writeln!(text, "        if !finite {{\n            return Err({refuse});\n        }}");
    add_to_batch(program, learning, text);
}

/// The head of `accumulate`.
pub(super) fn open_accumulate(program: &Program, learning: &Learning, refusals: &str, text: &mut String) {
    let (parameter, _) = target(program, learning);
    let _ = writeln!(
        text,
        "
    /// Adds the gradients of the [`input`](Self::input) and its target to those of the batch; returns the loss.
    ///
    /// # Errors
    /// {refusals}. Nothing is added then.
    pub fn accumulate(&mut self, {parameter}) -> Result<f32, TrainError> {{"
    );
}

/// The end of `accumulate`: the gradients of the sample join those of the batch.
pub(super) fn add_to_batch(program: &Program, learning: &Learning, text: &mut String) {
    text.push_str("        if self.samples == 0 {\n");
    let (zero, mut zeroes) = (if learning.fixed.is_some() { "0" } else { "0.0" }, String::new());
    let fill = format!("values.fill({zero});");
    way_back::each(program, learning.batch_sums(), &fill, &mut zeroes);
    zeroes.lines().for_each(|line| text.push_str(&format!("    {line}\n")));
    text.push_str("        }\n        self.samples += 1;\n");
    learning.apply.iter().for_each(|apply| way_back::batch(program, apply, text));
    text.push_str("        Ok(loss)\n    }\n");
}

fn apply_batch(program: &Program, learning: &Learning, text: &mut String) {
    open_apply(learning, text);
    text.push_str("        let mean = 1.0 / samples as f32;\n");
    let mut factor = "mean";
    if learning.guard {
        text.push_str("        let mut norm = guard::Norm::new();\n");
        let sums = learning.in_order_of_layers().into_iter().filter_map(|apply| apply.batch);
        sums.for_each(|sums| way_back::norm_of(program, sums, text));
        text.push_str("        let norm = norm.scaled(mean);\n");
        text.push_str(DECIDE);
        text.push_str("        let factor = mean * step.factor;\n");
        factor = "factor";
    }
    let rule = if learning.guard { "step.optimizer" } else { "optimizer" };
    let _ = writeln!(text, "        let optimizer = &{rule}.begin(&mut self.state.progress);");
    way_back::each(program, learning.batch_sums(), &format!("guard::scale({factor}, values);"), text);
    for apply in &learning.apply {
        if let Some(sums) = apply.batch {
            way_back::update_by(program, apply, sums, text);
        }
    }
    text.push_str("        Ok(samples as usize)\n    }\n");
}

/// The head of `apply`, for a batch that holds samples.
pub(super) fn open_apply(learning: &Learning, text: &mut String) {
    let refusals = match learning.guard {
        true => "What the guard refuses; no parameter has changed then, and the batch is dropped.",
        false => "None: what could be refused was refused by [`accumulate`](Self::accumulate).",
    };
    let _ = writeln!(
        text,
        "
    /// Updates by the mean of the gradients of the batch, and begins a new one. Returns how many samples there were.
    ///
    /// # Errors
    /// {refusals}
    pub fn apply(&mut self, optimizer: &{}) -> Result<usize, TrainError> {{
        let samples = core::mem::take(&mut self.samples);
        if samples == 0 {{
            return Ok(0);
        }}",
        learning.rule_name(),
    );
}

fn evaluate(program: &Program, learning: &Learning, text: &mut String) {
    let (parameter, argument) = target(program, learning);
    let outputs = program.buffer(program.output().buffer).len;
    let (check, hit, end) = match learning.loss {
        LossKind::SparseCategoricalCrossEntropy => (
            format!("        Target::Class(label).class({outputs})?;\n"),
            "Some(milligrad::argmax(outputs) == label)",
            "?",
        ),
        LossKind::BinaryCrossEntropy => {
            (String::new(), "Some(outputs.iter().zip(target).all(|(&y, &t)| (y >= 0.5) == (t >= 0.5)))", "")
        }
        LossKind::MeanSquaredError => (String::new(), "None", ""),
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
        let outputs = arena::array_mut::<f32, {outputs}>(&mut self.float, {});
        let hit = {hit};
        let loss = loss::{}(outputs, {argument}){end};
        Ok(Evaluation {{ loss, hit }})
    }}",
        program.range(program.output().buffer).start,
        learning.loss.function(),
    );
}

/// The guard's look at all parameters and velocities.
fn extent(program: &Program, learning: &Learning, text: &mut String) {
    let optimizer = learning.optimizer.type_name();
    text.push_str(
        "
    /// The largest magnitudes of parameters and velocities.
    fn extent(parameters: &Parameters, state: &State) -> (f32, f32) {
        let (mut parameter, mut velocity) = (0.0, 0.0);
",
    );
    for parameter in &program.parameters {
        let field = identifier(&parameter.name);
        let _ = writeln!(
            text,
            "        parameter = guard::most(parameter, guard::largest(&parameters.{field}));
        velocity = guard::most(velocity, guard::fastest::<f32, {optimizer}>(&state.{field}));"
        );
    }
    text.push_str("        (parameter, velocity)\n    }\n");
}
