//! The models of `firmware/tests-models`, in a firmware and on the desk.
#![allow(dead_code, unreachable_pub, reason = "each test uses some of this")]

use milligrad::{Learner, Model, Sgd};
use milligrad_board::{Firmware, ModelSource, board};
use std::path::Path;

#[path = "../../../../firmware/tests-models/pattern.rs"]
mod pattern;
#[path = "../../../../firmware/tests-models/softmax.rs"]
mod softmax;

/// A model of `firmware/tests-models`. The one called `softmax` learns.
pub fn source(model: &str) -> ModelSource {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../firmware/tests-models");
    let path = folder.join(model).with_extension("rs");
    if model == "softmax" { ModelSource::learning(model, path) } else { ModelSource::new(model, path) }
}

/// A firmware with one model of `firmware/tests-models`.
pub fn firmware(name: &str, model: &str) -> Firmware {
    Firmware::build(board(name).unwrap(), &[source(model)]).unwrap()
}

const PATTERN_INPUTS: usize = pattern::Network::INPUTS[0].len();

/// Input records for the model `pattern`.
pub fn pattern_inputs(samples: usize) -> Vec<u8> {
    (0..samples * PATTERN_INPUTS).map(|i| (i * i * 31 + i * 7) as u8).collect()
}

/// What the model `pattern` makes of input records, computed on the desk.
pub fn pattern_outputs(inputs: &[u8]) -> Vec<u8> {
    let mut network = pattern::Network::new();
    let predict = |record: &[u8]| {
        network.input_at(0).set_le(record);
        network.run();
        let mut output = vec![0; network.output_at(0).len()];
        network.output_at(0).to_le(&mut output);
        output
    };
    inputs.chunks_exact(PATTERN_INPUTS).flat_map(predict).collect()
}

/// Inputs and labels for the model `softmax`: class `i % 3` has its largest value at place `i % 3`.
pub fn softmax_samples(samples: usize) -> Vec<([f32; 4], u8)> {
    let value = |i: usize, k: usize| (i * 7 + k * 3) as f32 % 5.0 / 10.0 + if i % 3 == k { 1.0 } else { 0.0 };
    (0..samples).map(|i| (std::array::from_fn(|k| value(i, k)), (i % 3) as u8)).collect()
}

/// Losses and parameters after training the model `softmax` on the desk.
pub fn softmax_training(samples: &[([f32; 4], u8)], rate: f32) -> (Vec<f32>, Vec<(String, Vec<f32>)>) {
    let mut network = softmax::Network::new();
    let step = |(input, label): &([f32; 4], u8)| {
        network.input_at(0).set_le(&bytes(input));
        network.train_step(usize::from(*label).into(), &Sgd::new(rate)).unwrap_or(f32::NAN)
    };
    let losses = samples.iter().map(step).collect();
    let mut parameters = Vec::new();
    network.parameters(|name, values| parameters.push((name.to_owned(), values.to_vec())));
    (losses, parameters)
}

/// Floats as bytes.
pub fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
