//! Learning with dynamic exponents as source: as in fixed point, with the exponent of each tensor beside it.

use super::fixed::RULE;
use super::steps::{dynamic_source, in_place, with};
use super::values::{constant_name, fixed_clamp, identifier, requantize};
use crate::program::{
    Apply, Backward, BufferId, ElementType, FixedKernel, Kernel, Layer, Learning, LossKind, Program, Step,
};
use std::fmt::Write as _;

/// The exponent of a buffer.
fn exponent(program: &Program, id: BufferId) -> String {
    let slot = program.exponent_slots()[id.0].expect("a tensor in fixed point has an exponent");
    format!("self.exponents[{slot}]")
}

/// A buffer, bound to a name, with its exponent.
fn block(program: &Program, name: &str, id: BufferId) -> String {
    format!("fixed::dynamic::Block::new({name}, {})", exponent(program, id))
}

/// The constant that holds the exponents of a layer's parameters.
fn exponents(step: &Step) -> String {
    format!("{}_EXPONENTS", constant_name(&step.name))
}

fn layer(step: &Step) -> &Layer<milligrad::Fixed16> {
    match &step.kernel {
        Kernel::Fixed(kernel) => kernel.layer(),
        _ => None,
    }
    .expect("layers in fixed point learn")
}

/// One kernel of the forward pass.
pub(super) fn forward(program: &Program, step: &Step, kernel: &FixedKernel, text: &mut String) {
    let (x, y) = (step.inputs[0], step.output);
    let of = |id| exponent(program, id);
    let copy = || if x == y { String::new() } else { format!("\n            {} = {};", of(y), of(x)) };
    match kernel {
        FixedKernel::FromReals => {
            let call = format!("{} = fixed::dynamic::from_reals(x, y);", of(y));
            with(program, &[("x", x), ("y", y)], &call, text);
        }
        FixedKernel::ToReals => {
            let call = format!("fixed::dynamic::to_reals(x, {}, y);", of(x));
            with(program, &[("x", x), ("y", y)], &call, text);
        }
        FixedKernel::FromInt8 { zero_point, scale, exponent } => {
            let call = format!(
                "fixed::from_int8({zero_point}, &{}, x, y);\n            {} = {exponent};",
                requantize(scale),
                of(y)
            );
            with(program, &[("x", x), ("y", y)], &call, text);
        }
        FixedKernel::Dynamic(layer, _) => {
            let source = dynamic_source(step, layer);
            let (Some(scratch), Some(sums)) = (step.scratch, step.sums) else {
                let call = format!("{source}.forward(x, y);{}", copy());
                return with(program, &[("x", x), ("y", y)], &call, text);
            };
            let call = format!("{} = {source}.forward({}, patch, sums, y);", of(y), block(program, "x", x));
            with(program, &[("x", x), ("patch", scratch), ("y", y), ("sums", sums)], &call, text);
        }
        FixedKernel::Softmax | FixedKernel::Sigmoid { .. } => {
            let call = format!("{} = fixed::dynamic::{}(y, {});", of(y), kernel.name(), of(x));
            in_place(program, x, y, &call, text);
        }
        FixedKernel::Clamp(range) => {
            let range = format!("fixed::dynamic::at(&{}, {})", fixed_clamp(range), of(x));
            in_place(program, x, y, &format!("fixed::clamp(&{range}, y);{}", copy()), text);
        }
        FixedKernel::LeakyRelu { alpha } => {
            in_place(program, x, y, &format!("fixed::leaky_relu({alpha}, y);{}", copy()), text);
        }
        FixedKernel::Add(range) => {
            let (second, range) = (step.inputs[1], fixed_clamp(range));
            let (mut buffers, mut b) = (vec![("a", x)], "a");
            if second != x {
                buffers.push(("b", second));
                b = "b";
            }
            buffers.push(("y", y));
            let [a, b] = [block(program, "a", x), block(program, b, second)];
            with(
                program,
                &buffers,
                &format!("{} = fixed::dynamic::add({a}, {b}, &{range}, y);", of(y)),
                text,
            );
        }
        FixedKernel::Layer(_) | FixedKernel::Tanh => unreachable!("exponents are dynamic"),
    }
}

/// The mean squared error of outputs, with the exponent of what they become.
pub(super) fn squares(program: &Program, learning: &Learning) -> String {
    format!("fixed::dynamic::mean_squared_error(outputs, {}, target)?", exponent(program, learning.output))
}

/// Forward, loss, deltas, once the target is known to be one.
pub(super) fn deltas(program: &Program, learning: &Learning, argument: &str, text: &mut String) {
    let input = program.input().buffer;
    if program.buffer(input).dtype == ElementType::F32 {
        let _ = writeln!(
            text,
            "        if !self.float.get({:?}).is_some_and(fixed::dynamic::all_finite) {{\n            return \
             Err(TrainError::NotFinite);\n        }}",
            program.range(input)
        );
    }
    text.push_str("        self.forward(|_| {});\n");
    if learning.delta != learning.output {
        let buffers = [("y", learning.output), ("delta", learning.delta)];
        with(program, &buffers, "layers::copy(y, delta);", text);
    }
    let outputs = program.buffer(learning.output).len;
    let _ = writeln!(
        text,
        "        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<i16, {outputs}>(&mut self.int16, {});",
        program.range(learning.delta).start,
    );
    let delta = exponent(program, learning.delta);
    let _ = if learning.loss == LossKind::MeanSquaredError {
        writeln!(
            text,
            "        let (loss, exponent) = {};\n        {delta} = exponent;",
            squares(program, learning)
        )
    } else {
        let function = learning.loss.function();
        writeln!(
            text,
            "        let loss = fixed::{function}(outputs, {argument})?;\n        {delta} = fixed::dynamic::PROBABILITY;"
        )
    };
    learning.backward.iter().for_each(|action| backward(program, action, text));
    text.push_str("        Ok(loss)\n    }\n");
}

fn backward(program: &Program, action: &Backward, text: &mut String) {
    let of = |id| exponent(program, id);
    match action {
        Backward::Activation { step, y, delta } => {
            let step = &program.steps[*step];
            let limited = |range| {
                let range = format!("fixed::dynamic::at(&{}, {})", fixed_clamp(range), of(*y));
                format!("fixed::clamp_backward(&{range}, y, delta);")
            };
            let call = match &step.kernel {
                Kernel::Fixed(FixedKernel::Dynamic(layer, _)) => {
                    limited(&layer.parameters().expect("a layer that masks has weights").output)
                }
                Kernel::Fixed(FixedKernel::Add(range) | FixedKernel::Clamp(range)) => limited(range),
                Kernel::Fixed(FixedKernel::LeakyRelu { alpha }) => {
                    format!("fixed::leaky_relu_backward({alpha}, y, delta);")
                }
                _ => unreachable!("this kernel has no activation"),
            };
            let _ = writeln!(text, "        // {}: through the activation", step.name);
            with(program, &[("y", *y), ("delta", *delta)], &call, text);
        }
        Backward::Input { step, delta, patch, sums, values, delta_x } => {
            let step = &program.steps[*step];
            let source = dynamic_source(step, layer(step));
            let mut buffers = vec![("delta", *delta)];
            buffers.extend(values.iter().flat_map(|(x, y)| [("x", *x), ("y", *y)]));
            buffers.extend(patch.map(|patch| ("patch", patch)));
            buffers.push(("delta_x", *delta_x));
            buffers.extend(sums.map(|sums| ("sums", sums)));
            let call = if sums.is_some() {
                let delta = block(program, "delta", *delta);
                format!("{} = {source}.backward_input({delta}, patch, sums, delta_x);", of(*delta_x))
            } else {
                let arguments = if values.is_some() { "x, y, delta, delta_x" } else { "delta, delta_x" };
                let count = match layer(step).overlaps() {
                    true => "\n            self.saturation.see_deltas(delta_x);",
                    false => "",
                };
                format!(
                    "{source}.backward_input({arguments});\n            {} = {};{count}",
                    of(*delta_x),
                    of(*delta)
                )
            };
            let _ = writeln!(text, "        // {}: through the layer", step.name);
            with(program, &buffers, &call, text);
        }
        Backward::Join { from, into, .. } if from == into => {
            let _ = writeln!(text, "        {} = fixed::dynamic::double({});", of(*into), of(*into));
        }
        Backward::Join { from, into, first } => {
            let call = match first {
                true => format!("layers::copy(from, into);\n            {} = {};", of(*into), of(*from)),
                false => format!(
                    "{} = fixed::dynamic::accumulate({}, into, {});",
                    of(*into),
                    block(program, "from", *from),
                    of(*into)
                ),
            };
            with(program, &[("from", *from), ("into", *into)], &call, text);
        }
    }
}

/// The gradients of a layer that stores them.
pub(super) fn gradients(program: &Program, apply: &Apply, text: &mut String) {
    let Some(gradients) = apply.gradients else { return };
    let step = &program.steps[apply.step];
    let _ = writeln!(text, "        // {}: gradients", step.name);
    let delta = block(program, "delta", apply.delta);
    let biases = exponent(program, gradients.biases);
    let (Some(weights), Some(patch)) = (gradients.weights, apply.patch) else {
        let call = format!("{biases} = fixed::dynamic::accumulate_biases({delta}, gradient_b);");
        return with(program, &[("delta", apply.delta), ("gradient_b", gradients.biases)], &call, text);
    };
    let buffers = [
        ("x", apply.x),
        ("delta", apply.delta),
        ("patch", patch),
        ("gradient_w", weights),
        ("gradient_b", gradients.biases),
    ];
    let call = format!(
        "[{}, {biases}] = {}.gradients({}, {delta}, patch, gradient_w, gradient_b);",
        exponent(program, weights),
        dynamic_source(step, layer(step)),
        block(program, "x", apply.x),
    );
    with(program, &buffers, &call, text);
}

/// Adds a layer to the guard's view of the step.
pub(super) fn reach(program: &Program, apply: &Apply, text: &mut String) {
    let own = exponents(&program.steps[apply.step]);
    let mut stored = |what: &str, id| {
        let call = format!("reach.{what}_gradient(values, {}, {own});", exponent(program, id));
        with(program, &[("values", id)], &call, text);
    };
    let [x, delta] = [("x", apply.x), ("delta", apply.delta)];
    let blocks = || [x, delta].map(|(name, id)| block(program, name, id));
    match apply.gradients {
        Some(gradients) => {
            gradients.weights.into_iter().for_each(|id| stored("weight", id));
            stored("bias", gradients.biases);
        }
        None if apply.parameters.weights.is_some() => {
            let [block_x, block_delta] = blocks();
            with(program, &[x, delta], &format!("reach.dense({block_x}, {block_delta}, {own});"), text);
        }
        None => {
            let [_, block_delta] = blocks();
            with(program, &[delta], &format!("reach.biases({block_delta}, {own});"), text);
        }
    }
}

/// The update of a layer.
pub(super) fn update(program: &Program, apply: &Apply, text: &mut String) {
    let step = &program.steps[apply.step];
    let (id, own) = (identifier(&step.name), exponents(step));
    let _ = writeln!(text, "        // {}: update", step.name);
    let both = format!("let Parameters {{ {id}_weights, {id}_bias, .. }} = &mut self.parameters;");
    let (buffers, call) = match (apply.gradients, apply.parameters.weights) {
        (None, Some(_)) => {
            let [x, delta] = [block(program, "x", apply.x), block(program, "delta", apply.delta)];
            let call = format!(
                "{both}
            let count = fixed::dynamic::apply({x}, {delta}, {id}_weights, {id}_bias, {own}, optimizer, &mut self.state.memory);"
            );
            (vec![("x", apply.x), ("delta", apply.delta)], call)
        }
        (None, None) => {
            let delta = block(program, "delta", apply.delta);
            let call = format!(
                "let count = fixed::dynamic::update_biases({delta}, &mut self.parameters.{id}_bias, {own}, optimizer);"
            );
            (vec![("delta", apply.delta)], call)
        }
        (Some(gradients), Some(_)) => {
            let weights = gradients.weights.expect("weights that learn have gradients");
            let call = format!(
                "{both}
            let units = [{}, {}];
            let count = fixed::dynamic::update_by((gradient_w, gradient_b), units, {id}_weights, {id}_bias, {own}, optimizer, &mut \
                 self.state.memory);",
                exponent(program, weights),
                exponent(program, gradients.biases)
            );
            (vec![("gradient_w", weights), ("gradient_b", gradients.biases)], call)
        }
        (Some(gradients), None) => {
            let call = format!(
                "let unit = i32::from({}) - i32::from({own}.biases);
            let count = {RULE}::update_biases_by(optimizer, &mut self.parameters.{id}_bias, gradient_b, unit);",
                exponent(program, gradients.biases)
            );
            (vec![("gradient_b", gradients.biases)], call)
        }
    };
    with(program, &buffers, &format!("{call}\n            self.saturation.add_weights(count);"), text);
}
