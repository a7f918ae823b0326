//! Whatever bytes are accepted as a model are one: they can be written, read again as the same, and compiled.
//!
//! `cargo +nightly fuzz run safetensors -- -rss_limit_mb=256 -timeout=10`
#![no_main]

use libfuzzer_sys::fuzz_target;
use milligrad_host::{CompileOptions, Program, model_file};

/// What a run may cost, so that a long one is no hang.
const ELEMENTS: usize = 1 << 18;

fuzz_target!(|bytes: &[u8]| {
    let Ok(graph) = model_file::from_bytes(bytes) else { return };
    if let Ok(written) = model_file::to_bytes(&graph) {
        assert!(model_file::from_bytes(&written).is_ok_and(|again| again == graph));
    }
    if graph.tensors.iter().map(|tensor| tensor.len()).sum::<usize>() > ELEMENTS {
        return;
    }
    let Ok(program) = Program::compile(&graph, &CompileOptions::default()) else { return };
    if program.inputs.len() == 1 {
        let input = graph.input_len();
        let raw = graph.features.as_ref().map_or(input, |features| features.raw_len(input));
        assert_eq!(program.encode_input(&vec![0.5; raw]).len(), program.input_bytes());
    }
});
