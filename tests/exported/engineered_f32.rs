// milligrad model: name=engineered learns=no optimizer=none core=portable
// 2 layers, 35 multiply-accumulate operations, 44 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Model, Port, arena, lendable, math, layers::{self, Dense, dense}};

/// Name of the model.
pub const NAME: &str = "engineered";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 2] = ["dense", "dense_1"];

static DENSE_WEIGHTS: [f32; 30] = [
    0.01925846, -0.4068658, -0.7278, 0.046744786, -0.48058918, -0.4481866, -0.049021464, 0.30785564,
    -0.31487998, 0.59651357, -0.66022235, 0.39915422, -0.59332937, 0.6462344, 0.2396496, 0.49815997,
    0.3134838, 0.25421402, 0.35454118, 0.6118199, -0.33283392, 0.6619946, -0.6891733, -0.57889545, 0.09091963,
    -0.41219464, 0.2176761, -0.6254867, 0.49435708, -0.63816595,
];
static DENSE_CHANNELS: [f32; 5] = [
    0.0, 0.0, 0.0, 0.0, 0.0,
];
static DENSE: Dense<f32> = Dense::new(6, &DENSE_WEIGHTS, &DENSE_CHANNELS, Clamp::<f32>::RELU);

static DENSE_1_WEIGHTS: [f32; 5] = [
    -0.17139363, 0.43613625, 0.8720186, 0.9048314, 0.89086366,
];
static DENSE_1_CHANNELS: [f32; 1] = [
    0.0,
];
static DENSE_1: Dense<f32> = Dense::new(5, &DENSE_1_WEIGHTS, &DENSE_1_CHANNELS, Clamp::<f32>::LINEAR);

lendable! {
/// All the RAM of the model, 44 bytes: its arena.
pub struct Network {
    float: [f32; 11],
}
}

/// Words of four bytes that the network needs of an arena.
pub const ARENA_WORDS: usize = 11;

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { float: [0.0; 11], }
    }

    /// The network in memory that others use too, each in its turn: an arena of at least [`ARENA_WORDS`] words.
    #[inline]
    pub const fn within<const WORDS: usize>(arena: &mut arena::Arena<WORDS>) -> &mut Self {
        arena.lend()
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [f32; 6] {
        arena::array_mut(&mut self.float, 0)
    }

    /// Runs the network on its [`input`](Self::input).
    #[inline]
    pub fn predict(&mut self) -> &[f32; 1] {
        self.predict_with(|_| {})
    }

    /// As [`predict`](Self::predict), and calls `done(i)` after layer `i` of [`LAYERS`].
    #[inline]
    pub fn predict_with(&mut self, done: impl FnMut(usize)) -> &[f32; 1] {
        self.forward(done);
        arena::array(&self.float, 0)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // dense: Dense [5], 30 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([0..6, 6..11]) {
            DENSE.forward(x, y);
        }
        done(0);
        // dense_1: Dense [1], 5 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([6..11, 0..1]) {
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
            0 => ElementsMut::F32(self.input()),
            _ => ElementsMut::F32(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::F32(arena::array::<_, 1>(&self.float, 0)),
            _ => Elements::F32(&[]),
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
pub fn prepare_input(raw: &[f32; 4], input: &mut [f32; 6]) {
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
        *input = features;
    }
}

/// Outputs in the unit of the targets.
pub fn decode_output(output: &[f32; 1]) -> [f32; 1] {
    output.map(|y| y * 31.25 + 250.5)
}
