// milligrad model: name=image learns=yes optimizer=PowerOfTwoSgd core=portable
// 11 layers, 8905 multiply-accumulate operations, 2996 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Evaluation, Fixed16, Learner, Model, Optimizer, Padding, Port, PowerOfTwoSgd, Target, TargetKind, TrainError, Window2d, arena, fixed, guard, loss, layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, dense}};

/// Name of the model.
pub const NAME: &str = "image";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 11] = ["conv2d", "depthwise_conv2d", "conv2d_1", "add", "max_pool2d", "conv2d_2", "leaky_relu", "avg_pool2d", "dense", "dense_1", "softmax"];

static CONV2D_WEIGHTS: [i16; 72] = [
    943, 774, -92, -253, 1271, 566, -70, -358, -350, 1146, 1193, 155, -567, -624, 857, -1169, -974, 1139,
    -283, 1275, 931, 533, -736, 211, 806, -283, 1099, -945, 173, 375, 885, -1341, 888, -1245, -1165, 948,
    1187, -14, 1006, 1354, -281, -327, -179, 1298, -151, 344, 1291, 104, 807, 700, -65, -561, -361, -712,
    -928, 36, -1052, 1272, 1336, 1289, 368, 235, -1067, -74, -1042, 229, -252, 1326, 345, -948, -1281, -778,
];
const CONV2D_WINDOW: Window2d = Window2d::new([8, 8, 2], [3, 3], [1, 1], [1, 1], Padding::Same);

static DEPTHWISE_CONV2D_WEIGHTS: [i16; 36] = [
    79, 13, 648, -861, 438, -946, 17, 1222, 1102, -1169, -1320, 977, 1319, -1341, 520, -49, -235, 1182, -1105,
    310, -1249, 1324, -1226, -1151, 1269, 832, -215, -300, -224, 452, -1015, -498, 393, -398, 1437, 1178,
];
const DEPTHWISE_CONV2D_WINDOW: Window2d = Window2d::new([8, 8, 4], [3, 3], [1, 1], [1, 1], Padding::Same);

static CONV2D_1_WEIGHTS: [i16; 16] = [
    2759, -3062, -3296, -2692, -706, -1651, 2202, 2470, 944, -1138, -2601, 2741, -602, 1392, 2009, -3502,
];
const CONV2D_1_WINDOW: Window2d = Window2d::new([8, 8, 4], [1, 1], [1, 1], [1, 1], Padding::Same);

static MAX_POOL2D: MaxPool2d<Fixed16> = MaxPool2d::new(Window2d::new([8, 8, 4], [2, 2], [2, 2], [1, 1], Padding::Same), Clamp::<i16>::RELU);

static CONV2D_2_WEIGHTS: [i16; 144] = [
    -215, -135, -647, 1064, 774, -737, -20, 441, -1287, -795, 603, -1139, 33, 549, -498, -268, -528, 148, 991,
    332, 101, -1256, 110, 1232, -617, -485, -1005, 793, -770, -811, -789, 921, 1002, 703, 46, 1293, 1086, 97,
    106, 228, -789, 644, 420, -665, -836, -242, 671, -826, 1067, -318, -704, 13, -1171, -1128, 1197, 937,
    -1111, -41, -715, -725, 352, 1159, -302, -428, 92, -535, -83, -205, 903, -754, 608, 341, -110, 1278, 692,
    -952, -539, -660, 931, -316, -731, 78, -945, -722, -1021, -564, -347, 826, 1276, -778, -779, 874, 185,
    -1258, -640, 1103, -811, 341, -1180, 810, 500, -560, -337, 1090, -546, -624, -1255, -863, 918, 1040, -27,
    -749, 532, -1192, -435, -923, 1084, -644, -343, -785, 21, -1279, 588, -150, 1243, 250, 631, -904, 690,
    -553, 207, 191, -923, -1074, 1252, -410, 657, 274, -1124, 985, 934, -197, 229, 941,
];
const CONV2D_2_WINDOW: Window2d = Window2d::new([4, 4, 4], [2, 3], [1, 1], [1, 1], Padding::Valid);

static AVG_POOL2D: AvgPool2d<Fixed16> = AvgPool2d::new(Window2d::new([3, 2, 6], [3, 1], [3, 1], [1, 1], Padding::Same), Clamp::<i16>::LINEAR);

static DENSE_WEIGHTS: [i16; 84] = [
    -598, -308, 1182, 133, -196, -849, 1030, 1671, -1969, 1914, 29, 957, 598, -1778, -305, -530, -231, -1150,
    -349, 2230, -1229, -25, 2215, -2100, 394, 745, 2050, 1152, -789, 852, -1921, 1060, -601, 728, -863, 272,
    964, 1960, 1898, 1440, -2200, -1423, -1840, 1521, -1805, -1834, -1716, 344, 1649, 1586, 220, -56, -390,
    -1778, -1700, 1451, -1032, 2077, -1849, 263, 2053, 1196, -1633, -1677, 1274, -147, -1904, 656, 2184,
    -2215, -256, 1414, -592, 1165, -35, 614, 1996, 281, 1845, 1211, -1625, -1325, 1178, -2102,
];
static DENSE_1_WEIGHTS: [i16; 21] = [
    1172, -141, 1209, 542, 706, -2633, 2194, 481, 2500, -456, -1491, -1952, -1409, 655, -2333, 2903, -2706,
    298, 895, -1583, -913,
];
/// All the RAM of the model, 2996 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    int32: [i32; 18],
    int16: [i16; 1381],
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
        Self { int32: [0; 18], int16: [0; 1381], parameters: Parameters::new(), state: State::new(), saturation: fixed::Saturation::NONE, guard: fixed::Guard::new().knowing(0), }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [i16; 128] {
        arena::array_mut(&mut self.int16, 256)
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
        arena::array(&self.int16, 1378)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // conv2d: Conv2d [8, 8, 4], 4608 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([256..384, 384..402, 0..256]) {
            Conv2d::<Fixed16>::new(CONV2D_WINDOW, &CONV2D_WEIGHTS, &self.parameters.conv2d_bias, Clamp::<i16>::RELU, 0).forward(x, patch, y);
        }
        if let Some(y) = self.int16.get_mut(0..256) {
            self.saturation.see_activations(y);
        }
        done(0);
        // depthwise_conv2d: DepthwiseConv2d [8, 8, 4], 2304 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([0..256, 512..548, 256..512]) {
            DepthwiseConv2d::<Fixed16>::new(DEPTHWISE_CONV2D_WINDOW, &DEPTHWISE_CONV2D_WEIGHTS, &self.parameters.depthwise_conv2d_bias, Clamp::<i16>::RELU6, 0).forward(x, patch, y);
        }
        if let Some(y) = self.int16.get_mut(256..512) {
            self.saturation.see_activations(y);
        }
        done(1);
        // conv2d_1: Conv2d [8, 8, 4], 1024 MAC
        if let Ok([x, y]) = self.int16.get_disjoint_mut([256..512, 512..768]) {
            Conv2d::<Fixed16>::new(CONV2D_1_WINDOW, &CONV2D_1_WEIGHTS, &self.parameters.conv2d_1_bias, Clamp::<i16>::LINEAR, 0).forward_pointwise(x, y);
        }
        if let Some(y) = self.int16.get_mut(512..768) {
            self.saturation.see_activations(y);
        }
        done(2);
        // add: Add [8, 8, 4], 0 MAC
        if let Ok([a, b, y]) = self.int16.get_disjoint_mut([512..768, 0..256, 768..1024]) {
            fixed::add(a, b, &Clamp::<i16>::LINEAR, y);
        }
        if let Some(y) = self.int16.get_mut(768..1024) {
            self.saturation.see_activations(y);
        }
        done(3);
        // max_pool2d: MaxPool2d [4, 4, 4], 0 MAC
        if let Ok([x, y]) = self.int16.get_disjoint_mut([768..1024, 1024..1088]) {
            MAX_POOL2D.forward(x, y);
        }
        done(4);
        // conv2d_2: Conv2d [3, 2, 6], 864 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([1024..1088, 548..572, 512..548]) {
            Conv2d::<Fixed16>::new(CONV2D_2_WINDOW, &CONV2D_2_WEIGHTS, &self.parameters.conv2d_2_bias, Clamp::<i16>::LINEAR, 0).forward(x, patch, y);
        }
        if let Some(y) = self.int16.get_mut(512..548) {
            self.saturation.see_activations(y);
        }
        done(5);
        // leaky_relu: LeakyReLU [3, 2, 6], 0 MAC
        if let Some(y) = self.int16.get_mut(512..548) {
            fixed::leaky_relu(8192, y);
        }
        done(6);
        // avg_pool2d: AvgPool2d [1, 2, 6], 0 MAC
        if let Ok([x, y]) = self.int16.get_disjoint_mut([512..548, 1352..1364]) {
            AVG_POOL2D.forward(x, y);
        }
        done(7);
        // dense: Dense [7], 84 MAC
        if let Ok([x, y]) = self.int16.get_disjoint_mut([1352..1364, 1364..1371]) {
            Dense::<Fixed16>::new(12, &DENSE_WEIGHTS, &self.parameters.dense_bias, Clamp::<i16>::RELU).forward(x, y);
        }
        if let Some(y) = self.int16.get_mut(1364..1371) {
            self.saturation.see_activations(y);
        }
        done(8);
        // dense_1: Dense [3], 21 MAC
        if let Ok([x, y]) = self.int16.get_disjoint_mut([1364..1371, 1378..1381]) {
            Dense::<Fixed16>::new(7, &DENSE_1_WEIGHTS, &self.parameters.dense_1_bias, Clamp::<i16>::LINEAR).forward(x, y);
        }
        if let Some(y) = self.int16.get_mut(1378..1381) {
            self.saturation.see_activations(y);
        }
        done(9);
        // softmax: Softmax [3], 0 MAC
        if let Some(y) = self.int16.get_mut(1378..1381) {
            fixed::softmax(y);
        }
        done(10);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, label: usize) -> Result<f32, TrainError> {
        Target::Class(label).class(3)?;
        self.forward(|_| {});
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<i16, 3>(&mut self.int16, 1378);
        let loss = fixed::sparse_categorical_cross_entropy(outputs, label)?;
        // dense_1: through the layer
        if let Ok([delta, delta_x]) = self.int16.get_disjoint_mut([1378..1381, 1371..1378]) {
            Dense::<Fixed16>::new(7, &DENSE_1_WEIGHTS, &self.parameters.dense_1_bias, Clamp::<i16>::LINEAR).backward_input(delta, delta_x);
        }
        if let Some(delta) = self.int16.get_mut(1371..1378) {
            self.saturation.see_deltas(delta);
        }
        // dense: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([1364..1371, 1371..1378]) {
            Dense::<Fixed16>::new(12, &DENSE_WEIGHTS, &self.parameters.dense_bias, Clamp::<i16>::RELU).backward_activation(y, delta);
        }
        // dense: through the layer
        if let Ok([delta, delta_x]) = self.int16.get_disjoint_mut([1371..1378, 548..560]) {
            Dense::<Fixed16>::new(12, &DENSE_WEIGHTS, &self.parameters.dense_bias, Clamp::<i16>::RELU).backward_input(delta, delta_x);
        }
        if let Some(delta) = self.int16.get_mut(548..560) {
            self.saturation.see_deltas(delta);
        }
        // avg_pool2d: through the layer
        if let Ok([delta, delta_x]) = self.int16.get_disjoint_mut([548..560, 1280..1316]) {
            AVG_POOL2D.backward_input(delta, delta_x);
        }
        if let Some(delta) = self.int16.get_mut(1280..1316) {
            self.saturation.see_deltas(delta);
        }
        // leaky_relu: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([512..548, 1280..1316]) {
            fixed::leaky_relu_backward(8192, y, delta);
        }
        // conv2d_2: through the layer
        if let Ok([delta, patch, delta_x]) = self.int16.get_disjoint_mut([1280..1316, 512..536, 1088..1152]) {
            Conv2d::<Fixed16>::new(CONV2D_2_WINDOW, &CONV2D_2_WEIGHTS, &self.parameters.conv2d_2_bias, Clamp::<i16>::LINEAR, 0).backward_input(delta, patch, delta_x);
        }
        if let Some(delta) = self.int16.get_mut(1088..1152) {
            self.saturation.see_deltas(delta);
        }
        // max_pool2d: through the layer
        if let Ok([delta, x, y, delta_x]) = self.int16.get_disjoint_mut([1088..1152, 768..1024, 1024..1088, 512..768]) {
            MAX_POOL2D.backward_input(x, y, delta, delta_x);
        }
        if let Some(delta) = self.int16.get_mut(512..768) {
            self.saturation.see_deltas(delta);
        }
        if let Ok([from, into]) = self.int16.get_disjoint_mut([512..768, 768..1024]) {
            layers::copy(from, into);
        }
        // conv2d_1: through the layer
        if let Ok([delta, patch, delta_x]) = self.int16.get_disjoint_mut([512..768, 1316..1320, 1024..1280]) {
            Conv2d::<Fixed16>::new(CONV2D_1_WINDOW, &CONV2D_1_WEIGHTS, &self.parameters.conv2d_1_bias, Clamp::<i16>::LINEAR, 0).backward_input(delta, patch, delta_x);
        }
        if let Some(delta) = self.int16.get_mut(1024..1280) {
            self.saturation.see_deltas(delta);
        }
        // depthwise_conv2d: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([256..512, 1024..1280]) {
            DepthwiseConv2d::<Fixed16>::new(DEPTHWISE_CONV2D_WINDOW, &DEPTHWISE_CONV2D_WEIGHTS, &self.parameters.depthwise_conv2d_bias, Clamp::<i16>::RELU6, 0).backward_activation(y, delta);
        }
        // depthwise_conv2d: through the layer
        if let Ok([delta, patch, delta_x]) = self.int16.get_disjoint_mut([1024..1280, 1316..1352, 256..512]) {
            DepthwiseConv2d::<Fixed16>::new(DEPTHWISE_CONV2D_WINDOW, &DEPTHWISE_CONV2D_WEIGHTS, &self.parameters.depthwise_conv2d_bias, Clamp::<i16>::RELU6, 0).backward_input(delta, patch, delta_x);
        }
        if let Some(delta) = self.int16.get_mut(256..512) {
            self.saturation.see_deltas(delta);
        }
        if let Ok([from, into]) = self.int16.get_disjoint_mut([256..512, 768..1024]) {
            fixed::accumulate(from, into);
        }
        if let Some(delta) = self.int16.get_mut(768..1024) {
            self.saturation.see_deltas(delta);
        }
        // conv2d: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([0..256, 768..1024]) {
            Conv2d::<Fixed16>::new(CONV2D_WINDOW, &CONV2D_WEIGHTS, &self.parameters.conv2d_bias, Clamp::<i16>::RELU, 0).backward_activation(y, delta);
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
        let mut reach = fixed::Reach::new();
        // conv2d: gradients
        if let Some(delta) = self.int16.get_mut(768..1024) {
            if let Some(gradient_b) = self.int32.get_mut(6..10) {
                gradient_b.fill(0);
                layers::accumulate_biases::<Fixed16>(delta, gradient_b);
            }
        }
        if let Some(values) = self.int32.get_mut(6..10) {
            reach.gradient(values);
        }
        // depthwise_conv2d: gradients
        if let Some(delta) = self.int16.get_mut(1024..1280) {
            if let Some(gradient_b) = self.int32.get_mut(10..14) {
                gradient_b.fill(0);
                layers::accumulate_biases::<Fixed16>(delta, gradient_b);
            }
        }
        if let Some(values) = self.int32.get_mut(10..14) {
            reach.gradient(values);
        }
        // conv2d_1: gradients
        if let Some(delta) = self.int16.get_mut(512..768) {
            if let Some(gradient_b) = self.int32.get_mut(14..18) {
                gradient_b.fill(0);
                layers::accumulate_biases::<Fixed16>(delta, gradient_b);
            }
        }
        if let Some(values) = self.int32.get_mut(14..18) {
            reach.gradient(values);
        }
        // conv2d_2: gradients
        if let Some(delta) = self.int16.get_mut(1280..1316) {
            if let Some(gradient_b) = self.int32.get_mut(0..6) {
                gradient_b.fill(0);
                layers::accumulate_biases::<Fixed16>(delta, gradient_b);
            }
        }
        if let Some(values) = self.int32.get_mut(0..6) {
            reach.gradient(values);
        }
        if let Some(delta) = self.int16.get_mut(1371..1378) {
            reach.biases(delta);
        }
        if let Some(delta) = self.int16.get_mut(1378..1381) {
            reach.biases(delta);
        }
        let saturated = self.saturation.since(&before);
        let optimizer = &self.guard.decide(reach, saturated, optimizer, || Self::extent(&self.parameters))?;
        // conv2d: update
        if let Some(gradient_b) = self.int32.get_mut(6..10) {
            self.saturation.add_weights(fixed::Rule::update_accumulated_biases(optimizer, &mut self.parameters.conv2d_bias, gradient_b));
        }
        // depthwise_conv2d: update
        if let Some(gradient_b) = self.int32.get_mut(10..14) {
            self.saturation.add_weights(fixed::Rule::update_accumulated_biases(optimizer, &mut self.parameters.depthwise_conv2d_bias, gradient_b));
        }
        // conv2d_1: update
        if let Some(gradient_b) = self.int32.get_mut(14..18) {
            self.saturation.add_weights(fixed::Rule::update_accumulated_biases(optimizer, &mut self.parameters.conv2d_1_bias, gradient_b));
        }
        // conv2d_2: update
        if let Some(gradient_b) = self.int32.get_mut(0..6) {
            self.saturation.add_weights(fixed::Rule::update_accumulated_biases(optimizer, &mut self.parameters.conv2d_2_bias, gradient_b));
        }
        // dense: update
        if let Some(delta) = self.int16.get_mut(1371..1378) {
            self.saturation.add_weights(fixed::Rule::update_biases(optimizer, &mut self.parameters.dense_bias, delta));
        }
        // dense_1: update
        if let Some(delta) = self.int16.get_mut(1378..1381) {
            self.saturation.add_weights(fixed::Rule::update_biases(optimizer, &mut self.parameters.dense_1_bias, delta));
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
        let outputs = arena::array_mut::<i16, 3>(&mut self.int16, 1378);
        let hit = Some(milligrad::argmax(outputs) == label);
        let loss = fixed::sparse_categorical_cross_entropy(outputs, label)?;
        Ok(Evaluation { loss, hit })
    }

    /// The largest magnitude of a parameter, in Q.12.
    fn extent(parameters: &Parameters) -> u32 {
        let mut largest = 0;
        largest = largest.max(fixed::largest_bias(&parameters.conv2d_bias));
        largest = largest.max(fixed::largest_bias(&parameters.depthwise_conv2d_bias));
        largest = largest.max(fixed::largest_bias(&parameters.conv2d_1_bias));
        largest = largest.max(fixed::largest_bias(&parameters.conv2d_2_bias));
        largest = largest.max(fixed::largest_bias(&parameters.dense_bias));
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
            0 => ElementsMut::I16(self.input()),
            _ => ElementsMut::I16(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::I16(arena::array::<_, 3>(&self.int16, 1378)),
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
    /// `conv2d/bias`
    pub conv2d_bias: [i32; 4],
    /// `depthwise_conv2d/bias`
    pub depthwise_conv2d_bias: [i32; 4],
    /// `conv2d_1/bias`
    pub conv2d_1_bias: [i32; 4],
    /// `conv2d_2/bias`
    pub conv2d_2_bias: [i32; 6],
    /// `dense/bias`
    pub dense_bias: [i32; 7],
    /// `dense_1/bias`
    pub dense_1_bias: [i32; 3],
}

const CONV2D_BIAS: [i32; 4] = [
    0, 0, 0, 0,
];
const DEPTHWISE_CONV2D_BIAS: [i32; 4] = [
    0, 0, 0, 0,
];
const CONV2D_1_BIAS: [i32; 4] = [
    0, 0, 0, 0,
];
const CONV2D_2_BIAS: [i32; 6] = [
    0, 0, 0, 0, 0, 0,
];
const DENSE_BIAS: [i32; 7] = [
    0, 0, 0, 0, 0, 0, 0,
];
const DENSE_1_BIAS: [i32; 3] = [
    0, 0, 0,
];

impl Parameters {
    /// As they were exported.
    pub const fn new() -> Self {
        Self { conv2d_bias: CONV2D_BIAS, depthwise_conv2d_bias: DEPTHWISE_CONV2D_BIAS, conv2d_1_bias: CONV2D_1_BIAS, conv2d_2_bias: CONV2D_2_BIAS, dense_bias: DENSE_BIAS, dense_1_bias: DENSE_1_BIAS, }
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
        let parameters = Parameters { conv2d_bias: [0; 4], depthwise_conv2d_bias: [0; 4], conv2d_1_bias: [0; 4], conv2d_2_bias: [0; 6], dense_bias: [0; 7], dense_1_bias: [0; 3], };
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
        fixed::visit_biases("conv2d/bias", &self.parameters.conv2d_bias, &mut visit);
        fixed::visit_biases("depthwise_conv2d/bias", &self.parameters.depthwise_conv2d_bias, &mut visit);
        fixed::visit_biases("conv2d_1/bias", &self.parameters.conv2d_1_bias, &mut visit);
        fixed::visit_biases("conv2d_2/bias", &self.parameters.conv2d_2_bias, &mut visit);
        fixed::visit_biases("dense/bias", &self.parameters.dense_bias, &mut visit);
        fixed::visit_biases("dense_1/bias", &self.parameters.dense_1_bias, &mut visit);
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`, in fixed point.
pub fn prepare_input(raw: &[f32; 128], input: &mut [i16; 128]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = fixed::activation(x);
    }
}

/// Outputs as real numbers.
pub fn dequantize_output(output: &[i16; 3]) -> [f32; 3] {
    output.map(|q| fixed::from_probability(q))
}
