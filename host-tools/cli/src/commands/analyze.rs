//! `milligrad analyze`

use super::Learning;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, grouped};
use clap::Args;
use milligrad_host::Analysis;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Show what every layer costs, before anything is flashed.
#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// The model.
    model: PathBuf,
    #[command(flatten)]
    learning: Learning,
}

impl Analyze {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let context = Context::new(&self.model, None)?;
        let analysis = self.learning.compile(&context.graph)?.analysis();
        output.table(&table(&analysis));
        output.result(format!(
            "constants {} B (weights and biases {} B), arena {} B (no plan below {} B), RAM {} B",
            grouped(analysis.constant_bytes),
            grouped(analysis.weight_bytes),
            grouped(analysis.arena_bytes),
            grouped(analysis.arena_lower_bound_bytes),
            grouped(analysis.ram_bytes)
        ));
        for removed in &analysis.removed {
            output.result(removed);
        }
        let mut object = json!({ "name": context.graph.name, "dtype": context.dtype() });
        if let (Value::Object(object), Ok(Value::Object(analysis))) =
            (&mut object, serde_json::to_value(&analysis))
        {
            object.extend(analysis);
        }
        output.object(object);
        Ok(())
    }
}

fn table(analysis: &Analysis) -> Table {
    let mut table =
        Table::new(&["layer", "type", "output", "parameters", "MACs", "constants B", "live B", "kernel"]);
    for layer in &analysis.layers {
        let shape: Vec<String> = layer.shape.iter().map(usize::to_string).collect();
        table.row([
            layer.name.clone(),
            if layer.learns { format!("{}, learns", layer.op) } else { layer.op.into() },
            shape.join("x"),
            grouped(layer.parameters),
            grouped(layer.macs),
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
        grouped(analysis.constant_bytes),
        grouped(live),
    ]);
    table
}
