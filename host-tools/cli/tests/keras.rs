//! The command alone can be compared with Keras: `--init`, `shuffle = false` and `--per-step` give the losses that Keras has
//! from the same weights on the same batches.

mod support;

use milligrad_host::data::{Targets, digits, npz::Npz};
use milligrad_host::spec::Spec;
use milligrad_host::{ConstantId, model_file};
use std::fs;
use std::path::Path;
use support::{good, npz};

#[test]
fn losses_of_steps_are_those_of_keras() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let file = Npz::read(&golden.join("keras.npz")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();

    // The first 400 digits in file order; the test part matters to nobody.
    let data = digits::all().unwrap().take(400);
    let Targets::Classes(labels) = &data.targets else { panic!("digits have labels") };
    let pixels: Vec<u8> = data.inputs.iter().flat_map(|x| (x / 16.0).to_le_bytes()).collect();
    let labels: Vec<u8> = labels.iter().map(|&label| label as u8).collect();
    let arrays: [(&str, &str, &[usize], Vec<u8>); 4] = [
        ("x", "<f4", &[400, 64], pixels.clone()),
        ("y", "|u1", &[400], labels.clone()),
        ("tx", "<f4", &[400, 64], pixels),
        ("ty", "|u1", &[400], labels),
    ];
    npz(&path("digits.npz"), &arrays);
    let text = fs::read_to_string(golden.join("keras/mlp_relu.toml")).unwrap();
    let source = "source = \"npz\"\npath = \"digits.npz\"\ntest_features = \"tx\"\ntest_target = \"ty\"\nvalidation = 0";
    fs::write(path("spec.toml"), text.replace("source = \"digits\"", source)).unwrap();

    let mut graph = Spec::read(path("spec.toml")).unwrap().graph(&[], 0).unwrap();
    for index in 0..graph.constants.len() {
        let name = format!("mlp_relu.init.{}", graph.constants[index].name);
        graph.set_values(ConstantId(index), &file.get(&name).unwrap().to_f32()).unwrap();
    }
    model_file::save(&graph, path("weights.safetensors")).unwrap();

    let (spec, weights, run) = (path("spec.toml"), path("weights.safetensors"), path("run"));
    let report = good(["train", &spec, "--init", &weights, "--per-step", "--json", "--out", &run]).json();
    let steps = report["steps"].as_array().unwrap();
    let losses = file.get("mlp_relu.loss").unwrap().to_f32();
    assert_eq!((steps.len(), losses.len()), (50, 50));
    for (step, (ours, keras)) in steps.iter().zip(losses).enumerate() {
        let ours = ours["loss"].as_f64().unwrap();
        let error = (ours / f64::from(keras) - 1.0).abs();
        assert!(error < 1e-4, "step {step}: {ours}, Keras {keras}");
    }
}
