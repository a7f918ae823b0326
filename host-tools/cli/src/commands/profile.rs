//! `milligrad profile`

use super::Convention;
use super::validate::Folder;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Table, grouped};
use clap::Args;
use milligrad_board::{Core, Firmware, board, default_board};
use serde_json::json;
use std::path::PathBuf;

/// Count a model's instructions on an emulated board, layer by layer.
#[derive(Debug, Args)]
pub(crate) struct Profile {
    /// The model.
    model: PathBuf,
    /// The board.
    #[arg(long, value_name = "BOARD", default_value = default_board().name)]
    board: String,
    #[command(flatten)]
    convention: Convention,
}

impl Profile {
    pub(crate) fn run(&self, output: &Output) -> Result<(), Failure> {
        let board = board(&self.board)?;
        let context = Context::new(&self.model, None)?;
        let program = self.convention.compile(&context.graph, super::core_of(board))?;
        let analysis = program.analysis();
        // Any input will do where the data are not at hand: the count depends on it little.
        let raw = match context.data() {
            Ok(data) => data.test.input(0).to_vec(),
            Err(_) => {
                output.note("no data at hand: the input is zero".to_owned());
                vec![0.0; context.graph.input_len()]
            }
        };
        output.note(format!("building for {board}"));
        let folder = Folder::new()?;
        let firmware = Firmware::build(board, &[folder.model(&program)?])?.with_log(output.log());
        let profile = firmware.profile(&program.name, &program.encode_input(&raw))?;

        let mut table = Table::new(&["layer", "type", "MACs", "instructions", "per MAC", "kernel"]);
        let mut layers = Vec::new();
        let per_mac = |instructions, macs| {
            ratio(instructions, macs).map_or_else(String::new, |ratio| format!("{ratio:.2}"))
        };
        for (index, share) in profile.layers.iter().enumerate() {
            let cost = analysis.layers.iter().find(|layer| layer.name == share.name);
            let cost = cost.or(analysis.layers.get(index));
            let (op, macs, kernel) = cost.map_or(("", 0, ""), |cost| (cost.op, cost.macs, cost.kernel));
            table.row([
                share.name.clone(),
                op.into(),
                grouped(macs),
                grouped(share.instructions),
                per_mac(share.instructions, macs),
                kernel.into(),
            ]);
            layers.push(json!({
                "name": share.name,
                "op": op,
                "macs": macs,
                "instructions": share.instructions,
                "cycles_low": share.cycles.low,
                "cycles_high": share.cycles.high,
                "instructions_per_mac": ratio(share.instructions, macs),
                "kernel": kernel,
            }));
        }
        let instructions = profile.cost.instructions;
        table.rule();
        table.row([
            "total".into(),
            String::new(),
            grouped(analysis.macs),
            grouped(instructions),
            per_mac(instructions, analysis.macs),
        ]);
        output.table(&table);
        output.result(format!(
            "{board}: arena {} B, stack {} B, code {} B, constants {} B; modelled cycles of a {} {} to {}",
            grouped(analysis.arena_bytes),
            grouped(profile.cost.stack_bytes),
            grouped(profile.code_bytes),
            grouped(profile.constant_bytes),
            if board.core.has_cycle_model() { board.core } else { Core::CortexM4F },
            grouped(profile.cycles.low),
            grouped(profile.cycles.high)
        ));
        for panic in &profile.panics {
            output.result(format!("can panic: {panic}"));
        }
        output.object(json!({
            "name": program.name,
            "board": board.name,
            "macs": analysis.macs,
            "instructions": instructions,
            "instructions_per_mac": ratio(instructions, analysis.macs),
            "cycles_low": profile.cycles.low,
            "cycles_high": profile.cycles.high,
            "arena_bytes": analysis.arena_bytes,
            "network_bytes": profile.cost.network_bytes,
            "stack_bytes": profile.cost.stack_bytes,
            "stack_bound_bytes": profile.stack_bound_bytes,
            "code_bytes": profile.code_bytes,
            "constant_bytes": profile.constant_bytes,
            "weight_bytes": analysis.weight_bytes,
            "panics": profile.panics,
            "layers": layers,
        }));
        Ok(())
    }
}

/// Instructions for each MAC of a layer that has some.
fn ratio(instructions: u64, macs: u64) -> Option<f64> {
    (macs > 0).then(|| instructions as f64 / macs as f64)
}
