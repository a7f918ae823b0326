//! One variant: trained, made int8, measured.

use crate::data::{Dataset, Split};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::metrics;
use crate::model_file;
use crate::spec::{Prepared, Spec};
use crate::train::{Observer, fit};
use crate::{CompileOptions, Program, QuantizeOptions, qat, quantize};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// A variant of a specification.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Tells it from all others: a digest of the specification, of the size and the time of its data, and of the program.
    pub key: String,
    /// What was chosen, by key.
    pub choices: BTreeMap<String, Value>,
    /// The specification.
    pub spec: Spec,
    qat_epochs: usize,
}

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The trial's key.
    pub key: String,
    /// What was chosen, by key.
    pub choices: BTreeMap<String, serde_json::Value>,
    /// By the device's int8 kernels on the validation part: the accuracy of a classifier, or minus the mean squared error.
    /// `None` if it was not trained, or training failed.
    pub score: Option<f64>,
    /// The same of the float model.
    pub f32_score: Option<f64>,
    /// Why it was not trained, or failed.
    pub problem: Option<String>,
    /// Bytes of weights and biases.
    pub weight_bytes: usize,
    /// Bytes of flash, code as it is modelled.
    pub flash_bytes: usize,
    /// Bytes of RAM.
    pub ram_bytes: usize,
    /// Instructions of a prediction, modelled.
    pub instructions: u64,
}

impl Trial {
    pub(super) fn new(
        table: &Table,
        (name, folder): (&str, &Path),
        choices: BTreeMap<String, Value>,
        qat_epochs: usize,
    ) -> Result<Self> {
        let text = toml::to_string(table).map_err(|problem| Error::Spec(format!("{name}: {problem}")))?;
        let shown: Vec<String> = choices.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let spec = Spec::parse(&text, &format!("{name} with {}", shown.join(", ")), folder)?;
        let data = spec.data.source.path().and_then(|path| std::fs::metadata(path).ok());
        let data = data.map(|data| (data.len(), data.modified().ok()));
        let all = format!("{} {qat_epochs} {data:?}\n{text}", env!("CARGO_PKG_VERSION"));
        let key = crate::train::digest(all.chars().map(u32::from));
        Ok(Self { key, choices, spec, qat_epochs })
    }

    /// Trains it unless it exceeds the specification's target, and measures it. The float and the int8 model go to
    /// `folder` as `KEY.safetensors` and `KEY-int8.safetensors`, then the outcome as `KEY.json`; where that is, it is read
    /// instead.
    ///
    /// # Errors
    /// If a file can't be read or written, or the data have no validation part. Training that diverges is an outcome.
    pub fn run(&self, folder: &Path, threads: usize, observer: Observer<'_>) -> Result<Outcome> {
        let path = folder.join(format!("{}.json", self.key));
        if let Ok(text) = std::fs::read_to_string(&path)
            && let Ok(outcome) = serde_json::from_str::<Outcome>(&text)
            && (outcome.score.is_none() || self.int8(folder).is_file())
        {
            return Ok(outcome);
        }
        let outcome = match self.spec.check_target() {
            Err(problem) => self.failed(&problem),
            Ok(()) => match self.train(folder, threads, observer) {
                Err(problem @ (Error::Diverged { .. } | Error::Graph { .. })) => self.failed(&problem),
                outcome => outcome?,
            },
        };
        let text = serde_json::to_string_pretty(&outcome).map_err(|e| Error::Data(e.to_string()))?;
        model_file::write_atomically(&path, text.as_bytes())?;
        Ok(outcome)
    }

    fn int8(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}-int8.safetensors", self.key))
    }

    fn outcome(&self) -> Outcome {
        let json = |value: &Value| serde_json::to_value(value).unwrap_or_default();
        let cost = &self.spec.cost;
        Outcome {
            key: self.key.clone(),
            choices: self.choices.iter().map(|(key, value)| (key.clone(), json(value))).collect(),
            score: None,
            f32_score: None,
            problem: None,
            weight_bytes: cost.weight_bytes,
            flash_bytes: cost.flash_bytes(),
            ram_bytes: cost.ram_bytes,
            instructions: cost.instructions,
        }
    }

    fn failed(&self, problem: &Error) -> Outcome {
        Outcome { problem: Some(problem.to_string()), ..self.outcome() }
    }

    fn train(&self, folder: &Path, threads: usize, observer: Observer<'_>) -> Result<Outcome> {
        let spec = &self.spec;
        let Split { train, validation, .. } = spec.load_data()?;
        let validation = validation.ok_or_else(|| {
            Error::Spec("a sweep chooses by the validation part: write `validation = 0.1` in [data]".into())
        })?;
        let Prepared { mut graph, train: samples, validation: validated, .. } =
            spec.prepare(train.clone(), Some(validation.clone()), spec.train.seed)?;
        let calibration = train.calibration(&graph, spec.quantize.calibration, spec.train.seed)?;
        drop(train);
        let mut options = spec.train.fit_options(spec.train.seed);
        options.threads = threads;
        fit(&mut graph, &samples, validated.as_ref(), &options, observer)?;
        let float = score_of(&graph, &validation, spec)?;
        let quantize_options = QuantizeOptions::default();
        let int8 = match self.qat_epochs {
            0 => quantize(&graph, &calibration, &quantize_options)?,
            epochs => {
                let options = qat::fit_options(&options, epochs);
                let parts = (&samples, validated.as_ref());
                qat::refine(&graph, &calibration, parts, &quantize_options, &options, observer)?
            }
        };
        model_file::save(&graph, folder.join(format!("{}.safetensors", self.key)))?;
        model_file::save(&int8, self.int8(folder))?;
        let core = spec.target.core;
        let program = Program::compile(&int8, &CompileOptions { core, ..CompileOptions::default() })?;
        let cost = program.analysis();
        Ok(Outcome {
            score: Some(score_of(&int8, &validation, spec)?),
            f32_score: Some(float),
            weight_bytes: cost.weight_bytes,
            flash_bytes: cost.flash_bytes(),
            ram_bytes: cost.ram_bytes,
            instructions: cost.instructions,
            ..self.outcome()
        })
    }

    /// The int8 model's score on the test part, by the device's kernels: to be asked once, of the model that was chosen.
    ///
    /// # Errors
    /// If [`run`](Self::run) has left no model in `folder`.
    pub fn test(&self, folder: &Path) -> Result<f64> {
        let int8 = model_file::load(self.int8(folder))?;
        score_of(&int8, &self.spec.load_data()?.test, &self.spec)
    }
}

/// The accuracy of a classifier, or minus the mean squared error.
fn score_of(graph: &Graph, data: &Dataset, spec: &Spec) -> Result<f64> {
    let evaluated = metrics::evaluate(graph, data, spec.train.loss)?;
    Ok(evaluated.accuracy().or(evaluated.squared_error().map(|error| -error)).unwrap_or(f64::NAN))
}
