//! `milligrad quantize`

use super::{Trainable, eval, layers, positive};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::TrainingBar;
use crate::table::{Table, grouped, percent};
use clap::Args;
use milligrad_host::data::Dataset;
use milligrad_host::train::Event;
use milligrad_host::{Graph, QuantizeOptions, model_file, qat, quantize};
use serde_json::json;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Make a trained model int8.
#[derive(Debug, Args)]
pub(crate) struct Quantize {
    /// The trained model.
    model: PathBuf,
    /// Training samples that show the ranges of activations; those of the specification, or 256, unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    calibration: Option<u32>,
    /// Where the int8 model goes; MODEL-int8.safetensors unless given.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Layers that shall learn on the device, which stay f32 with all after them: all, last:N, biases, names with commas
    /// between, or none.
    #[arg(long, value_name = "LAYERS", default_value = "none", value_parser = layers)]
    trainable: Trainable,
    /// One scale for all channels of a layer, instead of one for each.
    #[arg(long)]
    per_tensor: bool,
    /// What it becomes.
    #[arg(long, value_enum, default_value_t = Scheme::Int8)]
    scheme: Scheme,
    /// Epochs of quantisation-aware training: the model is trained on with all that int8 rounds rounded, by the
    /// specification's optimizer and loss, and the epoch that does best on the validation part is taken.
    #[arg(long, value_name = "N", default_value_t = 0)]
    qat_epochs: u32,
    /// Learning rate of quantisation-aware training, which falls to zero along half a cosine; a tenth of the
    /// specification's unless given.
    #[arg(long, value_name = "RATE", requires = "qat_epochs", value_parser = positive::<f64>)]
    qat_learning_rate: Option<f64>,
    /// Threads, 0 for as many as there are cores. The result does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Other data than those that it was trained on.
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
}

/// Number formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Scheme {
    /// 8-bit integers as in TensorFlow Lite.
    Int8,
}

impl Quantize {
    pub(crate) fn run(&self, output: &Output, seed: Option<u64>) -> Result<(), Failure> {
        let context = Context::new(&self.model, self.data.as_deref())?;
        let mut data = context.data()?;
        let Some(train) = data.train.take() else {
            return Err(Failure::usage(
                "calibration takes training samples, and these data are a test part alone",
            ));
        };
        let wanted = self.calibration.map(|n| n as usize).or(data.calibration).unwrap_or(256);
        let calibration = train.calibration(&context.graph, wanted, seed.unwrap_or(0))?;
        let samples = wanted.min(train.len());
        let options = QuantizeOptions { trainable: self.trainable.0.clone(), per_tensor: self.per_tensor };
        let int8 = match self.qat_epochs {
            0 => quantize(&context.graph, &calibration, &options)?,
            epochs => {
                let graph = &context.graph;
                let prepared = |part: Dataset| {
                    part.prepared(graph)?.into_samples(graph.normalize, data.loss, graph.output_len())
                };
                let validation = data.validation.take().map(prepared).transpose()?;
                let training = data.training.fit_options(seed.unwrap_or(data.training.seed));
                let mut fit = qat::fit_options(&training, epochs as usize);
                if let Some(rate) = self.qat_learning_rate {
                    fit.optimizer = fit.optimizer.with_learning_rate(rate);
                }
                fit.threads = self.threads;
                let train = match &data.training.class_weight {
                    Some(weights) => train.class_weighted(weights)?,
                    None => train,
                };
                let train = prepared(train)?;
                let mut bar = TrainingBar::new(*output, fit.epochs);
                let refined = qat::refine(
                    graph,
                    &calibration,
                    (&train, validation.as_ref()),
                    &options,
                    &fit,
                    &mut |event| {
                        match event {
                            Event::Batch(progress) => bar.batch(&progress),
                            Event::Epoch { record, .. } => bar.epoch(record),
                        }
                        ControlFlow::Continue(())
                    },
                );
                bar.finish();
                refined?
            }
        };
        let out = self.out.clone().unwrap_or_else(|| beside(&self.model));
        model_file::save(&int8, &out)?;

        let bytes = |graph: &Graph| -> usize { graph.constants.iter().map(|c| c.values.bytes()).sum() };
        let (f32_bytes, int8_bytes) = (bytes(&context.graph), bytes(&int8));
        let (f32_loss, f32_accuracy) = eval::measure(&context.graph, data.clone())?;
        let (int8_loss, int8_accuracy) = eval::measure(&int8, data)?;
        let mut table = Table::new(&["", "test", "weights and biases, bytes"]);
        let shown = |accuracy: Option<f64>, loss: Option<f64>| match accuracy {
            Some(accuracy) => percent(accuracy),
            None => format!("loss {:.6}", loss.unwrap_or(f64::NAN)),
        };
        table.row(["f32".into(), shown(f32_accuracy, f32_loss), grouped(f32_bytes)]);
        table.row(["int8".into(), shown(int8_accuracy, int8_loss), grouped(int8_bytes)]);
        output.table(&table);
        output.note(format!("{} samples for calibration; wrote {}", samples, out.display()));
        output.object(json!({
            "name": int8.name,
            "model": out,
            "calibration": samples,
            "qat_epochs": self.qat_epochs,
            "accuracy": { "f32": f32_accuracy, "int8": int8_accuracy },
            "loss": { "f32": f32_loss, "int8": int8_loss },
            "parameter_bytes": { "f32": f32_bytes, "int8": int8_bytes },
        }));
        Ok(())
    }
}

/// `model.safetensors` becomes `model-int8.safetensors`.
fn beside(model: &Path) -> PathBuf {
    let stem = model.file_stem().unwrap_or_default().to_string_lossy();
    model.with_file_name(format!("{stem}-int8.safetensors"))
}
