//! `milligrad analyze`

use super::Learning;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, grouped};
use clap::Args;
use milligrad_host::Analysis;
use milligrad_host::analysis::TrainingCost;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Show what every layer costs, before anything is flashed.
#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// The model.
    model: PathBuf,
    /// Show what a training step costs, too; of all layers, unless --trainable says which.
    #[arg(long)]
    train: bool,
    #[command(flatten)]
    learning: Learning,
}

impl Analyze {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let context = Context::new(&self.model, None)?;
        let program = match self.train {
            true => self.learning.or_all().compile(&context.graph, None)?,
            false => self.learning.compile(&context.graph, None)?,
        };
        let analysis = program.analysis();
        let training = program.training();
        output.table(&table(&analysis));
        output.result(format!(
            "constants {} B (weights and biases {} B), arena {} B (no plan below {} B), RAM {} B",
            grouped(analysis.constant_bytes),
            grouped(analysis.weight_bytes),
            grouped(analysis.arena_bytes),
            grouped(analysis.arena_lower_bound_bytes),
            grouped(analysis.ram_bytes)
        ));
        output.result(format!(
            "modelled for a Cortex-M4F: about {} instructions a prediction, {} B of code, {} B of flash in all",
            grouped(analysis.instructions),
            grouped(analysis.code_bytes),
            grouped(analysis.flash_bytes())
        ));
        if let Some(training) = &training {
            show(training, program.fixed_point().is_none(), output);
        }
        for removed in &analysis.removed {
            output.result(removed);
        }
        let mut object = json!({ "name": context.graph.name, "dtype": context.dtype() });
        if let (Value::Object(object), Ok(Value::Object(analysis))) =
            (&mut object, serde_json::to_value(&analysis))
        {
            object.extend(analysis);
            if let Some(training) = &training {
                object.insert("training".into(), json!(training));
            }
        }
        output.object(object);
        Ok(())
    }
}

/// What a training step costs; in floats, less where inputs are zero.
fn show(training: &TrainingCost, floats: bool, output: &Output) {
    let header = ["layer", "learn", "RAM B", "forward", "backward", "update", "instructions"];
    let mut table = Table::new(&header);
    for layer in &training.layers {
        let counts = [layer.forward, layer.backward, layer.update];
        table.row(
            [layer.name.clone(), grouped(layer.trainable), grouped(layer.ram_bytes)]
                .into_iter()
                .chain(counts.map(grouped))
                .chain([grouped(counts.iter().sum::<u64>())]),
        );
    }
    output.table(&table);
    let elsewhere = training
        .without_fpu
        .iter()
        .map(|cost| format!(", {} on a {}", grouped(cost.instructions), cost.core));
    let less = if floats { "; less where blocks of inputs are zero" } else { "" };
    output.result(format!(
        "a training step: RAM {} B ({} B beside parameters and what the optimizer remembers of them), initial values in flash \
         {} B; modelled: about {} instructions on a Cortex-M4F, as above{}{less}",
        grouped(training.ram_bytes),
        grouped(training.ram_beyond_parameters_bytes),
        grouped(training.initial_bytes),
        grouped(training.instructions),
        elsewhere.collect::<String>()
    ));
}

fn table(analysis: &Analysis) -> Table {
    let mut table = Table::new(&[
        "layer",
        "type",
        "output",
        "parameters",
        "MACs",
        "instructions",
        "constants B",
        "live B",
        "kernel",
    ]);
    for layer in &analysis.layers {
        let shape: Vec<String> = layer.shape.iter().map(usize::to_string).collect();
        table.row([
            layer.name.clone(),
            if layer.learns { format!("{}, learns", layer.op) } else { layer.op.into() },
            shape.join("x"),
            grouped(layer.parameters),
            grouped(layer.macs),
            grouped(layer.instructions),
            grouped(layer.constant_bytes),
            grouped(layer.live_bytes),
            layer.kernel.into(),
        ]);
    }
    table.rule();
    let live = analysis.layers.iter().map(|layer| layer.live_bytes).max().unwrap_or(0);
    table.row([
        "total".into(),
        String::new(),
        String::new(),
        grouped(analysis.parameters),
        grouped(analysis.macs),
        grouped(analysis.instructions),
        grouped(analysis.constant_bytes),
        grouped(live),
    ]);
    table
}
