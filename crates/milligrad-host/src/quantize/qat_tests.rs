use super::*;
use crate::data::{Dataset, digits};
use crate::train::predict;
use crate::{Builder, CompileOptions, Program, quantize};
use std::ops::ControlFlow;

/// A network with most that folding and rounding have to deal with, trained for a moment.
fn trained() -> (Graph, Dataset, Dataset) {
    let model = Builder::new("digits", &[8, 8, 1]).classes((0..10).map(|d| d.to_string()));
    let model = model.normalize(digits::SCALE, 0.0).conv2d(6, 3).without_bias().batch_norm().relu();
    let skip = model.here();
    let model = model.depthwise_conv2d(3).same().batch_norm().relu6().add(skip);
    let model = model.max_pool2d(2).flatten().dropout(0.1).dense(16).tanh().dense(10);
    let mut graph = model.build(3).unwrap();
    let parts = digits::load().unwrap();
    let train = Samples::of(&parts.train, graph.normalize).unwrap();
    fit(&mut graph, &train, None, &FitOptions { epochs: 3, ..FitOptions::default() }, &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap();
    (graph, parts.train, parts.test)
}

fn int8_outputs(graph: &Graph, data: &Dataset) -> (Vec<f64>, f64) {
    let program = Program::compile(graph, &CompileOptions::default()).unwrap();
    let outputs = program.outputs(&program.records(data)).unwrap();
    let accuracy = program.accuracy(&outputs, data.labels().unwrap());
    let records = outputs.chunks_exact(program.output_bytes());
    (records.flat_map(|record| program.decode_output(record)).map(f64::from).collect(), accuracy)
}

fn fold(values: &[f64], f: fn(f64, f64) -> f64) -> f64 {
    values.iter().copied().reduce(f).unwrap()
}

#[test]
fn the_float_stand_in_computes_what_int8_computes() {
    let (graph, train, test) = trained();
    let calibration = train.normalized(graph.normalize, 200);
    for per_tensor in [false, true] {
        let options = QuantizeOptions { per_tensor, ..QuantizeOptions::default() };
        let stand_in = prepare(&graph, &calibration, &options).unwrap();
        let floats = predict(&stand_in, &test.normalized(graph.normalize, test.len())).unwrap();
        let (int8, _) = int8_outputs(&convert(&stand_in, &options).unwrap(), &test);
        let apart: Vec<f64> = floats.iter().zip(&int8).map(|(&f, &i)| (f64::from(f) - i).abs()).collect();
        // A sum on the verge of two steps can fall either way, and what follows sees it: few.
        let step = (fold(&int8, f64::max) - fold(&int8, f64::min)) / 255.0;
        let far = apart.iter().filter(|apart| **apart > 0.5 * step).count();
        assert!(far * 10 < apart.len(), "{far} of {} scores are far apart", apart.len());
        // It is nearer to int8 than the float network is.
        let original = predict(&graph, &test.normalized(graph.normalize, test.len())).unwrap();
        let original: f64 = original.iter().zip(&int8).map(|(&f, &i)| (f64::from(f) - i).abs()).sum();
        let apart: f64 = apart.iter().sum();
        assert!(apart < 0.5 * original, "{apart} {original}");
    }
}

#[test]
fn without_training_it_is_post_training_quantisation() {
    let (graph, train, _) = trained();
    let calibration = train.normalized(graph.normalize, 50);
    let options = QuantizeOptions::default();
    let aware = convert(&prepare(&graph, &calibration, &options).unwrap(), &options).unwrap();
    assert_eq!(aware, quantize(&graph, &calibration, &options).unwrap());
}

#[test]
fn training_makes_up_for_coarse_steps() {
    let (mut graph, train, test) = trained();
    // A channel far larger than the others spoils the only scale of a layer, as depthwise layers do in real networks.
    let name = |node: &&Node| matches!(node.op, Op::DepthwiseConv2d { .. });
    let weights = graph.nodes.iter().find(name).unwrap().constants[0];
    let mut values = crate::lower::floats(&graph.constant(weights).values).to_vec();
    values.iter_mut().skip(1).step_by(6).for_each(|w| *w *= 60.0);
    graph.set_values(weights, &values).unwrap();
    let calibration = train.normalized(graph.normalize, 200);
    let samples = Samples::of(&train, graph.normalize).unwrap();
    let options = QuantizeOptions { per_tensor: true, ..QuantizeOptions::default() };
    let fit_options = FitOptions { epochs: 4, ..FitOptions::default() };
    let (_, before) = int8_outputs(&quantize(&graph, &calibration, &options).unwrap(), &test);
    let observer: Observer<'_> = &mut |_| ControlFlow::Continue(());
    let refined = refine(&graph, &calibration, (&samples, Some(&samples)), &options, &fit_options, observer);
    let (_, after) = int8_outputs(&refined.unwrap(), &test);
    assert!(after > before + 0.05, "{before} {after}");
}

#[test]
fn a_graph_that_was_not_prepared_is_refused() {
    let (graph, ..) = trained();
    let error = convert(&graph, &QuantizeOptions::default()).unwrap_err().to_string();
    assert!(error.contains("not been trained for int8"), "{error}");
}

#[test]
fn frozen_norms_and_regularisers() {
    let l2 = crate::Regularizer { l1: 0.0, l2: 0.01 };
    let model = Builder::new("digits", &[8, 8, 1]).conv2d(4, 3).named("conv").regularizer(l2);
    let model = model.batch_norm().named("norm").relu().flatten().dense(10).named("dense").regularizer(l2);
    let graph = model.build(1).unwrap();
    let parts = digits::load().unwrap();
    let calibration = parts.train.normalized(graph.normalize, 50);
    let options = QuantizeOptions::default();
    let prepared = prepare(&graph, &calibration, &options).unwrap();
    let rule = |name: &str| prepared.training[name];
    assert_eq!(rule("dense/weights").regularizer, l2);
    // The norm is part of these weights now: they are others than those that were to be small.
    assert!(rule("conv/weights").regularizer.is_none());
    let train = Samples::of(&parts.train, graph.normalize).unwrap();
    let frozen = ["conv", "norm"].map(String::from).to_vec();
    let fit_options = fit_options(&FitOptions { frozen, ..FitOptions::default() }, 1);
    let observer: Observer<'_> = &mut |_| ControlFlow::Continue(());
    let refined = refine(&graph, &calibration, (&train, None), &options, &fit_options, observer).unwrap();
    let plain = quantize(&graph, &calibration, &options).unwrap();
    let weights = |graph: &Graph, name: &str| {
        graph.constants.iter().find(|constant| constant.name == name).unwrap().values.clone()
    };
    assert_eq!(weights(&refined, "conv/weights"), weights(&plain, "conv/weights"));
    assert_ne!(weights(&refined, "dense/weights"), weights(&plain, "dense/weights"));
}
