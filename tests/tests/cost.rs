//! What the analysis says of instructions and code, beside what an emulated Cortex-M4F says.

use milligrad::Core;
use milligrad_board::{Firmware, ModelSource, board};
use milligrad_host::{Builder, CompileOptions, Graph, Program, QuantizeOptions, export, quantize};
use std::path::PathBuf;

/// A network with most kernels, of the size that people flash.
fn graph() -> Graph {
    let model = Builder::new("net", &[28, 28, 1]).conv2d(8, 3).same().relu().max_pool2d(2);
    let model = model.conv2d(16, 3).relu();
    let skip = model.here();
    let model = model.depthwise_conv2d(3).same().relu().pointwise(16).relu().add(skip).max_pool2d(2);
    let model = model.conv2d(24, 1).relu().global_avg_pool2d().flatten().dense(40).relu().dense(10).softmax();
    let graph = model.build(1).unwrap();
    let noise: Vec<f32> = (0..4 * 784).map(|i| ((i * 7919) % 1000) as f32 / 1000.0).collect();
    quantize(&graph, &noise, &QuantizeOptions::default()).unwrap()
}

#[test]
fn the_analysis_is_near_the_emulator() {
    let graph = graph();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cost");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, core) in [("portable", Core::Portable), ("packed", Core::Armv7em)] {
        let program = Program::compile(&graph, &CompileOptions { core, ..Default::default() }).unwrap();
        let path = folder.join(format!("{name}.rs"));
        std::fs::write(&path, export::rust(&program).unwrap()).unwrap();
        let model = ModelSource::new("net", path);
        let firmware = Firmware::build(board("mps2-an386").unwrap(), &[model]).unwrap();
        let record = program.encode_input(&[0.5; 784]);
        let profile = firmware.profile("net", &record).unwrap();
        let analysis = program.analysis();
        for (layer, share) in analysis.layers.iter().zip(&profile.layers) {
            eprintln!(
                "{name} {:22} {:9} counted, {:9} modelled",
                layer.kernel, share.instructions, layer.instructions
            );
        }
        let near = |what: &str, modelled: u64, counted: u64| {
            eprintln!("{name} {what}: {counted} counted, {modelled} modelled");
            let ratio = modelled as f64 / counted as f64;
            assert!((0.75..1.25).contains(&ratio), "{name} {what}: {ratio:.2} of what was counted");
        };
        near("instructions", analysis.instructions, profile.cost.instructions);
        near("code", analysis.code_bytes as u64, profile.code_bytes);
    }
}
