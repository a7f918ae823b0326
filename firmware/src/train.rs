//! Training in bulk.

use crate::entry::LearningEntry;
use crate::files::{Records, Results};
use crate::optimizer::{FromPlan, Plan, Progress};
use crate::predict;
use milligrad::{Target, TargetKind, TrainError, UNLABELLED};
use milligrad_protocol::{Exit, NO_LABEL, REFUSED, files};

/// Takes every training step; predicts the tests, if there are any, before and after; writes the parameters.
pub(crate) fn all<M: LearningEntry>(network: &mut M, plan: Plan) -> Result<(), Exit>
where
    M::Optimizer: FromPlan,
{
    if let Some(tests) = Records::open_if_there(files::TESTS) {
        predict::stream(network, tests, files::BEFORE)?;
    }
    let mut steps = Records::open(files::STEPS)?;
    let mut losses = Results::create(files::LOSSES)?;
    let mut batches = Results::create(files::BATCHES)?;
    let mut progress = Progress::default();
    while let Some(target) = next(network, &mut steps)? {
        let optimizer = progress.optimizer(plan);
        losses.elements(&[loss(network.enter_train_step(target.get(), &optimizer))])?;
        if progress.ends_step(M::samples_of_step(plan)) && M::IN_BATCHES {
            batches.bytes(&samples(network.enter_apply(&optimizer)).to_le_bytes())?;
        }
    }
    if let Some(tests) = Records::open_if_there(files::TESTS) {
        predict::stream(network, tests, files::AFTER)?;
    }
    parameters(network)
}

/// Most values of a target.
const VALUES: usize = 128;

/// A target as it was read.
pub(crate) enum Record {
    Class(usize),
    Values([f32; VALUES], usize),
}

impl Record {
    /// The target.
    pub(crate) fn get(&self) -> Target<'_> {
        match self {
            Self::Class(class) => Target::Class(*class),
            Self::Values(values, len) => Target::Values(values.get(..*len).unwrap_or_default()),
        }
    }
}

/// Puts the next training step's record into the network's input and returns its target; `None` at the end.
pub(crate) fn next<M: LearningEntry>(network: &mut M, steps: &mut Records) -> Result<Option<Record>, Exit> {
    if !steps.inputs(network)? {
        return Ok(None);
    }
    match M::TARGET {
        TargetKind::Class(_) => {
            let label = steps.byte()?;
            Ok(Some(Record::Class(if label == NO_LABEL { UNLABELLED } else { label.into() })))
        }
        TargetKind::Values(len) => {
            let mut values = [0.0; VALUES];
            let wanted = values.get_mut(..len).ok_or(Exit::TooManyValues)?;
            match steps.elements(wanted)? {
                true => Ok(Some(Record::Values(values, len))),
                false => Err(Exit::PartialRecord),
            }
        }
    }
}

/// The loss as it is written: NaN for a step that was refused.
pub(crate) fn loss(step: Result<f32, TrainError>) -> f32 {
    step.unwrap_or(f32::NAN)
}

/// How many samples an update was the mean of, as it is written.
pub(crate) fn samples(update: Result<usize, TrainError>) -> u32 {
    update.ok().and_then(|samples| samples.try_into().ok()).unwrap_or(REFUSED)
}

fn parameters<M: LearningEntry>(network: &M) -> Result<(), Exit> {
    let mut file = Results::create(files::PARAMETERS)?;
    let mut outcome = Ok(());
    network.parameters(|name, values| {
        if outcome.is_ok() {
            outcome = parameter(&mut file, name, values);
        }
    });
    outcome
}

fn parameter(file: &mut Results, name: &str, values: &[f32]) -> Result<(), Exit> {
    file.bytes(&(name.len() as u32).to_le_bytes())?;
    file.bytes(name.as_bytes())?;
    file.bytes(&(values.len() as u32).to_le_bytes())?;
    file.elements(values)
}
