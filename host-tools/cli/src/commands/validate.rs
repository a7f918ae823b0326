//! `milligrad validate`

use super::layers::Layers;
use super::{Convention, RoundingName};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::grouped;
use clap::Args;
use milligrad::Core;
use milligrad_board::{Firmware, ModelSource, board};
use milligrad_host::data::Vectors;
use milligrad_host::{Program, export};
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// Compare all outputs of a model with golden vectors, or those of a board with those of the desk.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// The model.
    model: PathBuf,
    /// Golden vectors: an NPZ file with the arrays `input` and `output` (and `output_tflm`, where that differs), sample
    /// after sample; `input_0`, `input_1`, ..., `output_0`, `output_tflm_0`, ... or the names of the model's inputs and
    /// outputs where there are several. Floats are raw inputs and real outputs; int8 are what an int8 model takes and
    /// gives.
    #[arg(long, value_name = "NPZ")]
    golden: Option<PathBuf>,
    /// What computes: host (the device's kernels on the desk) or a board, such as qemu.
    #[arg(long, value_name = "host|BOARD", default_value = "host")]
    on: String,
    /// Compare the first N samples of the test part instead of all.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    samples: Option<u32>,
    /// Outputs of an f32 model that differ by no more than this from golden ones are equal.
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    tolerance: f64,
    #[command(flatten)]
    convention: Convention,
    #[command(flatten)]
    layers: Layers,
    /// Other data than those that it was trained on.
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
}

impl Validate {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let board = if self.on == "host" { None } else { Some(board(&self.on)?) };
        let context = Context::new(&self.model, self.data.as_deref())?;
        let core = board.map_or(Core::Portable, super::core_of);
        let program = self.convention.compile(&context.graph, core)?;
        let vectors = match &self.golden {
            Some(path) => {
                let vectors = Vectors::read(&program, path, self.convention.rounding())?;
                self.samples.map_or(vectors.clone(), |samples| vectors.take(samples as usize))
            }
            None => {
                let test = context.data()?.test;
                let test = self.samples.map_or(test.clone(), |samples| test.take(samples as usize));
                let inputs = program.records(&test);
                let outputs = program.with_separate_buffers().outputs(&inputs)?;
                Vectors { samples: test.len(), inputs, outputs }
            }
        };
        let samples = vectors.samples;
        let differing_layer = self.layers.run(&program, &vectors.inputs, output)?;
        let outputs = match board {
            None => program.outputs(&vectors.inputs)?,
            Some(board) => {
                output.note(format!("building for {board}"));
                let folder = Folder::new()?;
                let firmware = Firmware::build(board, &[folder.model(&program)?])?
                    .with_log(output.log())
                    .with_limit(limit(samples, &program));
                firmware.outputs(&program.name, &vectors.inputs)?
            }
        };
        let on = board.map_or("host", |board| board.name);
        let (computed, expected) = (values(&program, &outputs), values(&program, &vectors.outputs));
        if computed.len() != expected.len() {
            let (computed, expected) = (computed.len(), expected.len());
            return Err(Failure::device(format!("{on} gave {computed} values, {expected} were expected")));
        }
        let differences = computed.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        // What is not a number equals nothing.
        let mismatches = differences.clone().filter(|&d| d.is_nan() || d > self.tolerance).count();
        let largest = differences.fold(0.0, f64::max);
        let against = match (&self.golden, board) {
            (Some(_), _) => "golden vectors",
            (None, Some(_)) => "the desk",
            (None, None) => "itself without a memory plan",
        };
        output.result(format!(
            "{} on {on} against {against}: {} samples, {} values, {} mismatches, largest difference {largest}",
            program.name,
            grouped(samples),
            grouped(computed.len()),
            grouped(mismatches)
        ));
        output.object(json!({
            "name": program.name,
            "samples": samples,
            "values": computed.len(),
            "mismatches": mismatches,
            "max_abs_diff": largest,
            "on": on,
            "rounding": if self.convention.rounding == RoundingName::Tflm { "tflm" } else { "tflite" },
            "first_differing_layer": differing_layer,
        }));
        if mismatches == 0 && differing_layer.is_none() { Ok(()) } else { Err(Failure::check()) }
    }
}

/// Time that QEMU may take, even on a slow and busy machine.
fn limit(samples: usize, program: &Program) -> Duration {
    const OPERATIONS_PER_SECOND: u64 = 2_000_000;
    let operations = program.analysis().macs.saturating_mul(samples as u64);
    Duration::from_secs(120 + operations / OPERATIONS_PER_SECOND)
}

/// The numbers in output records: int8 as they are, floats as real numbers.
fn values(program: &Program, records: &[u8]) -> Vec<f64> {
    records.chunks(program.output_bytes()).flat_map(|record| program.output_values(record)).collect()
}

/// A folder for generated sources.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Result<Self, Failure> {
        tempfile::tempdir()
            .map(Self)
            .map_err(|e| Failure::usage(format!("can't make a temporary folder: {e}")))
    }

    /// The program as a source file that a firmware can be built with.
    pub(crate) fn model(&self, program: &Program) -> Result<ModelSource, Failure> {
        let path = self.0.path().join("model.rs");
        milligrad_host::model_file::write_atomically(&path, export::rust(program)?.as_bytes())?;
        Ok(ModelSource::read(path)?)
    }
}
