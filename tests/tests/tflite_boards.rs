//! Golden values of .tflite models on an emulated Cortex-M4F, with the kernels that are packed for it: what the chip computes is
//! what the interpreters gave. `cargo xtask bench golden` does this with all samples on all boards.

use milligrad::Core;
use milligrad_board::{Firmware, ModelSource, board};
use milligrad_host::data::Vectors;
use milligrad_host::export;
use milligrad_tests::golden::{CONVENTIONS, folders, load};
use std::path::PathBuf;
use std::time::Duration;

/// Samples of each model; the desk compares all of them.
const SAMPLES: usize = 4;

#[test]
fn imported_models_packed_give_every_golden_bit_on_a_cortex_m4f() {
    let models: Vec<_> = folders().iter().flat_map(|folder| load(folder)).collect();
    for (convention, rounding) in CONVENTIONS {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("tflite-{convention}"));
        std::fs::create_dir_all(&folder).unwrap();
        let (mut sources, mut cases) = (Vec::new(), Vec::new());
        for golden in &models {
            let mut program = golden.packed(rounding, Core::Armv7em);
            let Some(vectors) = golden.vectors(&program, rounding, false) else { continue };
            program.name = golden.name.replace('-', "_");
            let path = folder.join(&program.name).with_extension("rs");
            std::fs::write(&path, export::rust(&program).unwrap()).unwrap();
            sources.push(ModelSource::new(&program.name, path));
            cases.push((program, vectors));
        }
        let firmware = Firmware::build(board("mps2-an386").unwrap(), &sources).unwrap();
        let firmware = firmware.with_limit(Duration::from_secs(600));
        let (mut values, mut wrong) = (0, Vec::new());
        for (program, vectors) in &cases {
            let Vectors { inputs, outputs: expected, .. } = vectors.clone().take(SAMPLES);
            let outputs = firmware.predict(&program.name, &inputs).unwrap().outputs;
            assert_eq!(outputs.len(), expected.len(), "{}", program.name);
            let differing = outputs.iter().zip(&expected).filter(|(a, b)| a != b).count();
            values += outputs.len();
            if differing > 0 {
                wrong.push(format!("{} ({convention}): {differing} of {}", program.name, outputs.len()));
            }
        }
        println!("{convention}: {} models, {values} bytes on a Cortex-M4F", cases.len());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
