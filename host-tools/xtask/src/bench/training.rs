//! `cargo xtask bench training`: what learning costs on emulated boards, beside AIfES 2.2.

use super::models::noise;
use crate::Result;
use crate::command::root;
use milligrad_board::{Board, Firmware, ModelSource, Options, Profile, TrainPlan, board};
use milligrad_host::data::idx;
use milligrad_host::{
    Builder, CompileOptions, FixedExponents, FixedPoint, FixedRounding, Graph, Layers, Learn, Normalize,
    OptimizerKind, Program, QuantizeOptions, export, quantize,
};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Only this network
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Only this board
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// Only this optimizer; predictions are measured with `sgd`
    #[arg(long, value_name = "NAME")]
    optimizer: Option<String>,
    /// Only this type: f32 or int16
    #[arg(long, value_name = "TYPE")]
    dtype: Option<String>,
    /// Of firmware with the device crate's feature `fma`
    #[arg(long)]
    fma: bool,
    /// Print, on standard error, in which functions each row spends its instructions
    #[arg(long)]
    functions: bool,
}

impl Arguments {
    fn wants(only: &Option<String>, name: &str) -> bool {
        only.as_ref().is_none_or(|only| only == name)
    }
}

/// A row of the table.
#[derive(serde::Serialize)]
struct Row {
    name: String,
    board: &'static str,
    dtype: &'static str,
    /// Type of the inputs.
    input: &'static str,
    /// `none`: a prediction.
    optimizer: &'static str,
    /// Samples of a step.
    batch: usize,
    /// Of the whole step, all its samples included.
    instructions: u64,
    /// As modelled for the board's core; none for cores without a model.
    cycles_low: Option<u64>,
    cycles_high: Option<u64>,
    ram_beyond_parameters_bytes: u64,
    stack_bytes: u64,
    code_bytes: u64,
    /// The part of them that prediction does not reach.
    training_code_bytes: u64,
    guarded: bool,
    rounding: Option<&'static str>,
    /// In fixed point: `static` or `dynamic`.
    exponents: Option<&'static str>,
    /// What [`Program::training`] says before anything is flashed.
    #[serde(skip)]
    modelled: Option<u64>,
}

/// A row that is not measured, as the program does not fit.
#[derive(serde::Serialize)]
struct LeftOut {
    name: String,
    board: &'static str,
    dtype: &'static str,
    input: &'static str,
    optimizer: &'static str,
    batch: usize,
    guarded: bool,
    rounding: Option<&'static str>,
    exponents: Option<&'static str>,
    /// RAM of the program and of what is kept free beside it.
    ram_bytes: usize,
    board_ram_bytes: u32,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, board, dtype, input, optimizer, batch, ram_bytes, board_ram_bytes, .. } = self;
        let words = [self.exponents.filter(|&exponents| exponents != "static"), self.rounding];
        let rounding: String = words.into_iter().flatten().map(|word| format!(" {word}")).collect();
        let guarded = if self.guarded { ", guarded" } else { "" };
        write!(
            f,
            "left out: {name}, {dtype}{rounding}, {input} inputs, {optimizer}, batch {batch}{guarded} on {board}: needs \
             {ram_bytes} B of RAM, has {board_ram_bytes}"
        )
    }
}

/// The board that AIfES was measured on.
const AIFES_BOARD: &str = "mps2-an386";
/// Instructions and RAM beyond parameters of AIfES 2.2 (-O3) there: predictions, steps of SGD and Adam.
const AIFES: [(&str, &str, u64, Option<u64>); 8] = [
    ("64-32-10", "none", 17_282, None),
    ("64-32-10", "sgd", 282_850, Some(26_944)),
    ("64-32-10", "adam", 1_897_110, None),
    ("784-128-10", "none", 616_802, None),
    ("784-128-10", "sgd", 11_640_080, Some(1_214_464)),
    ("784-128-10", "adam", 79_635_320, None),
    ("cnn-8x8", "none", 132_460, None),
    ("cnn-8x8", "sgd", 579_260, None),
];

/// A network of the comparison.
struct Network {
    name: &'static str,
    /// What its inputs are where it learns in f32. `int8`: as the pixels of an image come, exported from an int8 model.
    inputs: &'static [&'static str],
    /// The boards on which it is measured.
    boards: &'static [&'static str],
}

const NETWORKS: [Network; 4] = [
    Network {
        name: "64-32-10",
        inputs: &["f32"],
        boards: &["mps2-an386", "mps2-an385", "microbit", "riscv32-virt"],
    },
    Network {
        name: "784-128-10",
        inputs: &["int8", "f32"],
        boards: &["mps2-an386", "mps2-an385", "riscv32-virt"],
    },
    Network { name: IMAGES, inputs: &["int8", "f32"], boards: &["mps2-an386", "mps2-an385", "riscv32-virt"] },
    Network {
        name: "cnn-8x8",
        inputs: &["f32"],
        boards: &["mps2-an386", "mps2-an385", "microbit", "riscv32-virt"],
    },
];

/// 784-128-10 on the first training images of Fashion-MNIST, of which only what leaves their zeros out is measured, that is SGD in floats: counts are
/// means over so many images. All other networks are fed random numbers.
const IMAGES: &str = "784-128-10-images";
const IMAGE_COUNT: usize = 20;

impl Network {
    /// The name of a row. A network that learns from bytes is named as it is used: it learns from the bytes of an image, and its
    /// predictions are those of AIfES, from floats; the other ways round have names of their own.
    fn row_name(&self, call: &str, input: &str) -> String {
        let name = self.name;
        match (call, input) {
            ("none", "int8") => format!("{name}-int8-input"),
            (call, "f32") if call != "none" && self.inputs.contains(&"int8") => {
                format!("{name}-float-input")
            }
            _ => name.into(),
        }
    }

    /// Inputs to measure with, from 0 to 1.
    fn samples(&self, input_len: usize) -> Result<Vec<f32>> {
        if self.name == IMAGES {
            let whitened = Normalize { scale: 1.0 / 255.0, offset: 0.0 };
            return Ok(idx::fashion_mnist(None)?.train.normalized(whitened, IMAGE_COUNT));
        }
        Ok(noise(BATCH * input_len).iter().map(|x| 0.5 + 0.5 * x).collect())
    }
}

const OPTIMIZERS: [(OptimizerKind, &str); 4] = [
    (OptimizerKind::Sgd, "sgd"),
    (OptimizerKind::Momentum, "momentum"),
    (OptimizerKind::RmsProp, "rmsprop"),
    (OptimizerKind::Adam, "adam"),
];

/// Networks that are measured in batches, too, of so many samples, with SGD.
const BATCHED: [&str; 2] = ["64-32-10", "cnn-8x8"];
const BATCH: usize = 8;

/// Fixed point with the names of how updates are rounded and where exponents come from.
type Kind = (FixedPoint, &'static str, &'static str);

const fn kind(rounding: FixedRounding, exponents: FixedExponents) -> Kind {
    let name = match rounding {
        FixedRounding::Nearest => "nearest",
        FixedRounding::Stochastic => "stochastic",
    };
    let source = match exponents {
        FixedExponents::Static => "static",
        FixedExponents::Dynamic => "dynamic",
    };
    (FixedPoint { rounding, seed: 0, exponents }, name, source)
}

const KINDS: [Kind; 4] = [
    kind(FixedRounding::Nearest, FixedExponents::Static),
    kind(FixedRounding::Stochastic, FixedExponents::Static),
    kind(FixedRounding::Nearest, FixedExponents::Dynamic),
    kind(FixedRounding::Stochastic, FixedExponents::Dynamic),
];

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    for network in NETWORKS.iter().filter(|network| Arguments::wants(&arguments.network, network.name)) {
        for target in network.boards.iter().filter(|name| Arguments::wants(&arguments.board, name)) {
            measure(network, board(target)?, arguments, &mut rows, &mut left_out)?;
        }
    }
    if rows.is_empty() && left_out.is_empty() {
        return Err("nothing to measure: there is no such network, board, optimizer or type".into());
    }
    if arguments.json {
        println!("{}", serde_json::json!({ "schema": 1, "rows": rows, "left_out": left_out }));
    } else {
        table(&rows);
        left_out.iter().for_each(|row| println!("{row}"));
    }
    Ok(())
}

/// The graph of a network. What a step costs depends on its shapes, not on what it was trained on.
fn graph(name: &str) -> Result<Graph> {
    let mlp = |inputs, hidden| Builder::new(name, &[inputs]).dense(hidden).relu().dense(10).softmax();
    let builder = match name {
        "64-32-10" => mlp(64, 32),
        "784-128-10" | IMAGES => mlp(784, 128),
        _ => Builder::new(name, &[8, 8, 1]).conv2d(8, 3).relu().max_pool2d(2).flatten().dense(10).softmax(),
    };
    Ok(builder.build(1)?)
}

/// RAM that is left to the stack and the firmware.
const FREE: usize = 4096;

/// All rows of a network on a board, from one firmware each, so that no row pays for another; those that don't fit apart.
fn measure(
    network: &Network,
    target: &'static Board,
    arguments: &Arguments,
    rows: &mut Vec<Row>,
    left_out: &mut Vec<LeftOut>,
) -> Result<()> {
    let name = network.name;
    let float = graph(name)?;
    let inputs = network.samples(float.input_len())?;
    let int8 = quantize(&float, &inputs, &QuantizeOptions::default())?;
    let floats = network.inputs.iter().flat_map(|&input| {
        OPTIMIZERS.map(|(optimizer, optimizer_name)| (input, optimizer, optimizer_name, None, 1))
    });
    let sgd = |input, kind, batch| (input, OptimizerKind::Sgd, "sgd", kind, batch);
    let fixed = KINDS.map(|kind| sgd(if kind.0.is_dynamic() { "f32" } else { "int16" }, Some(kind), 1));
    let batches = [sgd("f32", None, BATCH), sgd("int16", Some(KINDS[0]), BATCH)];
    let batches = batches.into_iter().filter(|_| BATCHED.contains(&name));
    for (input_type, optimizer, optimizer_name, kind, batch) in floats.chain(fixed).chain(batches) {
        let dtype = if kind.is_some() { "int16" } else { "f32" };
        let (rounding, exponents) = (kind.map(|kind| kind.1), kind.map(|kind| kind.2));
        // What networks in fixed point read is their own business.
        let row_name = |call: &str| network.row_name(call, if kind.is_some() { dtype } else { input_type });
        let measured = name != IMAGES || (optimizer_name, dtype) == ("sgd", "f32");
        let wanted = Arguments::wants(&arguments.optimizer, optimizer_name);
        if !measured || !wanted || !Arguments::wants(&arguments.dtype, dtype) {
            continue;
        }
        let graph = if input_type == "int8" { &int8 } else { &float };
        for guarded in [false, true] {
            let learn = Learn {
                guard: guarded,
                batches: batch > 1,
                fixed: kind.map(|kind| kind.0),
                ..Learn::new(Layers::All, optimizer)
            };
            let options = CompileOptions { learn: Some(learn), ..Default::default() };
            let program = Program::compile(graph, &options)?;
            let ram_bytes = program.ram_bytes() + FREE;
            if ram_bytes > target.ram_bytes as usize {
                left_out.push(LeftOut {
                    name: row_name(optimizer_name),
                    board: target.name,
                    dtype,
                    input: input_type,
                    optimizer: optimizer_name,
                    batch,
                    guarded,
                    rounding,
                    exponents,
                    ram_bytes,
                    board_ram_bytes: target.ram_bytes,
                });
                continue;
            }
            let firmware = build(&program, batch, target, arguments.fma)?;
            let row = |call: &'static str, profile: &Profile, modelled| {
                if arguments.functions {
                    let board = target.name;
                    eprintln!("{name} ({input_type}) on {board}, {call}, batch {batch}, guarded: {guarded}");
                    for share in &profile.functions {
                        eprintln!("{:9} {}", share.instructions, share.name);
                    }
                }
                Row {
                    name: row_name(call),
                    board: target.name,
                    dtype,
                    input: input_type,
                    optimizer: call,
                    batch,
                    instructions: profile.cost.instructions,
                    cycles_low: target.core.has_cycle_model().then_some(profile.cycles.low),
                    cycles_high: target.core.has_cycle_model().then_some(profile.cycles.high),
                    ram_beyond_parameters_bytes: profile.cost.network_bytes - own_bytes(&program, optimizer),
                    stack_bytes: profile.cost.stack_bytes,
                    code_bytes: profile.code_bytes,
                    training_code_bytes: profile.training_code_bytes,
                    guarded,
                    rounding,
                    exponents,
                    modelled,
                }
            };
            let inputs = inputs.chunks(graph.input_len()).map(|raw| program.encode_input(raw));
            let each = if name == IMAGES { IMAGE_COUNT } else { 1 };
            let stochastic = kind.is_some_and(|(fixed, ..)| fixed.rounding == FixedRounding::Stochastic);
            if optimizer == OptimizerKind::Sgd && !guarded && !stochastic && batch == 1 {
                let profiles = inputs.clone().take(each).map(|input| firmware.profile(MODEL, &input));
                rows.push(row("none", &mean(profiles)?, None));
            }
            let samples: Vec<_> = inputs.map(|input| [input, vec![3]].concat()).collect();
            let profiles = samples.chunks_exact(batch).take(each).map(|samples| {
                let steps = samples.concat();
                let plan = TrainPlan {
                    steps: &steps,
                    learning_rate: 0.05,
                    momentum: 0.9,
                    batch: batch as u32,
                    ..TrainPlan::default()
                };
                firmware.profile_training(MODEL, &plan)
            });
            let training = program.training().filter(|_| batch == 1 && name != IMAGES);
            let modelled = training.and_then(|training| training.on(&target.core.to_string()));
            rows.push(row(optimizer_name, &mean(profiles)?, modelled));
        }
    }
    Ok(())
}

/// The first profile, with instructions and cycles that are means of all.
fn mean(profiles: impl Iterator<Item = milligrad_board::Result<Profile>>) -> Result<Profile> {
    let profiles: Vec<_> = profiles.collect::<milligrad_board::Result<_>>()?;
    let mean = |of: fn(&Profile) -> u64| profiles.iter().map(of).sum::<u64>() / profiles.len().max(1) as u64;
    let mut profile = profiles.first().cloned().ok_or("no samples to measure with")?;
    profile.cost.instructions = mean(|profile| profile.cost.instructions);
    profile.cycles.low = mean(|profile| profile.cycles.low);
    profile.cycles.high = mean(|profile| profile.cycles.high);
    Ok(profile)
}

/// Name of the model in the firmware.
const MODEL: &str = "learner";

fn build(program: &Program, batch: usize, target: &'static Board, fma: bool) -> Result<Firmware> {
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    let text = export::rust(program)?;
    // A name of its own, so that two benchmarks at once don't take each other's.
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let path = folder.join(format!("learner-{:016x}.rs", hasher.finish()));
    std::fs::write(&path, text)?;
    let source = match batch {
        1 => ModelSource::learning(MODEL, path),
        _ => ModelSource::learning_in_batches(MODEL, path),
    };
    Ok(Firmware::build_with(target, &[source], Options { fma, ..Options::default() })?)
}

/// Parameters and what the optimizer remembers of them.
fn own_bytes(program: &Program, optimizer: OptimizerKind) -> u64 {
    let parameters: usize = program.parameters.iter().map(|p| p.values.len()).sum();
    (program.parameter_bytes() + 4 * optimizer.state(parameters)) as u64
}

fn table(rows: &[Row]) {
    println!(
        "| network | board | type | input | call | batch | guarded | instructions | modelled | cycles | RAM beyond parameters B | stack B | code B | \
         of it beyond inference B | AIfES: \
         instructions, RAM B |"
    );
    println!("{}", "|---".repeat(15) + "|");
    for row in rows {
        let cycles = match (row.cycles_low, row.cycles_high) {
            (Some(low), Some(high)) => format!("{low}-{high}"),
            _ => "-".into(),
        };
        let aifes = AIFES
            .iter()
            .filter(|_| row.dtype == "f32" && row.board == AIFES_BOARD && row.batch == 1)
            .find(|(name, call, ..)| row.name.starts_with(name) && *call == row.optimizer)
            .map_or("-".into(), |(_, _, count, ram)| {
                let times = *count as f64 / row.instructions as f64;
                let ram = ram.map_or(String::new(), |ram| format!(", {ram}"));
                format!("{count} ({times:.1} x){ram}")
            });
        let modelled = row.modelled.map_or("-".into(), |modelled| {
            let error = 100.0 * (modelled as f64 / row.instructions as f64 - 1.0);
            format!("{modelled} ({error:+.0} %)")
        });
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {modelled} | {cycles} | {} | {} | {} | {} | {aifes} |",
            row.name,
            row.board,
            match (row.exponents, row.rounding) {
                (Some("dynamic"), Some(rounding)) => format!("{}, dynamic, {rounding}", row.dtype),
                (_, Some(rounding)) => format!("{}, {rounding}", row.dtype),
                _ => row.dtype.into(),
            },
            row.input,
            if row.optimizer == "none" { "predict" } else { row.optimizer },
            row.batch,
            if row.guarded { "yes" } else { "no" },
            row.instructions,
            row.ram_beyond_parameters_bytes,
            row.stack_bytes,
            row.code_bytes,
            row.training_code_bytes,
        );
    }
}
