//! `cargo xtask bench kernels`: what one prediction costs on a Cortex-M4F.

use super::models::{self, NAMES};
use crate::Result;
use milligrad::Core;
use milligrad_board::{Firmware, ModelSource, Profile, board};
use milligrad_host::{CompileOptions, Graph, Program, export};
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
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let names: Vec<&str> = match &arguments.models[..] {
        [] => NAMES.to_vec(),
        some => some.iter().map(String::as_str).collect(),
    };
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
        let firmware = Firmware::build(board("mps2-an386")?, &[ModelSource::new(name, path)])?;
        let record = program.encode_input(&models::noise(graph.input_len()));
        let desk = program.runner().output(&record)?;
        if firmware.predict(name, &record)?.outputs != desk {
            return Err(format!("{name}: the board and the desk differ").into());
        }
        let profile = firmware.profile(name, &record)?;
        Ok(Self { program, profile })
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
