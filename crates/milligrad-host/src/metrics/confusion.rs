//! The confusion matrix, and what follows from it.

use serde::{Serialize, Serializer};

/// How many samples of each class (rows) were taken for each class (columns).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    rows: Vec<Vec<u64>>,
}

/// How the scores of classes become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// Each class counts the same.
    Macro,
    /// Each class counts as often as it has samples.
    Weighted,
}

/// Precision, recall and F1, of a class or averaged. Where a quotient is 0 / 0 it is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Scores {
    /// Of the samples that were taken for the class, the share that are of it.
    pub precision: f64,
    /// Of the samples of the class, the share that were taken for it.
    pub recall: f64,
    /// `2 precision recall / (precision + recall)`
    pub f1: f64,
}

impl ConfusionMatrix {
    /// Counts samples by label and predicted class, of so many classes; what is beyond them is left out.
    pub fn new(classes: usize, labels: &[u32], predicted: impl IntoIterator<Item = u32>) -> Self {
        let mut rows = vec![vec![0; classes]; classes];
        for (&label, class) in labels.iter().zip(predicted) {
            if let Some(count) = rows.get_mut(label as usize).and_then(|row| row.get_mut(class as usize)) {
                *count += 1;
            }
        }
        Self { rows }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.rows.len()
    }

    /// `rows[label][predicted]`
    pub fn rows(&self) -> &[Vec<u64>] {
        &self.rows
    }

    /// Samples of a class.
    pub fn support(&self, class: usize) -> u64 {
        self.rows.get(class).map_or(0, |row| row.iter().sum())
    }

    /// Samples that were taken for a class.
    fn predicted(&self, class: usize) -> u64 {
        self.rows.iter().filter_map(|row| row.get(class)).sum()
    }

    /// Share of samples on the diagonal; 0 of no samples.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = self.rows.iter().enumerate().map(|(class, row)| row[class]).sum();
        ratio(right, self.rows.iter().flatten().sum())
    }

    /// Precision, recall and F1 of one class; 0 of a class that does not exist.
    pub fn scores(&self, class: usize) -> Scores {
        let right = self.rows.get(class).map_or(0, |row| row[class]);
        let (support, predicted) = (self.support(class), self.predicted(class));
        Scores {
            precision: ratio(right, predicted),
            recall: ratio(right, support),
            f1: ratio(2 * right, support + predicted),
        }
    }

    /// Their average over the classes that occur among the labels or the predictions.
    pub fn average(&self, average: Average) -> Scores {
        let weight = |class: usize| match average {
            Average::Weighted => self.support(class) as f64,
            Average::Macro => f64::from(u8::from(self.support(class) + self.predicted(class) > 0)),
        };
        let (mut sum, mut total) = (Scores::default(), 0.0);
        for class in 0..self.classes() {
            let (scores, weight) = (self.scores(class), weight(class));
            sum.precision += weight * scores.precision;
            sum.recall += weight * scores.recall;
            sum.f1 += weight * scores.f1;
            total += weight;
        }
        let total = if total > 0.0 { total } else { 1.0 };
        Scores { precision: sum.precision / total, recall: sum.recall / total, f1: sum.f1 / total }
    }
}

impl Serialize for ConfusionMatrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rows.serialize(serializer)
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let matrix = ConfusionMatrix::new(3, &[0, 0, 1, 1, 1, 7], [0, 1, 1, 1, 0, 0]);
        assert_eq!(matrix.rows(), [[1, 1, 0], [1, 2, 0], [0, 0, 0]]);
        assert_eq!(matrix.accuracy(), 0.6);
        assert_eq!(matrix.scores(0), Scores { precision: 0.5, recall: 0.5, f1: 0.5 });
        assert_eq!(matrix.scores(2), Scores::default());
        assert_eq!(matrix.scores(9), Scores::default());
        // Class 2 does not occur, and so does not count.
        assert!((matrix.average(Average::Macro).recall - (0.5 + 2.0 / 3.0) / 2.0).abs() < 1e-15);
        assert!((matrix.average(Average::Weighted).recall - 0.6).abs() < 1e-15);
        assert_eq!(ConfusionMatrix::new(0, &[], []).average(Average::Macro), Scores::default());
    }
}
