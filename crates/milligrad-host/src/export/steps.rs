//! The forward pass as source.

use super::values::{self, Literal, channels, clamp, constant_name, fixed_clamp, quantized_output};
use super::{arena, packed, ports, table};
use super::{dynamic, fixed, int8};
use crate::program::{BufferId, FixedKernel, Kernel, Layer, Parameters, Program, Source, Step};
use milligrad::fixed::dynamic::Exponents;
use milligrad::{Fixed16, Quantization, Window2d};
use std::fmt::Write as _;

/// The constants and the descriptor of a step.
pub(super) fn statics(step: &Step, text: &mut String) {
    let name = constant_name(&step.name);
    match &step.kernel {
        Kernel::Int8(layer) => {
            if let Some(Parameters {
                weights: Source::Flash(weights), channels: Source::Flash(biases), ..
            }) = layer.parameters()
            {
                table(&format!("{name}_WEIGHTS"), weights, text);
                let _ = writeln!(
                    text,
                    "static {name}_CHANNELS: [QuantizedChannel; {}] = {};",
                    biases.len(),
                    channels(biases)
                );
            }
            let (kind, arguments) = descriptor(layer, &name, quantized_output, i8::literal);
            let _ = writeln!(text, "static {name}: {kind}<Int8> = {kind}::new({arguments});\n");
        }
        Kernel::F32(layer) | Kernel::Dequantized { layer, .. } => learnable(step, layer, text),
        Kernel::Fixed(FixedKernel::Layer(layer)) => learnable(step, layer, text),
        Kernel::Fixed(FixedKernel::Dynamic(layer, exponents)) => dynamic_layer(step, layer, *exponents, text),
        Kernel::Fixed(_) => {}
        Kernel::Lookup(lookup) => {
            let _ = writeln!(text, "static {name}: Table = {};\n", lookup.source);
        }
        Kernel::QuantizedSoftmax(softmax) => {
            let _ = writeln!(
                text,
                "static {name}: QuantizedSoftmax = QuantizedSoftmax::new({}, {}, {});\n",
                softmax.multiplier, softmax.shift, softmax.smallest_difference
            );
        }
        Kernel::QuantizedAdd(add) => {
            let _ = writeln!(text, "static {name}: QuantizedAdd = {};\n", values::quantized_add(add));
        }
        Kernel::Packed(packed) => packed::statics(packed, &name, text),
        _ => int8::statics(step, &name, text),
    }
}

/// A type of numbers that learns, as source.
trait Learnable: milligrad::Arithmetic<Weight: Literal, Channel: Literal, Element: Literal> {
    /// Its name.
    const NAME: &'static str;
    /// The range of an activation.
    fn output(output: &Self::Output) -> String;
}

impl Learnable for f32 {
    const NAME: &'static str = "f32";
    fn output(output: &Self::Output) -> String {
        clamp(output)
    }
}

impl Learnable for Fixed16 {
    const NAME: &'static str = "Fixed16";
    fn output(output: &Self::Output) -> String {
        fixed_clamp(output)
    }
}

/// The constants and the descriptor of a layer that may learn.
fn learnable<A: Learnable>(step: &Step, layer: &Layer<A>, text: &mut String) {
    let name = &constant_name(&step.name);
    if let Some(Parameters { weights, channels, .. }) = layer.parameters() {
        if let Source::Flash(weights) = weights {
            table(&format!("{name}_WEIGHTS"), weights, text);
        }
        if let Source::Flash(channels) = channels {
            table(&format!("{name}_CHANNELS"), channels, text);
        } else {
            // Parameters in RAM: the layer is put together where it is used, around a checked window.
            if let Layer::Conv2d { window, .. } | Layer::DepthwiseConv2d { window, .. } = layer {
                let _ = writeln!(text, "const {name}_WINDOW: Window2d = {};\n", values::window(window));
            }
            return;
        }
    }
    let (kind, arguments) = descriptor(layer, name, A::output, A::Element::literal);
    let _ = writeln!(text, "static {name}: {kind}<{}> = {kind}::new({arguments});\n", A::NAME);
}

/// The constants of a layer with dynamic exponents, which is put together where it is used; a pooling's descriptor.
fn dynamic_layer(step: &Step, layer: &Layer<Fixed16>, exponents: Exponents, text: &mut String) {
    let name = &constant_name(&step.name);
    let Some(Parameters { weights, channels, .. }) = layer.parameters() else {
        return learnable(step, layer, text);
    };
    if let Source::Flash(weights) = weights {
        table(&format!("{name}_WEIGHTS"), weights, text);
    }
    if let Source::Flash(channels) = channels {
        table(&format!("{name}_CHANNELS"), channels, text);
    }
    if let Layer::Conv2d { window, .. } | Layer::DepthwiseConv2d { window, .. } = layer {
        let _ = writeln!(text, "const {name}_WINDOW: Window2d = {};", values::window(window));
    }
    let _ = writeln!(
        text,
        "/// A unit of a weight, and of a bias, as powers of two.\nconst {name}_EXPONENTS: fixed::dynamic::Exponents = \
         fixed::dynamic::Exponents::new({}, {});\n",
        exponents.weights, exponents.biases
    );
}

/// Type and constructor arguments of a layer whose parameters are statics.
fn descriptor<A: milligrad::Arithmetic>(
    layer: &Layer<A>,
    name: &str,
    output: fn(&A::Output) -> String,
    pad: fn(&A::Element) -> String,
) -> (&'static str, String) {
    let statics = format!("&{name}_WEIGHTS, &{name}_CHANNELS");
    arguments(layer, &statics, values::window, output, pad)
}

/// Type and constructor arguments of a layer with its parameters given as source.
fn arguments<A: milligrad::Arithmetic>(
    layer: &Layer<A>,
    parameters_source: &str,
    window_source: impl Fn(&Window2d) -> String,
    output: fn(&A::Output) -> String,
    pad: fn(&A::Element) -> String,
) -> (&'static str, String) {
    match layer {
        Layer::Dense { inputs, parameters } => {
            ("Dense", format!("{inputs}, {parameters_source}, {}", output(&parameters.output)))
        }
        Layer::Conv2d { window, parameters } | Layer::DepthwiseConv2d { window, parameters } => {
            let kind = if let Layer::Conv2d { .. } = layer { "Conv2d" } else { "DepthwiseConv2d" };
            let window = window_source(window);
            (
                kind,
                format!(
                    "{window}, {parameters_source}, {}, {}",
                    output(&parameters.output),
                    pad(&parameters.pad)
                ),
            )
        }
        Layer::MaxPool2d { window, output: range } => {
            ("MaxPool2d", format!("{}, {}", window_source(window), output(range)))
        }
        Layer::AvgPool2d { window, output: range } => {
            ("AvgPool2d", format!("{}, {}", window_source(window), output(range)))
        }
    }
}

/// `Dense::<f32>::new(...)` with parameters in RAM, or the name of the static.
pub(super) fn float_layer(step: &Step, layer: &Layer<f32>) -> String {
    source(step, layer)
}

/// The same in fixed point.
pub(super) fn fixed_layer(step: &Step, layer: &Layer<Fixed16>) -> String {
    source(step, layer)
}

/// The same with dynamic exponents.
pub(super) fn dynamic_source(step: &Step, layer: &Layer<Fixed16>) -> String {
    let (id, name) = (values::identifier(&step.name), constant_name(&step.name));
    let Some(parameters) = layer.parameters() else { return name };
    let weights = match parameters.weights {
        Source::Ram(_) => format!("self.parameters.{id}_weights"),
        Source::Flash(_) => format!("{name}_WEIGHTS"),
    };
    let biases = match parameters.channels {
        Source::Ram(_) => format!("self.parameters.{id}_bias"),
        Source::Flash(_) => format!("{name}_CHANNELS"),
    };
    let (kind, first) = match layer {
        Layer::Dense { inputs, .. } => ("Dense", inputs.to_string()),
        Layer::DepthwiseConv2d { .. } => ("DepthwiseConv2d", format!("{name}_WINDOW")),
        _ => ("Conv2d", format!("{name}_WINDOW")),
    };
    let output = fixed_clamp(&parameters.output);
    format!("fixed::dynamic::{kind}::new({first}, &{weights}, &{biases}, {name}_EXPONENTS, {output})")
}

fn source<A: Learnable>(step: &Step, layer: &Layer<A>) -> String {
    match layer.parameters() {
        Some(Parameters { weights, channels: Source::Ram(_), .. }) => {
            let (id, name) = (values::identifier(&step.name), constant_name(&step.name));
            let weights = match weights {
                Source::Ram(_) => format!("self.parameters.{id}_weights"),
                Source::Flash(_) => format!("{name}_WEIGHTS"),
            };
            let ram = format!("&{weights}, &self.parameters.{id}_bias");
            let window = |_: &Window2d| format!("{}_WINDOW", constant_name(&step.name));
            let (kind, arguments) = arguments(layer, &ram, window, A::output, A::Element::literal);
            format!("{kind}::<{}>::new({arguments})", A::NAME)
        }
        _ => constant_name(&step.name),
    }
}

/// `predict`, `predict_with` and the forward pass.
pub(super) fn predict(program: &Program, text: &mut String) {
    let (output, value) = (ports::output_type(program), ports::output_value(program));
    let what = if program.inputs.len() == 1 { "its [`input`](Self::input)" } else { "its inputs" };
    let _ = writeln!(
        text,
        "    /// Runs the network on {what}.
    #[inline]
    pub fn predict(&mut self) -> {output} {{
        self.predict_with(|_| {{}})
    }}

    /// As [`predict`](Self::predict), and calls `done(i)` after layer `i` of [`LAYERS`].
    #[inline]
    pub fn predict_with(&mut self, done: impl FnMut(usize)) -> {output} {{
        self.forward(done);
        {value}
    }}

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {{"
    );
    for (index, step) in program.steps.iter().enumerate() {
        let _ = writeln!(text, "        // {}: {} {:?}, {} MAC", step.name, step.op, step.shape, step.macs);
        forward(program, step, text);
        let _ = writeln!(text, "        done({index});");
    }
    text.push_str("    }\n");
}

fn forward(program: &Program, step: &Step, text: &mut String) {
    let name = constant_name(&step.name);
    let (x, y) = (step.inputs[0], step.output);
    let buffers = |scratch: bool| match (step.scratch, scratch) {
        (Some(patch), true) => vec![("x", x), ("patch", patch), ("y", y)],
        _ => vec![("x", x), ("y", y)],
    };
    let call = |layer: String, kernel: &str, scratch: usize| match (kernel, scratch) {
        ("conv2d_pointwise", _) => format!("{layer}.forward_pointwise(x, y);"),
        (_, 0) => format!("{layer}.forward(x, y);"),
        _ => format!("{layer}.forward(x, patch, y);"),
    };
    match &step.kernel {
        Kernel::Int8(layer) => {
            with(program, &buffers(true), &call(name, layer.kernel(), layer.scratch()), text)
        }
        Kernel::F32(layer) => {
            let call = call(float_layer(step, layer), layer.kernel(), layer.scratch());
            with(program, &buffers(true), &call, text);
        }
        Kernel::Dequantized { quantization, layer, .. } => {
            let call = format!(
                "{}.forward_dequantized({}, patch, y);",
                float_layer(step, layer),
                dequantized(quantization)
            );
            with(program, &buffers(true), &call, text);
        }
        Kernel::Fixed(kernel) => {
            let layer = |source: String, layer: &Layer<Fixed16>, text: &mut String| {
                with(program, &buffers(true), &call(source, layer.kernel(), layer.scratch()), text);
            };
            match program.fixed_point() {
                Some(fixed) if fixed.is_dynamic() => dynamic::forward(program, step, kernel, text),
                _ => fixed::forward(program, step, kernel, layer, text),
            }
        }
        Kernel::QuantizedSoftmax(_) => {
            let row = *step.shape.last().expect("a tensor has axes");
            let call = if row == program.buffer(y).len {
                format!("{name}.forward(x, y);")
            } else {
                format!(
                    "x.chunks_exact({row}).zip(y.chunks_exact_mut({row})).for_each(|(x, y)| {name}.forward(x, y));"
                )
            };
            with(program, &buffers(false), &call, text)
        }
        Kernel::Packed(kernel) => packed::forward(program, step, kernel, &name, text),
        Kernel::QuantizedAdd(_) => sum(program, step, |a, b| format!("{name}.forward({a}, {b}, y);"), text),
        Kernel::Add(range) => {
            sum(program, step, |a, b| format!("layers::add({a}, {b}, &{}, y);", clamp(range)), text);
        }
        Kernel::Lookup(_) => in_place(program, x, y, &format!("layers::lookup_in_place(&{name}, y);"), text),
        Kernel::LeakyRelu { alpha } => {
            in_place(program, x, y, &format!("layers::leaky_relu({}, y);", alpha.literal()), text);
        }
        Kernel::Elu { alpha } => {
            in_place(program, x, y, &format!("layers::elu({}, y);", alpha.literal()), text);
        }
        Kernel::HardSwish => in_place(program, x, y, "layers::hard_swish(y);", text),
        Kernel::Sigmoid => in_place(program, x, y, "layers::sigmoid(y);", text),
        Kernel::Tanh => in_place(program, x, y, "layers::tanh(y);", text),
        Kernel::Clamp(range) => {
            in_place(program, x, y, &format!("layers::clamp(&{}, y);", clamp(range)), text)
        }
        Kernel::Softmax => in_place(program, x, y, "layers::softmax(y);", text),
        Kernel::Dequantize(quantization) => {
            let _ = writeln!(
                text,
                "        let (x, y) = (self.int8.get({:?}).unwrap_or_default(), self.float.get_mut({:?}).unwrap_or_default());\n        \
                 layers::dequantize({}, x, y);",
                program.range(x),
                program.range(y),
                values::quantization(quantization),
            );
        }
        Kernel::Quantize(quantization) => {
            let _ = writeln!(
                text,
                "        let (x, y) = (self.float.get({:?}).unwrap_or_default(), self.int8.get_mut({:?}).unwrap_or_default());\n        \
                 layers::quantize({}, x, y);",
                program.range(x),
                program.range(y),
                values::quantization(quantization),
            );
        }
        _ => int8::forward(program, step, &name, text),
    }
}

/// The int8 buffer `x` and what it stands for.
pub(super) fn dequantized(quantization: &Quantization) -> String {
    format!("dense::Dequantized::new({}, x)", values::quantization(quantization))
}

/// Binds disjoint buffers to names and does `call` with them: buffers of one arena, then those of another, if there are.
pub(super) fn with(program: &Program, buffers: &[(&str, BufferId)], call: &str, text: &mut String) {
    let dtype = program.buffer(buffers[0].1).dtype;
    let (buffers, others): (Vec<_>, Vec<_>) =
        buffers.iter().copied().partition(|(_, id)| program.buffer(*id).dtype == dtype);
    if !others.is_empty() {
        let mut inner = String::new();
        with(program, &others, call, &mut inner);
        let inner: Vec<_> = inner.trim().lines().map(|line| format!("    {line}")).collect();
        return with(program, &buffers, inner.join("\n").trim_start(), text);
    }
    let names: Vec<_> = buffers.iter().map(|(name, _)| *name).collect();
    let ranges: Vec<_> = buffers.iter().map(|(_, id)| format!("{:?}", program.range(*id))).collect();
    let arena = arena(dtype);
    if let ([name], [range]) = (&names[..], &ranges[..]) {
        let _ = writeln!(
            text,
            "        if let Some({name}) = self.{arena}.get_mut({range}) {{\n            {call}\n        }}"
        );
        return;
    }
    let _ = writeln!(
        text,
        "        if let Ok([{}]) = self.{arena}.get_disjoint_mut([{}]) {{\n            {call}\n        }}",
        names.join(", "),
        ranges.join(", "),
    );
}

/// A function on `y`; where the plan gave it a buffer of its own, its input is copied there first.
pub(super) fn in_place(program: &Program, x: BufferId, y: BufferId, call: &str, text: &mut String) {
    if x == y {
        with(program, &[("y", y)], call, text);
    } else {
        with(program, &[("x", x), ("y", y)], &format!("layers::copy(x, y);\n            {call}"), text);
    }
}

/// A sum of two buffers, which may be the same.
pub(super) fn sum(
    program: &Program,
    step: &Step,
    call: impl FnOnce(&str, &str) -> String,
    text: &mut String,
) {
    let (a, b, y) = (step.inputs[0], step.inputs[1], step.output);
    if a == b {
        with(program, &[("a", a), ("y", y)], &call("a", "a"), text);
    } else {
        with(program, &[("a", a), ("b", b), ("y", y)], &call("a", "b"), text);
    }
}
