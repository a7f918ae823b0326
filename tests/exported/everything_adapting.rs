// milligrad model: name=everything learns=yes optimizer=Sgd core=portable
// 15 layers, 8656 multiply-accumulate operations, 1132 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Evaluation, Int8, Learner, Model, Optimizer, Padding, Port, Quantization, QuantizedChannel, QuantizedOutput, Requantize, Rounding, Sgd, Target, TargetKind, TrainError, Window2d, arena, loss, layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, QuantizedAdd, Table, dense, leaky_relu_table, tanh_table}};

/// Name of the model.
pub const NAME: &str = "everything";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 15] = ["conv2d", "depthwise_conv2d", "conv2d_1", "add", "max_pool2d", "conv2d_2", "leaky_relu", "avg_pool2d", "dense", "tanh", "dequantize_11", "dense_1", "sigmoid", "dense_2", "softmax"];
/// Scale and zero point of the input.
pub const INPUT_QUANTIZATION: Quantization = Quantization::new(0.007840531, -1);

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

/// All the RAM of the model, 1132 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    int8: [i8; 768],
    float: [f32; 22],
    /// What has been learned.
    pub parameters: Parameters,
    state: State,
}

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { int8: [0; 768], float: [0.0; 22], parameters: Parameters::new(), state: State::new(), }
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

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, label: usize) -> Result<f32, TrainError> {
        Target::Class(label).class(3)?;
        self.forward(|_| {});
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<f32, 3>(&mut self.float, 19);
        let loss = loss::sparse_categorical_cross_entropy(outputs, label)?;
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
        Ok(loss)
    }

    /// One step of gradient descent on the [`input`](Self::input) and its target; returns the loss before the update.
    /// The optimizer may be another at each step: a `milligrad::Schedule` tells its learning rate.
    ///
    /// # Errors
    /// A target that is none, or a loss that is not finite. No parameter has changed then.
    #[inline]
    pub fn train_step(&mut self, label: usize, optimizer: &Sgd) -> Result<f32, TrainError> {
        let loss = self.deltas(label)?;
        let optimizer = &optimizer.begin(&mut self.state.progress);
        // dense_1: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([0..7, 13..19]) {
            let state = (&mut self.state.dense_1_weights[..], &mut self.state.dense_1_bias[..]);
            let Parameters { dense_1_weights, dense_1_bias, .. } = &mut self.parameters;
            dense::apply::<f32, _>(x, delta, dense_1_weights, dense_1_bias, state, optimizer);
        }
        // dense_2: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([7..13, 19..22]) {
            let state = (&mut self.state.dense_2_weights[..], &mut self.state.dense_2_bias[..]);
            let Parameters { dense_2_weights, dense_2_bias, .. } = &mut self.parameters;
            dense::apply::<f32, _>(x, delta, dense_2_weights, dense_2_bias, state, optimizer);
        }
        Ok(loss)
    }

    /// How well the network does on its [`input`](Self::input): loss and hit. Changes no parameter.
    ///
    /// # Errors
    /// A target that is none.
    pub fn evaluate(&mut self, label: usize) -> Result<Evaluation, TrainError> {
        Target::Class(label).class(3)?;
        self.forward(|_| {});
        let outputs = arena::array_mut::<f32, 3>(&mut self.float, 19);
        let hit = Some(milligrad::argmax(outputs) == label);
        let loss = loss::sparse_categorical_cross_entropy(outputs, label)?;
        Ok(Evaluation { loss, hit })
    }

    /// Copies parameters and the optimizer's memory, to come back to by [`rollback`](Self::rollback).
    pub fn commit(&self, snapshot: &mut Snapshot) {
        snapshot.parameters = self.parameters;
        snapshot.state = self.state;
        snapshot.committed = true;
    }

    /// Takes back what a snapshot holds; `false` if it holds nothing.
    pub fn rollback(&mut self, snapshot: &Snapshot) -> bool {
        if snapshot.committed {
            self.parameters = snapshot.parameters;
            self.state = snapshot.state;
        }
        snapshot.committed
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
            0 => Elements::F32(arena::array::<_, 3>(&self.float, 19)),
            _ => Elements::F32(&[]),
        }
    }

    fn run_with(&mut self, done: impl FnMut(usize)) {
        self.forward(done);
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
    -0.35927388, 0.5575171, -0.63941735, 0.196919, 0.13648424, 0.17488946, -0.52365273, 0.64215946,
    0.31549415, -0.4148125, 0.34723166, -0.40323433, 0.3143623, -0.33201504, -0.12119111, -0.36155328,
    0.42822376, -0.024555268, 0.16859144, -0.018959003, 0.6169502, -0.31200063, 0.3859493, -0.5658625,
    0.4040672, 0.122873604, -0.46663943, -0.25617903, 0.19019344, -0.17762576, 0.40783614, 0.1125959,
    -0.0219266, 0.073532745, -0.030023657, -0.54117894, 0.14085858, 0.59780747, -0.5033295, -0.008631164,
    -0.033991605, -0.017495653,
];
const DENSE_1_BIAS: [f32; 6] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
const DENSE_2_WEIGHTS: [f32; 18] = [
    0.2625876, -0.29195112, 0.39210546, -0.5344103, 0.807889, 0.45523646, 0.44931293, 0.54986566, 0.77292925,
    0.04442391, 0.45515764, -0.01477559, 0.43780115, -0.6719292, 0.10945148, 0.67957175, 0.08042191,
    -0.41479704,
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

/// What the optimizer remembers of a parameter.
type Memory = <Sgd as Optimizer<f32>>::State;

/// What the optimizer remembers of each parameter.
#[derive(Clone, Copy)]
pub struct State {
    dense_1_weights: [Memory; 42],
    dense_1_bias: [Memory; 6],
    dense_2_weights: [Memory; 18],
    dense_2_bias: [Memory; 3],
    progress: <Sgd as Optimizer<f32>>::Progress,
}

impl State {
    /// As before the first step.
    pub const fn new() -> Self {
        Self { dense_1_weights: [<Sgd as Optimizer<f32>>::START; 42], dense_1_bias: [<Sgd as Optimizer<f32>>::START; 6], dense_2_weights: [<Sgd as Optimizer<f32>>::START; 18], dense_2_bias: [<Sgd as Optimizer<f32>>::START; 3], progress: <Sgd as Optimizer<f32>>::OUTSET, }
    }
}

/// Parameters and the optimizer's memory as they were at some time, see [`Network::commit`]. Nothing at first: where the
/// optimizer starts from zeros, a `static` takes no flash.
#[derive(Clone, Copy)]
pub struct Snapshot {
    parameters: Parameters,
    state: State,
    committed: bool,
}

impl Snapshot {
    /// One that holds nothing yet.
    pub const fn new() -> Self {
        let parameters = Parameters { dense_1_weights: [0.0; 42], dense_1_bias: [0.0; 6], dense_2_weights: [0.0; 18], dense_2_bias: [0.0; 3], };
        Self { parameters, state: State::new(), committed: false }
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self::new()
    }
}

impl Learner for Network {
    type Optimizer = Sgd;
    const TARGET: TargetKind = TargetKind::Class(3);

    fn train_step(&mut self, target: Target<'_>, optimizer: &Sgd) -> Result<f32, TrainError> {
        let target = target.class(3)?;
        self.train_step(target, optimizer)
    }

    fn evaluate(&mut self, target: Target<'_>) -> Result<Evaluation, TrainError> {
        let target = target.class(3)?;
        self.evaluate(target)
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

