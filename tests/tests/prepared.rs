//! Folding, fusing and removing layers for inference changes nothing: programs against the trainer's own forward pass.

use milligrad_host::train::predict;
use milligrad_host::{Builder, Graph, OptimizerKind, Program, Result, Values};
use milligrad_tests::noise;

/// Statistics and parameters of batch norm that do something.
fn stirred(graph: Graph) -> Graph {
    let mut draft = graph.into_draft();
    for (i, constant) in draft.constants.iter_mut().enumerate() {
        let name = constant.name.clone();
        let Values::F32(values) = &mut constant.values else { continue };
        let random = noise(i as u32, values.len());
        for (value, random) in values.iter_mut().zip(random) {
            *value = match () {
                () if name.contains("batch_norm") && name.ends_with("variance") => 0.5 + random.abs(),
                () if name.contains("batch_norm") && name.ends_with("gamma") => 1.0 + 0.5 * random,
                () if name.contains("batch_norm") || name.ends_with("bias") => 0.3 * random,
                () => *value,
            };
        }
    }
    Graph::verify(draft).unwrap()
}

fn same(graph: Result<Graph>) {
    let graph = stirred(graph.unwrap());
    let program = Program::compile(&graph, &Default::default()).unwrap();
    for seed in 0..20 {
        let input = noise(seed, graph.input_len());
        let trained = predict(&graph, &input).unwrap();
        let compiled =
            program.decode_output(&program.runner().predict(&program.encode_input(&input)).unwrap());
        for (a, b) in trained.iter().zip(&compiled) {
            assert!((a - b).abs() < 1e-4, "{}: {trained:?} and {compiled:?}", graph.name);
        }
        assert_eq!(trained.len(), compiled.len());
    }
}

#[test]
fn batch_norm_folds_into_every_layer_with_weights() {
    let model =
        Builder::new("folds", &[6, 6, 2]).conv2d(4, 3).batch_norm().relu().depthwise_conv2d(3).batch_norm();
    same(model.relu6().flatten().dense(8).batch_norm().tanh().dropout(0.5).dense(3).softmax().build(1));
}

/// A residual block before whose activation others read: ReLU must not be fused into the convolution.
#[test]
fn a_value_that_others_read_stays() {
    let model = Builder::new("residual", &[6, 6, 2]).conv2d(4, 3).batch_norm();
    let before = model.here();
    same(model.relu().conv2d(4, 3).same().add(before).relu().flatten().dense(3).softmax().build(2));
    let model = Builder::new("dropped", &[6, 6, 2]).conv2d(4, 3).dropout(0.5);
    let before = model.here();
    same(model.relu().conv2d(4, 3).same().add(before).flatten().dense(3).softmax().build(3));
}

/// Where there is nothing to fold into, or folding would change what a second branch reads, a batch norm becomes a
/// depthwise convolution of one pixel.
#[test]
fn a_batch_norm_that_cannot_fold_stands_alone() {
    let model = Builder::new("kept", &[6, 6, 2]).conv2d(4, 3).dropout(0.5);
    let before = model.here();
    same(model.batch_norm().relu().add(before).flatten().dense(3).softmax().build(4));
    let model = Builder::new("first", &[6, 6, 2]).batch_norm().conv2d(4, 3).relu().batch_norm().max_pool2d(2);
    same(model.flatten().batch_norm().dense(5).sigmoid().batch_norm().dense(3).softmax().build(5));
    same(Builder::new("row", &[7]).batch_norm().relu().dense(3).build(6));
}

/// Every layer that trains runs on devices as it was trained: in f32, and in int8 within the error of its steps.
#[test]
fn layers_run_as_they_were_trained() {
    for graph in [milligrad_tests::branches, milligrad_tests::series, milligrad_tests::everything] {
        same(graph());
        let graph = stirred(graph().unwrap());
        let int8 = milligrad_tests::int8(&graph).unwrap();
        let (mut error, mut norm) = (0.0, 0.0);
        for seed in 100..150 {
            let input = noise(seed, graph.input_len());
            let trained = predict(&graph, &input).unwrap();
            let quantized = int8.decode_output(&int8.runner().predict(&int8.encode_input(&input)).unwrap());
            error += trained.iter().zip(&quantized).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
            norm += trained.iter().map(|a| a.powi(2)).sum::<f32>();
        }
        let relative = (error / norm).sqrt();
        assert!(relative < 0.06, "{}: int8 is {relative} away", graph.name);
    }
}

/// Deltas pass no gate, border or concatenation on the device: that is said, and layers behind them learn.
#[test]
fn layers_before_a_gate_do_not_learn_on_the_device() {
    let graph = milligrad_tests::branches().unwrap();
    let error = milligrad_tests::learning(&graph, OptimizerKind::Sgd).unwrap_err().to_string();
    assert!(error.contains("has no way back on the device"), "{error}");
    let head = milligrad_tests::adapting(&graph, 1).unwrap();
    assert_eq!(head.parameters.len(), 2);
}
