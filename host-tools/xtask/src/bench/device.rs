//! Cost on boards. It does not depend on the weights' values, so the models are not trained for it.

use super::MODELS;
use crate::command::root;
use crate::demo::model::export;
use crate::{Result, stages::Stages};
use milligrad_board::{Board, Firmware, ModelSource, TrainPlan, board};
use milligrad_host::spec::Spec;
use milligrad_host::{CompileOptions, Layers, Learn, OptimizerKind, Program, QuantizeOptions, quantize};

/// Boards of the table.
const BOARDS: [&str; 4] = ["mps2-an386", "mps2-an385", "microbit", "riscv32-virt"];

pub(super) fn run(only: &[String], stages: &mut Stages) -> Result<()> {
    println!(
        "| model | board | core | call | instructions | per MAC | modelled cycles | code B | constants B | arena B | stack B \
         (bound) |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    for name in BOARDS.into_iter().filter(|name| only.is_empty() || only.iter().any(|o| o == name)) {
        let target = board(name)?;
        for model in MODELS {
            let spec = Spec::read(root().join("examples").join(model).with_extension("toml"))?;
            let graph = spec.graph(&[], 0)?;
            let noise: Vec<f32> =
                (0..32 * graph.input_len()).map(|i| (i * 7919 % 1000) as f32 / 1000.0).collect();
            let program = Program::compile(
                &quantize(&graph, &noise, &QuantizeOptions::default())?,
                &CompileOptions::default(),
            )?;
            if program.plan.bytes() + 2048 > target.ram_bytes as usize {
                continue;
            }
            stages.stage(&format!("{model} on {name}"), || predict(model, &program, target))?;
            if model == "digits-mlp" && target.target.ends_with("eabihf") {
                let learn = Some(Learn::new(Layers::All, OptimizerKind::Sgd));
                let program = Program::compile(&graph, &CompileOptions { learn, ..Default::default() })?;
                stages.stage(&format!("{model}, training, on {name}"), || train(model, &program, target))?;
            }
        }
    }
    Ok(())
}

fn predict(name: &str, program: &Program, target: &'static Board) -> Result<()> {
    let firmware = Firmware::build(target, &[ModelSource::new(name, export(name, program)?)])?;
    let profile = firmware.profile(name, &vec![0x20; program.input_bytes()])?;
    row(&format!("{name}, int8"), target, "predict", program, &profile);
    Ok(())
}

fn train(name: &str, program: &Program, target: &'static Board) -> Result<()> {
    let firmware = Firmware::build(target, &[ModelSource::learning(name, export(name, program)?)])?;
    let mut step = program.encode_input(&(0..64).map(|i| (i % 17) as f32).collect::<Vec<_>>());
    let profile = firmware.profile(name, &step)?;
    row(&format!("{name}, f32"), target, "predict", program, &profile);
    step.push(3);
    let plan = TrainPlan { steps: &step, learning_rate: 0.05, ..TrainPlan::default() };
    let profile = firmware.profile_training(name, &plan)?;
    row(&format!("{name}, f32"), target, "train_step, SGD", program, &profile);
    Ok(())
}

fn row(name: &str, target: &Board, call: &str, program: &Program, profile: &milligrad_board::Profile) {
    let analysis = program.analysis();
    let cycles = if target.core.has_cycle_model() {
        format!("{}-{}", profile.cycles.low, profile.cycles.high)
    } else {
        "-".into()
    };
    println!(
        "| {name} | {} | {} | {call} | {} | {:.2} | {cycles} | {} | {} | {} | {} ({}) |",
        target.name,
        target.core,
        profile.cost.instructions,
        profile.cost.instructions as f64 / analysis.macs as f64,
        profile.code_bytes,
        profile.constant_bytes,
        analysis.arena_bytes,
        profile.cost.stack_bytes,
        profile.stack_bound_bytes.map_or("-".into(), |bound| bound.to_string()),
    );
}
