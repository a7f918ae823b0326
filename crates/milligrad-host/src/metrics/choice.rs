//! Which class scores stand for.

use crate::graph::{Activation, Graph, Op};

/// How the scores of a sample become a class. Equal for training, the desk and the device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClassRule {
    /// One score for each class: the class of the largest, of equals the first.
    Largest,
    /// One score: class 1 if it is above this, else class 0.
    Above(f32),
    /// A yes (above this) or no for each class: the class is that of the largest, but every answer counts for accuracy.
    Each(f32),
}

impl ClassRule {
    /// The rule for so many outputs, after a sigmoid or not.
    pub fn new(outputs: usize, sigmoid: bool) -> Self {
        let threshold = if sigmoid { 0.5 } else { 0.0 };
        match outputs {
            1 => Self::Above(threshold),
            _ if sigmoid => Self::Each(threshold),
            _ => Self::Largest,
        }
    }

    /// The rule for the outputs of a graph.
    pub fn of(graph: &Graph) -> Self {
        let last = graph.nodes.iter().find(|node| node.output == graph.output());
        let sigmoid =
            last.is_some_and(|node| matches!(node.op, Op::Activation { activation: Activation::Sigmoid }));
        Self::new(graph.output_len(), sigmoid)
    }

    /// The same rule with another threshold; `None` if the largest score counts.
    pub fn at(self, threshold: f32) -> Option<Self> {
        match self {
            Self::Above(_) => Some(Self::Above(threshold)),
            Self::Each(_) => Some(Self::Each(threshold)),
            Self::Largest => None,
        }
    }

    /// Number of classes of so many outputs.
    pub fn classes(self, outputs: usize) -> usize {
        if matches!(self, Self::Above(_)) { 2 } else { outputs }
    }

    /// The class that the scores of a sample stand for.
    pub fn class(self, scores: &[f32]) -> u32 {
        match self {
            Self::Above(threshold) => u32::from(scores.first().is_some_and(|&score| score > threshold)),
            Self::Largest | Self::Each(_) => milligrad::argmax(scores) as u32,
        }
    }

    /// How right the scores of a sample are, from 0 to 1: Keras' accuracy, of [`Each`](Self::Each) its binary accuracy.
    pub fn correct(self, scores: &[f32], label: u32) -> f64 {
        match self {
            Self::Each(threshold) => {
                let answers = scores.iter().zip(0..);
                let right =
                    answers.filter(|(score, class)| (**score > threshold) == (*class == label)).count();
                right as f64 / scores.len().max(1) as f64
            }
            _ => f64::from(u8::from(self.class(scores) == label)),
        }
    }

    /// Mean of [`correct`](Self::correct) over samples of so many scores; 0 of no samples.
    pub fn accuracy(self, scores: &[f32], outputs: usize, labels: &[u32]) -> f64 {
        let rows = scores.chunks_exact(outputs.max(1)).zip(labels);
        rows.map(|(scores, &label)| self.correct(scores, label)).sum::<f64>() / labels.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_answers() {
        assert_eq!(ClassRule::new(1, true), ClassRule::Above(0.5));
        assert_eq!(ClassRule::new(1, false), ClassRule::Above(0.0));
        assert_eq!(ClassRule::new(3, true), ClassRule::Each(0.5));
        assert_eq!(ClassRule::Above(0.5).at(0.9), Some(ClassRule::Above(0.9)));
        assert_eq!(ClassRule::Largest.at(0.9), None);
        assert_eq!(ClassRule::Largest.class(&[0.1, 0.4, 0.4]), 1);
        assert_eq!([0.5, 0.6].map(|score| ClassRule::Above(0.5).class(&[score])), [0, 1]);
        assert_eq!(ClassRule::Each(0.5).correct(&[0.9, 0.6, 0.1], 0), 2.0 / 3.0);
        assert_eq!(ClassRule::Above(0.0).accuracy(&[1.0, -1.0, 2.0, 0.0], 1, &[1, 1, 1, 0]), 0.75);
        assert_eq!(ClassRule::Largest.accuracy(&[], 0, &[]), 0.0);
    }
}
