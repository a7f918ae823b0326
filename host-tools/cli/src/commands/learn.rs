//! `milligrad learn`

use super::schedule::ScheduleName;
use super::validate::Folder;
use super::{Learning, positive, share};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{grouped, percent};
use clap::Args;
use milligrad::fixed::Saturation;
use milligrad::{Adam, Momentum, Nesterov, RmsProp, Sgd, Target, TargetKind, WeightDecay};
use milligrad_board::{Firmware, TrainPlan, board};
use milligrad_host::data::{Dataset, Targets, shuffled};
use milligrad_host::{OptimizerKind, Program, Rule, Runner, lower, model_file};
use serde_json::json;
use std::fmt;
use std::path::PathBuf;

/// Let a model learn as a device does, one sample a step or in batches, on the desk or on a board, and keep what it learned.
#[derive(Debug, Args)]
pub(crate) struct Learn {
    /// The model.
    model: PathBuf,
    /// Other data than those that it was trained on; their training part is learned from, their test part measured.
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// What computes: host (the device's kernels on the desk) or a board, whose parameters are compared with the desk's.
    #[arg(long, value_name = "host|BOARD", default_value = "host")]
    on: String,
    /// Steps; one for each training sample, or batch of them, unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// Samples of a step, which follows the mean of their gradients; one unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batch: Option<u32>,
    /// Step size; in fixed point the greatest power of two that is not above it. 0.02 unless given.
    #[arg(long, value_name = "RATE", default_value_t = 0.02, value_parser = positive::<f32>)]
    learning_rate: f32,
    /// How the step size changes: constant, step:STEPS:FACTOR (by FACTOR after each STEPS steps), exponential:STEPS:FACTOR,
    /// cosine or cosine:WARMUP:FLOOR (from 0 within WARMUP steps, then down to FLOOR of it at the end).
    #[arg(long, value_name = "SCHEDULE", default_value_t)]
    schedule: ScheduleName,
    /// Momentum of an optimizer that has it.
    #[arg(long, value_name = "SHARE", default_value_t = 0.9, value_parser = share)]
    momentum: f32,
    /// Weight decay of an optimizer that has it.
    #[arg(long, value_name = "SHARE", default_value_t = 0.004, value_parser = share)]
    weight_decay: f32,
    /// Where the adapted model goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    learning: Learning,
}

impl Learn {
    pub(crate) fn run(&self, output: &Output, seed: Option<u64>) -> Result<(), Failure> {
        let board = if self.on == "host" { None } else { Some(board(&self.on)?) };
        let context = Context::new(&self.model, self.data.as_deref())?;
        let mut data = context.data()?;
        let Some(train) = data.train.take() else {
            return Err(Failure::usage("these data are a test part alone: there is nothing to learn from"));
        };
        let learning = self.learning.or_all().with_batch(self.batch)?;
        let program = learning.compile(&context.graph, seed)?;
        let batch = self.batch.unwrap_or(1) as usize;
        if batch > train.len() {
            return Err(Failure::usage(format!(
                "a batch of {batch} samples is more than the {} there are to learn from",
                train.len()
            )));
        }
        let wanted = self.steps.map_or(train.len() / batch, |steps| steps as usize);
        let schedule = self.schedule.over(wanted.try_into().unwrap_or(u32::MAX)).map_err(Failure::usage)?;
        let order = order(train.len(), wanted.saturating_mul(batch), seed.unwrap_or(0));

        let before = Measured::of(&program, &mut program.runner(), &data.test)?;
        let mut runner = program.runner();
        let (mut steps, mut refused, mut refused_updates) = (Vec::new(), 0, 0);
        for (position, sample) in order.enumerate() {
            let rule = self.rule(&program, self.learning_rate * schedule.factor((position / batch) as u32));
            let record = program.encode_input(train.input(sample));
            let values: Vec<f32>;
            let target = match &train.targets {
                Targets::Classes(classes) => Target::Class(classes[sample] as usize),
                Targets::Values { values: all, .. } => {
                    let width = all.len() / train.len();
                    // As the network answers them.
                    let encode = |&value| program.target.map_or(value, |target| target.encode(value));
                    values = all[sample * width..][..width].iter().map(encode).collect();
                    Target::Values(&values)
                }
            };
            if board.is_some() {
                steps.extend(&record);
                match target {
                    // One sigmoid: the board takes its target as a number.
                    Target::Class(class) if matches!(program.target(), TargetKind::Values(_)) => {
                        steps.extend((class as f32).to_le_bytes());
                    }
                    Target::Class(class) => {
                        steps.push(u8::try_from(class).map_err(|_| Failure::usage("more than 255 classes"))?);
                    }
                    Target::Values(values) => steps.extend(values.iter().flat_map(|v| v.to_le_bytes())),
                }
            }
            let result = match learning.is_in_batches() {
                true => runner.accumulate(&record, target),
                false => runner.train_step(&record, target, &rule),
            };
            refused += usize::from(result.is_err());
            if learning.is_in_batches() && (position + 1) % batch == 0 {
                refused_updates += usize::from(runner.apply(&rule).is_err());
            }
        }
        let saturated = program.fixed_point().map(|_| {
            let Saturation { activations, deltas, weights } = runner.saturation();
            json!({ "activations": activations, "deltas": deltas, "weights": weights })
        });
        let after = Measured::of(&program, &mut runner, &data.test)?;
        let mut parameters = runner.parameters().into_owned();
        let mut differing = None;
        if let Some(board) = board {
            output.note(format!("building for {board}"));
            let folder = Folder::new()?;
            let firmware = Firmware::build(board, &[folder.model(&program)?])?.with_log(output.log());
            let momentum = match self.rule(&program, self.learning_rate) {
                Rule::AdamW(rule) => rule.weight_decay,
                _ => self.momentum,
            };
            let plan = TrainPlan {
                steps: &steps,
                learning_rate: self.learning_rate,
                momentum,
                batch: batch as u32,
                schedule,
                ..TrainPlan::default()
            };
            let theirs = firmware.train(&program.name, &plan)?.parameters;
            let theirs: Vec<Vec<f32>> = theirs.into_iter().map(|(_, values)| values).collect();
            if theirs.iter().map(Vec::len).ne(parameters.iter().map(Vec::len)) {
                return Err(Failure::device(format!("{board} gave other parameters than the model has")));
            }
            let pairs = theirs.iter().flatten().zip(parameters.iter().flatten());
            differing = Some(pairs.filter(|(ours, desk)| ours.to_bits() != desk.to_bits()).count());
            parameters = theirs;
        }
        let adapted = lower::with_parameters(&context.graph, learning.chosen(), &program, &parameters)?;
        model_file::save(&adapted, &self.out)?;

        let refusals = match learning.is_in_batches() {
            true => format!(" of {batch} samples, {refused_updates} and {} samples", grouped(refused)),
            false => format!(", {}", grouped(refused)),
        };
        output.result(format!(
            "{} steps{refusals} refused: on the test part {before} before, {after} after; wrote {}",
            grouped(wanted),
            self.out.display()
        ));
        if let (Some(board), Some(differing)) = (board, differing) {
            output.result(format!(
                "{} parameters on {} differ from the desk's",
                grouped(differing),
                board.name
            ));
        }
        output.object(json!({
            "name": program.name,
            "out": self.out,
            "on": board.map_or("host", |board| board.name),
            "steps": wanted,
            "batch": batch,
            "schedule": self.schedule.to_string(),
            "refused": refused,
            "refused_updates": refused_updates,
            "saturated": saturated,
            "accuracy": { "before": before.accuracy(), "after": after.accuracy() },
            "mean_squared_error": { "before": before.error(), "after": after.error() },
            "differing": differing,
        }));
        if differing.is_some_and(|differing| differing > 0) { Err(Failure::check()) } else { Ok(()) }
    }

    /// The rule of a step of this size.
    fn rule(&self, program: &Program, rate: f32) -> Rule {
        let momentum = self.momentum;
        if let Some(fixed) = program.fixed_point() {
            return fixed.rule(rate);
        }
        match program.learning.as_ref().map(|learning| learning.optimizer).unwrap_or_default() {
            OptimizerKind::Sgd => Rule::Sgd(Sgd::new(rate)),
            OptimizerKind::Momentum => Rule::Momentum(Momentum::new(rate, momentum)),
            OptimizerKind::Nesterov => Rule::Nesterov(Nesterov::new(rate, momentum)),
            OptimizerKind::RmsProp => Rule::RmsProp(RmsProp::new(rate)),
            OptimizerKind::Adam => Rule::Adam(Adam::new(rate)),
            OptimizerKind::AdamW => Rule::AdamW(WeightDecay::new(Adam::new(rate), self.weight_decay)),
        }
    }
}

/// So many samples, each pass over the data in an order of its own.
fn order(samples: usize, steps: usize, seed: u64) -> impl Iterator<Item = usize> {
    let passes = steps.div_ceil(samples.max(1)) as u64;
    (0..passes).flat_map(move |pass| shuffled(samples, seed.wrapping_add(pass))).take(steps)
}

/// How good a program is on the test part.
#[derive(Debug, Clone, Copy)]
enum Measured {
    Accuracy(f64),
    /// In the unit of the raw targets.
    MeanSquaredError(f64),
}

impl Measured {
    fn of(program: &Program, runner: &mut Runner<'_>, test: &Dataset) -> Result<Self, Failure> {
        let mut outputs = Vec::new();
        for record in program.records(test).chunks_exact(program.input_bytes()) {
            outputs.extend(runner.output(record)?);
        }
        Ok(match &test.targets {
            Targets::Classes(labels) => Self::Accuracy(program.accuracy(&outputs, labels)),
            Targets::Values { values, .. } => {
                Self::MeanSquaredError(program.mean_squared_error(&outputs, values))
            }
        })
    }

    fn accuracy(self) -> Option<f64> {
        if let Self::Accuracy(share) = self { Some(share) } else { None }
    }

    fn error(self) -> Option<f64> {
        if let Self::MeanSquaredError(error) = self { Some(error) } else { None }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accuracy(share) => write!(f, "accuracy {}", percent(*share)),
            Self::MeanSquaredError(error) => write!(f, "mean squared error {error:.6}"),
        }
    }
}
