//! What a user asks of training.

use super::augment::Augment;
use super::checkpoint::Checkpoint;
use super::clip::Clip;
use super::early_stopping::EarlyStopping;
use super::freeze::means;
use super::loss::Loss;
use super::monitor::Monitor;
use super::optimizer::Optimizer;
use super::schedule::Schedule;
use crate::error::{Error, Result};
use crate::metrics::Metric;
use std::path::PathBuf;

/// A batch size that no data set reaches: every step sees all samples.
pub const FULL_BATCH: usize = usize::MAX;

/// Options of [`fit`](super::fit), with Keras' defaults.
#[derive(Debug, Clone)]
pub struct FitOptions {
    /// Passes over the training samples: 1. With `resume`, the epochs of the checkpoint count.
    pub epochs: usize,
    /// Samples in a step: 32. More than there are is all of them, [`FULL_BATCH`] always.
    pub batch_size: usize,
    /// Adam(0.001)
    pub optimizer: Optimizer,
    /// Limit of gradients: none.
    pub clip: Clip,
    /// Constant.
    pub schedule: Schedule,
    /// Sparse categorical cross entropy.
    pub loss: Loss,
    /// Another order of samples in each epoch: yes.
    pub shuffle: bool,
    /// Decides on the order of samples and on dropout: 0.
    pub seed: u64,
    /// Threads, 0 (the default) for as many as there are cores. The result does not depend on it.
    pub threads: usize,
    /// Remember the loss of every step: no.
    pub per_step: bool,
    /// Names of layers whose parameters stay as they are, `*` for any text: none. A frozen BatchNorm keeps its statistics, too, and
    /// computes with them.
    pub frozen: Vec<String>,
    /// How training samples are changed in each epoch: not at all.
    pub augment: Option<Augment>,
    /// When to stop before the last epoch: never.
    pub early_stopping: Option<EarlyStopping>,
    /// Where to write the model whenever this figure is better than ever before.
    pub save_best: Option<(Monitor, PathBuf)>,
    /// What else the history tells of the validation samples: nothing.
    pub metrics: Vec<Metric>,
    /// Where to write a checkpoint after each epoch.
    pub checkpoint: Option<PathBuf>,
    /// Go on from here instead of starting with the graph's parameters.
    pub resume: Option<Checkpoint>,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            epochs: 1,
            batch_size: 32,
            optimizer: Optimizer::default(),
            clip: Clip::None,
            schedule: Schedule::default(),
            loss: Loss::SparseCategoricalCrossEntropy,
            shuffle: true,
            seed: 0,
            threads: 0,
            per_step: false,
            frozen: Vec::new(),
            augment: None,
            early_stopping: None,
            save_best: None,
            metrics: Vec::new(),
            checkpoint: None,
            resume: None,
        }
    }
}

impl FitOptions {
    /// Does the layer of this name stay as it is?
    pub(crate) fn freezes(&self, layer: &str) -> bool {
        self.frozen.iter().any(|pattern| means(pattern, layer))
    }

    /// The figures that decide on something.
    pub(crate) fn monitors(&self) -> impl Iterator<Item = Monitor> {
        let plateau = match self.schedule {
            Schedule::Plateau(plateau) => Some(plateau.monitor),
            _ => None,
        };
        let stopping = self.early_stopping.map(|stopping| stopping.monitor);
        let best = self.save_best.as_ref().map(|(monitor, _)| *monitor);
        [plateau, stopping, best].into_iter().flatten()
    }

    pub(crate) fn check(&self, validation: bool) -> Result<()> {
        let error = |problem: String| Err(Error::Spec(problem));
        if self.batch_size == 0 {
            return error("batch_size is 0; a step needs at least one sample".into());
        }
        let problems = [
            self.optimizer.problem(),
            self.clip.problem(),
            self.loss.problem(),
            self.schedule.problem(),
            self.early_stopping.and_then(|stopping| stopping.problem()),
            self.monitors().find_map(|monitor| monitor.problem(self.loss, validation)),
        ];
        problems.into_iter().flatten().next().map_or(Ok(()), error)
    }
}
