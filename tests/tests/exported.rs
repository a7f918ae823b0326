//! What is printed is what is run: the exported source of small models, kept under `tests/exported/`, is up to date
//! and gives the same bits as the program on the desk, in prediction and in training.
//!
//! After a change of the exporter: `cargo run -p milligrad-tests --example export`, and read the diff.

use milligrad::{Adam, Element, Learner, Model, Momentum, Nesterov, Port, RmsProp, Sgd};
use milligrad_host::{OptimizerKind, Program, Rule, export};
use milligrad_tests::{cases, noise};
use std::path::PathBuf;

macro_rules! exported {
    ($($name:ident),*) => {$(
        #[allow(missing_docs, unreachable_pub, dead_code, clippy::all)]
        mod $name {
            include!(concat!("../exported/", stringify!($name), ".rs"));
        }
    )*};
}
exported!(
    ports_int8,
    mlp_int8,
    mlp_sgd,
    wide_sgd,
    mlp_nesterov,
    wider_rmsprop,
    mlp_adam,
    everything_int8,
    everything_momentum,
    everything_adapting,
    series_sgd,
    branches_int8,
    branches_f32,
    series_int8,
    series_f32,
    engineered_int8,
    engineered_f32
);

fn program(name: &str) -> Program {
    cases().unwrap().into_iter().find(|case| case.name == name).unwrap().program
}

#[test]
fn sources_are_up_to_date() {
    for case in cases().unwrap() {
        let path =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("exported").join(case.name).with_extension("rs");
        let source = export::rust(&case.program).unwrap();
        assert!(
            std::fs::read_to_string(&path).unwrap_or_default() == source,
            "{} is not what the exporter prints; print it anew as said above, and read the diff",
            path.display()
        );
    }
}

/// The step of plain descent with rate 1 is the gradient: here against central differences of the loss.
#[test]
fn training_steps_follow_the_gradient() {
    for graph in [milligrad_tests::mlp, milligrad_tests::everything, milligrad_tests::series_classifier] {
        let graph = graph().unwrap();
        let program = milligrad_tests::learning(&graph, OptimizerKind::Sgd).unwrap();
        let record = program.encode_input(&noise(3, graph.input_len()));
        let mut runner = program.runner();
        runner.train_step(&record, 1, &Rule::Sgd(Sgd::new(1.0))).unwrap();
        let (mut error, mut norm) = (0.0, 0.0);
        for (index, parameter) in program.parameters.iter().enumerate() {
            for i in 0..parameter.values.len() {
                const H: f32 = 1.0 / 64.0;
                let loss = |h: f32| {
                    let mut moved = program.clone();
                    moved.parameters[index].values[i] += h;
                    let output = moved.runner().predict(&record).unwrap();
                    -f64::from(f32::from_le(&output[4..8])).ln()
                };
                let numeric = (loss(H) - loss(-H)) / f64::from(2.0 * H);
                let analytic = f64::from(parameter.values[i] - runner.parameters()[index][i]);
                error += (numeric - analytic).powi(2);
                norm += numeric.powi(2);
            }
        }
        // Kinks of ReLU and ties of the maximum within ±h, and rounding in f32.
        assert!(error.sqrt() < 0.02 * norm.sqrt(), "{}: error {error} of {norm}", graph.name);
    }
}

/// Feeds a record to an exported network.
fn feed<M: Model>(network: &mut M, mut record: &[u8]) {
    for index in 0..M::INPUTS.len() {
        let taken = network.input_at(index).set_le(record);
        record = &record[taken..];
    }
}

/// The output record of an exported network.
fn read<M: Model>(network: &M) -> Vec<u8> {
    let mut record = Vec::new();
    for index in 0..M::OUTPUTS.len() {
        let output = network.output_at(index);
        let mut bytes = vec![0; 4 * output.len()];
        let len = output.to_le(&mut bytes);
        record.extend_from_slice(&bytes[..len]);
    }
    record
}

/// Elements of all inputs.
fn input_len<M: Model>() -> usize {
    M::INPUTS.iter().map(Port::len).sum()
}

fn predicts_the_same<M: Model>(mut network: M, program: &Program) {
    let mut runner = program.runner();
    let mut distinct = std::collections::HashSet::new();
    for seed in 0..100 {
        let record = program.encode_input(&noise(seed, input_len::<M>()));
        feed(&mut network, &record);
        network.run();
        let output = read(&network);
        assert_eq!(output, runner.predict(&record).unwrap(), "{} sample {seed}", M::NAME);
        distinct.insert(output);
    }
    assert!(distinct.len() > 50, "{}: the outputs hardly depend on the input", M::NAME);
}

/// `progress`: how far the mean loss has to fall.
fn learns_the_same<M: Learner>(
    mut network: M,
    optimizer: &M::Optimizer,
    program: &Program,
    rule: &Rule,
    progress: f32,
) {
    let mut runner = program.runner();
    let (mut first, mut last) = (0.0, 0.0);
    for step in 0..400 {
        let label = step as usize % M::OUTPUTS[0].len();
        let mut raw = noise(step, input_len::<M>());
        raw.iter_mut().skip(label).step_by(M::OUTPUTS[0].len()).for_each(|x| *x += 0.8);
        let record = program.encode_input(&raw);
        feed(&mut network, &record);
        let loss = network.train_step(label.into(), optimizer).unwrap();
        assert_eq!(loss.to_bits(), runner.train_step(&record, label, rule).unwrap().to_bits(), "step {step}");
        if step < 50 {
            first += loss
        } else if step >= 350 {
            last += loss
        }
    }
    assert!(last < progress * first, "{}: the loss went from {first} to {last}", M::NAME);
    let learned = runner.parameters();
    let mut parameters = learned.iter();
    network.parameters(|name, values| {
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(values), bits(parameters.next().unwrap()), "{name}");
    });
    let before: Vec<_> = runner.parameters().to_vec();
    let record = program.encode_input(&noise(1, input_len::<M>()));
    feed(&mut network, &record);
    assert!(
        network.train_step(M::OUTPUTS[0].len().into(), optimizer).is_err(),
        "a label out of range is refused"
    );
    let mut kept = before.iter();
    network.parameters(|name, values| assert_eq!(values, kept.next().unwrap(), "{name} is untouched"));
}

#[test]
fn exported_networks_predict_as_the_desk_does() {
    predicts_the_same(ports_int8::Network::new(), &program("ports_int8"));
    predicts_the_same(mlp_int8::Network::new(), &program("mlp_int8"));
    predicts_the_same(mlp_sgd::Network::new(), &program("mlp_sgd"));
    predicts_the_same(wide_sgd::Network::new(), &program("wide_sgd"));
    predicts_the_same(everything_int8::Network::new(), &program("everything_int8"));
    predicts_the_same(everything_momentum::Network::new(), &program("everything_momentum"));
    predicts_the_same(everything_adapting::Network::new(), &program("everything_adapting"));
    predicts_the_same(branches_int8::Network::new(), &program("branches_int8"));
    predicts_the_same(branches_f32::Network::new(), &program("branches_f32"));
    predicts_the_same(series_int8::Network::new(), &program("series_int8"));
    predicts_the_same(series_f32::Network::new(), &program("series_f32"));
}

/// Raw columns in, prices out: engineered features and scaled targets have the bits of the desk.
#[test]
fn engineered_features_are_those_of_the_desk() {
    let (int8, float) = (program("engineered_int8"), program("engineered_f32"));
    let mut records = std::collections::HashSet::new();
    for seed in 0..200 {
        let mut raw: [f32; 4] = noise(seed, 4).try_into().unwrap();
        raw[3] = (seed % 2) as f32;
        let mut network = engineered_int8::Network::new();
        engineered_int8::prepare_input(&raw, network.input());
        let record: Vec<u8> = network.input().iter().map(|&q| q as u8).collect();
        assert_eq!(record, int8.encode_input(&raw), "{raw:?}");
        let output = *network.predict();
        let decoded = engineered_int8::decode_output(&output);
        assert_eq!(decoded.to_vec(), int8.decode_output(&[output[0] as u8]));
        assert!(decoded[0] > 100.0, "{decoded:?} is not in the unit of the targets");
        records.insert(record);

        let mut network = engineered_f32::Network::new();
        engineered_f32::prepare_input(&raw, network.input());
        let record: Vec<u8> = network.input().iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(record, float.encode_input(&raw), "{raw:?}");
        let output = *network.predict();
        let decoded = engineered_f32::decode_output(&output);
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&decoded), bits(&float.decode_output(&output[0].to_le_bytes())));
    }
    assert!(records.len() > 150);
}

#[test]
fn exported_networks_learn_as_the_desk_does() {
    let sgd = Sgd::new(0.05);
    learns_the_same(mlp_sgd::Network::new(), &sgd, &program("mlp_sgd"), &Rule::Sgd(sgd), 0.9);
    learns_the_same(series_sgd::Network::new(), &sgd, &program("series_sgd"), &Rule::Sgd(sgd), 0.9);
    learns_the_same(wide_sgd::Network::new(), &sgd, &program("wide_sgd"), &Rule::Sgd(sgd), 0.9);
    let sgd = Sgd::new(0.5);
    learns_the_same(
        everything_adapting::Network::new(),
        &sgd,
        &program("everything_adapting"),
        &Rule::Sgd(sgd),
        1.0,
    );
    let nesterov = Nesterov::new(0.02, 0.9);
    let (network, rule) = (mlp_nesterov::Network::new(), Rule::Nesterov(nesterov));
    learns_the_same(network, &nesterov, &program("mlp_nesterov"), &rule, 0.9);
    let rms_prop = RmsProp::new(0.01);
    let (network, rule) = (wider_rmsprop::Network::new(), Rule::RmsProp(rms_prop));
    learns_the_same(network, &rms_prop, &program("wider_rmsprop"), &rule, 0.9);
    let adam = Adam::new(0.01);
    learns_the_same(mlp_adam::Network::new(), &adam, &program("mlp_adam"), &Rule::Adam(adam), 0.9);
    let momentum = Momentum::new(0.05, 0.9);
    let program = program("everything_momentum");
    learns_the_same(everything_momentum::Network::new(), &momentum, &program, &Rule::Momentum(momentum), 1.0);
}

/// Networks by turns in one arena, whose memory each finds as the other left it.
#[test]
fn networks_share_an_arena() {
    use milligrad::arena::{Arena, largest};
    const WORDS: usize =
        largest(&[ports_int8::ARENA_WORDS, everything_int8::ARENA_WORDS, series_f32::ARENA_WORDS]);
    let mut arena = Arena::<WORDS>::ZERO;
    let [ports, everything, series] = ["ports_int8", "everything_int8", "series_f32"].map(program);
    for seed in 0..20 {
        in_turn(ports_int8::Network::within(&mut arena), &ports, seed);
        in_turn(everything_int8::Network::within(&mut arena), &everything, seed);
        in_turn(series_f32::Network::within(&mut arena), &series, seed);
    }
    assert_eq!(size_of::<ports_int8::Network>(), 4 * ports_int8::ARENA_WORDS);
}

fn in_turn<M: Model>(network: &mut M, program: &Program, seed: u32) {
    let record = program.encode_input(&noise(seed, input_len::<M>()));
    feed(network, &record);
    network.run();
    assert_eq!(read(network), program.runner().predict(&record).unwrap(), "{} sample {seed}", M::NAME);
}

#[test]
fn constants_and_arenas_go_to_the_sections_that_are_asked_for() {
    let sections = |weights: &str, arena: &str| export::Sections {
        weights: Some(weights.into()),
        arena: Some(arena.into()),
    };
    let source = export::rust_with(&program("mlp_int8"), &sections(".rodata.weights", ".dtcm")).unwrap();
    let statics = source.lines().filter(|line| line.starts_with("static ")).count();
    assert_eq!(source.matches("#[unsafe(link_section = \".rodata.weights\")]\nstatic ").count(), statics);
    assert!(
        source.contains("#[unsafe(link_section = \".dtcm\")]\npub static ARENA: arena::Reserved<"),
        "{source}"
    );
    let refused =
        |program: &Program, weights| export::rust_with(program, &sections(weights, ".dtcm")).unwrap_err();
    assert!(refused(&program("mlp_sgd"), ".rodata.w").to_string().contains("owns its memory"));
    assert!(refused(&program("mlp_int8"), "a\"]").to_string().contains("no name of a section"));
}
