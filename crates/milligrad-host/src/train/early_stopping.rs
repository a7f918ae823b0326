//! Keras' `EarlyStopping`.

use super::history::EpochRecord;
use super::monitor::Monitor;
use serde::{Deserialize, Serialize};

/// Training ends when a figure has not improved for a while.
///
/// As in Keras, a run stops after an epoch that is the `patience`-th in a row (or, with a patience of 0, the first)
/// without improvement. What has happened so far is a function of the history, which a checkpoint holds, so that a
/// resumed run stops where an uninterrupted one does.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct EarlyStopping {
    /// What is watched: the loss of the validation part.
    pub monitor: Monitor,
    /// A change that does not exceed this is no improvement: 0.
    pub min_delta: f64,
    /// Epochs without improvement that are endured: 0.
    pub patience: usize,
    /// As long as the figure is not better than this, no improvement counts.
    pub baseline: Option<f64>,
    /// The first so many epochs are not looked at: 0.
    pub start_from_epoch: usize,
    /// Whether the run ends with the parameters of its best epoch, whether it stopped early or not: no.
    pub restore_best_weights: bool,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Patience {
    /// Number of the best epoch so far, from 1.
    pub best_epoch: Option<usize>,
    /// Epochs since the last improvement that counts.
    pub wait: usize,
    /// Whether the run ends here.
    pub stops: bool,
}

impl EarlyStopping {
    /// Where a run with these epochs stands after the last of them.
    pub fn after(&self, epochs: &[EpochRecord]) -> Patience {
        let mut patience = Patience::default();
        let mut best = None;
        for (index, record) in epochs.iter().enumerate().skip(self.start_from_epoch) {
            let Some(value) = self.monitor.value(record) else { continue };
            patience.wait += 1;
            patience.stops = false;
            if self.monitor.improves(value, best, self.min_delta) {
                best = Some(value);
                patience.best_epoch = Some(record.epoch);
                if self.monitor.improves(value, self.baseline, self.min_delta) {
                    patience.wait = 0;
                }
            } else {
                patience.stops = patience.wait >= self.patience && index > 0;
            }
        }
        patience
    }

    /// What is wrong with the constants, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        let finite = self.min_delta >= 0.0 && self.min_delta.is_finite();
        if !finite {
            return Some(format!("early stopping with a min_delta of {}; it is 0 or more", self.min_delta));
        }
        let baseline = self.baseline.filter(|baseline| !baseline.is_finite())?;
        Some(format!("early stopping with a baseline of {baseline}; it is a finite number"))
    }
}
