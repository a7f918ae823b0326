//! Accuracy over seeds.

use super::MODELS;
use crate::demo::model;
use crate::{Result, stages::Stages};
use milligrad_host::Program;
use std::ops::Range;

/// The first two labs of the course, with its numbers of epochs.
const COURSE: [&str; 2] = ["course/lab01", "course/lab02"];
/// Epochs of quantisation-aware training.
const QAT_EPOCHS: usize = 2;

pub(super) fn run(only: &[String], seeds: Range<u64>, stages: &mut Stages) -> Result<()> {
    let known = || MODELS.into_iter().chain(COURSE);
    if let Some(unknown) = only.iter().find(|name| known().all(|known| known != **name)) {
        let names: Vec<_> = known().collect();
        return Err(format!("no model `{unknown}`; there are {}", names.join(", ")).into());
    }
    println!("| model | parameters | MAC | | seeds {} to {}, % | mean |", seeds.start, seeds.end - 1);
    println!("|---|---|---|---|---|---|");
    for name in known().filter(|name| only.is_empty() || only.iter().any(|o| o == name)) {
        let mut rows = ["f32", "int8", "int8, trained for it"].map(|kind| (kind, Vec::new()));
        let (mut parameters, mut macs) = (0, 0);
        for seed in seeds.clone() {
            let trained = model::train(name, seed, stages)?;
            let float = Program::compile(&trained.graph, &Default::default())?;
            let refined = stages.stage(&format!("{name}: {QAT_EPOCHS} epochs for int8"), || {
                trained.refined(QAT_EPOCHS, seed)
            })?;
            (parameters, macs) = (float.analysis().parameters, float.analysis().macs);
            stages.stage(&format!("{name}: test"), || -> Result<()> {
                for ((_, values), program) in rows.iter_mut().zip([float, trained.int8()?, refined]) {
                    values.push(100.0 * trained.accuracy(&program)?);
                }
                Ok(())
            })?;
        }
        for (kind, values) in rows {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let all: Vec<_> = values.iter().map(|value| format!("{value:.2}")).collect();
            println!("| {name} | {parameters} | {macs} | {kind} | {} | **{mean:.2} %** |", all.join(" "));
        }
    }
    Ok(())
}
