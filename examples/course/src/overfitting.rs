//! A network that learns 100 digits by heart, and four cures.

use crate::course::{Course, Result, curve, train};
use crate::digits;
use milligrad_host::data::{Dataset, stratified};
use milligrad_host::train::{Augment, EarlyStopping, FitOptions, Optimizer, Samples, evaluate, predict};
use milligrad_host::{Builder, Graph, Regularizer};

pub(crate) fn run(course: &mut Course) -> Result<()> {
    let data = digits::load()?;
    let (rest, few) = stratified(data.train.labels().unwrap_or_default(), 10, 100, 0);
    let (learn, watch) = (data.train.select(&few), data.train.select(&rest));
    let (samples, validation) = (digits::samples(&learn)?, digits::samples(&watch)?);
    let plain = || digits::network("digits").dense(128).relu();
    let top = |network: Builder| network.dense(10).softmax();
    let l2 = Regularizer { l1: 0.0, l2: 0.001 };
    let augment = Augment { shift: [0.13, 0.13], rotate: 10.0, zoom: 0.1, ..Augment::default() };
    let options = FitOptions { epochs: 200, optimizer: Optimizer::adam(0.003), ..FitOptions::default() };

    let cures = [
        ("no cure", top(plain()), None),
        ("dropout", top(plain().dropout(0.5)), None),
        ("L2", top(digits::network("digits").dense(128).regularizer(l2).relu()), None),
        ("augmentation", top(plain()), Some(augment)),
    ];
    let (mut worst, mut best) = (f64::NAN, None);
    for (name, network, augment) in cures {
        let mut graph = digits::build(&network)?;
        let options = FitOptions { augment, ..options.clone() };
        let history = train(&mut graph, &samples, Some(&validation), &options)?;
        println!("     {name:12} loss             {}", curve(history.epochs.iter().map(|e| e.loss)));
        let losses: Vec<f64> = history.epochs.iter().filter_map(|epoch| epoch.val_loss).collect();
        println!("     {:12} validation loss  {}", "", curve(losses.iter().copied()));
        let last = cross_entropy(&graph, &validation, &watch)?;
        let accuracy = evaluate(&graph, &validation, options.loss)?.accuracy.unwrap_or_default();
        if name == "no cure" {
            worst = last;
            let known = evaluate(&graph, &samples, options.loss)?;
            let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
            course.figure(
                "no cure, accuracy on what was learned",
                known.accuracy.unwrap_or_default(),
                1.0,
                0.0,
            );
            course.at_least("no cure, validation loss at the end; it was lower", last, 1.05 * least);
            stop_early(course, &network, &options, (&samples, &validation), worst)?;
        } else {
            course.at_most(&format!("{name}, validation loss (accuracy {accuracy:.4})"), last, worst);
        }
        best = Some(graph);
    }
    let Some(best) = best else { return Ok(()) };
    digits::deploy(course, "overfitting", &best, &learn, &data.test)
}

/// The loss without the penalty of L2, which `evaluate` adds to it as Keras does.
fn cross_entropy(graph: &Graph, samples: &Samples, data: &Dataset) -> Result<f64> {
    let probabilities = predict(graph, samples.inputs())?;
    let right = probabilities.chunks_exact(10).zip(data.labels().unwrap_or_default());
    let losses = right.map(|(p, &label)| -f64::from(p[label as usize].max(f32::MIN_POSITIVE)).ln());
    Ok(losses.sum::<f64>() / samples.len() as f64)
}

/// The same network, stopped when the validation loss has not fallen for ten epochs, with the weights of its best one.
fn stop_early(
    course: &mut Course,
    network: &Builder,
    options: &FitOptions,
    (samples, validation): (&Samples, &Samples),
    worst: f64,
) -> Result<()> {
    let stopping = EarlyStopping { patience: 10, restore_best_weights: true, ..EarlyStopping::default() };
    let options = FitOptions { early_stopping: Some(stopping), ..options.clone() };
    let mut graph = digits::build(network)?;
    let epochs = train(&mut graph, samples, Some(validation), &options)?.epochs.len();
    let loss = evaluate(&graph, validation, options.loss)?.loss;
    course.at_most(&format!("early stopping after {epochs} epochs, validation loss"), loss, worst);
    Ok(())
}
