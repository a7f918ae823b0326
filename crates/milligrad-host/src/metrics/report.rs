//! All metrics of a model's answers at once.

use super::confusion::{Average, ConfusionMatrix, Scores};
use super::{ClassRule, auc, auc_one_vs_rest, mean_absolute_error, mean_squared_error, r2, top_k};
use serde::Serialize;

/// Scores of one class against all others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassReport {
    /// Precision, recall and F1.
    #[serde(flatten)]
    pub scores: Scores,
    /// Samples of the class.
    pub support: u64,
    /// Area under the ROC curve of the class against the rest; absent if no or every sample is of it.
    pub auc: Option<f64>,
}

/// Metrics of classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Classification {
    /// Share of right answers.
    pub accuracy: f64,
    /// Share of samples whose label is among the 3 largest scores; absent with 3 classes or fewer.
    pub top_3: Option<f64>,
    /// Mean over the classes.
    #[serde(rename = "macro")]
    pub macro_average: Scores,
    /// Mean over the classes, weighted with their samples.
    pub weighted: Scores,
    /// Area under the ROC curve: of two classes that of the second, else the mean over the classes that have one.
    pub auc: Option<f64>,
    /// Each class.
    pub classes: Vec<ClassReport>,
    /// Labels and predicted classes.
    pub confusion: ConfusionMatrix,
}

impl Classification {
    /// Metrics of samples of so many scores, one sample after the other.
    pub fn of(rule: ClassRule, scores: &[f32], outputs: usize, labels: &[u32]) -> Self {
        let rows = scores.chunks_exact(outputs.max(1));
        let classes = rule.classes(outputs);
        let confusion = ConfusionMatrix::new(classes, labels, rows.map(|scores| rule.class(scores)));
        let areas = match rule {
            // The area of `no` is that of `yes`, both orders turned round.
            ClassRule::Above(_) => {
                vec![auc(scores.iter().zip(labels).map(|(&score, &label)| (score, label == 1))); 2]
            }
            _ => auc_one_vs_rest(scores, outputs, labels),
        };
        let known: Vec<f64> = areas.iter().copied().flatten().collect();
        let auc = match areas[..] {
            [_, second] => second,
            _ => (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64),
        };
        let class = |(class, auc): (usize, Option<f64>)| ClassReport {
            scores: confusion.scores(class),
            support: confusion.support(class),
            auc,
        };
        Self {
            accuracy: rule.accuracy(scores, outputs, labels),
            top_3: (classes > 3).then(|| top_k(scores, outputs, labels, 3)),
            macro_average: confusion.average(Average::Macro),
            weighted: confusion.average(Average::Weighted),
            auc,
            classes: areas.into_iter().enumerate().map(class).collect(),
            confusion,
        }
    }

    /// Precision, recall and F1 as one: of two classes those of the second, else the macro average.
    pub fn overall(&self) -> Scores {
        match &self.classes[..] {
            [_, second] => second.scores,
            _ => self.macro_average,
        }
    }
}

/// Metrics of numbers, in the unit of the targets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Regression {
    /// Mean absolute error.
    pub mae: f64,
    /// Mean squared error, in the unit's square.
    pub mse: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Share of the variance that is explained.
    pub r2: f64,
}

impl Regression {
    /// Metrics of samples of so many values, one sample after the other.
    pub fn of(predictions: &[f32], targets: &[f32], outputs: usize) -> Self {
        let mse = mean_squared_error(predictions, targets);
        Self {
            mae: mean_absolute_error(predictions, targets),
            mse,
            rmse: mse.sqrt(),
            r2: r2(predictions, targets, outputs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_score_or_two_say_the_same() {
        let p = [0.9, 0.2, 0.6, 0.4, 0.5];
        let labels = [1, 0, 0, 1, 0];
        let both: Vec<f32> = p.iter().flat_map(|p| [1.0 - p, *p]).collect();
        let (one, two) = (
            Classification::of(ClassRule::Above(0.5), &p, 1, &labels),
            Classification::of(ClassRule::Largest, &both, 2, &labels),
        );
        assert_eq!(one, two);
        assert_eq!((one.accuracy, one.overall().precision, one.overall().recall), (0.6, 0.5, 0.5));
    }

    #[test]
    fn of_nothing() {
        let report = Classification::of(ClassRule::Largest, &[], 3, &[]);
        assert_eq!((report.accuracy, report.auc, report.overall()), (0.0, None, Scores::default()));
        assert_eq!(Regression::of(&[], &[], 1).mse, 0.0);
    }
}
