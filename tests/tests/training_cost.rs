//! What the analysis says of a training step before anything is flashed, against counts on a board.

use milligrad_board::{Firmware, ModelSource, TrainPlan, board};
use milligrad_host::{
    Builder, CompileOptions, FixedExponents, FixedPoint, FixedRounding, Graph, Layers, Learn, OptimizerKind,
    Program, QuantizeOptions, export, quantize,
};
use milligrad_tests::noise;
use std::path::Path;

/// A firmware for each network, as a bench builds it, so that the compiler sees one at a time.
fn instructions(board_name: &str, name: &str, graph: &Graph, program: &Program) -> u64 {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cost-{board_name}-{name}.rs"));
    std::fs::write(&path, export::rust(program).unwrap()).unwrap();
    let source = ModelSource::learning("learner", path);
    let firmware = Firmware::build(board(board_name).unwrap(), &[source]).unwrap();
    let raw: Vec<f32> = noise(1, graph.input_len()).iter().map(|x| 0.5 + 0.5 * x).collect();
    let mut step = program.encode_input(&raw);
    step.push(3);
    let plan = TrainPlan { steps: &step, learning_rate: 0.05, momentum: 0.9, ..TrainPlan::default() };
    firmware.train("learner", &plan).unwrap().cost.instructions
}

/// All layers in 16-bit fixed point, with exponents that each step chooses.
fn dynamic() -> Learn {
    let fixed = FixedPoint { exponents: FixedExponents::Dynamic, ..FixedPoint::default() };
    Learn::new(Layers::All, OptimizerKind::Sgd).in_fixed_point(fixed)
}

fn check(name: &str, graph: &Graph, learn: Learn) {
    check_on("mps2-an386", name, graph, learn);
}

fn check_on(board_name: &str, name: &str, graph: &Graph, learn: Learn) {
    let options = CompileOptions { learn: Some(learn), ..Default::default() };
    let program = Program::compile(graph, &options).unwrap();
    let core = board(board_name).unwrap().core.to_string();
    let modelled = program.training().unwrap().on(&core).unwrap() as f64;
    let counted = instructions(board_name, name, graph, &program) as f64;
    let error = 100.0 * (modelled / counted - 1.0);
    println!("{name} on {board_name}: {modelled} modelled, {counted} counted ({error:+.1} %)");
    assert!(error.abs() < 15.0, "{name} on {core}: {modelled} modelled, {counted} counted ({error:+.1} %)");
}

#[test]
fn steps_cost_on_a_cortex_m4f_what_the_analysis_says() {
    let mlp = Builder::new("mlp", &[64]).dense(32).relu().dense(10).softmax().build(1).unwrap();
    let cnn = Builder::new("cnn", &[8, 8, 1]).conv2d(8, 3).relu().max_pool2d(2).flatten();
    let cnn = cnn.dense(10).softmax().build(1).unwrap();
    check("mlp-sgd-guarded", &mlp, Learn::new(Layers::All, OptimizerKind::Sgd).guarded());
    check("mlp-adam", &mlp, Learn::new(Layers::All, OptimizerKind::Adam));
    let stochastic = FixedPoint { rounding: FixedRounding::Stochastic, seed: 3, ..Default::default() };
    let guarded = Learn::new(Layers::All, OptimizerKind::Sgd).in_fixed_point(stochastic).guarded();
    check("mlp-stochastic-guarded", &mlp, guarded);
    let fixed = FixedPoint { rounding: FixedRounding::Nearest, seed: 3, ..Default::default() };
    check("mlp-nearest", &mlp, Learn::new(Layers::All, OptimizerKind::Sgd).in_fixed_point(fixed));
    check("cnn-nearest", &cnn, Learn::new(Layers::All, OptimizerKind::Sgd).in_fixed_point(fixed));
    check("mlp-dynamic", &mlp, dynamic());
    check("cnn-dynamic", &cnn, dynamic());
    let wide = Builder::new("wide", &[784]).dense(128).relu().dense(10).softmax().build(1).unwrap();
    check("wide-nearest", &wide, Learn::new(Layers::All, OptimizerKind::Sgd).in_fixed_point(fixed));
    let wide = quantize(&wide, &noise(1, 784), &QuantizeOptions::default()).unwrap();
    check("wide-sgd", &wide, Learn::new(Layers::All, OptimizerKind::Sgd));
    check("wide-adamw", &wide, Learn::new(Layers::All, OptimizerKind::AdamW));
    check("wide-adam-guarded", &wide, Learn::new(Layers::All, OptimizerKind::Adam).guarded());
    check("cnn-sgd", &cnn, Learn::new(Layers::All, OptimizerKind::Sgd));
}

#[test]
fn steps_cost_without_an_fpu_what_the_analysis_says() {
    let mlp = Builder::new("mlp", &[64]).dense(32).relu().dense(10).softmax().build(1).unwrap();
    let cnn = Builder::new("cnn", &[8, 8, 1]).conv2d(8, 3).relu().max_pool2d(2).flatten();
    let cnn = cnn.dense(10).softmax().build(1).unwrap();
    let floats = |optimizer| Learn::new(Layers::All, optimizer);
    let fixed = || floats(OptimizerKind::Sgd).in_fixed_point(FixedPoint::default());
    // Each rule and each kind of network once on a board, plain descent and fixed point on more.
    check_on("mps2-an385", "mlp-nesterov", &mlp, floats(OptimizerKind::Nesterov));
    check_on("mps2-an385", "cnn-rmsprop", &cnn, floats(OptimizerKind::RmsProp));
    check_on("mps2-an385", "mlp-adamw", &mlp, floats(OptimizerKind::AdamW));
    check_on("microbit", "cnn-momentum", &cnn, floats(OptimizerKind::Momentum));
    check_on("riscv32-virt", "mlp-adam", &mlp, floats(OptimizerKind::Adam));
    check_on("mps2-an385", "mlp-dynamic", &mlp, dynamic());
    check_on("microbit", "cnn-dynamic", &cnn, dynamic());
    check_on("riscv32-virt", "cnn-dynamic", &cnn, dynamic());
    for board_name in ["mps2-an385", "microbit", "riscv32-virt"] {
        check_on(board_name, "cnn-sgd", &cnn, floats(OptimizerKind::Sgd));
        check_on(board_name, "mlp-fixed", &mlp, fixed());
    }
    check_on("microbit", "cnn-fixed", &cnn, fixed());
    let wide = Builder::new("wide", &[784]).dense(128).relu().dense(10).softmax().build(1).unwrap();
    check_on("riscv32-virt", "wide-fixed", &wide, fixed());
}
