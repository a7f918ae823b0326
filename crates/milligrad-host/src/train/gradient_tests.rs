//! Gradients of whole networks, in double precision, against central differences of their loss.

use super::loss::Loss;
use super::network::Network;
use super::optimizer::Optimizer;
use super::random::Pcg32;
use super::samples::{Samples, Targets};
use super::trainer::Trainer;
use crate::builder::Builder;
use crate::graph::{Constant, Draft, Graph, Values};
use milligrad::Padding;

/// Samples in a block: small, so that few samples are several blocks, the last of them not full.
pub(super) const N: usize = 4;
pub(super) const SAMPLES: usize = 7;
const STEP: f64 = 1e-5;

pub(super) fn uniform(random: &mut Pcg32, len: usize) -> Vec<f32> {
    (0..len).map(|_| 2.0 * random.uniform() - 1.0).collect()
}

/// Every parameter random, so that nothing is zero by chance.
pub(super) fn randomized(graph: Graph, random: &mut Pcg32) -> Graph {
    let mut draft = graph.into_draft();
    for Constant { values, name, .. } in &mut draft.constants {
        let positive = name.ends_with("variance");
        let fresh = uniform(random, values.len());
        *values =
            Values::F32(fresh.into_iter().map(|x| if positive { x.abs() + 0.5 } else { 0.7 * x }).collect());
    }
    Graph::verify(draft).unwrap()
}

fn samples(graph: &Graph, loss: Loss, random: &mut Pcg32) -> Samples {
    let outputs = graph.output_len();
    let inputs = uniform(random, SAMPLES * graph.input_len());
    let targets = match loss {
        Loss::SparseCategoricalCrossEntropy => {
            Targets::Classes((0..SAMPLES).map(|_| random.below(outputs as u32)).collect())
        }
        _ => Targets::Values {
            width: outputs,
            values: (0..SAMPLES * outputs).map(|_| random.uniform()).collect(),
        },
    };
    Samples::new(inputs, graph.tensor(graph.input()).shape.clone(), targets).unwrap()
}

/// Compares the gradient of every parameter. Draws near a kink, where the difference depends on its step, are left
/// out; they must be few.
fn check(graph: Graph, loss: Loss, seed: u64) {
    let random = &mut Pcg32::new(seed);
    let graph = randomized(graph, random);
    let samples = samples(&graph, loss, random);
    let network = Network::<f64, N>::compile(&graph, loss.tensor(&graph), |_| false).unwrap();
    let parameters = network.layout.read(&graph);
    let places: Vec<_> = network.layout.places().iter().filter(|p| p.trainable).cloned().collect();
    let mut trainer = Trainer::new(network, parameters, loss, Optimizer::sgd(0.1), SAMPLES);
    let indices: Vec<u32> = (0..SAMPLES as u32).rev().collect();
    trainer.gradient(&samples, (&indices, &[]), 5);
    let gradient = trainer.total_gradient(SAMPLES);
    let (mut compared, mut kinks) = (0, 0);
    for place in places {
        let name = &graph.constant(place.constant).name;
        let stride = (place.range.len() / 12).max(1);
        for i in place.range.clone().step_by(stride) {
            let original = trainer.parameters[i];
            let mut slope = |step: f64| {
                let mut at = |x: f64| {
                    trainer.parameters[i] = x;
                    trainer.gradient(&samples, (&indices, &[]), 5).mean_loss()
                };
                let slope = (at(original + step) - at(original - step)) / (2.0 * step);
                trainer.parameters[i] = original;
                slope
            };
            let (numeric, finer) = (slope(STEP), slope(STEP / 3.0));
            if (numeric - finer).abs() > 1e-5 * (numeric.abs() + 1e-2) {
                kinks += 1;
                continue;
            }
            let error = (gradient[i] - numeric).abs() / (numeric.abs() + 1e-3);
            let at = i - place.range.start;
            assert!(error < 1e-4, "{name}[{at}]: {} but {numeric}, seed {seed}", gradient[i]);
            compared += 1;
        }
    }
    assert!(kinks * 5 <= compared, "{kinks} kinks, {compared} compared, seed {seed}");
}

const SPARSE: Loss = Loss::SparseCategoricalCrossEntropy;

#[test]
fn dense_with_every_loss() {
    for seed in 0..20 {
        let units = 2 + seed as usize % 5;
        let body = Builder::new("m", &[3 + seed as usize]).dense(7).relu().dense(units);
        check(body.clone().build(0).unwrap(), Loss::MeanSquaredError, seed);
        check(body.clone().sigmoid().build(0).unwrap(), Loss::BINARY_CROSS_ENTROPY, seed);
        check(body.clone().sigmoid().build(0).unwrap(), Loss::MeanSquaredError, seed);
        check(body.clone().build(0).unwrap(), Loss::BINARY_CROSS_ENTROPY, seed);
        check(body.clone().softmax().build(0).unwrap(), Loss::CATEGORICAL_CROSS_ENTROPY, seed);
        check(body.clone().softmax().build(0).unwrap(), Loss::MeanSquaredError, seed);
        check(body.clone().softmax().build(0).unwrap(), SPARSE, seed);
        check(body.build(0).unwrap(), SPARSE, seed);
    }
}

#[test]
fn activations() {
    for seed in 0..5 {
        let body = || Builder::new("m", &[6]).dense(8);
        for hidden in [
            body().sigmoid(),
            body().tanh(),
            body().relu6(),
            body().leaky_relu(0.2),
            body().tanh().relu(),
            body().softmax(),
        ] {
            check(hidden.dense(4).softmax().build(0).unwrap(), SPARSE, seed);
        }
    }
}

/// Extents, kernel, stride, dilation and padding from a seed.
fn windows(seed: u64, layer: impl Fn(Builder, usize) -> Builder) -> Graph {
    let mut random = Pcg32::new(seed);
    let mut draw = |from: u32, to: u32| (from + random.below(to - from + 1)) as usize;
    loop {
        let shape = [draw(4, 7), draw(4, 7), draw(1, 3)];
        let stride = draw(1, 2);
        let dilation = if stride == 1 { draw(1, 2) } else { 1 };
        let padding = match draw(0, 2) {
            0 => Padding::Valid,
            1 => Padding::Same,
            _ => Padding::Explicit { top: 1, bottom: 0, left: 2, right: 1 },
        };
        let body = Builder::new("m", &shape).conv2d(draw(1, 5), [draw(1, 2), draw(1, 3)]);
        let body = body.same().tanh();
        let body = layer(body, draw(1, 3)).strides(stride).padding(padding);
        let body = if draw(0, 1) == 0 { body } else { body.dilation(dilation) };
        if let Ok(graph) = body.flatten().dense(3).softmax().build(0) {
            return graph;
        }
    }
}

#[test]
fn convolutions() {
    for seed in 0..40 {
        check(windows(seed, |body, k| body.conv2d(1 + seed as usize % 6, [k, 3])), SPARSE, seed);
        check(
            windows(seed, |body, k| body.depthwise_conv2d([3, k]).multiplier(1 + seed as usize % 2)),
            SPARSE,
            seed,
        );
    }
}

#[test]
fn pooling() {
    for seed in 0..40 {
        check(windows(seed, |body, k| body.max_pool2d([k, 2])), SPARSE, seed);
        check(windows(seed, |body, k| body.avg_pool2d([2, k])), SPARSE, seed);
    }
}

#[test]
fn residuals_branches_and_shared_tensors() {
    for seed in 0..10 {
        let body = Builder::new("m", &[5, 5, 2]).conv2d(3, 3).same().relu();
        let skip = body.here();
        let body = body.conv2d(3, 3).same().relu().conv2d(3, 1).add(skip).relu();
        let twice = body.here();
        let body = body.add(twice).flatten();
        let flat = body.here();
        let left = body.dense(4).tanh();
        let handle = left.here();
        let body = left.from(flat).dense(4).add(handle).add(handle);
        check(body.dense(3).softmax().build(0).unwrap(), SPARSE, seed);
    }
}

#[test]
fn weights_that_two_layers_share() {
    for seed in 0..5 {
        let body = Builder::new("m", &[6]).dense(6).tanh().dense(6).tanh().dense(2);
        let mut draft: Draft = body.build(0).unwrap().into_draft();
        let first = draft.nodes[0].constants.clone();
        let second = draft.nodes.iter().position(|n| n.name != draft.nodes[0].name && n.constants.len() == 2);
        draft.nodes[second.unwrap()].constants = first;
        check(Graph::verify(draft).unwrap(), Loss::MeanSquaredError, seed);
    }
}

#[test]
fn batch_norm_over_several_lanes() {
    for seed in 0..10 {
        let body = Builder::new("m", &[4, 4, 2]).batch_norm().conv2d(3, 3).same().batch_norm().relu();
        let skip = body.here();
        let body = body.conv2d(3, 3).same().batch_norm().add(skip).flatten();
        check(body.dense(5).batch_norm().tanh().dense(3).softmax().build(0).unwrap(), SPARSE, seed);
    }
}

#[test]
fn dropout() {
    for seed in 0..5 {
        let body = Builder::new("m", &[6]).dense(12).tanh().dropout(0.4).dense(4).dropout(0.1);
        check(body.dense(3).softmax().build(0).unwrap(), SPARSE, seed);
    }
}
