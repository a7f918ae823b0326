//! `cargo xtask bench`: the tables of docs/benchmarks.md.

use crate::Result;

#[derive(clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_: &Arguments) -> Result<()> {
    Ok(())
}
