//! Folding, fusing and removing layers for inference changes nothing: programs against the trainer's own forward pass.

use milligrad_host::train::predict;
use milligrad_host::{Builder, Graph, Program, Result, Values};
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

/// Folding here would change what the second branch reads: it is refused, not done.
#[test]
fn a_batch_norm_that_cannot_fold_is_refused() {
    let model = Builder::new("refused", &[6, 6, 2]).conv2d(4, 3).dropout(0.5);
    let before = model.here();
    let graph = model.batch_norm().relu().add(before).flatten().dense(3).softmax().build(4).unwrap();
    let error = Program::compile(&graph, &Default::default()).unwrap_err().to_string();
    assert!(error.contains("batch_norm") && error.contains("folded"), "{error}");
}
