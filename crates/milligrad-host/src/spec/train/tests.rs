//! Keys of `[train]` that decide how a run ends, and what they are answered with when they are wrong.

use crate::data::Share;
use crate::spec::Spec;
use crate::train::{ClassWeights, EarlyStopping, FULL_BATCH, Monitor, Plateau, Schedule, fit};
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

#[test]
fn weights_of_classes() {
    assert_eq!(good("class_weight = \"balanced\"").class_weight, Some(ClassWeights::Balanced));
    let all = ClassWeights::All(vec![1.0, 0.5]);
    assert_eq!(good("class_weight = [1, 0.5]").class_weight, Some(all));
    let some = ClassWeights::Some(vec![("3".into(), 2.0), ("7".into(), 0.0)]);
    assert_eq!(good("class_weight = { 3 = 2.0, 7 = 0 }").class_weight, Some(some));
    for weights in ["\"auto\"", "-1", "[1, -1]", "{ 3 = nan }"] {
        assert!(
            wrong("", &format!("class_weight = {weights}"))
                .contains("`class_weight` is \"balanced\", a list")
        );
    }
    assert!(wrong("", "loss = \"mse\"\nclass_weight = \"balanced\"").contains("`sample_weight`"));
    let spec = spec("", "class_weight = { 3 = 2.0, 7 = 0 }").unwrap();
    let data = spec.load_data().unwrap();
    let labels = data.train.labels().unwrap().to_vec();
    let prepared = spec.prepare(data.train, data.validation, 0).unwrap();
    let expected: Vec<f32> = labels.iter().map(|l| if *l == 3 { 2.0 } else { f32::from(*l != 7) }).collect();
    assert_eq!(prepared.train.weights(), Some(&expected[..]));
    assert_eq!(prepared.validation.unwrap().weights(), None);
}

#[test]
fn weights_of_samples() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..40).map(|i| format!("{},{},{}\n", i % 7, i % 2, f64::from(i) / 10.0)).collect();
    std::fs::write(folder.path().join("d.csv"), format!("a,y,w\n{rows}")).unwrap();
    let text = "[model]\nname = \"t\"\ninput = [1]\n[[layer]]\ntype = \"dense\"\nunits = 1\n[data]\nsource = \"csv\"\n\
                path = \"d.csv\"\ntarget = \"y\"\nsample_weight = \"w\"\n";
    let spec = Spec::parse(text, "t.toml", folder.path()).unwrap();
    let data = spec.load_data().unwrap();
    // The test part counts every sample once.
    assert!(data.test.weights.is_empty() && data.train.weights.len() == data.train.len());
    let prepared = spec.prepare(data.train.clone(), data.validation, 0).unwrap();
    assert_eq!(prepared.train.weights(), Some(&data.train.weights[..]));
    assert_eq!(prepared.validation.unwrap().weights().map(<[f32]>::len), Some(3));
    let window = text.replace("target", "window = { length = 2 }\ntarget");
    assert!(Spec::parse(&window, "t.toml", folder.path()).unwrap_err().to_string().contains("several rows"));
    let other = text.replace("\"w\"", "\"v\"");
    assert!(Spec::parse(&other, "t.toml", folder.path()).unwrap().load_data().is_err());
}

#[test]
fn layers_are_frozen_and_taken_over() {
    let train = good("freeze = \"hid*\"\nfrom = \"a/model.safetensors\"\nreplace_head = true");
    assert_eq!((train.freeze, train.replace_head), (vec!["hid*".to_string()], true));
    assert_eq!(train.from.as_deref(), Some(Path::new("a/model.safetensors")));
    assert!(wrong("", "freeze = \"nose\"").contains("layers that learn: hidden, dense"));
    assert!(wrong("", "freeze = \"*\"").contains("no layer is left to learn"));
    assert!(wrong("", "replace_head = true").contains("from = "));
    // A kept text finds both files from anywhere.
    let text = spec("", "from = \"x/model.safetensors\"").unwrap().text();
    let absolute = std::path::absolute("x/model.safetensors").unwrap();
    assert!(text.contains(&format!("from = {:?}", absolute.to_str().unwrap())), "{text}");
}

#[test]
fn a_second_specification_goes_on_where_the_first_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("first.safetensors");
    let trained = |train: &str, keep: Option<&Path>| {
        let spec = spec("", train).unwrap();
        let data = spec.load_data().unwrap();
        let mut prepared = spec.prepare(data.train.take(300), None, 3).unwrap();
        let options = crate::train::FitOptions { epochs: 2, ..spec.train.fit_options(3) };
        let before = prepared.graph.clone();
        fit(&mut prepared.graph, &prepared.train, None, &options, &mut |_| {
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
        keep.map_or(Ok(()), |path| crate::model_file::save(&prepared.graph, path)).unwrap();
        (before, prepared)
    };
    let (_, first) = trained("", Some(&path));
    let (before, second) =
        trained(&format!("from = {path:?}\nfreeze = [\"hidden\"]\nreplace_head = true"), None);
    let transfer = second.transfer.unwrap();
    assert_eq!((transfer.loaded, transfer.other_inputs), (vec!["hidden".to_string()], false));
    assert_eq!(transfer.new, [("dense".to_string(), "the head is replaced".to_string())]);
    // The frozen layer has the bytes of the first run, the head its own.
    assert_eq!(second.graph.constants[..2], first.graph.constants[..2]);
    assert_ne!(before.constants[2], first.graph.constants[2]);
    assert_ne!(second.graph.constants[2], before.constants[2]);
    // Unfrozen, everything goes on from what was learned.
    let (before, third) =
        trained(&format!("from = {path:?}\noptimizer = {{ type = \"sgd\", learning_rate = 1e-4 }}"), None);
    assert_eq!(before.constants, first.graph.constants);
    assert_ne!(third.graph.constants[0], first.graph.constants[0]);
    let missing = spec("", "from = \"nowhere.safetensors\"").unwrap();
    let data = missing.load_data().unwrap();
    assert!(missing.prepare(data.train, None, 0).unwrap_err().to_string().contains("nowhere.safetensors"));
}
