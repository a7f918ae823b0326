//! `cargo xtask bench host`: training on the desk beside Keras, PyTorch, JAX and NumPy.
//!
//! Every trainer is a process of its own that is told a network, a batch, a number of epochs and of threads, trains on
//! Fashion-MNIST, and prints its seconds. The peers are the Python files in `peers/`. All trainers take their turn at a
//! task before it is repeated, so that a machine that becomes slower or faster does so for all.

mod peers;
mod scaling;
mod table;

use crate::command::{cargo, root};
use crate::{Result, stages::Stages};
use milligrad_host::data::idx;
use peers::Framework;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::{Command, Stdio};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Trainers to run; without it, milligrad and what $MILLIGRAD_ORACLE has. A peer that is named but not there is
    /// installed into target/peers (PyTorch is a download of several GB)
    #[arg(long, value_enum, value_delimiter = ',')]
    frameworks: Vec<Framework>,
    /// Epochs of a run, the first of which does not count
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(2..))]
    epochs: u32,
    /// Runs of each trainer
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only this network; leaves docs/benchmarks.md as it is
    #[arg(long, value_parser = ["lab01", "cnn"])]
    only: Option<String>,
    /// Print one JSON object on stdout instead of the table
    #[arg(long)]
    json: bool,
}

/// What everybody trains: Lab 01 (784-128-10) and a small convolutional network, with Adam.
const TASKS: [(&str, u32); 3] = [("lab01", 32), ("lab01", 256), ("cnn", 64)];
const THREADS: [u32; 2] = [1, 2];

/// A trainer at a task.
#[derive(Debug, Clone, Serialize)]
struct Row {
    name: &'static str,
    framework: Framework,
    threads: u32,
    batch: u32,
    cpu_seconds_per_epoch: f64,
    seconds_per_epoch: f64,
    test_accuracy: f64,
}

/// What a trainer prints.
#[derive(Deserialize)]
struct Report {
    version: String,
    seconds: Vec<f64>,
    cpu_seconds: Vec<f64>,
    test_accuracy: f64,
}

pub(super) fn run(arguments: &Arguments, stages: &mut Stages) -> Result<()> {
    let data = idx::fashion_mnist_folder()?;
    let trainers = stages.stage("trainers", || trainers(&arguments.frameworks))?;
    let tasks =
        TASKS.into_iter().filter(|(name, _)| arguments.only.as_deref().is_none_or(|only| only == *name));
    let (mut rows, mut scalings, mut versions, load) = (Vec::new(), Vec::new(), Vec::new(), table::load());
    let ours = trainers.iter().find(|(framework, _)| *framework == Framework::Milligrad);
    for (name, batch) in tasks {
        for threads in THREADS {
            let stage = format!("{name}, batch {batch}, {threads} threads (load {})", table::load());
            stages.stage(&stage, || -> Result<()> {
                let able: Vec<_> = trainers.iter().filter(|(framework, _)| framework.can(name)).collect();
                let mut reports: Vec<Vec<Report>> = able.iter().map(|_| Vec::new()).collect();
                let (task, mut ceilings) = ((name, batch, threads), Vec::new());
                for round in 0..arguments.rounds {
                    if let Some((_, program)) = ours.filter(|_| threads > 1) {
                        let rounds = (arguments.epochs, round);
                        ceilings.push(scaling::Ceiling::measure(program, task, rounds, &data)?);
                    }
                    for ((_, program), reports) in able.iter().zip(&mut reports) {
                        reports.push(program.run(name, batch, threads, arguments.epochs, round, &data)?);
                    }
                }
                for ((framework, _), reports) in able.into_iter().zip(reports) {
                    versions.push(reports[0].version.clone());
                    rows.push(row((name, *framework, batch, threads), &reports));
                    if *framework == Framework::Milligrad && !ceilings.is_empty() {
                        scalings.push(scaling::scaling(task, &ceilings, &reports));
                    }
                }
                Ok(())
            })?;
        }
    }
    versions.sort();
    versions.dedup();
    let text = table::markdown(&rows, &scalings, &versions, &[load, table::load()]);
    if arguments.only.is_none() {
        table::write(&text)?;
    }
    if arguments.json {
        println!("{}", serde_json::json!({ "schema": 1, "rows": rows, "scaling": scalings }));
    } else {
        println!("{text}");
    }
    Ok(())
}

/// Medians over all epochs but the first of each run.
fn row((name, framework, batch, threads): (&'static str, Framework, u32, u32), reports: &[Report]) -> Row {
    let middle = |of: fn(&Report) -> &[f64]| {
        median(reports.iter().flat_map(|report| of(report).iter().skip(1)).copied())
    };
    Row {
        name,
        framework,
        threads,
        batch,
        cpu_seconds_per_epoch: middle(|report| &report.cpu_seconds),
        seconds_per_epoch: middle(|report| &report.seconds),
        test_accuracy: reports.iter().map(|report| report.test_accuracy).sum::<f64>() / reports.len() as f64,
    }
}

/// Of at least one value.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}

/// How a trainer is started.
enum Program {
    /// The example `train_speed` of milligrad-host, built.
    Milligrad,
    /// A Python and a file of `peers/`.
    Peer { python: String, file: &'static str },
}

/// Those that were asked for, ready to run.
fn trainers(wanted: &[Framework]) -> Result<Vec<(Framework, Program)>> {
    let all = [Framework::Milligrad, Framework::Jax, Framework::Keras, Framework::Torch, Framework::Numpy];
    let mut trainers = Vec::new();
    for framework in all {
        let named = wanted.contains(&framework);
        if !named && !wanted.is_empty() {
            continue;
        }
        let program = match framework.file() {
            None => {
                let build = ["build", "--release", "-p", "milligrad-host", "--example", "train_speed"];
                crate::command::execute(&mut cargo(&build))?;
                Some(Program::Milligrad)
            }
            Some(file) => peers::python(framework, named)?.map(|python| Program::Peer { python, file }),
        };
        match program {
            Some(program) => trainers.push((framework, program)),
            None => eprintln!("    left out, as it is not installed: {framework}"),
        }
    }
    Ok(trainers)
}

impl Program {
    fn run(
        &self,
        name: &str,
        batch: u32,
        threads: u32,
        epochs: u32,
        seed: u32,
        data: &Path,
    ) -> Result<Report> {
        let [batch, threads, epochs, seed] = [batch, threads, epochs, seed].map(|number| number.to_string());
        let mut command = match self {
            Self::Milligrad => {
                let mut command = Command::new(peers::target().join("release/examples/train_speed"));
                command.args([name, &batch, &epochs, &threads, &seed]);
                command
            }
            Self::Peer { python, file } => {
                let mut command = Command::new(python);
                command
                    .arg(root().join("host-tools/xtask/peers").join(file))
                    .arg(name)
                    .arg("--data")
                    .arg(data);
                command.args([
                    "--batch",
                    &batch,
                    "--epochs",
                    &epochs,
                    "--threads",
                    &threads,
                    "--seed",
                    &seed,
                ]);
                command
            }
        };
        let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{self}: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let report = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
        report.filter(|report: &Report| output.status.success() && report.seconds.len() > 1).ok_or_else(
            || {
                let said = String::from_utf8_lossy(&output.stderr);
                format!("{self} gave no result for {name}: {}", said.lines().last().unwrap_or_default())
                    .into()
            },
        )
    }
}

impl std::fmt::Display for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Milligrad => f.write_str("train_speed"),
            Self::Peer { python, file } => write!(f, "{python} {file}"),
        }
    }
}
