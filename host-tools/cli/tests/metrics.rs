//! `eval`, `predict` and `summary`, the metrics that `train` shows, and the charts of all of them.

mod support;

use serde_json::Value;
use std::fs;
use support::{Trained, good, npz, run};

/// A folder with `spec.toml` and a line with noise as `data.csv`, trained and quantised.
fn line(loss: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let spec = format!(
        "[model]\nname = \"line\"\ninput = [1]\n[[layer]]\ntype = \"dense\"\nunits = 1\n[data]\nsource = \"csv\"\n\
         path = \"data.csv\"\ntarget = \"y\"\nscale = \"standard\"\ntarget_scale = \"standard\"\n[train]\nloss = {loss}\n\
         metrics = [\"mae\", \"r2\"]\nepochs = 40\nbatch = 8\noptimizer = {{ type = \"sgd\", learning_rate = 0.1 }}\n"
    );
    let rows = (0..200).map(|i| format!("{},{}\n", i, 3 * i + 1000 + 40 * (i * 7 % 11)));
    fs::write(folder.path().join("data.csv"), "x,y\n".to_string() + &rows.collect::<String>()).unwrap();
    fs::write(folder.path().join("spec.toml"), spec).unwrap();
    folder
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("no number `{key}` in {value}"))
}

#[test]
fn eval_tells_all_metrics_of_classes() {
    let trained = Trained::digits();
    for model in [trained.model(), trained.int8()] {
        let charts = trained.path("charts");
        let people = good(["eval", &model, "--plot", "--svg", &charts]).stdout;
        for part in ["precision", "macro average", "top 3", "AUC", "rows: true, columns: predicted"] {
            assert!(people.contains(part), "`{part}` is not in {people}");
        }
        assert!(!people.contains('\u{1b}'), "colours are for terminals alone");
        assert!(fs::read_to_string(format!("{charts}/confusion.svg")).unwrap().starts_with("<svg"));

        let eval = good(["eval", &model, "--json", "--plot"]).json();
        let rows: Vec<Vec<u64>> = serde_json::from_value(eval["confusion"].clone()).unwrap();
        let right: u64 = (0..10).map(|i| rows[i][i]).sum();
        assert_eq!(rows.iter().flatten().sum::<u64>(), 360);
        assert_eq!(number(&eval, "accuracy"), right as f64 / 360.0);
        // The share of the right among all is the recall, weighted with the samples of each class.
        assert!((number(&eval["weighted"], "recall") - number(&eval, "accuracy")).abs() < 1e-12);
        assert!(number(&eval, "auc") > 0.98 && number(&eval, "top_3") > number(&eval, "accuracy"));
        assert_eq!(eval["classes"][3]["name"], "3");
        assert_eq!(eval["classes"][3]["support"], rows[3].iter().sum::<u64>());
        assert_eq!(eval["loss"].is_null(), model.ends_with("int8.safetensors"));
    }
}

#[test]
fn numbers_are_in_the_unit_of_the_target_for_every_loss() {
    for loss in ["\"mean_squared_error\"", "\"mean_absolute_error\"", "{ type = \"huber\", delta = 0.5 }"] {
        let folder = line(loss);
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let train =
            ["train", &path("spec.toml"), "--out", &path(""), "--plot", "--svg", &path("charts"), "--json"];
        let run = good(train);
        assert!(run.stderr.contains("losses are those of the standardised target"), "{}", run.stderr);
        assert!(
            run.stderr.contains("val_mae: ") && run.stderr.contains("in its own unit: MAE "),
            "{}",
            run.stderr
        );
        let last = run.json()["epochs"].as_array().unwrap().last().unwrap().clone();
        let header = fs::read_to_string(path("history.csv")).unwrap();
        assert!(header.starts_with("epoch,loss,") && header.contains(",val_mae,val_r2\n"), "{header}");
        for chart in ["loss", "mae", "r2"] {
            assert!(fs::read_to_string(path(&format!("charts/{chart}.svg"))).unwrap().contains("<polyline"));
        }
        good(["quantize", &path("model.safetensors")]);
        let eval = |model: &str| good(["eval", &path(model), "--json"]).json();
        let (float, int8) = (eval("model.safetensors"), eval("model-int8.safetensors"));
        // The noise has a standard deviation of 126: the loss of a line through it, in this unit.
        assert!((100.0..140.0).contains(&number(&float, "rmse")), "{float}");
        assert!((number(&last["val_metrics"], "mae") / number(&float, "mae") - 1.0).abs() < 0.3, "{last}");
        let expected = match loss {
            "\"mean_squared_error\"" => number(&float, "mse"),
            "\"mean_absolute_error\"" => number(&float, "mae"),
            // Delta is half a standard deviation of the targets (216): most errors are within, squares.
            _ => number(&float, "mse") / 2.0 * 0.9,
        };
        assert!((number(&float, "loss") / expected - 1.0).abs() < 0.15, "{float}");
        for key in ["loss", "mae", "mse", "rmse", "r2"] {
            assert!((number(&int8, key) / number(&float, key) - 1.0).abs() < 0.1, "{key}: {int8} {float}");
        }
    }
}

#[test]
fn predictions_are_those_that_eval_counts() {
    let trained = Trained::digits();
    let data = trained.path("data.npz");
    let images: Vec<u8> = (0..640u32).map(|i| (i * i % 17) as u8).collect();
    npz(&data, &[("x", "|u1", &[10, 8, 8], images)]);
    for model in [trained.model(), trained.int8()] {
        let told = good(["predict", &model, &data, "--json"]).json();
        let classes: Vec<u8> = serde_json::from_value(told["predictions"].clone()).unwrap();
        assert_eq!((told["samples"].as_u64(), classes.len()), (Some(10), 10));
        assert_eq!(
            good(["predict", &model, &data]).stdout,
            classes.iter().map(|c| format!("{c}\n")).collect::<String>()
        );
        let scores = good(["predict", &model, &data, "--proba", "--json"]).json();
        for (row, &class) in scores["predictions"].as_array().unwrap().iter().zip(&classes) {
            let row: Vec<f64> = serde_json::from_value(row.clone()).unwrap();
            assert!(
                (row.iter().sum::<f64>() - 1.0).abs() < 0.02
                    && row.iter().all(|p| *p <= row[usize::from(class)])
            );
        }
        // With these answers as labels nothing is wrong.
        let labelled = trained.path("labelled.npz");
        let images: Vec<u8> = (0..640u32).map(|i| (i * i % 17) as u8).collect();
        npz(&labelled, &[("x", "|u1", &[10, 8, 8], images), ("y", "|u1", &[10], classes.clone())]);
        assert_eq!(number(&good(["eval", &model, "--data", &labelled, "--json"]).json(), "accuracy"), 1.0);
        let out = trained.path("classes.npy");
        good(["predict", &model, &data, "--out", &out]);
        let bytes = fs::read(&out).unwrap();
        assert!(bytes.starts_with(b"\x93NUMPY") && String::from_utf8_lossy(&bytes).contains("'<i4'"));
        let last: Vec<u8> = bytes[bytes.len() - 40..].chunks(4).map(|word| word[0]).collect();
        assert_eq!(last, classes);
    }
    for (shape, len, problem) in [
        (
            &[10, 8, 7][..],
            560,
            "`x` is of shape [10, 8, 7], but a sample of `digits-mlp` has 64 values (shape [8, 8, 1])",
        ),
        (&[0, 64], 0, "no samples"),
    ] {
        npz(&data, &[("x", "|u1", shape, vec![0; len])]);
        run(["predict", &trained.model(), &data]).fails(2, problem);
    }
    npz(&data, &[("x", "<f4", &[1, 64], f32::NAN.to_le_bytes().repeat(64))]);
    run(["predict", &trained.model(), &data]).fails(2, "data.npz: value 0 of sample 0 is NaN");
    run(["predict", &trained.model(), &data, "--array=z"]).fails(2, "there is no array `z`, only x");
    run(["predict", &trained.model(), "nowhere.npy"]).fails(2, "nowhere.npy");
}

#[test]
fn the_table_of_training_is_predicted_without_its_target() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let spec = "[model]\nname = \"m\"\ninput = [2]\n[[layer]]\ntype = \"dense\"\nunits = 1\nactivation = \"sigmoid\"\n\
                [data]\nsource = \"csv\"\npath = \"t.csv\"\ntarget = \"kind\"\nignore = [\"id\"]\n[train]\nepochs = 1\n";
    fs::write(path("in.toml"), spec).unwrap();
    fs::write(path("t.csv"), "id,a,kind,b\n".to_string() + &"1,2,yes,3\n2,4,no,5\n".repeat(20)).unwrap();
    good(["train", &path("in.toml"), "--out", &path(""), "-q"]);
    let told = good(["predict", &path("model.safetensors"), &path("t.csv"), "--proba"]).stdout;
    let chosen =
        good(["predict", &path("model.safetensors"), &path("t.csv"), "--proba", "--columns=a,b"]).stdout;
    assert!(told == chosen && told.lines().count() == 40, "{told}");
}

#[test]
fn tables_are_predicted_by_the_names_of_their_columns() {
    let folder = line("\"mse\"");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    good(["train", &path("spec.toml"), "--out", &path(""), "-q"]);
    fs::write(path("new.csv"), "note,x\na,0\nb,100\n").unwrap();
    let told = good(["predict", &path("model.safetensors"), &path("new.csv")]).stdout;
    let values: Vec<f64> = told.lines().map(|line| line.parse().unwrap()).collect();
    assert!((values[1] - values[0] - 300.0).abs() < 60.0 && (values[0] - 1200.0).abs() < 60.0, "{told}");
    run(["predict", &path("model.safetensors"), &path("new.csv"), "--proba"]).fails(2, "leave --proba out");
    fs::write(path("new.csv"), "z\n1\n").unwrap();
    run(["predict", &path("model.safetensors"), &path("new.csv")])
        .fails(2, "there is no column `x`; the header names z");
}

#[test]
fn summaries_need_no_data() {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.toml");
    let text = "[model]\nname = \"norm\"\ninput = [8, 8, 1]\n[[layer]]\ntype = \"conv2d\"\nfilters = 4\nkernel = 3\n\
                use_bias = false\n[[layer]]\ntype = \"batch_norm\"\n[[layer]]\ntype = \"dropout\"\nrate = 0.5\n[[layer]]\n\
                type = \"dense\"\nunits = 3\nactivation = \"softmax\"\n[data]\nsource = \"csv\"\npath = \"nowhere.csv\"\n\
                target = \"y\"\n";
    fs::write(&spec, text).unwrap();
    let spec = spec.to_str().unwrap();
    let summary = good(["summary", spec, "--json"]).json();
    // Keras counts 36 + 16 + 435, of which the 8 statistics don't learn.
    assert_eq!((summary["parameters"].as_u64(), summary["not_trainable"].as_u64()), (Some(487), Some(8)));
    assert_eq!(summary["macs"].as_u64(), Some(36 * 36 + 432));
    assert!(number(&summary["int8"], "constant_bytes") < number(&summary["f32"], "constant_bytes") / 2.0);
    let people = good(["summary", spec]).stdout;
    for part in ["conv2d (Conv2d)", "(6, 6, 4)", "dropout", "Trainable: 479", "int8 arena B"] {
        assert!(people.contains(part), "`{part}` is not in {people}");
    }
    let trained = Trained::digits();
    let (float, int8) = (trained.model(), trained.int8());
    let parameters = |model| good(["summary", model, "--json"]).json()["parameters"].as_u64();
    assert_eq!((parameters(&float), parameters(&int8)), (Some(2410), Some(2410)));
}

/// Above every score nothing is a yes, below all of them everything.
#[test]
fn thresholds_trade_precision_for_recall() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let spec = "[model]\nname = \"yes\"\ninput = [1]\n[[layer]]\ntype = \"dense\"\nunits = 1\nactivation = \"sigmoid\"\n\
                [data]\nsource = \"csv\"\npath = \"data.csv\"\ntarget = \"y\"\n[train]\nloss = \"binary_crossentropy\"\n\
                optimizer = { type = \"sgd\", learning_rate = 1.0 }\n";
    let rows =
        (0..200).map(|i| format!("{},{}\n", f64::from(i % 20) / 10.0 - 1.0, u8::from(i % 20 + i % 7 > 12)));
    fs::write(path("data.csv"), "x,y\n".to_string() + &rows.collect::<String>()).unwrap();
    fs::write(path("spec.toml"), spec).unwrap();
    good(["train", &path("spec.toml"), "--out", &path(""), "-q"]);
    good(["quantize", &path("model.safetensors"), "-q"]);
    for model in ["model.safetensors", "model-int8.safetensors"] {
        let at = |threshold: &str| {
            let eval = good(["eval", &path(model), "--threshold", threshold, "--json"]).json();
            (number(&eval["classes"][1], "recall"), number(&eval, "auc"))
        };
        let (all, some, none) = (at("-0.1"), at("0.5"), at("1.1"));
        assert_eq!((all.0, none.0), (1.0, 0.0));
        assert!(some.1 > 0.8 && all.1 == none.1, "{some:?}");
        run(["eval", &path(model), "--threshold=nan"]).fails(2, "finite");
    }
    let trained = Trained::digits();
    run(["eval", &trained.model(), "--threshold=0.5"]).fails(2, "there is no threshold");
}
