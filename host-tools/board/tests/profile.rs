//! Profiles of the hand-written models: timer against plugin, stack against its bound, sizes.

mod common;

use common::{bytes, firmware, pattern_inputs, source};
use milligrad_board::{Firmware, OptLevel, Options, Profile, TrainPlan, board};

fn agree_within_one_percent(profile: &Profile) {
    let (timer, plugin) = (profile.cost.instructions as f64, profile.counted_instructions as f64);
    assert!((timer - plugin).abs() <= 0.01 * timer, "timer {timer}, plugin {plugin}");
}

fn profile_pattern(board: &str) {
    let profile = firmware(board, "pattern").profile("pattern", &pattern_inputs(1)).unwrap();
    agree_within_one_percent(&profile);
    let names: Vec<_> = profile.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["hidden", "output"]);
    // 512 and 64 multiplications.
    assert!(profile.layers[0].instructions > 4 * profile.layers[1].instructions, "{profile:#?}");
    let sum: u64 = profile.layers.iter().map(|layer| layer.instructions).sum();
    assert!(sum.abs_diff(profile.counted_instructions) * 50 <= profile.counted_instructions, "{profile:#?}");
    assert!(
        profile.cycles.low >= profile.counted_instructions && profile.cycles.high < 4 * profile.cycles.low
    );
    assert!(profile.functions[0].name.ends_with("pattern::dense"), "{profile:#?}");

    let bound = profile.stack_bound_bytes.expect("no recursion, no pointers to functions");
    assert!((profile.cost.stack_bytes..profile.cost.stack_bytes + 100).contains(&bound), "{profile:#?}");
    // Weights and biases, and nothing else.
    assert_eq!(profile.constant_bytes, (32 * 16 + 16 * 4) + 4 * (16 + 4));
    assert!((100..1500).contains(&profile.code_bytes), "{profile:#?}");
    assert_eq!(profile.panics, [""; 0]);
}

#[test]
fn pattern_on_cortex_m4() {
    profile_pattern("mps2-an386");
}

#[test]
fn pattern_on_cortex_m3() {
    profile_pattern("mps2-an385");
}

#[test]
fn pattern_on_cortex_m0() {
    profile_pattern("microbit");
}

#[test]
fn pattern_on_rv32imc() {
    profile_pattern("riscv32-virt");
}

#[test]
fn a_training_step_is_profiled() {
    let step = [bytes(&[0.5, -1.0, 2.0, 0.25]), vec![1]].concat();
    let plan = TrainPlan { steps: &step, learning_rate: 0.1, ..TrainPlan::default() };
    let profile = firmware("mps2-an386", "softmax").profile_training("softmax", &plan).unwrap();
    assert!(profile.cost.instructions.abs_diff(profile.counted_instructions) < 20, "{profile:#?}");
    assert!(profile.stack_bound_bytes.unwrap() >= profile.cost.stack_bytes, "{profile:#?}");
    assert_eq!(profile.panics, [""; 0]);
}

#[test]
fn a_model_that_can_panic_is_found_out() {
    for board in ["mps2-an386", "riscv32-virt"] {
        let firmware = firmware(board, "broken");
        let elf = firmware.analyse().unwrap();
        let entry = firmware.entry("broken", false).unwrap();
        let panics = elf.reach(&[&entry]).unwrap().panics();
        assert!(panics.iter().any(|name| name.contains("panic_fmt")), "{board}: {panics:?}");
    }
}

#[test]
fn small_code_is_smaller() {
    let board = board("mps2-an386").unwrap();
    let build = |opt_level| {
        let options = Options { opt_level, ..Options::default() };
        let firmware = Firmware::build_with(board, &[source("pattern")], options).unwrap();
        firmware.profile("pattern", &pattern_inputs(1)).unwrap()
    };
    let (fast, small) = (build(OptLevel::Speed), build(OptLevel::Size));
    assert!(small.code_bytes < fast.code_bytes, "{} {}", small.code_bytes, fast.code_bytes);
    assert_eq!(small.constant_bytes, fast.constant_bytes);
}
