//! A model file, and the data that go with it.

use crate::failure::Failure;
use milligrad_host::data::{Dataset, Split, Task, npz::Npz};
use milligrad_host::spec::{DataSpec, Source, Spec, TrainSpec};
use milligrad_host::train::Loss;
use milligrad_host::{Graph, import};
use std::path::{Path, PathBuf};

/// Name of the specification that training leaves beside the model.
pub(crate) const SPEC: &str = "spec.toml";

/// A model, and where its data are.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) graph: Graph,
    folder: PathBuf,
    data: Option<String>,
}

/// Samples for a model.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    /// To calibrate with; none if a file with test samples alone was given.
    pub(crate) train: Option<Dataset>,
    /// To choose by.
    pub(crate) validation: Option<Dataset>,
    /// To measure with.
    pub(crate) test: Dataset,
    /// How it is trained.
    pub(crate) training: TrainSpec,
    /// The loss of training.
    pub(crate) loss: Loss,
    /// How many samples the specification wants for calibration.
    pub(crate) calibration: Option<usize>,
}

impl Data {
    fn new(split: Split, training: TrainSpec, calibration: Option<usize>) -> Self {
        let Split { train, validation, test } = split;
        Self { train: Some(train), validation, test, loss: training.loss, training, calibration }
    }
}

/// `true` if a part of the model is int8.
pub(crate) fn is_int8(graph: &Graph) -> bool {
    graph.has_int8()
}

impl Context {
    /// Reads a model. `data` names other data than those of the specification beside it.
    pub(crate) fn new(model: &Path, data: Option<&str>) -> Result<Self, Failure> {
        let graph = import::load(model)?;
        let folder = model.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { graph, folder, data: data.map(str::to_owned) })
    }

    /// `"f32"` or `"int8"`.
    pub(crate) fn dtype(&self) -> &'static str {
        if is_int8(&self.graph) { "int8" } else { "f32" }
    }

    /// The specification that training left beside the model, if it did.
    pub(crate) fn specification(&self) -> Result<Option<Spec>, Failure> {
        let beside = self.folder.join(SPEC);
        Ok(if beside.is_file() { Some(Spec::read(&beside)?) } else { None })
    }

    /// Reads the data.
    pub(crate) fn data(&self) -> Result<Data, Failure> {
        let beside = self.folder.join(SPEC);
        let usual = || TrainSpec::new(&self.graph);
        match self.data.as_deref() {
            None if beside.is_file() => self.specified(&beside),
            None => Err(Failure::usage(format!(
                "there is no {} beside the model: name the data with --data (digits, fashion-mnist, a specification, \
                 an NPZ file with arrays x and y, or a folder of IDX files)",
                beside.display()
            ))),
            Some("digits") => self.of_source(Source::Digits, usual()),
            Some("fashion-mnist") => self.of_source(Source::FashionMnist(None), usual()),
            Some(path) => {
                let path = Path::new(path);
                match path.extension().and_then(|extension| extension.to_str()) {
                    Some("toml") => self.specified(path),
                    Some("npz") => {
                        let test =
                            Npz::read(path)?.dataset("x", "y", &self.task())?.reshaped(self.input())?;
                        let training = usual();
                        let loss = training.loss;
                        Ok(Data { train: None, validation: None, test, training, loss, calibration: None })
                    }
                    _ if path.is_dir() => self.of_source(Source::Idx(path.into()), usual()),
                    _ => Err(Failure::usage(format!(
                        "--data {}: it is digits, fashion-mnist, a specification (.toml), an NPZ file with arrays x \
                         and y, or a folder of IDX files",
                        path.display()
                    ))),
                }
            }
        }
    }

    fn specified(&self, path: &Path) -> Result<Data, Failure> {
        let spec = Spec::read(path)?;
        let split = spec.data.load(self.input(), &self.task())?;
        Ok(Data::new(split, spec.train, Some(spec.quantize.calibration)))
    }

    fn of_source(&self, source: Source, training: TrainSpec) -> Result<Data, Failure> {
        let split = DataSpec::new(source).load(self.input(), &self.task())?;
        Ok(Data::new(split, training, None))
    }

    fn input(&self) -> &[usize] {
        &self.graph.tensor(self.graph.input()).shape
    }

    fn task(&self) -> Task {
        if self.graph.labels.is_empty() {
            Task::Regress
        } else {
            Task::Classify { classes: self.graph.labels.clone() }
        }
    }
}
