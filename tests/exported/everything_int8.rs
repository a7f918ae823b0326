// milligrad model: name=everything learns=no optimizer=none core=portable
// 14 layers, 8656 multiply-accumulate operations, 768 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Elements, ElementsMut, Int8, Model, Padding, Port, Quantization, QuantizedChannel, QuantizedOutput, Requantize, Rounding, Window2d, arena, lendable, layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, QuantizedAdd, QuantizedSoftmax, Table, dense, leaky_relu_table, sigmoid_table, tanh_table}};

/// Name of the model.
pub const NAME: &str = "everything";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 14] = ["conv2d", "depthwise_conv2d", "conv2d_1", "add", "max_pool2d", "conv2d_2", "leaky_relu", "avg_pool2d", "dense", "tanh", "dense_1", "sigmoid", "dense_2", "softmax"];
/// Scale and zero point of the input.
pub const INPUT_QUANTIZATION: Quantization = Quantization::new(0.007840531, -1);
/// Scale and zero point of the output.
pub const OUTPUT_QUANTIZATION: Quantization = Quantization::new(0.00390625, -128);

static CONV2D_WEIGHTS: [i8; 72] = [
    17, -30, -27, -45, 119, -122, 105, 90, -62, -8, 43, -19, 105, 45, 122, 112, 127, -43, -6, -60, -90, -112,
    -10, -5, -75, -63, 2, 92, -7, 62, 48, -82, 127, -127, 26, 119, -28, 110, -99, -84, -20, -3, -30, 86, -100,
    -17, -107, -118, 106, 36, 127, -53, 115, 122, 50, -103, -20, -10, -127, 32, -27, -114, 20, -6, 40, 33, 70,
    119, 9, 103, -45, -26,
];
static CONV2D_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (529, 1488814818, -8), (-161, 1475004876, -8), (43, 1575895561, -8), (-2, 1336384672, -8),
], Rounding::Double);
static CONV2D: Conv2d<Int8> = Conv2d::new(Window2d::new([8, 8, 2], [3, 3], [1, 1], [1, 1], Padding::Same), &CONV2D_WEIGHTS, &CONV2D_CHANNELS, QuantizedOutput::new(-128, -128, 127), -1);

static DEPTHWISE_CONV2D_WEIGHTS: [i8; 36] = [
    45, -127, -102, 5, -30, 98, -125, 114, 78, -37, -77, 41, 111, 39, 24, -30, -127, -121, 48, 102, 20, 85,
    -127, -127, 95, -68, -118, 17, 116, 81, 51, 48, 105, -66, -16, -34,
];
static DEPTHWISE_CONV2D_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (52864, 2107768499, -8), (-14848, 1644708554, -8), (-56576, 1824558628, -8), (17408, 1635139309, -8),
], Rounding::Double);
static DEPTHWISE_CONV2D: DepthwiseConv2d<Int8> = DepthwiseConv2d::new(Window2d::new([8, 8, 4], [3, 3], [1, 1], [1, 1], Padding::Same), &DEPTHWISE_CONV2D_WEIGHTS, &DEPTHWISE_CONV2D_CHANNELS, QuantizedOutput::new(-128, -128, 127), -128);

static CONV2D_1_WEIGHTS: [i8; 16] = [
    -71, -50, -127, 54, 52, -127, -101, 21, -82, -24, -127, -21, -127, 96, 88, 119,
];
static CONV2D_1_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (-24832, 1156617573, -7), (-19840, 1527048794, -7), (-32512, 1489107053, -7), (22528, 1533261238, -7),
], Rounding::Double);
static CONV2D_1: Conv2d<Int8> = Conv2d::new(Window2d::new([8, 8, 4], [1, 1], [1, 1], [1, 1], Padding::Same), &CONV2D_1_WEIGHTS, &CONV2D_1_CHANNELS, QuantizedOutput::new(53, -128, 127), -128);

static ADD: QuantizedAdd = QuantizedAdd::new((53, Requantize::new(1772508872, -1, Rounding::Double)), (-128, Requantize::new(1073741824, 0, Rounding::Double)), Requantize::new(1457039619, -19, Rounding::Double), QuantizedOutput::new(-46, -128, 127));

static MAX_POOL2D: MaxPool2d<Int8> = MaxPool2d::new(Window2d::new([8, 8, 4], [2, 2], [2, 2], [1, 1], Padding::Same), QuantizedOutput::new(0, -128, 127));

static CONV2D_2_WEIGHTS: [i8; 144] = [
    84, 107, 67, -10, -107, 87, -105, 39, -105, -127, 32, 83, 59, 51, -78, 55, 3, -114, 58, -49, 49, -9, 101,
    -46, 111, -101, 65, -25, -112, -80, -96, -37, -15, -8, -60, -79, 110, -70, 22, 45, -69, 73, 123, -12, -23,
    -15, 127, 9, 30, -58, 88, -86, 107, 127, 80, 22, -87, 105, 107, -34, -57, -23, -93, 49, -28, -2, 103, 19,
    -61, 27, 101, 46, 27, 103, -77, -15, 34, 116, -25, 114, -29, 59, 107, 39, 81, 66, -127, 9, 32, -65, 88,
    10, 80, 42, 2, -62, 45, 40, 48, -57, 89, 30, -27, 80, 21, 45, 28, 35, -92, -90, 27, -61, -63, 51, 7, -127,
    -25, -116, -43, -42, -59, -53, -92, -11, -127, -24, 1, 39, -66, 118, -5, -6, -19, 104, -110, 59, 41, 112,
    46, 96, -2, -13, 59, 62,
];
static CONV2D_2_CHANNELS: [QuantizedChannel; 6] = QuantizedChannel::table([
    (5750, 1576201913, -8), (-5382, 1584783309, -8), (22172, 1676874599, -8), (28014, 1545001600, -8),
    (-9062, 1720964859, -8), (6900, 1706565264, -8),
], Rounding::Double);
static CONV2D_2: Conv2d<Int8> = Conv2d::new(Window2d::new([4, 4, 4], [2, 3], [1, 1], [2, 1], Padding::Valid), &CONV2D_2_WEIGHTS, &CONV2D_2_CHANNELS, QuantizedOutput::new(-30, -128, 127), -46);

static LEAKY_RELU: Table = leaky_relu_table(-30, Requantize::new(1508161639, 1, Rounding::Double), Requantize::new(1508161639, -1, Rounding::Double), QuantizedOutput::new(-94, -128, 127));

static AVG_POOL2D: AvgPool2d<Int8> = AvgPool2d::new(Window2d::new([2, 2, 6], [2, 1], [2, 1], [1, 1], Padding::Same), QuantizedOutput::new(0, -128, 127));

static DENSE_WEIGHTS: [i8; 84] = [
    -2, 107, -38, 57, 104, 119, 80, 122, 111, -125, -127, -23, 54, -127, 12, 113, -31, 83, 116, 39, -33, 92,
    -15, -100, 88, -75, 79, 126, -63, -9, -27, 127, 58, -88, 122, 5, 42, -72, -107, -127, 29, -87, -36, -50,
    71, 40, -124, 4, -27, -105, -123, -36, 75, -75, 99, -2, 127, -56, 84, -105, -36, -63, -59, -114, 23, 127,
    54, -19, 49, 116, 7, 122, 8, 0, -26, 63, -75, -70, 5, 57, -10, 127, -17, -110,
];
static DENSE_CHANNELS: [QuantizedChannel; 7] = QuantizedChannel::table([
    (36190, 1094186051, -7), (19082, 1140893879, -7), (32242, 1852031383, -8), (-39198, 1968952015, -8),
    (-13536, 1135581200, -7), (19458, 2100158229, -8), (-4512, 1143222601, -7),
], Rounding::Double);
static DENSE: Dense<Int8> = Dense::new(12, &DENSE_WEIGHTS, &DENSE_CHANNELS, QuantizedOutput::new(-7, -128, 127));

static TANH: Table = tanh_table(-7, Requantize::new(1705860096, 20, Rounding::Double), 1920);

static DENSE_1_WEIGHTS: [i8; 42] = [
    -71, 111, -127, 39, 27, 35, -104, 127, 62, -82, 69, -80, 62, -66, -25, -74, 88, -5, 35, -4, 127, -70, 87,
    -127, 91, 28, -105, -57, 59, -55, 127, 35, -7, 23, -9, -115, 30, 127, -107, -2, -7, -4,
];
static DENSE_1_CHANNELS: [QuantizedChannel; 6] = QuantizedChannel::table([
    (0, 1158594018, -6), (0, 1163562569, -6), (0, 1117884631, -6), (0, 2050632115, -7), (0, 1477959608, -7),
    (0, 1083198861, -6),
], Rounding::Double);
static DENSE_1: Dense<Int8> = Dense::new(7, &DENSE_1_WEIGHTS, &DENSE_1_CHANNELS, QuantizedOutput::new(-6, -128, 127));

static SIGMOID: Table = sigmoid_table(-6, Requantize::new(1282593792, 20, Rounding::Double), 1920);

static DENSE_2_WEIGHTS: [i8; 18] = [
    41, -46, 62, -84, 127, 72, 74, 90, 127, 7, 75, -2, 82, -126, 20, 127, 15, -78,
];
static DENSE_2_CHANNELS: [QuantizedChannel; 3] = QuantizedChannel::table([
    (22016, 1370811811, -7), (47488, 1311492781, -7), (5120, 1153085398, -7),
], Rounding::Double);
static DENSE_2: Dense<Int8> = Dense::new(6, &DENSE_2_WEIGHTS, &DENSE_2_CHANNELS, QuantizedOutput::new(-107, -128, 127));

static SOFTMAX: QuantizedSoftmax = QuantizedSoftmax::new(1369650688, 19, -256);

lendable! {
/// All the RAM of the model, 768 bytes: its arena.
pub struct Network {
    int8: arena::Bytes<192>,
}
}

/// Words of four bytes that the network needs of an arena.
pub const ARENA_WORDS: usize = 192;

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
    pub fn input(&mut self) -> &mut [i8; 128] {
        arena::array_mut(&mut self.int8, 256)
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
        // conv2d: Conv2d [8, 8, 4], 4608 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([256..384, 384..402, 0..256]) {
            CONV2D.forward(x, patch, y);
        }
        done(0);
        // depthwise_conv2d: DepthwiseConv2d [8, 8, 4], 2304 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([0..256, 512..548, 256..512]) {
            DEPTHWISE_CONV2D.forward(x, patch, y);
        }
        done(1);
        // conv2d_1: Conv2d [8, 8, 4], 1024 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([256..512, 512..768]) {
            CONV2D_1.forward_pointwise(x, y);
        }
        done(2);
        // add: Add [8, 8, 4], 0 MAC
        if let Ok([a, b, y]) = self.int8.get_disjoint_mut([512..768, 0..256, 256..512]) {
            ADD.forward(a, b, y);
        }
        done(3);
        // max_pool2d: MaxPool2d [4, 4, 4], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([256..512, 0..64]) {
            MAX_POOL2D.forward(x, y);
        }
        done(4);
        // conv2d_2: Conv2d [2, 2, 6], 576 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([0..64, 88..112, 64..88]) {
            CONV2D_2.forward(x, patch, y);
        }
        done(5);
        // leaky_relu: LeakyReLU [2, 2, 6], 0 MAC
        if let Some(y) = self.int8.get_mut(64..88) {
            layers::lookup_in_place(&LEAKY_RELU, y);
        }
        done(6);
        // avg_pool2d: AvgPool2d [1, 2, 6], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([64..88, 0..12]) {
            AVG_POOL2D.forward(x, y);
        }
        done(7);
        // dense: Dense [7], 84 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([0..12, 12..19]) {
            DENSE.forward(x, y);
        }
        done(8);
        // tanh: Tanh [7], 0 MAC
        if let Some(y) = self.int8.get_mut(12..19) {
            layers::lookup_in_place(&TANH, y);
        }
        done(9);
        // dense_1: Dense [6], 42 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([12..19, 0..6]) {
            DENSE_1.forward(x, y);
        }
        done(10);
        // sigmoid: Sigmoid [6], 0 MAC
        if let Some(y) = self.int8.get_mut(0..6) {
            layers::lookup_in_place(&SIGMOID, y);
        }
        done(11);
        // dense_2: Dense [3], 18 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([0..6, 6..9]) {
            DENSE_2.forward(x, y);
        }
        done(12);
        // softmax: Softmax [3], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([6..9, 0..3]) {
            SOFTMAX.forward(x, y);
        }
        done(13);
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
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[8, 8, 2] }];
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
pub fn prepare_input(raw: &[f32; 128], input: &mut [i8; 128]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = INPUT_QUANTIZATION.quantize(x);
    }
}

/// Outputs as real numbers.
pub fn dequantize_output(output: &[i8; 3]) -> [f32; 3] {
    output.map(|q| OUTPUT_QUANTIZATION.dequantize(q))
}
