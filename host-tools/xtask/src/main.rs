//! `cargo xtask`: set-up, the demo, the tests and the benchmarks, for people and for CI alike.

mod bench;
mod command;
mod demo;
mod example;
mod fuzz_tflite;
mod setup;
mod stages;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Result of a task; the message is for people.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set-up, demo, tests and benchmarks of milligrad")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the other tasks need (Debian, as root), or say how to get it
    Setup,
    /// Train, quantise, export, run and learn on an emulated Cortex-M4
    Demo(demo::Arguments),
    /// Run an example of learning on a board
    Example(example::Arguments),
    /// Run the labs of examples/course and check their figures: all but the two long ones, or those named; `--desk`
    /// leaves the emulated board out
    Course {
        /// Names of labs
        #[arg(allow_hyphen_values = true)]
        labs: Vec<String>,
    },
    /// Lint and test everything
    Test(test::Arguments),
    /// Compare random .tflite models with both interpreters, bit for bit
    FuzzTflite(fuzz_tflite::Arguments),
    /// Measure, and print the tables of docs/benchmarks.md
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Setup => setup::run(),
        Task::Demo(arguments) => demo::run(&arguments),
        Task::Example(arguments) => example::run(&arguments),
        Task::Course { labs } => course(&labs),
        Task::Test(arguments) => test::run(&arguments),
        Task::FuzzTflite(arguments) => fuzz_tflite::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(code(error.as_ref()))
        }
    }
}

/// The labs are a program of their own, which the code of a lab is part of.
fn course(labs: &[String]) -> Result<()> {
    let mut command = command::cargo(&["run", "--release", "--quiet", "-p", "milligrad-course", "--"]);
    match command.args(labs).status()? {
        status if status.success() => Ok(()),
        status => Err(format!("the course ended with {status}").into()),
    }
}

/// 2 for what the user can mend in files and flags, 3 for what is missing on the machine or went wrong on a board.
fn code(error: &(dyn std::error::Error + 'static)) -> u8 {
    if error.is::<milligrad_board::Error>() || error.is::<setup::Missing>() {
        3
    } else if error.is::<milligrad_host::Error>() {
        2
    } else {
        1
    }
}
