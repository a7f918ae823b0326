//! How fast training is, and what comes out: Lab 01's network and a small convolutional one on Fashion-MNIST.
//!
//! `cargo run --release -p milligrad-host --example train_speed -- [lab01|lab01-256|cnn] [epochs] [threads] [seed]`

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
    let name = arguments.first().map_or("lab01", String::as_str);
    let (mut graph, batch_size) = match name {
        "cnn" => (cnn()?, 64),
        "lab01-256" => (lab01()?, 256),
        _ => (lab01()?, 32),
    };
    let data = idx::fashion_mnist(None)?;
    let train = Samples::of(&data.train, graph.normalize)?;
    let test = Samples::of(&data.test, graph.normalize)?;
    let seed = number(3, 0) as u64;
    initialize(&mut graph, Initializer::GlorotUniform, seed)?;
    let options =
        FitOptions { epochs: number(1, 5), batch_size, threads: number(2, 1), seed, ..FitOptions::default() };
    let mut times = Vec::new();
    fit(&mut graph, &train, None, &options, &mut |event| {
        if let Event::Epoch { record, .. } = event {
            let accuracy = record.accuracy.unwrap_or_default();
            println!(
                "epoch {}: loss {:.4}, accuracy {accuracy:.4}, {:.3} s, {:.3} CPU s",
                record.epoch, record.loss, record.seconds, record.cpu_seconds
            );
            times.push(record.cpu_seconds);
        }
        ControlFlow::Continue(())
    })?;
    times.remove(0);
    times.sort_by(f64::total_cmp);
    let result = evaluate(&graph, &test, options.loss)?;
    println!(
        "{name}, batch {batch_size}, {} threads: median {:.3} CPU s per epoch without the first; test accuracy {:.4}",
        options.threads,
        times.get(times.len() / 2).copied().unwrap_or_default(),
        result.accuracy.unwrap_or_default()
    );
    Ok(())
}
