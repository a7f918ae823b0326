//! `cargo xtask example imu`: a wrist-worn sensor meets somebody new.
//!
//! A network that recognises seven shoulder exercises is trained on nine people and frozen in int8; its head stays
//! float, in RAM. The tenth person does the exercises, and the device learns from 100 labelled windows.
//!
//! # Protocol
//! Everyone is left out once. *Before* is the accuracy on the person left out, *after* that of the same network once
//! its head has seen the 100 windows 20 times, one a step, with plain gradient descent; *with* that of a network which
//! is trained on the desk in the same way, but knows all the person's windows that the device could have chosen from.
//! Windows last two seconds. Those to learn from lie in the first half of each recording, those to test on in the
//! second, so that they share no sample; nothing was chosen by looking at the second halves. The device's part of the
//! gain is the mean of `after - before` over the mean of `with - before`.

use super::watch::{AXES, EXERCISES, Part, SUBJECTS, WINDOW, Watch};
use crate::Result;
use crate::demo::learning::{self, Run};
use crate::demo::model::labels;
use crate::stages::Stages;
use milligrad::Sgd;
use milligrad_board::Board;
use milligrad_host::data::{Dataset, shuffled};
use milligrad_host::train::{FitOptions, Samples, fit};
use milligrad_host::{
    Builder, CompileOptions, Graph, Layers, Learn, OptimizerKind, Program, QuantizeOptions, Rule, Runner,
    quantize,
};
use std::ops::ControlFlow;

/// Passes over the training windows on the desk.
const EPOCHS: usize = 15;
/// Windows that the device gets to see.
const SAMPLES: usize = 100;
/// How often it sees them.
const PASSES: usize = 20;
/// Its step size.
const LEARNING_RATE: f32 = 0.003;
/// Both dense layers learn.
const HEAD: Layers = Layers::Last(2);
/// Training windows that show the ranges of activations.
const CALIBRATION: usize = 256;

/// Accuracies on the second halves of one person's recordings.
#[derive(serde::Serialize)]
pub(crate) struct Person {
    subject: u8,
    windows: usize,
    before: f64,
    after: f64,
    with: f64,
}

/// What came of it.
pub(crate) struct Outcome {
    people: Vec<Person>,
    /// One adaptation on a board, compared with the desk.
    board: Option<(&'static str, Run)>,
}

/// Everyone in turn on the desk, and the first on the board as well.
pub(crate) fn run(target: Option<&'static Board>, seed: u64, stages: &mut Stages) -> Result<Outcome> {
    let watch = Watch::read()?;
    let mut outcome = Outcome { people: Vec::new(), board: None };
    for subject in 1..=SUBJECTS {
        let person = format!("person {subject} left out");
        let case =
            stages.stage(&format!("imu: two networks, {person}"), || Case::new(&watch, subject, seed))?;
        outcome.people.push(stages.stage(&format!("imu: learning, {person}"), || case.person(subject))?);
        if let (Some(target), None) = (target, &outcome.board) {
            let Case { program, seen, order, test, .. } = &case;
            let run = learning::train("imu", program, seen, order, LEARNING_RATE, test, target, stages)?;
            outcome.board = Some((target.name, run));
        }
    }
    Ok(outcome)
}

/// One person left out.
struct Case {
    /// Trained on the others; its head learns.
    program: Program,
    /// Trained on everybody.
    with: Program,
    /// Windows that the device sees.
    seen: Dataset,
    /// The order in which it sees them.
    order: Vec<usize>,
    test: Dataset,
}

impl Case {
    fn new(watch: &Watch, subject: u8, seed: u64) -> Result<Self> {
        let others = watch.windows(|who| who != subject, Part::Whole)?;
        let first = watch.windows(|who| who == subject, Part::FirstHalf)?;
        let everybody = Watch::joined(&others, &first)?;
        Ok(Self {
            program: program(&train(&others, seed)?, &others, seed, true)?,
            with: program(&train(&everybody, seed)?, &everybody, seed, false)?,
            seen: first.select(&shuffled(first.len(), seed)[..SAMPLES]),
            order: (0..PASSES as u64).flat_map(|pass| shuffled(SAMPLES, seed + pass)).collect(),
            test: watch.windows(|who| who == subject, Part::SecondHalf)?,
        })
    }

    fn person(&self, subject: u8) -> Result<Person> {
        let labels = labels(&self.test)?;
        let records = self.program.records(&self.test);
        let accuracy = |runner: &mut Runner<'_>| -> Result<f64> {
            let mut outputs = Vec::new();
            for record in records.chunks_exact(self.program.input_bytes()) {
                outputs.extend(runner.output(record)?);
            }
            Ok(self.program.accuracy(&outputs, labels))
        };
        let mut runner = self.program.runner();
        let before = accuracy(&mut runner)?;
        learning::replay(
            &mut runner,
            &self.program,
            &self.seen,
            &self.order,
            &Rule::Sgd(Sgd::new(LEARNING_RATE)),
        )?;
        let after = accuracy(&mut runner)?;
        let with = self.with.accuracy(&self.with.outputs(&self.with.records(&self.test))?, labels);
        Ok(Person { subject, windows: labels.len(), before, after, with })
    }
}

fn train(data: &Dataset, seed: u64) -> Result<Graph> {
    let mut graph = Builder::new("imu-cnn", &[WINDOW, 1, AXES])
        .conv2d(16, [5, 1])
        .strides([2, 1])
        .relu()
        .max_pool2d([2, 1])
        .conv2d(24, [5, 1])
        .relu()
        .max_pool2d([2, 1])
        .flatten()
        .dropout(0.3)
        .dense(32)
        .relu()
        .dense(EXERCISES.len())
        .softmax()
        .classes(EXERCISES)
        .normalize(1.0 / 4096.0, 0.0)
        .build(seed)?;
    let options = FitOptions { epochs: EPOCHS, seed, ..FitOptions::default() };
    let samples = Samples::of(data, graph.normalize)?;
    fit(&mut graph, &samples, None, &options, &mut |_| ControlFlow::Continue(()))?;
    Ok(graph)
}

/// The network in int8, its head in floats if it learns.
fn program(graph: &Graph, data: &Dataset, seed: u64, learns: bool) -> Result<Program> {
    let some =
        data.select(&shuffled(data.len(), seed)[..CALIBRATION]).normalized(graph.normalize, CALIBRATION);
    let trainable = learns.then_some(HEAD);
    let graph = quantize(graph, &some, &QuantizeOptions { trainable, ..Default::default() })?;
    let learn = learns.then_some(HEAD).map(|layers| Learn::new(layers, OptimizerKind::Sgd));
    Ok(Program::compile(&graph, &CompileOptions { learn, ..Default::default() })?)
}

impl Outcome {
    fn mean(&self, of: impl Fn(&Person) -> f64) -> f64 {
        self.people.iter().map(of).sum::<f64>() / self.people.len() as f64
    }

    /// How much of what training with a person's windows on the desk brings, learning on the device brings.
    fn gain(&self) -> f64 {
        self.mean(|person| person.after - person.before) / self.mean(|person| person.with - person.before)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        let board = self.board.as_ref().map(|(name, run)| {
            serde_json::json!({
                "name": name,
                "steps": run.steps,
                "instructions_per_step": run.training.cost.instructions,
                "parameters_differing_from_desk": run.differing,
            })
        });
        serde_json::json!({ "schema": 1, "people": self.people, "gain": self.gain(), "board": board })
    }

    /// # Errors
    /// If the board learned anything else than the desk.
    pub(crate) fn verdict(&self) -> Result<()> {
        match &self.board {
            Some((board, run)) if run.differing > 0 => {
                Err(format!("{} parameters on {board} differ from the desk's", run.differing).into())
            }
            _ => Ok(()),
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "person  test windows   before    after     with")?;
        for Person { subject, windows, before, after, with } in &self.people {
            let [before, after, with] = [before, after, with].map(|share| 100.0 * share);
            writeln!(f, "{subject:6}  {windows:12}  {before:5.1} %  {after:5.1} %  {with:5.1} %")?;
        }
        let [before, after, with] = [|p: &Person| p.before, |p: &Person| p.after, |p: &Person| p.with]
            .map(|of| 100.0 * self.mean(of));
        writeln!(f, "  mean                {before:5.1} %  {after:5.1} %  {with:5.1} %")?;
        writeln!(f, "the device gains {:.2} of what the desk would", self.gain())?;
        if let Some((board, run)) = &self.board {
            writeln!(
                f,
                "person 1 on {board}: {} steps of {} instructions, {} parameters differ from the desk's",
                run.steps, run.training.cost.instructions, run.differing
            )?;
        }
        Ok(())
    }
}
