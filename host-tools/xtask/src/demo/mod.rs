//! `cargo xtask demo`: the main job, end to end. A network is trained on the desk, quantised, exported and built into a
//! firmware; an emulated Cortex-M4 gives the same bits for the whole test set, and then learns.

pub(crate) mod learning;
pub(crate) mod model;
mod report;

use crate::{Result, setup, stages::Stages};
use milligrad_board::{Board, board};
use report::Report;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to learn
    #[arg(long, value_enum, default_value = "digits")]
    data: Data,
    /// Board to emulate
    #[arg(long, default_value = "mps2-an386")]
    board: String,
    /// Seed of initial weights, order of samples, ...
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Only so many test samples go through the board
    #[arg(long)]
    samples: Option<usize>,
    /// Print one JSON object on stdout instead of the table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Data {
    /// UCI handwritten digits, part of milligrad
    Digits,
    /// Fashion-MNIST from Debian's package, or from $MILLIGRAD_DATA/fashion-mnist
    FashionMnist,
}

impl Data {
    fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::FashionMnist => "fashion-mnist",
        }
    }

    /// The specifications under `examples/`.
    fn specs(self) -> [&'static str; 2] {
        match self {
            Self::Digits => ["digits-mlp", "digits-cnn"],
            Self::FashionMnist => ["fashion-mlp", "fashion-cnn"],
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut stages = Stages::new();
    let emulated = board(&arguments.board)?;
    if !emulated.is_emulated() {
        return Err(format!("`{}` is no emulated board; try mps2-an386", emulated.name).into());
    }
    // Without an emulator or a compiler for it, the desk's part still runs.
    let missing = setup::run_stages(&mut stages, setup::DEMO).err();
    if let Some(missing) = &missing {
        eprintln!("{missing}\nGoing on with the desk's part.\n");
    }
    let target = missing.is_none().then_some(emulated);
    let report = make(arguments, target, &mut stages);
    stages.summary();
    let report = report?;
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{report}");
    }
    match missing {
        Some(missing) => Err(missing),
        None => report.verdict(),
    }
}

fn make(arguments: &Arguments, target: Option<&'static Board>, stages: &mut Stages) -> Result<Report> {
    let mut report = Report::new(arguments.data.name());
    let mut trained = Vec::new();
    for name in arguments.data.specs() {
        let model = model::train(name, arguments.seed, stages)?;
        report.models.push(model::quantized(&model, target, arguments.samples, stages)?);
        trained.push(model);
    }
    if let (Data::Digits, Some(target), [mlp, cnn]) = (arguments.data, target, &trained[..]) {
        report.learning = Some(learning::run(mlp, cnn, target, arguments.seed, stages)?);
    }
    Ok(report)
}
