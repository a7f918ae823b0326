use super::*;
use crate::data::Share;
use crate::graph::Op;
use crate::train::{Loss, Optimizer};

const GOOD: &str = r#"[model]
name = "t"
input = [8, 8, 1]

[[layer]]
type = "conv2d"
name = "first"
filters = 4
kernel = 3
padding = "same"
activation = "relu"

[[layer]]
type = "add"
with = "first"

[[layer]]
type = "dense"
units = 10
activation = "softmax"

[data]
source = "digits"
validation = 0.1

[train]
optimizer = { type = "sgd", learning_rate = 0.1, momentum = 0.9 }
epochs = 3
batch = 16
"#;

fn parse(text: &str) -> Result<Spec> {
    Spec::parse(text, "t.toml", Path::new("folder"))
}

/// The message for the good text with one change.
fn wrong(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    match parse(&GOOD.replacen(from, to, 1)).unwrap_err() {
        Error::Spec(message) => message,
        other => panic!("{other}"),
    }
}

#[test]
fn a_good_text() {
    let spec = parse(GOOD).unwrap();
    let graph = spec.graph(&[], 0).unwrap();
    let names: Vec<&str> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["first", "add", "dense", "softmax"]);
    assert_eq!(graph.nodes[1].inputs, [graph.nodes[0].output; 2]);
    assert_eq!(graph.normalize.scale, 1.0 / 16.0);
    assert_eq!(spec.train.loss, Loss::SparseCategoricalCrossEntropy);
    assert_eq!(spec.train.optimizer, Optimizer::Sgd { learning_rate: 0.1, momentum: 0.9, nesterov: false });
    assert_eq!((spec.train.epochs, spec.train.batch, spec.train.seed), (3, 16, 0));
    assert_eq!((spec.data.validation, spec.quantize.calibration), (Share::Fraction(0.1), 256));
    assert_eq!(spec.text(), GOOD);
    let split = spec.load_data().unwrap();
    assert_eq!((split.train.len(), split.validation.unwrap().len(), split.test.len()), (1293, 144, 360));
}

#[test]
fn points_at_the_line() {
    let message = wrong("epochs", "epoch");
    let expected = "unknown key `epoch` in [train]\n  --> t.toml:28:1\n   |\n28 | epoch = 3\n   | ^^^^^\n   \
                    = allowed: loss, optimizer, epochs, batch, ";
    assert!(message.starts_with(expected), "{message}");
    let message = wrong("kernel = 3", "kernel = \"é\" # 3");
    let expected = "`kernel` is a whole number from 1, or two of them: [height, width], found `\"é\"`\n --> \
                    t.toml:9:10\n  |\n9 | kernel = \"é\" # 3\n  |          ^^^";
    assert_eq!(message, expected);
}

#[test]
fn says_what_is_allowed() {
    for (from, to, place, problem) in [
        ("[model]", "[modle]", ":1:2", "unknown key `modle` in this file"),
        ("[8, 8, 1]", "[8, 0, 1]", ":3:9", "a list of whole numbers from 1, found a list"),
        ("[8, 8, 1]", "\"8\"", ":3:9", "found `\"8\"`"),
        ("name = \"t\"", "", ":1:", "`name` is missing in [model]"),
        ("\"conv2d\"", "\"conv3d\"", ":6:8", "allowed: dense, conv2d, depthwise_conv2d"),
        ("type = \"add\"", "kind = 1", ":13:", "`type` is missing in [[layer]]"),
        ("filters = 4", "filters = 0", ":8:11", "a whole number from 1"),
        ("filters = 4", "units = 4", ":8:1", "allowed: type, filters, kernel"),
        ("kernel = 3", "kernel = [3, 3, 3]", ":9:10", "[height, width]"),
        ("\"same\"", "\"full\"", ":10:11", "allowed: valid, same"),
        ("\"relu\"", "\"gelu\"", ":11:14", "allowed: linear, relu"),
        ("\"first\"\n\n[[layer]]", "\"last\"\n\n[[layer]]", ":15:8", "first, input before this one"),
        ("\"digits\"", "\"mnist\"", ":23:10", "allowed: digits, fashion-mnist, idx, csv, npz"),
        ("0.1\n\n[train]", "1.0\n\n[train]", ":24:14", "a fraction from 0.0 to below 1.0"),
        ("0.1\n\n[train]", "-3\n\n[train]", ":24:14", "whole number of samples"),
        ("validation", "path", ":24:1", "unknown key `path`"),
        ("\"sgd\"", "\"sdg\"", ":27:22", "allowed: sgd, adam"),
        ("\"sgd\"", "\"adam\"", ":27:51", "allowed: type, learning_rate, beta_1"),
        ("learning_rate = 0.1", "learning_rate = 0", ":27:45", "above 0"),
        ("learning_rate = 0.1", "learning_rate = nan", ":27:45", "finite"),
        ("momentum = 0.9", "momentum = 1", ":27:61", "below 1.0"),
        ("{ type", "{ kind = 1, typo", ":27:", "`type` is missing"),
        ("epochs = 3", "epochs = -3", ":28:10", "whole number from 1"),
        ("epochs = 3", "epochs = ", ":28:10", ""),
        ("epochs = 3", "loss = \"hinge\"", ":28:8", "allowed: sparse_categorical_cross_entropy"),
        ("epochs = 3", "loss = \"binary_crossentropy\"", ":28:8", "sigmoid"),
        ("batch = 16", "batch = 99999999999999999999", ":29:9", ""),
        (
            "name = \"t\"",
            "name = \"t\"\nclasses = [\"a\", \"b\"]",
            ":3:11",
            "2 classes, but the last layer has 10",
        ),
        ("name = \"t\"", "name = \"t\"\nclasses = [\"a\", \"a\"]", ":3:11", "names"),
    ] {
        let message = wrong(from, to);
        assert!(message.contains(&format!("t.toml{place}")), "{to}: {message}");
        assert!(message.contains(problem), "{to}: {message}");
    }
    let geometry = wrong("kernel = 3\npadding = \"same\"", "kernel = 9");
    assert!(geometry.contains("t.toml:6:8") && geometry.contains("layer `first`"), "{geometry}");
    let shapes = wrong("\"same\"", "\"valid\"\n[[layer]]\ntype = \"add\"\nwith = \"input\"");
    assert!(shapes.contains("layer `add`") && shapes.contains(":12:8"), "{shapes}");
    assert!(parse("").unwrap_err().to_string().contains("[model] is missing"));
    assert!(parse("[model").unwrap_err().to_string().contains("t.toml:1:"));
}

#[test]
fn paths_become_absolute() {
    let text = GOOD.replacen("\"digits\"", "\"csv\"\npath = \"a.csv\" # here\ntarget = \"y\"", 1);
    let spec = parse(&text).unwrap();
    let Source::Csv { path, .. } = &spec.data.source else { panic!() };
    assert_eq!(path, Path::new("folder/a.csv"));
    let absolute = std::path::absolute(path).unwrap();
    let kept = spec.text();
    assert!(kept.contains(&format!("path = \"{}\" # here", absolute.display())), "{kept}");
    let elsewhere = Spec::parse(&kept, "t.toml", Path::new("/elsewhere")).unwrap();
    let Source::Csv { path, target, .. } = elsewhere.data.source else { panic!() };
    assert_eq!((path, target.as_str()), (absolute, "y"));
}

#[test]
fn data_that_do_not_fit() {
    let fails = |from: &str, to: &str| {
        parse(&GOOD.replacen(from, to, 1)).unwrap().load_data().unwrap_err().to_string()
    };
    assert!(fails("units = 10", "units = 9").contains("10 classes, but the last layer of `t` has 9 outputs"));
    assert!(fails("[8, 8, 1]", "[8, 4, 1]").contains("[8, 8, 1], which can't be taken as [8, 4, 1]"));
    assert!(fails("\"digits\"", "\"npz\"\npath = \"none.npz\"").contains("none.npz"));
    assert!(fails("validation = 0.1", "validation = 2000").contains("leaves none"));
}

#[test]
fn the_examples_are_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    for name in ["digits-cnn", "digits-mlp", "fashion-cnn", "fashion-mlp"] {
        let spec = Spec::read(folder.join(name).with_extension("toml")).unwrap();
        assert_eq!(spec.name, name);
        let graph = spec.graph(&[], 0).unwrap();
        assert_eq!(graph.nodes.last().map(|node| node.op), Some(Op::Softmax));
        assert!(!name.starts_with("digits") || graph.parameters() < 10_000, "{}", graph.parameters());
    }
}

#[test]
fn no_text_makes_it_panic() {
    let mut random = crate::train::Pcg32::new(9);
    for _ in 0..3000 {
        let mut bytes = GOOD.as_bytes().to_vec();
        for _ in 0..1 + random.below(4) {
            let at = random.below(bytes.len() as u32) as usize;
            bytes[at] = b"0123456789-[]{}.,=\"\n #e\xc3\xa9"[random.below(25) as usize];
        }
        let _ = parse(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn schedules() {
    use crate::train::Schedule;
    let with = |schedule: &str| GOOD.replacen("epochs = 3", &format!("epochs = 3\nschedule = {schedule}"), 1);
    let read = |schedule| parse(&with(schedule)).unwrap().train.schedule;
    assert_eq!(parse(GOOD).unwrap().train.schedule, Schedule::Constant);
    assert_eq!(read("\"cosine\""), Schedule::Cosine { warmup_epochs: 0.0, floor: 0.0 });
    assert_eq!(
        read("{ type = \"cosine\", warmup_epochs = 1, floor = 0.1 }"),
        Schedule::Cosine { warmup_epochs: 1.0, floor: 0.1 }
    );
    assert_eq!(
        read("{ type = \"step\", epochs = 2, factor = 0.5 }"),
        Schedule::Step { epochs: 2, factor: 0.5 }
    );
    assert_eq!(read("{ type = \"exponential\", factor = 0.9 }"), Schedule::Exponential { factor: 0.9 });
    assert_eq!(
        read("{ type = \"ExponentialDecay\", decay_steps = 9, decay_rate = 0.5, staircase = true }"),
        Schedule::ExponentialDecay { decay_steps: 9, decay_rate: 0.5, staircase: true }
    );
    assert_eq!(
        read("{ type = \"cosine\", decay_steps = 9, alpha = 0.5, warmup_steps = 3 }"),
        Schedule::CosineDecay { decay_steps: 9, alpha: 0.5, warmup_steps: 3 }
    );
    for bad in [
        "\"step\"",
        "\"sine\"",
        "{ type = \"exponential\", factor = 2.0 }",
        "{ type = \"cosine\", floor = 3.0 }",
    ] {
        let Error::Spec(message) = parse(&with(bad)).unwrap_err() else { panic!("{bad}") };
        assert!(message.contains("schedule"), "{message}");
    }
}

/// A specification with these layers.
fn with_layers(input: &str, layers: &str) -> String {
    format!("[model]\nname = \"t\"\ninput = {input}\n{layers}\n[data]\nsource = \"digits\"\n")
}

fn shapes(text: &str) -> Vec<(String, Vec<usize>)> {
    let graph = parse(text).unwrap().graph(&[], 0).unwrap();
    graph.nodes.iter().map(|node| (node.name.clone(), graph.tensor(node.output).shape.clone())).collect()
}

const SERIES: &str = r#"
[[layer]]
type = "zero_padding1d"
padding = [1, 0]
[[layer]]
type = "conv1d"
filters = 4
kernel = 3
stride = 2
padding = "same"
activation = "relu"
[[layer]]
type = "depthwise_conv1d"
kernel = 3
multiplier = 2
name = "left"
[[layer]]
type = "max_pool1d"
size = 2
[[layer]]
type = "separable_conv1d"
filters = 5
kernel = 3
padding = "same"
name = "right"
from = "left"
[[layer]]
type = "global_avg_pool1d"
[[layer]]
type = "elu"
[[layer]]
type = "dense"
units = 2
"#;

#[test]
fn layers_of_a_series_under_both_spellings() {
    let text = with_layers("[12, 3]", SERIES);
    let expected = [
        ("zero_padding1d", vec![13, 3]),
        ("conv1d", vec![7, 4]),
        ("left", vec![5, 8]),
        ("max_pool1d", vec![2, 8]),
        ("right.depthwise", vec![5, 8]),
        ("right", vec![5, 5]),
        ("global_avg_pool1d", vec![1, 5]),
        ("elu", vec![1, 5]),
        ("dense", vec![2]),
    ];
    let expected = expected.map(|(name, shape)| (name.to_string(), shape));
    assert_eq!(shapes(&text), expected);
    let keras = text
        .replace("\"conv1d\"", "\"Conv1D\"")
        .replace("kernel", "kernel_size")
        .replace("stride", "strides")
        .replace("multiplier", "depth_multiplier")
        .replace("\"max_pool1d\"\nsize", "\"MaxPooling1D\"\npool_size")
        .replace("global_avg_pool1d", "GlobalAveragePooling1D")
        .replace("separable_conv1d", "SeparableConv1D");
    assert_eq!(shapes(&keras), expected);
}

const BRANCHES: &str = r#"
[[layer]]
type = "conv2d"
filters = 4
kernel = 3
padding = "same"
init = "he_normal"
bias_init = 0.5
regularizer = { l1 = 0.001, l2 = 0.002 }
bias_regularizer = "l2"
name = "a"
[[layer]]
type = "conv2d"
filters = 4
kernel = 1
use_bias = false
from = "input"
name = "b"
[[layer]]
type = "global_max_pool2d"
name = "gate"
[[layer]]
type = "multiply"
from = ["b", "gate"]
activation = "hard_swish"
name = "c"
[[layer]]
type = "concat"
with = ["a", "b"]
[[layer]]
type = "zero_padding2d"
padding = [[1, 0], [0, 2]]
[[layer]]
type = "gaussian_noise"
stddev = 0.1
[[layer]]
type = "reshape"
shape = [9, 120]
"#;

#[test]
fn branches_and_options() {
    let spec = parse(&with_layers("[8, 8, 1]", BRANCHES)).unwrap();
    let graph = spec.graph(&[], 0).unwrap();
    let shape = |name: &str| {
        let node = graph.nodes.iter().find(|node| node.name == name).unwrap();
        graph.tensor(node.output).shape.clone()
    };
    assert_eq!((shape("gate"), shape("c"), shape("concat")), (vec![1, 1, 4], vec![8, 8, 4], vec![8, 8, 12]));
    assert_eq!((shape("zero_padding2d"), shape("reshape")), (vec![9, 10, 12], vec![9, 120]));
    let rule = |name: &str| graph.training.get(name).copied().unwrap_or_default();
    let (weights, bias) = (rule("a/weights").regularizer, rule("a/bias").regularizer);
    assert_eq!((weights.l1, weights.l2, bias.l1, bias.l2), (0.001, 0.002, 0.0, 0.01));
    assert!(rule("b/bias").fixed && !rule("b/weights").fixed && !rule("a/bias").fixed);
    let bias = graph.constants.iter().find(|c| c.name == "a/bias").unwrap();
    assert_eq!(bias.values, crate::Values::F32(vec![0.5; 4]));
}

#[test]
fn layers_that_do_not_fit_are_named() {
    for (input, layer, problem) in [
        ("[8, 8, 1]", "type = \"conv1d\"\nfilters = 2\nkernel = 3", "not [length, channels]"),
        ("[12, 3]", "type = \"conv2d\"\nfilters = 2\nkernel = 3", "not an image"),
        ("[12, 3]", "type = \"concat\"\nwith = \"input\"\naxis = 0", "axis 0 is the batch"),
        ("[12, 3]", "type = \"concat\"\nwith = \"input\"\naxis = 3", "axis 2 of [12, 3] does not exist"),
        ("[12, 3]", "type = \"reshape\"\nshape = [5, 7]", "has 36 elements"),
        ("[12, 3]", "type = \"reshape\"\nshape = [2, 2, 3, 3, 1]", "1 to 4 axes"),
        ("[12, 3]", "type = \"gaussian_noise\"\nstddev = -1.0", "not a number from 0"),
        ("[12, 3]", "type = \"dense\"\nunits = 2\ninit = \"he\"", "allowed: glorot_uniform"),
        ("[12, 3]", "type = \"dense\"\nunits = 2\nregularizer = { l2 = -1.0 }", "not negative"),
        ("[12, 3]", "type = \"flatten\"\ninit = \"ones\"", "unknown key `init`"),
        ("[12, 3]", "type = \"multiply\"", "`with` is missing"),
    ] {
        let text = with_layers(input, &format!("[[layer]]\n{layer}\n"));
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains("t.toml:"), "{layer}: {error}");
    }
}

#[test]
fn losses_and_optimizers() {
    use crate::train::Clip;
    let train = |line: &str| {
        let lines = format!("epochs = 3\n{line}");
        parse(&GOOD.replacen("epochs = 3", &lines, 1).replacen(
            "optimizer = { type = \"sgd\", learning_rate = 0.1, momentum = 0.9 }\n",
            "",
            1,
        ))
    };
    let read = |line: &str| train(line).unwrap().train;
    assert_eq!(read("loss = \"mae\"").loss, Loss::MeanAbsoluteError);
    assert_eq!(read("loss = { type = \"Huber\", delta = 2 }").loss, Loss::Huber { delta: 2.0 });
    let smooth = "loss = { type = \"CategoricalCrossentropy\", label_smoothing = 0.1, from_logits = false }";
    assert_eq!(read(smooth).loss, Loss::CategoricalCrossEntropy { label_smoothing: 0.1 });
    assert_eq!(read("optimizer = \"RMSprop\"").optimizer, Optimizer::rmsprop(0.001));
    assert_eq!(read("optimizer = \"AdamW\"").optimizer, Optimizer::adamw(0.001));
    let clipped = read("optimizer = { type = \"sgd\", nesterov = true, momentum = 0.5, clipnorm = 1.0 }");
    assert_eq!((clipped.optimizer, clipped.clip), (Optimizer::nesterov(0.01, 0.5), Clip::Norm(1.0)));
    assert_eq!(read("optimizer = { type = \"adam\", clipvalue = 2 }").clip, Clip::Value(2.0));
    assert_eq!(read("optimizer = { type = \"adam\", global_clipnorm = 2 }").clip, Clip::GlobalNorm(2.0));
    for (line, problem) in [
        ("loss = { type = \"categorical_crossentropy\", from_logits = true }", "ends in softmax"),
        ("loss = { type = \"sparse_categorical_crossentropy\", label_smoothing = 0.1 }", "as they are"),
        ("loss = { type = \"categorical_crossentropy\", label_smoothing = 1.0 }", "below 1.0"),
        ("loss = { type = \"huber\", delta = 0.0 }", "above 0"),
        ("loss = { delta = 1.0 }", "`type` is missing"),
        ("loss = 3", "expected a table"),
        ("optimizer = { type = \"adam\", clipnorm = 0.0 }", "above 0"),
        ("optimizer = { type = \"adam\", clipnorm = 1.0, clipvalue = 1.0 }", "only one of"),
        ("optimizer = { type = \"rmsprop\", rho = 1.0 }", "below 1.0"),
        ("optimizer = { type = \"adamw\", weight_decay = -1.0 }", "not negative"),
    ] {
        let error = train(line).unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains("t.toml:"), "{line}: {error}");
    }
}

#[test]
fn augmentation_is_read_and_checked() {
    let spec = |extra: &str| {
        let model = "[model]\nname = \"m\"\ninput = [8, 8, 1]\n[[layer]]\ntype = \"flatten\"\n[[layer]]\ntype = \"dense\"\n\
                     units = 10\nactivation = \"softmax\"\n[data]\nsource = \"digits\"\n[augment]\n";
        Spec::parse(&format!("{model}{extra}"), "spec.toml", Path::new(""))
    };
    let train = spec("shift = [0.1, 0.2]\nrotate = 10\nfill = 0.5\nflip_vertical = true").unwrap().train;
    let augment = train.augment.clone().unwrap();
    assert_eq!((augment.shift, augment.rotate, augment.flip_vertical), ([0.1, 0.2], 10.0, true));
    assert_eq!(augment.fill, crate::train::Fill::Constant(0.5));
    assert_eq!(train.fit_options(0).augment, Some(augment));
    for (text, problem) in [
        ("turn = 10", "unknown key `turn` in [augment]"),
        ("rotate = -5", "`rotate` is -5"),
        ("shift = [0.1]", "two of them"),
        ("fill = \"blue\"", "\"nearest\""),
        ("noise = 0.1\njitter = 0.1", "another name"),
    ] {
        let error = spec(text).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

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
