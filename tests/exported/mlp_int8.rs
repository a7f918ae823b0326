// milligrad model: name=mlp learns=no optimizer=none core=portable
// 3 layers, 50 multiply-accumulate operations, 11 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Elements, ElementsMut, Int8, Model, Port, Quantization, QuantizedChannel, QuantizedOutput, Rounding, arena, lendable, layers::{self, Dense, QuantizedSoftmax, dense}};

/// Name of the model.
pub const NAME: &str = "mlp";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 3] = ["dense", "dense_1", "softmax"];
/// Scale and zero point of the input.
pub const INPUT_QUANTIZATION: Quantization = Quantization::new(0.0077919248, 0);
/// Scale and zero point of the output.
pub const OUTPUT_QUANTIZATION: Quantization = Quantization::new(0.00390625, -128);

static DENSE_WEIGHTS: [i8; 30] = [
    122, 110, 112, 127, -70, 73, -68, -15, 84, -119, -8, -127, 127, -41, -77, -11, -54, 116, 98, 108, 42,
    -127, -97, -94, 31, 94, -55, -127, -57, 54,
];
static DENSE_CHANNELS: [QuantizedChannel; 5] = QuantizedChannel::table([
    (0, 1538263976, -7), (0, 1392084240, -7), (0, 1391106893, -7), (0, 1166703246, -7), (0, 1243044766, -7),
], Rounding::Double);
static DENSE: Dense<Int8> = Dense::new(6, &DENSE_WEIGHTS, &DENSE_CHANNELS, QuantizedOutput::new(-128, -128, 127));

static DENSE_1_WEIGHTS: [i8; 20] = [
    -11, -127, -41, -58, 88, 127, -74, 67, -28, -46, -73, 69, 101, 127, -119, -67, -103, 121, -127, -3,
];
static DENSE_1_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (-19072, 1320581325, -7), (5888, 1152448307, -7), (13440, 1238794587, -7), (-22912, 1295757579, -7),
], Rounding::Double);
static DENSE_1: Dense<Int8> = Dense::new(5, &DENSE_1_WEIGHTS, &DENSE_1_CHANNELS, QuantizedOutput::new(-3, -128, 127));

static SOFTMAX: QuantizedSoftmax = QuantizedSoftmax::new(1394712704, 20, -256);

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
    pub fn predict(&mut self) -> &[i8; 4] {
        self.predict_with(|_| {})
    }

    /// As [`predict`](Self::predict), and calls `done(i)` after layer `i` of [`LAYERS`].
    #[inline]
    pub fn predict_with(&mut self, done: impl FnMut(usize)) -> &[i8; 4] {
        self.forward(done);
        arena::array(&self.int8, 4)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // dense: Dense [5], 30 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([0..6, 6..11]) {
            DENSE.forward(x, y);
        }
        done(0);
        // dense_1: Dense [4], 20 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([6..11, 0..4]) {
            DENSE_1.forward(x, y);
        }
        done(1);
        // softmax: Softmax [4], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([0..4, 4..8]) {
            SOFTMAX.forward(x, y);
        }
        done(2);
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
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[4] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        match index {
            0 => ElementsMut::I8(self.input()),
            _ => ElementsMut::I8(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::I8(arena::array::<_, 4>(&self.int8, 4)),
            _ => Elements::I8(&[]),
        }
    }

    fn run_with(&mut self, done: impl FnMut(usize)) {
        self.forward(done);
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`, quantised.
pub fn prepare_input(raw: &[f32; 6], input: &mut [i8; 6]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = INPUT_QUANTIZATION.quantize(x);
    }
}

/// Outputs as real numbers.
pub fn dequantize_output(output: &[i8; 4]) -> [f32; 4] {
    output.map(|q| OUTPUT_QUANTIZATION.dequantize(q))
}
