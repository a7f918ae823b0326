//! An int8 network with two small layers, written by hand in plain loops: 32 inputs, 16 hidden, 4 outputs.

use milligrad::{Elements, ElementsMut, Model, Port};

/// Name given at export.
pub const NAME: &str = "pattern";
/// Names of the outputs.
pub const LABELS: [&str; 4] = ["a", "b", "c", "d"];

const INPUTS: usize = 32;
const HIDDEN: usize = 16;
const OUTPUTS: usize = 4;

static HIDDEN_WEIGHTS: [i8; INPUTS * HIDDEN] = weights(1);
static HIDDEN_BIAS: [i32; HIDDEN] = [100; HIDDEN];
static OUTPUT_WEIGHTS: [i8; HIDDEN * OUTPUTS] = weights(7);
static OUTPUT_BIAS: [i32; OUTPUTS] = [0, -50, 50, 25];

const fn weights<const N: usize>(seed: u32) -> [i8; N] {
    let (mut all, mut i, mut state) = ([0; N], 0, seed);
    while i < N {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        all[i] = (state >> 24) as i8;
        i += 1;
    }
    all
}

/// All the RAM of the model.
pub struct Network {
    input: [i8; INPUTS],
    hidden: [i8; HIDDEN],
    output: [i8; OUTPUTS],
}

impl Network {
    /// A network with an input of zeros.
    pub const fn new() -> Self {
        Self { input: [0; INPUTS], hidden: [0; HIDDEN], output: [0; OUTPUTS] }
    }
}

impl Model for Network {
    const NAME: &'static str = NAME;
    const LAYERS: &'static [&'static str] = &["hidden", "output"];
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[INPUTS] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[OUTPUTS] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        ElementsMut::I8(if index == 0 { &mut self.input } else { &mut [] })
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        Elements::I8(if index == 0 { &self.output } else { &[] })
    }

    fn run_with(&mut self, mut done: impl FnMut(usize)) {
        dense(&self.input, &HIDDEN_WEIGHTS, &HIDDEN_BIAS, 0, &mut self.hidden);
        done(0);
        dense(&self.hidden, &OUTPUT_WEIGHTS, &OUTPUT_BIAS, -128, &mut self.output);
        done(1);
    }
}

/// `y = clamp((W x + b) / 128, lowest, 127)`.
#[inline(never)]
fn dense(input: &[i8], weights: &[i8], bias: &[i32], lowest: i32, output: &mut [i8]) {
    for ((row, bias), y) in weights.chunks_exact(input.len()).zip(bias).zip(output) {
        let sum = row.iter().zip(input).fold(*bias, |sum, (&w, &x)| sum + i32::from(w) * i32::from(x));
        *y = (sum >> 7).clamp(lowest, 127) as i8;
    }
}
