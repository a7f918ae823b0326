//! Whatever is wrong, the message says where, and the exit code is 2.

mod support;

use std::fs;
use support::{Trained, example, run};

#[test]
fn specifications() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let good = fs::read_to_string(example("digits-mlp")).unwrap();
    let path = folder.path().join("spec.toml");
    let train = |text: &str| {
        fs::write(&path, text).unwrap();
        run(["train", path.to_str().unwrap(), "--out", out.to_str().unwrap(), "--json"])
    };
    let unknown = train(&good.replace("epochs", "epoch"));
    unknown.fails(2, "unknown key `epoch` in [train]");
    assert!(unknown.stderr.contains("spec.toml:") && unknown.stderr.contains("^^^^^"), "{}", unknown.stderr);
    assert!(unknown.json()["error"].as_str().unwrap().contains("epoch"));
    assert!(!out.exists(), "nothing is made for a specification that is wrong");
    train(&good.replace("units = 10", "units = 9")).fails(2, "10 classes");
    train("").fails(2, "[model] is missing");
    let csv = "source = \"csv\"\npath = \"data.csv\"\ntarget = \"y\"";
    train(&good.replace("source = \"digits\"", csv)).fails(2, "data.csv");
    fs::write(folder.path().join("data.csv"), "y,a\n1,NaN\n").unwrap();
    train(&good.replace("source = \"digits\"", csv)).fails(2, "line 2: `NaN` in column `a`");
    run(["train", "nowhere.toml"]).fails(2, "nowhere.toml");
    train(&good.replace("0.003", "1e30")).fails(1, "diverged in epoch 1");
}

#[test]
fn folders_that_can_not_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let spec = example("digits-mlp");
    let out = file.join("run");
    let failed = run(["train", spec.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    failed.fails(2, "file");
    assert!(!failed.stderr.contains("Epoch"), "it trained before it found out: {}", failed.stderr);
    let trained = Trained::digits();
    run(["export", &trained.int8(), "--out", out.to_str().unwrap()]).fails(2, "file");
    run(["quantize", &trained.model(), "--out", out.to_str().unwrap()]).fails(2, "file");
}

#[test]
fn models() {
    let trained = Trained::digits();
    let damaged = trained.path("damaged.safetensors");
    let bytes = fs::read(trained.model()).unwrap();
    fs::write(&damaged, &bytes[..bytes.len() - 1]).unwrap();
    for command in ["eval", "quantize", "analyze", "validate", "profile"] {
        run([command, &damaged]).fails(2, "damaged.safetensors: this is no safetensors file");
        run([command, "nowhere.safetensors"]).fails(2, "nowhere.safetensors");
    }
    run(["eval", &trained.path("checkpoint.safetensors")]).fails(2, "checkpoint.safetensors");
    run(["quantize", &trained.int8()]).fails(2, "quantised already");
    run(["export", &trained.int8(), "--out", &trained.path("m.rs"), "--trainable=dense_9"])
        .fails(2, "dense_9");
    run([
        "train",
        example("digits-cnn").to_str().unwrap(),
        "--init",
        &trained.model(),
        "--out",
        &trained.path("x"),
    ])
    .fails(2, "conv2d/weights");
}

#[test]
fn data() {
    let trained = Trained::digits();
    run(["eval", &trained.model(), "--data=nothing.txt"]).fails(2, "an NPZ file");
    run(["eval", &trained.model(), "--data=nothing.npz"]).fails(2, "nothing.npz");
    run(["eval", &trained.model(), "--data", &trained.path("")]).fails(2, "train-images-idx3-ubyte");
    fs::remove_file(trained.path("spec.toml")).unwrap();
    run(["eval", &trained.model()]).fails(2, "name the data with --data");
}

#[test]
fn arguments() {
    for arguments in [
        &["train"][..],
        &["frobnicate"],
        &["eval", "m", "--frobnicate"],
        &["train", "s", "--epochs=0"],
        &["sweep", "s", "--at-least=90"],
        &["train", "s", "--resume", "--init=w"],
        &["export", "m", "--out=x", "--trainable=some"],
        &["export", "m", "--out=x", "--format=c"],
        &["flash", "--board=nrf52840-dk"],
        &["validate", "m", "--on=arduino"],
        &["profile", "m", "--board=arduino"],
        &["flash", "m", "--board=qemu"],
    ] {
        let failed = run(arguments);
        assert_eq!(failed.code, 2, "{arguments:?}: {}", failed.stderr);
        assert!(failed.stdout.is_empty() && !failed.stderr.is_empty());
        let failed = run(arguments.iter().chain(&["--json"]));
        assert!(failed.code == 2 && failed.json()["error"].is_string(), "{arguments:?}: {}", failed.stdout);
    }
}
