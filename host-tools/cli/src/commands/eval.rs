//! `milligrad eval`

use super::compile;
use crate::context::{Context, Data, is_int8};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{grouped, percent};
use clap::Args;
use milligrad_host::Graph;
use milligrad_host::data::Targets;
use milligrad_host::train::{Loss, evaluate};
use serde_json::json;
use std::path::PathBuf;

/// Measure a model's accuracy on the test part.
#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// The model, f32 or int8. An int8 model is run by the device's kernels.
    model: PathBuf,
    /// Other data than those that it was trained on.
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
}

impl Eval {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let context = Context::new(&self.model, self.data.as_deref())?;
        let data = context.data()?;
        let (name, samples) = (data.test.name.clone(), data.test.len());
        let (loss, accuracy) = measure(&context.graph, data)?;
        let what =
            format!("{} ({}), {} samples of {name}", context.graph.name, context.dtype(), grouped(samples));
        match (accuracy, loss) {
            (Some(accuracy), Some(loss)) => {
                output.result(format!("{what}: accuracy {}, loss {loss:.4}", percent(accuracy)));
            }
            (Some(accuracy), None) => output.result(format!("{what}: accuracy {}", percent(accuracy))),
            (None, loss) => output.result(format!("{what}: loss {:.6}", loss.unwrap_or(f64::NAN))),
        }
        output.object(json!({
            "name": context.graph.name,
            "dtype": context.dtype(),
            "data": name,
            "samples": samples,
            "accuracy": accuracy,
            "loss": loss,
        }));
        Ok(())
    }
}

/// Loss and accuracy on the test part. Of an int8 classifier the accuracy alone, as its scores are coarse.
pub(crate) fn measure(graph: &Graph, data: Data) -> Result<(Option<f64>, Option<f64>), Failure> {
    if !is_int8(graph) {
        let samples =
            data.test.prepared(graph)?.into_samples(graph.normalize, data.loss, graph.output_len())?;
        let evaluation = evaluate(graph, &samples, data.loss)?;
        // In the unit of the targets.
        let deviation = graph.target.map_or(1.0, |target| f64::from(target.deviation));
        let loss = match data.loss {
            Loss::MeanSquaredError => evaluation.loss * deviation * deviation,
            Loss::MeanAbsoluteError => evaluation.loss * deviation,
            _ => evaluation.loss,
        };
        return Ok((Some(loss), evaluation.accuracy));
    }
    let program = compile(graph)?;
    let outputs = program.outputs(&program.records(&data.test))?;
    Ok(match &data.test.targets {
        Targets::Values { values, .. } => (Some(program.mean_squared_error(&outputs, values)), None),
        Targets::Classes(labels) => (None, Some(program.accuracy(&outputs, labels))),
    })
}
