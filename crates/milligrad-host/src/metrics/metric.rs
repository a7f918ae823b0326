//! Metrics by name.

use super::{ClassRule, Classification, Regression, top_k};
use crate::graph::Graph;
use crate::train::Targets;
use std::fmt;
use std::str::FromStr;

/// A metric to watch in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Share of right answers.
    Accuracy,
    /// Share of samples whose label is among the so many largest scores.
    TopK(usize),
    /// Precision of the second of two classes, or the mean over the classes.
    Precision,
    /// Recall, likewise.
    Recall,
    /// F1, likewise.
    F1,
    /// Area under the ROC curve, likewise.
    Auc,
    /// Mean absolute error, in the target's unit.
    MeanAbsoluteError,
    /// Mean squared error, in the target's unit squared.
    MeanSquaredError,
    /// Root of the mean squared error, in the target's unit.
    RootMeanSquaredError,
    /// Share of the targets' variance that is explained.
    R2,
}

/// Metrics by name, in the order of the documentation; `top_k` has a number for `k`.
const NAMES: &[(&str, Metric)] = &[
    ("accuracy", Metric::Accuracy),
    ("precision", Metric::Precision),
    ("recall", Metric::Recall),
    ("f1", Metric::F1),
    ("auc", Metric::Auc),
    ("mae", Metric::MeanAbsoluteError),
    ("mse", Metric::MeanSquaredError),
    ("rmse", Metric::RootMeanSquaredError),
    ("r2", Metric::R2),
    ("mean_absolute_error", Metric::MeanAbsoluteError),
    ("mean_squared_error", Metric::MeanSquaredError),
    ("root_mean_squared_error", Metric::RootMeanSquaredError),
    ("acc", Metric::Accuracy),
    ("f1_score", Metric::F1),
];

impl Metric {
    /// `true` for metrics of numbers, `false` for those of classes.
    pub fn is_regression(self) -> bool {
        matches!(
            self,
            Self::MeanAbsoluteError | Self::MeanSquaredError | Self::RootMeanSquaredError | Self::R2
        )
    }

    /// The values of some metrics for the outputs of a graph, sample by sample, with the targets that it was trained to give
    /// (if they are standardised, both are in standard deviations). Those without a value, such as the AUC of one class, are
    /// left out, as are those of classes for numbers, and of numbers for classes.
    pub fn values(metrics: &[Self], graph: &Graph, outputs: &[f32], targets: &Targets) -> Vec<(Self, f64)> {
        let width = graph.output_len();
        let regression = metrics.iter().any(|metric| metric.is_regression()).then(|| {
            let numbers: Vec<f32> = match targets {
                Targets::Values { values, .. } => values.clone(),
                Targets::Classes(labels) => labels.iter().map(|&label| label as f32).collect(),
            };
            let decoded = |values: &[f32]| -> Vec<f32> {
                values.iter().map(|&y| graph.target.map_or(y, |target| target.decode(y))).collect()
            };
            Regression::of(&decoded(outputs), &decoded(&numbers), width)
        });
        let labels = labels(targets);
        let classification = metrics
            .iter()
            .any(|metric| !metric.is_regression())
            .then(|| Classification::of(ClassRule::of(graph), outputs, width, &labels));
        let value = |metric: Self| match (metric, &classification, regression) {
            (Self::Accuracy, Some(report), _) => Some(report.accuracy),
            (Self::TopK(k), Some(_), _) => Some(top_k(outputs, width, &labels, k)),
            (Self::Precision, Some(report), _) => Some(report.overall().precision),
            (Self::Recall, Some(report), _) => Some(report.overall().recall),
            (Self::F1, Some(report), _) => Some(report.overall().f1),
            (Self::Auc, Some(report), _) => report.auc,
            (Self::MeanAbsoluteError, _, Some(report)) => Some(report.mae),
            (Self::MeanSquaredError, _, Some(report)) => Some(report.mse),
            (Self::RootMeanSquaredError, _, Some(report)) => Some(report.rmse),
            (Self::R2, _, Some(report)) => Some(report.r2),
            _ => None,
        };
        metrics.iter().filter_map(|&metric| Some((metric, value(metric)?))).collect()
    }
}

/// The class of each sample: one number is a yes or no, of several the largest counts.
fn labels(targets: &Targets) -> Vec<u32> {
    match targets {
        Targets::Classes(labels) => labels.clone(),
        Targets::Values { width: 1, values } => values.iter().map(|&t| u32::from(t > 0.5)).collect(),
        Targets::Values { width, values } => {
            values.chunks_exact((*width).max(1)).map(|row| milligrad::argmax(row) as u32).collect()
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TopK(k) => write!(f, "top_{k}"),
            _ => f.write_str(NAMES.iter().find(|(_, metric)| metric == self).map_or("", |(name, _)| name)),
        }
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Without case and underscores, so that Keras' `AUC` and `MeanAbsoluteError` are known, too.
        let folded = |word: &str| word.replace('_', "").to_ascii_lowercase();
        let known = NAMES.iter().find(|(name, _)| folded(name) == folded(text)).map(|(_, metric)| *metric);
        let top = text.strip_prefix("top_").and_then(|k| k.parse().ok()).filter(|&k| k > 0).map(Self::TopK);
        known.or(top).ok_or_else(|| {
            let names: Vec<&str> = NAMES[..9].iter().map(|(name, _)| *name).collect();
            format!("unknown metric `{text}`; there are {}, and top_2, top_3, ..", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::Builder;
    use crate::train::{FitOptions, Loss, Samples, fit, predict};
    use std::ops::ControlFlow;

    #[test]
    fn names_and_back() {
        for name in ["accuracy", "top_5", "precision", "recall", "f1", "auc", "mae", "mse", "rmse", "r2"] {
            assert_eq!(name.parse::<Metric>().unwrap().to_string(), name);
        }
        assert_eq!("mean_absolute_error".parse(), Ok(Metric::MeanAbsoluteError));
        assert_eq!(
            ["AUC", "acc", "F1Score"].map(str::parse),
            [Ok(Metric::Auc), Ok(Metric::Accuracy), Ok(Metric::F1)]
        );
        assert_eq!("MeanAbsoluteError".parse(), Ok(Metric::MeanAbsoluteError));
        for wrong in ["", "top_0", "top_", "Accurate", "f2"] {
            assert!(wrong.parse::<Metric>().unwrap_err().contains("rmse"), "{wrong}");
        }
    }

    /// `y = 100 x + 50`, standardised: metrics are in the unit of the raw targets, and of the outputs as they then are.
    #[test]
    fn training_tells_them_in_the_unit_of_the_targets() {
        let x: Vec<f32> = (0..64).map(|i| i as f32 / 64.0).collect();
        let raw: Vec<f32> = x.iter().map(|x| 100.0 * x + 50.0).collect();
        let target = crate::features::TargetScaling::fit(&raw);
        let mut draft = Builder::new("line", &[1]).dense(1).build(0).unwrap().into_draft();
        draft.target = Some(target);
        let mut graph = Graph::verify(draft).unwrap();
        let values = raw.iter().map(|&y| target.encode(y)).collect();
        let samples = Samples::new(x.clone(), vec![1], Targets::Values { width: 1, values }).unwrap();
        let metrics = vec![Metric::MeanAbsoluteError, Metric::R2];
        let options =
            FitOptions { epochs: 2, loss: Loss::MeanSquaredError, metrics, ..FitOptions::default() };
        let history =
            fit(&mut graph, &samples, Some(&samples), &options, &mut |_| ControlFlow::Continue(())).unwrap();
        let outputs = predict(&graph, &x).unwrap();
        let predictions: Vec<f32> = outputs.iter().map(|&y| target.decode(y)).collect();
        let told = &history.epochs[1].val_metrics;
        let error = super::super::mean_absolute_error(&predictions, &raw);
        assert!((told["mae"] - error).abs() < 1e-4 && error > 5.0, "{told:?} {error}");
        assert_eq!(told.keys().collect::<Vec<_>>(), ["mae", "r2"]);
    }

    #[test]
    fn what_has_no_value_is_left_out() {
        let graph = Builder::new("m", &[1]).dense(2).softmax().build(0).unwrap();
        let all = [Metric::F1, Metric::Auc];
        let (outputs, targets) = ([0.2, 0.8, 0.4, 0.6], Targets::Classes(vec![1, 1]));
        assert_eq!(Metric::values(&all, &graph, &outputs, &targets), [(Metric::F1, 1.0)]);
        // One-hot targets are classes, too.
        let targets = Targets::Values { width: 2, values: vec![0.0, 1.0, 1.0, 0.0] };
        assert_eq!(Metric::values(&all, &graph, &outputs, &targets)[1], (Metric::Auc, 1.0));
        assert_eq!(Metric::values(&[], &graph, &outputs, &targets), []);
    }
}
