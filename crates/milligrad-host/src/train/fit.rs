//! `fit`: the training loop.

use super::BLOCK;
use super::augment::Augment;
use super::buffer::Buffer;
use super::checkpoint::{Checkpoint, Fingerprint};
use super::divergence;
use super::freeze::means;
use super::history::{EpochRecord, History};
use super::loss::Loss;
use super::network::Network;
use super::options::FitOptions;
use super::random::{Pcg32, key};
use super::row::Row;
use super::samples::Samples;
use super::schedule::Schedule;
use super::threads::{attended, pool};
use super::trainer::{Score, Trainer};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::metrics::Metric;
use crate::model_file;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Instant;

/// What an observer is told.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step is done.
    Batch(Progress),
    /// An epoch is done; the graph holds its parameters.
    Epoch {
        /// Loss, accuracy, times.
        record: &'a EpochRecord,
        /// The graph with the parameters after this epoch.
        graph: &'a Graph,
    },
}

/// How far an epoch has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Epochs of the run.
    pub epochs: usize,
    /// Number of the batch, from 1.
    pub batch: usize,
    /// Batches of the epoch.
    pub batches: usize,
    /// Mean loss in this epoch so far.
    pub loss: f64,
    /// Share of right answers in this epoch so far.
    pub accuracy: Option<f64>,
}

/// Looks on, and may end the training.
pub type Observer<'a> = &'a mut (dyn FnMut(Event<'_>) -> ControlFlow<()> + Send);

/// Trains the graph's parameters on `train`.
///
/// After each epoch the graph holds the parameters that it led to; also after an error, or when the observer ended the
/// run within an epoch, these are the parameters of the last whole epoch. A run that comes to its end, or stops early, leaves
/// those of its best epoch if early stopping is to restore them. The same graph, samples and options give
/// the same bytes, with any number of threads, and whether or not the run was interrupted and resumed.
///
/// # Errors
/// [`Error::Spec`] for options, [`Error::Data`] for samples that don't fit the graph or the loss, [`Error::Diverged`]
/// if the loss or a parameter is no longer finite, [`Error::Io`] if a checkpoint can't be written.
pub fn fit(
    graph: &mut Graph,
    train: &Samples,
    validation: Option<&Samples>,
    options: &FitOptions,
    observer: Observer<'_>,
) -> Result<History> {
    options.check(validation.is_some())?;
    check_samples(graph, train, options.loss)?;
    options.augment.as_ref().map_or(Ok(()), |augment| augment.check(train.shape()))?;
    validation.map_or(Ok(()), |samples| check_samples(graph, samples, options.loss))?;
    let unknown = |pattern: &&String| graph.nodes.iter().all(|node| !means(pattern, &node.name));
    if let Some(name) = options.frozen.iter().find(unknown) {
        return Err(Error::Spec(format!("there is no layer `{name}` to freeze")));
    }
    pool(options.threads)?.install(|| attended(|| Run::new(graph, train, validation, options)?.run(observer)))
}

/// The samples fit the graph and the loss.
pub(crate) fn check_samples(graph: &Graph, samples: &Samples, loss: Loss) -> Result<()> {
    graph.require_single("training")?;
    if samples.is_empty() {
        return Err(Error::Data("there are no samples".into()));
    }
    if samples.width() != graph.input_len() || samples.len() > u32::MAX as usize {
        return Err(Error::Data(format!(
            "{} samples have the shape {:?}, the model's input is {:?}",
            samples.len(),
            samples.shape(),
            graph.tensor(graph.input()).shape
        )));
    }
    loss.check(samples, graph.output_len())
}

/// A run of `fit`.
struct Run<'a> {
    graph: &'a mut Graph,
    train: &'a Samples,
    validation: Option<&'a Samples>,
    options: &'a FitOptions,
    fingerprint: Fingerprint,
    trainer: Trainer<f32, BLOCK>,
    history: History,
    /// The best epoch's parameters, if they are to be restored.
    best: Option<Buffer<f32>>,
}

impl<'a> Run<'a> {
    fn new(
        graph: &'a mut Graph,
        train: &'a Samples,
        validation: Option<&'a Samples>,
        options: &'a FitOptions,
    ) -> Result<Self> {
        let output = options.loss.tensor(graph);
        let network = Network::compile(graph, output, |node| options.freezes(&node.name))?;
        let fingerprint = Fingerprint::new(graph, train, validation, options);
        let parameters = network.layout.read(graph);
        let batch = options.batch_size.min(train.len());
        let mut trainer =
            Trainer::new(network, parameters, options.loss, options.optimizer, batch).clipped(options.clip);
        let (mut history, mut best) = (History::default(), None);
        if let Some(checkpoint) = &options.resume {
            (history, best) = checkpoint.restore(&fingerprint, graph, &mut trainer)?;
            trainer.network.layout.write(&trainer.parameters, graph)?;
        }
        Ok(Self { graph, train, validation, options, fingerprint, trainer, history, best })
    }

    fn run(mut self, observer: Observer<'_>) -> Result<History> {
        self.history.stopped = false;
        for epoch in self.history.epochs.len()..self.options.epochs {
            if self.history.patience.is_some_and(|patience| patience.stops) {
                break;
            }
            let steps = self.history.steps.len();
            let Some(mut record) = self.epoch(epoch, observer)? else {
                self.history.stopped = true;
                self.history.steps.truncate(steps);
                break;
            };
            self.trainer.network.layout.write(&self.trainer.parameters, self.graph)?;
            if let Some(samples) = self.validation {
                let score = self.trainer.evaluate(samples);
                if !score.mean_loss().is_finite() {
                    let cause = "of the validation samples after the epoch".into();
                    let loss = score.mean_loss() as f32;
                    let batch = self.train.len().div_ceil(self.options.batch_size);
                    return Err(Error::Diverged { epoch: epoch + 1, batch, loss, cause });
                }
                record.val_loss = Some(score.mean_loss());
                record.val_accuracy = self.accuracy(&score);
                record.val_metrics = self.metrics(samples)?;
            }
            self.history.epochs.push(record);
            self.look_back()?;
            if let Some(path) = &self.options.checkpoint {
                let best = self.best.as_ref();
                Checkpoint::take(&self.fingerprint, self.graph, &self.trainer, &self.history, best)
                    .write(path)?;
            }
            let record = &self.history.epochs[epoch];
            if observer(Event::Epoch { record, graph: self.graph }).is_break() {
                self.history.stopped = true;
                break;
            }
        }
        let patient = self.history.patience.is_none_or(|patience| !patience.stops);
        self.history.stopped &= patient && self.history.epochs.len() < self.options.epochs;
        if let (Some(best), false) = (&self.best, self.history.stopped) {
            self.trainer.network.layout.write(best, self.graph)?;
        }
        Ok(self.history)
    }

    /// What the last epoch means to those who watch figures.
    fn look_back(&mut self) -> Result<()> {
        let epochs = &self.history.epochs;
        if let Some(stopping) = self.options.early_stopping {
            let patience = stopping.after(epochs);
            if stopping.restore_best_weights && patience.best_epoch == Some(epochs.len()) {
                self.best = Some(self.trainer.parameters.clone());
            }
            self.history.patience = Some(patience);
        }
        match &self.options.save_best {
            Some((monitor, path)) if monitor.best_epoch(epochs) == Some(epochs.len()) => {
                model_file::save(self.graph, path)
            }
            _ => Ok(()),
        }
    }

    /// What a schedule that watches a figure makes of the optimizer's rate in the next epoch.
    fn plateau(&self) -> f64 {
        let initial = self.options.optimizer.learning_rate();
        match self.options.schedule {
            Schedule::Plateau(plateau) => plateau.rate(initial, &self.history.epochs) / initial,
            _ => 1.0,
        }
    }

    /// One epoch; `None` if the observer ended it.
    fn epoch(
        &mut self,
        epoch: usize,
        observer: &mut (dyn FnMut(Event<'_>) -> ControlFlow<()> + Send),
    ) -> Result<Option<EpochRecord>> {
        let (started, cpu) = (Instant::now(), cpu_time::ProcessTime::now());
        let mut order: Vec<u32> = (0..self.train.len() as u32).collect();
        if self.options.shuffle {
            Pcg32::new(key(&[self.options.seed, epoch as u64])).shuffle(&mut order);
        }
        let batches = order.len().div_ceil(self.options.batch_size);
        let mut total = Score::default();
        let mut learning_rate = 0.0;
        let plateau = self.plateau();
        let mut first = self.history.epochs.first().map(|epoch| epoch.loss);
        for (batch, indices) in order.chunks(self.options.batch_size).enumerate() {
            let step = key(&[self.options.seed, self.trainer.steps, 1]);
            let (augment, of) = (self.options.augment.as_ref(), (self.options.seed, epoch));
            let after = &order[batch * self.options.batch_size + indices.len()..];
            let score = self.trainer.gradient_of(self.train, (indices, after), augment, of, step);
            let loss = score.mean_loss() as f32;
            // Of the run, as an uninterrupted or a resumed one remembers it.
            let first = *first.get_or_insert(f64::from(loss));
            let place = (epoch + 1, batch + 1);
            if divergence::exploded(f64::from(loss), first) {
                return Err(self.diverged(place, loss, (indices, step)));
            }
            let factor =
                plateau * self.options.schedule.factor(self.trainer.steps, batches, self.options.epochs);
            learning_rate = self.options.optimizer.learning_rate() * factor;
            self.trainer.update(indices.len(), factor);
            if batch + 1 == batches && !self.trainer.parameters.iter().all(|w| w.is_finite()) {
                return Err(self.diverged(place, loss, (indices, step)));
            }
            total.add(&score);
            if self.options.per_step {
                self.history.steps.push(loss);
            }
            let progress = Progress {
                epoch: epoch + 1,
                epochs: self.options.epochs,
                batch: batch + 1,
                batches,
                loss: total.mean_loss(),
                accuracy: self.accuracy(&total),
            };
            if observer(Event::Batch(progress)).is_break() {
                return Ok(None);
            }
        }
        Ok(Some(EpochRecord {
            epoch: epoch + 1,
            loss: total.mean_loss(),
            accuracy: self.accuracy(&total),
            learning_rate,
            seconds: started.elapsed().as_secs_f64(),
            cpu_seconds: cpu.elapsed().as_secs_f64(),
            ..EpochRecord::default()
        }))
    }

    /// The metrics that were asked for; the accuracy is known already where the loss has one.
    fn metrics(&self, samples: &Samples) -> Result<BTreeMap<String, f64>> {
        let known = |metric: &Metric| *metric == Metric::Accuracy && self.options.loss.has_accuracy();
        let wanted: Vec<Metric> =
            self.options.metrics.iter().filter(|metric| !known(metric)).copied().collect();
        if wanted.is_empty() {
            return Ok(BTreeMap::new());
        }
        let outputs = outputs(self.graph, samples.inputs())?;
        let values = Metric::values(&wanted, self.graph, &outputs, samples.targets());
        Ok(values.into_iter().map(|(metric, value)| (metric.to_string(), value)).collect())
    }

    /// The error of a run that broke in this epoch and batch, with these samples and this key.
    fn diverged(&mut self, place: (usize, usize), loss: f32, (indices, key): (&[u32], u64)) -> Error {
        let (epoch, batch) = place;
        let (graph, parameters) = (&*self.graph, &self.trainer.parameters);
        let cause = divergence::broken_weights(graph, &self.trainer.network.layout, parameters);
        let changed = |augment: &Augment| augment.batch(self.train, indices, self.options.seed, epoch - 1);
        let cause = cause.or_else(|| match self.options.augment.as_ref().map(changed) {
            None => self.trainer.broken_output(self.train, indices, key),
            Some(changed) => {
                let all: Vec<u32> = (0..indices.len() as u32).collect();
                self.trainer.broken_output(&changed, &all, key)
            }
        });
        let (layout, parameters) = (&self.trainer.network.layout, &self.trainer.parameters);
        let grown = || divergence::grown_weights(&*self.graph, layout, parameters);
        let cause = cause.or_else(grown).unwrap_or_else(|| "of outputs that are finite".into());
        Error::Diverged { epoch, batch, loss, cause }
    }

    fn accuracy(&self, score: &Score) -> Option<f64> {
        self.options.loss.has_accuracy().then(|| score.accuracy())
    }
}

/// Loss and accuracy of samples, in inference mode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// Mean loss.
    pub loss: f64,
    /// Share of right answers; absent with a loss that knows no right and wrong.
    pub accuracy: Option<f64>,
}

/// Loss and accuracy of a graph.
///
/// # Errors
/// [`Error::Data`] for samples that don't fit the graph or the loss, [`Error::Graph`] if the graph is quantised.
pub fn evaluate(graph: &Graph, samples: &Samples, loss: Loss) -> Result<Evaluation> {
    check_samples(graph, samples, loss)?;
    let network = Network::<f32, BLOCK>::compile(graph, loss.tensor(graph), |_| true)?;
    let parameters = network.layout.read(graph);
    let score = pool(0)?.install(|| super::trainer::evaluate(&network, &parameters, loss, samples));
    let accuracy = loss.has_accuracy().then(|| score.accuracy());
    Ok(Evaluation { loss: score.mean_loss(), accuracy })
}

/// The outputs of a graph, sample by sample, for inputs that are one after the other.
///
/// # Errors
/// [`Error::Data`] if `inputs` are no whole samples, [`Error::Graph`] if the graph is quantised.
pub fn predict(graph: &Graph, inputs: &[f32]) -> Result<Vec<f32>> {
    let width = graph.input_len();
    if !inputs.len().is_multiple_of(width) {
        return Err(Error::Data(format!("{} numbers are no whole samples of {width}", inputs.len())));
    }
    pool(0)?.install(|| outputs(graph, inputs))
}

/// The outputs for whole samples, on the threads of this pool.
fn outputs(graph: &Graph, inputs: &[f32]) -> Result<Vec<f32>> {
    let width = graph.input_len();
    let network = Network::<f32, BLOCK>::compile(graph, graph.output(), |_| true)?;
    let parameters = network.layout.read(graph);
    let parameters = network.layout.rounded(&parameters).unwrap_or(parameters);
    let outputs = graph.output_len();
    let mut predictions = vec![0.0; inputs.len() / width * outputs];
    super::trainer::each_part(&network, &mut predictions, outputs, |lane, first, predictions| {
        let samples = predictions.len() / outputs;
        network.load(
            lane,
            inputs[first * width..(first + samples) * width].chunks_exact(width).map(Row::Floats),
        );
        network.infer(lane, &parameters);
        let (y, _) = network.outputs(lane);
        for (n, row) in predictions.chunks_exact_mut(outputs).enumerate() {
            row.iter_mut().zip(y).for_each(|(to, y)| *to = y[n]);
        }
    });
    Ok(predictions)
}
