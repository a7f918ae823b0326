//! `cargo xtask bench`: the tables of docs/benchmarks.md, as Markdown on stdout.

mod accuracy;
mod device;
mod golden;
mod host;
mod kernels;
mod models;
mod on_device;
mod training;

use crate::{Result, stages::Stages};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    table: Table,
}

#[derive(clap::Subcommand)]
enum Table {
    /// Test accuracy of the example models and the course's first labs over seeds: f32, int8, and int8 trained for it
    Accuracy {
        /// How many seeds
        #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
        seeds: u64,
        /// The first of them
        #[arg(long, value_name = "SEED", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1_000_000))]
        first_seed: u64,
        /// Only these models, by their names under examples/, such as course/lab02
        models: Vec<String>,
    },
    /// Instructions, flash, RAM and stack of the example models on emulated boards, then the table of `kernels`
    Device {
        /// Only these boards
        #[arg(long)]
        board: Vec<String>,
        /// The table of `kernels` alone, as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Training on the desk beside Keras, PyTorch, JAX and NumPy; writes the table into docs/benchmarks.md
    Host(host::Arguments),
    /// The same of the MLPerf Tiny models and the spine's MLP, portable and packed for the Cortex-M4F
    Kernels(kernels::Arguments),
    /// Test accuracy after training with the device's kernels, in f32 and in 16-bit fixed point, over seeds
    OnDevice(on_device::Arguments),
    /// Training steps on emulated boards, beside AIfES
    Training(training::Arguments),
    /// Golden values of .tflite models on the desk and on emulated boards, in both conventions
    Golden(golden::Arguments),
}

/// The example models.
const MODELS: [&str; 4] = ["digits-mlp", "digits-cnn", "fashion-mlp", "fashion-cnn"];

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut stages = Stages::new();
    let result = match &arguments.table {
        Table::Accuracy { models, seeds, first_seed } => {
            accuracy::run(models, *first_seed..first_seed + seeds, &mut stages)
        }
        Table::Device { json: true, .. } => kernels::run(&kernels::Arguments::json()),
        Table::Device { board, .. } => {
            device::run(board, &mut stages).and_then(|()| kernels::run(&Default::default()))
        }
        Table::Host(arguments) => host::run(arguments, &mut stages),
        Table::Kernels(arguments) => kernels::run(arguments),
        Table::OnDevice(arguments) => on_device::run(arguments, &mut stages),
        Table::Training(arguments) => training::run(arguments),
        Table::Golden(arguments) => golden::run(arguments, &mut stages),
    };
    stages.summary();
    result
}
