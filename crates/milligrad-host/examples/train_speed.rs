//! How fast training is, and what comes out: Lab 01's network and a small convolutional one on Fashion-MNIST.
//!
//! `cargo run --release -p milligrad-host --example train_speed -- [lab01|cnn] [batch] [epochs] [threads] [seed]`
//!
//! Epochs are reported on stderr while they pass, and on stdout as one JSON object: the row of this trainer in
//! `cargo xtask bench host`.

use milligrad_host::builder::Builder;
use milligrad_host::data::idx;
use milligrad_host::train::{Event, FitOptions, Initializer, Samples, evaluate, fit, initialize};
use milligrad_host::{Graph, Result};
use std::ops::ControlFlow;

fn lab01() -> Result<Graph> {
    let model = Builder::new("lab01", &[28, 28, 1]).normalize(1.0 / 255.0, 0.0);
    model.flatten().dense(128).relu().dense(10).softmax().build(0)
}

fn cnn() -> Result<Graph> {
    let model = Builder::new("cnn", &[28, 28, 1]).normalize(1.0 / 255.0, 0.0);
    let model = model.conv2d(8, 3).relu().max_pool2d(2).conv2d(16, 3).relu().max_pool2d(2);
    model.flatten().dense(64).relu().dense(10).softmax().build(0)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, default: usize| arguments.get(i).and_then(|a| a.parse().ok()).unwrap_or(default);
    let (mut graph, batch) = match arguments.first().map_or("lab01", String::as_str) {
        "cnn" => (cnn()?, 64),
        _ => (lab01()?, 32),
    };
    let data = idx::fashion_mnist(None)?;
    let train = Samples::of(&data.train, graph.normalize)?;
    let test = Samples::of(&data.test, graph.normalize)?;
    let seed = number(4, 0) as u64;
    initialize(&mut graph, Initializer::GlorotUniform, seed)?;
    let options = FitOptions {
        batch_size: number(1, batch),
        epochs: number(2, 5),
        threads: number(3, 1),
        seed,
        ..FitOptions::default()
    };
    let (mut seconds, mut cpu_seconds) = (Vec::new(), Vec::new());
    fit(&mut graph, &train, None, &options, &mut |event| {
        if let Event::Epoch { record, .. } = event {
            eprintln!(
                "epoch {}: loss {:.4}, accuracy {:.4}, {:.3} s, {:.3} CPU s",
                record.epoch,
                record.loss,
                record.accuracy.unwrap_or_default(),
                record.seconds,
                record.cpu_seconds
            );
            seconds.push(record.seconds);
            cpu_seconds.push(record.cpu_seconds);
        }
        ControlFlow::Continue(())
    })?;
    let accuracy = evaluate(&graph, &test, options.loss)?.accuracy.unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    println!(
        "{{\"version\":\"milligrad {version}\",\"seconds\":{seconds:?},\"cpu_seconds\":{cpu_seconds:?},\
         \"test_accuracy\":{accuracy}}}"
    );
    Ok(())
}
