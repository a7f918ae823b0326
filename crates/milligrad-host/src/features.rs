//! Feature engineering: from the raw columns of a row to what the network takes.
//!
//! A row has so many raw columns (a line of a CSV file, a point in time of a series, a pixel with its channels). Each
//! [`Feature`] is a term of them, then `(term - shift) * scale`, whose shift and scale were fitted on the training
//! part. Features are stored with the model, computed by the host and printed by the exporter, operation by operation
//! in the same order, so that desk and device have the same bits.

use crate::data::Dataset;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// A raw column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RawColumn {
    /// Its name.
    pub name: String,
    /// The categories whose index it holds; empty for numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
}

/// What is computed of raw columns, by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// The column as it is; of categories the index.
    Column(usize),
    /// `ln x`
    Log(usize),
    /// `ln(1 + x)`
    Log1p(usize),
    /// `x` to a whole power from 2, by repeated multiplication.
    Power(usize, u32),
    /// `a + b`
    Sum(usize, usize),
    /// `a - b`
    Difference(usize, usize),
    /// `a * b`
    Product(usize, usize),
    /// `a / b`
    Ratio(usize, usize),
    /// 1 if the category has this index, else 0.
    OneHot(usize, u32),
}

/// One value that the network takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// What it is, for reports and comments.
    pub name: String,
    /// What is computed.
    pub term: Term,
    /// Then subtracted.
    pub shift: f32,
    /// Then multiplied with.
    pub scale: f32,
}

/// The transform of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// What comes in.
    pub columns: Vec<RawColumn>,
    /// What goes into the network.
    pub features: Vec<Feature>,
}

/// `network's target = (target - shift) * scale`, of regression; the inverse is exported.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TargetScaling {
    /// Mean of the training targets.
    pub shift: f32,
    /// Their standard deviation: an output is multiplied with it, and `shift` added.
    pub deviation: f32,
}

impl TargetScaling {
    /// What the network is to answer.
    pub fn encode(self, target: f32) -> f32 {
        (target - self.shift) / self.deviation
    }

    /// The target that an answer of the network stands for.
    pub fn decode(self, output: f32) -> f32 {
        output * self.deviation + self.shift
    }

    /// Mean and standard deviation of these targets; the deviation is 1 if they are all equal.
    pub fn fit(targets: &[f32]) -> Self {
        let Moments { mean, deviation, .. } = Moments::of(targets.iter().copied());
        Self { shift: mean as f32, deviation: if deviation > 0.0 { deviation as f32 } else { 1.0 } }
    }
}

/// How shift and scale of a feature are fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scaling {
    /// Not at all.
    #[default]
    None,
    /// To mean 0 and standard deviation 1.
    Standard,
    /// To 0 and 1.
    MinMax,
}

/// Minimum, maximum, mean and standard deviation (of the population).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Smallest value.
    pub min: f32,
    /// Largest value.
    pub max: f32,
    /// Mean.
    pub mean: f64,
    /// Standard deviation.
    pub deviation: f64,
}

impl Moments {
    /// Those of some numbers; of none all are 0.
    pub fn of(values: impl Iterator<Item = f32> + Clone) -> Self {
        let count = values.clone().count();
        if count == 0 {
            return Self { min: 0.0, max: 0.0, mean: 0.0, deviation: 0.0 };
        }
        let mean = values.clone().map(f64::from).sum::<f64>() / count as f64;
        let squares: f64 = values.clone().map(|x| (f64::from(x) - mean).powi(2)).sum();
        let (min, max) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        Self { min, max, mean, deviation: (squares / count as f64).sqrt() }
    }
}

impl Term {
    /// The raw columns that it reads.
    pub fn columns(self) -> [usize; 2] {
        match self {
            Self::Column(a) | Self::Log(a) | Self::Log1p(a) | Self::Power(a, _) | Self::OneHot(a, _) => {
                [a, a]
            }
            Self::Sum(a, b) | Self::Difference(a, b) | Self::Product(a, b) | Self::Ratio(a, b) => [a, b],
        }
    }

    /// Its value for a row. The exporter prints these very operations.
    fn value(self, row: &[f32]) -> f32 {
        match self {
            Self::Column(a) => row[a],
            Self::Log(a) => milligrad::math::ln(row[a]),
            Self::Log1p(a) => milligrad::math::ln(1.0 + row[a]),
            Self::Power(a, n) => (1..n).fold(row[a], |product, _| product * row[a]),
            Self::Sum(a, b) => row[a] + row[b],
            Self::Difference(a, b) => row[a] - row[b],
            Self::Product(a, b) => row[a] * row[b],
            Self::Ratio(a, b) => row[a] / row[b],
            Self::OneHot(a, category) => f32::from(u8::from(row[a] == category as f32)),
        }
    }

    /// Rust source of [`value`](Self::value), of variables `x0`, `x1`, ...
    pub(crate) fn source(self) -> String {
        match self {
            Self::Column(a) => format!("x{a}"),
            Self::Log(a) => format!("math::ln(x{a})"),
            Self::Log1p(a) => format!("math::ln(1.0 + x{a})"),
            Self::Power(a, n) => vec![format!("x{a}"); n as usize].join(" * "),
            Self::Sum(a, b) => format!("x{a} + x{b}"),
            Self::Difference(a, b) => format!("x{a} - x{b}"),
            Self::Product(a, b) => format!("x{a} * x{b}"),
            Self::Ratio(a, b) => format!("x{a} / x{b}"),
            Self::OneHot(a, category) => format!("f32::from(u8::from(x{a} == {category}.0))"),
        }
    }
}

impl Feature {
    /// A feature that is not scaled.
    pub fn new(name: impl Into<String>, term: Term) -> Self {
        Self { name: name.into(), term, shift: 0.0, scale: 1.0 }
    }

    fn value(&self, row: &[f32]) -> f32 {
        (self.term.value(row) - self.shift) * self.scale
    }
}

/// Largest exponent of [`Term::Power`].
pub const MOST_POWER: u32 = 8;

impl Features {
    /// Raw values for inputs of so many.
    pub fn raw_len(&self, input: usize) -> usize {
        input / self.features.len().max(1) * self.columns.len()
    }

    /// Rows of raw columns as rows of features.
    pub fn apply(&self, raw: &[f32]) -> Vec<f32> {
        let rows = raw.chunks_exact(self.columns.len().max(1));
        rows.flat_map(|row| self.features.iter().map(|feature| feature.value(row))).collect()
    }

    /// Fits shift and scale of every feature to the training part.
    ///
    /// # Errors
    /// [`Error::Data`] names feature and sample if a value is not finite, such as the logarithm of a negative number, or
    /// a ratio to zero.
    pub fn fit(mut self, data: &Dataset, scaling: &[Scaling]) -> Result<Self> {
        self.check_finite(data)?;
        let width = self.columns.len();
        for (feature, scaling) in self.features.iter_mut().zip(scaling) {
            let term = feature.term;
            let Moments { min, max, mean, deviation } =
                Moments::of(data.inputs.chunks_exact(width).map(|row| term.value(row)));
            let (shift, range) = match scaling {
                Scaling::None => continue,
                Scaling::Standard => (mean as f32, deviation as f32),
                Scaling::MinMax => (min, max - min),
            };
            // What never changes tells nothing: it becomes 0.
            (feature.shift, feature.scale) = (shift, if range > 0.0 { 1.0 / range } else { 1.0 });
            if !(feature.shift.is_finite() && feature.scale.is_finite()) {
                return Err(Error::Data(format!(
                    "{}: the values of `{}` are too large or too close to be scaled",
                    data.name, feature.name
                )));
            }
        }
        Ok(self)
    }

    /// All features of all samples are finite.
    ///
    /// # Errors
    /// [`Error::Data`] names feature and sample.
    pub fn check_finite(&self, data: &Dataset) -> Result<()> {
        self.check_raw(&data.name, &data.inputs, data.input_len())
    }

    /// All features of raw inputs of so many values are finite; `name` is for messages.
    pub(crate) fn check_raw(&self, name: &str, raw: &[f32], input: usize) -> Result<()> {
        let width = self.columns.len();
        let rows = input / width.max(1);
        for (index, row) in raw.chunks_exact(width.max(1)).enumerate() {
            if let Some(feature) = self.features.iter().find(|feature| !feature.value(row).is_finite()) {
                let [a, b] = feature.term.columns();
                let of = [a, b].map(|column| format!("`{}` = {}", self.columns[column].name, row[column]));
                let of = if a == b { of[0].clone() } else { of.join(" and ") };
                return Err(Error::Data(format!(
                    "{name}: the feature `{}` of sample {} is {}, from {of}; leave it out, or take another term",
                    feature.name,
                    index / rows.max(1),
                    feature.value(row)
                )));
            }
        }
        Ok(())
    }

    /// What is wrong with them for an input of so many values, if anything is.
    pub(crate) fn problem(&self, input: usize) -> Option<String> {
        let (columns, features) = (self.columns.len(), self.features.len());
        if columns == 0
            || features == 0
            || columns > MOST
            || features > MOST
            || !input.is_multiple_of(features)
        {
            return Some(format!(
                "its {columns} raw columns make {features} features, which does not divide an input of {input} values"
            ));
        }
        let wrong = self.features.iter().find(|feature| {
            let power = matches!(feature.term, Term::Power(_, n) if !(2..=MOST_POWER).contains(&n));
            feature.term.columns().into_iter().any(|column| column >= columns)
                || power
                || !feature.shift.is_finite()
                || !feature.scale.is_finite()
                || feature.name.contains(char::is_control)
        });
        wrong.map(|feature| format!("its feature {:?} makes no sense: {:?}", feature.name, feature.term))
    }
}

/// Most columns and features of a row.
const MOST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Targets;

    fn columns(n: usize) -> Vec<RawColumn> {
        (0..n).map(|i| RawColumn { name: format!("c{i}"), categories: vec![] }).collect()
    }

    fn data(inputs: &[f32], width: usize) -> Dataset {
        let targets = Targets::Values { width: 1, values: vec![0.0; inputs.len() / width] };
        Dataset::new("t", &[width], inputs.to_vec(), targets, vec![]).unwrap()
    }

    #[test]
    fn terms() {
        let row = [2.0f32, 8.0, 1.0];
        for (term, value) in [
            (Term::Column(1), 8.0),
            (Term::Log(0), std::f32::consts::LN_2),
            (Term::Log1p(2), std::f32::consts::LN_2),
            (Term::Power(0, 5), 32.0),
            (Term::Sum(0, 1), 10.0),
            (Term::Difference(0, 1), -6.0),
            (Term::Product(0, 1), 16.0),
            (Term::Ratio(0, 1), 0.25),
            (Term::OneHot(2, 1), 1.0),
            (Term::OneHot(2, 0), 0.0),
        ] {
            let features = Features { columns: columns(3), features: vec![Feature::new("f", term)] };
            assert_eq!(features.apply(&row), [value], "{term:?}");
        }
    }

    #[test]
    fn fitted_on_what_they_are_given() {
        let features = Features {
            columns: columns(2),
            features: vec![
                Feature::new("a", Term::Column(0)),
                Feature::new("b", Term::Column(0)),
                Feature::new("c", Term::Column(1)),
            ],
        };
        let train = data(&[1.0, 7.0, 3.0, 7.0, 5.0, 7.0], 2);
        let fitted = features.fit(&train, &[Scaling::Standard, Scaling::MinMax, Scaling::Standard]).unwrap();
        let out = fitted.apply(&train.inputs);
        let std = (8.0f32 / 3.0).sqrt();
        assert!((out[0] + 2.0 / std).abs() < 1e-6 && out[3] == 0.0);
        assert_eq!([out[1], out[4], out[7]], [0.0, 0.5, 1.0]);
        assert_eq!([out[2], out[5]], [0.0, 0.0], "a constant column becomes 0");
        // Rows of a series are transformed one by one.
        assert_eq!(fitted.raw_len(6), 4);
        assert!(fitted.problem(7).is_some());
        assert!(fitted.problem(6).is_none());
    }

    #[test]
    fn what_is_not_finite_is_named() {
        let log = |term| Features { columns: columns(2), features: vec![Feature::new("f", term)] };
        let bad = data(&[1.0, 2.0, -1.0, 0.0], 2);
        for (term, problem) in [
            (Term::Log(0), "feature `f` of sample 1 is NaN, from `c0` = -1"),
            (Term::Ratio(0, 1), "sample 1 is -inf, from `c0` = -1 and `c1` = 0"),
        ] {
            let error = log(term).fit(&bad, &[Scaling::Standard]).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
        assert!(log(Term::Column(2)).problem(1).is_some());
        assert!(log(Term::Power(0, 99)).problem(1).is_some());
    }

    #[test]
    fn targets_there_and_back() {
        let scaling = TargetScaling::fit(&[10.0, 20.0, 30.0]);
        assert_eq!(scaling.shift, 20.0);
        assert!((scaling.decode(scaling.encode(27.0)) - 27.0).abs() < 1e-5);
        assert_eq!(TargetScaling::fit(&[5.0, 5.0]), TargetScaling { shift: 5.0, deviation: 1.0 });
    }
}
