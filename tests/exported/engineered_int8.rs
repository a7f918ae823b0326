// milligrad model: name=engineered learns=no optimizer=none core=portable
// 2 layers, 35 multiply-accumulate operations, 11 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Elements, ElementsMut, Int8, Model, Port, Quantization, QuantizedChannel, QuantizedOutput, Rounding, arena, lendable, math, layers::{self, Dense, dense}};

/// Name of the model.
pub const NAME: &str = "engineered";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 2] = ["dense", "dense_1"];
/// Scale and zero point of the input.
pub const INPUT_QUANTIZATION: Quantization = Quantization::new(0.0077919248, 0);
/// Scale and zero point of the output.
pub const OUTPUT_QUANTIZATION: Quantization = Quantization::new(0.007628701, -119);

static DENSE_WEIGHTS: [i8; 30] = [
    3, -71, -127, 8, -84, -78, -9, 59, -61, 115, -127, 77, -117, 127, 47, 98, 62, 50, 65, 113, -61, 122, -127,
    -107, 18, -82, 43, -124, 98, -127,
];
static DENSE_CHANNELS: [QuantizedChannel; 5] = QuantizedChannel::table([
    (0, 1989011159, -7), (0, 1804327608, -7), (0, 1766099769, -7), (0, 1883447940, -7), (0, 1744049430, -7),
], Rounding::Double);
static DENSE: Dense<Int8> = Dense::new(6, &DENSE_WEIGHTS, &DENSE_CHANNELS, QuantizedOutput::new(-128, -128, 127));

static DENSE_1_WEIGHTS: [i8; 5] = [
    -24, 61, 122, 127, 125,
];
static DENSE_1_CHANNELS: [QuantizedChannel; 1] = QuantizedChannel::table([
    (52608, 1584195856, -7),
], Rounding::Double);
static DENSE_1: Dense<Int8> = Dense::new(5, &DENSE_1_WEIGHTS, &DENSE_1_CHANNELS, QuantizedOutput::new(-119, -128, 127));

lendable! {
/// All the RAM of the model, 11 bytes: its arena.
pub struct Network {
    int8: arena::Bytes<3>,
}
}

/// Words of four bytes that the network needs of an arena.
pub const ARENA_WORDS: usize = 3;

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { int8: arena::Bytes::ZERO, }
    }

    /// The network in memory that others use too, each in its turn: an arena of at least [`ARENA_WORDS`] words.
    #[inline]
    pub const fn within<const WORDS: usize>(arena: &mut arena::Arena<WORDS>) -> &mut Self {
        arena.lend()
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [i8; 6] {
        arena::array_mut(&mut self.int8, 0)
    }

    /// Runs the network on its [`input`](Self::input).
    #[inline]
    pub fn predict(&mut self) -> &[i8; 1] {
        self.predict_with(|_| {})
    }

    /// As [`predict`](Self::predict), and calls `done(i)` after layer `i` of [`LAYERS`].
    #[inline]
    pub fn predict_with(&mut self, done: impl FnMut(usize)) -> &[i8; 1] {
        self.forward(done);
        arena::array(&self.int8, 0)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // dense: Dense [5], 30 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([0..6, 6..11]) {
            DENSE.forward(x, y);
        }
        done(0);
        // dense_1: Dense [1], 5 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([6..11, 0..1]) {
            DENSE_1.forward(x, y);
        }
        done(1);
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Model for Network {
    const NAME: &'static str = NAME;
    const LAYERS: &'static [&'static str] = &LAYERS;
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[6] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[1] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        match index {
            0 => ElementsMut::I8(self.input()),
            _ => ElementsMut::I8(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::I8(arena::array::<_, 1>(&self.int8, 0)),
            _ => Elements::I8(&[]),
        }
    }

    fn run_with(&mut self, done: impl FnMut(usize)) {
        self.forward(done);
    }
}

/// The features of raw rows. Columns of a row:
///
/// - x0: "area"
/// - x1: "age"
/// - x2: "unused"
/// - x3: "kind", the index in ["flat", "house"]
pub fn prepare_input(raw: &[f32; 4], input: &mut [i8; 6]) {
    let (rows, _) = raw.as_chunks::<4>();
    let (inputs, _) = input.as_chunks_mut::<6>();
    for (&[x0, x1, _, x3], input) in rows.iter().zip(inputs) {
        let features = [
            (x0 - 0.1) * 1.75, // area
            ((math::ln(1.0 + x0)) - -0.3) * 0.7, // ln(1 + area)
            ((x1 * x1 * x1) - 0.0) * 2.0, // age^3
            ((x0 / x1) - 0.5) * 0.01, // area / age
            x0 - x1, // area - age
            f32::from(u8::from(x3 == 1.0)), // kind = house
        ];
        *input = features.map(|x| INPUT_QUANTIZATION.quantize(x));
    }
}

/// Outputs as real numbers.
pub fn dequantize_output(output: &[i8; 1]) -> [f32; 1] {
    output.map(|q| OUTPUT_QUANTIZATION.dequantize(q))
}
/// Outputs in the unit of the targets.
pub fn decode_output(output: &[i8; 1]) -> [f32; 1] {
    output.map(|y| OUTPUT_QUANTIZATION.dequantize(y) * 31.25 + 250.5)
}
