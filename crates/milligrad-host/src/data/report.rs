//! What is in data, before anything is learned from them: ranges, missing values, classes, correlations.

mod read;

use super::{Dataset, Split, Targets};
use serde::Serialize;
use std::collections::BTreeSet;

pub use read::read;

/// Data that nobody checked: missing and infinite values are NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct Raw {
    /// Where they come from.
    pub name: String,
    /// Type of the values in the file, in NumPy's words.
    pub dtype: String,
    /// Extents of a sample.
    pub shape: Vec<usize>,
    /// Values, sample after sample.
    pub inputs: Vec<f32>,
    /// Names of the last axis, each with how many different texts it holds, if it holds texts (whose indices are the values).
    pub columns: Vec<(String, Option<usize>)>,
    /// What is to be learned, if it is known.
    pub target: Option<RawTarget>,
}

/// A column to learn.
#[derive(Debug, Clone, PartialEq)]
pub struct RawTarget {
    /// Its name.
    pub name: String,
    /// Numbers, or indices of classes.
    pub values: Vec<f32>,
    /// Numbers for each sample.
    pub width: usize,
    /// Names of the classes, if they are classes.
    pub classes: Option<Vec<String>>,
}

/// Count and moments of numbers, of which some are missing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Statistics {
    /// Missing values, NaN and infinities.
    pub missing: usize,
    /// Smallest; absent, as the following, if all are missing.
    pub min: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
    /// Mean.
    pub mean: Option<f64>,
    /// Standard deviation, of the population.
    pub deviation: Option<f64>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Different texts, if it holds texts; statistics are of their indices then.
    pub categories: Option<usize>,
    /// All its values are equal: it tells nothing.
    pub constant: bool,
    /// Its values.
    #[serde(flatten)]
    pub statistics: Statistics,
    /// Pearson's correlation with the target, where both are numbers that vary (or a target of two classes).
    pub correlation: Option<f64>,
}

/// A class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Its samples.
    pub samples: usize,
    /// Their share.
    pub share: f64,
}

/// What is to be learned.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// Name of the column or array.
    pub name: String,
    /// Its values; of classes their indices.
    #[serde(flatten)]
    pub statistics: Statistics,
    /// Its classes; empty for numbers.
    pub classes: Vec<Class>,
    /// Samples of the largest class for one of the smallest that has any; absent for numbers.
    pub imbalance: Option<f64>,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Where the data come from.
    pub name: String,
    /// Samples.
    pub samples: usize,
    /// Extents of a sample.
    pub shape: Vec<usize>,
    /// Type of the values.
    pub dtype: String,
    /// All inputs together.
    pub inputs: Statistics,
    /// Each column; those whose correlation with the target is known come first, the strongest at the front.
    pub columns: Vec<Column>,
    /// What is to be learned.
    pub target: Option<Target>,
}

impl Statistics {
    fn of(values: impl Iterator<Item = f32> + Clone) -> Self {
        let all = values.clone().count();
        let finite = values.filter(|x| x.is_finite()).map(f64::from);
        let count = finite.clone().count();
        let known = |value: f64| (count > 0).then_some(value);
        let mean = finite.clone().sum::<f64>() / count.max(1) as f64;
        let squares: f64 = finite.clone().map(|x| (x - mean).powi(2)).sum();
        Self {
            missing: all - count,
            min: known(finite.clone().fold(f64::INFINITY, f64::min)),
            max: known(finite.fold(f64::NEG_INFINITY, f64::max)),
            mean: known(mean),
            deviation: known((squares / count.max(1) as f64).sqrt()),
        }
    }
}

/// Pearson's correlation of the pairs that are finite; `None` if one of them does not vary.
pub fn correlation(pairs: impl Iterator<Item = (f32, f32)> + Clone) -> Option<f64> {
    let finite =
        pairs.filter(|(x, y)| x.is_finite() && y.is_finite()).map(|(x, y)| (f64::from(x), f64::from(y)));
    let n = finite.clone().count() as f64;
    let (sx, sy) = finite.clone().fold((0.0, 0.0), |(sx, sy), (x, y)| (sx + x, sy + y));
    let (mx, my) = (sx / n, sy / n);
    let (xx, yy, xy) = finite.fold((0.0, 0.0, 0.0), |(xx, yy, xy), (x, y)| {
        (xx + (x - mx).powi(2), yy + (y - my).powi(2), xy + (x - mx) * (y - my))
    });
    (xx > 0.0 && yy > 0.0).then(|| (xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0))
}

impl Raw {
    /// Checked data are raw data, too.
    pub fn of(data: &Dataset, dtype: &str) -> Self {
        let (values, width, classes) = match &data.targets {
            Targets::Classes(labels) => {
                (labels.iter().map(|&label| label as f32).collect(), 1, Some(data.classes.clone()))
            }
            Targets::Values { width, values } => (values.clone(), *width, None),
        };
        let columns = data.columns.iter().map(|column| {
            let categories = Some(column.categories.len()).filter(|&count| count > 0);
            (column.name.clone(), categories)
        });
        Self {
            name: data.name.clone(),
            dtype: dtype.into(),
            shape: data.shape.clone(),
            inputs: data.inputs.clone(),
            columns: columns.collect(),
            target: Some(RawTarget { name: "target".into(), values, width, classes }),
        }
    }

    fn samples(&self) -> usize {
        self.inputs.len() / self.shape.iter().product::<usize>().max(1)
    }
}

impl Report {
    /// The report on raw data.
    pub fn of(raw: &Raw) -> Self {
        let width = raw.shape.last().copied().unwrap_or(1).max(1);
        // Correlations are of rows with targets: there is one row a sample, and one number to learn.
        let rows = raw.inputs.len() / width;
        let numbers = raw.target.as_ref().filter(|target| {
            let two = |classes: &Vec<String>| classes.len() == 2;
            target.width == 1 && target.values.len() == rows && target.classes.as_ref().is_none_or(two)
        });
        let column = |index: usize| {
            let values = raw.inputs.iter().skip(index).step_by(width).copied();
            let (name, categories) = raw.columns.get(index).cloned().unwrap_or((index.to_string(), None));
            let statistics = Statistics::of(values.clone());
            let known = numbers.filter(|_| categories.is_none());
            Column {
                name,
                categories,
                constant: statistics.min == statistics.max,
                statistics,
                correlation: known.and_then(|target| correlation(values.zip(target.values.iter().copied()))),
            }
        };
        let mut columns: Vec<Column> = (0..width).map(column).collect();
        // The order of the file decides between equals.
        let strength = |column: &Column| column.correlation.map_or(-1.0, f64::abs);
        columns.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
        Self {
            name: raw.name.clone(),
            samples: raw.samples(),
            shape: raw.shape.clone(),
            dtype: raw.dtype.clone(),
            inputs: Statistics::of(raw.inputs.iter().copied()),
            columns,
            target: raw.target.as_ref().map(Target::of),
        }
    }
}

impl Target {
    fn of(raw: &RawTarget) -> Self {
        let names = raw.classes.clone().unwrap_or_default();
        let mut counts = vec![0; names.len()];
        for &value in &raw.values {
            if let Some(count) = counts.get_mut(value as usize).filter(|_| value >= 0.0) {
                *count += 1;
            }
        }
        let present = || counts.iter().copied().filter(|&count| count > 0);
        let imbalance = present().max().zip(present().min()).map(|(most, least)| most as f64 / least as f64);
        let class = |(name, &samples): (String, &usize)| Class {
            name,
            samples,
            share: samples as f64 / raw.values.len().max(1) as f64,
        };
        Self {
            name: raw.name.clone(),
            statistics: Statistics::of(raw.values.iter().copied()),
            classes: names.into_iter().zip(&counts).map(class).collect(),
            imbalance,
        }
    }

    /// Classes without a sample.
    pub fn absent(&self) -> impl Iterator<Item = &Class> {
        self.classes.iter().filter(|class| class.samples == 0)
    }
}

/// Samples of each class in the parts of a split: `[training, validation, test]` for each class, or for all if there are none.
pub fn parts(split: &Split) -> Vec<[usize; 3]> {
    let counts =
        |data: &Dataset| if data.classes.is_empty() { vec![data.len()] } else { data.class_counts() };
    let [train, test] = [&split.train, &split.test].map(counts);
    let validation = split.validation.as_ref().map_or_else(|| vec![0; train.len()], counts);
    let count = |counts: &[usize], class| counts.get(class).copied().unwrap_or(0);
    (0..train.len())
        .map(|class| [count(&train, class), count(&validation, class), count(&test, class)])
        .collect()
}

/// Different finite values, at most so many and one.
fn distinct(values: &[f32], most: usize) -> usize {
    let mut seen = BTreeSet::new();
    for value in values.iter().filter(|value| value.is_finite()) {
        seen.insert(value.to_bits());
        if seen.len() > most {
            break;
        }
    }
    seen.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(inputs: Vec<f32>, target: RawTarget) -> Raw {
        let columns = vec![("a".into(), None), ("b".into(), None)];
        Raw { name: "t".into(), dtype: "text".into(), shape: vec![2], inputs, columns, target: Some(target) }
    }

    fn numbers(values: &[f32]) -> RawTarget {
        RawTarget { name: "y".into(), values: values.to_vec(), width: 1, classes: None }
    }

    #[test]
    fn the_strongest_correlation_comes_first() {
        let inputs = vec![1.0, 9.0, 2.0, 6.0, 1.5, 3.0, f32::NAN, 0.0];
        let report = Report::of(&raw(inputs, numbers(&[1.0, 2.0, 3.0, 4.0])));
        assert_eq!((report.samples, report.inputs.missing, report.inputs.max), (4, 1, Some(9.0)));
        let order: Vec<&str> = report.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(order, ["b", "a"]);
        assert!((report.columns[0].correlation.unwrap() + 1.0).abs() < 1e-12);
        // numpy.corrcoef([1, 2, 1.5], [1, 2, 3])
        assert!((report.columns[1].correlation.unwrap() - 0.5).abs() < 1e-12);
        assert_eq!((report.columns[1].statistics.missing, report.columns[1].statistics.mean), (1, Some(1.5)));
        assert_eq!(report.target.unwrap().imbalance, None);
    }

    #[test]
    fn classes_are_counted_and_constants_are_named() {
        let classes = |count: usize| Some((0..count).map(|i| i.to_string()).collect());
        let target = RawTarget { classes: classes(3), ..numbers(&[0.0, 0.0, 0.0, 2.0]) };
        let report = Report::of(&raw(vec![5.0, 0.0, 5.0, 1.0, 5.0, 2.0, 5.0, 3.0], target));
        assert!(report.columns[0].constant && !report.columns[1].constant);
        // Three classes are no number, whatever their indices.
        assert_eq!(report.columns[1].correlation, None);
        let target = report.target.unwrap();
        assert_eq!((target.imbalance, target.classes[0].share), (Some(3.0), 0.75));
        assert_eq!(target.absent().map(|class| &class.name[..]).collect::<Vec<_>>(), ["1"]);
        let two = RawTarget { classes: classes(2), ..numbers(&[0.0, 0.0, 1.0, 1.0]) };
        let report = Report::of(&raw(vec![5.0, 0.0, 5.0, 0.0, 5.0, 2.0, 5.0, 2.0], two));
        assert_eq!((report.columns[0].correlation, report.columns[1].correlation), (Some(1.0), None));
    }

    #[test]
    fn of_nothing() {
        let report = Report::of(&raw(vec![], numbers(&[])));
        assert_eq!((report.samples, report.inputs.min, report.inputs.missing), (0, None, 0));
        assert_eq!(correlation([].into_iter()), None);
    }
}
