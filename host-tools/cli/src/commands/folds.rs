//! `milligrad train --folds K`

use crate::failure::Failure;
use crate::output::Output;
use crate::progress::TrainingBar;
use crate::table::{Table, grouped, percent};
use milligrad_host::spec::{FoldScore, Spec, mean_and_deviation};
use milligrad_host::train::{Event, FitOptions};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// Cross-validates and prints every fold, the mean and the standard deviation.
pub(crate) fn run(
    spec: &Spec,
    folds: usize,
    options: &FitOptions,
    stop: &AtomicBool,
    output: &Output,
) -> Result<(), Failure> {
    let mut bar = TrainingBar::new(*output, options.epochs);
    let mut shown = 0;
    let scores = spec.cross_validate(folds, options.seed, options, &mut |fold, event| {
        if fold != shown {
            shown = fold;
            output.note(format!("Fold {fold}/{folds}"));
        }
        match event {
            Event::Batch(progress) => bar.batch(progress),
            Event::Epoch { record, .. } => bar.epoch(record),
        }
        if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish();
    let scores = scores?;
    if scores.len() < folds {
        let done = scores.len();
        return Err(Failure::interrupted(format!(
            "interrupted after fold {done} of {folds}; nothing is kept"
        )));
    }
    report(spec, &scores, options.seed, output);
    Ok(())
}

/// A figure of a fold: its name, how it is read, and how it is shown.
type Figure = (&'static str, fn(&FoldScore) -> Option<f64>, fn(f64) -> String);

const FIGURES: [Figure; 4] = [
    ("loss", |score| Some(score.loss), |x| format!("{x:.4}")),
    ("accuracy", |score| score.accuracy, percent),
    ("int8_accuracy", |score| score.int8_accuracy, percent),
    ("int8_squared_error", |score| score.int8_squared_error, |x| format!("{x:.6}")),
];

fn report(spec: &Spec, scores: &[FoldScore], seed: u64, output: &Output) {
    let figures: Vec<&Figure> =
        FIGURES.iter().filter(|(_, read, _)| scores.iter().all(|score| read(score).is_some())).collect();
    let head = ["fold", "training", "validation", "epochs"].into_iter();
    let mut table = Table::new(&head.chain(figures.iter().map(|(name, ..)| *name)).collect::<Vec<_>>());
    let mut rows = Vec::new();
    for score in scores {
        let [train, validation] = score.samples;
        let mut row =
            vec![score.fold.to_string(), grouped(train), grouped(validation), score.epochs.to_string()];
        let mut object = json!({
            "fold": score.fold,
            "training": train,
            "validation": validation,
            "epochs": score.epochs,
        });
        for (name, read, show) in &figures {
            row.push(read(score).map(show).unwrap_or_default());
            object[name] = json!(read(score));
        }
        table.row(row);
        rows.push(object);
    }
    let (mut mean, mut deviation) = (json!({}), json!({}));
    let blank = |name: &str| vec![name.to_string(), String::new(), String::new(), String::new()];
    let (mut mean_row, mut deviation_row) = (blank("mean"), blank("deviation"));
    for (name, read, show) in &figures {
        let Some((m, d)) = mean_and_deviation(scores.iter().filter_map(read)) else { continue };
        (mean[name], deviation[name]) = (json!(m), json!(d));
        mean_row.push(show(m));
        deviation_row.push(show(d));
    }
    table.rule();
    table.row(mean_row);
    table.row(deviation_row);
    output.table(&table);
    output.object(json!({
        "name": spec.name,
        "seed": seed,
        "folds": Value::Array(rows),
        "mean": mean,
        "deviation": deviation,
    }));
}
