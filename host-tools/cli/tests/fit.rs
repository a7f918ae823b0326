//! How `train` ends: early stopping, the best model.

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
