//! `milligrad validate --dump-layers`: every tensor of a model, and where two dumps part.

use crate::failure::Failure;
use crate::output::Output;
use clap::Args;
use milligrad_host::data::npz::Npz;
use milligrad_host::{Dump, Program, model_file};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Layers {
    /// Write the output of every layer to an NPZ file, an array for each layer, sample after sample.
    #[arg(long, value_name = "NPZ")]
    dump_layers: Option<PathBuf>,
    /// Name the first layer whose output differs from that of a dump.
    #[arg(long, value_name = "NPZ")]
    against: Option<PathBuf>,
}

impl Layers {
    /// The name of the first layer that differs, if one is to be looked for.
    pub(crate) fn run(
        &self,
        program: &Program,
        inputs: &[u8],
        output: &Output,
    ) -> Result<Option<String>, Failure> {
        if self.dump_layers.is_none() && self.against.is_none() {
            return Ok(None);
        }
        let dump = Dump::new(program, inputs)?;
        if let Some(path) = &self.dump_layers {
            model_file::write_atomically(path, &dump.to_npz()?)?;
            output.note(format!("wrote {}: {} layers", path.display(), dump.layers.len()));
        }
        let Some(path) = &self.against else { return Ok(None) };
        let difference = dump.first_difference(&Npz::read(path)?);
        match &difference {
            Some(difference) => {
                output.result(format!("{} against {}: {difference}", program.name, path.display()))
            }
            None => {
                output.result(format!("{} against {}: all layers are equal", program.name, path.display()))
            }
        }
        Ok(difference.map(|difference| difference.layer))
    }
}
