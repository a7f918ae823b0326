//! Logistic regression: one neuron whose sigmoid says how likely the answer is yes.

use crate::course::{Course, Result, curve, train};
use crate::digits;
use milligrad_host::data::{Dataset, Targets};
use milligrad_host::train::{FitOptions, Loss, Optimizer, evaluate};

/// The threes and eights; class 1 is the eight.
fn eights(data: &Dataset) -> Result<Dataset> {
    let labels = data.labels().unwrap_or_default();
    let chosen: Vec<usize> = (0..data.len()).filter(|&i| [3, 8].contains(&labels[i])).collect();
    let classes = chosen.iter().map(|&i| u32::from(labels[i] == 8)).collect();
    let names = ["three", "eight"].map(String::from).to_vec();
    Ok(Dataset::new("3 or 8", &data.shape, data.select(&chosen).inputs, Targets::Classes(classes), names)?)
}

pub(crate) fn run(course: &mut Course) -> Result<()> {
    let data = digits::load()?;
    let (learn, test) = (eights(&data.train)?, eights(&data.test)?);
    let mut graph = digits::build(&digits::network("logistic").dense(1).sigmoid())?;
    let loss = Loss::BinaryCrossEntropy { label_smoothing: 0.0 };
    let options = FitOptions { epochs: 40, optimizer: Optimizer::adam(0.01), loss, ..FitOptions::default() };
    let history = train(&mut graph, &digits::samples(&learn)?, None, &options)?;
    println!("     loss {}", curve(history.epochs.iter().map(|epoch| epoch.loss)));
    let result = evaluate(&graph, &digits::samples(&test)?, loss)?;
    course.at_least("test accuracy", result.accuracy.unwrap_or_default(), 0.95);
    digits::deploy(course, "logistic", &graph, &learn, &test)
}
