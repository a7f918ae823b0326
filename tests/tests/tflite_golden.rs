//! Every value of the golden vectors of .tflite models, in both conventions, on the desk: none may differ.

use milligrad::Core;
use milligrad_host::Op;
use milligrad_tests::golden::{CONVENTIONS, folders, load};

#[test]
fn imported_models_give_every_golden_bit() {
    let (mut models, mut compared, mut wrong) = (0, 0, Vec::new());
    for golden in folders().iter().flat_map(|folder| load(folder)) {
        models += 1;
        for (convention, rounding) in CONVENTIONS {
            let differs = golden.graph.nodes.iter().any(|node| matches!(node.op, Op::Dense { .. }));
            for core in [Core::Portable, Core::Armv7em] {
                let program = golden.packed(rounding, core);
                let Some(vectors) = golden.vectors(&program, rounding, !differs) else { continue };
                let (outputs, expected) = (program.outputs(&vectors.inputs).unwrap(), vectors.outputs);
                assert_eq!(outputs.len(), expected.len(), "{}: bytes of output", golden.name);
                let differing = outputs.iter().zip(&expected).filter(|(a, b)| a != b).count();
                compared += expected.len();
                if differing > 0 {
                    let len = expected.len();
                    wrong.push(format!(
                        "{} ({convention}, {core:?}): {differing} of {len} values",
                        golden.name
                    ));
                }
            }
        }
    }
    println!("{models} models, {compared} values in both conventions");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(models >= 8, "golden models are missing, only {models} were found");
}
