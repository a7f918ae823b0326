//! Training as source.

use super::steps::{float_layer, with};
use super::values::{Literal, array, clamp, identifier};
use crate::program::{Apply, Backward, Kernel, Layer, Learning, Program};
use std::fmt::Write as _;

/// `true` if the optimizer remembers something of each parameter.
pub(super) fn has_state(program: &Program) -> bool {
    program.learning.as_ref().is_some_and(|learning| learning.optimizer.state_per_parameter() > 0)
}

/// `Parameters`, and the implementation of `Learner`.
pub(super) fn learner(program: &Program, learning: &Learning, text: &mut String) {
    let fields: Vec<_> = program.parameters.iter().map(|p| (identifier(&p.name), p)).collect();
    text.push_str("/// The parameters that learn, in RAM.\n#[derive(Debug, Clone, Copy, PartialEq)]\npub struct Parameters {\n");
    for (field, parameter) in &fields {
        let _ = writeln!(
            text,
            "    /// `{}`\n    pub {field}: [f32; {}],",
            parameter.name,
            parameter.values.len()
        );
    }
    text.push_str("}\n\n");
    for (field, parameter) in &fields {
        let name = field.to_uppercase();
        let _ =
            writeln!(text, "const {name}: [f32; {}] = {};", parameter.values.len(), array(&parameter.values));
    }
    text.push_str("\nimpl Parameters {\n    /// As they were exported.\n    pub const fn new() -> Self {\n        Self {");
    for (field, _) in &fields {
        let _ = write!(text, " {field}: {},", field.to_uppercase());
    }
    text.push_str(" }\n    }\n");
    if has_state(program) {
        text.push_str("\n    const fn zero() -> Self {\n        Self {");
        for (field, parameter) in &fields {
            let _ = write!(text, " {field}: [0.0; {}],", parameter.values.len());
        }
        text.push_str(" }\n    }\n");
    }
    text.push_str(
        "}\n\nimpl Default for Parameters {\n    fn default() -> Self {\n        Self::new()\n    }\n}\n\n",
    );
    let optimizer = learning.optimizer.type_name();
    let _ = writeln!(
        text,
        "impl Learner for Network {{
    type Optimizer = {optimizer};

    fn train_step(&mut self, label: usize, optimizer: &{optimizer}) -> Result<f32, TrainError> {{
        self.train_step(label, optimizer)
    }}

    fn parameters(&self, mut visit: impl FnMut(&'static str, &[f32])) {{"
    );
    for (field, parameter) in &fields {
        let _ = writeln!(text, "        visit({:?}, &self.parameters.{field});", parameter.name);
    }
    text.push_str("    }\n}\n\n");
}

/// `train_step`: forward, deltas, check, apply.
pub(super) fn train_step(program: &Program, learning: &Learning, text: &mut String) {
    let _ = writeln!(
        text,
        "
    /// One step of gradient descent on the [`input`](Self::input) and its label; returns the loss before the update.
    ///
    /// # Errors
    /// A label that is no class, or a loss that is not finite. No parameter has changed then.
    #[inline]
    pub fn train_step(&mut self, label: usize, optimizer: &{}) -> Result<f32, TrainError> {{
        self.forward(|_| {{}});
        // The probabilities become the deltas of the scores.
        let probabilities = arena::array_mut::<f32, {}>(&mut self.float, {});
        let loss = loss::sparse_categorical_cross_entropy(probabilities, label)?;
        if !loss.is_finite() {{
            return Err(TrainError::NotFinite);
        }}",
        learning.optimizer.type_name(),
        program.buffer(program.output().buffer).len,
        program.range(program.output().buffer).start,
    );
    learning.backward.iter().for_each(|action| backward(program, action, text));
    learning.apply.iter().for_each(|action| apply(program, action, text));
    text.push_str("        Ok(loss)\n    }\n");
}

fn backward(program: &Program, action: &Backward, text: &mut String) {
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

fn apply(program: &Program, apply: &Apply, text: &mut String) {
    let step = &program.steps[apply.step];
    let Kernel::F32(layer) = &step.kernel else { unreachable!("only float layers learn") };
    let id = identifier(&step.name);
    let (weights, biases) = (format!("self.parameters.{id}_weights"), format!("self.parameters.{id}_bias"));
    let (state_weights, state_biases) = if has_state(program) {
        (format!("&mut self.velocity.{id}_weights"), format!("&mut self.velocity.{id}_bias"))
    } else {
        let len = |index: usize| program.parameters[index].values.len();
        let (w, b) = apply.parameters;
        (format!("&mut [(); {}]", len(w)), format!("&mut [(); {}]", len(b)))
    };
    let _ = writeln!(text, "        // {}: update", step.name);
    let Some((gradient_w, gradient_b)) = apply.gradients else {
        let call = format!(
            "let state = ({state_weights}[..], {state_biases}[..]);\n            dense::apply::<f32, _>(x, delta, &mut {weights}, \
             &mut {biases}, state, optimizer);"
        );
        with(program, &[("x", apply.x), ("delta", apply.delta)], &call, text);
        return;
    };
    let call = format!(
        "gradient_w.fill(0.0);
            gradient_b.fill(0.0);
            {}.accumulate(x, delta, patch, gradient_w, gradient_b);
            optimizer.update_weights(&mut {weights}, {state_weights}, gradient_w);
            optimizer.update_accumulated_biases(&mut {biases}, {state_biases}, gradient_b);",
        float_layer(step, layer)
    );
    let mut buffers = vec![("x", apply.x), ("delta", apply.delta)];
    buffers.extend(apply.patch.map(|patch| ("patch", patch)));
    buffers.extend([("gradient_w", gradient_w), ("gradient_b", gradient_b)]);
    with(program, &buffers, &call, text);
}
