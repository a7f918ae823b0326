//! The data set itself.

use super::shuffled;
use crate::features::RawColumn;
use crate::graph::{Graph, Normalize};
use crate::train::{ClassWeights, Loss, Samples, Targets};
use crate::{Error, Result};

/// How a reader understands the target column.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// As a class: its name, or its index. Without names, those in the data are taken in order.
    Classify {
        /// Names of the classes.
        classes: Vec<String>,
    },
    /// As a number.
    Regress,
}

/// Samples as they were read: raw values, before the model's normalisation.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Where they come from, for messages.
    pub name: String,
    /// Extents of one input: `[height, width, channels]` or `[features]`.
    pub shape: Vec<usize>,
    /// Raw values, sample after sample.
    pub inputs: Vec<f32>,
    /// What is to be learned, sample after sample.
    pub targets: Targets,
    /// Names of the classes; empty for numbers.
    pub classes: Vec<String>,
    /// The group of each sample, such as the person or recording that it comes from; empty if nobody said. A group
    /// never lies in two parts.
    pub groups: Vec<u32>,
    /// How much each sample counts in the loss; empty if all count the same.
    pub weights: Vec<f32>,
    /// The columns of a row of an input, whose last axis they are; empty if they have no names.
    pub columns: Vec<RawColumn>,
}

impl Dataset {
    /// Checks that inputs and targets belong together and are finite, and that labels are classes.
    ///
    /// # Errors
    /// [`Error::Data`] names the first sample that is wrong.
    pub fn new(
        name: impl Into<String>,
        shape: &[usize],
        inputs: Vec<f32>,
        targets: Targets,
        classes: Vec<String>,
    ) -> Result<Self> {
        let name = name.into();
        let error = |problem: String| Error::Data(format!("{name}: {problem}"));
        let width = shape.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent));
        let width =
            width.filter(|&n| n > 0).ok_or_else(|| error(format!("an input can't be of shape {shape:?}")))?;
        let samples = count(&targets);
        if samples == 0 {
            return Err(error("it has no samples".into()));
        }
        if width.checked_mul(samples) != Some(inputs.len()) {
            return Err(error(format!(
                "{samples} targets need {samples} inputs of shape {shape:?}, but there are {} input values",
                inputs.len()
            )));
        }
        if let Some(at) = inputs.iter().position(|x| !x.is_finite()) {
            let (sample, feature) = (at / width, at % width);
            return Err(error(format!(
                "value {feature} of sample {sample} is {}, not a number to learn from",
                inputs[at]
            )));
        }
        match &targets {
            Targets::Classes(labels) => {
                if let Some(at) = labels.iter().position(|&label| label as usize >= classes.len()) {
                    return Err(error(format!(
                        "the label of sample {at} is {}, but the {} classes are numbered from 0",
                        labels[at],
                        classes.len()
                    )));
                }
            }
            Targets::Values { width, values } => {
                if *width == 0 || values.len() % width != 0 {
                    return Err(error(format!(
                        "{} target values are not a multiple of {width}",
                        values.len()
                    )));
                }
                if let Some(at) = values.iter().position(|x| !x.is_finite()) {
                    return Err(error(format!("the target of sample {} is {}", at / width, values[at])));
                }
            }
        }
        Ok(Self {
            name,
            shape: shape.to_vec(),
            inputs,
            targets,
            classes,
            groups: Vec::new(),
            weights: Vec::new(),
            columns: Vec::new(),
        })
    }

    /// The same samples, each with its group.
    ///
    /// # Errors
    /// [`Error::Data`] if there is not one group for each sample.
    pub fn grouped(mut self, groups: Vec<u32>) -> Result<Self> {
        if groups.len() != self.len() {
            let problem = format!("{} groups for {} samples", groups.len(), self.len());
            return Err(Error::Data(format!("{}: {problem}", self.name)));
        }
        self.groups = groups;
        Ok(self)
    }

    /// The same samples, each with how much it counts in the loss.
    ///
    /// # Errors
    /// [`Error::Data`] if there is not one weight for each sample, or one is negative or not finite.
    pub fn weighted(mut self, weights: Vec<f32>) -> Result<Self> {
        let error = |problem: String| Err(Error::Data(format!("{}: {problem}", self.name)));
        if weights.len() != self.len() {
            return error(format!("{} weights for {} samples", weights.len(), self.len()));
        }
        if let Some(at) = weights.iter().position(|w| !(*w >= 0.0 && w.is_finite())) {
            return error(format!("the weight of sample {at} is {}; it is 0 or more", weights[at]));
        }
        self.weights = weights;
        Ok(self)
    }

    /// The same samples, each with the weight of its class.
    ///
    /// # Errors
    /// [`Error::Data`] if there are no classes, they don't fit the weights, or (as in Keras) samples have weights already.
    pub fn class_weighted(self, weights: &ClassWeights) -> Result<Self> {
        let error = |problem: &str| Err(Error::Data(format!("{}: {problem}", self.name)));
        let Targets::Classes(labels) = &self.targets else {
            return error("class_weight is for classes; these targets are numbers");
        };
        if !self.weights.is_empty() {
            return error("class_weight and sample_weight can't be had together; leave one out");
        }
        let of_class = weights.of(&self.classes, labels)?;
        let weights = labels.iter().map(|&label| of_class[label as usize]).collect();
        self.weighted(weights)
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        count(&self.targets)
    }

    /// `true` if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of values of one input.
    pub fn input_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Number of classes, or of target values.
    pub fn output_len(&self) -> usize {
        match &self.targets {
            Targets::Classes(_) => self.classes.len(),
            Targets::Values { width, .. } => *width,
        }
    }

    /// Raw values of one sample; empty beyond the last.
    pub fn input(&self, sample: usize) -> &[f32] {
        self.inputs.chunks_exact(self.input_len()).nth(sample).unwrap_or_default()
    }

    /// The labels, if the targets are classes.
    pub fn labels(&self) -> Option<&[u32]> {
        match &self.targets {
            Targets::Classes(labels) => Some(labels),
            Targets::Values { .. } => None,
        }
    }

    /// The same samples with another shape of the same size.
    ///
    /// # Errors
    /// [`Error::Data`] if the sizes differ.
    pub fn reshaped(mut self, shape: &[usize]) -> Result<Self> {
        if shape.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent)) != Some(self.input_len()) {
            return Err(Error::Data(format!(
                "{}: an input is of shape {:?}, which can't be taken as {shape:?}",
                self.name, self.shape
            )));
        }
        self.shape = shape.to_vec();
        Ok(self)
    }

    /// These samples, in this order; those beyond the last are left out.
    pub fn select(&self, samples: &[usize]) -> Self {
        let present = || samples.iter().copied().filter(|&sample| sample < self.len());
        let width = self.input_len();
        let rows = |values: &[f32], width: usize| -> Vec<f32> {
            present()
                .flat_map(|sample| values[sample * width..(sample + 1) * width].iter().copied())
                .collect()
        };
        let targets = match &self.targets {
            Targets::Classes(labels) => Targets::Classes(present().map(|sample| labels[sample]).collect()),
            Targets::Values { width, values } => {
                Targets::Values { width: *width, values: rows(values, *width) }
            }
        };
        let groups = present().filter_map(|sample| self.groups.get(sample).copied()).collect();
        let weights = present().filter_map(|sample| self.weights.get(sample).copied()).collect();
        Self { inputs: rows(&self.inputs, width), targets, groups, weights, ..self.clone_header() }
    }

    /// The first samples.
    pub fn take(&self, samples: usize) -> Self {
        self.select(&(0..samples.min(self.len())).collect::<Vec<_>>())
    }

    /// The samples as a model takes them, but for its [`Normalize`]: engineered features, scaled targets. Nothing changes for
    /// models without either.
    ///
    /// # Errors
    /// [`Error::Data`] if raw columns or their categories are others than those that the model was fitted to, or a feature
    /// is not finite.
    pub fn prepared(mut self, graph: &Graph) -> Result<Self> {
        if let Some(features) = &graph.features {
            let error = |problem: String| Err(Error::Data(format!("{}: {problem}", self.name)));
            let (raw, wanted) = (self.input_len(), features.raw_len(graph.input_len()));
            if raw != wanted {
                return error(format!("an input has {raw} raw values, the model takes {wanted}"));
            }
            if !self.columns.is_empty() && self.columns != features.columns {
                let named = |columns: &[RawColumn]| {
                    let names = columns.iter().map(|column| match &column.categories[..] {
                        [] => column.name.clone(),
                        categories => format!("{} ({})", column.name, categories.join(", ")),
                    });
                    names.collect::<Vec<_>>().join(", ")
                };
                let (found, wanted) = (named(&self.columns), named(&features.columns));
                return error(format!("its columns are {found}; the model was fitted to {wanted}"));
            }
            features.check_finite(&self)?;
            self.inputs = features.apply(&self.inputs);
            self.shape.clone_from(&graph.tensor(graph.input()).shape);
            self.columns.clear();
        }
        if let (Some(target), Targets::Values { values, .. }) = (graph.target, &mut self.targets) {
            values.iter_mut().for_each(|y| *y = target.encode(*y));
        }
        Ok(self)
    }

    /// Number of samples of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        self.labels().unwrap_or_default().iter().for_each(|&label| counts[label as usize] += 1);
        counts
    }

    /// What `fit` and `evaluate` take: normalised inputs, and targets as this loss wants them of a network with so many
    /// outputs: classes become one-hot values where it takes values.
    ///
    /// # Errors
    /// [`Error::Data`] if a normalised value is not finite.
    pub fn into_samples(self, normalize: Normalize, loss: Loss, outputs: usize) -> Result<Samples> {
        let Normalize { scale, offset } = normalize;
        let mut inputs = self.inputs;
        inputs.iter_mut().for_each(|x| *x = *x * scale + offset);
        let takes_classes = loss == Loss::SparseCategoricalCrossEntropy
            || (matches!(loss, Loss::BinaryCrossEntropy { .. }) && outputs == 1);
        let targets = match self.targets {
            Targets::Classes(labels) if !takes_classes && outputs > 0 => {
                let mut values = vec![0.0; labels.len() * outputs];
                let rows = values.chunks_exact_mut(outputs).zip(&labels);
                rows.for_each(|(row, &label)| {
                    row.iter_mut().skip(label as usize).take(1).for_each(|x| *x = 1.0)
                });
                Targets::Values { width: outputs, values }
            }
            targets => targets,
        };
        let samples = Samples::new(inputs, self.shape, targets)?;
        if self.weights.is_empty() { Ok(samples) } else { samples.weighted(self.weights) }
    }

    /// Normalised inputs of so many samples, drawn with a seed: what a graph is quantised by.
    ///
    /// # Errors
    /// As [`prepared`](Self::prepared).
    pub fn calibration(&self, graph: &Graph, samples: usize, seed: u64) -> Result<Vec<f32>> {
        let mut chosen = shuffled(self.len(), seed);
        chosen.truncate(samples);
        Ok(self.select(&chosen).prepared(graph)?.normalized(graph.normalize, samples))
    }

    /// As [`into_samples`](Self::into_samples), of a copy.
    ///
    /// # Errors
    /// As for [`into_samples`](Self::into_samples).
    pub fn samples(&self, normalize: Normalize, loss: Loss, outputs: usize) -> Result<Samples> {
        self.clone().into_samples(normalize, loss, outputs)
    }

    /// The first samples' normalised inputs, one after the other: what calibration takes.
    pub fn normalized(&self, normalize: Normalize, samples: usize) -> Vec<f32> {
        let values = samples.saturating_mul(self.input_len());
        self.inputs.iter().take(values).map(|&x| normalize.apply(x)).collect()
    }

    fn clone_header(&self) -> Self {
        Self {
            name: self.name.clone(),
            shape: self.shape.clone(),
            inputs: Vec::new(),
            targets: Targets::Classes(Vec::new()),
            classes: self.classes.clone(),
            groups: Vec::new(),
            weights: Vec::new(),
            columns: self.columns.clone(),
        }
    }
}

fn count(targets: &Targets) -> usize {
    match targets {
        Targets::Classes(labels) => labels.len(),
        Targets::Values { width, values } => values.len() / width.max(&1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(n: usize) -> Vec<String> {
        (0..n).map(|i| i.to_string()).collect()
    }

    #[test]
    fn inputs_and_targets_belong_together() {
        let labels = || Targets::Classes(vec![0, 1]);
        let new = |inputs: &[f32], targets| Dataset::new("t", &[2], inputs.to_vec(), targets, classes(2));
        assert_eq!(new(&[1.0, 2.0, 3.0, 4.0], labels()).unwrap().input(1), [3.0, 4.0]);
        for (inputs, targets, problem) in [
            (&[1.0, 2.0, 3.0][..], labels(), "3 input values"),
            (&[1.0, 2.0, 3.0, f32::NAN], labels(), "value 1 of sample 1 is NaN"),
            (&[0.0; 4], Targets::Classes(vec![0, 2]), "label of sample 1 is 2"),
            (
                &[0.0; 4],
                Targets::Values { width: 1, values: vec![0.0, f32::INFINITY] },
                "target of sample 1 is inf",
            ),
            (&[0.0; 2], Targets::Values { width: 2, values: vec![0.0; 3] }, "not a multiple"),
            (&[], Targets::Classes(vec![]), "no samples"),
        ] {
            let error = new(inputs, targets).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
        assert!(Dataset::new("t", &[0], vec![], labels(), classes(2)).is_err());
        assert!(Dataset::new("t", &[usize::MAX, 2], vec![], labels(), classes(2)).is_err());
    }

    #[test]
    fn selects_rows() {
        let data = Dataset::new(
            "t",
            &[2],
            (0..6).map(|x| x as f32).collect(),
            Targets::Values { width: 1, values: vec![0.0, 1.0, 2.0] },
            vec![],
        )
        .unwrap();
        let some = data.select(&[2, 0, 9]);
        assert_eq!(some.inputs, [4.0, 5.0, 0.0, 1.0]);
        assert_eq!(some.targets, Targets::Values { width: 1, values: vec![2.0, 0.0] });
        assert!(data.clone().reshaped(&[1, 2, 1]).is_ok());
        let weighted = data.clone().weighted(vec![0.0, 1.0, 2.0]).unwrap();
        assert_eq!(weighted.select(&[2, 0, 9]).weights, [2.0, 0.0]);
        assert!(data.clone().weighted(vec![1.0]).unwrap_err().to_string().contains("1 weights for 3"));
        let problem = data.clone().class_weighted(&ClassWeights::Balanced).unwrap_err().to_string();
        assert!(problem.contains("targets are numbers"), "{problem}");
        assert!(data.reshaped(&[3]).is_err());
    }

    #[test]
    fn samples_for_every_loss() {
        let data =
            || Dataset::new("t", &[1], vec![8.0, 16.0], Targets::Classes(vec![1, 0]), classes(2)).unwrap();
        let normalize = Normalize { scale: 0.125, offset: -1.0 };
        let one_hot = Targets::Values { width: 2, values: vec![0.0, 1.0, 1.0, 0.0] };
        for (loss, outputs, targets) in [
            (Loss::SparseCategoricalCrossEntropy, 2, data().targets),
            (Loss::BINARY_CROSS_ENTROPY, 1, data().targets),
            (Loss::BINARY_CROSS_ENTROPY, 2, one_hot.clone()),
            (Loss::CATEGORICAL_CROSS_ENTROPY, 2, one_hot.clone()),
            (Loss::MeanSquaredError, 2, one_hot),
        ] {
            let samples = data().into_samples(normalize, loss, outputs).unwrap();
            assert_eq!((samples.inputs(), samples.targets()), (&[0.0, 1.0][..], &targets));
        }
        assert_eq!(data().normalized(normalize, 1), [0.0]);
        assert_eq!(data().normalized(normalize, 9), [0.0, 1.0]);
    }
}
