//! Exported networks that learn in every way there is (guarded, in batches, biases alone, layers that were int8, values
//! instead of classes): bit for bit as on the desk, and whatever inputs, targets and learning rates come.

use milligrad::guard::Report;
use milligrad::{
    Adam, BatchLearner, ElementsMut, Learner, Model, Momentum, Nesterov, Optimizer, RmsProp, Sgd, Target,
    TargetKind, UNLABELLED, WeightDecay,
};
use milligrad_host::{Program, Rule, Runner};
use milligrad_tests::random_models::Random;
use milligrad_tests::{cases, noise};

/// What networks have beside [`BatchLearner`], as methods of their own.
trait Full: BatchLearner {
    type Snapshot: Default;
    fn commit(&self, snapshot: &mut Self::Snapshot);
    fn rollback(&mut self, snapshot: &Self::Snapshot) -> bool;
    fn report(&self) -> Option<Report>;
}

macro_rules! exported {
    ($($name:ident: $guard:expr;)*) => {$(
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
            fn report(&self) -> Option<Report> {
                let report: fn(&Self) -> Option<Report> = $guard;
                report(self)
            }
        }
    )*};
}
exported! {
    everything_thawed: |_| None;
    wide_guarded: |n| Some(*n.guard.report());
    everything_guarded: |n| Some(*n.guard.report());
    everything_biases: |n| Some(*n.guard.report());
    regression_adamw: |n| Some(*n.guard.report());
    regression_nesterov: |n| Some(*n.guard.report());
    regression_rmsprop: |n| Some(*n.guard.report());
    regression_guarded: |n| Some(*n.guard.report());
}

fn program(name: &str) -> Program {
    cases().unwrap().into_iter().find(|case| case.name == name).unwrap().program
}

fn feed<M: Model>(network: &mut M, record: &[u8]) {
    assert_eq!(network.input_at(0).set_le(record), record.len());
}

fn bits<M: Learner>(network: &M) -> Vec<u32> {
    let mut bits = Vec::new();
    network.parameters(|_, values| bits.extend(values.iter().map(|v| v.to_bits())));
    bits
}

fn desk_bits(runner: &Runner<'_>) -> Vec<u32> {
    runner.parameters().iter().flatten().map(|v| v.to_bits()).collect()
}

/// Does the same on both sides, and compares losses, parameters and what the guard says.
fn is_the_desk<M: Full>(mut network: M, optimizer: &M::Optimizer, name: &str, rule: &Rule) {
    let program = program(name);
    let mut runner = program.runner();
    let (mut snapshot, mut desk_snapshot) = (M::Snapshot::default(), None);
    assert!(!network.rollback(&snapshot), "nothing was committed");
    let start = bits(&network);
    for step in 0..300 {
        let record = program.encode_input(&noise(step, M::INPUTS[0].len()));
        let values: Vec<f32> = noise(step + 1000, M::OUTPUTS[0].len());
        let target = match (M::TARGET, step % 50) {
            (_, 7) => Target::Class(UNLABELLED),
            (_, 8) => Target::Class(M::OUTPUTS[0].len()),
            (_, 9) => Target::Values(&values[1..]),
            (TargetKind::Class(classes), _) => Target::Class(step as usize % classes),
            (TargetKind::Values(_), _) => Target::Values(&values),
        };
        feed(&mut network, &record);
        let (ours, desk) = match step % 5 {
            0 => (network.train_step(target, optimizer), runner.train_step(&record, target, rule)),
            1 => {
                let (ours, desk) = (network.evaluate(target), runner.evaluate(&record, target));
                assert_eq!(ours, desk, "step {step}");
                (ours.map(|e| e.loss), desk.map(|e| e.loss))
            }
            _ => (network.accumulate(target), runner.accumulate(&record, target)),
        };
        assert_eq!(ours.map(f32::to_bits), desk.map(f32::to_bits), "step {step}");
        if step % 15 == 14 {
            assert_eq!(network.apply(optimizer), runner.apply(rule), "step {step}");
        }
        assert_eq!(bits(&network), desk_bits(&runner), "step {step}");
        if let Some(report) = network.report() {
            assert_eq!(report, *runner.guard().report(), "step {step}");
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
    assert_ne!(bits(&network), start, "it learned");
}

#[test]
fn networks_learn_as_the_desk_does() {
    let (sgd, momentum) = (Sgd::new(0.05), Momentum::new(0.02, 0.9));
    is_the_desk(everything_thawed::Network::new(), &sgd, "everything_thawed", &Rule::Sgd(sgd));
    is_the_desk(everything_biases::Network::new(), &sgd, "everything_biases", &Rule::Sgd(sgd));
    is_the_desk(regression_guarded::Network::new(), &sgd, "regression_guarded", &Rule::Sgd(sgd));
    let adam_w = WeightDecay::new(Adam::new(0.01), 0.1);
    let (nesterov, rms_prop) = (Nesterov::new(0.02, 0.9), RmsProp::new(0.01));
    let rule = Rule::Nesterov(nesterov);
    is_the_desk(regression_nesterov::Network::new(), &nesterov, "regression_nesterov", &rule);
    let rule = Rule::RmsProp(rms_prop);
    is_the_desk(regression_rmsprop::Network::new(), &rms_prop, "regression_rmsprop", &rule);
    is_the_desk(regression_adamw::Network::new(), &adam_w, "regression_adamw", &Rule::AdamW(adam_w));
    let (network, rule) = (wide_guarded::Network::new(), Rule::Momentum(momentum));
    is_the_desk(network, &momentum, "wide_guarded", &rule);
    let (network, rule) = (everything_guarded::Network::new(), Rule::Momentum(momentum));
    is_the_desk(network, &momentum, "everything_guarded", &rule);
}

/// The mean of the gradients, not their sum: a batch of the same sample four times is one step on it.
#[test]
fn batches_take_the_mean() {
    let program = program("regression_guarded");
    let record = program.encode_input(&noise(1, 6));
    let (target, rule) = (noise(2, 3), Rule::Sgd(Sgd::new(0.25)));
    let (mut one, mut four) = (program.runner(), program.runner());
    one.train_step(&record, &target[..], &rule).unwrap();
    for _ in 0..4 {
        four.accumulate(&record, &target[..]).unwrap();
    }
    assert_eq!(four.apply(&rule), Ok(4));
    assert_eq!(four.apply(&rule), Ok(0), "the batch has begun anew");
    for (a, b) in one.parameters().iter().flatten().zip(four.parameters().iter().flatten()) {
        assert!((a - b).abs() <= 1e-6 * a.abs().max(1e-3), "{a} and {b}");
    }
}

/// Random sequences of good steps and of faults: whatever comes, parameters are finite and within the guard's limit, a
/// refused step changes nothing, and rolling back gives the last good parameters, bit for bit.
#[test]
fn nothing_breaks_a_guarded_network() {
    faults(regression_guarded::Network::new(), Sgd::new, 90_000);
    faults(everything_guarded::Network::new(), |rate| Momentum::new(rate, 0.9), 4_000);
    faults(everything_biases::Network::new(), Sgd::new, 6_000);
    faults(regression_nesterov::Network::new(), |rate| Nesterov::new(rate, 0.9), 20_000);
    faults(regression_rmsprop::Network::new(), RmsProp::new, 20_000);
    faults(regression_adamw::Network::new(), |rate| WeightDecay::new(Adam::new(rate), 0.1), 20_000);
}

fn floats<M: Model>(network: &mut M) -> &mut [f32] {
    match network.input_at(0) {
        ElementsMut::F32(input) => input,
        _ => panic!("a float input"),
    }
}

fn faults<M: Full>(mut network: M, rule: impl Fn(f32) -> M::Optimizer, sequences: u32)
where
    M::Optimizer: Optimizer<f32>,
{
    const WILD: [f32; 10] =
        [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e38, -3e38, 1e20, 1e-40, 1e6, -1e4, 300.0];
    let random = &mut Random::new(u64::from(sequences));
    let samples: Vec<_> = (0..64).map(|seed| noise(seed, M::INPUTS[0].len())).collect();
    let targets: Vec<_> = (0..64).map(|seed| noise(seed + 77, M::OUTPUTS[0].len())).collect();
    let (mut snapshot, mut refused, mut taken) = (M::Snapshot::default(), 0, 0);
    let mut factory = M::Snapshot::default();
    network.commit(&mut factory);
    for sequence in 0..sequences {
        // A wild step that stays in range is taken: after some of them there is nothing left to be learned from.
        if sequence % 8 == 0 {
            assert!(network.rollback(&factory));
        }
        network.commit(&mut snapshot);
        let good = bits(&network);
        for _ in 0..1 + random.below(4) {
            floats(&mut network).copy_from_slice(&samples[random.below(64)]);
            let fault = random.below(8);
            let (mut rate, mut values) = (0.02, targets[random.below(64)].clone());
            let mut class = random.below(M::OUTPUTS[0].len());
            let wild = WILD[random.below(WILD.len())];
            match fault {
                0 => floats(&mut network)[random.below(M::INPUTS[0].len())] = wild,
                1 => floats(&mut network).fill(wild),
                2 => rate = wild,
                3 => values[random.below(M::OUTPUTS[0].len())] = wild,
                4 => class = [M::OUTPUTS[0].len(), 1 << 20, UNLABELLED][random.below(3)],
                _ => {}
            }
            let target = match M::TARGET {
                _ if fault == 5 => Target::Values(&values[1..]),
                TargetKind::Class(_) => Target::Class(class),
                TargetKind::Values(_) => Target::Values(&values),
            };
            let before = bits(&network);
            let result = match random.below(3) {
                0 => network.accumulate(target).and_then(|_| network.apply(&rule(rate))).map(|_| ()),
                _ => network.train_step(target, &rule(rate)).map(|_| ()),
            };
            if result.is_err() {
                assert_eq!(bits(&network), before, "{result:?} changed a parameter");
                refused += 1;
            } else {
                taken += 1;
            }
            network.parameters(|name, values| {
                assert!(values.iter().all(|v| v.abs() <= 100.0), "{name} in sequence {sequence}: {values:?}");
            });
        }
        if random.below(2) == 0 {
            assert!(network.rollback(&snapshot));
            assert_eq!(bits(&network), good, "sequence {sequence}");
        }
    }
    assert!(refused > sequences / 4 && taken > sequences / 8, "{refused} refused, {taken} taken");
}
