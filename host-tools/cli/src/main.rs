//! The `milligrad` command: from a model specification to a microcontroller.
//!
//! Every command takes `--json`, which puts exactly one JSON object on standard output; what is meant for people
//! goes to standard error then. Exit codes: 0 fine, 1 a check failed or training diverged, 2 usage, configuration or data, 3 board, probe
//! or emulator, 130 interrupted.

mod charts;
mod commands;
mod context;
mod failure;
mod output;
mod progress;
mod table;

use clap::{Args, Parser, Subcommand};
use output::Output;
use std::process::ExitCode;

/// Trains neural networks, makes them int8, and runs them on microcontrollers, real or emulated.
#[derive(Debug, Parser)]
#[command(name = "milligrad", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Print one JSON object on standard output.
    #[arg(long, global = true)]
    json: bool,
    /// Decides everything that is random.
    #[arg(long, global = true, value_name = "N")]
    seed: Option<u64>,
    /// Print nothing but errors and results.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print more.
    #[arg(short, long, global = true)]
    verbose: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Report on data: ranges, missing values, classes, correlations, parts.
    Data(commands::data::Data),
    /// Train the model of a specification.
    Train(commands::train::Train),
    /// Find a learning rate.
    LrFind(commands::lr_find::LrFind),
    /// Try variants of a specification, and compare accuracy with what they cost on a device.
    Sweep(commands::sweep::SweepCommand),
    /// Measure a model on the test part: loss and all metrics.
    Eval(commands::eval::Eval),
    /// Let a model answer raw inputs.
    Predict(commands::predict::Predict),
    /// Show the layers of a model, and what they cost.
    Summary(commands::summary::Summary),
    /// Make a trained model int8.
    Quantize(commands::quantize::Quantize),
    /// Let a model learn as a device does, and keep what it learned.
    Learn(commands::learn::Learn),
    /// Show what every layer costs, before anything is flashed.
    Analyze(commands::analyze::Analyze),
    /// Print a model as source code for a firmware.
    Export(commands::export::Export),
    /// Compare all outputs of a model with golden vectors, or those of a board with those of the desk.
    Validate(commands::validate::Validate),
    /// Count a model's instructions on an emulated board, layer by layer.
    Profile(commands::profile::Profile),
    /// List the operators of .tflite files that are known.
    Ops(commands::ops::Ops),
    /// Put a model on a real board.
    Flash(commands::flash::Flash),
    /// Show what is installed, what is missing, and how to get it.
    Doctor(commands::doctor::Doctor),
}

/// The end where the arguments are not understood, or ask for help; with `--json` among them a problem is an object, too.
fn refused(problem: &clap::Error) -> ! {
    if problem.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let text = problem.render().to_string();
        Output::new(true, false, false)
            .object(serde_json::json!({ "error": text.trim_start_matches("error: ").trim_end() }));
    }
    problem.exit()
}

fn main() -> ExitCode {
    let Cli { command, common } = Cli::try_parse().unwrap_or_else(|problem| refused(&problem));
    let output = Output::new(common.json, common.quiet, common.verbose);
    let result = match &command {
        Command::Data(data) => data.run(&output),
        Command::Train(train) => train.run(&output, common.seed),
        Command::LrFind(find) => find.run(&output, common.seed),
        Command::Sweep(sweep) => sweep.run(&output, common.seed),
        Command::Eval(eval) => eval.run(&output),
        Command::Predict(predict) => predict.run(&output),
        Command::Summary(summary) => summary.run(&output),
        Command::Quantize(quantize) => quantize.run(&output, common.seed),
        Command::Learn(learn) => learn.run(&output, common.seed),
        Command::Analyze(analyze) => analyze.run(&output),
        Command::Export(export) => export.run(&output, common.seed),
        Command::Validate(validate) => validate.run(&output),
        Command::Profile(profile) => profile.run(&output),
        Command::Ops(ops) => ops.run(&output),
        Command::Flash(flash) => flash.run(&output),
        Command::Doctor(doctor) => doctor.run(&output),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.fail(&failure),
    }
}
