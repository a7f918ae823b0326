// milligrad model: name=series learns=no optimizer=none core=portable
// 17 layers, 918 multiply-accumulate operations, 88 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Elements, ElementsMut, Int8, Model, Padding, Port, Quantization, QuantizedChannel, QuantizedOutput, Requantize, Rounding, Window2d, arena, lendable, layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, Strided, Table, dense, hard_swish_table, requantize_table, tanh_table}};

/// Name of the model.
pub const NAME: &str = "series";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 17] = ["zero_padding1d", "conv1d", "depthwise_conv1d", "elu", "depthwise_conv1d_1", "conv1d_1", "conv1d_2", "hard_swish", "avg_pool1d", "max_pool1d", "global_avg_pool1d", "concat.requantize_13", "concat.requantize_11", "concat", "dense", "tanh", "dense_1"];
/// Scale and zero point of the input.
pub const INPUT_QUANTIZATION: Quantization = Quantization::new(0.007838509, 0);
/// Scale and zero point of the output.
pub const OUTPUT_QUANTIZATION: Quantization = Quantization::new(0.0019533297, -76);

static ZERO_PADDING1D: Strided = Strided::new(39, [1, 1, 1, 36], [0, 0, 0, 1], 3);

static CONV1D_WEIGHTS: [i8; 36] = [
    81, 111, -36, -2, -94, 43, -30, 30, 127, -23, -28, 19, -104, -17, -54, -127, -78, -121, -21, -83, 102,
    121, 127, -30, -41, -117, -55, 121, 55, 34, -47, 127, 30, -119, 126, -10,
];
static CONV1D_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (0, 1378313803, -7), (0, 1372827222, -7), (0, 1338070411, -7), (0, 1396968890, -7),
], Rounding::Double);
static CONV1D: Conv2d<Int8> = Conv2d::new(Window2d::new([1, 13, 3], [1, 3], [2, 2], [1, 1], Padding::Same), &CONV1D_WEIGHTS, &CONV1D_CHANNELS, QuantizedOutput::new(-128, -128, 127), 0);

static DEPTHWISE_CONV1D_WEIGHTS: [i8; 24] = [
    -19, -77, 127, -77, 54, -127, -127, -127, 102, 81, -58, -8, -127, -95, 67, -45, 127, 127, 83, 127, 102,
    61, 114, -58,
];
static DEPTHWISE_CONV1D_CHANNELS: [QuantizedChannel; 8] = QuantizedChannel::table([
    (26880, 1267762003, -7), (16768, 2087259045, -8), (19456, 1274420277, -7), (5376, 2010061237, -8),
    (3712, 1302656176, -7), (-20608, 1171688981, -8), (6912, 1274829191, -7), (-29440, 1123728791, -7),
], Rounding::Double);
static DEPTHWISE_CONV1D: DepthwiseConv2d<Int8> = DepthwiseConv2d::new(Window2d::new([1, 7, 4], [1, 3], [1, 1], [1, 1], Padding::Valid), &DEPTHWISE_CONV1D_WEIGHTS, &DEPTHWISE_CONV1D_CHANNELS, QuantizedOutput::new(-7, -128, 127), -128);

static ELU: Table = [
    -55, -54, -52, -51, -49, -48, -46, -45, -44, -42, -41, -39, -38, -36, -35, -34, -32, -31, -29, -28, -26,
    -25, -24, -22, -21, -19, -18, -16, -15, -14, -12, -11, -9, -8, -6, -5, -4, -2, -1, 1, 2, 4, 5, 6, 8, 9,
    11, 12, 14, 15, 16, 18, 19, 21, 22, 24, 25, 26, 28, 29, 31, 32, 34, 35, 36, 38, 39, 41, 42, 44, 45, 46,
    48, 49, 51, 52, 54, 55, 56, 58, 59, 61, 62, 64, 65, 66, 68, 69, 71, 72, 73, 75, 76, 78, 79, 81, 82, 83,
    85, 86, 88, 89, 91, 92, 93, 95, 96, 98, 99, 101, 102, 103, 105, 106, 108, 109, 111, 112, 113, 115, 116,
    118, 119, 121, 122, 123, 125, 126, -128, -128, -128, -127, -127, -127, -126, -126, -125, -125, -125, -124,
    -124, -123, -123, -123, -122, -122, -121, -121, -121, -120, -120, -119, -119, -118, -118, -118, -117,
    -117, -116, -116, -115, -115, -115, -114, -114, -113, -113, -112, -112, -111, -111, -110, -110, -110,
    -109, -109, -108, -108, -107, -107, -106, -106, -105, -105, -104, -104, -103, -103, -102, -102, -101,
    -101, -100, -100, -99, -98, -98, -97, -97, -96, -96, -95, -95, -94, -94, -93, -92, -92, -91, -91, -90,
    -90, -89, -88, -88, -87, -87, -86, -85, -85, -84, -84, -83, -82, -82, -81, -80, -80, -79, -79, -78, -77,
    -77, -76, -75, -75, -74, -73, -73, -72, -71, -71, -70, -69, -69, -68, -67, -66, -66, -65, -64, -62, -61,
    -59, -58, -56,
];

static DEPTHWISE_CONV1D_1_WEIGHTS: [i8; 24] = [
    57, 99, 127, -127, -127, 9, 39, -70, 46, -107, 100, -99, -7, 50, 43, -127, 127, 127, 79, 28, 57, -127,
    -127, -37,
];
static DEPTHWISE_CONV1D_1_CHANNELS: [QuantizedChannel; 8] = QuantizedChannel::table([
    (14950, 1434480726, -7), (7735, 1203036236, -9), (19890, 1678128224, -8), (-12870, 1153068967, -7),
    (-5005, 1996244376, -8), (-4420, 1289518333, -7), (-2925, 1273417751, -7), (-15210, 1382177201, -7),
], Rounding::Double);
static DEPTHWISE_CONV1D_1: DepthwiseConv2d<Int8> = DepthwiseConv2d::new(Window2d::new([1, 5, 8], [1, 3], [1, 1], [1, 1], Padding::Valid), &DEPTHWISE_CONV1D_1_WEIGHTS, &DEPTHWISE_CONV1D_1_CHANNELS, QuantizedOutput::new(-15, -128, 127), -65);

static CONV1D_1_WEIGHTS: [i8; 64] = [
    127, 36, 106, -101, -107, 111, -73, 96, 8, -39, -91, 88, 55, -66, 2, 127, 127, 110, -79, -40, 38, -56,
    107, -56, 70, -77, 127, 39, -35, 86, -126, 95, -20, -116, -108, 127, 104, 124, 35, 113, -103, -58, 121,
    -22, 68, -77, 127, -44, 36, 114, -116, -127, -43, -93, 71, 20, 99, -112, 127, 64, -25, 92, 115, -18,
];
static CONV1D_1_CHANNELS: [QuantizedChannel; 8] = QuantizedChannel::table([
    (2925, 1133876067, -6), (1260, 1122565009, -6), (2265, 2137784288, -7), (2685, 1187301325, -6),
    (3885, 1982216542, -7), (180, 1075495639, -6), (-2070, 1719946823, -7), (5130, 1187816354, -6),
], Rounding::Double);
static CONV1D_1: Conv2d<Int8> = Conv2d::new(Window2d::new([1, 3, 8], [1, 1], [1, 1], [1, 1], Padding::Same), &CONV1D_1_WEIGHTS, &CONV1D_1_CHANNELS, QuantizedOutput::new(-128, -128, 127), -15);

static CONV1D_2_WEIGHTS: [i8; 64] = [
    66, -122, 69, 18, 64, 53, 127, 125, -42, 58, -11, 43, -55, -56, -72, -127, -127, 20, -4, 81, 63, 62, 82,
    39, -5, 70, -42, 92, -52, -112, -94, 127, 120, 118, -126, -64, 26, 127, 56, -19, -103, -38, 29, 71, -9,
    -38, 127, -26, 49, -127, 56, -125, -48, 114, -112, -58, -116, 39, -113, -127, 18, 40, 38, 81,
];
static CONV1D_2_CHANNELS: [QuantizedChannel; 8] = QuantizedChannel::table([
    (51200, 1555986380, -8), (-33536, 1543734292, -8), (27648, 1167533344, -8), (-2048, 2005901433, -9),
    (30464, 1396946354, -8), (1664, 1267337511, -8), (-32128, 1335554447, -8), (-17920, 2089159304, -9),
], Rounding::Double);
static CONV1D_2: Conv2d<Int8> = Conv2d::new(Window2d::new([1, 3, 8], [1, 1], [1, 1], [1, 1], Padding::Same), &CONV1D_2_WEIGHTS, &CONV1D_2_CHANNELS, QuantizedOutput::new(-25, -128, 127), -128);

static HARD_SWISH: Table = hard_swish_table(-25, (31483, -6), (28112, -2), -37);

static AVG_POOL1D: AvgPool2d<Int8> = AvgPool2d::new(Window2d::new([1, 5, 8], [1, 2], [1, 2], [1, 1], Padding::Valid), QuantizedOutput::new(0, -128, 127));

static MAX_POOL1D: MaxPool2d<Int8> = MaxPool2d::new(Window2d::new([1, 2, 8], [1, 2], [1, 2], [1, 1], Padding::Same), QuantizedOutput::new(0, -128, 127));

static GLOBAL_AVG_POOL1D: AvgPool2d<Int8> = AvgPool2d::new(Window2d::new([1, 3, 8], [1, 3], [1, 1], [1, 1], Padding::Valid), QuantizedOutput::new(0, -128, 127));

static CONCAT_REQUANTIZE_13: Table = requantize_table(-37, Requantize::new(1999286448, -1, Rounding::Double), QuantizedOutput::new(-68, -128, 127));

static CONCAT_REQUANTIZE_11: Table = requantize_table(-65, Requantize::new(1443902430, 1, Rounding::Double), QuantizedOutput::new(-68, -128, 127));

static CONCAT: [Strided; 2] = [
    Strided::new(16, [1, 1, 1, 8], [0, 0, 0, 1], 0),
    Strided::new(16, [1, 1, 1, 8], [0, 0, 0, 1], 8),
];

static DENSE_WEIGHTS: [i8; 80] = [
    3, -71, -127, 8, -84, -78, -9, 54, -55, 104, -115, 70, -104, 113, 42, 87, 58, 47, 65, 113, -61, 122, -127,
    -107, 17, -76, 40, -115, 91, -118, -22, -93, 69, 75, -43, 27, 19, -17, 62, 113, 45, -109, 62, -7, 59, 1,
    -74, -127, -35, -53, 103, -48, -82, -126, 6, 56, 127, 14, 19, 111, -2, -10, -54, -58, 43, -125, 15, -122,
    9, -122, 33, -49, 66, 114, -87, -5, 88, 82, -127, 95,
];
static DENSE_CHANNELS: [QuantizedChannel; 5] = QuantizedChannel::table([
    (-11016, 1734540843, -7), (-11288, 1642483176, -7), (10540, 1718854373, -7), (-2176, 1598008579, -7),
    (-6256, 1708788548, -7),
], Rounding::Double);
static DENSE: Dense<Int8> = Dense::new(16, &DENSE_WEIGHTS, &DENSE_CHANNELS, QuantizedOutput::new(-16, -128, 127));

static TANH: Table = tanh_table(-16, Requantize::new(2030693248, 18, Rounding::Double), 7680);

static DENSE_1_WEIGHTS: [i8; 10] = [
    -24, 61, 122, 127, 125, -127, -117, -89, 62, 73,
];
static DENSE_1_CHANNELS: [QuantizedChannel; 2] = QuantizedChannel::table([
    (0, 1812946031, -5), (0, 1954257303, -5),
], Rounding::Double);
static DENSE_1: Dense<Int8> = Dense::new(5, &DENSE_1_WEIGHTS, &DENSE_1_CHANNELS, QuantizedOutput::new(-76, -128, 127));

lendable! {
/// All the RAM of the model, 88 bytes: its arena.
pub struct Network {
    int8: arena::Bytes<22>,
}
}

/// Words of four bytes that the network needs of an arena.
pub const ARENA_WORDS: usize = 22;

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
    pub fn input(&mut self) -> &mut [i8; 36] {
        arena::array_mut(&mut self.int8, 39)
    }

    /// Runs the network on its [`input`](Self::input).
    #[inline]
    pub fn predict(&mut self) -> &[i8; 2] {
        self.predict_with(|_| {})
    }

    /// As [`predict`](Self::predict), and calls `done(i)` after layer `i` of [`LAYERS`].
    #[inline]
    pub fn predict_with(&mut self, done: impl FnMut(usize)) -> &[i8; 2] {
        self.forward(done);
        arena::array(&self.int8, 0)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // zero_padding1d: Pad [13, 3], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([39..75, 0..39]) {
            y.fill(0);
            ZERO_PADDING1D.scatter(x, y);
        }
        done(0);
        // conv1d: Conv1d [7, 4], 252 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([0..39, 68..77, 40..68]) {
            CONV1D.forward(x, patch, y);
        }
        done(1);
        // depthwise_conv1d: DepthwiseConv1d [5, 8], 120 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([40..68, 68..80, 0..40]) {
            DEPTHWISE_CONV1D.forward(x, patch, y);
        }
        done(2);
        // elu: ELU [5, 8], 0 MAC
        if let Some(y) = self.int8.get_mut(0..40) {
            layers::lookup_in_place(&ELU, y);
        }
        done(3);
        // depthwise_conv1d_1: DepthwiseConv1d [3, 8], 72 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([0..40, 64..88, 40..64]) {
            DEPTHWISE_CONV1D_1.forward(x, patch, y);
        }
        done(4);
        // conv1d_1: Conv1d [3, 8], 192 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([40..64, 64..88]) {
            CONV1D_1.forward_pointwise(x, y);
        }
        done(5);
        // conv1d_2: Conv1d [3, 8], 192 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([64..88, 40..64]) {
            CONV1D_2.forward_pointwise(x, y);
        }
        done(6);
        // hard_swish: HardSwish [3, 8], 0 MAC
        if let Some(y) = self.int8.get_mut(40..64) {
            layers::lookup_in_place(&HARD_SWISH, y);
        }
        done(7);
        // avg_pool1d: AvgPool1d [2, 8], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([0..40, 64..80]) {
            AVG_POOL1D.forward(x, y);
        }
        done(8);
        // max_pool1d: MaxPool1d [1, 8], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([64..80, 16..24]) {
            MAX_POOL1D.forward(x, y);
        }
        done(9);
        // global_avg_pool1d: AvgPool1d [1, 8], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([40..64, 24..32]) {
            GLOBAL_AVG_POOL1D.forward(x, y);
        }
        done(10);
        // concat.requantize_13: Requantize [8], 0 MAC
        if let Some(y) = self.int8.get_mut(24..32) {
            layers::lookup_in_place(&CONCAT_REQUANTIZE_13, y);
        }
        done(11);
        // concat.requantize_11: Requantize [8], 0 MAC
        if let Some(y) = self.int8.get_mut(16..24) {
            layers::lookup_in_place(&CONCAT_REQUANTIZE_11, y);
        }
        done(12);
        // concat: Concat [16], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([24..32, 0..16]) {
            CONCAT[0].scatter(x, y);
        }
        if let Ok([x, y]) = self.int8.get_disjoint_mut([16..24, 0..16]) {
            CONCAT[1].scatter(x, y);
        }
        done(13);
        // dense: Dense [5], 80 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([0..16, 16..21]) {
            DENSE.forward(x, y);
        }
        done(14);
        // tanh: Tanh [5], 0 MAC
        if let Some(y) = self.int8.get_mut(16..21) {
            layers::lookup_in_place(&TANH, y);
        }
        done(15);
        // dense_1: Dense [2], 10 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([16..21, 0..2]) {
            DENSE_1.forward(x, y);
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
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[12, 3] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[2] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        match index {
            0 => ElementsMut::I8(self.input()),
            _ => ElementsMut::I8(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::I8(arena::array::<_, 2>(&self.int8, 0)),
            _ => Elements::I8(&[]),
        }
    }

    fn run_with(&mut self, done: impl FnMut(usize)) {
        self.forward(done);
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`, quantised.
pub fn prepare_input(raw: &[f32; 36], input: &mut [i8; 36]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = INPUT_QUANTIZATION.quantize(x);
    }
}

/// Outputs as real numbers.
pub fn dequantize_output(output: &[i8; 2]) -> [f32; 2] {
    output.map(|q| OUTPUT_QUANTIZATION.dequantize(q))
}
