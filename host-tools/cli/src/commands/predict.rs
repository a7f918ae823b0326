//! `milligrad predict`

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::grouped;
use clap::Args;
use milligrad_host::data::inputs::{self, Place};
use milligrad_host::data::npz::Array;
use milligrad_host::metrics::answers;
use milligrad_host::model_file::write_atomically;
use milligrad_host::spec::Source;
use serde_json::json;
use std::path::PathBuf;

/// Let a model answer raw inputs: the class of each sample, or the numbers that it predicts.
#[derive(Debug, Args)]
pub(crate) struct Predict {
    /// The model, f32 or int8. An int8 model is run by the device's kernels.
    model: PathBuf,
    /// Raw inputs, as the training data had them: NPY, NPZ, IDX, or CSV with a header (whose rows are samples, or points in
    /// time of a model that takes several). A target column is not needed.
    data: PathBuf,
    /// Write an NPY file instead of lines: classes as int32, one a sample, scores and numbers as samples x outputs of
    /// float32.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The scores of all classes instead of the class: probabilities, where the model ends in softmax or sigmoid.
    #[arg(long)]
    proba: bool,
    /// The array of an NPZ file; x unless given.
    #[arg(long, value_name = "NAME")]
    array: Option<String>,
    /// Columns of a CSV file, in the order of training; those that the model or the specification beside it knows, or all,
    /// unless given.
    #[arg(long, value_name = "A,B,..", value_delimiter = ',')]
    columns: Option<Vec<String>>,
}

impl Predict {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let context = Context::new(&self.model, None)?;
        let graph = &context.graph;
        let place = self.place(&context)?;
        let raw = inputs::read(&self.data, graph, &place)?;
        let (outputs, rule) = answers(graph, &self.data.display().to_string(), &raw)?;
        let samples = raw.len() / milligrad_host::metrics::raw_len(graph);
        let width = outputs.len() / samples.max(1);
        // A model without names of classes predicts numbers.
        let classes = (!graph.labels.is_empty() && !self.proba)
            .then(|| outputs.chunks_exact(width).map(|scores| rule.class(scores)).collect::<Vec<u32>>());
        if self.proba && graph.labels.is_empty() {
            return Err(Failure::usage(format!(
                "--proba: `{}` predicts numbers, it has no classes; leave --proba out",
                graph.name
            )));
        }
        let name = |class: u32| graph.labels.get(class as usize).map_or("?", String::as_str);
        let mut object = json!({
            "name": graph.name,
            "dtype": context.dtype(),
            "samples": samples,
            "classes": graph.labels,
        });
        if let Some(path) = &self.out {
            let file = match &classes {
                Some(classes) => {
                    let bytes: Vec<u8> = classes.iter().flat_map(|class| class.to_le_bytes()).collect();
                    Array::file("<i4", &[samples], &bytes)
                }
                None => {
                    let bytes: Vec<u8> = outputs.iter().flat_map(|score| score.to_le_bytes()).collect();
                    Array::file("<f4", &[samples, width], &bytes)
                }
            };
            write_atomically(path, &file)?;
            output.result(format!(
                "{} predictions of {}; wrote {}",
                grouped(samples),
                graph.name,
                path.display()
            ));
            object["out"] = json!(path);
        } else {
            for row in 0..samples {
                match &classes {
                    Some(classes) => output.result(name(classes[row])),
                    None => {
                        let row = outputs[row * width..][..width].iter();
                        output.result(row.map(f32::to_string).collect::<Vec<_>>().join(" "));
                    }
                }
            }
            object["predictions"] = match &classes {
                Some(classes) => json!(classes),
                None => outputs.chunks_exact(width).collect(),
            };
        }
        output.object(object);
        Ok(())
    }

    /// Where in a file the inputs are, as far as arguments or the specification of the training say so.
    fn place(&self, context: &Context) -> Result<Place, Failure> {
        let mut place =
            Place { array: self.array.clone(), columns: self.columns.clone(), left_out: Vec::new() };
        if place.columns.is_some() || context.graph.features.is_some() {
            return Ok(place);
        }
        let source = context.specification()?.map(|spec| spec.data.source);
        if let Some(Source::Csv { target, features, ignore, group, weight, .. }) = source {
            place.columns = features;
            place.left_out = [Some(target), group, weight].into_iter().flatten().chain(ignore).collect();
        }
        Ok(place)
    }
}
