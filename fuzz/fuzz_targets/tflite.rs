//! Whatever the importer accepts must survive: import, verify, plan, check the plan, run the device's kernels.
//!
//! `cargo +nightly fuzz run tflite fuzz/seeds -- -rss_limit_mb=256 -timeout=10`
#![no_main]

use libfuzzer_sys::fuzz_target;
use milligrad::Rounding;
use milligrad_host::import::tflite;
use milligrad_host::{CompileOptions, Program, export};

/// What a run may cost, so that a long one is no hang.
const ELEMENTS: usize = 1 << 18;
const MACS: u64 = 1 << 22;

fuzz_target!(|bytes: &[u8]| {
    let Ok(graph) = tflite::from_bytes("fuzz", bytes) else { return };
    if graph.tensors.iter().map(|tensor| tensor.len()).sum::<usize>() > ELEMENTS {
        return;
    }
    for rounding in [Rounding::Double, Rounding::Single] {
        // Compiling checks the plan.
        let Ok(program) = Program::compile(&graph, &CompileOptions { rounding, ..Default::default() }) else { return };
        let analysis = program.analysis();
        if analysis.macs > MACS || analysis.arena_bytes > ELEMENTS {
            return;
        }
        let record: Vec<u8> = (0..program.input_bytes()).map(|i| (i as u8).wrapping_mul(37)).collect();
        let output = program.outputs(&record).expect("a record of the input's length");
        assert_eq!(output.len(), program.output_bytes());
        let _ = export::rust(&program);
    }
});
