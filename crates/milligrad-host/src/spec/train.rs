//! `[train]`: how it is learned.

use super::reader::{Count, Table};
use crate::Result;
use crate::data::Task;
use crate::graph::{Activation, Graph, Op};
use crate::train::{FitOptions, Loss, Optimizer, Schedule};

/// How a model is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainSpec {
    /// What is made small.
    pub loss: Loss,
    /// How.
    pub optimizer: Optimizer,
    /// Times that every training sample is seen.
    pub epochs: usize,
    /// Samples per step.
    pub batch: usize,
    /// Decides initial weights and the order of samples.
    pub seed: u64,
    /// Whether every epoch has an order of its own.
    pub shuffle: bool,
    /// How the learning rate changes over the run.
    pub schedule: Schedule,
}

/// Keras' spelling is understood too.
const LOSSES: &[(&str, Loss)] = &[
    ("sparse_categorical_cross_entropy", Loss::SparseCategoricalCrossEntropy),
    ("categorical_cross_entropy", Loss::CategoricalCrossEntropy),
    ("binary_cross_entropy", Loss::BinaryCrossEntropy),
    ("mean_squared_error", Loss::MeanSquaredError),
    ("sparse_categorical_crossentropy", Loss::SparseCategoricalCrossEntropy),
    ("categorical_crossentropy", Loss::CategoricalCrossEntropy),
    ("binary_crossentropy", Loss::BinaryCrossEntropy),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Sgd,
    Adam,
}

const OPTIMIZERS: &[(&str, Kind)] = &[("sgd", Kind::Sgd), ("adam", Kind::Adam)];

impl TrainSpec {
    /// What is usual for such a model: Adam, 10 epochs, batches of 32, and the loss that fits the last layer.
    pub fn new(graph: &Graph) -> Self {
        Self {
            loss: usual_loss(graph),
            optimizer: Optimizer::default(),
            epochs: 10,
            batch: 32,
            seed: 0,
            shuffle: true,
            schedule: Schedule::default(),
        }
    }

    /// These choices as options of [`fit`](crate::train::fit), with another seed.
    pub fn fit_options(&self, seed: u64) -> FitOptions {
        FitOptions {
            epochs: self.epochs,
            batch_size: self.batch,
            optimizer: self.optimizer,
            loss: self.loss,
            shuffle: self.shuffle,
            schedule: self.schedule,
            seed,
            ..FitOptions::default()
        }
    }

    pub(super) fn read(table: Option<&Table<'_, '_>>, graph: &Graph) -> Result<Self> {
        let usual = Self::new(graph);
        let Some(table) = table else { return Ok(usual) };
        table.allow(&["loss", "optimizer", "epochs", "batch", "seed", "shuffle", "schedule"])?;
        let loss = table.choice("loss", LOSSES)?.unwrap_or(usual.loss);
        let softmax = graph.nodes.last().is_some_and(|node| node.op == Op::Softmax);
        if softmax && loss == Loss::BinaryCrossEntropy {
            let help = "end with sigmoid, or take sparse_categorical_cross_entropy";
            return Err(table.fail("loss", "binary cross entropy does not go with softmax", help));
        }
        let Count(epochs) = table.or("epochs", Count(usual.epochs))?;
        let Count(batch) = table.or("batch", Count(usual.batch))?;
        Ok(Self {
            loss,
            optimizer: optimizer(table)?.unwrap_or(usual.optimizer),
            epochs,
            batch,
            seed: table.or("seed", usual.seed)?,
            shuffle: table.or("shuffle", usual.shuffle)?,
            schedule: schedule(table)?.unwrap_or(usual.schedule),
        })
    }

    /// What the targets of the data are to this loss.
    pub fn task(&self, classes: &[String]) -> Task {
        if self.loss == Loss::MeanSquaredError && classes.is_empty() {
            Task::Regress
        } else {
            Task::Classify { classes: classes.to_vec() }
        }
    }
}

fn usual_loss(graph: &Graph) -> Loss {
    match graph.nodes.last().map(|node| node.op) {
        Some(Op::Softmax) => Loss::SparseCategoricalCrossEntropy,
        Some(Op::Activation { activation: Activation::Sigmoid }) => Loss::BinaryCrossEntropy,
        _ => Loss::MeanSquaredError,
    }
}

const SCHEDULES: &[(&str, Change)] = &[
    ("constant", Change::Constant),
    ("step", Change::Step),
    ("exponential", Change::Exponential),
    ("cosine", Change::Cosine),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    Constant,
    Step,
    Exponential,
    Cosine,
}

/// `"cosine"` or `{ type = "step", epochs = 10, factor = 0.5 }`
fn schedule(train: &Table<'_, '_>) -> Result<Option<Schedule>> {
    if let Ok(Some(_)) = train.optional::<String>("schedule") {
        let Some(change) = train.choice("schedule", SCHEDULES)? else { return Ok(None) };
        return match change {
            Change::Constant => Ok(Some(Schedule::Constant)),
            Change::Cosine => Ok(Some(Schedule::Cosine { warmup_epochs: 0.0, floor: 0.0 })),
            _ => Err(train.fail(
                "schedule",
                "it needs a factor",
                "write { type = \"exponential\", factor = 0.9 }",
            )),
        };
    }
    let Some(table) = train.table("schedule")? else { return Ok(None) };
    let table = table.titled("`schedule`");
    let Some(change) = table.choice("type", SCHEDULES)? else {
        return Err(table.missing("type", "\"constant\", \"step\", \"exponential\" or \"cosine\""));
    };
    let factor = || {
        let factor: f64 = table.required("factor")?;
        let fits = factor > 0.0 && factor <= 1.0;
        if fits { Ok(factor) } else { Err(table.fail("factor", "`factor` is above 0.0 and at most 1.0", "")) }
    };
    Ok(Some(match change {
        Change::Constant => {
            table.allow(&["type"])?;
            Schedule::Constant
        }
        Change::Step => {
            table.allow(&["type", "epochs", "factor"])?;
            let Count(epochs) = table.required("epochs")?;
            Schedule::Step { epochs, factor: factor()? }
        }
        Change::Exponential => {
            table.allow(&["type", "factor"])?;
            Schedule::Exponential { factor: factor()? }
        }
        Change::Cosine => {
            table.allow(&["type", "warmup_epochs", "floor"])?;
            let (warmup_epochs, floor) = (table.or("warmup_epochs", 0.0)?, table.or("floor", 0.0)?);
            if !(warmup_epochs >= 0.0 && (0.0..=1.0).contains(&floor)) {
                let help = "`warmup_epochs` is not negative, `floor` from 0.0 to 1.0";
                return Err(table.fail_here("this schedule has no sense", help));
            }
            Schedule::Cosine { warmup_epochs, floor }
        }
    }))
}

/// `"adam"` or `{ type = "adam", learning_rate = ... }`
fn optimizer(train: &Table<'_, '_>) -> Result<Option<Optimizer>> {
    if let Ok(Some(_)) = train.optional::<String>("optimizer") {
        return Ok(train.choice("optimizer", OPTIMIZERS)?.map(|kind| match kind {
            Kind::Sgd => Optimizer::sgd(0.01),
            Kind::Adam => Optimizer::default(),
        }));
    }
    let Some(table) = train.table("optimizer")? else { return Ok(None) };
    let table = table.titled("`optimizer`");
    let Some(kind) = table.choice("type", OPTIMIZERS)? else {
        return Err(table.missing("type", "\"sgd\" or \"adam\""));
    };
    let rate = |default: f64| {
        let rate = table.or("learning_rate", default)?;
        if rate > 0.0 { Ok(rate) } else { Err(table.fail("learning_rate", "a learning rate is above 0", "")) }
    };
    let share = |key, default: f64| {
        let share = table.or(key, default)?;
        let fits = (0.0..1.0).contains(&share);
        if fits { Ok(share) } else { Err(table.fail(key, format!("`{key}` is from 0.0 to below 1.0"), "")) }
    };
    Ok(Some(match kind {
        Kind::Sgd => {
            table.allow(&["type", "learning_rate", "momentum", "nesterov"])?;
            let (learning_rate, momentum) = (rate(0.01)?, share("momentum", 0.0)?);
            Optimizer::Sgd { learning_rate, momentum, nesterov: table.or("nesterov", false)? }
        }
        Kind::Adam => {
            table.allow(&["type", "learning_rate", "beta_1", "beta_2", "epsilon"])?;
            let (learning_rate, epsilon) = (rate(1e-3)?, table.or("epsilon", 1e-7)?);
            if epsilon < 0.0 {
                return Err(table.fail("epsilon", "`epsilon` is not negative", ""));
            }
            Optimizer::Adam {
                learning_rate,
                beta_1: share("beta_1", 0.9)?,
                beta_2: share("beta_2", 0.999)?,
                epsilon,
            }
        }
    }))
}
