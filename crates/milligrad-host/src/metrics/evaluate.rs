//! A model's answers to raw inputs, and how good they are.

use super::{ClassRule, Classification, Regression, huber, mean_absolute_error, mean_squared_error};
use crate::data::{Dataset, Targets};
use crate::graph::Graph;
use crate::lower::CompileOptions;
use crate::program::Program;
use crate::train::{self, Loss};
use crate::{Error, Result};

/// Loss and metrics of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// Mean loss, with what regularisation adds in a float model; of numbers in the unit of the raw targets. Absent for
    /// classes of an int8 model, whose scores are too coarse for it.
    pub loss: Option<f64>,
    /// The metrics.
    pub metrics: Metrics,
}

/// Metrics of whatever the targets are.
#[derive(Debug, Clone, PartialEq)]
pub enum Metrics {
    /// Classes.
    Classes(Classification),
    /// Numbers, in the unit of the raw targets.
    Numbers(Regression),
}

impl Evaluated {
    /// Share of right answers, of classes.
    pub fn accuracy(&self) -> Option<f64> {
        match &self.metrics {
            Metrics::Classes(report) => Some(report.accuracy),
            Metrics::Numbers(_) => None,
        }
    }

    /// Mean squared error, of numbers, in the square of their unit.
    pub fn squared_error(&self) -> Option<f64> {
        match &self.metrics {
            Metrics::Classes(_) => None,
            Metrics::Numbers(report) => Some(report.mse),
        }
    }
}

/// Loss and metrics of a model on data as they were read. A float model is run by the trainer, one with int8 parts by the
/// device's kernels.
///
/// # Errors
/// [`Error::Data`] for data that don't fit the model or the loss; what [`Program::compile`] refuses.
pub fn evaluate(graph: &Graph, data: &Dataset, loss: Loss) -> Result<Evaluated> {
    evaluate_at(graph, data, loss, None)
}

/// As [`evaluate`], where a score becomes a yes above this threshold instead of the usual one.
///
/// # Errors
/// Those of [`evaluate`]; [`Error::Data`] if the largest of several scores counts, or the model predicts numbers.
pub fn evaluate_at(graph: &Graph, data: &Dataset, loss: Loss, threshold: Option<f32>) -> Result<Evaluated> {
    // Names of columns and categories are checked along with the rest.
    let prepared = data.clone().prepared(graph)?;
    let (outputs, rule) = answers(graph, &data.name, &data.inputs)?;
    let rule = match threshold {
        Some(threshold) if matches!(data.targets, Targets::Classes(_)) => rule.at(threshold),
        Some(_) => None,
        None => Some(rule),
    };
    let rule = rule.ok_or_else(|| {
        let problem =
            "there is no threshold: it is for models with one score, or with a sigmoid for each class";
        Error::Data(format!("`{}`: {problem}", graph.name))
    })?;
    let width = outputs.len() / data.len().max(1);
    let float = if graph.has_int8() {
        None
    } else {
        let samples = prepared.into_samples(graph.normalize, loss, graph.output_len())?;
        Some(train::evaluate(graph, &samples, loss)?.loss * unit(graph, loss))
    };
    Ok(match &data.targets {
        Targets::Classes(labels) => {
            let report = Classification::of(rule, &outputs, width, labels);
            Evaluated { loss: float, metrics: Metrics::Classes(report) }
        }
        Targets::Values { values, width: wanted } => {
            if *wanted != width {
                return Err(Error::Data(format!(
                    "{}: a sample has {wanted} target values, the model {width} outputs",
                    data.name
                )));
            }
            let loss = float.or_else(|| regression_loss(graph, loss, &outputs, values));
            Evaluated { loss, metrics: Metrics::Numbers(Regression::of(&outputs, values, width)) }
        }
    })
}

/// Outputs for raw inputs that are one after the other, in the unit of the raw targets, and how they become a class. `name`
/// is for messages.
///
/// # Errors
/// [`Error::Data`] if these are no whole inputs, or a value or an engineered feature is not finite; names the sample.
pub fn answers(graph: &Graph, name: &str, raw: &[f32]) -> Result<(Vec<f32>, ClassRule)> {
    let error = |problem: String| Err(Error::Data(format!("{name}: {problem}")));
    let width = raw_len(graph);
    if !raw.len().is_multiple_of(width) {
        return error(format!(
            "{} values are no whole inputs of `{}`, which takes {width}",
            raw.len(),
            graph.name
        ));
    }
    if let Some(at) = raw.iter().position(|x| !x.is_finite()) {
        return error(format!("value {} of sample {} is {}", at % width, at / width, raw[at]));
    }
    if let Some(features) = &graph.features {
        features.check_raw(name, raw, width)?;
    }
    if !graph.has_int8() {
        graph.require_single("a prediction in floats")?;
        let mut inputs = graph.features.as_ref().map_or_else(|| raw.to_vec(), |features| features.apply(raw));
        inputs.iter_mut().for_each(|x| *x = graph.normalize.apply(*x));
        let mut outputs = train::predict(graph, &inputs)?;
        if let Some(target) = graph.target {
            outputs.iter_mut().for_each(|y| *y = target.decode(*y));
        }
        return Ok((outputs, ClassRule::of(graph)));
    }
    let program = Program::compile(graph, &CompileOptions::default())?;
    let records: Vec<u8> = raw.chunks_exact(width).flat_map(|raw| program.encode_input(raw)).collect();
    Ok((program.decode_outputs(&program.outputs(&records)?), program.class_rule()))
}

/// Raw values that a sample of a model has: those of all inputs, or of the rows that its features are made of.
pub fn raw_len(graph: &Graph) -> usize {
    let inputs: usize = graph.inputs.iter().map(|port| graph.tensor(port.tensor).len()).sum();
    graph.features.as_ref().map_or(inputs, |features| features.raw_len(inputs)).max(1)
}

/// What a loss of standardised targets is multiplied with to be in their unit. Huber's delta grows with the unit, so that
/// its loss is a square on both sides.
fn unit(graph: &Graph, loss: Loss) -> f64 {
    let deviation = graph.target.map_or(1.0, |target| f64::from(target.deviation));
    match loss {
        Loss::MeanSquaredError | Loss::Huber { .. } => deviation * deviation,
        Loss::MeanAbsoluteError => deviation,
        _ => 1.0,
    }
}

/// The loss of predictions in the unit of the targets; `None` for losses of classes.
fn regression_loss(graph: &Graph, loss: Loss, outputs: &[f32], targets: &[f32]) -> Option<f64> {
    let deviation = graph.target.map_or(1.0, |target| f64::from(target.deviation));
    match loss {
        Loss::MeanSquaredError => Some(mean_squared_error(outputs, targets)),
        Loss::MeanAbsoluteError => Some(mean_absolute_error(outputs, targets)),
        Loss::Huber { delta } => Some(huber(outputs, targets, f64::from(delta) * deviation)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::Builder;
    use crate::features::TargetScaling;
    use crate::{QuantizeOptions, quantize};

    /// A line through standardised targets, some of them far away.
    fn line() -> (Graph, Dataset) {
        let x: Vec<f32> = (0..40).map(|i| i as f32 / 40.0).collect();
        let values: Vec<f32> =
            x.iter().enumerate().map(|(i, x)| if i % 9 == 0 { 900.0 } else { 200.0 * x + 7.0 }).collect();
        let mut draft = Builder::new("line", &[1]).dense(1).build(3).unwrap().into_draft();
        draft.target = Some(TargetScaling::fit(&values));
        let data = Dataset::new("d", &[1], x, Targets::Values { width: 1, values }, vec![]).unwrap();
        (Graph::verify(draft).unwrap(), data)
    }

    #[test]
    fn every_regression_loss_is_in_the_unit_of_the_targets_in_f32_and_int8() {
        let (graph, data) = line();
        let int8 = quantize(&graph, &data.inputs, &QuantizeOptions::default()).unwrap();
        for loss in [Loss::MeanSquaredError, Loss::MeanAbsoluteError, Loss::Huber { delta: 0.5 }] {
            let (outputs, _) = answers(&graph, "d", &data.inputs).unwrap();
            let Targets::Values { values, .. } = &data.targets else { unreachable!() };
            let by_hand = regression_loss(&graph, loss, &outputs, values).unwrap();
            let float = evaluate(&graph, &data, loss).unwrap().loss.unwrap();
            assert!((float / by_hand - 1.0).abs() < 1e-5, "{loss:?}: {float}, not {by_hand}");
            let quantized = evaluate(&int8, &data, loss).unwrap().loss.unwrap();
            assert!(
                quantized != float && (quantized / by_hand - 1.0).abs() < 0.05,
                "{loss:?}: {quantized}, {by_hand}"
            );
        }
    }

    #[test]
    fn inputs_that_do_not_fit_are_named() {
        let graph = Builder::new("m", &[2]).dense(2).softmax().build(0).unwrap();
        let problem = |raw: &[f32]| answers(&graph, "file", raw).unwrap_err().to_string();
        assert!(problem(&[1.0; 3]).contains("file: 3 values are no whole inputs of `m`, which takes 2"));
        assert!(problem(&[1.0, 1.0, f32::NAN, 1.0]).contains("value 0 of sample 1 is NaN"));
        assert_eq!(answers(&graph, "file", &[0.0; 4]).unwrap().0.len(), 4);
    }
}
