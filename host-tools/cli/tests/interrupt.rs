//! Ctrl-C in training: the last epoch's checkpoint survives, and a resumed run ends in the same bytes.
#![cfg(unix)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use support::{Run, example, good, milligrad, run};

const EPOCHS: &str = "--epochs=400";

fn arguments(out: &Path) -> Vec<String> {
    ["train", example("digits-mlp").to_str().unwrap(), EPOCHS, "--out", out.to_str().unwrap()]
        .map(String::from)
        .into()
}

/// Trains until some epochs are done, then presses Ctrl-C.
fn interrupted(out: &Path, more: &[&str], epochs: usize) -> Run {
    let mut child = milligrad()
        .args(arguments(out))
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut stderr: String = lines.by_ref().filter(|line| line.starts_with("Epoch")).take(epochs).collect();
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    stderr.extend(lines);
    let output = child.wait_with_output().unwrap();
    Run { stderr, ..Run::of(output) }
}

#[test]
fn a_resumed_run_ends_in_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    good(arguments(&whole));
    interrupted(&parts, &[], 5).fails(130, "goes on from there");
    assert!(!parts.join("model.safetensors").exists());
    interrupted(&parts, &["--resume", "--threads=1"], 5).fails(130, "--resume` goes on");
    let mut resume = arguments(&parts);
    resume.push("--resume".into());
    let last = good(&resume);
    assert!(last.stderr.contains("going on after epoch"), "{}", last.stderr);
    let bytes = |folder: &Path| fs::read(folder.join("model.safetensors")).unwrap();
    assert!(bytes(&whole) == bytes(&parts), "the resumed run differs");
    let epochs = |folder: &Path| fs::read_to_string(folder.join("history.csv")).unwrap().lines().count();
    assert_eq!((epochs(&whole), epochs(&parts)), (401, 401));
    // Nothing is left to do, and nothing changes.
    good(&resume);
    assert!(bytes(&whole) == bytes(&parts));
}

#[test]
fn resuming_what_does_not_fit_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let spec = example("digits-mlp");
    let train =
        |more: &[&str]| run([&["train", spec.to_str().unwrap(), "--out", out, "--epochs=2"], more].concat());
    train(&["--resume"]).fails(2, "nothing to resume");
    assert_eq!(train(&[]).code, 0);
    train(&["--resume", "--seed=5"]).fails(2, "seed was 0 and is 5");
    let checkpoint = folder.path().join("checkpoint.safetensors");
    let bytes = fs::read(&checkpoint).unwrap();
    fs::write(&checkpoint, &bytes[..bytes.len() / 2]).unwrap();
    train(&["--resume"]).fails(2, "checkpoint.safetensors");
}
