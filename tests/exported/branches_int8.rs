// milligrad model: name=branches learns=no optimizer=none core=portable
// 17 layers, 5711 multiply-accumulate operations, 427 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Elements, ElementsMut, Int8, Model, Padding, Port, Quantization, QuantizedChannel, QuantizedOutput, Requantize, Rounding, Window2d, arena, lendable, layers::{self, AvgPool2d, Broadcast, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, QuantizedMul, QuantizedSoftmax, Strided, Table, dense, hard_swish_table, sigmoid_table}};

/// Name of the model.
pub const NAME: &str = "branches";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 17] = ["zero_padding2d", "depthwise_conv2d", "conv2d", "conv2d_1", "hard_swish", "conv2d_2", "elu", "global_avg_pool2d", "dense", "batch_norm_1", "sigmoid", "multiply", "concat", "batch_norm_2", "global_max_pool2d", "dense_1", "softmax"];
/// Scale and zero point of the input.
pub const INPUT_QUANTIZATION: Quantization = Quantization::new(0.007840531, -1);
/// Scale and zero point of the output.
pub const OUTPUT_QUANTIZATION: Quantization = Quantization::new(0.00390625, -128);

static ZERO_PADDING2D: Strided = Strided::new(112, [1, 1, 6, 12], [0, 0, 16, 1], 16);

static DEPTHWISE_CONV2D_WEIGHTS: [i8; 18] = [
    -51, 127, 56, 62, 36, -95, -127, 71, -28, -96, 38, -97, -30, -26, -79, 39, -113, 22,
];
static DEPTHWISE_CONV2D_CHANNELS: [QuantizedChannel; 2] = QuantizedChannel::table([
    (-298, 1269452381, -8), (7, 1407562174, -8),
], Rounding::Double);
static DEPTHWISE_CONV2D: DepthwiseConv2d<Int8> = DepthwiseConv2d::new(Window2d::new([7, 8, 2], [3, 3], [1, 1], [1, 1], Padding::Valid), &DEPTHWISE_CONV2D_WEIGHTS, &DEPTHWISE_CONV2D_CHANNELS, QuantizedOutput::new(1, -128, 127), -1);

static CONV2D_WEIGHTS: [i8; 8] = [
    127, -11, 116, 127, -5, 127, 127, 111,
];
static CONV2D_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (-116, 1326535260, -7), (-243, 1878217167, -6), (-122, 1276093456, -6), (-238, 1838307420, -8),
], Rounding::Double);
static CONV2D: Conv2d<Int8> = Conv2d::new(Window2d::new([5, 6, 2], [1, 1], [1, 1], [1, 1], Padding::Same), &CONV2D_WEIGHTS, &CONV2D_CHANNELS, QuantizedOutput::new(-128, -128, 127), 1);

static CONV2D_1_WEIGHTS: [i8; 144] = [
    -66, 17, -90, -53, 126, -12, -59, 123, 10, -48, -99, 40, -74, 22, -111, 6, 104, -42, -32, -127, -66, -78,
    -101, -13, 23, 95, -48, 17, 91, -12, -18, -100, 53, -120, -62, 15, 20, 76, 34, 55, 77, 33, -23, 74, 83,
    -6, 95, -125, 31, -102, 107, 67, -31, -59, 53, -122, 11, 24, 125, 117, -13, 13, 12, -15, -32, 124, 4, 127,
    70, 68, 126, 41, 35, -81, -120, -105, -68, 97, 124, -10, -18, -87, -111, 127, -91, -11, 63, 26, -50, -22,
    60, -72, 81, 18, -101, -127, -70, -104, -42, -67, 75, -94, 55, 44, -48, 21, -126, 104, 47, 82, 87, 97,
    -79, -28, 15, 41, -122, 48, -96, 80, -82, -100, 23, 74, 24, 125, -114, -111, -112, 113, -127, -126, -25,
    56, -29, -122, 102, 27, 86, -87, -54, 112, -124, -96,
];
static CONV2D_1_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (-88192, 1181726994, -8), (145792, 1158447287, -8), (-88960, 1186652398, -8), (-50560, 1178809089, -8),
], Rounding::Double);
static CONV2D_1: Conv2d<Int8> = Conv2d::new(Window2d::new([5, 6, 4], [3, 3], [1, 1], [1, 1], Padding::Same), &CONV2D_1_WEIGHTS, &CONV2D_1_CHANNELS, QuantizedOutput::new(3, -128, 127), -128);

static HARD_SWISH: Table = hard_swish_table(3, (16584, -5), (16567, 0), -30);

static CONV2D_2_WEIGHTS: [i8; 12] = [
    -117, -105, -127, 3, 42, -40, 127, 41, 3, 70, -72, 127,
];
static CONV2D_2_CHANNELS: [QuantizedChannel; 3] = QuantizedChannel::table([
    (-44288, 1754697104, -8), (21760, 1805420754, -7), (16384, 1612665977, -7),
], Rounding::Double);
static CONV2D_2: Conv2d<Int8> = Conv2d::new(Window2d::new([5, 6, 4], [1, 1], [1, 1], [1, 1], Padding::Same), &CONV2D_2_WEIGHTS, &CONV2D_2_CHANNELS, QuantizedOutput::new(13, -128, 127), -128);

static ELU: Table = [
    -25, -24, -23, -22, -21, -19, -18, -17, -16, -15, -14, -12, -11, -10, -9, -8, -6, -5, -4, -3, -2, 0, 1, 2,
    3, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 30, 31, 32, 34, 35, 36,
    37, 38, 40, 41, 42, 43, 44, 46, 47, 48, 49, 51, 52, 53, 54, 55, 57, 58, 59, 60, 61, 63, 64, 65, 66, 67,
    69, 70, 71, 72, 74, 75, 76, 77, 78, 80, 81, 82, 83, 84, 86, 87, 88, 89, 91, 92, 93, 94, 95, 97, 98, 99,
    100, 101, 103, 104, 105, 106, 107, 109, 110, 111, 112, 114, 115, 116, 117, 118, 120, 121, 122, 123, 124,
    126, 127, 127, -127, -127, -126, -126, -125, -125, -124, -123, -123, -122, -122, -121, -121, -120, -119,
    -119, -118, -118, -117, -116, -116, -115, -115, -114, -113, -113, -112, -111, -111, -110, -110, -109,
    -108, -108, -107, -106, -106, -105, -104, -104, -103, -102, -102, -101, -100, -99, -99, -98, -97, -97,
    -96, -95, -94, -94, -93, -92, -92, -91, -90, -89, -89, -88, -87, -86, -85, -85, -84, -83, -82, -81, -81,
    -80, -79, -78, -77, -77, -76, -75, -74, -73, -72, -72, -71, -70, -69, -68, -67, -66, -65, -64, -64, -63,
    -62, -61, -60, -59, -58, -57, -56, -55, -54, -53, -52, -51, -50, -49, -48, -47, -46, -45, -44, -43, -42,
    -41, -40, -39, -38, -37, -36, -35, -34, -33, -32, -31, -30, -29, -27, -26,
];

static GLOBAL_AVG_POOL2D: AvgPool2d<Int8> = AvgPool2d::new(Window2d::new([5, 6, 4], [5, 6], [1, 1], [1, 1], Padding::Valid), QuantizedOutput::new(0, -128, 127));

static DENSE_WEIGHTS: [i8; 16] = [
    127, -120, 121, -12, -127, -82, 108, 115, -127, 113, 93, -61, 78, 117, 127, 31,
];
static DENSE_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (3480, 1792050307, -4), (420, 2079683533, -4), (540, 1384598151, -4), (10590, 2023365917, -4),
], Rounding::Double);
static DENSE: Dense<Int8> = Dense::new(4, &DENSE_WEIGHTS, &DENSE_CHANNELS, QuantizedOutput::new(-128, -128, 127));

static BATCH_NORM_1_WEIGHTS: [i8; 4] = [
    127, 127, 127, 127,
];
static BATCH_NORM_1_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (16256, 1082196501, -6), (16256, 1082196501, -6), (16256, 1082196501, -6), (16256, 1082196501, -6),
], Rounding::Double);
static BATCH_NORM_1: DepthwiseConv2d<Int8> = DepthwiseConv2d::new(Window2d::new([1, 1, 4], [1, 1], [1, 1], [1, 1], Padding::Same), &BATCH_NORM_1_WEIGHTS, &BATCH_NORM_1_CHANNELS, QuantizedOutput::new(-128, -128, 127), -128);

static SIGMOID: Table = sigmoid_table(-128, Requantize::new(1380952192, 16, Rounding::Double), 30720);

static MULTIPLY_BROADCAST: Broadcast = Broadcast::new([1, 1, 30, 4], [0, 0, 4, 1], [0, 0, 0, 1]);
static MULTIPLY: QuantizedMul = QuantizedMul::new(-30, -128, Requantize::new(1332881122, -8, Rounding::Double), QuantizedOutput::new(-10, -128, 127));

static CONCAT: [Strided; 2] = [
    Strided::new(210, [1, 1, 30, 4], [0, 0, 7, 1], 0),
    Strided::new(210, [1, 1, 30, 3], [0, 0, 7, 1], 4),
];

static BATCH_NORM_2_WEIGHTS: [i8; 7] = [
    127, 127, 127, 127, 127, 127, 127,
];
static BATCH_NORM_2_CHANNELS: [QuantizedChannel; 7] = QuantizedChannel::table([
    (1270, 1082196455, -6), (1270, 1082196455, -6), (1270, 1082196455, -6), (1270, 1082196455, -6),
    (1270, 1082196455, -6), (1270, 1082196455, -6), (1270, 1082196455, -6),
], Rounding::Double);
static BATCH_NORM_2: DepthwiseConv2d<Int8> = DepthwiseConv2d::new(Window2d::new([5, 6, 7], [1, 1], [1, 1], [1, 1], Padding::Same), &BATCH_NORM_2_WEIGHTS, &BATCH_NORM_2_CHANNELS, QuantizedOutput::new(-10, -128, 127), -10);

static GLOBAL_MAX_POOL2D: MaxPool2d<Int8> = MaxPool2d::new(Window2d::new([5, 6, 7], [5, 6], [1, 1], [1, 1], Padding::Valid), QuantizedOutput::new(0, -128, 127));

static DENSE_1_WEIGHTS: [i8; 21] = [
    21, 75, -30, 99, 46, -127, -80, -72, -11, 80, 127, -112, 54, 43, 83, 127, 110, 59, -78, -47, -103,
];
static DENSE_1_CHANNELS: [QuantizedChannel; 3] = QuantizedChannel::table([
    (40, 1126308927, -6), (1090, 1162397482, -6), (1510, 1974679101, -7),
], Rounding::Double);
static DENSE_1: Dense<Int8> = Dense::new(7, &DENSE_1_WEIGHTS, &DENSE_1_CHANNELS, QuantizedOutput::new(8, -128, 127));

static SOFTMAX: QuantizedSoftmax = QuantizedSoftmax::new(1751308800, 18, -256);

lendable! {
/// All the RAM of the model, 427 bytes: its arena.
pub struct Network {
    int8: arena::Bytes<107>,
}
}

/// Words of four bytes that the network needs of an arena.
pub const ARENA_WORDS: usize = 107;

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
    pub fn input(&mut self) -> &mut [i8; 72] {
        arena::array_mut(&mut self.int8, 172)
    }

    /// Runs the network on its [`input`](Self::input).
    #[inline]
    pub fn predict(&mut self) -> &[i8; 3] {
        self.predict_with(|_| {})
    }

    /// As [`predict`](Self::predict), and calls `done(i)` after layer `i` of [`LAYERS`].
    #[inline]
    pub fn predict_with(&mut self, done: impl FnMut(usize)) -> &[i8; 3] {
        self.forward(done);
        arena::array(&self.int8, 0)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // zero_padding2d: Pad [7, 8, 2], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([172..244, 60..172]) {
            y.fill(-1);
            ZERO_PADDING2D.scatter(x, y);
        }
        done(0);
        // depthwise_conv2d: DepthwiseConv2d [5, 6, 2], 540 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([60..172, 172..190, 0..60]) {
            DEPTHWISE_CONV2D.forward(x, patch, y);
        }
        done(1);
        // conv2d: Conv2d [5, 6, 4], 240 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([0..60, 90..210]) {
            CONV2D.forward_pointwise(x, y);
        }
        done(2);
        // conv2d_1: Conv2d [5, 6, 4], 4320 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([90..210, 0..36, 210..330]) {
            CONV2D_1.forward(x, patch, y);
        }
        done(3);
        // hard_swish: HardSwish [5, 6, 4], 0 MAC
        if let Some(y) = self.int8.get_mut(210..330) {
            layers::lookup_in_place(&HARD_SWISH, y);
        }
        done(4);
        // conv2d_2: Conv2d [5, 6, 3], 360 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([90..210, 0..90]) {
            CONV2D_2.forward_pointwise(x, y);
        }
        done(5);
        // elu: ELU [5, 6, 3], 0 MAC
        if let Some(y) = self.int8.get_mut(0..90) {
            layers::lookup_in_place(&ELU, y);
        }
        done(6);
        // global_avg_pool2d: AvgPool2d [1, 1, 4], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([210..330, 94..98]) {
            GLOBAL_AVG_POOL2D.forward(x, y);
        }
        done(7);
        // dense: Dense [4], 16 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([94..98, 90..94]) {
            DENSE.forward(x, y);
        }
        done(8);
        // batch_norm_1: DepthwiseConv1d [1, 4], 4 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([90..94, 94..98, 330..334]) {
            BATCH_NORM_1.forward(x, patch, y);
        }
        done(9);
        // sigmoid: Sigmoid [4], 0 MAC
        if let Some(y) = self.int8.get_mut(330..334) {
            layers::lookup_in_place(&SIGMOID, y);
        }
        done(10);
        // multiply: Mul [5, 6, 4], 0 MAC
        if let Ok([a, b, y]) = self.int8.get_disjoint_mut([210..330, 330..334, 90..210]) {
            MULTIPLY_BROADCAST.forward(&MULTIPLY, a, b, y);
        }
        done(11);
        // concat: Concat [5, 6, 7], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([90..210, 217..427]) {
            CONCAT[0].scatter(x, y);
        }
        if let Ok([x, y]) = self.int8.get_disjoint_mut([0..90, 217..427]) {
            CONCAT[1].scatter(x, y);
        }
        done(12);
        // batch_norm_2: DepthwiseConv2d [5, 6, 7], 210 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([217..427, 0..7, 7..217]) {
            BATCH_NORM_2.forward(x, patch, y);
        }
        done(13);
        // global_max_pool2d: MaxPool2d [1, 1, 7], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([7..217, 0..7]) {
            GLOBAL_MAX_POOL2D.forward(x, y);
        }
        done(14);
        // dense_1: Dense [3], 21 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([0..7, 7..10]) {
            DENSE_1.forward(x, y);
        }
        done(15);
        // softmax: Softmax [3], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([7..10, 0..3]) {
            SOFTMAX.forward(x, y);
        }
        done(16);
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
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[6, 6, 2] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[3] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        match index {
            0 => ElementsMut::I8(self.input()),
            _ => ElementsMut::I8(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::I8(arena::array::<_, 3>(&self.int8, 0)),
            _ => Elements::I8(&[]),
        }
    }

    fn run_with(&mut self, done: impl FnMut(usize)) {
        self.forward(done);
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`, quantised.
pub fn prepare_input(raw: &[f32; 72], input: &mut [i8; 72]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = INPUT_QUANTIZATION.quantize(x);
    }
}

/// Outputs as real numbers.
pub fn dequantize_output(output: &[i8; 3]) -> [f32; 3] {
    output.map(|q| OUTPUT_QUANTIZATION.dequantize(q))
}
