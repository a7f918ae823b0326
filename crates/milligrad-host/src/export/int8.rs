//! Kernels that are more than a layer with weights, as source; most of them exist for int8 alone.

use super::steps::{sum, with};
use super::table;
use super::values::{channels, clamp, quantized_output, requantize};
use crate::program::{Broadcasting, ElementType, Elements, Kernel, Program, QuantizedFunction, Source, Step};
use milligrad::layers::QuantizedAdd;
use std::fmt::Write as _;

/// The constants and the descriptor of a step.
pub(super) fn statics(step: &Step, name: &str, text: &mut String) {
    match &step.kernel {
        Kernel::Elementwise(elementwise) => {
            if let Some((_, values)) = &elementwise.constant {
                table(&format!("{name}_OPERAND"), values, text);
            }
            broadcasting(elementwise.broadcast.as_ref(), name, text);
            let (kind, arguments) = match &elementwise.function {
                QuantizedFunction::Add(add) => ("QuantizedAdd", terms(add)),
                QuantizedFunction::Sub(sub) => ("QuantizedSub", terms(&sub.terms)),
                QuantizedFunction::Mul(mul) => {
                    let (scale, output) = (requantize(&mul.scale), quantized_output(&mul.output));
                    ("QuantizedMul", format!("{}, {}, {scale}, {output}", mul.a, mul.b))
                }
            };
            let _ = writeln!(text, "static {name}: {kind} = {kind}::new({arguments});\n");
        }
        Kernel::Mul { output, broadcast } => {
            broadcasting(broadcast.as_ref(), name, text);
            let _ = writeln!(text, "static {name}: Multiply<f32> = Multiply::new({});\n", clamp(output));
        }
        Kernel::Gather(elements) | Kernel::Pad { inner: elements, .. } => {
            let _ = writeln!(text, "static {name}: Strided = {};\n", strided(elements));
        }
        Kernel::Concat(parts) => {
            let list: Vec<_> = parts.iter().map(strided).collect();
            let _ = writeln!(
                text,
                "static {name}: [Strided; {}] = [\n    {},\n];\n",
                parts.len(),
                list.join(",\n    ")
            );
        }
        Kernel::Reduce { kept, reduced, offset, scale, output } => {
            let _ = writeln!(
                text,
                "static {name}: QuantizedReduce = QuantizedReduce::new({}, {}, {offset}, {}, {});\n",
                strided(kept),
                strided(reduced),
                requantize(scale),
                quantized_output(output)
            );
        }
        Kernel::TransposeConv2d { window, parameters } => {
            if let (Source::Flash(weights), Source::Flash(biases)) =
                (&parameters.weights, &parameters.channels)
            {
                table(&format!("{name}_WEIGHTS"), weights, text);
                let _ = writeln!(
                    text,
                    "static {name}_CHANNELS: [QuantizedChannel; {}] = {};",
                    biases.len(),
                    channels(biases)
                );
            }
            let _ = writeln!(
                text,
                "static {name}: TransposeConv2d<Int8> = TransposeConv2d::new(TransposedWindow::new({:?}, {:?}, {:?}, \
                 {:?}, {:?}), &{name}_WEIGHTS, &{name}_CHANNELS, {}, {});\n",
                window.input(),
                window.kernel(),
                window.stride(),
                window.before(),
                window.output(),
                quantized_output(&parameters.output),
                parameters.pad
            );
        }
        Kernel::ResizeNearest { input, rows, columns } => {
            table(&format!("{name}_ROWS"), rows, text);
            table(&format!("{name}_COLUMNS"), columns, text);
            let _ = writeln!(
                text,
                "static {name}: ResizeNearest = ResizeNearest::new({input:?}, &{name}_ROWS, &{name}_COLUMNS);\n"
            );
        }
        _ => {}
    }
}

/// `static ...: Broadcast`, where shapes differ.
fn broadcasting(by: Option<&Broadcasting>, name: &str, text: &mut String) {
    if let Some(Broadcasting { extents, a, b }) = by {
        let _ =
            writeln!(text, "static {name}_BROADCAST: Broadcast = Broadcast::new({extents:?}, {a:?}, {b:?});");
    }
}

/// `Strided::new(...)`
fn strided(elements: &Elements) -> String {
    let Elements { len, extents, steps, start } = elements;
    format!("Strided::new({len}, {extents:?}, {steps:?}, {start})")
}

/// The arguments of `QuantizedAdd::new`.
fn terms(add: &QuantizedAdd) -> String {
    let term = |(zero_point, scale)| format!("({zero_point}, {})", requantize(&scale));
    format!("{}, {}, {}, {}", term(add.a), term(add.b), requantize(&add.sum), quantized_output(&add.output))
}

/// `y = f(a, b)`
fn combine(broadcast: bool, name: &str, a: &str, b: &str) -> String {
    if broadcast {
        format!("{name}_BROADCAST.forward(&{name}, {a}, {b}, y);")
    } else {
        format!("{name}.forward({a}, {b}, y);")
    }
}

/// The call of a step.
pub(super) fn forward(program: &Program, step: &Step, name: &str, text: &mut String) {
    let (x, y) = (step.inputs[0], step.output);
    let both = [("x", x), ("y", y)];
    match &step.kernel {
        Kernel::Elementwise(elementwise) => {
            let call = |a: &str, b: &str| combine(elementwise.broadcast.is_some(), name, a, b);
            match &elementwise.constant {
                None => sum(program, step, call, text),
                Some((first, _)) => {
                    let constant = format!("&{name}_OPERAND");
                    let call = if *first { call(&constant, "x") } else { call("x", &constant) };
                    with(program, &both, &call, text);
                }
            }
        }
        Kernel::Mul { broadcast, .. } => {
            sum(program, step, |a, b| combine(broadcast.is_some(), name, a, b), text);
        }
        Kernel::Gather(_) => with(program, &both, &format!("{name}.gather(x, y);"), text),
        Kernel::Pad { value, .. } => {
            let value = match program.buffer(y).dtype {
                ElementType::I8 => value.to_string(),
                _ => "0.0".into(),
            };
            with(program, &both, &format!("y.fill({value});\n            {name}.scatter(x, y);"), text);
        }
        Kernel::Concat(_) => {
            for (part, &input) in step.inputs.iter().enumerate() {
                with(program, &[("x", input), ("y", y)], &format!("{name}[{part}].scatter(x, y);"), text);
            }
        }
        Kernel::TransposeConv2d { .. } => {
            let patch = step.scratch.map(|patch| ("patch", patch));
            let buffers: Vec<_> = [("x", x)].into_iter().chain(patch).chain([("y", y)]).collect();
            with(program, &buffers, &format!("{name}.forward(x, patch, y);"), text);
        }
        _ => with(program, &both, &format!("{name}.forward(x, y);"), text),
    }
}
