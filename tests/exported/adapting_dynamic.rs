// milligrad model: name=image learns=yes optimizer=PowerOfTwoSgd core=portable
// 12 layers, 8905 multiply-accumulate operations, 1168 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Evaluation, Int8, Learner, Model, Optimizer, Padding, Port, PowerOfTwoSgd, Quantization, QuantizedChannel, QuantizedOutput, Requantize, Rounding, Target, TargetKind, TrainError, Window2d, arena, fixed, guard, loss, layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, QuantizedAdd, Table, dense, leaky_relu_table}};

/// Name of the model.
pub const NAME: &str = "image";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 12] = ["conv2d", "depthwise_conv2d", "conv2d_1", "add", "max_pool2d", "conv2d_2", "leaky_relu", "avg_pool2d", "dequantize_9", "dense", "dense_1", "softmax"];
/// Scale and zero point of the input.
pub const INPUT_QUANTIZATION: Quantization = Quantization::new(0.007840531, -1);

static CONV2D_WEIGHTS: [i8; 72] = [
    94, 77, -9, -25, 127, 57, -7, -36, -35, 115, 119, 15, -57, -62, 86, -117, -97, 114, -27, 121, 88, 51, -70,
    20, 76, -27, 104, -89, 16, 36, 84, -127, 84, -118, -110, 90, 111, -1, 94, 127, -26, -31, -17, 122, -14,
    32, 121, 10, 76, 66, -6, -53, -34, -67, -88, 3, -100, 121, 127, 123, 35, 22, -101, -7, -99, 22, -24, 126,
    33, -90, -122, -74,
];
static CONV2D_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (359, 1631853591, -8), (202, 1721228357, -8), (510, 1738419292, -8), (-93, 1714490472, -8),
], Rounding::Double);
static CONV2D: Conv2d<Int8> = Conv2d::new(Window2d::new([8, 8, 2], [3, 3], [1, 1], [1, 1], Padding::Same), &CONV2D_WEIGHTS, &CONV2D_CHANNELS, QuantizedOutput::new(-128, -128, 127), -1);

static DEPTHWISE_CONV2D_WEIGHTS: [i8; 36] = [
    8, 1, 57, -89, 42, -90, 1, 127, 106, -111, -117, 102, 127, -127, 46, -5, -23, 112, -98, 32, -120, 125,
    -108, -120, 122, 79, -19, -31, -22, 43, -90, -52, 38, -38, 127, 122,
];
static DEPTHWISE_CONV2D_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (35584, 1610390602, -7), (-768, 1637684917, -7), (-25728, 1754743991, -7), (11008, 1491345697, -7),
], Rounding::Double);
static DEPTHWISE_CONV2D: DepthwiseConv2d<Int8> = DepthwiseConv2d::new(Window2d::new([8, 8, 4], [3, 3], [1, 1], [1, 1], Padding::Same), &DEPTHWISE_CONV2D_WEIGHTS, &DEPTHWISE_CONV2D_CHANNELS, QuantizedOutput::new(-128, -128, 127), -128);

static CONV2D_1_WEIGHTS: [i8; 16] = [
    106, -118, -127, -104, -36, -85, 113, 127, 44, -53, -120, 127, -22, 50, 73, -127,
];
static CONV2D_1_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (-31104, 1075148099, -7), (15232, 1611646274, -8), (-256, 1788395570, -8), (-3328, 1142254541, -7),
], Rounding::Double);
static CONV2D_1: Conv2d<Int8> = Conv2d::new(Window2d::new([8, 8, 4], [1, 1], [1, 1], [1, 1], Padding::Same), &CONV2D_1_WEIGHTS, &CONV2D_1_CHANNELS, QuantizedOutput::new(25, -128, 127), -128);

static ADD: QuantizedAdd = QuantizedAdd::new((25, Requantize::new(1505709320, -1, Rounding::Double)), (-128, Requantize::new(1073741824, 0, Rounding::Double)), Requantize::new(1140207569, -18, Rounding::Double), QuantizedOutput::new(-128, -128, 127));

static MAX_POOL2D: MaxPool2d<Int8> = MaxPool2d::new(Window2d::new([8, 8, 4], [2, 2], [2, 2], [1, 1], Padding::Same), QuantizedOutput::new(0, -128, 127));

static CONV2D_2_WEIGHTS: [i8; 144] = [
    -21, -13, -64, 105, 76, -73, -2, 44, -127, -79, 60, -112, 3, 54, -49, -26, -52, 15, 98, 33, 10, -124, 11,
    122, -61, -48, -99, 78, -76, -80, -77, 90, 98, 69, 5, 127, 107, 10, 10, 22, -77, 63, 41, -65, -82, -24,
    66, -81, 113, -34, -75, 1, -124, -120, 127, 99, -118, -4, -76, -77, 37, 123, -32, -45, 10, -57, -9, -22,
    96, -80, 65, 36, -11, 127, 69, -95, -54, -66, 93, -31, -73, 8, -94, -72, -101, -56, -34, 82, 127, -77,
    -77, 87, 18, -125, -64, 110, -82, 34, -119, 82, 51, -57, -34, 110, -55, -63, -127, -87, 93, 105, -3, -76,
    54, -121, -44, -93, 110, -65, -35, -79, 2, -127, 58, -15, 123, 25, 63, -90, 69, -55, 21, 19, -92, -107,
    124, -41, 65, 27, -112, 98, 93, -20, 23, 93,
];
static CONV2D_2_CHANNELS: [QuantizedChannel; 6] = QuantizedChannel::table([
    (-14208, 1778995434, -9), (2048, 1787961199, -9), (-21248, 1654692870, -9), (-39552, 1766699284, -9),
    (-64128, 1735420424, -9), (31232, 1768326211, -9),
], Rounding::Double);
static CONV2D_2: Conv2d<Int8> = Conv2d::new(Window2d::new([4, 4, 4], [2, 3], [1, 1], [1, 1], Padding::Valid), &CONV2D_2_WEIGHTS, &CONV2D_2_CHANNELS, QuantizedOutput::new(13, -128, 127), -128);

static LEAKY_RELU: Table = leaky_relu_table(13, Requantize::new(1832241514, 1, Rounding::Double), Requantize::new(1832241514, -1, Rounding::Double), QuantizedOutput::new(-68, -128, 127));

static AVG_POOL2D: AvgPool2d<Int8> = AvgPool2d::new(Window2d::new([3, 2, 6], [3, 1], [3, 1], [1, 1], Padding::Same), QuantizedOutput::new(0, -128, 127));

/// A unit of a weight, and of a bias, as powers of two.
const DENSE_EXPONENTS: fixed::dynamic::Exponents = fixed::dynamic::Exponents::new(-12, -20);

/// A unit of a weight, and of a bias, as powers of two.
const DENSE_1_EXPONENTS: fixed::dynamic::Exponents = fixed::dynamic::Exponents::new(-12, -20);

/// All the RAM of the model, 1168 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    int8: [i8; 768],
    int32: [i32; 7],
    int16: [i16; 32],
    exponents: [i16; 4],
    /// What has been learned.
    pub parameters: Parameters,
    state: State,
    /// Counts numbers that came to the end of their range.
    pub saturation: fixed::Saturation,
    /// Decides on every step. After a change of `parameters` by hand, call its `forget`.
    pub guard: fixed::Guard,
}

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { int8: [0; 768], int32: [0; 7], int16: [0; 32], exponents: [0; 4], parameters: Parameters::new(), state: State::new(), saturation: fixed::Saturation::NONE, guard: fixed::Guard::new().knowing(2903), }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [i8; 128] {
        arena::array_mut(&mut self.int8, 256)
    }

    /// Runs the network on its [`input`](Self::input).
    #[inline]
    pub fn predict(&mut self) -> &[i16; 3] {
        self.predict_with(|_| {})
    }

    /// As [`predict`](Self::predict), and calls `done(i)` after layer `i` of [`LAYERS`].
    #[inline]
    pub fn predict_with(&mut self, done: impl FnMut(usize)) -> &[i16; 3] {
        self.forward(done);
        arena::array(&self.int16, 19)
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
        // conv2d_2: Conv2d [3, 2, 6], 864 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([0..64, 100..124, 64..100]) {
            CONV2D_2.forward(x, patch, y);
        }
        done(5);
        // leaky_relu: LeakyReLU [3, 2, 6], 0 MAC
        if let Some(y) = self.int8.get_mut(64..100) {
            layers::lookup_in_place(&LEAKY_RELU, y);
        }
        done(6);
        // avg_pool2d: AvgPool2d [1, 2, 6], 0 MAC
        if let Ok([x, y]) = self.int8.get_disjoint_mut([64..100, 0..12]) {
            AVG_POOL2D.forward(x, y);
        }
        done(7);
        // dequantize_9: Dequantize [12], 0 MAC
        if let Some(x) = self.int8.get_mut(0..12) {
            if let Some(y) = self.int16.get_mut(0..12) {
                fixed::from_int8(-68, &Requantize::new(1496953984, 6, Rounding::Single), x, y);
                self.exponents[0] = -13;
            }
        }
        done(8);
        // dense: Dense [7], 84 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([0..12, 19..31, 12..19]) {
            if let Some(sums) = self.int32.get_mut(0..7) {
                self.exponents[1] = fixed::dynamic::Dense::new(12, &self.parameters.dense_weights, &self.parameters.dense_bias, DENSE_EXPONENTS, Clamp::<i16>::RELU).forward(fixed::dynamic::Block::new(x, self.exponents[0]), patch, sums, y);
            }
        }
        done(9);
        // dense_1: Dense [3], 21 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([12..19, 22..29, 19..22]) {
            if let Some(sums) = self.int32.get_mut(0..3) {
                self.exponents[2] = fixed::dynamic::Dense::new(7, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, DENSE_1_EXPONENTS, Clamp::<i16>::LINEAR).forward(fixed::dynamic::Block::new(x, self.exponents[1]), patch, sums, y);
            }
        }
        done(10);
        // softmax: Softmax [3], 0 MAC
        if let Some(y) = self.int16.get_mut(19..22) {
            self.exponents[2] = fixed::dynamic::softmax(y, self.exponents[2]);
        }
        done(11);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, label: usize) -> Result<f32, TrainError> {
        Target::Class(label).class(3)?;
        self.forward(|_| {});
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<i16, 3>(&mut self.int16, 19);
        let loss = fixed::sparse_categorical_cross_entropy(outputs, label)?;
        self.exponents[2] = fixed::dynamic::PROBABILITY;
        // dense_1: through the layer
        if let Ok([delta, patch, delta_x]) = self.int16.get_disjoint_mut([19..22, 29..32, 22..29]) {
            if let Some(sums) = self.int32.get_mut(0..7) {
                self.exponents[3] = fixed::dynamic::Dense::new(7, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, DENSE_1_EXPONENTS, Clamp::<i16>::LINEAR).backward_input(fixed::dynamic::Block::new(delta, self.exponents[2]), patch, sums, delta_x);
            }
        }
        // dense: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([12..19, 22..29]) {
            fixed::clamp_backward(&fixed::dynamic::at(&Clamp::<i16>::RELU, self.exponents[1]), y, delta);
        }
        Ok(loss)
    }

    /// One step of gradient descent on the [`input`](Self::input) and its target; returns the loss before the update.
    /// The optimizer may be another at each step: a `milligrad::Schedule` tells its learning rate.
    ///
    /// # Errors
    /// What the guard refuses. No parameter has changed then.
    #[inline]
    pub fn train_step(&mut self, label: usize, optimizer: &PowerOfTwoSgd) -> Result<f32, TrainError> {
        let before = self.saturation;
        let loss = self.deltas(label).map_err(|reason| self.guard.refuse(reason))?;
        let mut reach = fixed::dynamic::Reach::new();
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([0..12, 22..29]) {
            reach.dense(fixed::dynamic::Block::new(x, self.exponents[0]), fixed::dynamic::Block::new(delta, self.exponents[3]), DENSE_EXPONENTS);
        }
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([12..19, 19..22]) {
            reach.dense(fixed::dynamic::Block::new(x, self.exponents[1]), fixed::dynamic::Block::new(delta, self.exponents[2]), DENSE_1_EXPONENTS);
        }
        let saturated = self.saturation.since(&before);
        let optimizer = &self.guard.decide(reach, saturated, optimizer, || Self::extent(&self.parameters))?;
        // dense: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([0..12, 22..29]) {
            let Parameters { dense_weights, dense_bias, .. } = &mut self.parameters;
            let count = fixed::dynamic::apply(fixed::dynamic::Block::new(x, self.exponents[0]), fixed::dynamic::Block::new(delta, self.exponents[3]), dense_weights, dense_bias, DENSE_EXPONENTS, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([12..19, 19..22]) {
            let Parameters { dense_1_weights, dense_1_bias, .. } = &mut self.parameters;
            let count = fixed::dynamic::apply(fixed::dynamic::Block::new(x, self.exponents[1]), fixed::dynamic::Block::new(delta, self.exponents[2]), dense_1_weights, dense_1_bias, DENSE_1_EXPONENTS, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
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
        let outputs = arena::array_mut::<i16, 3>(&mut self.int16, 19);
        let hit = Some(milligrad::argmax(outputs) == label);
        let loss = fixed::sparse_categorical_cross_entropy(outputs, label)?;
        Ok(Evaluation { loss, hit })
    }

    /// The largest magnitude of a parameter, in Q.12.
    fn extent(parameters: &Parameters) -> u32 {
        let mut largest = 0;
        largest = largest.max(fixed::largest_weight(&parameters.dense_weights));
        largest = largest.max(fixed::largest_bias(&parameters.dense_bias));
        largest = largest.max(fixed::largest_weight(&parameters.dense_1_weights));
        largest = largest.max(fixed::largest_bias(&parameters.dense_1_bias));
        largest
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
            self.guard.forget();
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
            0 => Elements::I16(arena::array::<_, 3>(&self.int16, 19)),
            _ => Elements::I16(&[]),
        }
    }

    fn run_with(&mut self, done: impl FnMut(usize)) {
        self.forward(done);
    }
}

/// The parameters that learn, in RAM.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// `dense/weights`
    pub dense_weights: [i16; 84],
    /// `dense/bias`
    pub dense_bias: [i32; 7],
    /// `dense_1/weights`
    pub dense_1_weights: [i16; 21],
    /// `dense_1/bias`
    pub dense_1_bias: [i32; 3],
}

const DENSE_WEIGHTS: [i16; 84] = [
    -605, -310, 1178, 140, -202, -853, 1023, 1675, -1969, 1907, 31, 961, 597, -1774, -299, -527, -228, -1142,
    -351, 2230, -1229, -18, 2213, -2107, 387, 743, 2050, 1146, -791, 856, -1921, 1065, -597, 726, -856, 274,
    970, 1958, 1906, 1438, -2200, -1421, -1836, 1525, -1802, -1836, -1715, 346, 1651, 1586, 213, -49, -392,
    -1782, -1700, 1455, -1030, 2077, -1848, 262, 2058, 1203, -1639, -1674, 1273, -140, -1901, 663, 2180,
    -2215, -262, 1413, -596, 1158, -33, 612, 2002, 281, 1837, 1208, -1622, -1324, 1175, -2102,
];
const DENSE_BIAS: [i32; 7] = [
    0, 0, 0, 0, 0, 0, 0,
];
const DENSE_1_WEIGHTS: [i16; 21] = [
    1182, -145, 1202, 539, 705, -2633, 2197, 473, 2500, -453, -1496, -1949, -1418, 650, -2332, 2903, -2697,
    297, 892, -1577, -914,
];
const DENSE_1_BIAS: [i32; 3] = [
    0, 0, 0,
];

impl Parameters {
    /// As they were exported.
    pub const fn new() -> Self {
        Self { dense_weights: DENSE_WEIGHTS, dense_bias: DENSE_BIAS, dense_1_weights: DENSE_1_WEIGHTS, dense_1_bias: DENSE_1_BIAS, }
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self::new()
    }
}

/// What the rule remembers.
#[derive(Clone, Copy)]
pub struct State {
    memory: <PowerOfTwoSgd as fixed::Rule>::Memory,
}

impl State {
    /// As before the first step.
    pub const fn new() -> Self {
        Self { memory: () }
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
        let parameters = Parameters { dense_weights: [0; 84], dense_bias: [0; 7], dense_1_weights: [0; 21], dense_1_bias: [0; 3], };
        Self { parameters, state: State::new(), committed: false }
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self::new()
    }
}

impl Learner for Network {
    type Optimizer = PowerOfTwoSgd;
    const TARGET: TargetKind = TargetKind::Class(3);

    fn train_step(&mut self, target: Target<'_>, optimizer: &PowerOfTwoSgd) -> Result<f32, TrainError> {
        let target = target.class(3).map_err(|reason| self.guard.refuse(reason))?;
        self.train_step(target, optimizer)
    }

    fn evaluate(&mut self, target: Target<'_>) -> Result<Evaluation, TrainError> {
        let target = target.class(3)?;
        self.evaluate(target)
    }

    fn parameters(&self, mut visit: impl FnMut(&'static str, &[f32])) {
        fixed::dynamic::visit_weights("dense/weights", -12, &self.parameters.dense_weights, &mut visit);
        fixed::dynamic::visit_biases("dense/bias", -20, &self.parameters.dense_bias, &mut visit);
        fixed::dynamic::visit_weights("dense_1/weights", -12, &self.parameters.dense_1_weights, &mut visit);
        fixed::dynamic::visit_biases("dense_1/bias", -20, &self.parameters.dense_1_bias, &mut visit);
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
pub fn dequantize_output(output: &[i16; 3]) -> [f32; 3] {
    output.map(|q| fixed::from_probability(q))
}
