//! Accuracy over seeds.

use super::MODELS;
use crate::demo::model;
use crate::{Result, stages::Stages};
use milligrad_host::Program;

/// The first two labs of the course, with its numbers of epochs.
const COURSE: [&str; 2] = ["course/lab01", "course/lab02"];
const SEEDS: std::ops::Range<u64> = 0..5;

pub(super) fn run(only: &[String], stages: &mut Stages) -> Result<()> {
    let known = || MODELS.into_iter().chain(COURSE);
    if let Some(unknown) = only.iter().find(|name| known().all(|known| known != **name)) {
        let names: Vec<_> = known().collect();
        return Err(format!("no model `{unknown}`; there are {}", names.join(", ")).into());
    }
    println!("| model | parameters | MAC | f32, seeds 0-4 | mean | int8, seeds 0-4 | mean |");
    println!("|---|---|---|---|---|---|---|");
    for name in known().filter(|name| only.is_empty() || only.iter().any(|o| o == name)) {
        let (mut float, mut int8) = (Vec::new(), Vec::new());
        let (mut parameters, mut macs) = (0, 0);
        for seed in SEEDS {
            let trained = model::train(name, seed, stages)?;
            let labels = trained.labels()?;
            let program = Program::compile(&trained.graph, &Default::default())?;
            float.push(program.accuracy(&program.outputs(&program.records(&trained.data.test))?, labels));
            let program = trained.int8()?;
            int8.push(program.accuracy(&program.outputs(&program.records(&trained.data.test))?, labels));
            (parameters, macs) = (program.analysis().parameters, program.analysis().macs);
        }
        let mean =
            |values: &[f64]| format!("{:.2} %", 100.0 * values.iter().sum::<f64>() / values.len() as f64);
        let all = |values: &[f64]| {
            values.iter().map(|value| format!("{:.2}", 100.0 * value)).collect::<Vec<_>>().join(" ")
        };
        println!(
            "| {name} | {parameters} | {macs} | {} | **{}** | {} | **{}** |",
            all(&float),
            mean(&float),
            all(&int8),
            mean(&int8)
        );
    }
    Ok(())
}
