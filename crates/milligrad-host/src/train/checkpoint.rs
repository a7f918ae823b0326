//! Checkpoints: everything that a run needs to go on as if it had never been interrupted.

use super::augment::Augment;
use super::buffer::Buffer;
use super::clip::Clip;
use super::early_stopping::EarlyStopping;
use super::history::History;
use super::loss::Loss;
use super::monitor::Monitor;
use super::optimizer::Optimizer;
use super::options::FitOptions;
use super::samples::Samples;
use super::schedule::Schedule;
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::model_file;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// What must not change when a run is resumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    model: String,
    /// Layers, shapes and input transform.
    architecture: String,
    samples: usize,
    /// Inputs and targets of the training samples.
    data: String,
    batch_size: usize,
    optimizer: Optimizer,
    #[serde(default)]
    clip: Clip,
    schedule: Schedule,
    /// Matters to schedules that lead to an end.
    epochs: Option<usize>,
    loss: Loss,
    shuffle: bool,
    seed: u64,
    frozen: Vec<String>,
    #[serde(default)]
    augment: Option<Augment>,
    #[serde(default)]
    early_stopping: Option<EarlyStopping>,
    /// Inputs and targets of the validation samples, where something hangs on them.
    #[serde(default)]
    validation: Option<String>,
}

impl Fingerprint {
    pub(crate) fn new(
        graph: &Graph,
        train: &Samples,
        validation: Option<&Samples>,
        options: &FitOptions,
    ) -> Self {
        let watched = options.monitors().any(Monitor::is_validation);
        let ends = options.schedule.ends_with_the_run();
        Self {
            model: graph.name.clone(),
            architecture: digest(serde_json::to_string(&**graph).unwrap_or_default().chars().map(u32::from)),
            samples: train.len(),
            data: train.digest(),
            batch_size: options.batch_size.min(train.len()),
            optimizer: options.optimizer,
            clip: options.clip,
            schedule: options.schedule,
            epochs: ends.then_some(options.epochs),
            loss: options.loss,
            shuffle: options.shuffle,
            seed: options.seed,
            frozen: options.frozen.clone(),
            augment: options.augment.clone(),
            early_stopping: options.early_stopping,
            validation: validation.filter(|_| watched).map(Samples::digest),
        }
    }

    /// The first key whose value differs, with both values.
    fn difference(&self, other: &Self) -> Option<String> {
        let json = |print: &Self| serde_json::to_value(print).unwrap_or_default();
        let (a, b) = (json(self), json(other));
        let keys = a.as_object()?.iter();
        keys.zip(b.as_object()?.values())
            .find(|((_, a), b)| a != b)
            .map(|((key, a), b)| format!("{key} was {a} and is {b}"))
    }
}

/// FNV-1a over words instead of bytes, as hexadecimal digits.
pub(crate) fn digest(words: impl IntoIterator<Item = u32>) -> String {
    let hash = words
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, word| (hash ^ u64::from(word)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// What the metadata says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Header {
    format: u32,
    fingerprint: Fingerprint,
    /// Steps made; with the seed it is the state of all random numbers.
    steps: u64,
    history: History,
}

const FORMAT: u32 = 1;
/// The only key of the metadata, so that the same checkpoint has the same bytes.
const KEY: &str = "milligrad";

/// The state of a run after an epoch.
///
/// As a file it is a `.safetensors` of float tensors: each constant of the graph by its name, and
/// `optimizer.N/` and the name for each of the numbers that the optimizer remembers; `/best/` and the name for what the best
/// epoch had, if it is to be restored; the rest is JSON in the metadata.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    header: Header,
    /// Shape and values by name.
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Checkpoint {
    pub(crate) fn take<const N: usize>(
        fingerprint: &Fingerprint,
        graph: &Graph,
        trainer: &Trainer<f32, N>,
        history: &History,
        best: Option<&Buffer<f32>>,
    ) -> Self {
        let mut tensors = BTreeMap::new();
        for place in trainer.network.layout.places() {
            let constant = graph.constant(place.constant);
            let mut put = |name: String, from: &[f32]| {
                tensors.insert(name, (constant.shape.clone(), from[place.range.clone()].to_vec()));
            };
            put(constant.name.clone(), &trainer.parameters);
            if let Some(best) = best {
                put(best_name(&constant.name), best);
            }
            if place.trainable {
                let states = trainer.states.iter().enumerate();
                states.for_each(|(i, state)| put(state_name(i, &constant.name), state));
            }
        }
        let header = Header {
            format: FORMAT,
            fingerprint: fingerprint.clone(),
            steps: trainer.steps,
            history: history.clone(),
        };
        Self { header, tensors }
    }

    /// Puts everything back; returns the history, and the parameters of the best epoch if there are any.
    pub(crate) fn restore<const N: usize>(
        &self,
        fingerprint: &Fingerprint,
        graph: &Graph,
        trainer: &mut Trainer<f32, N>,
    ) -> Result<(History, Option<Buffer<f32>>)> {
        let error = |problem: String| Error::Spec(format!("the checkpoint does not fit: {problem}"));
        if let Some(difference) = self.header.fingerprint.difference(fingerprint) {
            return Err(error(difference));
        }
        let has_best = self.tensors.keys().any(|name| name.starts_with(BEST));
        let mut best = has_best.then(|| trainer.parameters.clone());
        for place in trainer.network.layout.places() {
            let constant = graph.constant(place.constant);
            let get = |name: String, to: &mut [f32]| match self.tensors.get(&name) {
                Some((shape, values)) if *shape == constant.shape => {
                    to[place.range.clone()].copy_from_slice(values);
                    Ok(())
                }
                Some((shape, _)) => Err(error(format!("`{name}` is {shape:?}, not {:?}", constant.shape))),
                None => Err(error(format!("it has no `{name}`"))),
            };
            get(constant.name.clone(), &mut trainer.parameters)?;
            best.as_mut().map_or(Ok(()), |best| get(best_name(&constant.name), best))?;
            if place.trainable {
                for (i, state) in trainer.states.iter_mut().enumerate() {
                    get(state_name(i, &constant.name), state)?;
                }
            }
        }
        trainer.steps = self.header.steps;
        Ok((self.header.history.clone(), best))
    }

    /// Finished epochs.
    pub fn epochs(&self) -> usize {
        self.header.history.epochs.len()
    }

    /// What has happened so far.
    pub fn history(&self) -> &History {
        &self.header.history
    }

    /// As the bytes of a `.safetensors` file. The same run gives the same bytes but for the times in its history.
    ///
    /// # Errors
    /// [`Error::Data`] if it can't be written in this format.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let error = |problem: String| Error::Data(format!("checkpoint: {problem}"));
        let header = serde_json::to_string(&self.header).map_err(|problem| error(problem.to_string()))?;
        let bytes: Vec<(&String, &Vec<usize>, Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, (shape, values))| {
                (name, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
            })
            .collect();
        let views: Vec<(&str, TensorView<'_>)> = bytes
            .iter()
            .map(|(name, shape, bytes)| {
                Ok((name.as_str(), TensorView::new(Dtype::F32, (*shape).clone(), bytes)?))
            })
            .collect::<std::result::Result<_, safetensors::SafeTensorError>>()
            .map_err(|problem| error(problem.to_string()))?;
        safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), header)])))
            .map_err(|problem| error(problem.to_string()))
    }

    /// From the bytes of a file.
    ///
    /// # Errors
    /// [`Error::Data`] if they are no checkpoint, or hold numbers that are not finite.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let error = |problem: String| Error::Data(format!("checkpoint: {problem}"));
        let (_, metadata) =
            SafeTensors::read_metadata(bytes).map_err(|problem| error(problem.to_string()))?;
        let file = SafeTensors::deserialize(bytes).map_err(|problem| error(problem.to_string()))?;
        let header = metadata
            .metadata()
            .as_ref()
            .and_then(|map| map.get(KEY))
            .ok_or_else(|| error("it is no training checkpoint".into()))?;
        let header: Header =
            serde_json::from_str(header).map_err(|problem| error(format!("its header: {problem}")))?;
        if header.format != FORMAT {
            return Err(error(format!("its format is {}, this program reads {FORMAT}", header.format)));
        }
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(error(format!("`{name}` is {:?}, not F32", view.dtype())));
            }
            let (chunks, _) = view.data().as_chunks();
            let values: Vec<f32> = chunks.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
            if !values.iter().all(|value| value.is_finite()) {
                return Err(error(format!("`{name}` holds numbers that are not finite")));
            }
            tensors.insert(name, (view.shape().to_vec(), values));
        }
        Ok(Self { header, tensors })
    }

    /// Writes the file, or leaves the one that is there: first another one beside it, which then takes its place.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn write(&self, path: &Path) -> Result<()> {
        model_file::write_atomically(path, &self.to_bytes()?)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::File`] with the path.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        Self::from_bytes(&bytes).map_err(|problem| Error::file(path, problem.to_string()))
    }
}

/// What the names of the best epoch's parameters start with; a layer has no empty name.
const BEST: &str = "/best/";

fn best_name(constant: &str) -> String {
    format!("{BEST}{constant}")
}

fn state_name(i: usize, constant: &str) -> String {
    format!("optimizer.{i}/{constant}")
}
