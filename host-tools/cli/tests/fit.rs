//! How `train` ends: early stopping, the best model, divergence; cross-validation, transfer, and `lr-find`.

mod support;

use std::fs;
use support::{good, run};

/// Digits that a small network learns quickly, from few of them.
const SPEC: &str = r#"
[model]
name = "m"
input = [64]
[[layer]]
type = "dense"
name = "hidden"
units = 24
activation = "relu"
[[layer]]
type = "dense"
name = "output"
units = 10
activation = "softmax"
[data]
source = "digits"
validation = 1100
[train]
epochs = 60
batch = 16
optimizer = { type = "adam", learning_rate = 0.02 }
"#;

/// A folder with `spec.toml`, this text.
fn written(text: &str) -> (tempfile::TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    fs::write(path("spec.toml"), text).unwrap();
    let (spec, out) = (path("spec.toml"), path("out"));
    (folder, spec, out)
}

#[test]
fn stops_early_with_the_best_weights() {
    let stopping =
        "save_best = \"val_loss\"\n[train.early_stopping]\npatience = 4\nrestore_best_weights = true\n";
    let (folder, spec, out) = written(&format!("{SPEC}{stopping}"));
    let trained = good(["train", &spec, "--out", &out, "--json"]);
    let report = trained.json();
    let epochs = report["epochs"].as_array().unwrap().len();
    assert_eq!(report["stopped_early"], true);
    assert!(epochs < 60 && report["best_epoch"] == epochs - 4, "{report}");
    assert!(
        trained.stderr.contains("val_loss has not improved for 4 epochs; the weights are those of epoch")
    );
    let read = |name: &str| fs::read(folder.path().join("out").join(name)).unwrap();
    assert!(read("best.safetensors") == read("model.safetensors"));
    // Resumed after the end nothing changes, whatever else is asked for.
    let model = read("model.safetensors");
    good(["train", &spec, "--out", &out, "--resume", "--epochs=80"]);
    assert!(read("model.safetensors") == model);
    // Without a validation part there is nothing to watch.
    fs::write(&spec, format!("{SPEC}{stopping}").replace("validation = 1100", "validation = 0")).unwrap();
    run(["train", &spec, "--out", &out]).fails(2, "no validation part");
}

#[test]
fn divergence_is_a_failed_check_and_keeps_what_there_was() {
    let (folder, spec, out) = written(&SPEC.replace("[train]", "[train]\nsave_best = \"val_loss\""));
    good(["train", &spec, "--out", &out, "--epochs=2"]);
    let best = folder.path().join("out/best.safetensors");
    let before = fs::read(&best).unwrap();
    let kept = folder.path().join("out/spec.toml");
    let specification = fs::read(&kept).unwrap();
    fs::write(&spec, SPEC.replace("0.02 }", "1e30 }").replace("\"adam\"", "\"sgd\"")).unwrap();
    let failed = run(["train", &spec, "--out", &out, "--json"]);
    failed.fails(1, "training diverged in epoch 1, batch 2: the loss is");
    assert!(
        failed.stderr.contains("layer `") && failed.stderr.contains("lower the learning rate"),
        "{}",
        failed.stderr
    );
    assert!(failed.json()["error"].as_str().unwrap().contains("diverged"));
    // What another run left is there, but nothing of this one.
    assert!(fs::read(&best).unwrap() == before && !failed.stderr.contains("is kept"), "{}", failed.stderr);
    assert!(fs::read(&kept).unwrap() == specification, "the specification of the model that is there");
    // A run that gets somewhere takes the place of the other as a whole.
    fs::write(&spec, SPEC).unwrap();
    good(["train", &spec, "--out", &out, "--epochs=1"]);
    assert!(!best.exists() && fs::read(&kept).unwrap() == SPEC.as_bytes());
}

#[test]
fn folds_are_measured_in_float_and_int8() {
    let (folder, spec, _) = written(&SPEC.replace("epochs = 60", "epochs = 3"));
    let folds = good(["train", &spec, "--folds=3", "--json"]);
    let report = folds.json();
    let rows = report["folds"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    let accuracy = |key: &str| rows.iter().map(|row| row[key].as_f64().unwrap()).sum::<f64>() / 3.0;
    for key in ["accuracy", "int8_accuracy"] {
        assert!((accuracy(key) - report["mean"][key].as_f64().unwrap()).abs() < 1e-12);
        assert!(report["mean"][key].as_f64().unwrap() > 0.85, "{report}");
        assert!(report["deviation"][key].as_f64().unwrap() < 0.1);
    }
    assert!(folds.stderr.contains("Fold 3/3") && folds.stderr.contains("deviation"), "{}", folds.stderr);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    run(["train", &spec, "--folds=1"]).fails(2, "--folds");
    run(["train", &spec, "--folds=3", "--resume"]).fails(2, "--resume");
}

/// Rows of 24 groups, each with an input of its own that tells the class: who has seen a group knows it, and nobody else.
#[test]
fn folds_leave_out_whole_groups() {
    let (folder, spec, _) = written(
        r#"
[model]
name = "m"
input = [24]
[[layer]]
type = "dense"
units = 2
activation = "softmax"
[data]
source = "csv"
path = "data.csv"
target = "y"
group = "g"
validation = 0.25
test = 0.25
[train]
epochs = 60
batch = 8
optimizer = { type = "adam", learning_rate = 0.05 }
"#,
    );
    let names: Vec<String> = (0..24).map(|i| format!("x{i}")).collect();
    let mut csv = format!("g,{},y\n", names.join(","));
    for row in 0..240 {
        let group = row % 24;
        let inputs: Vec<_> = (0..24).map(|i| if i == group { "1" } else { "0" }).collect();
        csv += &format!("person {group},{},{}\n", inputs.join(","), if group % 2 == 0 { "a" } else { "b" });
    }
    fs::write(folder.path().join("data.csv"), &csv).unwrap();
    let accuracy =
        || good(["train", &spec, "--folds=4", "--json"]).json()["mean"]["accuracy"].as_f64().unwrap();
    let by_groups = accuracy();
    let text = fs::read_to_string(&spec).unwrap().replace("group = \"g\"", "ignore = [\"g\"]");
    fs::write(&spec, text).unwrap();
    let by_rows = accuracy();
    assert!(by_groups < 0.8 && by_rows > 0.99, "{by_groups} and {by_rows}");
}

#[test]
fn a_trained_body_gets_another_head() {
    let (folder, spec, out) = written(&SPEC.replace("epochs = 60", "epochs = 2"));
    good(["train", &spec, "--out", &out]);
    let (second, other) = (folder.path().join("second.toml"), folder.path().join("other"));
    let keys = "[train]\nfrom = \"out/model.safetensors\"\nfreeze = [\"hid*\"]\nreplace_head = true";
    fs::write(&second, SPEC.replace("[train]", keys).replace("epochs = 60", "epochs = 2")).unwrap();
    let run =
        good(["train".as_ref(), second.as_os_str(), "--json".as_ref(), "--out".as_ref(), other.as_os_str()]);
    for line in
        ["loaded: hidden", "new: output (the head is replaced)", "not taken over: output", "frozen: hidden"]
    {
        assert!(run.stderr.contains(line), "{}", run.stderr);
    }
    let report = run.json();
    assert_eq!(report["transfer"]["loaded"], serde_json::json!(["hidden"]));
    assert_eq!(report["frozen"], serde_json::json!(["hidden"]));
    // The specification beside the model finds the trained model, too.
    assert!(fs::read_to_string(other.join("spec.toml")).unwrap().contains(folder.path().to_str().unwrap()));
}

#[test]
fn a_rate_is_suggested() {
    let (folder, spec, _) = written(SPEC);
    let svg = folder.path().join("charts");
    let found = good([
        "lr-find".as_ref(),
        spec.as_ref(),
        "--json".as_ref(),
        "--plot".as_ref(),
        "--svg".as_ref(),
        svg.as_os_str(),
    ]);
    let report = found.json();
    let rate = report["suggested"].as_f64().unwrap();
    assert!((1e-4..0.3).contains(&rate), "{rate}");
    assert!(report["points"].as_array().unwrap().len() > 50);
    assert!(found.stderr.contains("suggested learning rate") && found.stderr.contains("learning rate"));
    assert!(fs::read_to_string(svg.join("learning-rate.svg")).unwrap().starts_with("<svg"));
    run(["lr-find", &spec, "--from=1", "--to=0.1"]).fails(2, "it rises");
}
