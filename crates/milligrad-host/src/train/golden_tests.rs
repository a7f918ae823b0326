//! Losses, gradients and weights against Keras 3: `tests/golden/training.npz`, made by `training.py` beside it.

use super::network::Network;
use super::trainer::Trainer;
use super::*;
use crate::builder::Builder;
use crate::data::npz::Npz;
use crate::graph::{Graph, Values};
use std::ops::ControlFlow;
use std::path::Path;

fn golden() -> Npz {
    Npz::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/training.npz")).unwrap()
}

/// A tensor in this crate's layout: dense `[in, out]` becomes `[out, in]`, HWIO becomes OHWI.
fn tensor(golden: &Npz, name: &str) -> Vec<f32> {
    let array = golden.get(name).unwrap();
    let values = array.to_f32();
    let Some((&outputs, shape @ [_, ..])) = array.shape.split_last() else { return values };
    let inputs: usize = shape.iter().product();
    (0..outputs * inputs).map(|i| values[i % inputs * outputs + i / inputs]).collect()
}

fn graph(golden: &Npz, net: &str) -> (Graph, [&'static str; 2]) {
    let body = Builder::new(net, &[8, 8, 1]);
    let (body, layers) = match net {
        "mlp" => (body.flatten().dense(32).relu(), ["hidden", "output"]),
        _ => (body.conv2d(8, 3).relu().max_pool2d(2).flatten(), ["conv", "output"]),
    };
    let mut graph = body.dense(10).softmax().build(0).unwrap();
    for (id, name) in constants(&graph, layers) {
        graph.set_values(id, &tensor(golden, &format!("{net}.init.{name}"))).unwrap();
    }
    (graph, layers)
}

/// The constants with their names in the file.
fn constants(graph: &Graph, layers: [&str; 2]) -> Vec<(crate::ConstantId, String)> {
    let nodes = graph.nodes.iter().filter(|node| node.constants.len() == 2).zip(layers);
    let named = nodes.flat_map(|(node, layer)| {
        let parts = node.constants.iter().zip(["kernel", "bias"]);
        parts.map(move |(&id, part)| (id, format!("{layer}.{part}")))
    });
    named.collect()
}

fn samples() -> Samples {
    let digits = crate::data::digits::all().unwrap().take(320);
    Samples::of(&digits, crate::Normalize { scale: 1.0 / 16.0, offset: 0.0 }).unwrap()
}

fn assert_near(actual: &[f32], expected: &[f32], tolerance: f64, name: &str) {
    assert_eq!(actual.len(), expected.len(), "{name}");
    let norm =
        |values: &mut dyn Iterator<Item = f32>| values.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    let apart = norm(&mut actual.iter().zip(expected).map(|(a, b)| a - b));
    let error = apart / norm(&mut expected.iter().copied());
    assert!(error <= tolerance, "{name}: relative error {error:e}");
}

#[test]
fn losses_and_weights_are_those_of_keras() {
    let (golden, samples) = (golden(), samples());
    let optimizers = [
        ("sgd", Optimizer::sgd(0.1)),
        ("momentum", Optimizer::momentum(0.1, 0.9)),
        ("adam", Optimizer::adam(1e-3)),
    ];
    for net in ["mlp", "cnn"] {
        for (name, optimizer) in optimizers {
            let (mut graph, layers) = graph(&golden, net);
            let options = FitOptions { optimizer, shuffle: false, per_step: true, ..FitOptions::default() };
            let history =
                fit(&mut graph, &samples, None, &options, &mut |_| ControlFlow::Continue(())).unwrap();
            let losses = tensor(&golden, &format!("{net}.{name}.loss"));
            for (step, (loss, expected)) in history.steps.iter().zip(&losses).enumerate() {
                let error = (loss - expected).abs() / expected;
                assert!(error <= 1e-5, "{net}, {name}, step {step}: {loss}, Keras {expected}");
            }
            assert_eq!(history.steps.len(), losses.len());
            for (id, constant) in constants(&graph, layers) {
                let Values::F32(values) = &graph.constant(id).values else { unreachable!() };
                let name = format!("{net}.{name}.final.{constant}");
                assert_near(values, &tensor(&golden, &name), 1e-4, &name);
            }
        }
    }
}

#[test]
fn gradients_are_those_of_keras() {
    let (golden, samples) = (golden(), samples());
    for net in ["mlp", "cnn"] {
        let (graph, layers) = graph(&golden, net);
        let loss = Loss::SparseCategoricalCrossEntropy;
        let network = Network::<f32, BLOCK>::compile(&graph, loss.tensor(&graph), |_| false).unwrap();
        let (parameters, layout) = (network.layout.read(&graph), network.layout.clone());
        // Adam would not store all of its gradient.
        let mut trainer = Trainer::new(network, parameters, loss, Optimizer::sgd(0.1), 32);
        let first: Vec<u32> = (0..32).collect();
        trainer.gradient(&samples, (&first, &[]), 0);
        let gradient = trainer.total_gradient(32);
        for (id, constant) in constants(&graph, layers) {
            let name = format!("{net}.gradient.{constant}");
            assert_near(&gradient[layout.place(id).range.clone()], &tensor(&golden, &name), 1e-5, &name);
        }
    }
}
