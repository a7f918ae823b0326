//! What early stopping, a plateau's schedule and the best checkpoint watch.

use super::history::EpochRecord;
use super::loss::Loss;
use serde::{Deserialize, Serialize};

/// A figure of every epoch, by Keras' names. Losses are to fall, accuracies to rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// Loss of the validation part.
    #[default]
    ValLoss,
    /// Accuracy of the validation part.
    ValAccuracy,
    /// Loss of the training part.
    Loss,
    /// Accuracy of the training part.
    Accuracy,
}

impl Monitor {
    /// Keras' name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ValLoss => "val_loss",
            Self::ValAccuracy => "val_accuracy",
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
        }
    }

    /// The figure of an epoch.
    pub fn value(self, record: &EpochRecord) -> Option<f64> {
        match self {
            Self::ValLoss => record.val_loss,
            Self::ValAccuracy => record.val_accuracy,
            Self::Loss => Some(record.loss),
            Self::Accuracy => record.accuracy,
        }
    }

    /// `true` for the figures of the validation part.
    pub fn is_validation(self) -> bool {
        matches!(self, Self::ValLoss | Self::ValAccuracy)
    }

    /// Is `value` better than `reference` by more than `min_delta`? Everything is better than nothing.
    pub(super) fn improves(self, value: f64, reference: Option<f64>, min_delta: f64) -> bool {
        reference.is_none_or(|reference| match self {
            Self::Loss | Self::ValLoss => value + min_delta < reference,
            Self::Accuracy | Self::ValAccuracy => value - min_delta > reference,
        })
    }

    /// Number of the best epoch, from 1: the first of those with the best figure.
    pub fn best_epoch(self, epochs: &[EpochRecord]) -> Option<usize> {
        let mut best: Option<(usize, f64)> = None;
        for record in epochs {
            if let Some(value) = self.value(record)
                && self.improves(value, best.map(|(_, value)| value), 0.0)
            {
                best = Some((record.epoch, value));
            }
        }
        best.map(|(epoch, _)| epoch)
    }

    /// What is missing for this figure to exist, if anything.
    pub(super) fn problem(self, loss: Loss, validation: bool) -> Option<String> {
        let name = self.name();
        if self.is_validation() && !validation {
            return Some(format!(
                "`{name}` is to be watched, but no validation part is set aside; set `validation` above 0, or watch \
                 `loss`"
            ));
        }
        let accuracy = matches!(self, Self::Accuracy | Self::ValAccuracy);
        (accuracy && !loss.has_accuracy()).then(|| {
            format!("`{name}` is to be watched, but this loss knows no right and wrong; watch a loss")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_best() {
        let epochs: Vec<EpochRecord> = [(0.5, 0.7), (0.3, 0.9), (0.3, 0.9), (0.4, 0.8)]
            .iter()
            .zip(1..)
            .map(|(&(loss, accuracy), epoch)| EpochRecord {
                epoch,
                loss,
                accuracy: Some(accuracy),
                ..EpochRecord::default()
            })
            .collect();
        assert_eq!(Monitor::Loss.best_epoch(&epochs), Some(2));
        assert_eq!(Monitor::Accuracy.best_epoch(&epochs), Some(2));
        assert_eq!(Monitor::ValLoss.best_epoch(&epochs), None);
    }

    #[test]
    fn what_does_not_exist_is_not_watched() {
        let classes = Loss::SparseCategoricalCrossEntropy;
        assert!(Monitor::ValLoss.problem(classes, false).unwrap().contains("validation"));
        assert!(Monitor::Accuracy.problem(Loss::MeanSquaredError, true).unwrap().contains("`accuracy`"));
        assert_eq!(Monitor::ValAccuracy.problem(classes, true), None);
        assert_eq!(Monitor::Loss.problem(Loss::MeanSquaredError, false), None);
    }
}
