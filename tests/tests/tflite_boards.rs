//! Golden values of .tflite models on an emulated Cortex-M4F: what the chip computes is what the interpreters gave.

use milligrad_board::{Firmware, ModelSource, board};
use milligrad_host::export;
use milligrad_tests::golden::{CONVENTIONS, folders, load};
use std::path::PathBuf;
use std::time::Duration;

/// Samples of each model; the desk compares all of them.
const SAMPLES: usize = 4;

#[test]
fn imported_models_give_every_golden_bit_on_a_cortex_m4f() {
    let models: Vec<_> = folders().iter().flat_map(|folder| load(folder)).collect();
    for (convention, rounding, output) in CONVENTIONS {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("tflite-{convention}"));
        std::fs::create_dir_all(&folder).unwrap();
        let (mut sources, mut cases) = (Vec::new(), Vec::new());
        for golden in &models {
            let Some((inputs, expected)) = golden.vectors(output) else { continue };
            let mut program = golden.program(rounding);
            program.name = golden.name.replace('-', "_");
            let path = folder.join(&program.name).with_extension("rs");
            std::fs::write(&path, export::rust(&program).unwrap()).unwrap();
            sources.push(ModelSource::new(&program.name, path));
            cases.push((program, inputs, expected));
        }
        let firmware = Firmware::build(board("mps2-an386").unwrap(), &sources).unwrap();
        let firmware = firmware.with_limit(Duration::from_secs(600));
        let (mut values, mut wrong) = (0, Vec::new());
        for (program, inputs, expected) in &cases {
            let inputs = &inputs[..inputs.len().min(SAMPLES * program.input_bytes())];
            let outputs = firmware.predict(&program.name, inputs).unwrap().outputs;
            let expected = &expected[..outputs.len()];
            assert_eq!(outputs.len(), inputs.len() / program.input_bytes() * program.output_bytes());
            let differing = outputs.iter().zip(expected).filter(|(a, b)| a != b).count();
            values += outputs.len();
            if differing > 0 {
                wrong.push(format!("{} ({convention}): {differing} of {}", program.name, outputs.len()));
            }
        }
        println!("{convention}: {} models, {values} bytes on a Cortex-M4F", cases.len());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
