//! `cargo xtask bench golden`: every golden value of the .tflite models, on emulated boards and on the desk, in both conventions.

use crate::Result;
use crate::command::root;
use crate::stages::Stages;
use milligrad::{Core, Rounding};
use milligrad_board::{Board, Firmware, ModelSource, board};
use milligrad_host::data::{Vectors, npz::Npz};
use milligrad_host::import::tflite;
use milligrad_host::{CompileOptions, Graph, Program, export};
use std::path::PathBuf;
use std::time::Duration;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Models to compare; all without it
    models: Vec<String>,
    /// Only these boards, or `host`
    #[arg(long)]
    board: Vec<String>,
    /// Compare the first N samples of each model instead of all
    #[arg(long, value_name = "N")]
    samples: Option<usize>,
}

/// Where the desk and all of the boards' cores are.
const PLACES: [&str; 7] =
    ["host", "mps2-an386", "mps2-an385", "mps2-an500", "mps2-an505", "mps3-an547", "riscv32-virt"];

/// Both conventions.
const CONVENTIONS: [(&str, Rounding); 2] = [("tflm", Rounding::Double), ("tflite", Rounding::Single)];

struct Golden {
    name: String,
    graph: Graph,
    vectors: Npz,
}

/// A model's program with its vectors.
struct Case {
    program: Program,
    inputs: Vec<u8>,
    expected: Vec<u8>,
}

pub(crate) fn run(arguments: &Arguments, stages: &mut Stages) -> Result<()> {
    let models = load(&arguments.models)?;
    println!("| where | core | convention | models | packed layers | samples | values | mismatches |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut wrong = Vec::new();
    for place in PLACES {
        if !arguments.board.is_empty() && !arguments.board.iter().any(|only| only == place) {
            continue;
        }
        for (convention, rounding) in CONVENTIONS {
            let target = if place == "host" { None } else { Some(board(place)?) };
            let packs = target.is_none_or(|board| board.target.starts_with("thumbv7em"));
            let core = if packs { Core::Armv7em } else { Core::Portable };
            let cases = cases(&models, rounding, core, arguments.samples)?;
            let label = format!("{convention} on {place}");
            let (values, mismatches) =
                stages.stage(&label, || compare(target, &label, &cases, &mut wrong))?;
            let packed = cases.iter().flat_map(|case| &case.program.steps);
            let packed =
                packed.filter(|step| matches!(step.kernel, milligrad_host::program::Kernel::Packed(_)));
            let samples: usize = cases.iter().map(|c| c.inputs.len() / c.program.input_bytes()).sum();
            println!(
                "| {place} | {} | {convention} | {} | {} | {samples} | {values} | {mismatches} |",
                target.map_or("-".into(), |board| board.core.to_string()),
                cases.len(),
                packed.count(),
            );
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

fn load(only: &[String]) -> Result<Vec<Golden>> {
    let folders = ["tests/golden/tflite", "../shared/models/mlperf-tiny", "../shared/models/ops"];
    let mut paths = Vec::new();
    for folder in folders.map(|folder| root().join(folder)) {
        match std::fs::read_dir(&folder) {
            Ok(entries) => paths.extend(entries.flatten().map(|entry| entry.path())),
            Err(_) => eprintln!("{} is not here: its models are skipped", folder.display()),
        }
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tflite"));
    paths.sort();
    let name = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    paths.retain(|path| only.is_empty() || only.contains(&name(path)));
    let golden = |path: &PathBuf| {
        let vectors = Npz::read(&path.with_extension("npz"))?;
        Ok(Golden { name: name(path), graph: tflite::load(path)?, vectors })
    };
    let models: Vec<_> = paths.iter().map(golden).collect::<Result<_>>()?;
    if models.is_empty() { Err("there is no such model".into()) } else { Ok(models) }
}

/// The programs of the models that have an answer in this convention. Where one interpreter has none, the other's counts, as
/// long as the conventions differ in no layer of the model.
fn cases(models: &[Golden], rounding: Rounding, core: Core, samples: Option<usize>) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for model in models {
        let dense = model.graph.nodes.iter().any(|node| matches!(node.op, milligrad_host::Op::Dense { .. }));
        if !Vectors::answered(&model.vectors, rounding) && (dense || rounding == Rounding::Single) {
            continue;
        }
        let options = CompileOptions { rounding, core, learn: None };
        let mut program = Program::compile(&model.graph, &options)?;
        program.name = model.name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let vectors = Vectors::of(&program, &model.vectors, rounding)?.take(samples.unwrap_or(usize::MAX));
        let Vectors { inputs, outputs: expected, .. } = vectors;
        cases.push(Case { program, inputs, expected });
    }
    Ok(cases)
}

/// Values compared, and how many of them differ; `wrong` says where.
fn compare(
    target: Option<&'static Board>,
    label: &str,
    cases: &[Case],
    wrong: &mut Vec<String>,
) -> Result<(usize, usize)> {
    let (mut values, mut mismatches) = (0, 0);
    let mut check = |case: &Case, outputs: &[u8]| {
        let differing = outputs.iter().zip(&case.expected).filter(|(a, b)| a != b).count()
            + outputs.len().abs_diff(case.expected.len());
        values += case.expected.len();
        mismatches += differing;
        if differing > 0 {
            let (name, len) = (&case.program.name, case.expected.len());
            wrong.push(format!("{name} ({label}): {differing} of {len} values differ"));
        }
    };
    let Some(target) = target else {
        for case in cases {
            check(case, &case.program.outputs(&case.inputs)?);
        }
        return Ok((values, mismatches));
    };
    for group in groups(cases, target) {
        let firmware =
            Firmware::build(target, &sources(group, label)?)?.with_limit(Duration::from_secs(1200));
        for case in group {
            check(case, &firmware.predict(&case.program.name, &case.inputs)?.outputs);
        }
    }
    Ok((values, mismatches))
}

/// As many models in one firmware as half of the board holds.
fn groups<'a>(cases: &'a [Case], target: &Board) -> Vec<&'a [Case]> {
    let (mut groups, mut start) = (Vec::new(), 0);
    let (mut flash, mut ram) = (0, 0);
    for (index, case) in cases.iter().enumerate() {
        let analysis = case.program.analysis();
        flash += analysis.constant_bytes;
        ram += analysis.ram_bytes;
        let full = flash > target.flash_bytes as usize / 2 || ram > target.ram_bytes as usize / 2;
        if full && index > start {
            groups.push(&cases[start..index]);
            (start, flash, ram) = (index, analysis.constant_bytes, analysis.ram_bytes);
        }
    }
    groups.push(&cases[start..]);
    groups
}

fn sources(cases: &[Case], label: &str) -> Result<Vec<ModelSource>> {
    let folder = root().join("target/bench").join(format!("golden-{}", label.replace(' ', "-")));
    std::fs::create_dir_all(&folder)?;
    let source = |case: &Case| {
        let path = folder.join(&case.program.name).with_extension("rs");
        std::fs::write(&path, export::rust(&case.program)?)?;
        Ok(ModelSource::new(&case.program.name, path))
    };
    cases.iter().map(source).collect()
}
