//! Learning on the board: from scratch, and against drift.

use super::model::{Trained, export, labels};
use super::report::LearningFigures;
use crate::{Result, stages::Stages};
use milligrad::Sgd;
use milligrad_board::{Board, Firmware, ModelSource, TrainPlan, Training};
use milligrad_host::data::{Dataset, digits, shuffled};
use milligrad_host::{
    CompileOptions, Layers, Learn, OptimizerKind, Program, QuantizeOptions, Rule, Runner, quantize,
};

/// Passes over the whole training part from scratch; with the step size chosen on the validation part.
const EPOCHS: usize = 20;

/// Labelled samples that the drifted board gets to see, each once.
const SAMPLES: usize = 300;

/// Layers of the convolutional network that stay trainable in the field; the convolutions are frozen int8.
const HEAD: Layers = Layers::Last(2);

/// Runs both, the desk replaying every step.
pub(crate) fn run(
    mlp: &Trained,
    cnn: &Trained,
    target: &'static Board,
    seed: u64,
    stages: &mut Stages,
) -> Result<LearningFigures> {
    let scratch = from_scratch(mlp, target, seed, stages)?;
    let drift = adapt(cnn, target, seed, stages)?;
    Ok(LearningFigures {
        from_scratch_accuracy: scratch.after,
        from_scratch_steps: scratch.steps,
        instructions_per_training_step: scratch.training.cost.instructions,
        training_ram_bytes: scratch.ram_beyond_parameters,
        training_stack_bytes: scratch.training.cost.stack_bytes,
        training_code_bytes: scratch.code_bytes,
        drift: "the image slips two pixels to the right",
        drift_before: drift.undrifted_before,
        drift_dropped: drift.run.before,
        drift_recovered: drift.run.after,
        drift_original_after: drift.undrifted_after,
        samples: SAMPLES,
        instructions_per_adaptation_step: drift.run.training.cost.instructions,
        parameters_differing_from_desk: scratch.differing + drift.run.differing,
        panics: [scratch.panics, drift.run.panics].concat(),
    })
}

/// One training on the board, and its replay on the desk.
pub(crate) struct Run {
    pub(crate) training: Training,
    pub(crate) steps: usize,
    /// Accuracy on the test part.
    before: f64,
    after: f64,
    /// Parameters whose bits differ between board and desk.
    pub(crate) differing: usize,
    ram_beyond_parameters: usize,
    code_bytes: u64,
    panics: Vec<String>,
}

/// The untrained 64-32-10 learns all digits on the board, sample by sample.
fn from_scratch(mlp: &Trained, target: &'static Board, seed: u64, stages: &mut Stages) -> Result<Run> {
    let graph = mlp.spec.graph(&mlp.data.train.classes, seed)?;
    let learn = Some(Learn::new(Layers::All, OptimizerKind::Sgd));
    let program = Program::compile(&graph, &CompileOptions { learn, ..Default::default() })?;
    let train_part = digits::load()?.train;
    let order: Vec<_> =
        (0..EPOCHS as u64).flat_map(|epoch| shuffled(train_part.len(), seed * 1000 + epoch)).collect();
    train("digits-scratch", &program, &train_part, &order, 0.05, &mlp.data.test, target, stages)
}

/// What came of adaptation, and how it is with images that did not drift.
struct Drift {
    run: Run,
    undrifted_before: f64,
    undrifted_after: f64,
}

/// The trained network, its convolutions frozen in int8, meets a sensor that slipped in its mount.
fn adapt(cnn: &Trained, target: &'static Board, seed: u64, stages: &mut Stages) -> Result<Drift> {
    let options = QuantizeOptions { trainable: Some(HEAD), ..Default::default() };
    let graph = quantize(&cnn.graph, &cnn.calibration(), &options)?;
    let learn = Some(Learn::new(HEAD, OptimizerKind::Sgd));
    let program = Program::compile(&graph, &CompileOptions { learn, ..Default::default() })?;
    let (train_part, test_part) = (slipped(&cnn.data.train), slipped(&cnn.data.test));
    let order = shuffled(train_part.len(), seed);
    // The board predicts both test parts before and after: the drifted one first, then the original.
    let both = Dataset {
        inputs: [&test_part.inputs[..], &cnn.data.test.inputs].concat(),
        targets: milligrad_host::data::Targets::Classes([cnn.labels()?, cnn.labels()?].concat()),
        ..test_part.clone()
    };
    let mut run =
        train("digits-drift", &program, &train_part, &order[..SAMPLES], 0.02, &both, target, stages)?;
    let half = run.training.before.len() / 2;
    let accuracy = |outputs: &[u8]| -> Result<f64> { Ok(program.accuracy(outputs, cnn.labels()?)) };
    run.before = accuracy(&run.training.before[..half])?;
    run.after = accuracy(&run.training.after[..half])?;
    Ok(Drift {
        undrifted_before: accuracy(&run.training.before[half..])?,
        undrifted_after: accuracy(&run.training.after[half..])?,
        run,
    })
}

/// A camera or a pressure mat whose mount slipped by a quarter of the image: two columns to the right.
fn slipped(data: &Dataset) -> Dataset {
    let [height, width, channels] = data.shape[..] else { return data.clone() };
    let (row, shift) = (width * channels, 2 * channels);
    let mut slipped = data.clone();
    let rows = slipped.inputs.chunks_exact_mut(row).zip(data.inputs.chunks_exact(row));
    debug_assert_eq!(rows.len(), data.len() * height);
    for (to, from) in rows {
        to[..shift].fill(0.0);
        to[shift..].copy_from_slice(&from[..row - shift]);
    }
    slipped
}

/// Trains on the board on `data` in `order`, one sample a step, and replays it on the desk.
#[expect(
    clippy::too_many_arguments,
    reason = "one call for two uses; a struct would only name the same things twice"
)]
pub(crate) fn train(
    name: &str,
    program: &Program,
    data: &Dataset,
    order: &[usize],
    learning_rate: f32,
    test: &Dataset,
    target: &'static Board,
    stages: &mut Stages,
) -> Result<Run> {
    let classes = labels(data)?;
    let path = export(name, program)?;
    let firmware = stages.stage(&format!("{name}: firmware for {}", target.name), || {
        Firmware::build(target, &[ModelSource::learning(name, path)])
    })?;
    let mut steps = Vec::new();
    for &sample in order {
        steps.extend(program.encode_input(data.input(sample)));
        steps.push(u8::try_from(classes[sample])?);
    }
    let tests = program.records(test);
    let plan = TrainPlan { steps: &steps, learning_rate, tests: &tests, ..TrainPlan::default() };
    let training = stages
        .stage(&format!("{name}: {} steps on the board", order.len()), || firmware.train(name, &plan))?;
    let differing = stages.stage(&format!("{name}: the same steps on the desk"), || -> Result<usize> {
        let mut runner = program.runner();
        replay(&mut runner, program, data, order, &Rule::Sgd(Sgd::new(learning_rate)))?;
        let learned = runner.parameters();
        let values = training.parameters.iter().zip(learned.iter());
        let differing = values.map(|((_, board), desk)| {
            let pairs = board.iter().zip(desk).filter(|(board, desk)| board.to_bits() != desk.to_bits());
            pairs.count() + board.len().abs_diff(desk.len())
        });
        Ok(differing.sum::<usize>() + training.parameters.len().abs_diff(learned.len()))
    })?;
    let elf = firmware.analyse()?;
    let entry = firmware.entry(name, true)?;
    let reach = elf.reach(&[&entry])?;
    Ok(Run {
        steps: order.len(),
        before: program.accuracy(&training.before, labels(test)?),
        after: program.accuracy(&training.after, labels(test)?),
        differing,
        ram_beyond_parameters: program.analysis().arena_bytes,
        code_bytes: reach.code_bytes(),
        panics: reach.panics(),
        training,
    })
}

/// The same steps on the desk.
pub(crate) fn replay(
    runner: &mut Runner<'_>,
    program: &Program,
    data: &Dataset,
    order: &[usize],
    rule: &Rule,
) -> Result<()> {
    let classes = labels(data)?;
    for &sample in order {
        // A refused step changes nothing, on the desk as on the board.
        let _ = runner.train_step(&program.encode_input(data.input(sample)), classes[sample] as usize, rule);
    }
    Ok(())
}
