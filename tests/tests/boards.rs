//! The promise itself, on emulated boards: what the desk computes is bit for bit what the chip computes, in prediction
//! and in training, with an FPU and without; nothing on the way can panic; the stack is bounded.

use milligrad::{Adam, Momentum, Nesterov, RmsProp, Schedule, Sgd, Target, TargetKind, WeightDecay};
use milligrad_board::{Elf, Error, Firmware, ModelSource, TrainPlan, board};
use milligrad_host::data::{Dataset, digits};
use milligrad_host::spec::Spec;
use milligrad_host::train::{FitOptions, Samples, fit};
use milligrad_host::{OptimizerKind, Program, QuantizeOptions, Rule, export, quantize};
use milligrad_tests::{cases, noise};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// A program under the name that the firmware knows it by.
struct Model {
    name: String,
    program: Program,
    /// Raw inputs to try, real images where there are some.
    inputs: Vec<Vec<f32>>,
    /// Samples of a training step.
    batch: usize,
}

impl Model {
    fn new(name: &str, program: Program, samples: u32) -> Self {
        let len = program.inputs.iter().map(|port| program.buffer(port.buffer).len).sum();
        let inputs = (0..samples).map(|seed| noise(seed, len)).collect();
        Self { name: name.into(), program, inputs, batch: 1 }
    }

    /// The same, to learn in batches.
    fn in_batches(&self) -> Self {
        let (name, program, inputs) =
            (format!("{}-batches", self.name), self.program.clone(), self.inputs.clone());
        Self { name, program, inputs, batch: 5 }
    }

    fn learns(&self) -> bool {
        self.program.learning.is_some()
    }

    fn records(&self) -> Vec<u8> {
        self.inputs.iter().flat_map(|raw| self.program.encode_input(raw)).collect()
    }
}

/// A model of `examples/`, trained a little, in int8.
fn trained(name: &str, samples: usize) -> Model {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name).with_extension("toml");
    let spec = Spec::read(path).unwrap();
    let data = spec.load_data().unwrap();
    let mut graph = spec.graph(&data.train.classes, 0).unwrap();
    let samples_of = |data: &Dataset| Samples::of(data, graph.normalize).unwrap();
    let train = samples_of(&data.train);
    let options = FitOptions { epochs: 3, ..FitOptions::default() };
    fit(&mut graph, &train, None, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    let calibration = data.train.normalized(graph.normalize, 100);
    let int8 = quantize(&graph, &calibration, &QuantizeOptions::default()).unwrap();
    let program = Program::compile(&int8, &Default::default()).unwrap();
    let digits = digits::all().unwrap();
    let inputs = (0..samples).map(|sample| digits.input(sample).to_vec()).collect();
    Model { name: name.into(), program, inputs, batch: 1 }
}

/// Builds one firmware with all models.
fn firmware(board_name: &str, models: &[Model]) -> Firmware {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(board_name);
    std::fs::create_dir_all(&folder).unwrap();
    let sources: Vec<_> = models
        .iter()
        .map(|model| {
            let path = folder.join(&model.name).with_extension("rs");
            std::fs::write(&path, export::rust(&model.program).unwrap()).unwrap();
            match model.learns() {
                true if model.batch > 1 => ModelSource::learning_in_batches(&model.name, path),
                true => ModelSource::learning(&model.name, path),
                false => ModelSource::new(&model.name, path),
            }
        })
        .collect();
    Firmware::build(board(board_name).unwrap(), &sources).unwrap()
}

fn predicts_the_same(firmware: &Firmware, model: &Model) {
    let records = model.records();
    let predictions = firmware.predict(&model.name, &records).unwrap();
    let desk = model.program.outputs(&records).unwrap();
    let place = format!("{} on {}", model.name, firmware.board().name);
    assert_eq!(predictions.outputs.len(), desk.len(), "{place}: bytes");
    let differing = predictions.outputs.iter().zip(&desk).filter(|(board, desk)| board != desk).count();
    assert_eq!(differing, 0, "{place}: bytes that differ of {}", desk.len());
    assert!(
        predictions.cost.stack_bytes <= 1024,
        "{place}: predict takes {} B of stack",
        predictions.cost.stack_bytes
    );
}

/// The rule of a step.
fn rule(program: &Program, rate: f32) -> Rule {
    match program.learning.as_ref().unwrap().optimizer {
        OptimizerKind::Sgd if program.fixed_point().is_some() => program.fixed_point().unwrap().rule(rate),
        OptimizerKind::Sgd => Rule::Sgd(Sgd::new(rate)),
        OptimizerKind::Momentum => Rule::Momentum(Momentum::new(rate, 0.9)),
        OptimizerKind::Nesterov => Rule::Nesterov(Nesterov::new(rate, 0.9)),
        OptimizerKind::RmsProp => Rule::RmsProp(RmsProp::new(rate)),
        OptimizerKind::Adam => Rule::Adam(Adam::new(rate)),
        OptimizerKind::AdamW => Rule::AdamW(WeightDecay::new(Adam::new(rate), 0.9)),
    }
}

/// How the learning rate changes, one of all ways for each model.
fn schedule(model: &Model) -> Schedule {
    match model.name.len() % 4 {
        0 => Schedule::Constant,
        1 => Schedule::Step { steps: 20, factor: 0.5 },
        2 => Schedule::Exponential { steps: 50, factor: 0.5 },
        _ => Schedule::Cosine { warmup: 10, steps: 80, floor: 0.1 },
    }
}

/// Trains with labels in turn, a label out of range and large inputs and targets among them, and compares every parameter.
fn learns_the_same(firmware: &Firmware, model: &Model) {
    let (mut steps, mut runner, mut refused, mut batches) =
        (Vec::new(), model.program.runner(), 0, Vec::new());
    let (schedule, batch) = (schedule(model), model.batch);
    let learning = model.program.learning.as_ref().unwrap();
    let clips = learning.guard && learning.fixed.is_none();
    for (sample, raw) in model.inputs.iter().cycle().take(120).enumerate() {
        let scale = if clips && sample > 60 && sample % 7 == 3 { 30.0 } else { 1.0 };
        let record = model.program.encode_input(&raw.iter().map(|x| scale * x).collect::<Vec<_>>());
        steps.extend(&record);
        let mut values;
        let target = match model.program.target() {
            TargetKind::Class(classes) => {
                let label = if sample == 60 { classes } else { sample % classes };
                steps.push(label as u8);
                Target::Class(label)
            }
            TargetKind::Values(len) => {
                values = noise(sample as u32 + 500, len);
                // A batch with targets so far away is refused as a whole.
                let scale = if clips && batch > 1 && sample / batch == 18 { 1e6 } else { scale };
                values.iter_mut().for_each(|value| *value *= scale);
                if sample == 60 {
                    values[0] = f32::NAN;
                }
                steps.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                Target::Values(&values)
            }
        };
        let rule = rule(&model.program, 0.05 * schedule.factor((sample / batch) as u32));
        let result = match batch {
            1 => runner.train_step(&record, target, &rule),
            _ => runner.accumulate(&record, target),
        };
        assert!(sample != 60 || result.is_err(), "{}: sample 60", model.name);
        refused += usize::from(result.is_err());
        if batch > 1 && sample % batch == batch - 1 {
            batches.push(runner.apply(&rule).ok().map(|samples| samples as u32));
        }
    }
    if model.name == "regression_guarded" {
        assert!(runner.guard().report().clipped > 0, "{}: no gradient was clipped", model.name);
    }
    let is_refused = model.name == "regression_guarded-batches";
    assert_eq!(batches.contains(&None), is_refused, "{}: {batches:?}", model.name);
    let (learning_rate, batch) = (0.05, batch as u32);
    let plan =
        TrainPlan { steps: &steps, learning_rate, momentum: 0.9, batch, schedule, ..TrainPlan::default() };
    let training = firmware.train(&model.name, &plan).unwrap();
    let place = format!("{} on {}", model.name, firmware.board().name);
    assert_eq!((training.losses.len(), training.refused), (120, refused), "{place}");
    assert_eq!(training.batches, batches, "{place}: samples of each update");
    assert!(refused < 60, "{place}: {refused} steps refused");
    assert_eq!(training.parameters.len(), runner.parameters().len(), "{place}");
    for ((name, board), desk) in training.parameters.iter().zip(runner.parameters().iter()) {
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(board), bits(desk), "{place}: {name}");
        assert!(board.iter().all(|v| v.is_finite()), "{place}: {name}");
    }
    assert!(
        training.cost.stack_bytes <= 2048,
        "{place}: train_step takes {} B of stack",
        training.cost.stack_bytes
    );
}

/// Fewer samples than a batch takes are no step, and cost nothing that could be reported as one.
fn needs_a_batch(firmware: &Firmware, model: &Model) {
    let raw = model.inputs.iter().take(model.batch - 1);
    let target = match model.program.target() {
        TargetKind::Class(_) => vec![0],
        TargetKind::Values(len) => vec![0; 4 * len],
    };
    let steps: Vec<u8> =
        raw.flat_map(|raw| [&model.program.encode_input(raw)[..], &target[..]].concat()).collect();
    let plan =
        TrainPlan { steps: &steps, learning_rate: 0.05, batch: model.batch as u32, ..TrainPlan::default() };
    for error in [
        firmware.train(&model.name, &plan).map(drop).unwrap_err(),
        firmware.profile_training(&model.name, &plan).map(drop).unwrap_err(),
    ] {
        assert!(matches!(error, Error::NoBatch { batch: 5, samples: 4, .. }), "{}: {error}", model.name);
    }
}

fn cannot_panic(firmware: &Firmware, elf: &Elf, model: &Model) {
    for training in [false, true] {
        if training && !model.learns() {
            continue;
        }
        let entry = firmware.entry(&model.name, training).unwrap();
        let reach = elf.reach(&[&entry]).unwrap();
        let none: [String; 0] = [];
        assert_eq!(reach.panics(), none, "{entry}");
        let bound = reach.stack_bound_bytes().unwrap_or_else(|| panic!("{entry}: {:?}", reach.unbounded()));
        assert!(bound <= if training { 2048 } else { 1024 }, "{entry}: at most {bound} B of stack");
    }
}

fn check(board_name: &str, models: &[Model]) {
    let firmware = firmware(board_name, models);
    let elf = firmware.analyse().unwrap();
    for model in models {
        cannot_panic(&firmware, &elf, model);
        predicts_the_same(&firmware, model);
        if model.learns() {
            learns_the_same(&firmware, model);
        }
        if model.batch > 1 {
            needs_a_batch(&firmware, model);
        }
    }
}

fn all_cases() -> Vec<Model> {
    let mut models: Vec<_> =
        cases().unwrap().into_iter().map(|case| Model::new(case.name, case.program, 20)).collect();
    let batches = models.iter().filter(|model| {
        ["everything_guarded", "wide_guarded", "regression_guarded", "regression_adamw"]
            .contains(&&model.name[..])
            || model.name.ends_with("batches_fixed")
            || model.name == "squashed_fixed"
    });
    models.extend(batches.map(Model::in_batches).collect::<Vec<_>>());
    models
}

/// 500 real images stream through the convolutional network.
#[test]
fn cortex_m4f_is_the_desk() {
    let mut models = all_cases();
    models.extend([trained("digits-mlp", 500), trained("digits-cnn", 500)]);
    check("mps2-an386", &models);
}

/// The same floats without an FPU.
#[test]
fn cortex_m3_is_the_desk() {
    let mut models = all_cases();
    models.extend([trained("digits-mlp", 50), trained("digits-cnn", 50)]);
    check("mps2-an385", &models);
}

/// 16 KB of RAM, no division, no 64-bit multiplication.
#[test]
fn cortex_m0_is_the_desk() {
    let mut models: Vec<_> = all_cases()
        .into_iter()
        .filter(|model| {
            let small =
                ["int8", "mlp_fixed", "ramps_fixed", "adapting_fixed", "binary_fixed", "regression_fixed"];
            let batches =
                ["mlp_batches_fixed-batches", "ramps_batches_fixed-batches", "squashed_fixed-batches"];
            small.iter().chain(&batches).any(|end| model.name.ends_with(end))
        })
        .collect();
    models.extend([trained("digits-mlp", 50), trained("digits-cnn", 20)]);
    check("microbit", &models);
}

/// Another instruction set, without floats in hardware: of what learns in floats, which a Cortex-M3 computes in software, too, a part.
#[test]
fn rv32imc_is_the_desk() {
    let floats = ["everything_adapting", "everything_guarded", "mlp_adam", "regression_adamw"];
    let mut models = all_cases();
    models.retain(|model| {
        let learning = model.program.learning.as_ref();
        learning.is_none_or(|learning| learning.fixed.is_some()) || floats.contains(&&model.name[..])
    });
    models.extend([trained("digits-mlp", 50), trained("digits-cnn", 50)]);
    check("riscv32-virt", &models);
}
