//! Ten steps of the device's layers beside Keras 3: `golden/training.npz`, made by `training.py` beside it. Two nets, three rules,
//! batches of 32.

use milligrad::{Adam, Momentum, Sgd};
use milligrad_host::data::{digits, npz::Npz};
use milligrad_host::{Builder, CompileOptions, Layers, Learn, OptimizerKind, Program, Rule};
use std::path::Path;

/// A tensor in this crate's layout: dense `[in, out]` becomes `[out, in]`, HWIO becomes OHWI.
fn tensor(golden: &Npz, name: &str) -> Vec<f32> {
    let array = golden.get(name).unwrap();
    let values = array.to_f32();
    let Some((&outputs, shape @ [_, ..])) = array.shape.split_last() else { return values };
    let inputs: usize = shape.iter().product();
    (0..outputs * inputs).map(|i| values[i % inputs * outputs + i / inputs]).collect()
}

/// The net with Keras' weights, and the names of its parameters there, in the order of the program.
fn program(golden: &Npz, net: &str, optimizer: OptimizerKind) -> (Program, Vec<String>) {
    let body = Builder::new(net, &[8, 8, 1]);
    let (body, layers) = match net {
        "mlp" => (body.flatten().dense(32).relu(), ["hidden", "output"]),
        _ => (body.conv2d(8, 3).relu().max_pool2d(2).flatten(), ["conv", "output"]),
    };
    let mut graph = body.dense(10).softmax().build(0).unwrap();
    let nodes: Vec<_> = graph.nodes.iter().filter(|node| node.constants.len() == 2).cloned().collect();
    let mut names = Vec::new();
    for (node, layer) in nodes.iter().zip(layers) {
        for (&id, part) in node.constants.iter().zip(["kernel", "bias"]) {
            names.push(format!("{layer}.{part}"));
            graph.set_values(id, &tensor(golden, &format!("{net}.init.{layer}.{part}"))).unwrap();
        }
    }
    let learn = Some(Learn::new(Layers::All, optimizer).with_batches());
    (Program::compile(&graph, &CompileOptions { learn, ..Default::default() }).unwrap(), names)
}

#[test]
fn losses_and_weights_are_those_of_keras() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/training.npz");
    let (golden, samples) = (Npz::read(&path).unwrap(), digits::all().unwrap());
    let labels = samples.labels().unwrap();
    let rules = [
        ("sgd", OptimizerKind::Sgd, Rule::Sgd(Sgd::new(0.1))),
        ("momentum", OptimizerKind::Momentum, Rule::Momentum(Momentum::new(0.1, 0.9))),
        ("adam", OptimizerKind::Adam, Rule::Adam(Adam::new(1e-3))),
    ];
    for net in ["mlp", "cnn"] {
        for (name, optimizer, rule) in rules {
            let (program, parameters) = program(&golden, net, optimizer);
            let mut runner = program.runner();
            let losses = tensor(&golden, &format!("{net}.{name}.loss"));
            assert_eq!(losses.len(), 10);
            for (step, &expected) in losses.iter().enumerate() {
                let mut sum = 0.0;
                for (sample, &label) in labels.iter().enumerate().skip(32 * step).take(32) {
                    let input: Vec<f32> = samples.input(sample).iter().map(|x| x / 16.0).collect();
                    let record = program.encode_input(&input);
                    sum += f64::from(runner.accumulate(&record, label as usize).unwrap());
                }
                assert_eq!(runner.apply(&rule), Ok(32));
                let error = (sum / 32.0 - f64::from(expected)).abs();
                assert!(error <= 1e-5, "{net}, {name}, step {step}: {}, Keras {expected}", sum / 32.0);
            }
            for (values, parameter) in runner.parameters().iter().zip(&parameters) {
                let expected = tensor(&golden, &format!("{net}.{name}.final.{parameter}"));
                assert_eq!(values.len(), expected.len());
                for (value, expected) in values.iter().zip(&expected) {
                    let error = (value - expected).abs();
                    assert!(error <= 1e-5, "{net}, {name}, {parameter}: {value}, Keras {expected}");
                }
            }
        }
    }
}
