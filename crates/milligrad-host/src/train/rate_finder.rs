//! The learning-rate finder (Smith, 2015): the loss while the rate rises, step by step, until the loss explodes.

use super::BLOCK;
use super::fit::check_samples;
use super::network::Network;
use super::options::FitOptions;
use super::random::{Pcg32, key};
use super::samples::Samples;
use super::threads::{attended, pool};
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::graph::Graph;

/// Where and how is searched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateFinder {
    /// The first rate: 1e-7.
    pub lowest: f64,
    /// The last rate: 10.
    pub highest: f64,
    /// Steps between them, each by the same factor: 200.
    pub steps: usize,
    /// What the exponential average keeps of the past that sees explosions: 0.9.
    pub smoothing: f64,
    /// So many times the least average loss is an explosion: 4.
    pub explosion: f64,
}

impl Default for RateFinder {
    fn default() -> Self {
        Self { lowest: 1e-7, highest: 10.0, steps: 200, smoothing: 0.9, explosion: 4.0 }
    }
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatePoint {
    /// Learning rate.
    pub rate: f64,
    /// Loss of the batch before the update with this rate.
    pub loss: f64,
    /// Mean of the losses of a twentieth of the steps before and after.
    pub smoothed: f64,
}

/// The curve.
#[derive(Debug, Clone, PartialEq)]
pub struct RateCurve {
    /// Step by step, as far as the loss is finite.
    pub points: Vec<RatePoint>,
    /// Whether the loss exploded before the last rate was reached.
    pub exploded: bool,
    /// The rate at which the loss falls most steeply (by the logarithm of the rate, on a line through as many steps) before it is
    /// least, and at most a third of the rate of the least; `None` if it hardly falls.
    pub suggested: Option<f64>,
}

impl RateFinder {
    /// Trains a copy of the graph with a rising rate. Of the options, the schedule and the epochs don't count.
    ///
    /// # Errors
    /// [`Error::Spec`] for bounds that have no sense; else as for [`fit`](super::fit).
    pub fn find(&self, graph: &Graph, train: &Samples, options: &FitOptions) -> Result<RateCurve> {
        let fits = self.lowest > 0.0 && self.lowest < self.highest && self.highest.is_finite();
        if !(fits && self.steps >= 10) {
            return Err(Error::Spec(format!(
                "a search from {} to {} in {} steps; it rises, from above 0, in 10 steps or more",
                self.lowest, self.highest, self.steps
            )));
        }
        FitOptions {
            early_stopping: None,
            save_best: None,
            schedule: super::Schedule::Constant,
            ..options.clone()
        }
        .check(false)?;
        check_samples(graph, train, options.loss)?;
        options.augment.as_ref().map_or(Ok(()), |augment| augment.check(train.shape()))?;
        pool(options.threads)?.install(|| attended(|| self.run(graph, train, options)))
    }

    fn run(&self, graph: &Graph, train: &Samples, options: &FitOptions) -> Result<RateCurve> {
        let output = options.loss.tensor(graph);
        let network = Network::<f32, BLOCK>::compile(graph, output, |node| options.freezes(&node.name))?;
        let parameters = network.layout.read(graph);
        let batch = options.batch_size.min(train.len());
        let mut trainer =
            Trainer::new(network, parameters, options.loss, options.optimizer, batch).clipped(options.clip);
        let (mut rates, mut losses) = (Vec::new(), Vec::new());
        let (mut average, mut weight, mut least) = (0.0, 0.0, f64::INFINITY);
        let mut exploded = false;
        let mut order: Vec<u32> = (0..train.len() as u32).collect();
        let mut queue = std::collections::VecDeque::new();
        let mut epoch = 0;
        for step in 0..self.steps {
            if queue.is_empty() {
                if options.shuffle {
                    order.sort_unstable();
                    Pcg32::new(key(&[options.seed, epoch as u64])).shuffle(&mut order);
                }
                queue.extend(order.chunks(batch).map(<[u32]>::to_vec));
                epoch += 1;
            }
            let Some(indices) = queue.pop_front() else { break };
            let key = key(&[options.seed, step as u64, 1]);
            let (augment, of) = (options.augment.as_ref(), (options.seed, epoch - 1));
            let score = trainer.gradient_of(train, (&indices, &[]), augment, of, key);
            let loss = score.mean_loss();
            if !loss.is_finite() {
                exploded = true;
                break;
            }
            let rate = self.rate(step);
            rates.push(rate);
            losses.push(loss);
            average = self.smoothing * average + (1.0 - self.smoothing) * loss;
            weight = self.smoothing * weight + (1.0 - self.smoothing);
            least = least.min(average / weight);
            if average / weight > self.explosion * least && step > 0 {
                exploded = true;
                break;
            }
            trainer.update(indices.len(), rate / options.optimizer.learning_rate());
        }
        let smoothed = smoothed(&losses, self.reach());
        let points: Vec<RatePoint> = (rates.into_iter().zip(losses).zip(smoothed))
            .map(|((rate, loss), smoothed)| RatePoint { rate, loss, smoothed })
            .collect();
        Ok(RateCurve { suggested: steepest(&points, self.reach()), points, exploded })
    }

    /// The rate of a step, counted from 0.
    fn rate(&self, step: usize) -> f64 {
        self.lowest * (self.highest / self.lowest).powf(step as f64 / (self.steps - 1) as f64)
    }

    /// How far a window reaches to both sides of a step.
    fn reach(&self) -> usize {
        (self.steps / 20).max(2)
    }
}

/// Mean of the losses around each step.
fn smoothed(losses: &[f64], reach: usize) -> Vec<f64> {
    let around = |i: usize| &losses[i.saturating_sub(reach)..(i + reach + 1).min(losses.len())];
    let mean = |window: &[f64]| window.iter().sum::<f64>() / window.len() as f64;
    (0..losses.len()).map(|i| mean(around(i))).collect()
}

/// The rate of the step at which the line through the losses around it falls most steeply, before the loss is least (what falls later
/// falls from an explosion), and at most a third of the rate at which it is least. `None` if the loss never falls below nine tenths
/// of what it is at first, so that noise is no fall.
fn steepest(points: &[RatePoint], reach: usize) -> Option<f64> {
    let smoothed = |i: &usize| points[*i].smoothed;
    let least = (0..points.len()).min_by(|a, b| smoothed(a).total_cmp(&smoothed(b)))?;
    if smoothed(&least) >= 0.9 * smoothed(&0) {
        return None;
    }
    let slope = |window: &[RatePoint]| -> f64 {
        window.iter().enumerate().map(|(i, point)| (i as f64 - reach as f64) * point.loss).sum()
    };
    let slopes = points.windows(2 * reach + 1).map(slope).enumerate();
    let (step, slope) =
        slopes.take_while(|(step, _)| step + reach <= least).min_by(|a, b| a.1.total_cmp(&b.1))?;
    (slope < 0.0).then(|| points[step + reach].rate.min(points[least].rate / 3.0))
}
