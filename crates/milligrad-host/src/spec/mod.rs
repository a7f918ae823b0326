//! Model specifications: a TOML file that says what is learned, from what, and how.
//!
//! ```toml
//! [model]
//! name = "digits-mlp"
//! input = [8, 8, 1]
//!
//! [[layer]]
//! type = "dense"
//! units = 32
//! activation = "relu"
//!
//! [[layer]]
//! type = "dense"
//! units = 10
//! activation = "softmax"
//!
//! [data]
//! source = "digits"
//!
//! [train]
//! optimizer = { type = "adam", learning_rate = 0.001 }
//! epochs = 30
//! ```
//!
//! Every mistake is answered with its line and what is allowed there.

mod augment;
mod data;
mod engineering;
mod folds;
mod layers;
mod prepared;
mod reader;
mod target;
mod train;

pub use data::{DataSpec, Source};
pub use engineering::{Engineering, FeatureSpec, Operation};
pub use folds::{FoldScore, mean_and_deviation};
pub use prepared::Prepared;
pub use target::TargetSpec;
pub use train::TrainSpec;

use crate::builder::Builder;
use crate::data::{Split, Task};
use crate::graph::Graph;
use crate::train::Pcg32;
use crate::{Analysis, CompileOptions, Error, Program, QuantizeOptions, Result, quantize};
use milligrad::Core;
use reader::{Count, Document, FromValue, Table};
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// A model, its data and its training.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Name of the model.
    pub name: String,
    /// Extents of an input.
    pub input: Vec<usize>,
    /// Names of the classes; empty takes those of the data.
    pub classes: Vec<String>,
    /// The layers.
    pub layers: Builder,
    /// What is learned from.
    pub data: DataSpec,
    /// How it is learned.
    pub train: TrainSpec,
    /// How it becomes int8.
    pub quantize: QuantizeSpec,
    /// What the device has.
    pub target: TargetSpec,
    /// What it will cost there as int8, whatever is learned.
    pub cost: Analysis,
    too_large: Option<String>,
    text: String,
    /// Where the text names the data's path, and the trained model's.
    spans: [Option<Range<usize>>; 2],
}

/// How a trained model becomes int8.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizeSpec {
    /// Number of training samples that show the ranges of activations.
    pub calibration: usize,
}

impl Spec {
    /// Reads a file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// [`Error::Spec`] points at the line; [`Error::Io`] if there is no such file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        Self::parse(&text, &path.display().to_string(), path.parent().unwrap_or(Path::new("")))
    }

    /// Understands a text; `name` is for messages, `folder` where relative paths begin.
    ///
    /// # Errors
    /// [`Error::Spec`] points at the line.
    pub fn parse(text: &str, name: &str, folder: &Path) -> Result<Self> {
        let document = Document { name, text };
        let root = DeTable::parse(text)
            .map_err(|e| document.error(e.span().unwrap_or(0..0), e.message().trim_end(), ""))?;
        let root = Table::root(&document, &root);
        root.allow(&["model", "layer", "data", "train", "augment", "quantize", "target", "sweep"])?;
        let model = required(&root, "model")?;
        model.allow(&["name", "input", "classes"])?;
        let name: String = model.required("name")?;
        let input: Vec<usize> = model.required("input")?;
        let Classes(classes) = model.or("classes", Classes(Vec::new()))?;
        let data_table = required(&root, "data")?;
        let data = DataSpec::read(&data_table, folder)?;
        let tables = root.tables("layer")?;
        if tables.is_empty() {
            return Err(model.fail_here("the model has no layers", "write [[layer]], once for each"));
        }
        let builder = Builder::new(&name, &input).normalize(data.normalize.scale, data.normalize.offset);
        let (layers, ends) = layers::read(builder, &tables)?;
        let graph = layers.build(0).map_err(|error| layers::locate(error, &layers, &tables, &ends))?;
        let target_table = root.table("target")?;
        let target = target_table.as_ref().map_or(Ok(TargetSpec::default()), TargetSpec::read)?;
        let cost = cost_on_device(&graph, target.core);
        let cost = cost.map_err(|error| layers::locate(error, &layers, &tables, &ends))?;
        let too_large = target_table.zip(target.exceeded(&cost)).map(|(table, (key, problem))| {
            table.fail(key, problem, "make that layer smaller, or allow more").to_string()
        });
        if !classes.is_empty() && classes.len() != graph.output_len().max(2) {
            let problem =
                format!("{} classes, but the last layer has {} outputs", classes.len(), graph.output_len());
            return Err(model.fail("classes", problem, ""));
        }
        let train_table = root.table("train")?;
        let mut train = TrainSpec::read(train_table.as_ref(), &graph, folder)?;
        train_table.as_ref().map_or(Ok(()), |table| train::metrics::check(table, &train, &classes))?;
        train.augment = root.table("augment")?.map(|table| augment::read(&table, &input)).transpose()?;
        let quantize = match root.table("quantize")? {
            None => QuantizeSpec { calibration: DEFAULT_CALIBRATION },
            Some(table) => {
                table.allow(&["calibration"])?;
                let Count(calibration) = table.or("calibration", Count(DEFAULT_CALIBRATION))?;
                QuantizeSpec { calibration }
            }
        };
        let spans = [data_table.span("path"), train_table.and_then(|table| table.span("from"))];
        let text = text.into();
        Ok(Self { name, input, classes, layers, data, train, quantize, target, cost, too_large, text, spans })
    }

    /// Does the model fit its target?
    ///
    /// # Errors
    /// [`Error::Spec`] points at the budget that is exceeded, and names the layer that costs most.
    pub fn check_target(&self) -> Result<()> {
        self.too_large.clone().map_or(Ok(()), |problem| Err(Error::Spec(problem)))
    }

    /// Reads the data and checks that they fit the model.
    ///
    /// # Errors
    /// If they can't be read or don't fit.
    pub fn load_data(&self) -> Result<Split> {
        let task = self.train.task(&self.classes);
        let split = self.data.load(&self.input, &task)?;
        let outputs = self.layers.build(0)?.output_len();
        let needed = split.train.output_len();
        if let (Task::Classify { .. }, [only]) = (&task, &split.train.classes[..]) {
            return Err(Error::Data(format!(
                "{}: all samples are of one class, `{only}`: there is nothing to tell apart; look at the target column",
                split.train.name
            )));
        }
        let binary = matches!(task, Task::Classify { .. }) && needed == 2 && outputs == 1;
        if needed != outputs && !binary {
            let what = if matches!(task, Task::Regress) { "target values" } else { "classes" };
            return Err(Error::Data(format!(
                "{}: there are {needed} {what}, but the last layer of `{}` has {outputs} outputs",
                split.train.name, self.name
            )));
        }
        Ok(split)
    }

    /// The untrained model, with the data's names of classes unless it has its own.
    ///
    /// # Errors
    /// If there are not as many names as outputs.
    pub fn graph(&self, classes: &[String], seed: u64) -> Result<Graph> {
        let classes = if self.classes.is_empty() { classes } else { &self.classes };
        self.layers.clone().classes(classes).build(seed)
    }

    /// The model with the features and the scaling of targets that the specification asks for, fitted to the training part.
    ///
    /// # Errors
    /// [`Error::Data`] if a column is unknown, a feature is not finite, or they don't fill the model's input.
    pub fn fit_features(&self, graph: Graph, train: &crate::data::Dataset) -> Result<Graph> {
        match &self.data.engineering {
            Some(engineering) => engineering.fit(graph, train),
            None => Ok(graph),
        }
    }

    /// The text, with the paths to data and trained model made absolute, so that it can be kept anywhere.
    pub fn text(&self) -> String {
        let path = self.data.source.path();
        let absolute = |path: Option<&PathBuf>| path.and_then(|path| std::path::absolute(path).ok());
        let named = [absolute(path), absolute(self.train.from.as_ref())];
        let mut places: Vec<_> = self
            .spans
            .iter()
            .zip(&named)
            .filter_map(|(span, path)| span.as_ref().zip(path.as_ref()))
            .collect();
        // From behind, so that what comes before stays where it is.
        places.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        let mut text = self.text.clone();
        for (span, path) in places {
            let quoted = toml::Value::String(path.to_string_lossy().into_owned()).to_string();
            text.replace_range(span.clone(), &quoted);
        }
        text
    }
}

/// What trains must also quantise and compile: found out before training, and what it costs then.
fn cost_on_device(graph: &Graph, core: Core) -> Result<Analysis> {
    let mut random = Pcg32::new(0);
    let noise: Vec<f32> = (0..4 * graph.input_len()).map(|_| random.normal()).collect();
    let int8 = quantize(graph, &noise, &QuantizeOptions::default())?;
    Ok(Program::compile(&int8, &CompileOptions { core, ..CompileOptions::default() })?.analysis())
}

const DEFAULT_CALIBRATION: usize = 256;

fn required<'a, 'd>(root: &Table<'a, 'd>, key: &str) -> Result<Table<'a, 'd>> {
    root.table(key)?.ok_or_else(|| root.fail_here(format!("[{key}] is missing"), ""))
}

/// Names, or how many there are.
struct Classes(Vec<String>);

impl FromValue for Classes {
    const EXPECTED: &'static str = "a list of names in quotes, or how many there are";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        if let Some(Count(count)) = Count::from_value(value) {
            return (count <= 65_535).then(|| Self((0..count).map(|class| class.to_string()).collect()));
        }
        let names = Vec::<String>::from_value(value)?;
        let mut unique: Vec<&String> = names.iter().collect();
        unique.sort_unstable();
        unique.dedup();
        (unique.len() == names.len()).then_some(Self(names))
    }
}

#[cfg(test)]
mod tests;
