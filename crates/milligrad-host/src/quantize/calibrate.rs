//! The ranges of all tensors on calibration data.

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::lower::CompileOptions;
use crate::program::Program;
use milligrad::Element;

/// Smallest and largest value of each tensor of a prepared float graph.
pub(super) fn ranges(graph: &Graph, inputs: &[f32]) -> Result<Vec<(f32, f32)>> {
    let program = Program::compile(graph, &CompileOptions::default())?;
    let mut ranges = vec![(f32::INFINITY, f32::NEG_INFINITY); graph.tensors.len()];
    let mut runner = program.runner();
    for (sample, input) in inputs.chunks_exact(graph.input_len()).enumerate() {
        if let Some(i) = input.iter().position(|x| !x.is_finite()) {
            return Err(Error::Data(format!("value {i} of calibration sample {sample} is {}", input[i])));
        }
        widen(&mut ranges[graph.input().0], input.iter().copied());
        // Steps and nodes that are no views come in the same order.
        let mut nodes = graph.nodes.iter();
        let record: Vec<u8> = input.iter().flat_map(|x| x.to_le_bytes()).collect();
        runner.predict_with(&record, |_, step, output| {
            let node = nodes.by_ref().find(|node| node.name == step.name).expect("a step has a node");
            widen(&mut ranges[node.output.0], output.chunks_exact(4).map(f32::from_le));
        })?;
    }
    // Views have the range of what they view.
    for node in &graph.nodes {
        if ranges[node.output.0].0 > ranges[node.output.0].1 {
            ranges[node.output.0] = ranges[node.inputs[0].0];
        }
    }
    Ok(ranges)
}

fn widen(range: &mut (f32, f32), values: impl Iterator<Item = f32>) {
    *range = values.fold(*range, |(min, max), x| (min.min(x), max.max(x)));
}
