// milligrad model: name=everything learns=no optimizer=none
// 14 layers, 8656 multiply-accumulate operations, 768 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Int8, Model, Padding, Quantization, QuantizedChannel, QuantizedOutput, Requantize, Rounding, Window2d, arena, layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, QuantizedAdd, QuantizedSoftmax, Table, dense, leaky_relu_table, sigmoid_table, tanh_table}};

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
    67, 53, 87, -127, -77, 93, 8, 121, -19, -127, 45, 10, -120, 100, 65, -120, -39, 22, -127, -65, 66, 78,
    114, -109, 94, 33, -34, -50, 23, 34, 113, 16, -7, 22, 48, 66, -50, -97, -96, -99, -98, 82, -41, 121, -14,
    127, -91, 22, -78, 96, 23, -70, 64, -89, 122, -35, 127, -28, 57, 36, 77, 68, -82, -118, 42, 26, 118, -26,
    57, -49, 17, 120,
];
static CONV2D_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (42, 1601685928, -8), (315, 1560625410, -8), (-288, 1522586094, -8), (529, 1642417913, -8),
], Rounding::Double);
static CONV2D: Conv2d<Int8> = Conv2d::new(Window2d::new([8, 8, 2], [3, 3], [1, 1], [1, 1], Padding::Same), &CONV2D_WEIGHTS, &CONV2D_CHANNELS, QuantizedOutput::new(-128, -128, 127), -1);

static DEPTHWISE_CONV2D_WEIGHTS: [i8; 36] = [
    60, -85, -93, 98, 100, 127, 127, 13, 121, -18, -6, 86, -106, -101, -85, -62, 127, 52, -43, -14, -68, 41,
    -124, -81, -29, 110, 111, -127, 14, 24, -24, -92, 39, -12, 69, -106,
];
static DEPTHWISE_CONV2D_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (33024, 1351804360, -7), (17664, 1360374028, -7), (-8704, 1419323723, -7), (-36480, 1396247955, -7),
], Rounding::Double);
static DEPTHWISE_CONV2D: DepthwiseConv2d<Int8> = DepthwiseConv2d::new(Window2d::new([8, 8, 4], [3, 3], [1, 1], [1, 1], Padding::Same), &DEPTHWISE_CONV2D_WEIGHTS, &DEPTHWISE_CONV2D_CHANNELS, QuantizedOutput::new(-128, -128, 127), -128);

static CONV2D_1_WEIGHTS: [i8; 16] = [
    -127, -111, 30, -126, 119, 127, -127, 119, -3, 127, -101, -9, 76, -92, -29, -127,
];
static CONV2D_1_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (-42752, 1146275063, -8), (30464, 1202528998, -7), (1792, 1682355323, -8), (-22016, 1218325979, -7),
], Rounding::Double);
static CONV2D_1: Conv2d<Int8> = Conv2d::new(Window2d::new([8, 8, 4], [1, 1], [1, 1], [1, 1], Padding::Same), &CONV2D_1_WEIGHTS, &CONV2D_1_CHANNELS, QuantizedOutput::new(-46, -128, 127), -128);

static ADD: QuantizedAdd = QuantizedAdd::new((-46, Requantize::new(1073741824, 0, Rounding::Double)), (-128, Requantize::new(1664028999, -1, Rounding::Double)), Requantize::new(1696471114, -19, Rounding::Double), QuantizedOutput::new(-69, -128, 127));

static MAX_POOL2D: MaxPool2d<Int8> = MaxPool2d::new(Window2d::new([8, 8, 4], [2, 2], [2, 2], [1, 1], Padding::Same), QuantizedOutput::new(0, -128, 127));

static CONV2D_2_WEIGHTS: [i8; 144] = [
    56, 85, -127, -91, 31, -66, -120, -39, -29, -117, -59, 40, -40, 24, 39, 17, 103, -60, -74, 97, 23, 36, -5,
    -85, 9, -100, 35, -119, 127, -30, -108, -77, -104, 82, -15, -16, 64, -115, -94, 36, 59, 77, 47, 93, -64,
    122, 51, 71, -3, -75, -127, -11, -24, 17, 61, 52, -83, 125, -6, 40, -10, 34, -61, 56, -23, 5, -24, 76, 48,
    52, -68, -80, 73, 109, -3, 114, -40, 59, -5, -101, 91, 95, 127, -109, -33, -6, -45, 82, -18, -99, -43,
    -57, 64, -10, -108, 121, 18, -25, -100, 127, 99, -98, -124, 81, -33, 113, -92, -45, -2, 12, -116, -93,
    -25, 78, 124, 117, -113, 21, 47, -45, 45, -9, -125, -31, -92, -51, -113, 103, -127, 107, -71, 52, 77, 24,
    -20, -67, 109, 22, -67, 86, -11, 0, 78, -54,
];
static CONV2D_2_CHANNELS: [QuantizedChannel; 6] = QuantizedChannel::table([
    (-24909, 1348841304, -8), (2139, 1380002336, -8), (-2001, 1365029456, -8), (17802, 1345896840, -8),
    (-5106, 1381052295, -8), (-9315, 1332743829, -8),
], Rounding::Double);
static CONV2D_2: Conv2d<Int8> = Conv2d::new(Window2d::new([4, 4, 4], [2, 3], [1, 1], [2, 1], Padding::Valid), &CONV2D_2_WEIGHTS, &CONV2D_2_CHANNELS, QuantizedOutput::new(-1, -128, 127), -69);

static LEAKY_RELU: Table = leaky_relu_table(-1, Requantize::new(1713524625, 1, Rounding::Double), Requantize::new(1713524625, -1, Rounding::Double), QuantizedOutput::new(-77, -128, 127));

static AVG_POOL2D: AvgPool2d<Int8> = AvgPool2d::new(Window2d::new([2, 2, 6], [2, 1], [2, 1], [1, 1], Padding::Same), QuantizedOutput::new(0, -128, 127));

static DENSE_WEIGHTS: [i8; 84] = [
    -107, -58, 62, 82, -96, 127, -120, -47, -61, -7, 42, -122, -48, -127, 90, -98, 92, 44, -4, -87, 97, -16,
    -99, -119, 66, 102, -84, -99, -127, 24, -77, -104, 36, 34, -65, -8, 14, 8, -82, 107, 5, -24, 63, 79, 127,
    -94, -107, 1, -22, 127, -82, 34, 8, -45, -86, -102, -119, -2, -94, 88, -111, -124, -48, 90, 11, 64, -124,
    41, -20, 127, 88, -51, 23, -23, 37, 38, -72, -53, -103, -127, 50, -116, -90, 100,
];
static DENSE_CHANNELS: [QuantizedChannel; 7] = QuantizedChannel::table([
    (-23485, 1823049019, -7), (-21175, 1566092493, -7), (-23254, 1814737880, -7), (7469, 1600479498, -7),
    (-22715, 1699189616, -7), (-4389, 1505355938, -7), (-25872, 1483839096, -7),
], Rounding::Double);
static DENSE: Dense<Int8> = Dense::new(12, &DENSE_WEIGHTS, &DENSE_CHANNELS, QuantizedOutput::new(-1, -128, 127));

static TANH: Table = tanh_table(-1, Requantize::new(1261348608, 20, Rounding::Double), 1920);

static DENSE_1_WEIGHTS: [i8; 42] = [
    -111, -102, 75, -123, -88, -16, 127, 90, 104, -117, -46, -74, 99, 127, -35, -63, 109, 127, -31, -52, 30,
    22, 28, -127, 38, -109, -33, -86, -104, -23, 127, 83, -46, 52, -118, 31, -79, 90, 102, 31, -43, -127,
];
static DENSE_1_CHANNELS: [QuantizedChannel; 6] = QuantizedChannel::table([
    (0, 1195835883, -6), (0, 1098490949, -6), (0, 1208480609, -6), (0, 2056888566, -7), (0, 1701350073, -7),
    (0, 2031280792, -7),
], Rounding::Double);
static DENSE_1: Dense<Int8> = Dense::new(7, &DENSE_1_WEIGHTS, &DENSE_1_CHANNELS, QuantizedOutput::new(1, -128, 127));

static SIGMOID: Table = sigmoid_table(1, Requantize::new(1235694848, 20, Rounding::Double), 1920);

static DENSE_2_WEIGHTS: [i8; 18] = [
    -62, 34, 127, 52, 0, 103, -67, 8, -102, 59, 125, 127, 21, -127, 115, 29, -3, -23,
];
static DENSE_2_CHANNELS: [QuantizedChannel; 3] = QuantizedChannel::table([
    (32512, 1500544311, -7), (19200, 2012883830, -7), (1536, 1163368509, -6),
], Rounding::Double);
static DENSE_2: Dense<Int8> = Dense::new(6, &DENSE_2_WEIGHTS, &DENSE_2_CHANNELS, QuantizedOutput::new(-70, -128, 127));

static SOFTMAX: QuantizedSoftmax = QuantizedSoftmax::new(1600677888, 18, -256);

/// All the RAM of the model, 768 bytes: its arena.
pub struct Network {
    int8: [i8; 768],
}

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { int8: [0; 768], }
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
    type Input = i8;
    type Output = i8;
    const NAME: &'static str = NAME;
    const LAYERS: &'static [&'static str] = &LAYERS;
    const INPUTS: usize = 128;
    const OUTPUTS: usize = 3;

    fn input(&mut self) -> &mut [i8] {
        self.input()
    }

    fn predict_with(&mut self, done: impl FnMut(usize)) -> &[i8] {
        self.predict_with(done)
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
