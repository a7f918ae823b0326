//! `cargo xtask bench kernels`: what one prediction costs on a Cortex-M4F.

use super::models::{self, NAMES};
use crate::Result;
use milligrad::Core;
use milligrad_board::{Firmware, ModelSource, Profile, board};
use milligrad_host::{CompileOptions, Graph, Program, export};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Default, clap::Args)]
pub(crate) struct Arguments {
    /// Models to measure; all without it
    models: Vec<String>,
    /// Print the layers too
    #[arg(long)]
    layers: bool,
    /// Leave out the portable kernels
    #[arg(long)]
    packed_only: bool,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// All models, as JSON.
    pub(crate) fn json() -> Self {
        Self { json: true, ..Self::default() }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let names: Vec<&str> = match &arguments.models[..] {
        [] => NAMES.to_vec(),
        some => some.iter().map(String::as_str).collect(),
    };
    if arguments.json {
        let rows = measure_all(arguments, &names)?;
        let models: Vec<_> = rows.iter().map(|(name, core, row)| row.object(name, *core)).collect();
        println!("{}", json!({ "schema": 1, "board": BOARD, "models": models }));
        return Ok(());
    }
    println!(
        "TFLM with CMSIS-NN (TensorFlow Lite Micro 90b983c2, -O2) on the same board: the last column.\n"
    );
    println!(
        "| model | kernels | MACs | instructions | per MAC | cycles_low | cycles_high | arena | stack | code | constants \
         | TFLM: instructions / arena / code |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for name in names {
        let graph = models::load(name)?;
        for core in [Core::Portable, Core::Armv7em] {
            if core == Core::Portable && arguments.packed_only {
                continue;
            }
            let row = Row::measure(name, &graph, core)?;
            row.print(name, core);
            if arguments.layers {
                row.print_layers();
            }
        }
    }
    Ok(())
}

/// The board of the table.
const BOARD: &str = "mps2-an386";

/// Every model with every set of kernels that is asked for.
fn measure_all<'a>(arguments: &Arguments, names: &[&'a str]) -> Result<Vec<(&'a str, Core, Row)>> {
    let mut rows = Vec::new();
    for name in names {
        let graph = models::load(name)?;
        for core in [Core::Portable, Core::Armv7em] {
            if core == Core::Armv7em || !arguments.packed_only {
                rows.push((*name, core, Row::measure(name, &graph, core)?));
            }
        }
    }
    Ok(rows)
}

/// What TensorFlow Lite Micro takes: instructions, bytes of arena, bytes of code.
const TFLM: [(&str, u64, u64, u64); 4] = [
    ("kws", 7_698_400, 22_820, 53_420),
    ("ic", 29_863_360, 54_996, 51_224),
    ("vww", 24_101_960, 100_708, 53_420),
    ("ad", 582_960, 2_580, 28_035),
];

/// A model with one set of kernels.
struct Row {
    program: Program,
    profile: Profile,
}

impl Row {
    fn measure(name: &str, graph: &Graph, core: Core) -> Result<Self> {
        let program = Program::compile(graph, &CompileOptions { core, ..Default::default() })?;
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/bench");
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}-{core:?}.rs"));
        std::fs::write(&path, export::rust(&program)?)?;
        let firmware = Firmware::build(board(BOARD)?, &[ModelSource::new(name, path)])?;
        let record = program.encode_input(&models::noise(graph.input_len()));
        let desk = program.runner().output(&record)?;
        if firmware.predict(name, &record)?.outputs != desk {
            return Err(format!("{name}: the board and the desk differ").into());
        }
        let profile = firmware.profile(name, &record)?;
        Ok(Self { program, profile })
    }

    fn object(&self, name: &str, core: Core) -> Value {
        let (profile, analysis) = (&self.profile, self.program.analysis());
        let tflm = TFLM.iter().find(|(model, ..)| *model == name).map(|(_, instructions, arena, code)| {
            json!({ "instructions": instructions, "arena_bytes": arena, "code_bytes": code })
        });
        json!({
            "name": name,
            "core": if core == Core::Portable { "portable" } else { "armv7e-m" },
            "macs": analysis.macs,
            "instructions": profile.cost.instructions,
            "instructions_per_mac": profile.cost.instructions as f64 / analysis.macs as f64,
            "cycles_low": profile.cycles.low,
            "cycles_high": profile.cycles.high,
            "arena_bytes": analysis.arena_bytes,
            "stack_bytes": profile.cost.stack_bytes,
            "code_bytes": profile.code_bytes,
            "constant_bytes": profile.constant_bytes,
            "tflm": tflm,
        })
    }

    fn print(&self, name: &str, core: Core) {
        let (profile, analysis) = (&self.profile, self.program.analysis());
        let instructions = profile.cost.instructions;
        let tflm =
            TFLM.iter().find(|(model, ..)| *model == name).map_or("-".into(), |(_, count, arena, code)| {
                format!("{count} ({:.2}) / {arena} / {code}", instructions as f64 / *count as f64)
            });
        println!(
            "| {name} | {core:?} | {} | {instructions} | {:.2} | {} | {} | {} | {} | {} | {} | {tflm} |",
            analysis.macs,
            instructions as f64 / analysis.macs as f64,
            profile.cycles.low,
            profile.cycles.high,
            analysis.arena_bytes,
            profile.cost.stack_bytes,
            profile.code_bytes,
            profile.constant_bytes,
        );
    }

    fn print_layers(&self) {
        let layers = self.program.analysis().layers;
        for (share, layer) in self.profile.layers.iter().zip(layers) {
            println!(
                "    {:24} {:24} {:9} MAC {:9} instructions {:6.2} a MAC, {} to {} cycles",
                share.name,
                layer.kernel,
                layer.macs,
                share.instructions,
                share.instructions as f64 / layer.macs.max(1) as f64,
                share.cycles.low,
                share.cycles.high,
            );
        }
    }
}
