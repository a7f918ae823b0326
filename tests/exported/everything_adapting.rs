// milligrad model: name=everything learns=yes optimizer=Sgd
// 15 layers, 8656 multiply-accumulate operations, 1132 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Int8, Learner, Model, Optimizer, Padding, Quantization, QuantizedChannel, QuantizedOutput, Requantize, Rounding, Sgd, TrainError, Window2d, arena, loss, layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, QuantizedAdd, Table, dense, leaky_relu_table, tanh_table}};

/// Name of the model.
pub const NAME: &str = "everything";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 15] = ["conv2d", "depthwise_conv2d", "conv2d_1", "add", "max_pool2d", "conv2d_2", "leaky_relu", "avg_pool2d", "dense", "tanh", "dequantize_11", "dense_1", "sigmoid", "dense_2", "softmax"];
/// Scale and zero point of the input.
pub const INPUT_QUANTIZATION: Quantization = Quantization::new(0.007840531, -1);

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

/// All the RAM of the model, 1132 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    int8: [i8; 768],
    float: [f32; 22],
    /// What has been learned.
    pub parameters: Parameters,
}

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { int8: [0; 768], float: [0.0; 22], parameters: Parameters::new(), }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [i8; 128] {
        arena::array_mut(&mut self.int8, 256)
    }

    /// Runs the network on its [`input`](Self::input).
    #[inline]
    pub fn predict(&mut self) -> &[f32; 3] {
        self.predict_with(|_| {})
    }

    /// As [`predict`](Self::predict), and calls `done(i)` after layer `i` of [`LAYERS`].
    #[inline]
    pub fn predict_with(&mut self, done: impl FnMut(usize)) -> &[f32; 3] {
        self.forward(done);
        arena::array(&self.float, 19)
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
        // dequantize_11: Dequantize [7], 0 MAC
        let (x, y) = (self.int8.get(12..19).unwrap_or_default(), self.float.get_mut(0..7).unwrap_or_default());
        layers::dequantize(Quantization::new(0.0078125, 0), x, y);
        done(10);
        // dense_1: Dense [6], 42 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([0..7, 7..13]) {
            Dense::<f32>::new(7, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(11);
        // sigmoid: Sigmoid [6], 0 MAC
        if let Some(y) = self.float.get_mut(7..13) {
            layers::sigmoid(y);
        }
        done(12);
        // dense_2: Dense [3], 18 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([7..13, 19..22]) {
            Dense::<f32>::new(6, &self.parameters.dense_2_weights, &self.parameters.dense_2_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(13);
        // softmax: Softmax [3], 0 MAC
        if let Some(y) = self.float.get_mut(19..22) {
            layers::softmax(y);
        }
        done(14);
    }

    /// One step of gradient descent on the [`input`](Self::input) and its label; returns the loss before the update.
    ///
    /// # Errors
    /// A label that is no class, or a loss that is not finite. No parameter has changed then.
    #[inline]
    pub fn train_step(&mut self, label: usize, optimizer: &Sgd) -> Result<f32, TrainError> {
        self.forward(|_| {});
        // The probabilities become the deltas of the scores.
        let probabilities = arena::array_mut::<f32, 3>(&mut self.float, 19);
        let loss = loss::sparse_categorical_cross_entropy(probabilities, label)?;
        if !loss.is_finite() {
            return Err(TrainError::NotFinite);
        }
        // dense_2: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([19..22, 13..19]) {
            Dense::<f32>::new(6, &self.parameters.dense_2_weights, &self.parameters.dense_2_bias, Clamp::<f32>::LINEAR).backward_input(delta, delta_x);
        }
        // sigmoid: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([7..13, 13..19]) {
            layers::sigmoid_backward(y, delta);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([0..7, 13..19]) {
            let state = (&mut [(); 42][..], &mut [(); 6][..]);
            dense::apply::<f32, _>(x, delta, &mut self.parameters.dense_1_weights, &mut self.parameters.dense_1_bias, state, optimizer);
        }
        // dense_2: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([7..13, 19..22]) {
            let state = (&mut [(); 18][..], &mut [(); 3][..]);
            dense::apply::<f32, _>(x, delta, &mut self.parameters.dense_2_weights, &mut self.parameters.dense_2_bias, state, optimizer);
        }
        Ok(loss)
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Model for Network {
    type Input = i8;
    type Output = f32;
    const NAME: &'static str = NAME;
    const LAYERS: &'static [&'static str] = &LAYERS;
    const INPUTS: usize = 128;
    const OUTPUTS: usize = 3;

    fn input(&mut self) -> &mut [i8] {
        self.input()
    }

    fn predict_with(&mut self, done: impl FnMut(usize)) -> &[f32] {
        self.predict_with(done)
    }
}

/// The parameters that learn, in RAM.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// `dense_1/weights`
    pub dense_1_weights: [f32; 42],
    /// `dense_1/bias`
    pub dense_1_bias: [f32; 6],
    /// `dense_2/weights`
    pub dense_2_weights: [f32; 18],
    /// `dense_2/bias`
    pub dense_2_bias: [f32; 3],
}

const DENSE_1_WEIGHTS: [f32; 42] = [
    -0.557661, -0.50917864, 0.37733436, -0.61367446, -0.44170254, -0.08019374, 0.6358385, 0.41202277,
    0.47847524, -0.53942084, -0.20977646, -0.3387147, 0.45484507, 0.5840792, -0.17955802, -0.31883955,
    0.55351585, 0.64256185, -0.15557598, -0.2616143, 0.14956692, 0.0963583, 0.12132935, -0.54683465,
    0.16412503, -0.46738523, -0.14423394, -0.3684155, -0.3716413, -0.0832314, 0.45231286, 0.29677325,
    -0.16207728, 0.18571027, -0.41924533, 0.13078505, -0.33447114, 0.38353795, 0.43558288, 0.12979741,
    -0.1849315, -0.54002666,
];
const DENSE_1_BIAS: [f32; 6] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
const DENSE_2_WEIGHTS: [f32; 18] = [
    -0.25141552, 0.13869508, 0.5167575, 0.21350569, 0.00017617451, 0.41950935, -0.3651345, 0.042439174,
    -0.55694443, 0.32175508, 0.6809003, 0.693197, 0.1303557, -0.80128175, 0.7273236, 0.181538, -0.021609994,
    -0.14353794,
];
const DENSE_2_BIAS: [f32; 3] = [
    0.0, 0.0, 0.0,
];

impl Parameters {
    /// As they were exported.
    pub const fn new() -> Self {
        Self { dense_1_weights: DENSE_1_WEIGHTS, dense_1_bias: DENSE_1_BIAS, dense_2_weights: DENSE_2_WEIGHTS, dense_2_bias: DENSE_2_BIAS, }
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self::new()
    }
}

impl Learner for Network {
    type Optimizer = Sgd;

    fn train_step(&mut self, label: usize, optimizer: &Sgd) -> Result<f32, TrainError> {
        self.train_step(label, optimizer)
    }

    fn parameters(&self, mut visit: impl FnMut(&'static str, &[f32])) {
        visit("dense_1/weights", &self.parameters.dense_1_weights);
        visit("dense_1/bias", &self.parameters.dense_1_bias);
        visit("dense_2/weights", &self.parameters.dense_2_weights);
        visit("dense_2/bias", &self.parameters.dense_2_bias);
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`, quantised.
pub fn prepare_input(raw: &[f32; 128], input: &mut [i8; 128]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = INPUT_QUANTIZATION.quantize(x);
    }
}

