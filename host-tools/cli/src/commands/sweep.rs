//! `milligrad sweep`

use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, grouped, percent};
use clap::Args;
use milligrad_host::model_file;
use milligrad_host::sweep::{Outcome, Sweep, Trial, pareto};
use serde_json::json;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Try variants of a specification, and compare accuracy with what they cost on a device.
///
/// The variants are those of the specification's `sweep` table. Each is trained, made int8 and measured on the validation part by
/// the device's kernels. A trial that is finished is kept: the same command again goes on where it was interrupted.
#[derive(Debug, Args)]
pub(crate) struct SweepCommand {
    /// The specification.
    spec: PathBuf,
    /// Where trials go; runs/NAME-sweep unless given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Trials that run at the same time, each on one thread. The result does not depend on it.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    jobs: u32,
    /// Choose the model with the fewest bytes of weights of those whose int8 accuracy (0 to 1) is at least this; without
    /// it, the most accurate one.
    #[arg(long, value_name = "ACCURACY", value_parser = accuracy)]
    at_least: Option<f64>,
}

impl SweepCommand {
    pub(crate) fn run(&self, output: &Output, seed: Option<u64>) -> Result<(), Failure> {
        let sweep = Sweep::read(&self.spec)?;
        let trials = sweep.trials(seed)?;
        let name = &trials.first().ok_or_else(|| Failure::usage("there is no trial"))?.spec.name;
        let out = self.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("{name}-sweep")));
        let folder = out.join("trials");
        std::fs::create_dir_all(&folder).map_err(milligrad_host::Error::io(&folder))?;
        let outcomes = self.outcomes(&trials, &folder, output)?;
        let front = pareto(&outcomes);
        output.table(&table(&outcomes, &front));

        let chosen = self.choose(&outcomes);
        let mut best = serde_json::Value::Null;
        if let Some(index) = chosen {
            let (trial, outcome) = (&trials[index], &outcomes[index]);
            let test = trial.test(&folder)?;
            for (from, to) in [("", "model.safetensors"), ("-int8", "model-int8.safetensors")] {
                let from = folder.join(format!("{}{from}.safetensors", trial.key));
                let bytes = std::fs::read(&from).map_err(milligrad_host::Error::io(&from))?;
                model_file::write_atomically(out.join(to), &bytes)?;
            }
            model_file::write_atomically(out.join("spec.toml"), trial.spec.text().as_bytes())?;
            output.result(format!(
                "chosen by validation: {} ({}); int8 on the test part: {}",
                &trial.key[..8],
                shown(outcome),
                score(Some(test))
            ));
            output.note(format!("wrote {}", out.join("model-int8.safetensors").display()));
            best = json!({ "key": trial.key, "test_score": test });
        }
        let problem = match (self.at_least, chosen) {
            (_, Some(_)) => None,
            (Some(wanted), None) => Some(format!("no trial reaches an int8 accuracy of {wanted}")),
            (None, None) => Some("no trial was trained: see the table".into()),
        };
        output.object(json!({
            "name": name,
            "folder": out,
            "error": problem,
            "trials": outcomes.iter().zip(&front).map(|(outcome, &front)| {
                let mut object = json!(outcome);
                object["pareto"] = front.into();
                object
            }).collect::<Vec<_>>(),
            "best": best,
        }));
        match problem {
            None => Ok(()),
            Some(problem) => {
                output.problem(problem);
                Err(Failure::check())
            }
        }
    }

    /// Runs the trials, several at a time.
    fn outcomes(&self, trials: &[Trial], folder: &Path, output: &Output) -> Result<Vec<Outcome>, Failure> {
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.min(trials.len() as u32) {
                scope.spawn(|| {
                    while let Some((index, trial)) = {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        trials.get(index).map(|trial| (index, trial))
                    } {
                        let result = trial.run(folder, 1, &mut |_| ControlFlow::Continue(()));
                        if let Ok(outcome) = &result {
                            output.note(format!(
                                "{}/{} {} {}: {}",
                                index + 1,
                                trials.len(),
                                &trial.key[..8],
                                shown(outcome),
                                match &outcome.problem {
                                    None => score(outcome.score),
                                    Some(problem) => problem.lines().next().unwrap_or_default().to_owned(),
                                }
                            ));
                        }
                        let failed = result.is_err();
                        results.lock().unwrap_or_else(|e| e.into_inner()).push((index, result));
                        if failed {
                            // What is wrong with one is wrong with the others: data, disk.
                            next.store(trials.len(), Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(|e| e.into_inner());
        results.sort_by_key(|(index, _)| *index);
        Ok(results.into_iter().map(|(_, result)| result).collect::<Result<_, _>>()?)
    }

    fn choose(&self, outcomes: &[Outcome]) -> Option<usize> {
        let trained =
            |i: &usize| outcomes[*i].score.is_some_and(|s| self.at_least.is_none_or(|least| s >= least));
        let score = |i: usize| outcomes[i].score.unwrap_or(f64::NEG_INFINITY);
        let candidates = (0..outcomes.len()).filter(trained);
        candidates.min_by(|&a, &b| {
            let by_score = score(b).total_cmp(&score(a));
            let by_size = outcomes[a].weight_bytes.cmp(&outcomes[b].weight_bytes);
            if self.at_least.is_some() { by_size.then(by_score) } else { by_score.then(by_size) }
        })
    }
}

/// An accuracy, or minus an error.
fn score(score: Option<f64>) -> String {
    match score {
        None => "-".into(),
        Some(score) if score >= 0.0 => percent(score),
        Some(score) => format!("mean squared error {:.6}", -score),
    }
}

/// What was chosen.
fn shown(outcome: &Outcome) -> String {
    let choices: Vec<_> = outcome.choices.iter().map(|(key, value)| format!("{key}={value}")).collect();
    choices.join(" ")
}

/// The best first; `*` marks the Pareto front.
fn table(outcomes: &[Outcome], front: &[bool]) -> Table {
    let mut table =
        Table::new(&["", "trial", "int8", "f32", "weights B", "flash B", "RAM B", "instructions", "choices"]);
    let mut order: Vec<usize> = (0..outcomes.len()).collect();
    let score_of = |i: usize| outcomes[i].score.unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|&a, &b| score_of(b).total_cmp(&score_of(a)));
    for outcome_index in order {
        let outcome = &outcomes[outcome_index];
        table.row([
            if front[outcome_index] { "*".into() } else { String::new() },
            outcome.key[..8].into(),
            score(outcome.score),
            score(outcome.f32_score),
            grouped(outcome.weight_bytes),
            grouped(outcome.flash_bytes),
            grouped(outcome.ram_bytes),
            grouped(outcome.instructions),
            outcome
                .problem
                .as_ref()
                .map_or_else(|| shown(outcome), |_| format!("{} (not trained)", shown(outcome))),
        ]);
    }
    table
}

/// Reads an accuracy, 0 to 1.
fn accuracy(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(format!("{text} is not within 0 to 1")) }
}
