//! Inputs and outputs as source: how a caller writes and reads them.
//!
//! A model with one of each has `input()` and `predict()`. Several inputs have an accessor each, and several outputs come as
//! a struct with a field each.

use super::values::{Literal, quantization};
use super::{arena, array_type};
use crate::features::Features;
use crate::program::{ElementType, Port, Program};
use std::fmt::Write as _;

/// Names that mean something else in the source.
const RESERVED: [&str; 12] = [
    "new",
    "within",
    "predict",
    "predict_with",
    "forward",
    "train_step",
    "run",
    "run_with",
    "input_at",
    "output_at",
    "borrow",
    "borrow_mut",
];

/// Words of the language.
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// A port and whether it is an input.
#[derive(Clone, Copy)]
struct Named<'a> {
    port: &'a Port,
    kind: &'static str,
}

impl Named<'_> {
    /// The name of the accessor or field.
    fn id(&self) -> String {
        let name = &self.port.name;
        if RESERVED.contains(&name.as_str()) || KEYWORDS.contains(&name.as_str()) {
            format!("{}_{name}", self.kind)
        } else {
            name.clone()
        }
    }

    /// The name of its scale and zero point.
    fn constant(&self) -> String {
        let name = self.port.name.to_uppercase();
        let kind = self.kind.to_uppercase();
        let prefix = if name.starts_with(&kind) { String::new() } else { format!("{kind}_") };
        format!("{prefix}{name}_QUANTIZATION")
    }

    /// The name with its kind, for sentences.
    fn title(&self) -> String {
        if self.port.name == self.kind {
            self.kind.into()
        } else {
            format!("{} `{}`", self.kind, self.port.name)
        }
    }
}

fn inputs(program: &Program) -> impl Iterator<Item = Named<'_>> {
    program.inputs.iter().map(|port| Named { port, kind: "input" })
}

fn outputs(program: &Program) -> impl Iterator<Item = Named<'_>> {
    program.outputs.iter().map(|port| Named { port, kind: "output" })
}

/// Names that the source defines beside its layers.
pub(super) fn names(program: &Program) -> Vec<String> {
    inputs(program).chain(outputs(program)).map(|named| named.constant().to_lowercase()).collect()
}

/// Scales and zero points.
pub(super) fn constants(program: &Program, text: &mut String) {
    for named in inputs(program).chain(outputs(program)) {
        if let Some(q) = named.port.quantization {
            let _ = writeln!(
                text,
                "/// Scale and zero point of the {}.\npub const {}: Quantization = {};",
                named.title(),
                named.constant(),
                quantization(&q)
            );
        }
    }
}

/// The struct of several outputs.
pub(super) fn outputs_struct(program: &Program, text: &mut String) {
    if program.outputs.len() == 1 {
        return;
    }
    text.push_str(
        "/// What a prediction gives.\n#[derive(Debug, Clone, Copy, PartialEq)]\npub struct Outputs<'a> {\n",
    );
    for named in outputs(program) {
        let (id, kind) = (named.id(), array_type(program, named.port.buffer));
        let _ = writeln!(
            text,
            "    /// The {}: {:?}.\n    pub {id}: &'a {kind},",
            named.title(),
            named.port.shape
        );
    }
    text.push_str("}\n\n");
}

/// What `predict` returns.
pub(super) fn output_type(program: &Program) -> String {
    match &program.outputs[..] {
        [only] => format!("&{}", array_type(program, only.buffer)),
        _ => "Outputs<'_>".into(),
    }
}

/// The expression that `predict` returns.
pub(super) fn output_value(program: &Program) -> String {
    let array = |port: &Port| {
        let arena = arena(program.buffer(port.buffer).dtype);
        format!("arena::array(&self.{arena}, {})", program.range(port.buffer).start)
    };
    if let [only] = &program.outputs[..] {
        return array(only);
    }
    let fields: Vec<_> = outputs(program)
        .map(|named| format!("            {}: {},\n", named.id(), array(named.port)))
        .collect();
    format!("Outputs {{\n{}        }}", fields.concat())
}

/// Where inputs go.
pub(super) fn accessors(program: &Program, text: &mut String) {
    for named in inputs(program) {
        let buffer = program.buffer(named.port.buffer);
        let which = match program.inputs.len() {
            1 => "the next input".into(),
            _ => format!("the next {}, {:?},", named.title(), named.port.shape),
        };
        let _ = writeln!(
            text,
            "    /// Where {which} goes; prediction may overwrite it.\n    #[inline]\n    pub fn {}(&mut self) -> &mut {} {{\n        \
             arena::array_mut(&mut self.{}, {})\n    }}\n",
            named.id(),
            array_type(program, named.port.buffer),
            arena(buffer.dtype),
            program.range(named.port.buffer).start,
        );
    }
}

/// `ElementsMut::I8(...)` or `Elements::F32(...)`
fn variant(dtype: ElementType) -> &'static str {
    match dtype {
        ElementType::I8 => "I8",
        ElementType::I16 => "I16",
        ElementType::F32 | ElementType::I32 => "F32",
    }
}

/// `impl Model`
pub(super) fn model(program: &Program, text: &mut String) {
    let list = |ports: &[Port]| {
        let port = |port: &Port| format!("Port {{ name: {:?}, shape: &{:?} }}", port.name, port.shape);
        ports.iter().map(port).collect::<Vec<_>>().join(", ")
    };
    let none = |ports: &[Port]| variant(program.buffer(ports[0].buffer).dtype);
    let mut arms_in = String::new();
    for (index, named) in inputs(program).enumerate() {
        let variant = variant(program.buffer(named.port.buffer).dtype);
        let _ = writeln!(arms_in, "            {index} => ElementsMut::{variant}(self.{}()),", named.id());
    }
    let mut arms_out = String::new();
    for (index, port) in program.outputs.iter().enumerate() {
        let dtype = program.buffer(port.buffer).dtype;
        let _ = writeln!(
            arms_out,
            "            {index} => Elements::{}(arena::array::<_, {}>(&self.{}, {})),",
            variant(dtype),
            program.buffer(port.buffer).len,
            arena(dtype),
            program.range(port.buffer).start
        );
    }
    let _ = writeln!(
        text,
        "impl Model for Network {{
    const NAME: &'static str = NAME;
    const LAYERS: &'static [&'static str] = &LAYERS;
    const INPUTS: &'static [Port] = &[{}];
    const OUTPUTS: &'static [Port] = &[{}];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {{
        match index {{
{arms_in}            _ => ElementsMut::{}(&mut []),
        }}
    }}

    fn output_at(&self, index: usize) -> Elements<'_> {{
        match index {{
{arms_out}            _ => Elements::{}(&[]),
        }}
    }}

    fn run_with(&mut self, done: impl FnMut(usize)) {{
        self.forward(done);
    }}
}}
",
        list(&program.inputs),
        list(&program.outputs),
        none(&program.inputs),
        none(&program.outputs),
    );
}

/// From raw data to inputs, and from outputs to real numbers.
pub(super) fn helpers(program: &Program, text: &mut String) {
    let (scale, offset) = (program.normalize.scale.literal(), program.normalize.offset.literal());
    for named in inputs(program) {
        let buffer = program.buffer(named.port.buffer);
        let int8 = named.port.quantization.is_some();
        let fixed = buffer.dtype == ElementType::I16;
        if let Some(features) = &program.features {
            let quantize = match (int8, fixed) {
                (true, _) => Some(format!("{}.quantize(x)", named.constant())),
                (_, true) => Some("fixed::activation(x)".into()),
                _ => None,
            };
            prepare(features, &named.port.name, buffer.len, buffer.dtype.rust(), quantize, text);
            continue;
        }
        let _ = writeln!(
            text,
            "/// Prepares raw data, as they were in the training set: `raw * {scale} + {offset}`{}.\npub fn prepare_{}(raw: \
             &[f32; {}], input: &mut [{}; {}]) {{\n    for (input, raw) in input.iter_mut().zip(raw) {{\n        let x = raw * {scale} + \
             {offset};\n        *input = {};\n    }}\n}}\n",
            match (int8, fixed) {
                (true, _) => ", quantised",
                (_, true) => ", in fixed point",
                _ => "",
            },
            named.port.name,
            buffer.len,
            buffer.dtype.rust(),
            buffer.len,
            match (int8, fixed) {
                (true, _) => format!("{}.quantize(x)", named.constant()),
                (_, true) => "fixed::activation(x)".into(),
                _ => "x".into(),
            },
        );
    }
    for named in outputs(program) {
        let Some(real) = real(program, named) else { continue };
        let len = program.buffer(named.port.buffer).len;
        let what =
            if program.outputs.len() == 1 { "Outputs".into() } else { format!("The {}", named.title()) };
        let _ = writeln!(
            text,
            "/// {what} as real numbers.\npub fn dequantize_{}(output: &[{}; {len}]) -> [f32; {len}] {{\n    \
             output.map(|q| {real})\n}}",
            named.port.name,
            program.buffer(named.port.buffer).dtype.rust(),
        );
    }
    if let Some(target) = program.target {
        for named in outputs(program) {
            let (buffer, name) = (program.buffer(named.port.buffer), &named.port.name);
            let y = real(program, named).map_or("y".into(), |real| real.replace("(q)", "(y)"));
            let _ = writeln!(
                text,
                "/// Outputs in the unit of the targets.\npub fn decode_{name}(output: &[{}; {}]) -> [f32; {}] {{\n    \
                 output.map(|y| {y} * {} + {})\n}}",
                buffer.dtype.rust(),
                buffer.len,
                buffer.len,
                target.deviation.literal(),
                target.shift.literal(),
            );
        }
        if program.learning.is_some() {
            let len = program.buffer(program.output().buffer).len;
            let _ = writeln!(
                text,
                "/// Targets as the network answers them, for training: the other way round.\n\
                 pub fn encode_target(target: &[f32; {len}]) -> [f32; {len}] {{\n    \
                 target.map(|y| (y - {}) / {})\n}}",
                target.shift.literal(),
                target.deviation.literal(),
            );
        }
    }
}

/// The real number of an output `q` that is none itself.
fn real(program: &Program, named: Named<'_>) -> Option<String> {
    if named.port.quantization.is_some() {
        return Some(format!("{}.dequantize(q)", named.constant()));
    }
    let fixed = program.buffer(named.port.buffer).dtype == ElementType::I16;
    let probability = program.fraction_bits(named.port) == milligrad::DELTA_BITS;
    let function = if probability { "probability" } else { "activation" };
    fixed.then(|| format!("fixed::from_{function}(q)"))
}

/// `prepare_input` of engineered features: the operations of [`Features::apply`] in their order.
fn prepare(
    features: &Features,
    name: &str,
    len: usize,
    element: &str,
    quantize: Option<String>,
    text: &mut String,
) {
    let (columns, width) = (&features.columns, features.features.len());
    let _ = writeln!(text, "/// The features of raw rows. Columns of a row:\n///");
    for (index, column) in columns.iter().enumerate() {
        let _ = match &column.categories[..] {
            [] => writeln!(text, "/// - x{index}: {:?}", column.name),
            names => writeln!(text, "/// - x{index}: {:?}, the index in {names:?}", column.name),
        };
    }
    let read = |column| features.features.iter().any(|feature| feature.term.columns().contains(&column));
    let variables: Vec<String> =
        (0..columns.len()).map(|x| if read(x) { format!("x{x}") } else { "_".into() }).collect();
    let _ = writeln!(
        text,
        "pub fn prepare_{name}(raw: &[f32; {}], input: &mut [{element}; {len}]) {{\n    let (rows, _) = \
         raw.as_chunks::<{}>();\n    let (inputs, _) = input.as_chunks_mut::<{width}>();\n    for (&[{}], input) in \
         rows.iter().zip(inputs) {{\n        let features = [",
        features.raw_len(len),
        columns.len(),
        variables.join(", "),
    );
    for feature in &features.features {
        let term = feature.term.source();
        let _ = match (feature.shift, feature.scale) {
            (0.0, 1.0) => writeln!(text, "            {term}, // {}", feature.name),
            (shift, scale) => writeln!(
                text,
                "            ({} - {}) * {}, // {}",
                if term.contains(' ') { format!("({term})") } else { term },
                shift.literal(),
                scale.literal(),
                feature.name
            ),
        };
    }
    let values = quantize.map_or("features".into(), |quantize| format!("features.map(|x| {quantize})"));
    let _ = writeln!(text, "        ];\n        *input = {values};\n    }}\n}}\n");
}
