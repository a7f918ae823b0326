//! Five-fold cross-validation: every sample is measured once by a network that never saw it.

use crate::course::{Course, Result, train};
use crate::digits;
use milligrad_host::data::folds;
use milligrad_host::train::{FitOptions, Optimizer, evaluate};

pub(crate) fn run(course: &mut Course) -> Result<()> {
    let data = digits::load()?;
    let network = digits::network("digits").dense(32).relu().dense(10).softmax();
    let options = FitOptions { epochs: 20, optimizer: Optimizer::adam(0.003), ..FitOptions::default() };
    let mut accuracies = Vec::new();
    for fold in folds(&data.train.targets, &[], 5, 0)? {
        let (learn, watch) = (data.train.select(&fold.train), data.train.select(&fold.validation));
        let mut graph = digits::build(&network)?;
        train(&mut graph, &digits::samples(&learn)?, None, &options)?;
        accuracies
            .push(evaluate(&graph, &digits::samples(&watch)?, options.loss)?.accuracy.unwrap_or_default());
    }
    let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
    let variance = accuracies.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / (accuracies.len() - 1) as f64;
    println!("     accuracies {accuracies:.4?}");
    course.figure("mean accuracy of five folds", mean, 0.965, 0.01);
    course.at_most("standard deviation between folds", variance.sqrt(), 0.02);

    // The network that is used learns from all of them.
    let mut graph = digits::build(&network)?;
    train(&mut graph, &digits::samples(&data.train)?, None, &options)?;
    digits::deploy(course, "k-fold", &graph, &data.train, &data.test)
}
