//! Lab 01 and Lab 02: Fashion-MNIST, as specifications that the command `milligrad` takes too.

use crate::course::{Course, Result};
use milligrad_host::spec::Spec;
use milligrad_host::train::{Event, Samples, fit};
use milligrad_host::{Program, QuantizeOptions, quantize};
use std::ops::ControlFlow;
use std::path::Path;

pub(crate) fn lab01(course: &mut Course) -> Result<()> {
    run(course, "lab01.toml", 0.865)
}

pub(crate) fn lab02(course: &mut Course) -> Result<()> {
    run(course, "lab02.toml", 0.91)
}

fn run(course: &mut Course, file: &str, least: f64) -> Result<()> {
    let spec = Spec::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file))?;
    let data = spec.load_data()?;
    let mut graph = spec.graph(&data.train.classes, spec.train.seed)?;
    let samples = Samples::of(&data.train, graph.normalize)?;
    let options = spec.train.fit_options(spec.train.seed);
    fit(&mut graph, &samples, None, &options, &mut |event| {
        if let Event::Epoch { record, .. } = event {
            let accuracy = record.accuracy.unwrap_or_default();
            println!("     epoch {:2}: loss {:.4}, accuracy {accuracy:.4}", record.epoch, record.loss);
        }
        ControlFlow::Continue(())
    })?;
    let calibration = data.train.normalized(graph.normalize, spec.quantize.calibration);
    let int8 = quantize(&graph, &calibration, &QuantizeOptions::default())?;
    let labels = data.test.labels().unwrap_or_default();
    let accuracy = |program: &Program| -> Result<f64> {
        Ok(program.accuracy(&program.outputs(&program.records(&data.test))?, labels))
    };
    let float = accuracy(&Program::compile(&graph, &Default::default())?)?;
    let program = Program::compile(&int8, &Default::default())?;
    course.at_least("test accuracy", float, least);
    course.at_least("test accuracy in int8; within 0.3 points", accuracy(&program)?, float - 0.003);
    // Some images are enough to see that the board computes the same.
    course.board(&spec.name, &program, &program.records(&data.test.take(20)))
}
