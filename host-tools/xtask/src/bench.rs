//! `cargo xtask bench`: the tables of docs/benchmarks.md.

mod device;
mod models;

use crate::Result;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    table: Table,
}

#[derive(clap::Subcommand)]
enum Table {
    /// Instructions, memory and code of int8 models on an emulated Cortex-M4F, portable and packed
    Device(device::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.table {
        Table::Device(arguments) => device::run(arguments),
    }
}
