// milligrad model: name=ports_two_sensors learns=no optimizer=none core=portable
// 8 layers, 19572 multiply-accumulate operations, 1500 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Elements, ElementsMut, Int8, Model, Padding, Port, Quantization, QuantizedChannel, QuantizedOutput, Requantize, Rounding, Window2d, arena, lendable, layers::{self, Conv2d, Dense, DepthwiseConv2d, QuantizedReduce, QuantizedSoftmax, Strided}};

/// Name of the model.
pub const NAME: &str = "ports_two_sensors";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 8] = ["conv2d_1", "depthwise_conv2d_1", "global_average_pooling2d_1", "dense_1", "concatenate_1", "dense_1_2", "softmax", "fully_connected"];
/// Scale and zero point of the input `numbers`.
pub const INPUT_NUMBERS_QUANTIZATION: Quantization = Quantization::new(0.01968058, -13);
/// Scale and zero point of the input `image`.
pub const INPUT_IMAGE_QUANTIZATION: Quantization = Quantization::new(0.028946113, 7);
/// Scale and zero point of the output `place`.
pub const OUTPUT_PLACE_QUANTIZATION: Quantization = Quantization::new(0.010243624, -18);
/// Scale and zero point of the output `scores`.
pub const OUTPUT_SCORES_QUANTIZATION: Quantization = Quantization::new(0.00390625, -128);

static CONV2D_1_WEIGHTS: [i8; 108] = [
    4, 0, 2, -78, 22, 108, 114, 67, -102, -86, -36, 22, 1, 61, -113, -127, -11, -92, -50, 127, -7, -97, 123,
    -14, 104, 75, 17, 83, 25, -72, -5, -6, -35, -27, 9, 85, 93, 15, -98, 66, -71, -87, 66, 53, 108, -16, 127,
    62, -21, -58, -62, 73, 57, 122, -104, -16, 38, 53, -37, -13, 93, -63, 92, -122, 84, 85, -28, -10, -127,
    -85, 5, -25, -30, 80, -4, 53, -10, -127, 76, 103, -62, -68, -103, -9, -123, 74, 82, 26, 111, 29, -85, 21,
    127, 101, 69, 80, -116, 127, 121, 121, 18, 112, -34, -66, 98, 20, -70, -51,
];
static CONV2D_1_CHANNELS: [QuantizedChannel; 6] = QuantizedChannel::table([
    (2109, 1519251758, -7), (-2758, 1552995085, -7), (-899, 1476303090, -7), (1591, 1538995719, -7),
    (-2502, 1430177034, -7), (-2975, 1490723080, -7),
], Rounding::Double);
static CONV2D_1: Conv2d<Int8> = Conv2d::new(Window2d::new([10, 12, 2], [3, 3], [1, 1], [1, 1], Padding::Same), &CONV2D_1_WEIGHTS, &CONV2D_1_CHANNELS, QuantizedOutput::new(-128, -128, 127), 7);

static DEPTHWISE_CONV2D_1_WEIGHTS: [i8; 54] = [
    -49, -80, -80, 47, 47, -41, -48, -12, -104, -45, 119, -115, -65, -103, -127, 97, -127, 59, -95, 96, -78,
    101, -57, -96, -54, 4, -77, 28, -110, 56, -20, 78, 87, -127, 28, 28, 83, -127, -117, -50, -73, -41, 108,
    -100, -21, -65, 88, -127, -127, -93, 113, 28, 46, 39,
];
static DEPTHWISE_CONV2D_1_CHANNELS: [QuantizedChannel; 6] = QuantizedChannel::table([
    (-23834, 2062733870, -7), (-35959, 1079413304, -6), (-59068, 1565122782, -7), (-7395, 1126673199, -6),
    (-10242, 1942288837, -7), (-30157, 1101038580, -6),
], Rounding::Double);
static DEPTHWISE_CONV2D_1: DepthwiseConv2d<Int8> = DepthwiseConv2d::new(Window2d::new([10, 12, 6], [3, 3], [1, 1], [1, 1], Padding::Same), &DEPTHWISE_CONV2D_1_WEIGHTS, &DEPTHWISE_CONV2D_1_CHANNELS, QuantizedOutput::new(-128, -128, 127), -128);

static GLOBAL_AVERAGE_POOLING2D_1: QuantizedReduce = QuantizedReduce::new(Strided::new(720, [1, 1, 1, 6], [0, 0, 0, 1], 0), Strided::new(720, [1, 1, 1, 120], [0, 0, 0, 6], 0), -15360, Requantize::new(854362341, -7, Rounding::Double), QuantizedOutput::new(-128, -128, 127));

static DENSE_1_WEIGHTS: [i8; 36] = [
    42, 82, 120, -1, 21, -127, -109, -127, 98, 115, 79, 23, 127, -41, -9, 39, -6, 34, 126, 5, -127, -59, 73,
    60, 45, 20, 127, -1, 16, -27, -49, -127, 85, 89, 102, -13,
];
static DENSE_1_CHANNELS: [QuantizedChannel; 6] = QuantizedChannel::table([
    (-2589, 1623194811, -6), (616, 1624753070, -6), (-849, 1397146628, -6), (-360, 1625659421, -6),
    (1219, 1481628552, -6), (490, 1506457936, -6),
], Rounding::Double);
static DENSE_1: Dense<Int8> = Dense::new(6, &DENSE_1_WEIGHTS, &DENSE_1_CHANNELS, QuantizedOutput::new(-128, -128, 127));

static CONCATENATE_1: [Strided; 2] = [
    Strided::new(12, [1, 1, 1, 6], [0, 0, 0, 1], 0),
    Strided::new(12, [1, 1, 1, 6], [0, 0, 0, 1], 6),
];

static DENSE_1_2_WEIGHTS: [i8; 60] = [
    -42, -127, -105, 96, -118, 54, 32, 34, -77, -99, -78, 88, 60, 67, -13, -86, 47, -100, -122, -83, -127, 66,
    -55, 102, -18, -34, -82, -12, 127, 10, -96, 66, 106, -24, -74, 11, -25, 110, -54, -114, 41, 26, -103,
    -112, 127, -24, 66, 36, 36, -118, 45, -45, -116, 127, -11, 64, 48, -24, -66, 108,
];
static DENSE_1_2_CHANNELS: [QuantizedChannel; 5] = QuantizedChannel::table([
    (-36803, 2033384671, -8), (-34399, 1089716738, -7), (-871, 1079842025, -7), (1451, 1961905073, -8),
    (6670, 1856057107, -8),
], Rounding::Double);
static DENSE_1_2: Dense<Int8> = Dense::new(12, &DENSE_1_2_WEIGHTS, &DENSE_1_2_CHANNELS, QuantizedOutput::new(7, -128, 127));

static SOFTMAX: QuantizedSoftmax = QuantizedSoftmax::new(1456291584, 20, -256);

static FULLY_CONNECTED_WEIGHTS: [i8; 36] = [
    -12, -76, 104, -109, -26, -127, -73, 49, 126, 7, -103, 82, -90, -31, 13, -25, 14, 70, 37, -7, -87, 127,
    -69, 65, 65, 54, 75, -3, -121, 39, 121, -102, 127, -93, 49, 8,
];
static FULLY_CONNECTED_CHANNELS: [QuantizedChannel; 3] = QuantizedChannel::table([
    (-18353, 1181037541, -7), (7516, 2095551548, -8), (27451, 1186788364, -7),
], Rounding::Double);
static FULLY_CONNECTED: Dense<Int8> = Dense::new(12, &FULLY_CONNECTED_WEIGHTS, &FULLY_CONNECTED_CHANNELS, QuantizedOutput::new(-18, -128, 127));

/// What a prediction gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outputs<'a> {
    /// The output `place`: [3].
    pub place: &'a [i8; 3],
    /// The output `scores`: [5].
    pub scores: &'a [i8; 5],
}

lendable! {
/// All the RAM of the model, 1500 bytes: its arena.
pub struct Network {
    int8: arena::Bytes<375>,
}
}

/// Words of four bytes that the network needs of an arena.
pub const ARENA_WORDS: usize = 375;

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

    /// Where the next input `numbers`, [6], goes; prediction may overwrite it.
    #[inline]
    pub fn numbers(&mut self) -> &mut [i8; 6] {
        arena::array_mut(&mut self.int8, 1494)
    }

    /// Where the next input `image`, [10, 12, 2], goes; prediction may overwrite it.
    #[inline]
    pub fn image(&mut self) -> &mut [i8; 240] {
        arena::array_mut(&mut self.int8, 720)
    }

    /// Runs the network on its inputs.
    #[inline]
    pub fn predict(&mut self) -> Outputs<'_> {
        self.predict_with(|_| {})
    }

    /// As [`predict`](Self::predict), and calls `done(i)` after layer `i` of [`LAYERS`].
    #[inline]
    pub fn predict_with(&mut self, done: impl FnMut(usize)) -> Outputs<'_> {
        self.forward(done);
        Outputs {
            place: arena::array(&self.int8, 12),
            scores: arena::array(&self.int8, 17),
        }
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // conv2d_1: Conv2d [10, 12, 6], 12960 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([720..960, 960..978, 0..720]) {
            CONV2D_1.forward(x, patch, y);
        }
        done(0);
        // depthwise_conv2d_1: DepthwiseConv2d [10, 12, 6], 6480 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([0..720, 1440..1494, 720..1440]) {
            DEPTHWISE_CONV2D_1.forward(x, patch, y);
        }
        done(1);
        // global_average_pooling2d_1: Mean [6], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([720..1440, 12..18]) {
            GLOBAL_AVERAGE_POOLING2D_1.forward(x, y);
        }
        done(2);
        // dense_1: Dense [6], 36 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([1494..1500, 18..24]) {
            DENSE_1.forward(x, y);
        }
        done(3);
        // concatenate_1: Concat [12], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([12..18, 0..12]) {
            CONCATENATE_1[0].scatter(x, y);
        }
        if let Ok([x, y]) = self.int8.get_disjoint_mut([18..24, 0..12]) {
            CONCATENATE_1[1].scatter(x, y);
        }
        done(4);
        // dense_1_2: Dense [5], 60 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([0..12, 12..17]) {
            DENSE_1_2.forward(x, y);
        }
        done(5);
        // softmax: Softmax [5], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([12..17, 17..22]) {
            SOFTMAX.forward(x, y);
        }
        done(6);
        // fully_connected: Dense [3], 36 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([0..12, 12..15]) {
            FULLY_CONNECTED.forward(x, y);
        }
        done(7);
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
    const INPUTS: &'static [Port] = &[Port { name: "numbers", shape: &[6] }, Port { name: "image", shape: &[10, 12, 2] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "place", shape: &[3] }, Port { name: "scores", shape: &[5] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        match index {
            0 => ElementsMut::I8(self.numbers()),
            1 => ElementsMut::I8(self.image()),
            _ => ElementsMut::I8(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::I8(arena::array::<_, 3>(&self.int8, 12)),
            1 => Elements::I8(arena::array::<_, 5>(&self.int8, 17)),
            _ => Elements::I8(&[]),
        }
    }

    fn run_with(&mut self, done: impl FnMut(usize)) {
        self.forward(done);
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`, quantised.
pub fn prepare_numbers(raw: &[f32; 6], input: &mut [i8; 6]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = INPUT_NUMBERS_QUANTIZATION.quantize(x);
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`, quantised.
pub fn prepare_image(raw: &[f32; 240], input: &mut [i8; 240]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = INPUT_IMAGE_QUANTIZATION.quantize(x);
    }
}

/// The output `place` as real numbers.
pub fn dequantize_place(output: &[i8; 3]) -> [f32; 3] {
    output.map(|q| OUTPUT_PLACE_QUANTIZATION.dequantize(q))
}
/// The output `scores` as real numbers.
pub fn dequantize_scores(output: &[i8; 5]) -> [f32; 5] {
    output.map(|q| OUTPUT_SCORES_QUANTIZATION.dequantize(q))
}
