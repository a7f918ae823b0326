//! `milligrad flash`

use super::Learning;
use super::validate::Folder;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use clap::Args;
use milligrad_board::{board, build_example};
use serde_json::json;
use std::path::PathBuf;
use std::process::Command;

/// Put a model on a real board.
#[derive(Debug, Args)]
pub(crate) struct Flash {
    /// The model.
    #[arg(required_unless_present = "example")]
    model: Option<PathBuf>,
    /// Flash the example with its own model.
    #[arg(long, conflicts_with = "model")]
    example: bool,
    /// The board.
    #[arg(long, value_name = "BOARD")]
    board: String,
    /// Build and print the command, but don't run it.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    learning: Learning,
}

impl Flash {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let board = board(&self.board)?;
        let Some(chip) = board.chip else {
            return Err(Failure::usage(format!(
                "{board} exists only in QEMU: use `milligrad validate --on {}` or `milligrad profile`",
                board.name
            )));
        };
        let folder = Folder::new()?;
        let mut models = Vec::new();
        if let Some(model) = &self.model {
            models.push(folder.model(&self.learning.compile(&Context::new(model, None)?.graph)?)?);
        }
        output.note(format!("building for {board}"));
        let elf = build_example(board, &models)?;
        let elf = elf.to_string_lossy();
        let command = ["probe-rs", "run", "--chip", chip, &elf];
        output.result(command.join(" "));
        if !self.dry_run {
            let status = Command::new(command[0]).args(&command[1..]).status().map_err(|e| {
                Failure::device(format!(
                    "can't run probe-rs: {e}; get it from https://probe.rs/docs/getting-started/installation or with \
                     `cargo install probe-rs-tools`. Without a board: `milligrad validate --on qemu`"
                ))
            })?;
            if !status.success() {
                return Err(Failure::device(format!(
                    "probe-rs failed ({status}); `probe-rs list` shows the probes that it sees"
                )));
            }
        }
        output.object(json!({
            "board": board.name,
            "chip": chip,
            "elf": elf,
            "command": command,
            "ran": !self.dry_run,
        }));
        Ok(())
    }
}
