//! Keras' `ReduceLROnPlateau`.

use super::history::EpochRecord;
use super::monitor::Monitor;
use serde::{Deserialize, Serialize};

/// The learning rate falls when a figure has not improved for a while.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    /// What is watched: the loss of the validation part.
    pub monitor: Monitor,
    /// What the rate is multiplied with: 0.1.
    pub factor: f64,
    /// Epochs in a row without improvement after which it falls: 10.
    pub patience: usize,
    /// A change that does not exceed this is no improvement: 0.0001.
    pub min_delta: f64,
    /// Epochs after a fall that don't count: 0.
    pub cooldown: usize,
    /// The rate does not fall below this: 0.
    pub min_lr: f64,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            monitor: Monitor::ValLoss,
            factor: 0.1,
            patience: 10,
            min_delta: 1e-4,
            cooldown: 0,
            min_lr: 0.0,
        }
    }
}

impl Plateau {
    /// The learning rate after these epochs of a run that began with the rate `initial`.
    pub fn rate(&self, initial: f64, epochs: &[EpochRecord]) -> f64 {
        let (mut rate, mut best, mut wait, mut cooldown) = (initial, None, 0, 0usize);
        for value in epochs.iter().filter_map(|record| self.monitor.value(record)) {
            if cooldown > 0 {
                cooldown -= 1;
                wait = 0;
            }
            if self.monitor.improves(value, best, self.min_delta) {
                best = Some(value);
                wait = 0;
            } else if cooldown == 0 {
                wait += 1;
                if wait >= self.patience && rate > self.min_lr {
                    rate = (rate * self.factor).max(self.min_lr);
                    cooldown = self.cooldown;
                    wait = 0;
                }
            }
        }
        rate
    }

    /// What is wrong with the constants, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        let fits = |x: f64| x >= 0.0 && x.is_finite();
        if !(self.factor > 0.0 && self.factor < 1.0) {
            return Some(format!("a plateau's factor of {}; it is above 0 and below 1", self.factor));
        }
        let bad = !(fits(self.min_delta) && fits(self.min_lr));
        bad.then(|| "a plateau's min_delta and min_lr are 0 or more".into())
    }
}
