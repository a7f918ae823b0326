//! The exporter: a program as the Rust source that an engineer would write by hand.
//!
//! `static` weights, one `static` descriptor for each layer, checked when the firmware is compiled, and a `Network`
//! struct that is all the RAM of the model, with a straight-line `predict` and, where layers learn, `train_step`.
//! The same program gives the same bytes.

mod dynamic;
mod fixed;
mod int8;
mod learn;
mod lending;
mod packed;
mod ports;
mod steps;
pub(crate) mod values;
mod way_back;

use crate::error::{Error, Result};
use crate::program::{BufferId, ElementType, Program};
use milligrad::Core;
use std::collections::HashSet;
use std::fmt::Write as _;
use values::{Literal, array, identifier};

/// The model as the source of a Rust module that depends on the `milligrad` crate alone.
///
/// # Errors
/// If names of layers can't be told apart as identifiers.
pub fn rust(program: &Program) -> Result<String> {
    rust_with(program, &Sections::default())
}

/// Where the linker puts things.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sections {
    /// The section of weights and all other constants, instead of the compiler's own.
    pub weights: Option<String>,
    /// The section of an arena to lend the network, as a `static ARENA`.
    pub arena: Option<String>,
}

/// As [`rust`], with constants and an arena in sections of the linker's.
///
/// # Errors
/// Those of [`rust`]; names of sections that are none; an arena for a network that learns, which owns its memory.
pub fn rust_with(program: &Program, sections: &Sections) -> Result<String> {
    lending::check(program, sections)?;
    // Everything that the source defines at its top, or may define, as layers' names become part of it.
    let mut taken: HashSet<String> = ["name", "labels", "layers"].map(str::to_owned).into();
    for name in ports::names(program) {
        if !taken.insert(name.clone()) {
            let problem = format!("two of its inputs and outputs would define `{name}` in Rust; rename one");
            return Err(Error::Model { model: program.name.clone(), problem });
        }
    }
    for step in &program.steps {
        let id = identifier(&step.name);
        for name in
            ["", "_weights", "_channels", "_window", "_bias", "_exponents"].map(|end| format!("{id}{end}"))
        {
            if !taken.insert(name.clone()) {
                let problem =
                    format!("layer `{}` would define `{name}` in Rust a second time; rename it", step.name);
                return Err(Error::Model { model: program.name.clone(), problem });
            }
        }
    }
    let mut body = body(program);
    lending::place(program, sections, &mut body);
    let mut text = header(program);
    text.push_str(&imports(&body));
    text.push_str(&body);
    Ok(text)
}

fn header(program: &Program) -> String {
    let (learns, optimizer) = match &program.learning {
        Some(learning) => (if learning.batches { "batches" } else { "yes" }, learning.rule_name()),
        None => ("no", "none"),
    };
    let core = match program.core {
        Core::Portable => "portable",
        Core::Armv7em => "armv7e-m",
    };
    let macs: u64 = program.steps.iter().map(|step| step.macs).sum();
    format!(
        "// milligrad model: name={} learns={learns} optimizer={optimizer} core={core}\n// {} layers, {macs} multiply-accumulate \
         operations, {} bytes of RAM. Made by `milligrad export`; do not edit.\n\n",
        program.name,
        program.steps.len(),
        program.ram_bytes(),
    )
}

/// One `use` for what the body names.
fn imports(body: &str) -> String {
    let used = |name: &&str| body.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == *name);
    let list = |names: &[&'static str]| names.iter().copied().filter(|name| used(name)).collect::<Vec<_>>();
    let mut names = list(&[
        "Adam",
        "BatchLearner",
        "Clamp",
        "Core",
        "Elements",
        "ElementsMut",
        "Evaluation",
        "Fixed16",
        "Int8",
        "Learner",
        "Model",
        "Momentum",
        "Nesterov",
        "Optimizer",
        "Padding",
        "Port",
        "PowerOfTwoSgd",
        "Quantization",
        "QuantizedChannel",
        "QuantizedOutput",
        "Requantize",
        "RmsProp",
        "Rounding",
        "Sgd",
        "StochasticSgd",
        "Target",
        "TargetKind",
        "TrainError",
        "WeightDecay",
        "Window2d",
        "arena",
        "fixed",
        "guard",
        "lendable",
        "loss",
        "math",
    ]);
    let layers = list(&[
        "AvgPool2d",
        "Broadcast",
        "Conv2d",
        "Dense",
        "DepthwiseConv2d",
        "MaxPool2d",
        "Multiply",
        "QuantizedAdd",
        "QuantizedMul",
        "QuantizedReduce",
        "QuantizedSoftmax",
        "QuantizedSub",
        "ResizeNearest",
        "Strided",
        "Table",
        "TransposeConv2d",
        "TransposedWindow",
        "dense",
        "hard_swish_table",
        "leaky_relu_table",
        "requantize_table",
        "sigmoid_table",
        "tanh_table",
    ]);
    let packed =
        list(&["PackedAdd", "PackedChannel", "PackedConv2d", "PackedDense", "PackedDepthwise", "Places"]);
    let packed = format!("packed::{{{}}}", packed.join(", "));
    let layers = match layers[..] {
        [] => "layers".to_owned(),
        _ => format!("layers::{{self, {}}}", layers.join(", ")),
    };
    names.push(&layers);
    if packed != "packed::{}" {
        names.push(&packed);
    }
    format!("#[allow(unused_imports)]\nuse milligrad::{{{}}};\n\n", names.join(", "))
}

fn body(program: &Program) -> String {
    let mut text = String::new();
    if program.core != Core::Portable {
        let _ = writeln!(text, "const _: () = Core::{:?}.require();\n", program.core);
    }
    constants(program, &mut text);
    program.steps.iter().for_each(|step| steps::statics(step, &mut text));
    ports::outputs_struct(program, &mut text);
    network(program, &mut text);
    ports::model(program, &mut text);
    if let Some(learning) = &program.learning {
        learn::learner(program, learning, &mut text);
    }
    ports::helpers(program, &mut text);
    text
}

fn constants(program: &Program, text: &mut String) {
    let names =
        |names: Vec<&str>| names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let _ = writeln!(text, "/// Name of the model.\npub const NAME: &str = {:?};", program.name);
    let labels = names(program.labels.iter().map(String::as_str).collect());
    let _ = writeln!(
        text,
        "/// Names of the classes.\npub const LABELS: [&str; {}] = [{labels}];",
        program.labels.len()
    );
    let layers = names(program.steps.iter().map(|step| step.name.as_str()).collect());
    let _ = writeln!(
        text,
        "/// Layers in order of execution.\npub const LAYERS: [&str; {}] = [{layers}];",
        program.steps.len()
    );
    ports::constants(program, text);
    text.push('\n');
}

/// `[i8; 64]` for a buffer.
fn array_type(program: &Program, id: BufferId) -> String {
    let buffer = program.buffer(id);
    format!("[{}; {}]", buffer.dtype.rust(), buffer.len)
}

/// The field of the arena that holds elements of this type.
fn arena(dtype: ElementType) -> &'static str {
    match dtype {
        ElementType::I8 => "int8",
        ElementType::F32 => "float",
        ElementType::I16 => "int16",
        ElementType::I32 => "int32",
    }
}

/// The arenas in fixed point.
const FIXED: [ElementType; 2] = [ElementType::I32, ElementType::I16];

fn network(program: &Program, text: &mut String) {
    let bytes = program.ram_bytes();
    let lendable = program.learning.is_none();
    if lendable {
        lending::open(text);
    }
    let _ = writeln!(
        text,
        "/// All the RAM of the model, {bytes} bytes: its arena{}.",
        match program.learning {
            Some(_) => ", the parameters that learn, and what the optimizer remembers of them",
            None => "",
        }
    );
    text.push_str("pub struct Network {\n");
    if program.plan.int8 > 0 {
        let _ = match program.core {
            Core::Portable if !lendable => writeln!(text, "    int8: [i8; {}],", program.plan.int8),
            _ => writeln!(text, "    int8: arena::Bytes<{}>,", program.plan.int8.div_ceil(4)),
        };
    }
    if program.plan.f32 > 0 {
        let _ = writeln!(text, "    float: [f32; {}],", program.plan.f32);
    }
    for dtype in FIXED.into_iter().filter(|&dtype| program.plan.len(dtype) > 0) {
        let _ = writeln!(text, "    {}: [{}; {}],", arena(dtype), dtype.rust(), program.plan.len(dtype));
    }
    if program.exponent_count() > 0 {
        let _ = writeln!(text, "    exponents: [i16; {}],", program.exponent_count());
    }
    if program.learning.is_some() {
        text.push_str("    /// What has been learned.\n    pub parameters: Parameters,\n    state: State,\n");
    }
    if program.fixed_point().is_some() {
        text.push_str("    /// Counts numbers that came to the end of their range.\n    pub saturation: fixed::Saturation,\n");
    }
    if program.learning.as_ref().is_some_and(|learning| learning.guard) {
        let module = if program.fixed_point().is_some() { "fixed" } else { "guard" };
        let _ = write!(
            text,
            "    /// Decides on every step. After a change of `parameters` by hand, call its `forget`.\n    pub guard: \
             {module}::Guard,\n",
        );
    }
    if program.learning.as_ref().is_some_and(|learning| learning.batches) {
        text.push_str("    /// Samples of the batch so far.\n    samples: u32,\n");
    }
    if program.learning.as_ref().is_some_and(fixed::counts_batches) {
        text.push_str("    /// Activations and deltas of the batch that saturated.\n    saturated: u32,\n");
    }
    text.push_str("}\n");
    if lendable {
        lending::close(program, text);
    }
    text.push_str("\nimpl Network {\n");
    text.push_str("    /// A network with the parameters that it was exported with.\n    pub const fn new() -> Self {\n        Self {");
    if program.plan.int8 > 0 {
        let _ = match program.core {
            Core::Portable if !lendable => write!(text, " int8: [0; {}],", program.plan.int8),
            _ => write!(text, " int8: arena::Bytes::ZERO,"),
        };
    }
    if program.plan.f32 > 0 {
        let _ = write!(text, " float: [0.0; {}],", program.plan.f32);
    }
    for dtype in FIXED.into_iter().filter(|&dtype| program.plan.len(dtype) > 0) {
        let _ = write!(text, " {}: [0; {}],", arena(dtype), program.plan.len(dtype));
    }
    if program.exponent_count() > 0 {
        let _ = write!(text, " exponents: [0; {}],", program.exponent_count());
    }
    if program.learning.is_some() {
        text.push_str(" parameters: Parameters::new(), state: State::new(),");
    }
    if program.fixed_point().is_some() {
        text.push_str(" saturation: fixed::Saturation::NONE,");
    }
    if program.learning.as_ref().is_some_and(|learning| learning.guard && learning.fixed.is_some()) {
        let _ = write!(text, " guard: fixed::Guard::new().knowing({}),", program.largest_in_fixed_point());
    } else if program.learning.as_ref().is_some_and(|learning| learning.guard) {
        let _ =
            write!(text, " guard: guard::Guard::new().knowing({}),", program.largest_parameter().literal());
    }
    if program.learning.as_ref().is_some_and(|learning| learning.batches) {
        text.push_str(" samples: 0,");
    }
    if program.learning.as_ref().is_some_and(fixed::counts_batches) {
        text.push_str(" saturated: 0,");
    }
    text.push_str(" }\n    }\n\n");
    if lendable {
        lending::within(text);
    }
    ports::accessors(program, text);
    steps::predict(program, text);
    if let Some(learning) = &program.learning {
        learn::methods(program, learning, text);
    }
    text.push_str(
        "}\n\nimpl Default for Network {\n    fn default() -> Self {\n        Self::new()\n    }\n}\n\n",
    );
}

/// `static NAME: [T; n] = [...];`
fn table<T: Literal>(name: &str, values: &[T], text: &mut String) {
    let _ = writeln!(text, "static {name}: [{}; {}] = {};", T::TYPE, values.len(), array(values));
}
