//! `milligrad train`

use super::folds;
use crate::charts::{Charts, curves};
use crate::context::SPEC;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::TrainingBar;
use crate::table::{Table, grouped, percent};
use clap::Args;
use milligrad_host::data::{Dataset, Split};
use milligrad_host::metrics::{self, Metrics};
use milligrad_host::spec::{Prepared, Spec};
use milligrad_host::train::{
    Checkpoint, EarlyStopping, Event, FULL_BATCH, FitOptions, History, Transfer, evaluate, fit, means,
};
use milligrad_host::{Graph, model_file};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// Train the model of a specification.
#[derive(Debug, Args)]
pub(crate) struct Train {
    /// The specification.
    spec: PathBuf,
    /// Where model, checkpoint and history go; runs/NAME unless given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Epochs, instead of those of the specification.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Threads, 0 for as many as there are cores. The result does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
    /// Go on from the checkpoint of a run that was interrupted.
    #[arg(long, conflicts_with = "init")]
    resume: bool,
    /// Start with the parameters in this file.
    ///
    /// Every layer with parameters has float tensors: `NAME/weights` and `NAME/bias`, a batch norm `NAME/gamma`, `/beta`,
    /// `/mean` and `/variance`. Weights are [units, inputs] for dense layers (Keras' kernel transposed), [filters, height,
    /// width, channels] for convolutions (Keras' HWIO with its last axis first), [height, width, channels x multiplier] for
    /// depthwise ones; those over a series have height 1. A separable convolution is `NAME.depthwise` and `NAME`. A layer without
    /// bias has a bias of zeros. A model file of `train` is such a file.
    #[arg(long, value_name = "SAFETENSORS")]
    init: Option<PathBuf>,
    /// Cross-validate instead: train K models, each without one of K folds of the training part, and measure each on its fold, in
    /// float and by the device's int8 kernels. Nothing is written.
    #[arg(long, value_name = "K", conflicts_with_all = ["resume", "init", "out", "per_step", "plot", "svg"], value_parser = clap::value_parser!(u32).range(2..))]
    folds: Option<u32>,
    /// Report the loss of every step.
    #[arg(long)]
    per_step: bool,
    #[command(flatten)]
    charts: Charts,
}

impl Train {
    pub(crate) fn run(&self, output: &Output, seed: Option<u64>) -> Result<(), Failure> {
        let spec = Spec::read(&self.spec)?;
        spec.check_target()?;
        let seed = seed.unwrap_or(spec.train.seed);
        if let Some(folds) = self.folds {
            let stop = stop_on_interrupt()?;
            return folds::run(&spec, folds as usize, &self.options(&spec, seed), &stop, output);
        }
        if let (Some(_), Some(from)) = (&self.init, &spec.train.from) {
            let from = from.display();
            return Err(Failure::usage(format!(
                "--init, and `from` in the specification ({from}): leave one out"
            )));
        }
        let out = self.out.clone().unwrap_or_else(|| Path::new("runs").join(&spec.name));
        let (checkpoint, model) = (out.join(CHECKPOINT), out.join("model.safetensors"));
        let resume = self.resume.then(|| read_checkpoint(&checkpoint)).transpose()?;
        // A folder that can't be written is found out now, not after an hour.
        std::fs::create_dir_all(&out).map_err(milligrad_host::Error::io(&out))?;
        self.charts.prepare()?;

        let Split { train, validation, test } = spec.load_data()?;
        let (name, sizes) = (train.name.clone(), [train.len(), validation.as_ref().map_or(0, Dataset::len)]);
        let Prepared { mut graph, train, validation, transfer } = spec.prepare(train, validation, seed)?;
        if let Some(path) = &self.init {
            model_file::load_parameters(&mut graph, path)?;
        }
        let keep_spec = || model_file::write_atomically(out.join(SPEC), spec.text().as_bytes());
        output.note(format!(
            "{}: {} parameters; {} training, {} validation, {} test samples of {}",
            graph.name,
            grouped(graph.parameters()),
            grouped(sizes[0]),
            grouped(sizes[1]),
            grouped(test.len()),
            name
        ));
        output.note(format!(
            "as int8 it takes about {} B of flash, {} B of RAM and {} instructions a prediction (Cortex-M4F, modelled)",
            grouped(spec.cost.flash_bytes()),
            grouped(spec.cost.ram_bytes),
            grouped(spec.cost.instructions)
        ));
        output.detail(summary(&graph));
        let frozen = frozen(&graph, &spec.train.freeze);
        if let Some(lines) = taken(transfer.as_ref(), &frozen) {
            output.note(lines);
        }
        let options = FitOptions {
            per_step: self.per_step,
            checkpoint: Some(checkpoint.clone()),
            save_best: spec.train.save_best.map(|monitor| (monitor, out.join(BEST))),
            resume,
            ..self.options(&spec, seed)
        };
        if let Some(resumed) = &options.resume {
            output.note(format!("going on after epoch {}", resumed.epochs()));
        }
        if options.batch_size > train.len() && options.batch_size != FULL_BATCH {
            let (batch, samples) = (grouped(options.batch_size), grouped(train.len()));
            output.note(format!(
                "a batch of {batch} is more than there is: every step sees all {samples} samples"
            ));
        }
        if let Some(target) = graph.target {
            let unit = target.deviation;
            output.note(format!(
                "losses are those of the standardised target, of which 1 is {unit} in its own unit"
            ));
        }
        if let Some(caution) = spec.data.caution() {
            output.note(caution);
        }
        if validation.is_none() && !options.metrics.is_empty() {
            output.note("`metrics` are of the validation part, and there is none");
        }
        let stop = stop_on_interrupt()?;
        let started = SystemTime::now();
        let mut bar = TrainingBar::new(*output, options.epochs);
        // What an earlier run left in the folder stays whole until this one has something in its place.
        let mut earlier = if self.resume { Vec::new() } else { vec![model.clone()] };
        if !self.resume && options.save_best.is_none() {
            earlier.push(out.join(BEST));
        }
        let mut replaced = Ok(());
        let history = fit(&mut graph, &train, validation.as_ref(), &options, &mut |event| {
            match event {
                Event::Batch(progress) => bar.batch(&progress),
                Event::Epoch { record, .. } => {
                    bar.epoch(record);
                    if !earlier.is_empty() {
                        replaced = gone(&std::mem::take(&mut earlier)).and_then(|()| keep_spec());
                    }
                }
            }
            if replaced.is_err() {
                return ControlFlow::Break(());
            }
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        bar.finish();
        let history = history.inspect_err(|_| kept(&out, started, output))?;
        replaced?;
        model_file::write_atomically(out.join("history.csv"), csv(&history).as_bytes())?;
        let unit = if graph.target.is_some() { " of the standardised target" } else { "" };
        for (name, chart) in curves(&graph.name, &history, unit) {
            self.charts.show(output, &name, &chart)?;
        }
        if history.stopped {
            return Err(self.interrupted(&history, &out, seed));
        }
        // A checkpoint that the specification doesn't fit has been refused by now.
        keep_spec()?;
        model_file::save(&graph, &model)?;
        let ending = ending(&history, spec.train.early_stopping);
        if let Some(ending) = &ending {
            output.note(ending);
        }
        let numbers = match graph.target {
            Some(_) => Some(metrics::evaluate(&graph, &test, spec.train.loss)?.metrics),
            None => None,
        };
        let test = evaluate(&graph, &spec.samples(test, &graph)?, spec.train.loss)?;
        match test.accuracy {
            Some(accuracy) => {
                output.result(format!("test accuracy {}, loss {:.4}", percent(accuracy), test.loss))
            }
            None => output.result(format!("test loss {:.6}{unit}", test.loss)),
        }
        if let Some(Metrics::Numbers(numbers)) = numbers {
            output.result(format!("in its own unit: MAE {:.6}, RMSE {:.6}", numbers.mae, numbers.rmse));
        }
        output.note(format!("wrote {}", model.display()));
        // Of what is kept as the best, or else of what early stopping watches.
        let best = match spec.train.save_best {
            Some(monitor) => monitor.best_epoch(&history.epochs),
            None => history.patience.and_then(|patience| patience.best_epoch),
        };
        if let (Some(monitor), Some(best)) = (spec.train.save_best, best) {
            let (name, path) = (monitor.name(), out.join(BEST));
            output.note(format!(
                "wrote {}, the model after epoch {best}, whose {name} is best",
                path.display()
            ));
        }
        let mut object = json!({
            "name": graph.name,
            "model": model,
            "parameters": graph.parameters(),
            "device": {
                "flash_bytes": spec.cost.flash_bytes(),
                "ram_bytes": spec.cost.ram_bytes,
                "instructions": spec.cost.instructions,
            },
            "seed": seed,
            "epochs": history.epochs,
            "stopped_early": history.patience.is_some_and(|patience| patience.stops),
            "best_epoch": best,
            "test_accuracy": test.accuracy,
            "test_loss": test.loss,
        });
        if let Some(taken) = transfer {
            let new = taken.new.iter().map(|(name, why)| json!({ "layer": name, "reason": why }));
            object["transfer"] = json!({
                "from": spec.train.from,
                "loaded": taken.loaded,
                "new": new.collect::<Vec<_>>(),
                "unused": taken.unused,
            });
        }
        if !frozen.is_empty() {
            object["frozen"] = json!(frozen);
        }
        if self.per_step {
            object["steps"] = history.steps.iter().map(|loss| json!({ "loss": loss })).collect();
        }
        output.object(object);
        Ok(())
    }

    fn options(&self, spec: &Spec, seed: u64) -> FitOptions {
        FitOptions {
            epochs: self.epochs.map_or(spec.train.epochs, |epochs| epochs as usize),
            threads: self.threads,
            ..spec.train.fit_options(seed)
        }
    }

    fn interrupted(&self, history: &History, out: &Path, seed: u64) -> Failure {
        let epochs = self.epochs.map(|epochs| format!(" --epochs {epochs}")).unwrap_or_default();
        let (spec, out) = (self.spec.display(), out.display());
        let again = format!("milligrad train {spec} --out {out} --seed {seed}{epochs} --resume");
        Failure::interrupted(match history.epochs.len() {
            0 => "interrupted in the first epoch; nothing is kept".into(),
            epochs => format!("interrupted after epoch {epochs}; `{again}` goes on from there"),
        })
    }
}

/// The state of the run.
const CHECKPOINT: &str = "checkpoint.safetensors";
/// The model with the best figure.
const BEST: &str = "best.safetensors";

/// Names of the layers with parameters that these patterns freeze.
fn frozen(graph: &Graph, patterns: &[String]) -> Vec<String> {
    let nodes = graph.nodes.iter().filter(|node| !node.constants.is_empty());
    let frozen = nodes.filter(|node| patterns.iter().any(|pattern| means(pattern, &node.name)));
    frozen.map(|node| node.name.clone()).collect()
}

/// What of the model is taken over, frozen and new.
fn taken(transfer: Option<&Transfer>, frozen: &[String]) -> Option<String> {
    let mut lines = Vec::new();
    let mut line = |what: &str, names: &[String]| {
        if !names.is_empty() {
            lines.push(format!("{what}: {}", names.join(", ")));
        }
    };
    if let Some(transfer) = transfer {
        line("loaded", &transfer.loaded);
        let new: Vec<String> = transfer.new.iter().map(|(name, why)| format!("{name} ({why})")).collect();
        line("new", &new);
        line("not taken over", &transfer.unused);
    }
    line("frozen", frozen);
    if transfer.is_some_and(|transfer| transfer.other_inputs) {
        let what = "the trained model took its inputs with other factors or features; take the same";
        lines.push(format!("careful: {what} in [data]"));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// After an error: what there is of a run that began then.
fn kept(out: &Path, since: SystemTime, output: &Output) {
    for (name, what) in [(BEST, "the best model"), (CHECKPOINT, "the state after the last whole epoch")] {
        let path = out.join(name);
        let written = path.metadata().and_then(|metadata| metadata.modified());
        if written.is_ok_and(|written| written >= since) {
            output.note(format!("{} is kept: {what}", path.display()));
        }
    }
}

/// What early stopping did, in a sentence.
fn ending(history: &History, stopping: Option<EarlyStopping>) -> Option<String> {
    let (patience, stopping) = (history.patience?, stopping?);
    let (epochs, name) = (history.epochs.len(), stopping.monitor.name());
    let stopped = patience.stops.then(|| {
        format!("stopped after epoch {epochs}: {name} has not improved for {} epochs", patience.wait)
    });
    let restored = match patience.best_epoch {
        Some(best) if stopping.restore_best_weights => Some(format!("the weights are those of epoch {best}")),
        _ => None,
    };
    let parts: Vec<String> = [stopped, restored].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn read_checkpoint(path: &Path) -> Result<Checkpoint, Failure> {
    if !path.exists() {
        let problem =
            "there is nothing to resume; train without --resume, or name the folder of the run with --out";
        return Err(Failure::usage(format!("{}: {problem}", path.display())));
    }
    Ok(Checkpoint::read(path)?)
}

/// Removes files, if they are there.
fn gone(paths: &[PathBuf]) -> Result<(), milligrad_host::Error> {
    for path in paths {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(milligrad_host::Error::io(path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The layers, as Keras shows them.
fn summary(graph: &Graph) -> Table {
    let mut table = Table::new(&["layer", "type", "output", "parameters"]);
    for node in &graph.nodes {
        let shape: Vec<String> = graph.tensor(node.output).shape.iter().map(usize::to_string).collect();
        let parameters: usize = node.constants.iter().map(|id| graph.constant(*id).values.len()).sum();
        table.row([node.name.clone(), graph.op_name(node).into(), shape.join("x"), grouped(parameters)]);
    }
    table
}

/// A flag that Ctrl-C sets; the second Ctrl-C ends the program at once.
fn stop_on_interrupt() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler).map_err(|e| Failure::usage(format!("can't watch for Ctrl-C: {e}")))?;
    Ok(stop)
}

/// The history as a table for spreadsheets.
fn csv(history: &History) -> String {
    let metrics: BTreeSet<&String> =
        history.epochs.iter().flat_map(|record| record.val_metrics.keys()).collect();
    let mut text =
        String::from("epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds,cpu_seconds");
    metrics.iter().for_each(|name| text += &format!(",val_{name}"));
    text.push('\n');
    let optional = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for record in &history.epochs {
        let _ = write!(
            text,
            "{},{},{},{},{},{},{},{}",
            record.epoch,
            record.loss,
            optional(record.accuracy),
            optional(record.val_loss),
            optional(record.val_accuracy),
            record.learning_rate,
            record.seconds,
            record.cpu_seconds
        );
        metrics
            .iter()
            .for_each(|&name| text += &format!(",{}", optional(record.val_metrics.get(name).copied())));
        text.push('\n');
    }
    text
}
