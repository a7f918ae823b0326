//! `data`: what is in a specification's data, and in files that nothing else would take.

mod support;

use std::fs;
use support::{example, good, npz, run};

#[test]
fn a_specification_tells_its_parts() {
    let spec = example("digits-mlp");
    let told = good(["data".as_ref(), spec.as_os_str(), "--json".as_ref()]).json();
    assert_eq!((told["samples"].as_u64(), told["shape"].to_string()), (Some(1293), "[8,8,1]".into()));
    assert_eq!(told["parts"], serde_json::json!({ "train": 1293, "validation": 144, "test": 360 }));
    assert_eq!((told["inputs"]["max"].as_f64(), told["inputs"]["missing"].as_u64()), (Some(16.0), Some(0)));
    let classes = told["target"]["classes"].as_array().unwrap();
    let sum = |part: &str| classes.iter().map(|class| class["parts"][part].as_u64().unwrap()).sum::<u64>();
    assert_eq!([sum("train"), sum("validation"), sum("test")], [1293, 144, 360]);
    assert!(told["target"]["imbalance"].as_f64().unwrap() < 1.2);
    let people = good(["data", "digits"]).stdout;
    assert!(people.contains("1,293 samples to learn from") && people.contains("validation"), "{people}");
    assert!(
        people.contains("0 to 16.00, mean") && people.contains("\ntarget: the largest class has 1."),
        "{people}"
    );
}

#[test]
fn a_file_tells_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let rows: String = (0..50)
        .map(|i| {
            format!("{},{},7,{},{}\n", 50 - i, if i == 3 { "" } else { "1.5" }, ["a", "b"][i % 2], 2 * i)
        })
        .collect();
    fs::write(path("t.csv"), format!("falling,gaps,same,kind,price\n{rows}")).unwrap();
    let told = good(["data", &path("t.csv"), "--json"]).json();
    let first = &told["columns"][0];
    assert_eq!((first["name"].as_str(), first["correlation"].as_f64()), (Some("falling"), Some(-1.0)));
    let named = |name: &str| {
        told["columns"].as_array().unwrap().iter().find(|column| column["name"] == name).unwrap().clone()
    };
    assert_eq!(
        (named("gaps")["missing"].as_u64(), named("same")["constant"].as_bool()),
        (Some(1), Some(true))
    );
    assert_eq!(named("kind")["categories"].as_u64(), Some(2));
    assert_eq!(
        (told["target"]["name"].as_str(), told["target"]["max"].as_f64()),
        (Some("price"), Some(98.0))
    );
    let people = good(["data", &path("t.csv"), "--target=kind"]).stdout;
    assert!(people.contains("columns never change: ") && people.contains("correlation"), "{people}");
    assert!(people.contains("50.00 %"), "{people}");

    let inputs = [1.0, f32::NAN, 3.0, f32::INFINITY].iter().flat_map(|x| x.to_le_bytes()).collect();
    npz(&path("t.npz"), &[("x", "<f4", &[4, 1], inputs), ("y", "|u1", &[4], vec![0, 0, 0, 2])]);
    let told = good(["data", &path("t.npz"), "--json"]).json();
    assert_eq!((told["dtype"].as_str(), told["inputs"]["missing"].as_u64()), (Some("f32"), Some(2)));
    assert_eq!(told["target"]["imbalance"].as_f64(), Some(3.0));
    assert!(good(["data", &path("t.npz")]).stdout.contains("without a sample: 1"));

    run(["data", &path("t.csv"), "--target=cost"]).fails(2, "no column `cost`; the header names falling");
    run(["data", "digits", "--target=y"]).fails(2, "--target is for single files");
    run(["data", "nowhere.csv"]).fails(2, "nowhere.csv");
    fs::write(path("t.csv"), "a,b\n1,2\n3\n").unwrap();
    run(["data", &path("t.csv")]).fails(2, "t.csv: line 3: 1 fields, but the header has 2");
}

#[test]
fn windows_that_share_rows_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let rows: String = (0..200).map(|i| format!("{},{},{}\n", i % 7, i / 50, i % 2)).collect();
    fs::write(path("series.csv"), format!("x,recording,y\n{rows}")).unwrap();
    let spec = |data: &str| {
        let text = format!(
            "[model]\nname = \"m\"\ninput = [10, 1]\n[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"dense\"\nunits = 2\n\
             activation = \"softmax\"\n[data]\nsource = \"csv\"\npath = \"series.csv\"\ntarget = \"y\"\n{data}\n"
        );
        fs::write(path("spec.toml"), text).unwrap();
        good(["data", &path("spec.toml")]).stderr.contains("windows overlap")
    };
    let ignored = "ignore = [\"recording\"]\n";
    assert!(spec(&format!("{ignored}window = {{ length = 10, stride = 5 }}")));
    assert!(!spec(&format!("{ignored}window = {{ length = 10 }}")));
    assert!(!spec("group = \"recording\"\nwindow = { length = 10, stride = 5 }"));
    // Nothing is no data.
    fs::write(path("empty.csv"), "x,y\n").unwrap();
    run(["data", &path("empty.csv")]).fails(2, "no samples");
}
