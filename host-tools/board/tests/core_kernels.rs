//! The kernels of a core's instructions against the portable ones of the desk, bit for bit: random shapes with all kinds
//! of rests, and numbers that are zero, tiny, infinite or none.

use milligrad::Model;
use milligrad_board::{Firmware, ModelSource, board};
use std::path::Path;

#[path = "../../../firmware/tests-models/kernels.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is written as a model of a firmware")]
mod kernels;

use kernels::{KERNELS, MOST};

/// Random numbers, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    fn below(&mut self, n: u32) -> u32 {
        self.next() % n
    }

    /// A number, of which so many in a thousand are special.
    fn number(&mut self, special: u32) -> f32 {
        const SPECIAL: [f32; 12] = [
            0.0,
            -0.0,
            1e-40,
            -3e-42,
            f32::MIN_POSITIVE,
            1e-30,
            -1e30,
            f32::MAX,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
            -f32::NAN,
        ];
        if self.below(1000) < special {
            // One special number in eight is not finite.
            let choice = if self.below(8) == 0 { self.below(12) } else { self.below(7) };
            return SPECIAL[choice as usize];
        }
        self.next() as f32 / (1u32 << 30) as f32 - 1.0
    }
}

/// A record: see `firmware/tests-models/kernels.rs`.
fn record(random: &mut Random, kernel: usize, outputs: usize, inputs: usize) -> Vec<f32> {
    let len = kernels::Network::INPUTS[0].len();
    let special = [0, 0, 20, 300][random.below(4) as usize];
    let mut record = vec![kernel as f32, outputs as f32, inputs as f32];
    record.extend((record.len()..len).map(|_| random.number(special)));
    // Half of the deltas are zero, of either sign, as behind a ReLU.
    let deltas = 3 + MOST * MOST + 2 * MOST..3 + MOST * MOST + 3 * MOST;
    for delta in &mut record[deltas.clone()] {
        match random.below(4) {
            0 => *delta = 0.0,
            1 => *delta = -0.0,
            _ => {}
        }
    }
    // Blocks of zeros among the inputs, and among those of the layer that has more.
    let inputs = 3 + MOST * MOST..3 + MOST * MOST + MOST;
    for numbers in [inputs, deltas.end..len] {
        for block in record[numbers].chunks_mut(16) {
            if random.below(3) == 0 {
                block.iter_mut().for_each(|x| *x = if random.below(2) == 0 { 0.0 } else { -0.0 });
            }
        }
    }
    // Scores far apart, so that exponentials vanish, and mean squares, which are not negative.
    if KERNELS[kernel] == "softmax" {
        record.iter_mut().skip(3).for_each(|x| *x *= 60.0);
    }
    record[deltas.end..].iter_mut().skip(1).step_by(2).for_each(|square| *square = square.abs());
    record
}

/// Runs these kernels on a board and on the desk, on all numbers of inputs; returns how many results are not finite.
fn compare(firmware: &Firmware, kernels: std::ops::Range<usize>) -> usize {
    let (mut random, mut cases, mut bytes) = (Random(1), Vec::new(), Vec::new());
    for kernel in kernels {
        for inputs in 1..=MOST {
            for outputs in [1 + random.below(8), 1 + random.below(MOST as u32)] {
                let record = record(&mut random, kernel, outputs as usize, inputs);
                bytes.extend(record.iter().flat_map(|x| x.to_le_bytes()));
                cases.push((kernel, outputs, inputs));
            }
        }
    }
    let results = firmware.outputs("kernels", &bytes).unwrap();

    let mut network = kernels::Network::new();
    let (record, result) = (bytes.len() / cases.len(), results.len() / cases.len());
    let each = bytes.chunks_exact(record).zip(results.chunks_exact(result));
    let mut infinite = 0;
    for ((kernel, outputs, inputs), (input, board)) in cases.into_iter().zip(each) {
        network.input_at(0).set_le(input);
        network.run();
        let mut desk = vec![0; result];
        network.output_at(0).to_le(&mut desk);
        let floats = |bytes: &[u8]| -> Vec<f32> {
            bytes.as_chunks::<4>().0.iter().map(|&raw| f32::from_le_bytes(raw)).collect()
        };
        for (i, (board, desk)) in floats(board).into_iter().zip(floats(&desk)).enumerate() {
            let same = board.to_bits() == desk.to_bits() || board.is_nan() && desk.is_nan();
            let name = KERNELS[kernel];
            assert!(same, "{name}, {outputs} outputs, {inputs} inputs, element {i}: {board:e}, not {desk:e}");
            infinite += usize::from(!desk.is_finite());
        }
    }
    infinite
}

fn firmware(board_name: &str, in_assembly: &[&str]) -> Firmware {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../firmware/tests-models/kernels.rs");
    let source = ModelSource::new("kernels", path);
    let firmware = Firmware::build(board(board_name).unwrap(), &[source]).unwrap();
    let elf = firmware.analyse().unwrap();
    for name in in_assembly {
        assert!(elf.symbol(&format!("milligrad_{name}")).is_some(), "{name}: the kernel is not there");
    }
    firmware
}

#[test]
fn kernels_of_a_cortex_m4f_are_those_of_the_desk() {
    let firmware = firmware(
        "mps2-an386",
        &[
            "rows_f32",
            "columns_f32",
            "subtract_outer_f32",
            "adam_f32",
            "momentum_f32",
            "nesterov_f32",
            "rms_prop_f32",
            "softmax_f32",
            "copy_lines_f32",
            "small_rows_f32",
            "small_outer_f32",
            "max_pool_f32",
            "max_pool_backward_f32",
            "clear_f32",
            "dequantize_f32",
            "fixed_four_rows",
            "fixed_two_columns",
            "fixed_update",
        ],
    );
    let infinite = compare(&firmware, 0..KERNELS.len());
    assert!(infinite > 1000, "{infinite} results are not finite: the numbers are too tame");
}

#[test]
fn fixed_point_on_a_cortex_m3_is_that_of_the_desk() {
    let firmware = firmware("mps2-an385", &["fixed_four_rows", "fixed_two_columns", "fixed_update"]);
    let fixed = KERNELS.iter().position(|name| name.starts_with("fixed")).unwrap();
    compare(&firmware, fixed..KERNELS.len());
}
