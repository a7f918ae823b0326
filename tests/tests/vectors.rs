//! int8 loops on a Cortex-M55 are vector loops. The compiler makes them of plain sums, on its own; nothing but this test would
//! tell if it stopped.

use milligrad::Core;
use milligrad_board::{Firmware, ModelSource, board};
use milligrad_host::{Builder, Program, QuantizeOptions, export, quantize};
use milligrad_tests::noise;
use milligrad_tests::random_models::program;
use std::path::PathBuf;

/// A network of one kind of layer.
fn model(name: &str, model: Builder) -> Program {
    let graph = model.build(1).unwrap();
    let graph = quantize(&graph, &noise(1, 2 * graph.input_len()), &QuantizeOptions::default()).unwrap();
    Program { name: name.into(), ..program(&graph, Core::Portable).unwrap() }
}

/// How often `VMLAVA.S8 Rd, Qn, Qm` stands in the code, which adds sixteen products to a sum: `1110 1110 1111 nnn0` and
/// `ddd0 1111 0010 mmm0`.
fn vector_sums(code: &[u8]) -> usize {
    let halves: Vec<u16> = code.as_chunks::<2>().0.iter().map(|&half| u16::from_le_bytes(half)).collect();
    halves.windows(2).filter(|pair| pair[0] & 0xfff1 == 0xeef0 && pair[1] & 0x1ff1 == 0x0f20).count()
}

#[test]
fn cortex_m55_multiplies_vectors() {
    let models = [
        model("dense", Builder::new("dense", &[512]).dense(64).relu().dense(16)),
        model("conv", Builder::new("conv", &[10, 10, 16]).conv2d(16, 3).same().relu().conv2d(32, 1)),
    ];
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("vectors");
    std::fs::create_dir_all(&folder).unwrap();
    for (program, most) in models.iter().zip([0.5, 1.5]) {
        let path = folder.join(&program.name).with_extension("rs");
        std::fs::write(&path, export::rust(program).unwrap()).unwrap();
        let source = ModelSource::new(&program.name, path);
        let firmware = Firmware::build(board("mps3-an547").unwrap(), &[source]).unwrap();
        let vectors = vector_sums(&std::fs::read(firmware.elf()).unwrap());
        assert!(vectors > 0, "{}: there is no VMLAVA in {}", program.name, firmware.elf().display());
        let record = vec![0x21; program.input_bytes()];
        let found = firmware.predict(&program.name, &record).unwrap();
        assert_eq!(found.outputs, program.outputs(&record).unwrap(), "{}", program.name);
        let per_mac = found.cost.instructions as f64 / program.analysis().macs as f64;
        println!("{}: {per_mac:.2} instructions per MAC, {vectors} VMLAVA", program.name);
        assert!(per_mac < most, "{}: {per_mac:.2} instructions per MAC, at most {most}", program.name);
    }
}
