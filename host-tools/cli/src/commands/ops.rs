//! `milligrad ops`

use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;
use clap::Args;
use milligrad_host::import::tflite::OPERATORS;
use serde_json::json;

/// List the operators of TensorFlow Lite that are imported, with their limits.
#[derive(Debug, Args)]
pub(crate) struct Ops {}

impl Ops {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let mut table = Table::new(&["operator", "types", "becomes", "limits"]);
        for operator in OPERATORS {
            table.row([operator.name, operator.types, operator.becomes, operator.limits].map(String::from));
        }
        output.table(&table);
        output.object(json!({ "operators": OPERATORS }));
        Ok(())
    }
}
