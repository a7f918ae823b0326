//! Losses over a block of samples, and how many answers are right.

use super::layers;
use super::real::Real;
use super::samples::{Samples, Targets};
use crate::error::{Error, Result};
use crate::graph::{Activation, Graph, Op, TensorId};
use serde::{Deserialize, Serialize};

/// What training makes small: the mean over the samples of a batch.
///
/// The cross entropies are computed from the scores `z` before a final Softmax or Sigmoid of the graph; a graph
/// without one gives scores (Keras' `from_logits`). With a label smoothing `s` the targets of `k` classes become
/// `t (1 - s) + s / k`, those of yes and no `t (1 - s) + s / 2`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Loss {
    /// `1/k Σ (y - t)²`
    MeanSquaredError,
    /// `1/k Σ |y - t|`
    MeanAbsoluteError,
    /// `1/k Σ h(y - t)`, `h(e) = e² / 2` up to `|e| = delta` and `delta (|e| - delta / 2)` beyond (Huber, 1964).
    Huber {
        /// Where the square becomes a line; 1 in Keras.
        delta: f32,
    },
    /// `-1/k Σ (t ln p + (1 - t) ln(1 - p))`, `p = sigmoid(z)`. Targets are values between 0 and 1, or for one output
    /// classes 0 and 1.
    BinaryCrossEntropy {
        /// `s`, from 0 to below 1.
        label_smoothing: f32,
    },
    /// `-Σ t ln p`, `p = softmax(z)`. Targets are probabilities of classes.
    CategoricalCrossEntropy {
        /// `s`, from 0 to below 1.
        label_smoothing: f32,
    },
    /// `-ln p[class]`, `p = softmax(z)`. Targets are classes.
    SparseCategoricalCrossEntropy,
}

impl Loss {
    /// Binary cross entropy without label smoothing.
    pub const BINARY_CROSS_ENTROPY: Self = Self::BinaryCrossEntropy { label_smoothing: 0.0 };
    /// Categorical cross entropy without label smoothing.
    pub const CATEGORICAL_CROSS_ENTROPY: Self = Self::CategoricalCrossEntropy { label_smoothing: 0.0 };

    /// What is wrong with the constants, if anything.
    pub(crate) fn problem(self) -> Option<String> {
        match self {
            Self::Huber { delta } if !(delta > 0.0 && delta.is_finite()) => {
                Some(format!("Huber's delta is {delta}; it must be positive"))
            }
            Self::BinaryCrossEntropy { label_smoothing }
            | Self::CategoricalCrossEntropy { label_smoothing }
                if !(0.0..1.0).contains(&label_smoothing) =>
            {
                Some(format!("label smoothing is {label_smoothing}; it is from 0 to below 1"))
            }
            _ => None,
        }
    }

    /// `true` for losses of values to predict, `false` for those of classes.
    pub fn is_regression(self) -> bool {
        matches!(self, Self::MeanSquaredError | Self::MeanAbsoluteError | Self::Huber { .. })
    }

    /// The tensor that the loss is computed from.
    pub(crate) fn tensor(self, graph: &Graph) -> TensorId {
        let last = graph.nodes.iter().find(|node| node.output == graph.output());
        match (self, last.map(|node| (&node.op, &node.inputs[..]))) {
            (
                Self::CategoricalCrossEntropy { .. } | Self::SparseCategoricalCrossEntropy,
                Some((Op::Softmax, &[scores])),
            )
            | (
                Self::BinaryCrossEntropy { .. },
                Some((Op::Activation { activation: Activation::Sigmoid }, &[scores])),
            ) => scores,
            _ => graph.output(),
        }
    }

    /// Do these targets fit this loss and a network with this many outputs?
    pub(crate) fn check(self, samples: &Samples, outputs: usize) -> Result<()> {
        let error = |problem: String| Err(Error::Data(problem));
        match (self, samples.targets()) {
            (Self::SparseCategoricalCrossEntropy, Targets::Classes(classes)) => {
                check_classes(classes, outputs)
            }
            (Self::BinaryCrossEntropy { .. }, Targets::Classes(classes)) if outputs == 1 => {
                check_classes(classes, 2)
            }
            (Self::SparseCategoricalCrossEntropy, Targets::Values { .. }) => {
                error("sparse categorical cross entropy takes classes, not values".into())
            }
            (_, Targets::Classes(_)) => {
                error(format!("{self:?} takes values, not classes, as targets of {outputs} outputs"))
            }
            (_, Targets::Values { width, .. }) if *width != outputs => {
                error(format!("{width} target values for {outputs} outputs"))
            }
            (Self::BinaryCrossEntropy { .. }, Targets::Values { width, values }) => {
                match values.iter().position(|t| !(0.0..=1.0).contains(t)) {
                    Some(at) => error(format!(
                        "target {} of sample {} is {}; binary cross entropy takes 0 to 1",
                        at % width,
                        at / width,
                        values[at]
                    )),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// `true` if there is such a thing as a right answer.
    pub(crate) fn has_accuracy(self) -> bool {
        !self.is_regression()
    }

    /// The loss of each of the samples `indices`, times its weight if it has one, and how right its answer is (0 to 1); `dy`
    /// becomes the derivative of `scale Σ loss` by `y`. Samples of the block behind `indices` have no part.
    pub(crate) fn block<F: Real, const N: usize>(
        self,
        y: &[[F; N]],
        samples: &Samples,
        indices: &[u32],
        scale: F,
        dy: &mut [[F; N]],
        mut report: impl FnMut(F, f32),
    ) {
        if let Self::CategoricalCrossEntropy { .. } | Self::SparseCategoricalCrossEntropy = self {
            let smoothing = self.smoothing(y.len());
            return cross_entropy(y, (samples, indices), scale, smoothing, dy, report);
        }
        let (targets, weights) = (samples.targets(), samples.weights());
        let width = F::from_f64(y.len() as f64);
        for n in 0..N {
            let Some(&index) = indices.get(n) else {
                dy.iter_mut().for_each(|dy| dy[n] = F::ZERO);
                continue;
            };
            let target = Target {
                targets,
                index: index as usize,
                outputs: y.len(),
                smoothing: self.smoothing(y.len()),
            };
            let weight = weights.and_then(|weights| weights.get(index as usize)).map(|&w| F::from_f32(w));
            let scale = weight.map_or(scale, |weight| weight * scale);
            let mut loss = F::ZERO;
            let outputs = y.len() as f32;
            let mut correct = 0.0;
            match self {
                Self::MeanSquaredError => {
                    for (i, (y, dy)) in y.iter().zip(dy.iter_mut()).enumerate() {
                        let error = y[n] - target.value(i);
                        loss += error * error / width;
                        dy[n] = (error + error) / width * scale;
                    }
                }
                Self::MeanAbsoluteError => {
                    for (i, (y, dy)) in y.iter().zip(dy.iter_mut()).enumerate() {
                        let error: F = y[n] - target.value(i);
                        let sign = if error > F::ZERO { F::ONE } else { -F::ONE };
                        loss += error * sign / width;
                        dy[n] = if error == F::ZERO { F::ZERO } else { sign / width * scale };
                    }
                }
                Self::Huber { delta } => {
                    let (delta, half) = (F::from_f32(delta), F::from_f64(0.5));
                    for (i, (y, dy)) in y.iter().zip(dy.iter_mut()).enumerate() {
                        let error: F = y[n] - target.value(i);
                        let magnitude = if error < F::ZERO { -error } else { error };
                        let line = if error < F::ZERO { -delta } else { delta };
                        let within = magnitude <= delta;
                        let square = half * error * error;
                        let beyond = delta * magnitude - half * delta * delta;
                        loss += if within { square } else { beyond } / width;
                        dy[n] = if within { error } else { line } / width * scale;
                    }
                }
                Self::BinaryCrossEntropy { .. } => {
                    for (i, (y, dy)) in y.iter().zip(dy.iter_mut()).enumerate() {
                        let (z, t) = (y[n], target.smoothed::<F>(target.value(i)));
                        let magnitude = if z < F::ZERO { -z } else { z };
                        let positive = if z > F::ZERO { z } else { F::ZERO };
                        loss += (positive - z * t + (F::ONE + (-magnitude).exp()).ln()) / width;
                        let p = F::ONE / (F::ONE + (-z).exp());
                        dy[n] = (p - t) / width * scale;
                        let right = (z > F::ZERO) == (t > F::from_f64(0.5));
                        correct += f32::from(u8::from(right)) / outputs;
                    }
                }
                Self::CategoricalCrossEntropy { .. } | Self::SparseCategoricalCrossEntropy => {
                    unreachable!("all samples at once, above")
                }
            }
            report(weight.map_or(loss, |weight| weight * loss), correct);
        }
    }

    /// What targets are multiplied with and what is then added, of this many outputs.
    fn smoothing(self, outputs: usize) -> Option<(f64, f64)> {
        let (smoothing, classes) = match self {
            Self::BinaryCrossEntropy { label_smoothing } => (f64::from(label_smoothing), 2.0),
            Self::CategoricalCrossEntropy { label_smoothing } => (f64::from(label_smoothing), outputs as f64),
            _ => (0.0, 1.0),
        };
        (smoothing != 0.0).then(|| (1.0 - smoothing, smoothing / classes))
    }
}

/// [`Loss::block`] of cross entropy: all samples of the block at once.
fn cross_entropy<F: Real, const N: usize>(
    y: &[[F; N]],
    (samples, indices): (&Samples, &[u32]),
    scale: F,
    smoothing: Option<(f64, f64)>,
    dy: &mut [[F; N]],
    mut report: impl FnMut(F, f32),
) {
    let (targets, outputs) = (samples.targets(), y.len());
    // Samples behind `indices` stand for any other here.
    let index = |n: usize| indices.get(n).or(indices.first()).map_or(0, |&index| index as usize);
    let indices_of_block: [usize; N] = std::array::from_fn(index);
    let probability = |n: usize, i: usize| {
        Target { targets, index: indices_of_block[n], outputs, smoothing }.probability::<F>(i)
    };
    let probabilities = |i: usize| -> [F; N] { std::array::from_fn(|n| probability(n, i)) };
    let weight = |n: usize| samples.weights().map(|weights| F::from_f32(weights[indices_of_block[n]]));
    let scales: [F; N] = std::array::from_fn(|n| weight(n).map_or(scale, |weight| weight * scale));
    // `dy` holds probabilities first.
    let logarithms = layers::softmax(y, dy);
    let (mut total, mut loss) = ([F::ZERO; N], [F::ZERO; N]);
    let (mut highest, mut best) = (y[0], [0; N]);
    let (mut likeliest, mut wanted) = (probabilities(0), [0; N]);
    for (i, y) in y.iter().enumerate() {
        let t = probabilities(i);
        for n in 0..N {
            total[n] += t[n];
            loss[n] += t[n] * (logarithms[n] - y[n]);
            best[n] = if y[n] > highest[n] { i } else { best[n] };
            highest[n] = if y[n] > highest[n] { y[n] } else { highest[n] };
            wanted[n] = if t[n] > likeliest[n] { i } else { wanted[n] };
            likeliest[n] = if t[n] > likeliest[n] { t[n] } else { likeliest[n] };
        }
    }
    for (i, dy) in dy.iter_mut().enumerate() {
        let t = probabilities(i);
        (0..N).for_each(|n| dy[n] = (dy[n] * total[n] - t[n]) * scales[n]);
        dy[indices.len()..].fill(F::ZERO);
    }
    for n in 0..indices.len() {
        let loss = weight(n).map_or(loss[n], |weight| weight * loss[n]);
        report(loss, f32::from(u8::from(best[n] == wanted[n])));
    }
}

/// The target of one sample.
struct Target<'a> {
    targets: &'a Targets,
    index: usize,
    outputs: usize,
    /// Label smoothing, if any: a factor, and what is then added.
    smoothing: Option<(f64, f64)>,
}

impl Target<'_> {
    fn smoothed<F: Real>(&self, t: F) -> F {
        match self.smoothing {
            None => t,
            Some((factor, added)) => t * F::from_f64(factor) + F::from_f64(added),
        }
    }

    fn value<F: Real>(&self, i: usize) -> F {
        match self.targets {
            Targets::Classes(classes) => F::from_f32(classes[self.index] as f32),
            Targets::Values { values, .. } => F::from_f32(values[self.index * self.outputs + i]),
        }
    }

    fn probability<F: Real>(&self, i: usize) -> F {
        self.smoothed(match self.targets {
            Targets::Classes(classes) if classes[self.index] as usize == i => F::ONE,
            Targets::Classes(_) => F::ZERO,
            Targets::Values { .. } => self.value(i),
        })
    }
}

fn check_classes(classes: &[u32], outputs: usize) -> Result<()> {
    match classes.iter().position(|&class| class as usize >= outputs) {
        None => Ok(()),
        Some(sample) => Err(Error::Data(format!(
            "label {} of sample {sample} is out of range; the network has {outputs} classes, 0 to {}",
            classes[sample],
            outputs - 1
        ))),
    }
}
