//! Samples to train on.

use super::arch;
use super::checkpoint::digest;
use super::row::{Bytes, Row};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::graph::Normalize;

/// What a network is to answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// The class of each sample.
    Classes(Vec<u32>),
    /// `width` numbers for each sample: values to predict, probabilities of classes, or yes and no as 1 and 0.
    Values {
        /// Numbers for each sample.
        width: usize,
        /// The numbers, sample by sample.
        values: Vec<f32>,
    },
}

/// Inputs, as the network takes them (normalised), with their targets. All numbers are finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    inputs: Vec<f32>,
    /// The same before they were normalised, if they were bytes then.
    bytes: Option<Bytes>,
    shape: Vec<usize>,
    targets: Targets,
    /// How much each sample counts in the loss; without, 1.
    weights: Option<Vec<f32>>,
}

impl Samples {
    /// Samples of this shape, such as `[28, 28, 1]`; `inputs` are one after the other.
    ///
    /// # Errors
    /// [`Error::Data`] if lengths don't fit, an extent is zero, or a number is not finite; the sample is named.
    pub fn new(inputs: Vec<f32>, shape: Vec<usize>, targets: Targets) -> Result<Self> {
        let error = |problem: String| Err(Error::Data(problem));
        let Some(width) =
            shape.iter().try_fold(1usize, |n, &extent| n.checked_mul(extent)).filter(|&n| n > 0)
        else {
            return error(format!("samples can't have the shape {shape:?}"));
        };
        if !inputs.len().is_multiple_of(width) {
            return error(format!("{} numbers are no whole samples of shape {shape:?}", inputs.len()));
        }
        let samples = inputs.len() / width;
        check_finite("input", &inputs, width)?;
        let targeted = match &targets {
            Targets::Classes(classes) => classes.len(),
            Targets::Values { width: 0, .. } => return error("targets have no values".into()),
            Targets::Values { width, values } => {
                if !values.len().is_multiple_of(*width) {
                    return error(format!("{} target values are no whole rows of {width}", values.len()));
                }
                check_finite("target", values, *width)?;
                values.len() / width
            }
        };
        if targeted != samples {
            return error(format!("{samples} samples with {targeted} targets"));
        }
        Ok(Self { inputs, bytes: None, shape, targets, weights: None })
    }

    /// The same samples, each with how much it counts: Keras' `sample_weight`. The loss of a batch is the sum of weighted losses
    /// by the number of its samples (not by the sum of the weights).
    ///
    /// # Errors
    /// [`Error::Data`] if there is not one weight for each sample, or one is negative or not finite.
    pub fn weighted(mut self, weights: Vec<f32>) -> Result<Self> {
        if weights.len() != self.len() {
            return Err(Error::Data(format!("{} weights for {} samples", weights.len(), self.len())));
        }
        if let Some(at) = weights.iter().position(|w| !(*w >= 0.0 && w.is_finite())) {
            return Err(Error::Data(format!(
                "the weight of sample {at} is {}; it is 0 or more",
                weights[at]
            )));
        }
        self.weights = Some(weights);
        Ok(self)
    }

    /// A data set as a network with this input transform takes it.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn of(data: &Dataset, normalize: Normalize) -> Result<Self> {
        let mut inputs = Vec::with_capacity(data.inputs.len());
        arch::large_pages(&mut inputs);
        inputs.extend(data.inputs.iter().map(|&x| normalize.apply(x)));
        let samples = Self::new(inputs, data.shape.clone(), data.targets.clone())?;
        Ok(Self { bytes: Bytes::of(&data.inputs, normalize), ..samples })
    }

    /// A fingerprint of all inputs and targets.
    pub(super) fn digest(&self) -> String {
        let targets = match &self.targets {
            Targets::Classes(labels) => labels.clone(),
            Targets::Values { values, .. } => values.iter().map(|value| value.to_bits()).collect(),
        };
        let weights = self.weights.iter().flatten().map(|weight| weight.to_bits());
        digest(self.inputs.iter().map(|value| value.to_bits()).chain(targets).chain(weights))
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.inputs.len() / self.width()
    }

    /// `true` if there are none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Shape of one sample.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Numbers in one sample.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// All inputs, sample by sample.
    pub fn inputs(&self) -> &[f32] {
        &self.inputs
    }

    /// All inputs, to be changed in place.
    pub(super) fn inputs_mut(&mut self) -> &mut [f32] {
        self.bytes = None;
        &mut self.inputs
    }

    /// One sample's inputs.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn input(&self, sample: usize) -> &[f32] {
        let width = self.width();
        &self.inputs[sample * width..(sample + 1) * width]
    }

    /// The same as training reads it.
    pub(super) fn row(&self, sample: usize) -> Row<'_> {
        match &self.bytes {
            Some(bytes) => bytes.row(sample, self.width()),
            None => Row::Floats(self.input(sample)),
        }
    }

    /// All targets.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// How much each sample counts in the loss; without, 1.
    pub fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }

    /// The samples with these indices, in this order.
    ///
    /// # Panics
    /// If there is no such sample.
    #[must_use]
    pub fn select(&self, samples: &[usize]) -> Self {
        let inputs = samples.iter().flat_map(|&sample| self.input(sample)).copied().collect();
        let targets = match &self.targets {
            Targets::Classes(classes) => {
                Targets::Classes(samples.iter().map(|&sample| classes[sample]).collect())
            }
            Targets::Values { width, values } => Targets::Values {
                width: *width,
                values: samples.iter().flat_map(|&s| &values[s * width..(s + 1) * width]).copied().collect(),
            },
        };
        let weights =
            self.weights.as_ref().map(|weights| samples.iter().map(|&sample| weights[sample]).collect());
        let bytes = self.bytes.as_ref().map(|bytes| bytes.select(samples, self.width()));
        Self { inputs, bytes, shape: self.shape.clone(), targets, weights }
    }
}

fn check_finite(what: &str, values: &[f32], width: usize) -> Result<()> {
    match values.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::Data(format!(
            "{what} {} of sample {} is {}; numbers must be finite",
            at % width,
            at / width,
            values[at]
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(inputs: Vec<f32>, shape: &[usize], targets: Targets) -> String {
        Samples::new(inputs, shape.to_vec(), targets).unwrap_err().to_string()
    }

    #[test]
    fn bad_samples_are_named() {
        let classes = |n| Targets::Classes(vec![0; n]);
        assert!(problem(vec![0.0; 6], &[0], classes(1)).contains("[0]"));
        assert!(problem(vec![0.0; 6], &[2, usize::MAX], classes(1)).contains("shape"));
        assert!(problem(vec![0.0; 7], &[2], classes(3)).contains("7 numbers"));
        assert!(problem(vec![0.0; 6], &[2], classes(2)).contains("3 samples with 2 targets"));
        assert!(
            problem(vec![0.0, 1.0, f32::NAN, 0.0], &[2], classes(2)).contains("input 0 of sample 1 is NaN")
        );
        let values = |width, values| Targets::Values { width, values };
        assert!(problem(vec![0.0], &[1], values(1, vec![f32::INFINITY])).contains("target 0 of sample 0"));
        assert!(problem(vec![0.0], &[1], values(2, vec![0.0])).contains("rows of 2"));
        assert!(problem(vec![0.0], &[1], values(0, vec![])).contains("no values"));
    }

    #[test]
    fn select() {
        let samples = Samples::new(vec![0.0, 1.0, 2.0], vec![1], Targets::Classes(vec![5, 6, 7])).unwrap();
        let chosen = samples.select(&[2, 0]);
        assert_eq!((chosen.inputs(), chosen.targets()), (&[2.0, 0.0][..], &Targets::Classes(vec![7, 5])));
        assert_eq!(chosen.weights(), None);
        let weighted = samples.clone().weighted(vec![0.0, 1.0, 2.0]).unwrap();
        assert_eq!(weighted.select(&[2, 0]).weights(), Some(&[2.0, 0.0][..]));
        assert_ne!(weighted.digest(), samples.digest());
        let problem = |weights| samples.clone().weighted(weights).unwrap_err().to_string();
        assert!(problem(vec![1.0]).contains("1 weights for 3 samples"));
        assert!(problem(vec![1.0, -1.0, 0.0]).contains("weight of sample 1 is -1"));
        assert!(problem(vec![1.0, 1.0, f32::NAN]).contains("weight of sample 2"));
    }
}
