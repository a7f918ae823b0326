//! Models on emulated boards, and the command that flashes a real one. Skipped where tools are missing.
#![cfg(unix)]

mod support;

use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use support::{Run, Trained, good, milligrad, run};

#[test]
fn doctor_says_what_there_is() {
    let doctor = run(["doctor", "--json"]);
    let report = doctor.json();
    assert_eq!(doctor.code == 0, report["ok"].as_bool().unwrap());
    let tools = report["tools"].as_array().unwrap();
    assert!(tools.iter().any(|tool| tool["name"] == "qemu-system-arm"));
    assert!(
        tools.iter().all(|tool| tool["found"].is_string() || !tool["remedy"].as_str().unwrap().is_empty())
    );
}

/// Two classes behind one sigmoid: a board takes the class as a number.
#[test]
fn one_sigmoid_learns_on_a_board() {
    if run(["doctor"]).code != 0 {
        eprintln!("skipped: `milligrad doctor` misses something");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let rows =
        (0..60).map(|i| format!("{},{},{}\n", i % 7, i % 5, if i % 7 > i % 5 { "more" } else { "less" }));
    fs::write(path("data.csv"), format!("a,b,y\n{}", rows.collect::<String>())).unwrap();
    let spec = r#"
[model]
name = "m"
input = [2]
[[layer]]
type = "dense"
units = 4
activation = "tanh"
[[layer]]
type = "dense"
units = 1
activation = "sigmoid"
[data]
source = "csv"
path = "data.csv"
target = "y"
[train]
epochs = 2
batch = 8
"#;
    fs::write(path("spec.toml"), spec).unwrap();
    good(["train", &path("spec.toml"), "--out", &path("run")]);
    let (model, out) = (path("run/model.safetensors"), path("adapted.safetensors"));
    let learn = ["learn", &model, "--on=mps2-an385", "--out", &out, "--trainable=all", "--json"];
    for more in [&["--dtype=fixed16", "--batch=4"][..], &[]] {
        let more = [more, &["--learning-rate=0.125", "--steps=12"]].concat();
        let report = good([&learn[..], &more].concat()).json();
        assert_eq!(["steps", "differing"].map(|key| report[key].as_u64()), [12, 0].map(Some), "{report}");
    }
}

#[test]
fn a_model_on_boards() {
    if run(["doctor"]).code != 0 {
        eprintln!("skipped: `milligrad doctor` misses something");
        return;
    }
    let trained = Trained::digits();
    let validate = good(["validate", &trained.int8(), "--on=qemu", "--json", "--samples=50"]).json();
    let expected = json!({
        "schema": 1, "name": "digits-mlp", "samples": 50, "values": 500, "mismatches": 0, "max_abs_diff": 0.0,
        "on": "mps2-an386", "rounding": "tflm", "first_differing_layer": null
    });
    assert_eq!(validate, expected);

    let profile = good(["profile", &trained.int8(), "--board=mps2-an386", "--json"]).json();
    let keys = ["instructions", "arena_bytes", "stack_bytes", "code_bytes", "constant_bytes"];
    assert!(keys.iter().all(|key| profile[key].as_u64().is_some_and(|value| value > 0)), "{profile}");
    assert_eq!((profile["board"].as_str(), profile["macs"].as_u64()), (Some("mps2-an386"), Some(2368)));
    let layers = profile["layers"].as_array().unwrap();
    assert_eq!(
        layers.iter().map(|layer| layer["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["dense", "dense_1", "softmax"]
    );
    let keys = ["name", "op", "macs", "instructions", "kernel"];
    assert!(layers.iter().all(|layer| keys.iter().all(|key| !layer[key].is_null())), "{profile}");
    assert_eq!(profile["panics"], json!([]));

    // What a board learns in batches is what the desk does; `learn` fails where a parameter differs.
    let out = trained.path("adapted.safetensors");
    let learn = ["learn", &trained.int8(), "--data=digits", "--on=qemu", "--out", &out, "--json"];
    let report = good([&learn[..], &["--batch=5", "--steps=40", "--trainable=last:1"]].concat()).json();
    let figures = ["steps", "batch", "differing"].map(|key| report[key].as_u64());
    assert_eq!(figures, [40, 5, 0].map(Some), "{report}");
    let on_board = fs::read(&out).unwrap();
    good([&learn[..3], &["--out", &out, "--batch=5", "--steps=40", "--trainable=last:1"]].concat());
    assert!(fs::read(&out).unwrap() == on_board);

    run(["validate", &trained.int8(), "--on=nrf52840-dk"]).fails(3, "not in QEMU");

    let flash = ["flash", &trained.int8(), "--board=nrf52840-dk", "--json"];
    let dry = good([&flash[..], &["--dry-run"]].concat()).json();
    assert_eq!((dry["ran"].as_bool(), dry["chip"].as_str()), (Some(false), Some("nRF52840_xxAA")));
    good(["flash", &trained.model(), "--trainable=last:1", "--board=nrf52840-dk", "--dry-run"]);
    run(["flash", &trained.model(), "--board=nrf52840-dk", "--dry-run"]).fails(2, "an int8 model");
    let command: Vec<&str> =
        dry["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(command[..4], ["probe-rs", "run", "--chip", "nRF52840_xxAA"]);
    // A probe-rs that finds no probe, and one that works.
    for (script, code) in [("exit 1", 3), ("exit 0", 0)] {
        let bin = trained.path("bin");
        fs::create_dir_all(&bin).unwrap();
        let program = format!("{bin}/probe-rs");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
        let flashed = Run::of(milligrad().args(flash).env("PATH", path).output().unwrap());
        assert_eq!(flashed.code, code, "{}", flashed.stderr);
    }
}

/// An installed command has no checkout around it: it carries what it builds from.
#[test]
fn profiles_without_a_checkout() {
    if run(["doctor"]).code != 0 {
        eprintln!("skipped: `milligrad doctor` misses something");
        return;
    }
    let cache = tempfile::tempdir().unwrap();
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/tflite/ports-difference.tflite");
    let model_here = cache.path().join("model.tflite");
    fs::copy(model, &model_here).unwrap();
    let mut profile = milligrad();
    profile.args(["profile", "model.tflite", "--board", "mps2-an386", "--json"]);
    profile
        .current_dir(cache.path())
        .env("MILLIGRAD_ROOT", "")
        .env("MILLIGRAD_CACHE", cache.path().join("cache"));
    let profile = Run::of(profile.output().unwrap());
    assert_eq!(profile.code, 0, "{}", profile.stderr);
    let instructions = profile.json()["instructions"].as_u64();
    assert!(instructions.is_some_and(|count| count > 10_000), "{instructions:?}");
    let unpacked: Vec<_> =
        fs::read_dir(cache.path().join("cache")).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(unpacked.len(), 1, "{unpacked:?}");
    assert!(unpacked[0].file_name().to_string_lossy().starts_with("sources-"));
}
