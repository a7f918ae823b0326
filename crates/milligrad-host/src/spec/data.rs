//! `[data]`: what is learned from.

use super::engineering::Engineering;
use super::reader::{Count, Table};
use crate::data::{
    Dataset, Parts, Share, Split, Targets, Task, WindowLabel, Windows, csv, digits, idx, npz::Npz,
};
use crate::graph::Normalize;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Where data come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// The UCI digits, part of this crate.
    Digits,
    /// Fashion-MNIST, in this folder or where it usually is.
    FashionMnist(Option<PathBuf>),
    /// A folder with the four files of MNIST.
    Idx(PathBuf),
    /// A CSV file.
    Csv {
        /// The file.
        path: PathBuf,
        /// Name of the target column.
        target: String,
        /// Names of the feature columns, or all others.
        features: Option<Vec<String>>,
        /// Feature columns that hold categories.
        categorical: Vec<String>,
        /// Columns that are left out.
        ignore: Vec<String>,
        /// The column that tells groups apart.
        group: Option<String>,
        /// The column that says how much a sample counts.
        weight: Option<String>,
        /// What stands for empty fields.
        missing: Option<f32>,
        /// Rows are points in time, cut into windows.
        window: Option<Windows>,
    },
    /// An NPZ archive.
    Npz {
        /// The file.
        path: PathBuf,
        /// Names of the arrays with features and targets.
        arrays: [String; 2],
        /// The array that says how much each sample counts.
        weight: Option<String>,
        /// The same for a test part of its own.
        test: Option<[String; 2]>,
    },
}

impl Source {
    /// The file or folder, if one is named.
    pub fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::Digits | Self::FashionMnist(None) => None,
            Self::FashionMnist(Some(path)) | Self::Idx(path) => Some(path),
            Self::Csv { path, .. } | Self::Npz { path, .. } => Some(path),
        }
    }
}

/// What is learned from, and how it is split.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSpec {
    /// Where it comes from.
    pub source: Source,
    /// What raw values are multiplied with and shifted by.
    pub normalize: Normalize,
    /// Taken off the training part.
    pub validation: Share,
    /// Taken off data that have no test part of their own.
    pub test: Share,
    /// Decides which samples go where.
    pub seed: u64,
    /// How inputs and targets are engineered, if they are.
    pub engineering: Option<Engineering>,
}

const SOURCES: &[(&str, &str)] = &[
    ("digits", "digits"),
    ("fashion-mnist", "fashion-mnist"),
    ("idx", "idx"),
    ("csv", "csv"),
    ("npz", "npz"),
];

impl DataSpec {
    /// A source with what is usual for it.
    pub fn new(source: Source) -> Self {
        let scale = match source {
            Source::Digits => digits::SCALE,
            Source::FashionMnist(_) => 1.0 / 255.0,
            _ => 1.0,
        };
        Self {
            source,
            normalize: Normalize { scale, offset: 0.0 },
            validation: Share::Fraction(0.1),
            test: Share::Fraction(0.2),
            seed: 0,
            engineering: None,
        }
    }

    pub(super) fn read(table: &Table<'_, '_>, folder: &Path) -> Result<Self> {
        let Some(source) = table.choice("source", SOURCES)? else {
            let names: Vec<&str> = SOURCES.iter().map(|(name, _)| *name).collect();
            return Err(table.missing("source", &format!("one of {}", names.join(", "))));
        };
        let allow = |own: &[&str]| {
            table.allow(
                &[
                    &["source"],
                    own,
                    &[
                        "normalize",
                        "validation",
                        "validation_split",
                        "seed",
                        "scale",
                        "target_scale",
                        "feature",
                    ],
                ]
                .concat(),
            )
        };
        let path = || table.required::<String>("path").map(|path| folder.join(path));
        let text = |key, default: &str| table.or(key, default.to_string());
        let source = match source {
            "digits" => {
                allow(&[])?;
                Source::Digits
            }
            "fashion-mnist" => {
                allow(&["path"])?;
                Source::FashionMnist(table.optional::<String>("path")?.map(|path| folder.join(path)))
            }
            "idx" => {
                allow(&["path"])?;
                Source::Idx(path()?)
            }
            "csv" => {
                allow(&[
                    "path",
                    "target",
                    "features",
                    "test",
                    "categorical",
                    "ignore",
                    "group",
                    "sample_weight",
                    "missing",
                    "window",
                ])?;
                if table.has("sample_weight") && table.has("window") {
                    let problem = "weights are those of samples, and a window is made of several rows";
                    return Err(table.fail("sample_weight", problem, ""));
                }
                Source::Csv {
                    path: path()?,
                    target: table.required("target")?,
                    features: table.optional("features")?,
                    categorical: table.or("categorical", Vec::new())?,
                    ignore: table.or("ignore", Vec::new())?,
                    group: table.optional("group")?,
                    weight: table.optional("sample_weight")?,
                    missing: table.optional("missing")?,
                    window: table.table("window")?.map(|window| windows(&window)).transpose()?,
                }
            }
            _ => {
                allow(&[
                    "path",
                    "features",
                    "target",
                    "test_features",
                    "test_target",
                    "test",
                    "sample_weight",
                ])?;
                let test = match (table.optional("test_features")?, table.optional("test_target")?) {
                    (Some(features), Some(target)) => Some([features, target]),
                    (None, None) => None,
                    (Some(_), None) => return Err(table.missing("test_target", "the name of an array")),
                    (None, Some(_)) => return Err(table.missing("test_features", "the name of an array")),
                };
                if test.is_some() && table.has("test") {
                    return Err(table.fail(
                        "test",
                        "this source has a test part already",
                        "leave `test` out",
                    ));
                }
                Source::Npz {
                    path: path()?,
                    arrays: [text("features", "x")?, text("target", "y")?],
                    weight: table.optional("sample_weight")?,
                    test,
                }
            }
        };
        let mut data = Self::new(source);
        if let Some(normalize) = table.table("normalize")? {
            normalize.allow(&["scale", "offset"])?;
            let scale = normalize.or("scale", 1.0)?;
            if scale == 0.0 {
                return Err(normalize.fail("scale", "a `scale` of 0 makes all inputs equal", ""));
            }
            data.normalize = Normalize { scale, offset: normalize.or("offset", 0.0)? };
        }
        data.engineering = Engineering::read(table)?;
        if data.engineering.as_ref().is_some_and(|engineering| engineering.inputs) {
            if table.has("normalize") {
                let help = "use `scale`, or name features with [[data.feature]], or `normalize`";
                return Err(table.fail("normalize", "these features have scales of their own", help));
            }
            data.normalize = Normalize::default();
        }
        data.validation = table.or("validation", data.validation)?;
        if let Some(split) = table.optional::<Share>("validation_split")? {
            let Share::Fraction(fraction) = split else {
                return Err(table.fail("validation_split", "`validation_split` is a fraction", ""));
            };
            if table.has("validation") {
                let help = "`validation` is stratified and seeded, `validation_split` takes the last samples";
                return Err(table.fail("validation_split", "there is a `validation` already", help));
            }
            data.validation = Share::Last(fraction);
        }
        data.test = table.or("test", data.test)?;
        data.seed = table.or("seed", data.seed)?;
        Ok(data)
    }

    /// Reads and splits the data, as inputs of this shape. With names of classes, they must be those of the data.
    ///
    /// # Errors
    /// If the data can't be read or don't fit.
    pub fn load(&self, input: &[usize], task: &Task) -> Result<Split> {
        let parts = self.parts(task)?;
        // Of engineered features the raw values are read; the model's input is what is made of them.
        let raw = self.engineering.as_ref().is_some_and(|engineering| engineering.inputs);
        let fit = |part: Dataset| if raw { Ok(part) } else { part.reshaped(input) };
        // What is reported of the test part counts every sample once.
        let test = Dataset { weights: Vec::new(), ..fit(parts.test)? };
        Parts { train: fit(parts.train)?, test }.split(self.validation, self.seed)
    }

    /// What makes scores look better than they are: windows that share rows, and nothing that keeps them in one part.
    #[must_use]
    pub fn caution(&self) -> Option<&'static str> {
        match &self.source {
            Source::Csv { window: Some(window), group: None, .. } if window.stride < window.length => Some(
                "windows overlap, and those of one stretch of time are in all parts: scores will be better than on new recordings; \
                 name the column of the recording as `group`, or let `stride` be `length`",
            ),
            _ => None,
        }
    }

    /// Reads the data as they are, before they are made inputs of a model: what is learned from, and the test part.
    ///
    /// # Errors
    /// If they can't be read or don't fit the task.
    pub fn parts(&self, task: &Task) -> Result<Parts> {
        let names = match task {
            Task::Classify { classes } => classes.clone(),
            Task::Regress => Vec::new(),
        };
        match &self.source {
            Source::Digits => classified(digits::load()?, names, task),
            Source::FashionMnist(path) => classified(idx::fashion_mnist(path.as_deref())?, names, task),
            Source::Idx(path) => classified(idx::folder("idx", path, names.clone())?, names, task),
            Source::Csv { path, target, features, categorical, ignore, group, weight, missing, window } => {
                let columns = csv::Columns {
                    target: target.clone(),
                    features: features.clone(),
                    task: task.clone(),
                    categorical: categorical.clone(),
                    ignore: ignore.clone(),
                    group: group.clone(),
                    weight: weight.clone(),
                    missing: *missing,
                };
                let rows = csv::read(path, &columns)?;
                let data = window.map_or(Ok(rows.clone()), |window| window.of(&rows))?;
                Parts::of(data, self.test, self.seed)
            }
            Source::Npz { path, arrays: [features, target], weight, test } => {
                let npz = Npz::read(path)?;
                let mut data = npz.dataset(features, target, task)?;
                if let Some(weight) = weight {
                    let problem = |problem: Error| Error::file(path, format!("`{weight}`: {problem}"));
                    data = data.weighted(npz.get(weight)?.to_f32()).map_err(problem)?;
                }
                match test {
                    None => Parts::of(data, self.test, self.seed),
                    Some([features, target]) => {
                        let task = match task {
                            Task::Classify { .. } => Task::Classify { classes: data.classes.clone() },
                            Task::Regress => Task::Regress,
                        };
                        Ok(Parts { test: npz.dataset(features, target, &task)?, train: data })
                    }
                }
            }
        }
    }
}

/// `window = { length = 128, stride = 64, label = "majority" }`
fn windows(table: &Table<'_, '_>) -> Result<Windows> {
    table.allow(&["length", "stride", "label"])?;
    let Count(length) = table.required("length")?;
    let Count(stride) = table.or("stride", Count(length))?;
    let labels = [("majority", WindowLabel::Majority), ("last", WindowLabel::Last)];
    Ok(Windows { length, stride, label: table.choice("label", &labels)?.unwrap_or_default() })
}

/// Data that come with classes, under the names that the model gives them.
fn classified(mut parts: Parts, names: Vec<String>, task: &Task) -> Result<Parts> {
    if *task == Task::Regress {
        for part in [&mut parts.train, &mut parts.test] {
            if let Targets::Classes(labels) = &part.targets {
                part.targets =
                    Targets::Values { width: 1, values: labels.iter().map(|&l| l as f32).collect() };
                part.classes.clear();
            }
        }
    } else if !names.is_empty() {
        if names.len() != parts.train.classes.len() {
            return Err(Error::Data(format!(
                "{}: it has {} classes, the model {}",
                parts.train.name,
                parts.train.classes.len(),
                names.len()
            )));
        }
        parts.train.classes.clone_from(&names);
        parts.test.classes = names;
    }
    Ok(parts)
}
