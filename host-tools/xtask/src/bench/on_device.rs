//! `cargo xtask bench on-device`: how well the device's kernels train, in floats and in 16-bit fixed point.

use crate::command::root;
use crate::demo::learning::replay;
use crate::demo::model::labels;
use crate::{Result, stages::Stages};
use milligrad::{Schedule, Sgd};
use milligrad_board::{Firmware, ModelSource, TrainPlan, board};
use milligrad_host::data::{Dataset, Split, shuffled};
use milligrad_host::spec::Spec;
use milligrad_host::{
    CompileOptions, FixedExponents, FixedPoint, FixedRounding, Graph, Layers, Learn, OptimizerKind, Program,
    Rule, Runner, export,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Only this model: digits-mlp or fashion-mlp
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Seeds from 0 on
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Only this type: f32 or int16
    #[arg(long, value_name = "TYPE")]
    dtype: Option<String>,
    /// Take the first steps on this emulated board, too, and compare every parameter with the desk's
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
}

/// A model of the table, and how it is trained: one sample a step, plain descent, from random weights.
struct Task {
    model: &'static str,
    epochs: u64,
    /// A power of two, for both types.
    rate: f32,
    /// How it falls from step to step: not within an epoch.
    schedule: Schedule,
    /// The most steps of the proof on a board.
    proof: usize,
}

const TASKS: [Task; 2] = [
    Task {
        model: "digits-mlp",
        epochs: 20,
        rate: 1.0 / 32.0,
        schedule: Schedule::Constant,
        proof: usize::MAX,
    },
    Task {
        model: "fashion-mlp",
        epochs: 4,
        rate: 1.0 / 128.0,
        schedule: Schedule::Step { steps: 60_000, factor: 0.5 },
        proof: 2000,
    },
];

/// Types, how their updates are rounded, and where their exponents come from.
const KINDS: [(&str, Option<(FixedRounding, FixedExponents)>); 5] = [
    ("f32", None),
    ("int16, nearest", Some((FixedRounding::Nearest, FixedExponents::Static))),
    ("int16, stochastic", Some((FixedRounding::Stochastic, FixedExponents::Static))),
    ("int16, dynamic, nearest", Some((FixedRounding::Nearest, FixedExponents::Dynamic))),
    ("int16, dynamic, stochastic", Some((FixedRounding::Stochastic, FixedExponents::Dynamic))),
];

/// A row of the table.
#[derive(serde::Serialize)]
struct Row {
    model: &'static str,
    dtype: &'static str,
    epochs: u64,
    /// Of the first step.
    learning_rate: f32,
    /// Share of right answers on the test part, seed by seed.
    accuracy: Vec<f64>,
    mean: f64,
    /// Numbers that saturated in all training steps of all seeds: activations, deltas, weights.
    saturated: [u64; 3],
    /// Steps on the board, and parameters that differ from the desk's after them.
    board_steps: Option<usize>,
    board_differing: Option<usize>,
}

pub(super) fn run(arguments: &Arguments, stages: &mut Stages) -> Result<()> {
    let mut rows = Vec::new();
    for task in TASKS.iter().filter(|task| arguments.model.as_deref().is_none_or(|only| only == task.model)) {
        let spec = Spec::read(root().join("examples").join(task.model).with_extension("toml"))?;
        let data = stages.stage(&format!("{}: data", task.model), || spec.load_data())?;
        let wanted =
            |name: &str| arguments.dtype.as_deref().is_none_or(|only| name.split(',').next() == Some(only));
        for (name, kind) in KINDS.into_iter().filter(|(name, _)| wanted(name)) {
            let row = stages.stage(&format!("{}: {name}", task.model), || {
                measure(task, name, kind, &spec, &data, arguments)
            })?;
            eprintln!("    {name}: {}", list(&row.accuracy));
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return Err("nothing to train: models are digits-mlp and fashion-mlp, types f32 and int16".into());
    }
    if arguments.json {
        println!("{}", serde_json::json!({ "schema": 1, "rows": rows }));
    } else {
        table(&rows);
    }
    match rows.iter().any(|row| row.board_differing.is_some_and(|differing| differing > 0)) {
        true => Err("the board's parameters differ from the desk's".into()),
        false => Ok(()),
    }
}

/// The untrained network as a program that learns.
fn program(graph: &Graph, kind: Option<(FixedRounding, FixedExponents)>, seed: u64) -> Result<Program> {
    let fixed = kind.map(|(rounding, exponents)| FixedPoint { rounding, seed: seed as u32, exponents });
    let learn = Some(Learn { fixed, ..Learn::new(Layers::All, OptimizerKind::Sgd) });
    Ok(Program::compile(graph, &CompileOptions { learn, ..Default::default() })?)
}

fn rule(program: &Program, rate: f32) -> Rule {
    program.fixed_point().map_or(Rule::Sgd(Sgd::new(rate)), |fixed| fixed.rule(rate))
}

fn measure(
    task: &Task,
    name: &'static str,
    kind: Option<(FixedRounding, FixedExponents)>,
    spec: &Spec,
    data: &Split,
    arguments: &Arguments,
) -> Result<Row> {
    let (mut accuracy, mut saturated) = (Vec::new(), [0; 3]);
    let (mut board_steps, mut board_differing) = (None, None);
    for seed in 0..arguments.seeds {
        let graph = spec.graph(&data.train.classes, seed)?;
        let program = program(&graph, kind, seed)?;
        let mut runner = program.runner();
        let epochs = (0..task.epochs).map(|epoch| shuffled(data.train.len(), seed * 1000 + epoch));
        let epochs: Vec<_> = epochs.collect();
        take(task, &mut runner, &program, &data.train, &epochs)?;
        let counts = runner.saturation();
        for (sum, count) in saturated.iter_mut().zip([counts.activations, counts.deltas, counts.weights]) {
            *sum += u64::from(count);
        }
        let mut outputs = Vec::new();
        for sample in 0..data.test.len() {
            outputs.extend(runner.output(&program.encode_input(data.test.input(sample)))?);
        }
        accuracy.push(program.accuracy(&outputs, labels(&data.test)?));
        if let (Some(board), 0) = (&arguments.board, seed) {
            let mut epochs = epochs;
            let mut left = task.proof;
            for order in &mut epochs {
                order.truncate(left);
                left -= order.len();
            }
            board_steps = Some(epochs.iter().map(Vec::len).sum());
            board_differing = Some(proof(task, &program, &data.train, &epochs, board)?);
        }
    }
    let mean = accuracy.iter().sum::<f64>() / accuracy.len().max(1) as f64;
    Ok(Row {
        model: task.model,
        dtype: name,
        epochs: task.epochs,
        learning_rate: task.rate,
        accuracy,
        mean,
        saturated,
        board_steps,
        board_differing,
    })
}

/// Takes the steps of some epochs on the desk.
fn take(
    task: &Task,
    runner: &mut Runner<'_>,
    program: &Program,
    data: &Dataset,
    epochs: &[Vec<usize>],
) -> Result<()> {
    let mut step = 0;
    for order in epochs {
        let rate = task.rate * task.schedule.factor(step);
        replay(runner, program, data, order, &rule(program, rate))?;
        step += order.len() as u32;
    }
    Ok(())
}

/// Takes steps on a board and on the desk; returns how many parameters differ.
fn proof(
    task: &Task,
    program: &Program,
    data: &Dataset,
    epochs: &[Vec<usize>],
    target: &str,
) -> Result<usize> {
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join("proof.rs");
    std::fs::write(&path, export::rust(program)?)?;
    let firmware = Firmware::build(board(target)?, &[ModelSource::learning("proof", path)])?;
    let mut steps = Vec::new();
    for &sample in epochs.iter().flatten() {
        steps.extend(program.encode_input(data.input(sample)));
        steps.push(u8::try_from(labels(data)?[sample])?);
    }
    let (learning_rate, schedule) = (task.rate, task.schedule);
    let plan = TrainPlan { steps: &steps, learning_rate, schedule, ..TrainPlan::default() };
    let theirs = firmware.train("proof", &plan)?.parameters;
    let mut runner = program.runner();
    take(task, &mut runner, program, data, epochs)?;
    let ours = runner.parameters();
    let differing = theirs.iter().zip(ours.iter()).map(|((_, board), desk)| {
        let pairs = board.iter().zip(desk).filter(|(board, desk)| board.to_bits() != desk.to_bits());
        pairs.count() + board.len().abs_diff(desk.len())
    });
    Ok(differing.sum::<usize>() + theirs.len().abs_diff(ours.len()))
}

fn list(accuracy: &[f64]) -> String {
    accuracy.iter().map(|value| format!("{:.2}", 100.0 * value)).collect::<Vec<_>>().join(" ")
}

fn table(rows: &[Row]) {
    println!(
        "| model | type | epochs | rate | test accuracy, seeds from 0 | mean | saturated: activations, deltas, weights | on the board |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for row in rows {
        let proof = match (row.board_steps, row.board_differing) {
            (Some(steps), Some(differing)) => format!("{steps} steps, {differing} parameters differ"),
            _ => "-".into(),
        };
        let [activations, deltas, weights] = row.saturated;
        println!(
            "| {} | {} | {} | {} | {} | **{:.2} %** | {activations}, {deltas}, {weights} | {proof} |",
            row.model,
            row.dtype,
            row.epochs,
            row.learning_rate,
            list(&row.accuracy),
            100.0 * row.mean,
        );
    }
}
