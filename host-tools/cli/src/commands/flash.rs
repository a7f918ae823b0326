//! `milligrad flash`

use super::validate::Folder;
use super::{Trainable, layers};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use clap::Args;
use milligrad_board::{ModelSource, board, build_example};
use milligrad_host::{CompileOptions, Learn, OptimizerKind, Program};
use serde_json::json;
use std::path::{Path, PathBuf};
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
    /// Layers with weights that learn on the board: all, last:N or none.
    #[arg(long, value_name = "LAYERS", default_value = "none", value_parser = layers)]
    trainable: Trainable,
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
        let models = match &self.model {
            Some(model) => self.models(model, board.name, &folder)?,
            None => Vec::new(),
        };
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

    /// The models of the example, with the user's in the place of one of them.
    fn models(&self, model: &Path, board: &str, folder: &Folder) -> Result<Vec<ModelSource>, Failure> {
        let graph = Context::new(model, None)?.graph;
        let learn = self.trainable.0.clone().map(|layers| Learn::new(layers, OptimizerKind::Sgd));
        let program =
            Program::compile(&graph, &CompileOptions { learn: learn.clone(), ..CompileOptions::default() })?;
        let fits =
            graph.input_len() == PIXELS && graph.labels.len() == CLASSES && graph.output_len() == CLASSES;
        if !fits || (learn.is_none() && program.output().quantization.is_none()) {
            return Err(Failure::usage(format!(
                "the example firmware shows images of {PIXELS} pixels to an int8 model of {CLASSES} classes, or to one \
                 that learns (--trainable), and `{}` is none: `milligrad export` it into a firmware of your own; \
                 firmware/{board} is one to start from",
                graph.name
            )));
        }
        let own = milligrad_board::sources::root()?.join("firmware").join(board).join("models");
        let ours = folder.model(&program)?.path;
        Ok(if learn.is_some() {
            vec![ModelSource::new(PREDICTS, own.join("digits.rs")), ModelSource::learning(LEARNS, ours)]
        } else {
            vec![
                ModelSource::new(PREDICTS, ours),
                ModelSource::learning(LEARNS, own.join("digits_learning.rs")),
            ]
        })
    }
}

/// What the example firmware shows to its models.
const PIXELS: usize = 64;
const CLASSES: usize = 10;

/// Names of the example's models.
const PREDICTS: &str = "digits";
const LEARNS: &str = "digits-learning";
