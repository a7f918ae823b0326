//! `[train]`: how it is learned.

mod loss;
pub(super) mod metrics;
mod monitor;
mod optimizer;
mod schedule;
mod weights;

use super::reader::{Count, Names, Table};
use crate::Result;
use crate::data::Task;
use crate::graph::Graph;
use crate::metrics::Metric;
use crate::train::{
    Augment, ClassWeights, Clip, EarlyStopping, FitOptions, Loss, Monitor, Optimizer, Schedule, means,
};
use monitor::Batch;
use std::path::{Path, PathBuf};

/// How a model is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainSpec {
    /// What is made small.
    pub loss: Loss,
    /// How.
    pub optimizer: Optimizer,
    /// What is done to gradients before.
    pub clip: Clip,
    /// Times that every training sample is seen.
    pub epochs: usize,
    /// Samples per step; [`FULL_BATCH`](crate::train::FULL_BATCH) is all of them.
    pub batch: usize,
    /// Decides initial weights and the order of samples.
    pub seed: u64,
    /// Whether every epoch has an order of its own.
    pub shuffle: bool,
    /// How the learning rate changes over the run.
    pub schedule: Schedule,
    /// When it stops before the last epoch.
    pub early_stopping: Option<EarlyStopping>,
    /// The figure whose best epoch's model is kept, too.
    pub save_best: Option<Monitor>,
    /// What else training shows of the validation part.
    pub metrics: Vec<Metric>,
    /// How much the samples of each class count; all the same without.
    pub class_weight: Option<ClassWeights>,
    /// Names of layers that don't learn, `*` for any text.
    pub freeze: Vec<String>,
    /// The trained model whose layers are taken over.
    pub from: Option<PathBuf>,
    /// Whether the last layer starts anew in any case.
    pub replace_head: bool,
    /// How training samples are changed in each epoch.
    pub augment: Option<Augment>,
}

impl TrainSpec {
    /// What is usual for such a model: Adam, 10 epochs, batches of 32, and the loss that fits the last layer.
    pub fn new(graph: &Graph) -> Self {
        Self {
            loss: loss::usual(graph),
            optimizer: Optimizer::default(),
            clip: Clip::None,
            epochs: 10,
            batch: 32,
            seed: 0,
            shuffle: true,
            schedule: Schedule::default(),
            early_stopping: None,
            save_best: None,
            metrics: Vec::new(),
            class_weight: None,
            freeze: Vec::new(),
            from: None,
            replace_head: false,
            augment: None,
        }
    }

    /// These choices as options of [`fit`](crate::train::fit), with another seed.
    pub fn fit_options(&self, seed: u64) -> FitOptions {
        FitOptions {
            epochs: self.epochs,
            batch_size: self.batch,
            optimizer: self.optimizer,
            clip: self.clip,
            loss: self.loss,
            shuffle: self.shuffle,
            schedule: self.schedule,
            seed,
            early_stopping: self.early_stopping,
            frozen: self.freeze.clone(),
            augment: self.augment.clone(),
            metrics: self.metrics.clone(),
            ..FitOptions::default()
        }
    }

    pub(super) fn read(table: Option<&Table<'_, '_>>, graph: &Graph, folder: &Path) -> Result<Self> {
        let usual = Self::new(graph);
        let Some(table) = table else { return Ok(usual) };
        table.allow(&[
            "loss",
            "optimizer",
            "epochs",
            "batch",
            "seed",
            "shuffle",
            "schedule",
            "early_stopping",
            "save_best",
            "class_weight",
            "freeze",
            "from",
            "replace_head",
            "batch_size",
            "metrics",
        ])?;
        let loss = loss::read(table, graph)?.unwrap_or(usual.loss);
        let (optimizer, clip) = optimizer::read(table)?.unwrap_or((usual.optimizer, usual.clip));
        let Count(epochs) = table.or("epochs", Count(usual.epochs))?;
        let Batch(batch) = table.or(table.key(&["batch", "batch_size"]), Batch(usual.batch))?;
        Ok(Self {
            loss,
            optimizer,
            clip,
            epochs,
            batch,
            seed: table.or("seed", usual.seed)?,
            shuffle: table.or("shuffle", usual.shuffle)?,
            schedule: schedule::read(table)?.unwrap_or(usual.schedule),
            early_stopping: monitor::early_stopping(table)?,
            save_best: monitor::save_best(table)?,
            metrics: metrics::read(table, graph)?,
            class_weight: class_weight(table, loss)?,
            freeze: freeze(table, graph)?,
            replace_head: replace_head(table)?,
            from: table.optional::<String>("from")?.map(|path| folder.join(path)),
            augment: None,
        })
    }

    /// What the targets of the data are to this loss.
    pub fn task(&self, classes: &[String]) -> Task {
        if self.loss.is_regression() && classes.is_empty() {
            Task::Regress
        } else {
            Task::Classify { classes: classes.to_vec() }
        }
    }
}

fn class_weight(table: &Table<'_, '_>, loss: Loss) -> Result<Option<ClassWeights>> {
    let weights = table.optional("class_weight")?;
    if weights.is_some() && loss.is_regression() {
        let help = "for numbers, take `sample_weight` in [data]";
        return Err(table.fail("class_weight", "this loss is of numbers, not of classes", help));
    }
    Ok(weights)
}

fn freeze(table: &Table<'_, '_>, graph: &Graph) -> Result<Vec<String>> {
    let Names(patterns) = table.or("freeze", Names(Vec::new()))?;
    let learn = || graph.nodes.iter().filter(|node| !node.constants.is_empty());
    if let Some(pattern) = patterns.iter().find(|pattern| learn().all(|node| !means(pattern, &node.name))) {
        let names: Vec<&str> = learn().map(|node| node.name.as_str()).collect();
        let help = format!("layers that learn: {}", names.join(", "));
        return Err(table.fail("freeze", format!("no layer that learns is called `{pattern}`"), &help));
    }
    if !patterns.is_empty() && learn().all(|node| patterns.iter().any(|pattern| means(pattern, &node.name))) {
        return Err(table.fail("freeze", "no layer is left to learn", ""));
    }
    Ok(patterns)
}

fn replace_head(table: &Table<'_, '_>) -> Result<bool> {
    let replace = table.or("replace_head", false)?;
    if replace && !table.has("from") {
        let help = "name it: from = \"runs/NAME/model.safetensors\"";
        return Err(table.fail("replace_head", "there is no trained model to replace the head of", help));
    }
    Ok(replace)
}

#[cfg(test)]
mod tests;
