//! A wide layer that learns on int8 inputs makes floats of them block by block: the bits are those of a float network that is
//! given all of them, in every way to learn, and the RAM is that of the bytes.

use milligrad::{Adam, Core, Momentum, Nesterov, RmsProp, Sgd, WeightDecay};
use milligrad_host::plan::{Plan, check};
use milligrad_host::program::Kernel;
use milligrad_host::{
    Builder, CompileOptions, FixedPoint, Layers, Learn, OptimizerKind, Program, QuantizeOptions, Rule,
    quantize,
};
use milligrad_tests::{noise, random_models, thawed_whole, wide};

const RULES: [(OptimizerKind, Rule); 6] = [
    (OptimizerKind::Sgd, Rule::Sgd(Sgd::new(0.05))),
    (OptimizerKind::Momentum, Rule::Momentum(Momentum::new(0.02, 0.9))),
    (OptimizerKind::Nesterov, Rule::Nesterov(Nesterov::new(0.02, 0.9))),
    (OptimizerKind::RmsProp, Rule::RmsProp(RmsProp::new(0.01))),
    (OptimizerKind::Adam, Rule::Adam(Adam::new(0.01))),
    (OptimizerKind::AdamW, Rule::AdamW(WeightDecay::new(Adam::new(0.01), 0.1))),
];

fn reads_int8(program: &Program) -> bool {
    program.steps.iter().any(|step| step.kernel.dequantizes().is_some())
}

fn bits(parameters: &[Vec<f32>]) -> Vec<u32> {
    parameters.iter().flatten().map(|value| value.to_bits()).collect()
}

/// `int8` and `float` have the same parameters; `float` gets what the records of `int8` stand for.
fn learn_the_same(int8: &Program, float: &mut Program, rule: &Rule, batches: bool) {
    assert!(reads_int8(int8) && !reads_int8(float));
    float.parameters.clone_from(&int8.parameters);
    let quantization = int8.input().quantization.unwrap();
    let (mut ours, mut theirs) = (int8.runner(), float.runner());
    for step in 0..40 {
        let raw: Vec<f32> = noise(step, int8.input_bytes()).iter().map(|x| 2.0 * x).collect();
        let record = int8.encode_input(&raw);
        let floats: Vec<u8> =
            record.iter().flat_map(|&q| quantization.dequantize(q as i8).to_le_bytes()).collect();
        assert_eq!(ours.output(&record).unwrap(), theirs.output(&floats).unwrap(), "step {step}");
        let label = step as usize % 3;
        let (a, b) = match batches && step % 4 != 3 {
            true => (ours.accumulate(&record, label), theirs.accumulate(&floats, label)),
            false => (ours.train_step(&record, label, rule), theirs.train_step(&floats, label, rule)),
        };
        assert_eq!(a.unwrap().to_bits(), b.unwrap().to_bits(), "step {step}");
        if batches && step % 8 == 7 {
            assert_eq!(ours.apply(rule), theirs.apply(rule));
        }
        assert_eq!(bits(&ours.parameters()), bits(&theirs.parameters()), "step {step}");
        assert_eq!(ours.guard().report(), theirs.guard().report(), "step {step}");
    }
    assert_ne!(bits(&ours.parameters()), bits(&int8.runner().parameters()), "it learned");
}

#[test]
fn blocks_have_the_bits_of_floats() {
    let graph = wide().unwrap();
    for (optimizer, rule) in RULES {
        for (guard, batches) in [(false, false), (true, false), (false, true), (true, true)] {
            for layers in [Layers::All, Layers::Biases] {
                let learn = Learn { guard, batches, ..Learn::new(layers, optimizer) };
                let int8 = thawed_whole(&graph, learn.clone()).unwrap();
                // Weights that are frozen are rounded to int8 in one and not in the other.
                let options = CompileOptions { learn: Some(learn.clone()), ..Default::default() };
                let mut float = Program::compile(&graph, &options).unwrap();
                if learn.layers == Layers::Biases {
                    for (to, from) in float.steps.iter_mut().zip(&int8.steps) {
                        if let Kernel::Dequantized { layer, .. } = &from.kernel {
                            to.kernel = Kernel::F32(layer.clone());
                        } else {
                            to.kernel = from.kernel.clone();
                        }
                    }
                }
                learn_the_same(&int8, &mut float, &rule, batches);
            }
        }
    }
}

/// The network of the benchmark: inputs as bytes, and what two layers need of outputs and deltas; blocks lie where those are not.
#[test]
fn a_step_takes_the_ram_of_the_bytes() {
    let model = Builder::new("wide", &[784]).dense(128).relu().dense(10).softmax().build(1).unwrap();
    let ram = |learn: Learn| {
        let program = thawed_whole(&model, learn).unwrap();
        assert!(reads_int8(&program));
        program.training().unwrap().ram_beyond_parameters_bytes
    };
    let sgd = Learn::new(Layers::All, OptimizerKind::Sgd);
    assert_eq!(ram(sgd.clone()), 784 + 4 * (2 * 128 + 10));
    let guard = size_of::<milligrad::guard::Guard>();
    assert_eq!(ram(sgd.guarded()), 784 + 4 * (2 * 128 + 10) + guard);
}

/// Behind layers that are frozen, too; a narrow layer and one that others read with it keep the floats, and so does fixed point.
#[test]
fn wide_layers_that_read_alone_go_without_floats() {
    let learn = Learn::new(Layers::Last(1), OptimizerKind::Sgd);
    let program = |builder: Builder, learn: &Learn| {
        let graph = builder.build(1).unwrap();
        let int8 = quantize(&graph, &noise(7, 8 * graph.input_len()), &QuantizeOptions::default()).unwrap();
        let options = CompileOptions { learn: Some(learn.clone()), ..Default::default() };
        Program::compile(&int8, &options).unwrap()
    };
    let image = || Builder::new("head", &[10, 10, 1]).conv2d(4, 3).relu().flatten();
    let (wide, narrow) =
        (program(image().dense(5).softmax(), &learn), program(image().dense(80).softmax(), &learn));
    assert!(reads_int8(&wide) && !reads_int8(&narrow));
    let training = wide.training().unwrap();
    // The frozen part, the outputs that become deltas, and a block.
    let arena = (wide.plan.int8 + 4 * (5 + 64)).next_multiple_of(4);
    assert_eq!(training.ram_beyond_parameters_bytes, arena);

    let fixed = FixedPoint::default();
    assert!(!reads_int8(&program(image().dense(5).softmax(), &learn.clone().in_fixed_point(fixed))));

    let trunk = image();
    let at = trunk.here();
    let left = trunk.dense(4).relu();
    let one = left.here();
    let both = left.from(at).dense(4).relu().add(one).dense(2).softmax();
    assert!(!reads_int8(&program(both, &Learn::new(Layers::Last(3), OptimizerKind::Sgd))));
}

/// Random frozen networks below a layer that learns over the border: their plans are proven, faults in them are found, and they
/// give the bits of plans in which nothing lies over anything.
#[test]
fn random_plans_over_the_border_are_proven() {
    let (mut borders, mut seed, mut taken) = (0, 0, 0);
    while borders < 200 {
        seed += 1;
        assert!(seed < 4000, "only {borders} networks have a border");
        let graph = random_models::graph(seed).unwrap();
        let (optimizer, rule) = &RULES[seed as usize % RULES.len()];
        let (guard, batches) = (seed % 2 == 0, seed % 3 == 0);
        let learn = Learn { guard, batches, ..Learn::new(Layers::Last(1), *optimizer) };
        let options = CompileOptions {
            core: if seed % 5 == 0 { Core::Portable } else { Core::Armv7em },
            learn: Some(learn),
            ..Default::default()
        };
        let Ok(program) = Program::compile(&graph, &options) else { continue };
        if !reads_int8(&program) {
            continue;
        }
        borders += 1;
        check::check(&program).unwrap();
        let mut separate = program.clone();
        separate.plan = Plan::separate(&separate.buffers);
        let (mut ours, mut theirs) = (program.runner(), separate.runner());
        let record = random_models::records(seed, program.input_bytes());
        let target = vec![0.5; program.buffer(program.output().buffer).len];
        for _ in 0..3 {
            let steps = [&mut ours, &mut theirs].map(|runner| {
                let loss = if batches {
                    let loss = runner.accumulate(&record, &target[..]);
                    runner.apply(rule).unwrap();
                    loss
                } else {
                    runner.train_step(&record, &target[..], rule)
                };
                (loss.map(f32::to_bits), bits(&runner.parameters()))
            });
            assert_eq!(steps[0], steps[1], "network {seed}");
            taken += usize::from(steps[0].0.is_ok());
        }
        // The block over the floats that it adds up to.
        let mut broken = program;
        let step = broken.steps.iter().find(|step| step.kernel.dequantizes().is_some()).unwrap();
        let (x, y) = (step.scratch.unwrap(), step.output);
        broken.plan.offsets[x.0] = broken.plan.offsets[y.0];
        assert!(check::check(&broken).is_err(), "network {seed}: a broken plan was not found");
    }
    println!("{borders} of {seed} networks have a border, and took {taken} steps");
    assert!(taken > 500, "{taken} steps were not refused");
}
