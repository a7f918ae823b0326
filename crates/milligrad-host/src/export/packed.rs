//! Packed layers as source.

use super::values::{self, lines, quantized_output};
use crate::pack::{Packed, PackedParameters};
use crate::program::{Program, Step};
use milligrad::QuantizedChannel;
use std::fmt::Write as _;

/// The constants and the descriptor of a step.
pub(super) fn statics(packed: &Packed, name: &str, text: &mut String) {
    if let Some(parameters) = packed.parameters() {
        weights(packed, parameters, name, text);
        channels(parameters, name, text);
    }
    let tables = format!("&{name}_WEIGHTS, &{name}_CHANNELS");
    let (kind, arguments) = match packed {
        Packed::Dense { inputs, parameters: p } => (
            "PackedDense",
            format!(
                "{inputs}, {}, {tables}, {}, Rounding::{:?}",
                p.channels.len(),
                quantized_output(&p.output),
                p.rounding
            ),
        ),
        Packed::Conv2d { window, parameters: p } => {
            let (window, filters) = (values::window(window), p.channels.len());
            (
                "PackedConv2d",
                format!("{window}, {filters}, {tables}, {}, {}", quantized_output(&p.output), p.pad),
            )
        }
        Packed::Depthwise { window, parameters: p } => {
            let window = values::window(window);
            ("PackedDepthwise", format!("{window}, {tables}, {}, {}", quantized_output(&p.output), p.pad))
        }
        Packed::Add(add) => {
            let add = values::quantized_add(add);
            let _ = writeln!(text, "static {name}: PackedAdd = PackedAdd::new(&{add}).unwrap();\n");
            return;
        }
    };
    let _ = writeln!(text, "static {name}: {kind} = {kind}::new({arguments});\n");
}

fn weights(packed: &Packed, parameters: &PackedParameters, name: &str, text: &mut String) {
    let word = |word: &u32| format!("0x{word:08x}");
    let (kind, items) = match packed {
        Packed::Depthwise { .. } => {
            let rows = parameters.weights.as_chunks::<3>().0.iter();
            ("[u32; 3]", lines(rows.map(|[a, b, c]| format!("[{}, {}, {}]", word(a), word(b), word(c)))))
        }
        _ => ("u32", lines(parameters.weights.iter().map(word))),
    };
    let len = parameters.weights.len() / if kind == "u32" { 1 } else { 3 };
    let _ = writeln!(text, "static {name}_WEIGHTS: [{kind}; {len}] = {items};");
}

fn channels(parameters: &PackedParameters, name: &str, text: &mut String) {
    let triple =
        |c: &QuantizedChannel| format!("({}, {}, {})", c.bias, c.requantize.multiplier, c.requantize.shift);
    let _ = writeln!(
        text,
        "static {name}_CHANNELS: [PackedChannel; {}] = PackedChannel::table(&{}, {});",
        parameters.table.len(),
        lines(parameters.channels.iter().map(triple)),
        parameters.output.zero_point
    );
}

/// The call of a step. Its places are constants, of which the planner knows that they fit.
pub(super) fn forward(program: &Program, step: &Step, packed: &Packed, name: &str, text: &mut String) {
    let start = |id| program.range(id).start;
    let (x, y) = (start(step.inputs[0]), start(step.output));
    let places = format!("const {{ Places::new({x}, {}, {y}) }}", step.scratch.map_or(0, start));
    let more = match packed {
        Packed::Add(_) => format!(", {}, {}", start(step.inputs[1]), program.buffer(step.output).len),
        _ => String::new(),
    };
    let _ = writeln!(text, "        {name}.forward(self.int8.words(), {places}{more});");
}
