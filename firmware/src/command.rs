//! The command line: which command, for which model, with which numbers.

use crate::entry::{self, Entry, LearningEntry};
use crate::optimizer::{FromPlan, Plan};
use crate::{measure, predict, train};
use core::str::FromStr;
use milligrad::Schedule;
use milligrad_protocol::{Exit, commands};
use semihosting::experimental::env;

/// Longest command line.
const LINE: usize = 192;

/// What is to be done with a model.
pub(crate) enum Job {
    /// Predict every input record.
    Predict,
    /// Predict at most so many, measuring each.
    Measure(u32),
    /// Take every training step.
    Train(Plan),
    /// Take at most so many, measuring each.
    MeasureTrain(Plan, u32),
}

/// Reads the command line and does what it says.
pub(crate) fn run() -> Result<(), Exit> {
    let line = env::args::<LINE>().map_err(|_| Exit::Usage)?;
    let mut words = (&line).map_while(Result::ok);
    let _program = words.next();
    let command = words.next().unwrap_or(commands::HELLO);
    if command == commands::HELLO {
        hello();
        return Ok(());
    }
    let model = words.next().ok_or(Exit::Usage)?;
    let job = match command {
        commands::PREDICT => Job::Predict,
        commands::MEASURE => Job::Measure(number(words.next())?),
        commands::TRAIN => Job::Train(plan(&mut words)?),
        commands::MEASURE_TRAIN => Job::MeasureTrain(plan(&mut words)?, number(words.next())?),
        _ => return Err(Exit::Usage),
    };
    entry::run(model, &job).inspect_err(|_| defmt::error!("{=str} {=str} failed", command, model))
}

/// Does a job with a model that only predicts.
pub(crate) fn predicting<M: Entry>(network: &mut M, job: &Job) -> Result<(), Exit> {
    match *job {
        Job::Predict => predict::all(network),
        Job::Measure(count) => measure::predictions(network, count),
        Job::Train(_) | Job::MeasureTrain(..) => Err(Exit::NotALearner),
    }
}

/// Does a job with a model that predicts and learns.
pub(crate) fn learning<M: LearningEntry>(network: &mut M, job: &Job) -> Result<(), Exit>
where
    M::Optimizer: FromPlan,
{
    match *job {
        Job::Train(plan) => train::all(network, plan),
        Job::MeasureTrain(plan, count) => measure::training_steps(network, plan, count),
        Job::Predict | Job::Measure(_) => predicting(network, job),
    }
}

fn hello() {
    defmt::info!("milligrad on {=str}: {=usize} models", env!("MILLIGRAD_BOARD"), entry::NAMES.len());
    for name in entry::NAMES {
        defmt::info!("model {=str}", name);
    }
}

fn number<T: FromStr>(word: Option<&str>) -> Result<T, Exit> {
    word.and_then(|word| word.parse().ok()).ok_or(Exit::Usage)
}

/// A float by its bits.
fn float(word: Option<&str>) -> Result<f32, Exit> {
    number(word).map(f32::from_bits)
}

fn plan<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Plan, Exit> {
    let (learning_rate, momentum) = (float(words.next())?, float(words.next())?);
    Ok(Plan { learning_rate, momentum, batch: number(words.next())?, schedule: schedule(words.next())? })
}

fn schedule(word: Option<&str>) -> Result<Schedule, Exit> {
    let mut parts = word.ok_or(Exit::Usage)?.split(':');
    let schedule = match parts.next() {
        Some("constant") => Schedule::Constant,
        Some("step") => Schedule::Step { steps: number(parts.next())?, factor: float(parts.next())? },
        Some("exponential") => {
            Schedule::Exponential { steps: number(parts.next())?, factor: float(parts.next())? }
        }
        Some("cosine") => {
            let (warmup, steps) = (number(parts.next())?, number(parts.next())?);
            Schedule::Cosine { warmup, steps, floor: float(parts.next())? }
        }
        _ => return Err(Exit::Usage),
    };
    if parts.next().is_none() { Ok(schedule) } else { Err(Exit::Usage) }
}
