//! `milligrad doctor`

use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;
use clap::Args;
use milligrad_board::toolchain::{Tool, status};
use milligrad_host::data::idx;
use serde_json::json;

/// Show what is installed, what is missing, and how to get it.
#[derive(Debug, Args)]
pub(crate) struct Doctor {}

impl Doctor {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let mut tools = status();
        let folder = idx::fashion_mnist_folder();
        tools.push(Tool {
            name: "Fashion-MNIST".into(),
            found: folder.as_ref().ok().map(|folder| folder.display().to_string()),
            purpose: "training on it; the digits come with milligrad",
            optional: true,
            remedy: folder.err().map(|error| error.to_string()).unwrap_or_default(),
        });
        let mut table = Table::new(&["", "tool", "needed for", "found"]);
        for tool in &tools {
            let mark = if tool.found.is_some() {
                "✔"
            } else if tool.optional {
                "–"
            } else {
                "✘"
            };
            let found = tool.found.clone().unwrap_or("no".into());
            table.row([mark.into(), tool.name.clone(), tool.purpose.into(), found]);
        }
        output.table(&table);
        for tool in tools.iter().filter(|tool| tool.found.is_none()) {
            output.result(format!("\n{}: {}", tool.name, tool.remedy));
        }
        let well = tools.iter().all(|tool| tool.optional || tool.found.is_some());
        let list: Vec<_> = tools
            .iter()
            .map(|tool| {
                json!({
                    "name": tool.name,
                    "found": tool.found,
                    "purpose": tool.purpose,
                    "optional": tool.optional,
                    "remedy": tool.remedy,
                })
            })
            .collect();
        output.object(json!({ "ok": well, "tools": list }));
        if well { Ok(()) } else { Err(Failure::check()) }
    }
}
