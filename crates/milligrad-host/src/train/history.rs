//! What happened in training.

use super::early_stopping::Patience;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One epoch, in the words of Keras' history.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Mean loss of the training samples, each as the network was when it came to it, in training mode.
    pub loss: f64,
    /// Share of right answers among them; absent with a loss that knows no right and wrong.
    pub accuracy: Option<f64>,
    /// Mean loss of the validation samples after the epoch, in inference mode.
    pub val_loss: Option<f64>,
    /// Share of right answers among them.
    pub val_accuracy: Option<f64>,
    /// Other metrics of the validation samples by name, if asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub val_metrics: BTreeMap<String, f64>,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Time that training took, without validation.
    pub seconds: f64,
    /// User and system time of the process in the same span, all threads together.
    pub cpu_seconds: f64,
}

/// A training run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The epochs.
    pub epochs: Vec<EpochRecord>,
    /// Mean loss of every step, if asked for.
    #[serde(default)]
    pub steps: Vec<f32>,
    /// `true` if the observer ended the run before its time.
    #[serde(default)]
    pub stopped: bool,
    /// Where early stopping stands, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<Patience>,
}
