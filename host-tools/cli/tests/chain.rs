//! From a specification to source code, and what every command says on the way.

mod support;

use serde_json::{Value, json};
use std::fs;
use support::{Trained, example, good, npz, run};

#[track_caller]
fn has(value: &Value, keys: &[&str]) {
    for key in keys {
        assert!(value.get(key).is_some_and(|value| !value.is_null()), "no `{key}` in {value}");
    }
}

#[test]
fn every_command_has_its_keys() {
    let trained = Trained::digits();
    let (model, int8) = (trained.model(), trained.int8());

    let eval = good(["eval", &model, "--json"]).json();
    has(&eval, &["name", "dtype", "data", "loss"]);
    assert_eq!((eval["dtype"].as_str(), eval["samples"].as_u64()), (Some("f32"), Some(360)));
    let accuracy = eval["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{accuracy}");
    let eval = good(["eval", &int8, "--json", "--data=digits"]).json();
    assert!((eval["accuracy"].as_f64().unwrap() - accuracy).abs() < 0.02, "{eval}");
    assert_eq!(eval["dtype"], "int8");

    let quantize =
        good(["quantize", &model, "--calibration=50", "--json", "--out", &trained.path("q")]).json();
    assert_eq!(
        (quantize["calibration"].as_u64(), quantize["model"].as_str()),
        (Some(50), Some(&*trained.path("q")))
    );
    has(&quantize["accuracy"], &["f32", "int8"]);
    let aware =
        ["quantize", &model, "--scheme=int8", "--qat-epochs=2", "--json", "--out", &trained.path("a")];
    let aware = good(aware).json();
    assert_eq!(aware["qat_epochs"], 2);
    assert!((aware["accuracy"]["int8"].as_f64().unwrap() - accuracy).abs() < 0.02, "{aware}");
    let twice = ["quantize", &model, "--qat-epochs=2", "--threads=1", "--out", &trained.path("b")];
    good(twice);
    assert_eq!(fs::read(trained.path("a")).unwrap(), fs::read(trained.path("b")).unwrap());

    let analyze = good(["analyze", &int8, "--json"]).json();
    has(&analyze, &["parameters", "weight_bytes", "constant_bytes", "arena_bytes", "ram_bytes"]);
    assert_eq!((analyze["macs"].as_u64(), analyze["layers"].as_array().unwrap().len()), (Some(2368), 3));
    has(&analyze["layers"][0], &["name", "op", "kernel", "shape", "parameters", "macs"]);

    let source = trained.path("model.rs");
    let export = good(["export", &int8, "--format=rust", "--out", &source, "--json"]).json();
    assert_eq!(export["learns"], false);
    assert!(
        fs::read_to_string(&source).unwrap().starts_with("// milligrad model: name=digits-mlp learns=no")
    );
    let learns = ["export", &model, "--out", &source, "--trainable=last:1", "--optimizer=momentum", "--json"];
    assert_eq!(good(learns).json()["learns"], true);

    for model in [&model, &int8] {
        let validate = good(["validate", model, "--json", "--samples=20"]).json();
        let expected = serde_json::json!({
            "schema": 1, "name": "digits-mlp", "samples": 20, "values": 200, "mismatches": 0, "max_abs_diff": 0.0, "on": "host",
            "rounding": "tflm", "first_differing_layer": null
        });
        assert_eq!(validate, expected);
    }
}

#[test]
fn people_get_tables_and_programs_one_object() {
    let trained = Trained::digits();
    let people = good(["analyze", &trained.int8()]);
    assert!(people.stdout.contains("dense_1") && people.stdout.contains("total"), "{}", people.stdout);
    assert!(good(["analyze", &trained.int8(), "--json"]).stderr.contains("dense_1"));
    let quiet = good(["analyze", &trained.int8(), "--json", "-q"]);
    assert_eq!((quiet.stdout.lines().count(), quiet.stderr.as_str()), (1, ""));
    assert!(good(["--help"]).stdout.contains("Train the model"));
}

/// An int8 model learns: its head thaws, and what it learned is a model as any other.
#[test]
fn what_a_device_learned_is_kept() {
    let trained = Trained::digits();
    let out = trained.path("adapted.safetensors");
    let learn = |trainable: &str| {
        let arguments =
            ["--data=digits", "--steps=200", "--learning-rate=0.02", "--guard", "--out", &out, "--json"];
        run([&["learn", &trained.int8(), "--trainable", trainable][..], &arguments].concat())
    };
    let report = learn("last:1").json();
    has(&report, &["accuracy", "refused", "on"]);
    assert_eq!((report["steps"].as_u64(), report["refused"].as_u64()), (Some(200), Some(0)));
    let first = fs::read(&out).unwrap();
    let measured = good(["eval", &out, "--data=digits", "--json"]).json();
    assert_eq!(measured["accuracy"], report["accuracy"]["after"]);
    let cost = good(["analyze", &out, "--train", "--trainable=last:1", "--json"]).json();
    has(&cost["training"], &["ram_bytes", "instructions", "layers"]);
    learn("last:1");
    assert!(fs::read(&out).unwrap() == first, "the same steps give the same bytes");
    // In batches: other steps, and bits that are always the same; the exported source says so.
    let batches = |more: &[&str]| {
        let model = trained.int8();
        run([&["learn", &model, "--data=digits", "--trainable=last:1", "--out", &out, "--json"], more]
            .concat())
    };
    let report = batches(&["--batch=8", "--learning-rate=0.1", "--guard"]).json();
    assert_eq!((report["steps"].as_u64(), report["batch"].as_u64()), (Some(1293 / 8), Some(8)));
    assert_eq!((report["refused"].as_u64(), report["refused_updates"].as_u64()), (Some(0), Some(0)));
    let summed = fs::read(&out).unwrap();
    assert!(summed != first);
    batches(&["--batch=8", "--learning-rate=0.1", "--guard", "--batches", "--steps=161"]);
    assert!(fs::read(&out).unwrap() == summed);
    batches(&["--batches"]).fails(2, "add --batch N");
    batches(&["--batch=0"]).fails(2, "0 is not in");
    batches(&["--batch=1294"]).fails(2, "1294 samples is more than the 1293");
    let report = batches(&["--batch=2", "--dtype=fixed16", "--steps=100"]).json();
    assert_eq!((report["refused"].as_u64(), report["steps"].as_u64()), (Some(0), Some(100)));
    // Exponents that each step chooses.
    let dynamic = |more: &[&str]| batches(&[&["--exponents=dynamic"], more].concat());
    let report = dynamic(&["--dtype=fixed16", "--steps=300", "--guard"]).json();
    assert_eq!((report["refused"].as_u64(), report["steps"].as_u64()), (Some(0), Some(300)));
    assert_eq!(report["saturated"], json!({ "activations": 0, "deltas": 0, "weights": 0 }));
    let adapted = good(["eval", &out, "--data=digits", "--json"]).json();
    let [as_floats, on_device] =
        [&adapted["accuracy"], &report["accuracy"]["after"]].map(|a| a.as_f64().unwrap());
    assert!((as_floats - on_device).abs() < 0.006, "{as_floats} in floats, {on_device}");
    dynamic(&["--dtype=fixed16", "--batch=4"]).fails(2, "--exponents static");
    dynamic(&[]).fails(2, "use --dtype fixed16");
    // A rate that falls, by the names that specifications have.
    let constant = batches(&["--steps=200", "--schedule=constant"]).json();
    let kept = fs::read(&out).unwrap();
    let falling = batches(&["--steps=200", "--schedule=cosine"]).json();
    assert_eq!((&constant["schedule"], &falling["schedule"]), (&"constant".into(), &"cosine:0:0".into()));
    assert!(fs::read(&out).unwrap() != kept, "the rate fell");
    batches(&["--steps=20", "--schedule=cosine:20:0.5"]).fails(2, "a warm-up of 20 steps leaves none");
    batches(&["--schedule=plateau"]).fails(2, "no validation data");
    learn("head").fails(2, "there is no layer `head`; those that can learn are dense, dense_1");
    learn("softmax").fails(2, "layer `softmax` (Softmax): it has nothing that can learn");
}

#[test]
fn training_reports_epochs_and_steps() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new/run");
    let spec = example("digits-mlp");
    let train = |more: &[&str]| {
        let mut arguments =
            vec!["train", spec.to_str().unwrap(), "--json", "--epochs=2", "--out", out.to_str().unwrap()];
        arguments.extend(more);
        good(arguments)
    };
    let all = train(&["--per-step", "--threads=2"]);
    let report = all.json();
    let epochs = report["epochs"].as_array().unwrap();
    assert_eq!(epochs.len(), 2);
    has(&epochs[1], &["loss", "accuracy", "val_loss", "val_accuracy", "seconds", "cpu_seconds"]);
    has(&report, &["test_accuracy", "model", "parameters"]);
    assert_eq!(report["steps"].as_array().unwrap().len(), 2 * 1293usize.div_ceil(32));
    has(&report["steps"][0], &["loss"]);
    assert!(all.stderr.contains("Epoch 2/2") && all.stderr.contains("val_accuracy"), "{}", all.stderr);
    let history = fs::read_to_string(out.join("history.csv")).unwrap();
    assert!(history.starts_with("epoch,loss,accuracy,val_loss") && history.lines().count() == 3, "{history}");

    let bytes = || fs::read(out.join("model.safetensors")).unwrap();
    let first = bytes();
    train(&["--threads=1"]);
    assert!(bytes() == first, "the number of threads matters");
    train(&["--seed=1"]);
    assert!(bytes() != first, "the seed does not matter");
    // With the trained weights to begin with, the first step's loss is low.
    fs::write(out.join("w"), &first).unwrap();
    let again = train(&["--per-step", "--init", out.join("w").to_str().unwrap()]).json();
    let loss = |report: &Value| report["steps"][0]["loss"].as_f64().unwrap();
    assert!(loss(&again) < loss(&report) / 2.0, "{} {}", loss(&again), loss(&report));
}

#[test]
fn golden_vectors_are_compared_value_by_value() {
    let trained = Trained::digits();
    let path = trained.path("golden.npz");
    // An input of zeros and whatever comes out of it: at most a few of the values can be right by chance.
    let floats = |n: usize, x: f32| vec![x; n].iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    npz(&path, &[("input", "<f4", &[2, 64], floats(128, 3.0)), ("output", "<f4", &[2, 10], floats(20, 2.0))]);
    let wrong = run(["validate", &trained.model(), "--golden", &path, "--json"]);
    assert_eq!(wrong.code, 1, "{}", wrong.stderr);
    let report = wrong.json();
    assert_eq!((report["samples"].as_u64(), report["values"].as_u64()), (Some(2), Some(20)));
    assert_eq!(report["mismatches"], 20);
    assert!(report["max_abs_diff"].as_f64().unwrap() > 1.0);
    assert_eq!(run(["validate", &trained.model(), "--golden", &path, "--tolerance=2.1"]).code, 0);

    npz(&path, &[("input", "|i1", &[1, 64], vec![128; 64]), ("output", "|i1", &[1, 10], vec![127; 10])]);
    let wrong = run(["validate", &trained.int8(), "--golden", &path, "--json"]);
    assert_eq!((wrong.code, wrong.json()["values"].as_u64()), (1, Some(10)));
    run(["validate", &trained.model(), "--golden", &path]).fails(2, "the model has floats there");
    npz(&path, &[("input", "|i1", &[1, 63], vec![0; 63]), ("output", "|i1", &[1, 10], vec![0; 10])]);
    run(["validate", &trained.int8(), "--golden", &path]).fails(2, "`input` is [1, 63]");
    npz(&path, &[("input", "|i1", &[2, 64], vec![0; 128]), ("output", "|i1", &[1, 10], vec![0; 10])]);
    run(["validate", &trained.int8(), "--golden", &path]).fails(2, "2 inputs with 1 outputs");
    npz(&path, &[("x", "|i1", &[1], vec![0])]);
    run(["validate", &trained.int8(), "--golden", &path]).fails(2, "no array `input`");
}

#[test]
fn a_sweep_keeps_its_trials_and_chooses_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let text = fs::read_to_string(example("digits-mlp")).unwrap().replacen(
        "type = \"dense\"",
        "name = \"hidden\"\ntype = \"dense\"",
        1,
    );
    let sweep = "\n[target]\nram_budget = \"500 B\"\n[sweep]\nepochs = 3\n[sweep.choices]\n\"hidden.units\" = [4, 16, 900]\n";
    fs::write(path("spec.toml"), text + sweep).unwrap();
    let out = path("out");
    let command = ["sweep", &path("spec.toml"), "--out", &out, "--json"];
    let first = good([&command[..], &["--jobs=2"]].concat()).json();
    let trials = first["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 3);
    assert!(trials[2]["problem"].as_str().unwrap().contains("ram_budget"), "{first}");
    let best = trials.iter().find(|trial| trial["key"] == first["best"]["key"]).unwrap();
    assert_eq!((best["choices"]["hidden.units"].as_u64(), best["pareto"].as_bool()), (Some(16), Some(true)));
    assert!(fs::metadata(path("out/model-int8.safetensors")).is_ok());
    assert_eq!(good(command).json(), first);
    let missed = run([&command[..], &["--at-least=1"]].concat());
    assert_eq!((missed.code, missed.stdout.lines().count()), (1, 1), "{}", missed.stdout);
    assert!(missed.json()["error"].as_str().unwrap().contains("no trial reaches"));
    run(["sweep", example("digits-mlp").to_str().unwrap()]).fails(2, "there is no [sweep]");
}

#[test]
fn learning_goes_on_in_the_unit_that_training_scaled() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let rows: Vec<String> = (0..120).map(|i| format!("{i},{}\n", 5000 + 300 * i)).collect();
    fs::write(path("houses.csv"), format!("area,price\n{}", rows.concat())).unwrap();
    let spec = r#"
        model = { name = "houses", input = [1] }
        data = { source = "csv", path = "houses.csv", target = "price", scale = "standard", target_scale = "standard" }
        train = { loss = "mse", optimizer = { type = "adam", learning_rate = 0.05 }, epochs = 30 }
        [[layer]]
        type = "dense"
        units = 1
    "#;
    fs::write(path("spec.toml"), spec).unwrap();
    good(["train", &path("spec.toml"), "--out", &path("run")]);
    let model = path("run/model.safetensors");
    let learn = good(["learn", &model, "--out", &path("adapted.safetensors"), "--json"]).json();
    let error = |when: &str| learn["mean_squared_error"][when].as_f64().unwrap();
    // The variance of the prices is about 1e8.
    assert!(error("after") < 1e6 && error("before") < 1e7, "{learn}");
    run(["learn", &model, "--out", &path("x"), "--learning-rate=nan"]).fails(2, "no number above 0");
    assert!(!folder.path().join("x").exists());
}
