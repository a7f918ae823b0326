use super::*;
use crate::data::Share;
use crate::graph::Op;
use crate::train::{Loss, Optimizer};

mod features;
mod layers;

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
        ("{ type", "{ kind = 1, typo", ":27:", "unknown key `kind`"),
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
    assert_eq!(read("optimizer = { learning_rate = 0.01 }").optimizer, Optimizer::adam(0.01));
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
