//! `cargo xtask example`: what can be done with a device that learns.

mod imu;
mod watch;

use crate::{Result, setup, stages::Stages};
use milligrad_board::board;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[arg(value_enum)]
    name: Name,
    /// Board to emulate
    #[arg(long, default_value = "mps2-an386")]
    board: String,
    /// Seed of initial weights, order of samples, ...
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object on stdout instead of the table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Name {
    /// A wrist-worn sensor that recognises exercises meets somebody new
    Imu,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut stages = Stages::new();
    let target = board(&arguments.board)?;
    let missing = setup::run_stages(&mut stages, setup::DEMO).err();
    if let Some(missing) = &missing {
        eprintln!("{missing}\nGoing on with the desk's part.\n");
    }
    let target = missing.is_none().then_some(target);
    let outcome = match arguments.name {
        Name::Imu => imu::run(target, arguments.seed, &mut stages),
    };
    stages.summary();
    let outcome = outcome?;
    if arguments.json {
        println!("{}", outcome.json());
    } else {
        println!("{outcome}");
    }
    match missing {
        Some(missing) => Err(missing),
        None => outcome.verdict(),
    }
}
