//! `milligrad export`

use super::Learning;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::grouped;
use clap::{Args, ValueEnum};
use milligrad_host::export::{self, Sections};
use milligrad_host::model_file;
use serde_json::json;
use std::path::PathBuf;

/// Print a model as source code for a firmware.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The model.
    model: PathBuf,
    /// The language.
    #[arg(long, value_enum, default_value = "rust")]
    format: Format,
    /// Where the source goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Another name for the model.
    #[arg(long)]
    name: Option<String>,
    /// The linker section of weights and all other constants.
    #[arg(long, value_name = "NAME")]
    weights_section: Option<String>,
    /// Add an arena in this linker section, to lend the network.
    #[arg(long, value_name = "NAME")]
    arena_section: Option<String>,
    #[command(flatten)]
    learning: Learning,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Rust,
}

impl Export {
    pub(crate) fn run(&self, output: &Output, seed: Option<u64>) -> Result<(), Failure> {
        let context = Context::new(&self.model, None)?;
        let mut program = self.learning.compile(&context.graph, seed)?;
        if let Some(name) = &self.name {
            program.name.clone_from(name);
        }
        let sections = Sections { weights: self.weights_section.clone(), arena: self.arena_section.clone() };
        let source = match self.format {
            Format::Rust => export::rust_with(&program, &sections)?,
        };
        model_file::write_atomically(&self.out, source.as_bytes())?;
        let analysis = program.analysis();
        output.note(format!(
            "wrote {}: constants {} B, RAM {} B",
            self.out.display(),
            grouped(analysis.constant_bytes),
            grouped(analysis.ram_bytes)
        ));
        output.object(json!({
            "name": program.name,
            "out": self.out,
            "learns": program.learning.is_some(),
            "constant_bytes": analysis.constant_bytes,
            "arena_bytes": analysis.arena_bytes,
            "ram_bytes": analysis.ram_bytes,
        }));
        Ok(())
    }
}
