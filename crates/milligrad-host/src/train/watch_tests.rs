//! Early stopping, plateaus and the best checkpoint: against Keras' own callbacks (`tests/golden/fit.json`, made by `fit.py`
//! beside it), and in whole runs.

use super::fit_tests::{bits, cnn, halves, options, quiet};
use super::*;
use crate::graph::Graph;
use crate::model_file;
use serde_json::Value;
use std::ops::ControlFlow;
use std::path::Path;

fn cases(kind: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/fit.json");
    let all: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let cases: Vec<Value> = all.into_iter().filter(|case| case["kind"] == kind).collect();
    assert!(cases.len() >= 50);
    cases
}

fn monitor(case: &Value) -> Monitor {
    serde_json::from_value(case["monitor"].clone()).unwrap()
}

/// Epochs with these figures.
fn epochs(case: &Value) -> Vec<EpochRecord> {
    let values = case["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap());
    let record = |(epoch, value)| {
        let mut record = EpochRecord { epoch, ..EpochRecord::default() };
        match monitor(case) {
            Monitor::ValLoss => record.val_loss = Some(value),
            Monitor::ValAccuracy => record.val_accuracy = Some(value),
            Monitor::Loss => record.loss = value,
            Monitor::Accuracy => record.accuracy = Some(value),
        }
        record
    };
    (1..).zip(values).map(record).collect()
}

#[test]
fn stops_where_keras_stops_and_restores_what_keras_restores() {
    let mut early = 0;
    for case in cases("early_stopping") {
        let stopping = EarlyStopping {
            monitor: monitor(&case),
            min_delta: case["min_delta"].as_f64().unwrap(),
            patience: case["patience"].as_u64().unwrap() as usize,
            baseline: case["baseline"].as_f64(),
            start_from_epoch: case["start_from_epoch"].as_u64().unwrap() as usize,
            restore_best_weights: true,
        };
        let epochs = epochs(&case);
        let last = (1..=epochs.len()).find(|&n| stopping.after(&epochs[..n]).stops).unwrap_or(epochs.len());
        let best = stopping.after(&epochs[..last]).best_epoch.unwrap_or(last);
        let expected = (case["epochs"].as_u64().unwrap(), case["best"].as_u64().unwrap());
        assert_eq!((last as u64, best as u64), expected, "{case}");
        early += usize::from(last < epochs.len());
    }
    assert!((20..60).contains(&early), "{early} of these stop early");
}

#[test]
fn rates_fall_where_keras_lowers_them() {
    let mut falls = 0;
    for case in cases("plateau") {
        let number = |key: &str| case[key].as_f64().unwrap();
        let plateau = Plateau {
            monitor: monitor(&case),
            factor: number("factor"),
            patience: number("patience") as usize,
            min_delta: number("min_delta"),
            cooldown: number("cooldown") as usize,
            min_lr: number("min_lr"),
        };
        let epochs = epochs(&case);
        for (n, expected) in case["rates"].as_array().unwrap().iter().enumerate() {
            let (rate, expected) = (plateau.rate(0.01, &epochs[..n]), expected.as_f64().unwrap());
            assert!(
                (rate / expected - 1.0).abs() < 1e-5,
                "epoch {}: {rate}, Keras {expected}: {case}",
                n + 1
            );
            falls += usize::from(n > 0 && plateau.rate(0.01, &epochs[..n - 1]) != rate);
        }
    }
    assert!(falls > 60, "{falls}");
}

/// A run whose validation part is so small and so different that it gets worse soon.
fn watched(path: Option<&Path>, threads: usize) -> (FitOptions, Samples, Samples) {
    let plateau =
        Plateau { monitor: Monitor::Loss, factor: 0.5, patience: 1, min_delta: 0.2, ..Plateau::default() };
    let stopping = EarlyStopping { patience: 3, restore_best_weights: true, ..EarlyStopping::default() };
    let options = FitOptions {
        epochs: 40,
        optimizer: Optimizer::adam(0.02),
        schedule: Schedule::Plateau(plateau),
        early_stopping: Some(stopping),
        save_best: path.map(|path| (Monitor::ValLoss, path.with_extension("best"))),
        checkpoint: path.map(Path::to_owned),
        ..options(threads)
    };
    let shuffled: Vec<usize> = (0..40).collect();
    let other = halves(40, 9);
    let Targets::Classes(classes) = other.targets() else { unreachable!() };
    // Some labels are wrong, so that certainty is punished.
    let classes =
        classes.iter().zip(0..).map(|(&class, i)| if i % 5 == 0 { 1 - class } else { class }).collect();
    let validation = Samples::new(other.inputs().to_vec(), vec![6, 6, 1], Targets::Classes(classes)).unwrap();
    (options, halves(300, 1), validation.select(&shuffled))
}

#[test]
fn the_best_epoch_is_restored_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let (options, train, validation) = watched(Some(&path), 1);
    let mut after = Vec::new();
    let mut graph = cnn();
    let history = fit(&mut graph, &train, Some(&validation), &options, &mut |event| {
        if let Event::Epoch { graph, .. } = event {
            after.push(bits(graph));
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    let patience = history.patience.unwrap();
    let best = patience.best_epoch.unwrap();
    assert!(patience.stops && !history.stopped);
    assert_eq!((history.epochs.len(), best + 3), (after.len(), after.len()));
    assert_eq!(bits(&graph), after[best - 1]);
    assert_ne!(bits(&graph), after[after.len() - 1]);
    assert_eq!(bits(&model_file::load(path.with_extension("best")).unwrap()), after[best - 1]);
    let losses = history.epochs.iter().map(|epoch| epoch.val_loss.unwrap());
    assert_eq!(losses.fold(f64::INFINITY, f64::min), history.epochs[best - 1].val_loss.unwrap());
    assert!(history.epochs.last().unwrap().learning_rate < 0.02);
}

#[test]
fn a_resumed_run_stops_at_the_same_epoch_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let (options, train, validation) = watched(None, 1);
    let mut whole = cnn();
    let history = fit(&mut whole, &train, Some(&validation), &options, &mut quiet).unwrap();
    let end = history.epochs.len();
    // Interrupted after every epoch, also after the best and after the last.
    for stop in 1..=end {
        let (options, ..) = watched(Some(&path), 2);
        let interrupted = fit(&mut cnn(), &train, Some(&validation), &options, &mut |event| match event {
            Event::Epoch { record, .. } if record.epoch == stop => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .unwrap();
        assert_eq!((interrupted.epochs.len(), interrupted.stopped), (stop, stop < end));
        let resume = Some(Checkpoint::read(&path).unwrap());
        let mut graph = cnn();
        let resumed =
            fit(&mut graph, &train, Some(&validation), &FitOptions { resume, ..options }, &mut quiet)
                .unwrap();
        assert!(bits(&graph) == bits(&whole), "resumed after epoch {stop}");
        let figures = |history: &History| {
            let of = |e: &EpochRecord| (e.loss, e.val_loss, e.learning_rate);
            (history.epochs.iter().map(of).collect::<Vec<_>>(), history.patience)
        };
        assert_eq!(figures(&resumed), figures(&history));
    }
    // Other validation samples, or another patience, are another run.
    let resume = Some(Checkpoint::read(&path).unwrap());
    let other = FitOptions { resume, ..options.clone() };
    let problem = fit(&mut cnn(), &train, Some(&halves(40, 8)), &other, &mut quiet).unwrap_err().to_string();
    assert!(problem.contains("validation was"), "{problem}");
    let stopping = EarlyStopping { patience: 4, ..options.early_stopping.unwrap() };
    let other = FitOptions { early_stopping: Some(stopping), ..other };
    let problem = fit(&mut cnn(), &train, Some(&validation), &other, &mut quiet).unwrap_err().to_string();
    assert!(problem.contains("early_stopping was"), "{problem}");
}

#[test]
fn a_layer_called_best_resumes_too() {
    let named = || {
        let mut draft = cnn().into_draft();
        let old = std::mem::replace(&mut draft.nodes[0].name, "best".into());
        for constant in &mut draft.constants {
            if let Some(part) = constant.name.strip_prefix(&format!("{old}/")) {
                constant.name = format!("best/{part}");
            }
        }
        Graph::verify(draft).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = Some(folder.path().join("run.safetensors"));
    let first = FitOptions { epochs: 2, checkpoint: checkpoint.clone(), ..options(1) };
    let train = halves(60, 1);
    fit(&mut named(), &train, None, &first, &mut quiet).unwrap();
    let resume = Some(Checkpoint::read(checkpoint.as_ref().unwrap()).unwrap());
    let (mut resumed, mut straight) = (named(), named());
    fit(&mut resumed, &train, None, &FitOptions { resume, ..options(1) }, &mut quiet).unwrap();
    fit(&mut straight, &train, None, &options(1), &mut quiet).unwrap();
    assert!(bits(&resumed) == bits(&straight));
}

#[test]
fn figures_that_do_not_exist_are_refused() {
    let (options, train, _) = watched(None, 1);
    let problem = fit(&mut cnn(), &train, None, &options, &mut quiet).unwrap_err().to_string();
    assert!(problem.contains("no validation part"), "{problem}");
}

#[test]
fn a_batch_larger_than_the_data_is_all_of_them() {
    let run = |batch_size| {
        let mut graph = cnn();
        let options = FitOptions { epochs: 2, batch_size, shuffle: false, per_step: true, ..options(1) };
        let history = fit(&mut graph, &halves(50, 1), None, &options, &mut quiet).unwrap();
        assert_eq!(history.steps.len(), 2);
        bits(&graph)
    };
    assert_eq!(run(50), run(FULL_BATCH));
    assert_eq!(run(50), run(1000));
}
