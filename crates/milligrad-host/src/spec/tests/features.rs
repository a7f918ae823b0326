//! Engineered features, and series.

use super::*;

/// Houses: a price that depends on area, rooms and town.
fn houses() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("id,area,rooms,town,price\n");
    for i in 0..120 {
        let (area, rooms) = (40 + i * 7 % 90, 1 + i % 5);
        let (town, extra) = [("Ulm", 0), ("Bonn", 50), ("Jena", -20)][i % 3];
        text += &format!("{i},{area},{rooms},{town},{}\n", 100 + 3 * area as i64 + extra);
    }
    std::fs::write(folder.path().join("houses.csv"), text).unwrap();
    (folder, MODEL.into())
}

const MODEL: &str = r#"
[model]
name = "houses"
input = [7]
[[layer]]
type = "dense"
units = 1
[data]
source = "csv"
path = "houses.csv"
target = "price"
ignore = ["id"]
categorical = ["town"]
scale = "standard"
target_scale = "standard"
[[data.feature]]
column = "area"
[[data.feature]]
column = "rooms"
op = "polynomial"
[[data.feature]]
columns = ["area", "rooms"]
op = "ratio"
scale = "min_max"
[[data.feature]]
column = "town"
op = "one_hot"
[train]
loss = "mean_squared_error"
"#;

#[test]
fn features_are_fitted_to_the_training_part_and_kept_in_the_model() {
    let (folder, text) = houses();
    let spec = Spec::parse(&text, "spec.toml", folder.path()).unwrap();
    let split = spec.load_data().unwrap();
    let graph = spec.fit_features(spec.graph(&[], 0).unwrap(), &split.train).unwrap();
    let features = graph.features.as_ref().unwrap();
    let names: Vec<&str> = features.features.iter().map(|feature| feature.name.as_str()).collect();
    assert_eq!(
        names,
        ["area", "rooms", "rooms^2", "area / rooms", "town = Bonn", "town = Jena", "town = Ulm"]
    );
    let train = split.train.clone().prepared(&graph).unwrap();
    let column = |n: usize| train.inputs.iter().skip(n).step_by(7).map(|&x| f64::from(x)).collect::<Vec<_>>();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    for standard in [0, 1, 2] {
        let values = column(standard);
        let squares: Vec<f64> = values.iter().map(|x| x * x).collect();
        assert!(mean(&values).abs() < 1e-5 && (mean(&squares) - 1.0).abs() < 1e-4);
    }
    assert_eq!(column(3).iter().copied().fold(f64::MAX, f64::min), 0.0);
    assert!(train.inputs.chunks(7).all(|row| row[4] + row[5] + row[6] == 1.0));
    // The test part has no say.
    let area = |data: &crate::data::Dataset| {
        mean(&data.inputs.chunks(3).map(|r| f64::from(r[0])).collect::<Vec<_>>())
    };
    assert!((f64::from(features.features[0].shift) - area(&split.train)).abs() < 1e-3);
    assert_ne!(area(&split.train), area(&split.test));
    // A model file keeps them, and a compiled program applies them to raw rows.
    let again = crate::model_file::from_bytes(&crate::model_file::to_bytes(&graph).unwrap()).unwrap();
    assert_eq!(again, graph);
    let program = crate::Program::compile(&graph, &CompileOptions::default()).unwrap();
    let bytes: Vec<u8> = train.input(0).iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(program.encode_input(split.train.input(0)), bytes);
}

#[test]
fn wrong_features_are_named() {
    let (folder, text) = houses();
    let fit = |text: &str| {
        let spec = Spec::parse(text, "spec.toml", folder.path())?;
        let split = spec.load_data()?;
        spec.fit_features(spec.graph(&[], 0)?, &split.train)
    };
    assert!(fit(&text).is_ok());
    for (from, to, problem) in [
        ("input = [7]", "input = [6]", "write `input = [7]`"),
        (
            "column = \"area\"",
            "column = \"size\"",
            "no column `size` for a feature; there are area, rooms, town",
        ),
        ("column = \"area\"", "column = \"town\"\nop = \"log\"", "`town` holds categories"),
        ("columns = [\"area\", \"rooms\"]", "columns = [\"area\"]", "two columns"),
        ("op = \"ratio\"", "op = \"quotient\"", "allowed: value, one_hot"),
        ("op = \"polynomial\"", "op = \"polynomial\"\ndegree = 99", "from 2 to 8"),
        ("scale = \"standard\"", "normalize = { scale = 2.0 }", "scales of their own"),
        ("ignore = [\"id\"]", "ignore = [\"nr\"]", "no column `nr`"),
    ] {
        let error = fit(&text.replacen(from, to, 1)).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(problem), "`{problem}` is not in: {error}");
    }
}

#[test]
fn series_are_cut_into_windows_of_one_recording() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("who,ax,ay,move\n");
    for row in 0..400 {
        let (who, class) = (row / 50, row / 25 % 2);
        text += &format!("p{who},{},{},{}\n", row % 7, row % 5, ["rest", "walk"][class]);
    }
    std::fs::write(folder.path().join("imu.csv"), text).unwrap();
    let text = r#"
[model]
name = "imu"
input = [10, 2]
[[layer]]
type = "flatten"
[[layer]]
type = "dense"
units = 2
activation = "softmax"
[data]
source = "csv"
path = "imu.csv"
target = "move"
group = "who"
window = { length = 10, stride = 5, label = "last" }
scale = "standard"
"#;
    let spec = Spec::parse(text, "spec.toml", folder.path()).unwrap();
    let split = spec.load_data().unwrap();
    assert_eq!(split.train.shape, [10, 2]);
    let validation = split.validation.as_ref().unwrap();
    for (a, b) in [(&split.train, validation), (&split.train, &split.test), (validation, &split.test)] {
        assert!(a.groups.iter().all(|group| !b.groups.contains(group)), "a person is in two parts");
    }
    assert_eq!(split.train.len() + validation.len() + split.test.len(), 8 * 9);
    let graph = spec.fit_features(spec.graph(&split.train.classes, 0).unwrap(), &split.train).unwrap();
    assert_eq!(graph.features.as_ref().unwrap().features.len(), 2, "one for each channel");
    assert_eq!(split.test.prepared(&graph).unwrap().shape, [10, 2]);
}
