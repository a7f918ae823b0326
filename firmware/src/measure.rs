//! Calls between two readings of the timer, on a painted stack.

use crate::clock::{Clock, Reading};
use crate::entry::{Entry, LearningEntry};
use crate::files::{Records, Results};
use crate::marks::mark;
use crate::optimizer::{FromPlan, Plan, Progress};
use crate::{stack, train};
use milligrad_protocol::{Exit, files, keys, sections};

/// What one call cost.
struct Cost {
    time: Reading,
    stack: stack::Use,
}

/// Calls `f` and measures it. Not inlined, so that every call is made from the same surroundings.
#[inline(never)]
fn measured<R>(clock: &Clock, f: impl FnOnce() -> R) -> (Cost, R) {
    let paint = stack::paint();
    let start = clock.start();
    mark(sections::CALL);
    let result = f();
    mark(sections::OUTSIDE);
    let time = clock.stop(start);
    (Cost { time, stack: paint.used() }, result)
}

/// A call that does nothing: what measuring itself costs.
#[inline(never)]
fn nothing() {
    core::hint::black_box(());
}

/// Predicts the first `count` input records, measuring each.
pub(crate) fn predictions<M: Entry>(network: &mut M, count: u32) -> Result<(), Exit> {
    let clock = Clock::new();
    let mut inputs = Records::open(files::INPUTS)?;
    let mut outputs = Results::create(files::OUTPUTS)?;
    let mut report = start_report::<M>(&clock)?;
    for i in 0..count {
        if !inputs.inputs(network)? {
            break;
        }
        let (cost, ()) = measured(&clock, || network.enter_predict());
        outputs.outputs(network)?;
        line(&mut report, i, &cost)?;
    }
    Ok(())
}

/// Takes training steps on the first `count` samples, measuring each call.
pub(crate) fn training_steps<M: LearningEntry>(network: &mut M, plan: Plan, count: u32) -> Result<(), Exit>
where
    M::Optimizer: FromPlan,
{
    let clock = Clock::new();
    let mut steps = Records::open(files::STEPS)?;
    let mut losses = Results::create(files::LOSSES)?;
    let mut batches = Results::create(files::BATCHES)?;
    let mut report = start_report::<M>(&clock)?;
    let mut progress = Progress::default();
    for i in 0..count {
        let Some(target) = train::next(network, &mut steps)? else { break };
        let optimizer = progress.optimizer(plan);
        let (cost, step) = measured(&clock, || network.enter_train_step(target.get(), &optimizer));
        losses.elements(&[train::loss(step)])?;
        line(&mut report, i, &cost)?;
        if progress.ends_step(M::samples_of_step(plan)) && M::IN_BATCHES {
            let (cost, update) = measured(&clock, || network.enter_apply(&optimizer));
            batches.bytes(&train::samples(update).to_le_bytes())?;
            stack_lines(&mut report, &cost)?;
            reading(&mut report, keys::APPLY, &cost)?;
        }
    }
    Ok(())
}

fn start_report<M: Entry>(clock: &Clock) -> Result<Results, Exit> {
    if M::LAYERS.len() > sections::COUNT - 2 {
        defmt::error!("{=usize} layers are too many to profile", M::LAYERS.len());
        return Err(Exit::TooManyLayers);
    }
    let mut report = Results::create(files::REPORT)?;
    let Reading { ticks, polls } = measured(clock, nothing).0.time;
    report.line(keys::EMPTY, format_args!("{ticks} {polls}"))?;
    report.line(keys::NETWORK, format_args!("{}", size_of::<M>()))?;
    M::LAYERS.iter().try_for_each(|name| report.line(keys::LAYER, format_args!("{name}")))?;
    Ok(report)
}

fn line(report: &mut Results, i: u32, cost: &Cost) -> Result<(), Exit> {
    if i == 0 {
        stack_lines(report, cost)?;
    }
    reading(report, keys::CALL, cost)
}

fn stack_lines(report: &mut Results, cost: &Cost) -> Result<(), Exit> {
    report.line(keys::STACK, format_args!("{}", cost.stack.bytes))?;
    report.line(keys::STACK_FREE, format_args!("{}", cost.stack.free))
}

fn reading(report: &mut Results, key: &str, cost: &Cost) -> Result<(), Exit> {
    let Reading { ticks, polls } = cost.time;
    report.line(key, format_args!("{ticks} {polls}"))
}
