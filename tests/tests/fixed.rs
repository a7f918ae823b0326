//! Exported networks that learn in 16-bit fixed point: bit for bit as on the desk, and whatever inputs, targets and learning
//! rates come.

use milligrad::fixed::{PowerOfTwoSgd, Report, Rule as FixedRule, Saturation, StochasticSgd};
use milligrad::{BatchLearner, ElementsMut, Learner, Model, Sgd, Target, TargetKind, TrainError, UNLABELLED};
use milligrad_host::{
    Builder, CompileOptions, Error, FixedExponents, FixedPoint, Layers, Learn, LossKind, OptimizerKind,
    Program, Rule,
};
use milligrad_host::{ElementType, program::Trainable};
use milligrad_tests::random_models::Random;
use milligrad_tests::{cases, image, mlp, noise, series_classifier, squashed};
use std::collections::HashMap;

/// What networks have beside [`Learner`], as methods of their own, and batches where they have them.
trait Full: Learner {
    type Snapshot: Default;
    fn commit(&self, snapshot: &mut Self::Snapshot);
    fn rollback(&mut self, snapshot: &Self::Snapshot) -> bool;
    fn saturation(&self) -> Saturation;
    fn report(&self) -> Option<Report>;
    /// A step on one sample, or the sample's part in a step.
    fn learn(&mut self, target: Target<'_>, optimizer: &Self::Optimizer) -> Result<f32, TrainError>;
    /// The step of a batch; `None` where there are none.
    fn end_batch(&mut self, optimizer: &Self::Optimizer) -> Option<Result<usize, TrainError>>;
}

macro_rules! exported {
    ($($kind:ident $name:ident: $guard:expr;)*) => {$(
        #[allow(missing_docs, unreachable_pub, dead_code, clippy::all)]
        mod $name {
            include!(concat!("../exported/", stringify!($name), ".rs"));
        }

        impl Full for $name::Network {
            type Snapshot = $name::Snapshot;
            fn commit(&self, snapshot: &mut Self::Snapshot) {
                self.commit(snapshot);
            }
            fn rollback(&mut self, snapshot: &Self::Snapshot) -> bool {
                self.rollback(snapshot)
            }
            fn saturation(&self) -> Saturation {
                self.saturation
            }
            fn report(&self) -> Option<Report> {
                let report: fn(&Self) -> Option<Report> = $guard;
                report(self)
            }
            exported!(@$kind);
        }
    )*};
    (@single) => {
        fn learn(&mut self, target: Target<'_>, optimizer: &Self::Optimizer) -> Result<f32, TrainError> {
            Learner::train_step(self, target, optimizer)
        }
        fn end_batch(&mut self, _: &Self::Optimizer) -> Option<Result<usize, TrainError>> {
            None
        }
    };
    (@batches) => {
        fn learn(&mut self, target: Target<'_>, _: &Self::Optimizer) -> Result<f32, TrainError> {
            BatchLearner::accumulate(self, target)
        }
        fn end_batch(&mut self, optimizer: &Self::Optimizer) -> Option<Result<usize, TrainError>> {
            Some(BatchLearner::apply(self, optimizer))
        }
    };
}
exported! {
    single mlp_fixed: |_| None;
    single image_fixed: |n| Some(*n.guard.report());
    single image_biases_fixed: |n| Some(*n.guard.report());
    single ramps_fixed: |n| Some(*n.guard.report());
    single adapting_fixed: |n| Some(*n.guard.report());
    batches mlp_batches_fixed: |_| None;
    batches image_batches_fixed: |n| Some(*n.guard.report());
    batches ramps_batches_fixed: |n| Some(*n.guard.report());
    single binary_fixed: |n| Some(*n.guard.report());
    single regression_fixed: |_| None;
    batches squashed_fixed: |n| Some(*n.guard.report());
    single mlp_dynamic: |_| None;
    single image_dynamic: |n| Some(*n.guard.report());
    single image_biases_dynamic: |n| Some(*n.guard.report());
    single ramps_dynamic: |n| Some(*n.guard.report());
    single binary_dynamic: |_| None;
    single adapting_dynamic: |n| Some(*n.guard.report());
}

fn program(name: &str) -> Program {
    cases().unwrap().into_iter().find(|case| case.name == name).unwrap().program
}

/// All parameters, one after the other: parts of a parameter come under its name.
fn bits<M: Learner>(network: &M) -> Vec<u32> {
    let mut bits = Vec::new();
    network.parameters(|_, values| bits.extend(values.iter().map(|v| v.to_bits())));
    bits
}

/// Does the same on both sides, and compares losses, outputs, parameters, counters and what the guard says.
fn is_the_desk<M: Full>(mut network: M, optimizer: &M::Optimizer, name: &str, rule: &Rule) {
    let program = program(name);
    let mut runner = program.runner();
    let batches = program.learning.as_ref().is_some_and(|learning| learning.batches);
    let (mut snapshot, mut desk_snapshot) = (M::Snapshot::default(), None);
    assert!(!network.rollback(&snapshot), "nothing was committed");
    let start = bits(&network);
    for step in 0..300 {
        let mut raw = noise(step, M::INPUTS[0].len());
        if step % 40 == 39 {
            raw.iter_mut().for_each(|x| *x *= 1000.0);
        }
        if step % 60 == 59 {
            raw[0] = f32::INFINITY;
        }
        let record = program.encode_input(&raw);
        let values: Vec<f32> = noise(step + 1000, M::OUTPUTS[0].len());
        let target = match (M::TARGET, step % 50) {
            (_, 7) => Target::Class(UNLABELLED),
            (_, 8) => Target::Class(M::OUTPUTS[0].len()),
            (_, 9) => Target::Values(&values[1..]),
            (TargetKind::Class(classes), _) => Target::Class(step as usize % classes),
            (TargetKind::Values(_), _) => Target::Values(&values),
        };
        assert_eq!(network.input_at(0).set_le(&record), record.len());
        if step % 5 == 1 {
            assert_eq!(network.evaluate(target), runner.evaluate(&record, target), "{name} step {step}");
        } else {
            // Single steps, too, between the samples of a batch.
            let (ours, desk) = match step % 5 {
                2..5 if batches => (network.learn(target, optimizer), runner.accumulate(&record, target)),
                _ => (network.train_step(target, optimizer), runner.train_step(&record, target, rule)),
            };
            assert_eq!(ours.map(f32::to_bits), desk.map(f32::to_bits), "{name} step {step}");
        }
        if step % 15 == 14 && batches {
            assert_eq!(network.end_batch(optimizer), Some(runner.apply(rule)), "{name} step {step}");
        }
        let desk: Vec<u32> = runner.parameters().iter().flatten().map(|v| v.to_bits()).collect();
        assert_eq!(bits(&network), desk, "{name} step {step}");
        assert_eq!(network.saturation(), runner.saturation(), "{name} step {step}");
        if let Some(report) = network.report() {
            assert_eq!(report, *runner.fixed_guard().report(), "{name} step {step}");
        }
        match step {
            120 => {
                network.commit(&mut snapshot);
                desk_snapshot = Some(runner.commit());
            }
            200 => {
                assert!(network.rollback(&snapshot));
                runner.rollback(desk_snapshot.as_ref().unwrap());
            }
            _ => {}
        }
    }
    assert_ne!(bits(&network), start, "{name} learned");
    let record = program.encode_input(&noise(5, M::INPUTS[0].len()));
    network.input_at(0).set_le(&record);
    network.run();
    let mut output = vec![0; program.output_bytes()];
    network.output_at(0).to_le(&mut output);
    assert_eq!(output, runner.predict(&record).unwrap());
}

#[test]
fn networks_learn_as_the_desk_does() {
    let nearest = PowerOfTwoSgd::new(4);
    let rule = Rule::PowerOfTwo(nearest);
    is_the_desk(mlp_fixed::Network::new(), &nearest, "mlp_fixed", &rule);
    is_the_desk(image_biases_fixed::Network::new(), &nearest, "image_biases_fixed", &rule);
    is_the_desk(ramps_fixed::Network::new(), &nearest, "ramps_fixed", &rule);
    is_the_desk(mlp_batches_fixed::Network::new(), &nearest, "mlp_batches_fixed", &rule);
    is_the_desk(binary_fixed::Network::new(), &nearest, "binary_fixed", &rule);
    is_the_desk(squashed_fixed::Network::new(), &nearest, "squashed_fixed", &rule);
    is_the_desk(ramps_batches_fixed::Network::new(), &nearest, "ramps_batches_fixed", &rule);
    is_the_desk(mlp_dynamic::Network::new(), &nearest, "mlp_dynamic", &rule);
    is_the_desk(image_biases_dynamic::Network::new(), &nearest, "image_biases_dynamic", &rule);
    is_the_desk(ramps_dynamic::Network::new(), &nearest, "ramps_dynamic", &rule);
    is_the_desk(adapting_dynamic::Network::new(), &nearest, "adapting_dynamic", &rule);
    let stochastic = StochasticSgd::new(4);
    let rule = Rule::Stochastic(stochastic);
    is_the_desk(image_dynamic::Network::new(), &stochastic, "image_dynamic", &rule);
    is_the_desk(binary_dynamic::Network::new(), &stochastic, "binary_dynamic", &rule);
    is_the_desk(image_fixed::Network::new(), &stochastic, "image_fixed", &rule);
    is_the_desk(adapting_fixed::Network::new(), &stochastic, "adapting_fixed", &rule);
    is_the_desk(regression_fixed::Network::new(), &stochastic, "regression_fixed", &rule);
    is_the_desk(image_batches_fixed::Network::new(), &stochastic, "image_batches_fixed", &rule);
}

/// The largest difference.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

/// Sigmoids and tanh, the binary cross entropy and the mean squared error: a step goes where that of floats goes.
#[test]
fn sigmoids_and_tanh_follow_the_gradient_of_floats() {
    for (graph, loss) in [
        (Builder::new("classes", &[6]).dense(4).tanh().dense(2).sigmoid().build(1).unwrap(), None),
        (Builder::new("values", &[6]).dense(5).tanh().dense(4).sigmoid().dense(3).build(1).unwrap(), None),
        (squashed().unwrap(), Some(LossKind::MeanSquaredError)),
    ] {
        let compile = |learn: Learn| {
            Program::compile(&graph, &CompileOptions { learn: Some(learn), ..Default::default() }).unwrap()
        };
        let learn = Learn { loss, ..Learn::new(Layers::All, OptimizerKind::Sgd) };
        let programs = [compile(learn.clone()), compile(learn.in_fixed_point(FixedPoint::default()))];
        let rules = [Rule::Sgd(Sgd::new(1.0)), Rule::PowerOfTwo(PowerOfTwoSgd::new(0))];
        let TargetKind::Values(outputs) = programs[0].target() else { panic!("values") };
        for sample in 0..30 {
            let target: Vec<f32> = noise(sample + 50, outputs).iter().map(|t| t.abs()).collect();
            let [float, fixed] = [0, 1].map(|i| {
                let (program, mut runner) = (&programs[i], programs[i].runner());
                let record = program.encode_input(&noise(sample, 6));
                let evaluation = runner.evaluate(&record, Target::Values(&target)).unwrap();
                let loss = runner.train_step(&record, Target::Values(&target), &rules[i]).unwrap();
                assert_eq!(loss, evaluation.loss);
                (evaluation, runner.parameters().concat())
            });
            let start = programs[1].runner().parameters().concat();
            let (moved, off) = (apart(&float.1, &start), apart(&float.1, &fixed.1));
            assert!(off < 0.03 * moved, "{} sample {sample}: moved by {moved}, off by {off}", graph.name);
            let loss = (float.0.loss - fixed.0.loss).abs();
            assert!(loss < 0.01, "{} sample {sample}: {:?} and {:?}", graph.name, float.0, fixed.0);
            assert_eq!(float.0.hit, fixed.0.hit, "{} sample {sample}", graph.name);
        }
    }
}

/// A batch takes the mean of its gradients: its step is that of floats, up to rounding.
#[test]
fn batches_take_the_mean_gradient() {
    // The sum instead of the mean of 8 would be off by more than 0.4. Behind poolings and ReLUs other elements can pass.
    for (graph, classes, bound) in [(mlp().unwrap(), 4, 0.002), (image().unwrap(), 3, 0.05)] {
        let compile = |learn: Learn| {
            Program::compile(&graph, &CompileOptions { learn: Some(learn), ..Default::default() }).unwrap()
        };
        let learn = Learn::new(Layers::All, OptimizerKind::Sgd).with_batches();
        let programs = [compile(learn.clone()), compile(learn.in_fixed_point(FixedPoint::default()))];
        let rules = [Rule::Sgd(Sgd::new(1.0)), Rule::PowerOfTwo(PowerOfTwoSgd::new(0))];
        for samples in [1, 5, 8] {
            let mut runners = [0, 1].map(|i| programs[i].runner());
            let start = runners[1].parameters().concat();
            for ((runner, rule), program) in runners.iter_mut().zip(&rules).zip(&programs) {
                for sample in 0..samples {
                    let record = program.encode_input(&noise(sample, graph.input_len()));
                    runner.accumulate(&record, sample as usize % classes).unwrap();
                }
                assert_eq!(runner.apply(rule), Ok(samples as usize));
            }
            let [float, fixed] = runners.map(|runner| runner.parameters().concat());
            let (moved, off) = (apart(&float, &start), apart(&float, &fixed));
            assert!(moved > 0.05 && off < bound, "{}, {samples}: moved by {moved}, off by {off}", graph.name);
        }
    }
}

/// What saturates in each sample is no more in a batch: a guard looks at the mean.
#[test]
fn guards_do_not_refuse_a_batch_for_its_size() {
    let graph = mlp().unwrap();
    let learn = Learn::new(Layers::All, OptimizerKind::Sgd).guarded().with_batches();
    let options =
        CompileOptions { learn: Some(learn.in_fixed_point(FixedPoint::default())), ..Default::default() };
    let program = Program::compile(&graph, &options).unwrap();
    let rule = Rule::PowerOfTwo(PowerOfTwoSgd::new(15));
    // Hidden sums beyond the range, and two gradients whose sum is just within its own.
    let record = program.encode_input(&[127.9; 6]);
    let mut runner = program.runner();
    runner.accumulate(&record, 1).unwrap();
    let Saturation { activations, deltas, .. } = runner.saturation();
    let each = activations + deltas;
    assert!(each > 0, "nothing saturates");
    for (most, result) in [(each, Ok(2)), (each - 1, Err(TrainError::GradientTooLarge))] {
        let mut runner = program.runner();
        runner.fixed_guard().limits.max_saturated = most;
        (0..2).for_each(|_| assert!(runner.accumulate(&record, 1).is_ok()));
        assert_eq!(runner.apply(&rule), result);
        assert_eq!(runner.fixed_guard().report().saturated, each);
    }
}

/// Random sequences of good steps and of faults: whatever comes, parameters are within the guard's limit, a refused step
/// changes nothing, and rolling back gives the last good parameters, bit for bit.
#[test]
fn nothing_breaks_a_guarded_network() {
    faults(ramps_fixed::Network::new(), "ramps_fixed", PowerOfTwoSgd::new, 82_000);
    faults(adapting_fixed::Network::new(), "adapting_fixed", StochasticSgd::new, 10_000);
    faults(image_fixed::Network::new(), "image_fixed", StochasticSgd::new, 3_000);
    faults(image_biases_fixed::Network::new(), "image_biases_fixed", PowerOfTwoSgd::new, 5_000);
    faults(image_batches_fixed::Network::new(), "image_batches_fixed", StochasticSgd::new, 1_000);
    faults(ramps_batches_fixed::Network::new(), "ramps_batches_fixed", PowerOfTwoSgd::new, 10_000);
    faults(binary_fixed::Network::new(), "binary_fixed", PowerOfTwoSgd::new, 10_000);
    faults(squashed_fixed::Network::new(), "squashed_fixed", PowerOfTwoSgd::new, 10_000);
    faults(ramps_dynamic::Network::new(), "ramps_dynamic", PowerOfTwoSgd::new, 80_000);
    faults(adapting_dynamic::Network::new(), "adapting_dynamic", PowerOfTwoSgd::new, 10_000);
    faults(image_dynamic::Network::new(), "image_dynamic", StochasticSgd::new, 3_000);
    faults(image_biases_dynamic::Network::new(), "image_biases_dynamic", PowerOfTwoSgd::new, 5_000);
}

/// Floats that are none, and far ones.
const WILD: [f32; 8] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e38, -3e38, 1e-40, 1e6, -300.0];

/// Fills the input: with small numbers, or with any.
fn fill<M: Model>(network: &mut M, random: &mut Random, wild: bool) {
    let number = |random: &mut Random, bits: u32| {
        let x = random.below(1 << bits) as i32 - (1 << (bits - 1));
        if wild && random.below(3) == 0 { i32::from(i16::MAX) * (x & 1) - (x & 1 ^ 1) * (1 << 15) } else { x }
    };
    match network.input_at(0) {
        ElementsMut::I16(input) => {
            input.iter_mut().for_each(|x| *x = number(random, if wild { 16 } else { 9 }) as i16)
        }
        ElementsMut::I8(input) => input.iter_mut().for_each(|x| *x = number(random, 8) as i8),
        ElementsMut::F32(input) => input.iter_mut().for_each(|x| {
            *x = if wild && random.below(3) == 0 {
                WILD[random.below(WILD.len())]
            } else {
                random.below(1 << 16) as f32 / 32_768.0 - 1.0
            };
        }),
    }
}

/// The guard's limit of each parameter: of 15 bits for weights and 23 for biases fifteen sixteenths.
fn limits(program: &Program) -> HashMap<String, f32> {
    let limit = |parameter: &Trainable| {
        let bits = if parameter.dtype == ElementType::I16 { 15 } else { 23 };
        (parameter.name.clone(), 0.9375 * f32::from(parameter.exponent + bits).exp2())
    };
    program.parameters.iter().map(limit).collect()
}

fn faults<M: Full>(mut network: M, name: &str, rule: impl Fn(u32) -> M::Optimizer, sequences: u32)
where
    M::Optimizer: FixedRule,
{
    let limits = limits(&program(name));
    let random = &mut Random::new(u64::from(sequences));
    let (mut snapshot, mut factory) = (M::Snapshot::default(), M::Snapshot::default());
    let (mut refused, mut taken) = (0, 0);
    network.commit(&mut factory);
    for sequence in 0..sequences {
        // A wild step that stays in range is taken: after some of them there is nothing left to be learned from.
        if sequence % 8 == 0 {
            assert!(network.rollback(&factory));
        }
        network.commit(&mut snapshot);
        let good = bits(&network);
        for _ in 0..1 + random.below(4) {
            let fault = random.below(6);
            fill(&mut network, random, fault < 2);
            let exponent = if fault == 2 { random.below(4) as u32 } else { 6 };
            let outputs = M::OUTPUTS[0].len();
            let mut values = noise(sequence, outputs);
            let mut class = random.below(outputs);
            match fault {
                3 => values[random.below(outputs)] = WILD[random.below(WILD.len())],
                4 => class = [outputs, 1 << 20, UNLABELLED][random.below(3)],
                _ => {}
            }
            let target = match M::TARGET {
                _ if fault == 5 && random.below(2) == 0 => Target::Values(&values[1..]),
                TargetKind::Class(_) => Target::Class(class),
                TargetKind::Values(_) => Target::Values(&values),
            };
            let before = bits(&network);
            match network.learn(target, &rule(exponent)) {
                Ok(loss) => {
                    assert!(loss.is_finite());
                    taken += 1;
                }
                Err(reason) => {
                    assert_eq!(bits(&network), before, "{reason} changed a parameter");
                    refused += 1;
                }
            }
            let before = bits(&network);
            if random.below(3) == 0
                && let Some(Err(reason)) = network.end_batch(&rule(exponent))
            {
                assert_eq!(bits(&network), before, "{reason} changed a parameter");
                refused += 1;
            }
            network.parameters(|name, values| {
                let fits = values.iter().all(|v| v.abs() <= limits[name]);
                assert!(fits, "{name} in sequence {sequence}: {values:?}");
            });
        }
        if random.below(2) == 0 {
            assert!(network.rollback(&snapshot));
            assert_eq!(bits(&network), good, "sequence {sequence}");
        }
    }
    assert_eq!(network.saturation().weights, 0, "the guard stops before");
    assert!(refused > sequences / 8 && taken > sequences / 2, "{refused} refused, {taken} taken");
}

/// What can't be had is said before anything is exported, with the layer and what to do.
#[test]
fn what_is_not_there_is_said() {
    let says = |graph, learn: Learn, words: &[&str]| {
        let learn = Some(learn.in_fixed_point(FixedPoint::default()));
        let error: Error =
            Program::compile(graph, &CompileOptions { learn, ..Default::default() }).unwrap_err();
        let text = error.to_string();
        words.iter().for_each(|word| assert!(text.contains(word), "{text}"));
    };
    let sgd = |layers| Learn::new(layers, OptimizerKind::Sgd);
    let series = series_classifier().unwrap();
    says(&series, sgd(Layers::All), &["`elu`", "ELU", "Dense", "Conv2d", "float32"]);
    let mlp = mlp().unwrap();
    says(&mlp, Learn::new(Layers::All, OptimizerKind::Adam), &["sgd", "float32"]);
    let mut large = mlp.clone();
    let id = large.nodes[0].constants[0];
    let values = vec![9.0; large.constant(id).values.len()];
    large.set_values(id, &values).unwrap();
    says(&large, sgd(Layers::All), &["reach 9", "±8", "--exponents dynamic", &large.nodes[0].name]);
    let says = |graph, learn: Learn, words: &[&str]| {
        let fixed = FixedPoint { exponents: FixedExponents::Dynamic, ..FixedPoint::default() };
        let options = CompileOptions { learn: Some(learn.in_fixed_point(fixed)), ..Default::default() };
        let text = Program::compile(graph, &options).unwrap_err().to_string();
        words.iter().for_each(|word| assert!(text.contains(word), "{text}"));
    };
    says(&series, sgd(Layers::All), &["`elu`", "ELU", "Dense", "Conv2d", "--exponents static", "float32"]);
    let squashed = squashed().unwrap();
    says(&squashed, sgd(Layers::All), &["`sigmoid`", "binary cross entropy", "--exponents static"]);
    says(&mlp, sgd(Layers::All).with_batches(), &["--batches", "--exponents static"]);
    let wide = Builder::new("wide", &[40_000]).dense(2).softmax().build(1).unwrap();
    says(&wide, sgd(Layers::All), &["`dense`", "40000 products", "32768"]);
}

/// A refusal of a target without a guard changes nothing either.
#[test]
fn bad_targets_change_nothing() {
    let mut network = ramps_fixed::Network::new();
    let before = bits(&network);
    for (values, reason) in
        [([f32::NAN, 0.0, 0.0], TrainError::NotFinite), ([0.0, f32::INFINITY, 0.0], TrainError::NotFinite)]
    {
        assert_eq!(network.train_step(&values, &PowerOfTwoSgd::new(3)), Err(reason));
        assert_eq!(bits(&network), before);
    }
}
