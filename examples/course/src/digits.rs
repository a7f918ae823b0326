//! The UCI digits, 8 x 8 pixels with values 0 to 16, and what the labs do with them.

use crate::course::{Course, Result};
use milligrad_host::data::{Dataset, Parts, digits};
use milligrad_host::train::{Initializer, Samples, initialize};
use milligrad_host::{Builder, Graph, Normalize, Program, QuantizeOptions, quantize};

/// 0 to 16 become 0 to 1.
pub(crate) const NORMALIZE: Normalize = Normalize { scale: 1.0 / 16.0, offset: 0.0 };

/// 1,437 to learn from, 360 to test.
pub(crate) fn load() -> Result<Parts> {
    Ok(digits::load()?)
}

pub(crate) fn samples(data: &Dataset) -> Result<Samples> {
    Ok(Samples::of(data, NORMALIZE)?)
}

/// The start of a network for digits.
pub(crate) fn network(name: &str) -> Builder {
    Builder::new(name, &[8, 8, 1]).normalize(NORMALIZE.scale, NORMALIZE.offset).flatten()
}

/// With random weights.
pub(crate) fn build(network: &Builder) -> Result<Graph> {
    let mut graph = network.build(0)?;
    initialize(&mut graph, Initializer::GlorotUniform, 0)?;
    Ok(graph)
}

/// Makes a network int8, says what that costs in accuracy, and puts it on the board.
pub(crate) fn deploy(
    course: &mut Course,
    name: &str,
    graph: &Graph,
    train: &Dataset,
    test: &Dataset,
) -> Result<()> {
    let int8 = quantize(graph, &train.normalized(graph.normalize, 256), &QuantizeOptions::default())?;
    let accuracy = |graph: &Graph| -> Result<_> {
        let program = Program::compile(graph, &Default::default())?;
        let records = program.records(test);
        let accuracy = program.accuracy(&program.outputs(&records)?, test.labels().unwrap_or_default());
        Ok((program, records, accuracy))
    };
    let (_, _, before) = accuracy(graph)?;
    let (program, records, after) = accuracy(&int8)?;
    course.figure(&format!("{name}, accuracy in int8 (f32: {before:.4})"), after, before, 0.012);
    course.board(name, &program, &records)
}
