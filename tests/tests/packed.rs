//! Packed models give the bits of portable ones: on the desk by the portable twins of the kernels, on boards by the
//! kernels themselves. Plans with overlaps are proven, and give the bits of plans without.

use milligrad::{Core, Rounding};
use milligrad_board::{Firmware, ModelSource, board};
use milligrad_host::plan::{Plan, check, lower_bound};
use milligrad_host::{ElementType, export};
use milligrad_tests::random_models::{graph, program, records, rounded};
use std::path::PathBuf;

#[test]
fn packed_models_give_the_portable_bits_on_the_desk() {
    for rounding in [Rounding::Double, Rounding::Single] {
        give_the_portable_bits(rounding);
    }
}

fn give_the_portable_bits(rounding: Rounding) {
    let mut kernels = std::collections::BTreeMap::new();
    for seed in 0..400 {
        let graph = graph(seed).unwrap();
        let [portable, packed] =
            [Core::Portable, Core::Armv7em].map(|core| rounded(&graph, core, rounding).unwrap());
        packed.steps.iter().for_each(|step| *kernels.entry(step.kernel.name()).or_insert(0) += 1);
        let records = records(seed, 3 * portable.input_bytes());
        let expected = portable.outputs(&records).unwrap();
        assert_eq!(packed.outputs(&records).unwrap(), expected, "model {seed}");
        let mut separate = packed.clone();
        separate.plan = Plan::separate(&separate.buffers);
        assert_eq!(separate.outputs(&records).unwrap(), expected, "model {seed}, without a plan");
    }
    for kernel in ["conv2d_4x2", "conv2d_4x2_pointwise", "depthwise_3x3_planes", "dense_4", "add_packed"] {
        assert!(kernels.get(kernel).is_some_and(|&n| n > 50), "{kernel} was hardly tested: {kernels:?}");
    }
    let portable = kernels.get("dense").copied().unwrap_or(0);
    assert!(portable < 20, "{portable} dense layers are not packed ({rounding:?})");
}

/// `Program::compile` checks each plan; here the checker is asked again, and to find a fault that was put in.
#[test]
fn ten_thousand_plans_are_proven() {
    let (mut overlapping, mut without, mut bounds) = (0, 0, 0);
    for seed in 0..10_000 {
        let graph = graph(seed).unwrap();
        let packed = program(&graph, Core::Armv7em).unwrap();
        check::check(&packed).unwrap();
        let bound = lower_bound(&packed.buffers, ElementType::I8);
        overlapping += usize::from(packed.plan.int8 < bound);
        let plain = Plan::new(&packed.buffers, &[]);
        without += plain.int8;
        bounds += bound;
        assert!(plain.int8 <= bound + bound / 20 + 16, "model {seed}: {} for {bound}", plain.int8);
        if seed % 10 == 0 {
            broken_plan_is_found(packed);
        }
    }
    assert!(overlapping > 5_000, "only {overlapping} plans are below the bound without overlaps");
    println!("{overlapping} plans below the bound; without overlaps {without} bytes for {bounds}");
}

/// Moves the last output onto its input: what the last layer reads is gone then.
fn broken_plan_is_found(mut packed: milligrad_host::Program) {
    let step = packed.steps.last().unwrap();
    let (x, y) = (step.inputs[0], step.output);
    packed.plan.offsets[y.0] = packed.plan.offsets[x.0];
    packed.plan.int8 = packed.plan.int8.max(packed.plan.offsets[y.0] + packed.buffer(y).len);
    assert!(check::check(&packed).is_err(), "{}: a broken plan was not found", packed.name);
}

fn runs_the_same(board_name: &str, seeds: std::ops::Range<u64>) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("packed").join(board_name);
    std::fs::create_dir_all(&folder).unwrap();
    let programs: Vec<_> =
        seeds.map(|seed| (seed, program(&graph(seed).unwrap(), Core::Armv7em).unwrap())).collect();
    let sources: Vec<_> = programs
        .iter()
        .map(|(_, program)| {
            let path = folder.join(&program.name).with_extension("rs");
            std::fs::write(&path, export::rust(program).unwrap()).unwrap();
            ModelSource::new(&program.name, path)
        })
        .collect();
    let firmware = Firmware::build(board(board_name).unwrap(), &sources).unwrap();
    let elf = firmware.analyse().unwrap();
    for (seed, program) in &programs {
        let records = records(*seed, 4 * program.input_bytes());
        let found = firmware.predict(&program.name, &records).unwrap();
        assert_eq!(found.outputs, program.outputs(&records).unwrap(), "{} on {board_name}", program.name);
        assert!(found.cost.stack_bytes <= 1024, "{}: {} B of stack", program.name, found.cost.stack_bytes);
        let reach = elf.reach(&[&firmware.entry(&program.name, false).unwrap()]).unwrap();
        assert_eq!(reach.panics(), Vec::<String>::new(), "{}", program.name);
        let bound = reach.stack_bound_bytes().unwrap_or_else(|| panic!("{:?}", reach.unbounded()));
        assert!(bound <= 1024, "{}: at most {bound} B of stack", program.name);
    }
}

#[test]
fn cortex_m4f_kernels_are_the_desks() {
    runs_the_same("mps2-an386", 0..40);
}

#[test]
fn cortex_m7_kernels_are_the_desks() {
    runs_the_same("mps2-an500", 40..60);
}
