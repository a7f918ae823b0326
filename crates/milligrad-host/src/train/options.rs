//! What a user asks of training.

use super::checkpoint::Checkpoint;
use super::loss::Loss;
use super::optimizer::Optimizer;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How the learning rate changes over a run: a factor on the optimizer's.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Schedule {
    /// 1
    #[default]
    Constant,
    /// `factorⁿ` after `n` times `epochs` epochs.
    Step {
        /// Epochs between changes.
        epochs: usize,
        /// The change.
        factor: f64,
    },
    /// `factorⁿ` after `n` epochs, continuously.
    Exponential {
        /// Change in an epoch.
        factor: f64,
    },
    /// Linearly from 0 to 1 within `warmup_epochs`, then half a cosine down to `floor` at the end of the run.
    Cosine {
        /// Epochs of the rise.
        warmup_epochs: f64,
        /// Factor at the end.
        floor: f64,
    },
}

impl Schedule {
    /// The factor when `epoch` epochs of `epochs` have passed.
    pub fn factor(&self, epoch: f64, epochs: usize) -> f64 {
        match *self {
            Self::Constant => 1.0,
            Self::Step { epochs, factor } => factor.powf((epoch / epochs.max(1) as f64).floor()),
            Self::Exponential { factor } => factor.powf(epoch),
            Self::Cosine { warmup_epochs, .. } if epoch < warmup_epochs => epoch / warmup_epochs,
            Self::Cosine { warmup_epochs, floor } => {
                let passed = (epoch - warmup_epochs) / (epochs as f64 - warmup_epochs).max(f64::MIN_POSITIVE);
                floor + (1.0 - floor) * 0.5 * (1.0 + (std::f64::consts::PI * passed.clamp(0.0, 1.0)).cos())
            }
        }
    }
}

/// Options of [`fit`](super::fit), with Keras' defaults.
#[derive(Debug, Clone)]
pub struct FitOptions {
    /// Passes over the training samples: 1. With `resume`, the epochs of the checkpoint count.
    pub epochs: usize,
    /// Samples in a step: 32.
    pub batch_size: usize,
    /// Adam(0.001)
    pub optimizer: Optimizer,
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
    /// Names of layers whose parameters stay as they are: none. A frozen BatchNorm keeps its statistics, too.
    pub frozen: Vec<String>,
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
            schedule: Schedule::default(),
            loss: Loss::SparseCategoricalCrossEntropy,
            shuffle: true,
            seed: 0,
            threads: 0,
            per_step: false,
            frozen: Vec::new(),
            checkpoint: None,
            resume: None,
        }
    }
}

impl FitOptions {
    pub(crate) fn check(&self) -> Result<()> {
        let error = |problem: String| Err(Error::Spec(problem));
        if self.batch_size == 0 {
            return error("batch_size is 0; a step needs at least one sample".into());
        }
        if let Some(problem) = self.optimizer.problem() {
            return error(problem);
        }
        match self.schedule {
            Schedule::Step { epochs: 0, .. } => error("a schedule with steps of 0 epochs".into()),
            Schedule::Step { factor, .. } | Schedule::Exponential { factor }
                if !(factor > 0.0 && factor.is_finite()) =>
            {
                error(format!("the schedule's factor is {factor}; it must be positive"))
            }
            Schedule::Cosine { warmup_epochs, floor }
                if !(warmup_epochs >= 0.0 && warmup_epochs.is_finite() && (0.0..=1.0).contains(&floor)) =>
            {
                error("a cosine schedule rises over 0 or more epochs and falls to a factor of 0 to 1".into())
            }
            _ => Ok(()),
        }
    }
}
