//! Keys of `[train]` that decide how a run ends, and what they are answered with when they are wrong.

use crate::data::Share;
use crate::spec::Spec;
use crate::train::{EarlyStopping, FULL_BATCH, Monitor, Plateau, Schedule};
use crate::{Error, Result};
use std::path::Path;

/// A specification with these keys under `[data]` and `[train]`.
fn spec(data: &str, train: &str) -> Result<Spec> {
    let text = format!(
        "[model]\nname = \"t\"\ninput = [64]\n\n[[layer]]\ntype = \"dense\"\nname = \"hidden\"\nunits = 8\n\n[[layer]]\n\
         type = \"dense\"\nunits = 10\nactivation = \"softmax\"\n\n[data]\nsource = \"digits\"\n{data}\n\n[train]\n{train}\n"
    );
    Spec::parse(&text, "t.toml", Path::new(""))
}

fn good(train: &str) -> super::TrainSpec {
    spec("", train).unwrap().train
}

fn wrong(data: &str, train: &str) -> String {
    match spec(data, train).unwrap_err() {
        Error::Spec(message) => message,
        other => panic!("{other}"),
    }
}

#[test]
fn early_stopping_and_plateau() {
    let stopping = "monitor = \"val_accuracy\"\nmin_delta = 0.01\npatience = 3\nbaseline = 0.5\nstart_from_epoch = 2\n\
                    restore_best_weights = true";
    let train = good(&format!("save_best = \"accuracy\"\n[train.early_stopping]\n{stopping}"));
    let expected = EarlyStopping {
        monitor: Monitor::ValAccuracy,
        min_delta: 0.01,
        patience: 3,
        baseline: Some(0.5),
        start_from_epoch: 2,
        restore_best_weights: true,
    };
    assert_eq!((train.early_stopping, train.save_best), (Some(expected), Some(Monitor::Accuracy)));
    assert_eq!(train.fit_options(0).early_stopping, Some(expected));
    assert_eq!(good("early_stopping = {}").early_stopping, Some(EarlyStopping::default()));
    assert_eq!(good("schedule = \"plateau\"").schedule, Schedule::Plateau(Plateau::default()));
    let plateau = Plateau { factor: 0.5, patience: 0, cooldown: 2, min_lr: 1e-5, ..Plateau::default() };
    let text = "{ type = \"plateau\", factor = 0.5, patience = 0, cooldown = 2, min_lr = 1e-5 }";
    assert_eq!(good(&format!("schedule = {text}")).schedule, Schedule::Plateau(plateau));
    for (train, problem) in [
        ("early_stopping = { monitor = \"f1\" }", "allowed: val_loss, val_accuracy, loss, accuracy"),
        ("early_stopping = { patience = -1 }", "a whole number from 0"),
        ("early_stopping = { mode = \"min\" }", "unknown key `mode` in [train.early_stopping]"),
        ("early_stopping = { min_delta = -0.1 }", "not negative"),
        ("early_stopping = 3", "expected a table"),
        ("save_best = \"best\"", "allowed: val_loss"),
        ("schedule = { type = \"plateau\", factor = 1.0 }", "below 1.0"),
        ("schedule = { type = \"plateau\", epochs = 1 }", "unknown key `epochs`"),
    ] {
        let message = wrong("", train);
        assert!(message.contains(problem) && message.contains("t.toml:"), "{message}");
    }
}

#[test]
fn batches_and_the_last_share() {
    assert_eq!((good("batch = \"full\"").batch, good("batch_size = 7").batch), (FULL_BATCH, 7));
    assert!(wrong("", "batch = \"all\"").contains("or \"full\" for all samples"));
    let last = spec("validation_split = 0.25", "").unwrap();
    assert_eq!(last.data.validation, Share::Last(0.25));
    let all = spec("validation = 0", "").unwrap().load_data().unwrap().train;
    let split = last.load_data().unwrap();
    let first = all.len() * 3 / 4;
    assert_eq!((split.train.len(), split.train), (first, all.take(first)));
    let rest: Vec<usize> = (first..all.len()).collect();
    assert_eq!(split.validation, Some(all.select(&rest)));
    assert!(wrong("validation_split = 20", "").contains("a fraction"));
    assert!(wrong("validation_split = 0.1\nvalidation = 0.1", "").contains("already"));
}
