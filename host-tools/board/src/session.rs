//! What one asks of a firmware: predictions and training on the board.

mod files;
mod report;

use crate::qemu::{self, Run};
use crate::{Error, Firmware, Result};
pub(crate) use files::Folder;
use milligrad::Schedule;
use milligrad_firmware_build::Kind;
use milligrad_protocol::{commands, files as names};
pub(crate) use report::Report;

/// Samples or steps whose instructions are counted; the others run without counting, which is faster.
const COUNTED: usize = 4;

/// What one call of a model costs on the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Instructions of the first measured call, from the first to the last of the call; of a step in batches, those of all
    /// its samples and of the update.
    pub instructions: u64,
    /// The most instructions of the measured calls, which are the first four at most.
    pub most_instructions: u64,
    /// Stack that the first call used, from its entry.
    pub stack_bytes: u64,
    /// RAM of the model: its `Network` struct.
    pub network_bytes: u64,
}

/// What a model predicted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predictions {
    /// The output records, one after the other, little-endian.
    pub outputs: Vec<u8>,
    /// How many there are.
    pub samples: usize,
    /// What one prediction costs.
    pub cost: Cost,
}

/// How to train on the board.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TrainPlan<'a> {
    /// One record for each step, in order: the input, little-endian, and the label in one byte.
    pub steps: &'a [u8],
    /// Step size.
    pub learning_rate: f32,
    /// Momentum, or the weight decay; optimizers with neither ignore the value.
    pub momentum: f32,
    /// Input records to predict before the first step and after the last. May be empty.
    pub tests: &'a [u8],
    /// Samples of a step, of a model that [learns in batches](crate::ModelSource::learning_in_batches); 0 as 1. Samples that do
    /// not fill a batch at the end are not learned from.
    pub batch: u32,
    /// How the step size changes from step to step.
    pub schedule: Schedule,
}

/// A trainable parameter: its name and its values.
pub type Parameter = (String, Vec<f32>);

/// What came of training.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// The loss of each step, before its update; NaN for a step that was refused.
    pub losses: Vec<f32>,
    /// How many steps were refused; of a model that learns in batches, how many samples.
    pub refused: usize,
    /// Of a model that learns in batches, how many samples the update of each batch was the mean of, those that were refused left
    /// out; `None` where the guard refused the update.
    pub batches: Vec<Option<u32>>,
    /// The parameters after the last step.
    pub parameters: Vec<Parameter>,
    /// Outputs for the tests before the first step.
    pub before: Vec<u8>,
    /// Outputs for the tests after the last step.
    pub after: Vec<u8>,
    /// What one step costs.
    pub cost: Cost,
}

impl TrainPlan<'_> {
    /// The hyperparameters as the command line takes them.
    ///
    /// # Errors
    /// [`Error::UnknownSchedule`].
    pub(crate) fn words(&self) -> Result<[String; 4]> {
        let [rate, momentum] = [self.learning_rate, self.momentum].map(|value| value.to_bits().to_string());
        let schedule = match self.schedule {
            Schedule::Step { steps, factor } => format!("step:{steps}:{}", factor.to_bits()),
            Schedule::Exponential { steps, factor } => format!("exponential:{steps}:{}", factor.to_bits()),
            Schedule::Cosine { warmup, steps, floor } => {
                format!("cosine:{warmup}:{steps}:{}", floor.to_bits())
            }
            Schedule::Constant => "constant".into(),
            schedule => return Err(Error::UnknownSchedule { schedule }),
        };
        Ok([rate, momentum, self.batch.max(1).to_string(), schedule])
    }

    /// Samples whose instructions are counted: of one step where it takes several.
    pub(crate) fn counted(&self, kind: Kind, samples: usize) -> String {
        if kind == Kind::LearnsInBatches { self.batch.max(1).to_string() } else { samples.to_string() }
    }

    /// Checks that the measured samples are those of a step.
    ///
    /// # Errors
    /// [`Error::NoBatch`].
    pub(crate) fn check_step(&self, kind: Kind, model: &str, report: &Report) -> Result<()> {
        match (kind, report.updates()) {
            (Kind::LearnsInBatches, false) => {
                let (batch, samples) = (self.batch.max(1), report.calls.len());
                Err(Error::NoBatch { model: model.into(), batch, samples })
            }
            _ => Ok(()),
        }
    }
}

impl Firmware {
    /// Predicts input records, which are little-endian and follow each other without gaps.
    ///
    /// Costs are measured on the first samples, in a second run.
    ///
    /// # Errors
    /// [`Error::UnknownModel`], [`Error::PartialRecord`], [`Error::StackOverflow`], and those of [`qemu::run`].
    pub fn predict(&self, model: &str, inputs: &[u8]) -> Result<Predictions> {
        let folder = self.measure(model, inputs)?;
        let report = Report::read(&folder)?;
        let mut outputs = folder.read(names::OUTPUTS)?;
        // One record is what the measured samples gave, divided among them.
        let record = outputs.len() / report.calls.len().max(1);
        let cost = report.cost(self, model)?;
        if report.calls.len() == COUNTED {
            outputs = self.outputs(model, inputs)?;
        }
        Ok(Predictions { samples: outputs.len() / record.max(1), outputs, cost })
    }

    /// Predicts input records without measuring: the fastest way to many outputs.
    ///
    /// # Errors
    /// Those of [`predict`](Self::predict).
    pub fn outputs(&self, model: &str, inputs: &[u8]) -> Result<Vec<u8>> {
        self.model(model)?;
        let folder = Folder::new()?;
        folder.write(names::INPUTS, inputs)?;
        self.run(&folder, &[commands::PREDICT, model], false, &[])?;
        folder.read(names::OUTPUTS)
    }

    /// Takes training steps, and predicts the tests before and after.
    ///
    /// Costs are measured on the first steps, in a run of their own.
    ///
    /// # Errors
    /// [`Error::NotALearner`], [`Error::UnknownSchedule`], [`Error::NoBatch`], and those of [`predict`](Self::predict).
    pub fn train(&self, model: &str, plan: &TrainPlan<'_>) -> Result<Training> {
        let kind = self.learner(model)?;
        let words = plan.words()?;
        let [rate, momentum, batch, schedule] = words.each_ref().map(String::as_str);
        let folder = Folder::new()?;
        folder.write(names::STEPS, plan.steps)?;
        let count = plan.counted(kind, COUNTED);
        let words = [commands::MEASURE_TRAIN, model, rate, momentum, batch, schedule, &count];
        self.run(&folder, &words, true, &[])?;
        let report = Report::read(&folder)?;
        plan.check_step(kind, model, &report)?;
        let cost = report.cost(self, model)?;

        if !plan.tests.is_empty() {
            folder.write(names::TESTS, plan.tests)?;
        }
        self.run(&folder, &[commands::TRAIN, model, rate, momentum, batch, schedule], false, &[])?;
        let losses = files::floats(&folder.read(names::LOSSES)?);
        let [before, after] = if plan.tests.is_empty() {
            [Vec::new(), Vec::new()]
        } else {
            [folder.read(names::BEFORE)?, folder.read(names::AFTER)?]
        };
        Ok(Training {
            refused: losses.iter().filter(|loss| loss.is_nan()).count(),
            losses,
            batches: files::batches(&folder.read(names::BATCHES)?),
            parameters: files::parameters(&folder.read(names::PARAMETERS)?)?,
            before,
            after,
            cost,
        })
    }

    /// Lets the firmware log its board and its models: a proof that all is wired up.
    ///
    /// # Errors
    /// Those of [`qemu::run`].
    pub fn hello(&self) -> Result<()> {
        self.run(&Folder::new()?, &[commands::HELLO], false, &[])
    }

    /// How a model learns.
    pub(crate) fn learner(&self, model: &str) -> Result<Kind> {
        let kind = self.model(model)?.kind;
        if kind.learns() { Ok(kind) } else { Err(Error::NotALearner { model: model.into() }) }
    }

    /// Measures predictions of the first records; returns the folder with the report and the outputs.
    fn measure(&self, model: &str, inputs: &[u8]) -> Result<Folder> {
        self.model(model)?;
        let folder = Folder::new()?;
        folder.write(names::INPUTS, inputs)?;
        self.run(&folder, &[commands::MEASURE, model, &COUNTED.to_string()], true, &[])?;
        Ok(folder)
    }

    /// Runs the firmware once.
    pub(crate) fn run(&self, folder: &Folder, words: &[&str], icount: bool, extra: &[&str]) -> Result<()> {
        let Self { board, elf, limit, .. } = self;
        let run = Run { board, elf, words, folder: folder.path(), icount, extra, limit: *limit };
        qemu::run(&run, &*self.on_log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ModelSource, board};
    use milligrad_protocol::Exit;

    #[test]
    fn surplus_numbers_of_a_schedule_are_refused() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../firmware/tests-models/softmax.rs");
        let source = ModelSource::learning("softmax", path);
        let firmware = Firmware::build(board("mps2-an386").unwrap(), &[source]).unwrap();
        let train = |schedule: &str| {
            let folder = Folder::new().unwrap();
            folder.write(names::STEPS, &[]).unwrap();
            firmware.run(&folder, &[commands::TRAIN, "softmax", "0", "0", "1", schedule], false, &[])
        };
        for schedule in ["constant", "step:5:0", "exponential:5:0", "cosine:1:2:0"] {
            train(schedule).unwrap();
            let error = train(&format!("{schedule}:7")).unwrap_err();
            let usage = format!("{:?}", Exit::Usage);
            assert!(matches!(&error, Error::Failed { how, .. } if *how == usage), "{schedule}: {error}");
        }
    }
}
