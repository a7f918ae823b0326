//! Whatever the importer accepts must survive: import, verify, pack, plan, check the plan, run the device's kernels. Packed and
//! portable kernels give the same bytes.
//!
//! `cargo +nightly fuzz run tflite fuzz/seeds -- -rss_limit_mb=512 -timeout=5`
#![no_main]

use libfuzzer_sys::fuzz_target;
use milligrad::{Core, Rounding};
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
    let mut portable = Vec::new();
    let conventions = [Rounding::Double, Rounding::Single].into_iter();
    for (rounding, core) in conventions.flat_map(|r| [(r, Core::Portable), (r, Core::Armv7em)]) {
        // Compiling checks the plan.
        let Ok(program) = Program::compile(&graph, &CompileOptions { rounding, core, learn: None }) else {
            return;
        };
        let analysis = program.analysis();
        if analysis.macs > MACS || analysis.arena_bytes > ELEMENTS {
            return;
        }
        let record: Vec<u8> = (0..program.input_bytes()).map(|i| (i as u8).wrapping_mul(37)).collect();
        let output = program.outputs(&record).expect("a record of the input's length");
        assert_eq!(output.len(), program.output_bytes());
        match core {
            Core::Portable => portable = output,
            _ => assert_eq!(output, portable, "packed kernels differ ({rounding:?})"),
        }
        let _ = export::rust(&program);
    }
});
