// milligrad model: name=image learns=yes optimizer=StochasticSgd core=portable
// 12 layers, 8905 multiply-accumulate operations, 6240 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Evaluation, Fixed16, Learner, Model, Optimizer, Padding, Port, StochasticSgd, Target, TargetKind, TrainError, Window2d, arena, fixed, guard, loss, layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, dense}};

/// Name of the model.
pub const NAME: &str = "image";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 12] = ["input_block", "conv2d", "depthwise_conv2d", "conv2d_1", "add", "max_pool2d", "conv2d_2", "leaky_relu", "avg_pool2d", "dense", "dense_1", "softmax"];

const CONV2D_WINDOW: Window2d = Window2d::new([8, 8, 2], [3, 3], [1, 1], [1, 1], Padding::Same);
/// A unit of a weight, and of a bias, as powers of two.
const CONV2D_EXPONENTS: fixed::dynamic::Exponents = fixed::dynamic::Exponents::new(-13, -21);

const DEPTHWISE_CONV2D_WINDOW: Window2d = Window2d::new([8, 8, 4], [3, 3], [1, 1], [1, 1], Padding::Same);
/// A unit of a weight, and of a bias, as powers of two.
const DEPTHWISE_CONV2D_EXPONENTS: fixed::dynamic::Exponents = fixed::dynamic::Exponents::new(-13, -21);

const CONV2D_1_WINDOW: Window2d = Window2d::new([8, 8, 4], [1, 1], [1, 1], [1, 1], Padding::Same);
/// A unit of a weight, and of a bias, as powers of two.
const CONV2D_1_EXPONENTS: fixed::dynamic::Exponents = fixed::dynamic::Exponents::new(-12, -20);

static MAX_POOL2D: MaxPool2d<Fixed16> = MaxPool2d::new(Window2d::new([8, 8, 4], [2, 2], [2, 2], [1, 1], Padding::Same), Clamp::<i16>::LINEAR);

const CONV2D_2_WINDOW: Window2d = Window2d::new([4, 4, 4], [2, 3], [1, 1], [1, 1], Padding::Valid);
/// A unit of a weight, and of a bias, as powers of two.
const CONV2D_2_EXPONENTS: fixed::dynamic::Exponents = fixed::dynamic::Exponents::new(-13, -21);

static AVG_POOL2D: AvgPool2d<Fixed16> = AvgPool2d::new(Window2d::new([3, 2, 6], [3, 1], [3, 1], [1, 1], Padding::Same), Clamp::<i16>::LINEAR);

/// A unit of a weight, and of a bias, as powers of two.
const DENSE_EXPONENTS: fixed::dynamic::Exponents = fixed::dynamic::Exponents::new(-12, -20);

/// A unit of a weight, and of a bias, as powers of two.
const DENSE_1_EXPONENTS: fixed::dynamic::Exponents = fixed::dynamic::Exponents::new(-12, -20);

/// All the RAM of the model, 6240 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    float: [f32; 128],
    int32: [i32; 292],
    int16: [i16; 1797],
    exponents: [i16; 26],
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
        Self { float: [0.0; 128], int32: [0; 292], int16: [0; 1797], exponents: [0; 26], parameters: Parameters::new(), state: State::new(), saturation: fixed::Saturation::NONE, guard: fixed::Guard::new().knowing(3502), }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [f32; 128] {
        arena::array_mut(&mut self.float, 0)
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
        arena::array(&self.int16, 1794)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // input_block: Quantize [8, 8, 2], 0 MAC
        if let Some(x) = self.float.get_mut(0..128) {
            if let Some(y) = self.int16.get_mut(1536..1664) {
                self.exponents[0] = fixed::dynamic::from_reals(x, y);
            }
        }
        done(0);
        // conv2d: Conv2d [8, 8, 4], 4608 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([1536..1664, 256..274, 0..256]) {
            if let Some(sums) = self.int32.get_mut(0..256) {
                self.exponents[1] = fixed::dynamic::Conv2d::new(CONV2D_WINDOW, &self.parameters.conv2d_weights, &self.parameters.conv2d_bias, CONV2D_EXPONENTS, Clamp::<i16>::RELU).forward(fixed::dynamic::Block::new(x, self.exponents[0]), patch, sums, y);
            }
        }
        done(1);
        // depthwise_conv2d: DepthwiseConv2d [8, 8, 4], 2304 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([0..256, 512..548, 256..512]) {
            if let Some(sums) = self.int32.get_mut(0..256) {
                self.exponents[2] = fixed::dynamic::DepthwiseConv2d::new(DEPTHWISE_CONV2D_WINDOW, &self.parameters.depthwise_conv2d_weights, &self.parameters.depthwise_conv2d_bias, DEPTHWISE_CONV2D_EXPONENTS, Clamp::<i16>::RELU6).forward(fixed::dynamic::Block::new(x, self.exponents[1]), patch, sums, y);
            }
        }
        done(2);
        // conv2d_1: Conv2d [8, 8, 4], 1024 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([256..512, 768..772, 512..768]) {
            if let Some(sums) = self.int32.get_mut(0..256) {
                self.exponents[3] = fixed::dynamic::Conv2d::new(CONV2D_1_WINDOW, &self.parameters.conv2d_1_weights, &self.parameters.conv2d_1_bias, CONV2D_1_EXPONENTS, Clamp::<i16>::LINEAR).forward(fixed::dynamic::Block::new(x, self.exponents[2]), patch, sums, y);
            }
        }
        done(3);
        // add: Add [8, 8, 4], 0 MAC
        if let Ok([a, b, y]) = self.int16.get_disjoint_mut([512..768, 0..256, 768..1024]) {
            self.exponents[4] = fixed::dynamic::add(fixed::dynamic::Block::new(a, self.exponents[3]), fixed::dynamic::Block::new(b, self.exponents[1]), &Clamp::<i16>::RELU, y);
        }
        done(4);
        // max_pool2d: MaxPool2d [4, 4, 4], 0 MAC
        if let Ok([x, y]) = self.int16.get_disjoint_mut([768..1024, 1664..1728]) {
            MAX_POOL2D.forward(x, y);
            self.exponents[5] = self.exponents[4];
        }
        done(5);
        // conv2d_2: Conv2d [3, 2, 6], 864 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([1664..1728, 548..572, 512..548]) {
            if let Some(sums) = self.int32.get_mut(0..36) {
                self.exponents[6] = fixed::dynamic::Conv2d::new(CONV2D_2_WINDOW, &self.parameters.conv2d_2_weights, &self.parameters.conv2d_2_bias, CONV2D_2_EXPONENTS, Clamp::<i16>::LINEAR).forward(fixed::dynamic::Block::new(x, self.exponents[5]), patch, sums, y);
            }
        }
        done(6);
        // leaky_relu: LeakyReLU [3, 2, 6], 0 MAC
        if let Some(y) = self.int16.get_mut(512..548) {
            fixed::leaky_relu(8192, y);
        }
        done(7);
        // avg_pool2d: AvgPool2d [1, 2, 6], 0 MAC
        if let Ok([x, y]) = self.int16.get_disjoint_mut([512..548, 1764..1776]) {
            AVG_POOL2D.forward(x, y);
            self.exponents[7] = self.exponents[6];
        }
        done(8);
        // dense: Dense [7], 84 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([1764..1776, 548..560, 1776..1783]) {
            if let Some(sums) = self.int32.get_mut(0..7) {
                self.exponents[8] = fixed::dynamic::Dense::new(12, &self.parameters.dense_weights, &self.parameters.dense_bias, DENSE_EXPONENTS, Clamp::<i16>::RELU).forward(fixed::dynamic::Block::new(x, self.exponents[7]), patch, sums, y);
            }
        }
        done(9);
        // dense_1: Dense [3], 21 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([1776..1783, 548..555, 1794..1797]) {
            if let Some(sums) = self.int32.get_mut(0..3) {
                self.exponents[9] = fixed::dynamic::Dense::new(7, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, DENSE_1_EXPONENTS, Clamp::<i16>::LINEAR).forward(fixed::dynamic::Block::new(x, self.exponents[8]), patch, sums, y);
            }
        }
        done(10);
        // softmax: Softmax [3], 0 MAC
        if let Some(y) = self.int16.get_mut(1794..1797) {
            self.exponents[9] = fixed::dynamic::softmax(y, self.exponents[9]);
        }
        done(11);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, label: usize) -> Result<f32, TrainError> {
        Target::Class(label).class(3)?;
        if !self.float.get(0..128).is_some_and(fixed::dynamic::all_finite) {
            return Err(TrainError::NotFinite);
        }
        self.forward(|_| {});
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<i16, 3>(&mut self.int16, 1794);
        let loss = fixed::sparse_categorical_cross_entropy(outputs, label)?;
        self.exponents[9] = fixed::dynamic::PROBABILITY;
        // dense_1: through the layer
        if let Ok([delta, patch, delta_x]) = self.int16.get_disjoint_mut([1794..1797, 548..551, 1783..1790]) {
            if let Some(sums) = self.int32.get_mut(0..7) {
                self.exponents[10] = fixed::dynamic::Dense::new(7, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, DENSE_1_EXPONENTS, Clamp::<i16>::LINEAR).backward_input(fixed::dynamic::Block::new(delta, self.exponents[9]), patch, sums, delta_x);
            }
        }
        // dense: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([1776..1783, 1783..1790]) {
            fixed::clamp_backward(&fixed::dynamic::at(&Clamp::<i16>::RELU, self.exponents[8]), y, delta);
        }
        // dense: through the layer
        if let Ok([delta, patch, delta_x]) = self.int16.get_disjoint_mut([1783..1790, 560..567, 548..560]) {
            if let Some(sums) = self.int32.get_mut(0..12) {
                self.exponents[11] = fixed::dynamic::Dense::new(12, &self.parameters.dense_weights, &self.parameters.dense_bias, DENSE_EXPONENTS, Clamp::<i16>::RELU).backward_input(fixed::dynamic::Block::new(delta, self.exponents[10]), patch, sums, delta_x);
            }
        }
        // avg_pool2d: through the layer
        if let Ok([delta, delta_x]) = self.int16.get_disjoint_mut([548..560, 1728..1764]) {
            AVG_POOL2D.backward_input(delta, delta_x);
            self.exponents[12] = self.exponents[11];
        }
        // leaky_relu: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([512..548, 1728..1764]) {
            fixed::leaky_relu_backward(8192, y, delta);
        }
        // conv2d_2: through the layer
        if let Ok([delta, patch, delta_x]) = self.int16.get_disjoint_mut([1728..1764, 512..518, 1024..1088]) {
            if let Some(sums) = self.int32.get_mut(0..88) {
                self.exponents[13] = fixed::dynamic::Conv2d::new(CONV2D_2_WINDOW, &self.parameters.conv2d_2_weights, &self.parameters.conv2d_2_bias, CONV2D_2_EXPONENTS, Clamp::<i16>::LINEAR).backward_input(fixed::dynamic::Block::new(delta, self.exponents[12]), patch, sums, delta_x);
            }
        }
        // max_pool2d: through the layer
        if let Ok([delta, x, y, delta_x]) = self.int16.get_disjoint_mut([1024..1088, 768..1024, 1664..1728, 512..768]) {
            MAX_POOL2D.backward_input(x, y, delta, delta_x);
            self.exponents[14] = self.exponents[13];
        }
        // add: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([768..1024, 512..768]) {
            fixed::clamp_backward(&fixed::dynamic::at(&Clamp::<i16>::RELU, self.exponents[4]), y, delta);
        }
        if let Ok([from, into]) = self.int16.get_disjoint_mut([512..768, 768..1024]) {
            layers::copy(from, into);
            self.exponents[15] = self.exponents[14];
        }
        // conv2d_1: through the layer
        if let Ok([delta, patch, delta_x]) = self.int16.get_disjoint_mut([512..768, 1280..1284, 1024..1280]) {
            if let Some(sums) = self.int32.get_mut(0..260) {
                self.exponents[16] = fixed::dynamic::Conv2d::new(CONV2D_1_WINDOW, &self.parameters.conv2d_1_weights, &self.parameters.conv2d_1_bias, CONV2D_1_EXPONENTS, Clamp::<i16>::LINEAR).backward_input(fixed::dynamic::Block::new(delta, self.exponents[14]), patch, sums, delta_x);
            }
        }
        // depthwise_conv2d: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([256..512, 1024..1280]) {
            fixed::clamp_backward(&fixed::dynamic::at(&Clamp::<i16>::RELU6, self.exponents[2]), y, delta);
        }
        // depthwise_conv2d: through the layer
        if let Ok([delta, patch, delta_x]) = self.int16.get_disjoint_mut([1024..1280, 1790..1794, 1280..1536]) {
            if let Some(sums) = self.int32.get_mut(0..292) {
                self.exponents[17] = fixed::dynamic::DepthwiseConv2d::new(DEPTHWISE_CONV2D_WINDOW, &self.parameters.depthwise_conv2d_weights, &self.parameters.depthwise_conv2d_bias, DEPTHWISE_CONV2D_EXPONENTS, Clamp::<i16>::RELU6).backward_input(fixed::dynamic::Block::new(delta, self.exponents[16]), patch, sums, delta_x);
            }
        }
        if let Ok([from, into]) = self.int16.get_disjoint_mut([1280..1536, 768..1024]) {
            self.exponents[15] = fixed::dynamic::accumulate(fixed::dynamic::Block::new(from, self.exponents[17]), into, self.exponents[15]);
        }
        // conv2d: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([0..256, 768..1024]) {
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
    pub fn train_step(&mut self, label: usize, optimizer: &StochasticSgd) -> Result<f32, TrainError> {
        let before = self.saturation;
        let loss = self.deltas(label).map_err(|reason| self.guard.refuse(reason))?;
        let mut reach = fixed::dynamic::Reach::new();
        // conv2d: gradients
        if let Ok([x, delta, patch]) = self.int16.get_disjoint_mut([1536..1664, 768..1024, 1280..1298]) {
            if let Ok([gradient_w, gradient_b]) = self.int32.get_disjoint_mut([144..216, 274..278]) {
                [self.exponents[18], self.exponents[19]] = fixed::dynamic::Conv2d::new(CONV2D_WINDOW, &self.parameters.conv2d_weights, &self.parameters.conv2d_bias, CONV2D_EXPONENTS, Clamp::<i16>::RELU).gradients(fixed::dynamic::Block::new(x, self.exponents[0]), fixed::dynamic::Block::new(delta, self.exponents[15]), patch, gradient_w, gradient_b);
            }
        }
        if let Some(values) = self.int32.get_mut(144..216) {
            reach.weight_gradient(values, self.exponents[18], CONV2D_EXPONENTS);
        }
        if let Some(values) = self.int32.get_mut(274..278) {
            reach.bias_gradient(values, self.exponents[19], CONV2D_EXPONENTS);
        }
        // depthwise_conv2d: gradients
        if let Ok([x, delta, patch]) = self.int16.get_disjoint_mut([0..256, 1024..1280, 768..804]) {
            if let Ok([gradient_w, gradient_b]) = self.int32.get_disjoint_mut([216..252, 278..282]) {
                [self.exponents[20], self.exponents[21]] = fixed::dynamic::DepthwiseConv2d::new(DEPTHWISE_CONV2D_WINDOW, &self.parameters.depthwise_conv2d_weights, &self.parameters.depthwise_conv2d_bias, DEPTHWISE_CONV2D_EXPONENTS, Clamp::<i16>::RELU6).gradients(fixed::dynamic::Block::new(x, self.exponents[1]), fixed::dynamic::Block::new(delta, self.exponents[16]), patch, gradient_w, gradient_b);
            }
        }
        if let Some(values) = self.int32.get_mut(216..252) {
            reach.weight_gradient(values, self.exponents[20], DEPTHWISE_CONV2D_EXPONENTS);
        }
        if let Some(values) = self.int32.get_mut(278..282) {
            reach.bias_gradient(values, self.exponents[21], DEPTHWISE_CONV2D_EXPONENTS);
        }
        // conv2d_1: gradients
        if let Ok([x, delta, patch]) = self.int16.get_disjoint_mut([256..512, 512..768, 0..4]) {
            if let Ok([gradient_w, gradient_b]) = self.int32.get_disjoint_mut([252..268, 282..286]) {
                [self.exponents[22], self.exponents[23]] = fixed::dynamic::Conv2d::new(CONV2D_1_WINDOW, &self.parameters.conv2d_1_weights, &self.parameters.conv2d_1_bias, CONV2D_1_EXPONENTS, Clamp::<i16>::LINEAR).gradients(fixed::dynamic::Block::new(x, self.exponents[2]), fixed::dynamic::Block::new(delta, self.exponents[14]), patch, gradient_w, gradient_b);
            }
        }
        if let Some(values) = self.int32.get_mut(252..268) {
            reach.weight_gradient(values, self.exponents[22], CONV2D_1_EXPONENTS);
        }
        if let Some(values) = self.int32.get_mut(282..286) {
            reach.bias_gradient(values, self.exponents[23], CONV2D_1_EXPONENTS);
        }
        // conv2d_2: gradients
        if let Ok([x, delta, patch]) = self.int16.get_disjoint_mut([1664..1728, 1728..1764, 0..24]) {
            if let Ok([gradient_w, gradient_b]) = self.int32.get_disjoint_mut([0..144, 268..274]) {
                [self.exponents[24], self.exponents[25]] = fixed::dynamic::Conv2d::new(CONV2D_2_WINDOW, &self.parameters.conv2d_2_weights, &self.parameters.conv2d_2_bias, CONV2D_2_EXPONENTS, Clamp::<i16>::LINEAR).gradients(fixed::dynamic::Block::new(x, self.exponents[5]), fixed::dynamic::Block::new(delta, self.exponents[12]), patch, gradient_w, gradient_b);
            }
        }
        if let Some(values) = self.int32.get_mut(0..144) {
            reach.weight_gradient(values, self.exponents[24], CONV2D_2_EXPONENTS);
        }
        if let Some(values) = self.int32.get_mut(268..274) {
            reach.bias_gradient(values, self.exponents[25], CONV2D_2_EXPONENTS);
        }
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([1764..1776, 1783..1790]) {
            reach.dense(fixed::dynamic::Block::new(x, self.exponents[7]), fixed::dynamic::Block::new(delta, self.exponents[10]), DENSE_EXPONENTS);
        }
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([1776..1783, 1794..1797]) {
            reach.dense(fixed::dynamic::Block::new(x, self.exponents[8]), fixed::dynamic::Block::new(delta, self.exponents[9]), DENSE_1_EXPONENTS);
        }
        let saturated = self.saturation.since(&before);
        let optimizer = &self.guard.decide(reach, saturated, optimizer, || Self::extent(&self.parameters))?;
        // conv2d: update
        if let Ok([gradient_w, gradient_b]) = self.int32.get_disjoint_mut([144..216, 274..278]) {
            let Parameters { conv2d_weights, conv2d_bias, .. } = &mut self.parameters;
            let units = [self.exponents[18], self.exponents[19]];
            let count = fixed::dynamic::update_by((gradient_w, gradient_b), units, conv2d_weights, conv2d_bias, CONV2D_EXPONENTS, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
        }
        // depthwise_conv2d: update
        if let Ok([gradient_w, gradient_b]) = self.int32.get_disjoint_mut([216..252, 278..282]) {
            let Parameters { depthwise_conv2d_weights, depthwise_conv2d_bias, .. } = &mut self.parameters;
            let units = [self.exponents[20], self.exponents[21]];
            let count = fixed::dynamic::update_by((gradient_w, gradient_b), units, depthwise_conv2d_weights, depthwise_conv2d_bias, DEPTHWISE_CONV2D_EXPONENTS, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
        }
        // conv2d_1: update
        if let Ok([gradient_w, gradient_b]) = self.int32.get_disjoint_mut([252..268, 282..286]) {
            let Parameters { conv2d_1_weights, conv2d_1_bias, .. } = &mut self.parameters;
            let units = [self.exponents[22], self.exponents[23]];
            let count = fixed::dynamic::update_by((gradient_w, gradient_b), units, conv2d_1_weights, conv2d_1_bias, CONV2D_1_EXPONENTS, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
        }
        // conv2d_2: update
        if let Ok([gradient_w, gradient_b]) = self.int32.get_disjoint_mut([0..144, 268..274]) {
            let Parameters { conv2d_2_weights, conv2d_2_bias, .. } = &mut self.parameters;
            let units = [self.exponents[24], self.exponents[25]];
            let count = fixed::dynamic::update_by((gradient_w, gradient_b), units, conv2d_2_weights, conv2d_2_bias, CONV2D_2_EXPONENTS, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
        }
        // dense: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([1764..1776, 1783..1790]) {
            let Parameters { dense_weights, dense_bias, .. } = &mut self.parameters;
            let count = fixed::dynamic::apply(fixed::dynamic::Block::new(x, self.exponents[7]), fixed::dynamic::Block::new(delta, self.exponents[10]), dense_weights, dense_bias, DENSE_EXPONENTS, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([1776..1783, 1794..1797]) {
            let Parameters { dense_1_weights, dense_1_bias, .. } = &mut self.parameters;
            let count = fixed::dynamic::apply(fixed::dynamic::Block::new(x, self.exponents[8]), fixed::dynamic::Block::new(delta, self.exponents[9]), dense_1_weights, dense_1_bias, DENSE_1_EXPONENTS, optimizer, &mut self.state.memory);
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
        let outputs = arena::array_mut::<i16, 3>(&mut self.int16, 1794);
        let hit = Some(milligrad::argmax(outputs) == label);
        let loss = fixed::sparse_categorical_cross_entropy(outputs, label)?;
        Ok(Evaluation { loss, hit })
    }

    /// The largest magnitude of a parameter, in Q.12.
    fn extent(parameters: &Parameters) -> u32 {
        let mut largest = 0;
        largest = largest.max(fixed::largest_weight(&parameters.conv2d_weights));
        largest = largest.max(fixed::largest_bias(&parameters.conv2d_bias));
        largest = largest.max(fixed::largest_weight(&parameters.depthwise_conv2d_weights));
        largest = largest.max(fixed::largest_bias(&parameters.depthwise_conv2d_bias));
        largest = largest.max(fixed::largest_weight(&parameters.conv2d_1_weights));
        largest = largest.max(fixed::largest_bias(&parameters.conv2d_1_bias));
        largest = largest.max(fixed::largest_weight(&parameters.conv2d_2_weights));
        largest = largest.max(fixed::largest_bias(&parameters.conv2d_2_bias));
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
            0 => ElementsMut::F32(self.input()),
            _ => ElementsMut::F32(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::I16(arena::array::<_, 3>(&self.int16, 1794)),
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
    /// `conv2d/weights`
    pub conv2d_weights: [i16; 72],
    /// `conv2d/bias`
    pub conv2d_bias: [i32; 4],
    /// `depthwise_conv2d/weights`
    pub depthwise_conv2d_weights: [i16; 36],
    /// `depthwise_conv2d/bias`
    pub depthwise_conv2d_bias: [i32; 4],
    /// `conv2d_1/weights`
    pub conv2d_1_weights: [i16; 16],
    /// `conv2d_1/bias`
    pub conv2d_1_bias: [i32; 4],
    /// `conv2d_2/weights`
    pub conv2d_2_weights: [i16; 144],
    /// `conv2d_2/bias`
    pub conv2d_2_bias: [i32; 6],
    /// `dense/weights`
    pub dense_weights: [i16; 84],
    /// `dense/bias`
    pub dense_bias: [i32; 7],
    /// `dense_1/weights`
    pub dense_1_weights: [i16; 21],
    /// `dense_1/bias`
    pub dense_1_bias: [i32; 3],
}

const CONV2D_WEIGHTS: [i16; 72] = [
    1886, 1549, -183, -506, 2543, 1132, -140, -715, -700, 2293, 2386, 310, -1134, -1247, 1713, -2339, -1949,
    2279, -567, 2551, 1863, 1067, -1472, 422, 1612, -565, 2198, -1890, 347, 750, 1771, -2682, 1775, -2490,
    -2330, 1896, 2373, -29, 2012, 2709, -562, -655, -358, 2597, -301, 688, 2582, 208, 1614, 1400, -130, -1122,
    -722, -1424, -1855, 73, -2104, 2544, 2671, 2578, 736, 471, -2133, -148, -2084, 457, -504, 2653, 689,
    -1896, -2562, -1556,
];
const CONV2D_BIAS: [i32; 4] = [
    0, 0, 0, 0,
];
const DEPTHWISE_CONV2D_WEIGHTS: [i16; 36] = [
    158, 26, 1295, -1722, 876, -1892, 33, 2443, 2204, -2337, -2641, 1955, 2638, -2683, 1040, -98, -470, 2363,
    -2209, 619, -2499, 2649, -2453, -2302, 2539, 1664, -431, -600, -449, 904, -2029, -996, 785, -797, 2875,
    2355,
];
const DEPTHWISE_CONV2D_BIAS: [i32; 4] = [
    0, 0, 0, 0,
];
const CONV2D_1_WEIGHTS: [i16; 16] = [
    2759, -3062, -3296, -2692, -706, -1651, 2202, 2470, 944, -1138, -2601, 2741, -602, 1392, 2009, -3502,
];
const CONV2D_1_BIAS: [i32; 4] = [
    0, 0, 0, 0,
];
const CONV2D_2_WEIGHTS: [i16; 144] = [
    -430, -271, -1294, 2128, 1549, -1475, -40, 882, -2573, -1591, 1206, -2279, 66, 1097, -996, -537, -1056,
    295, 1983, 664, 203, -2512, 220, 2465, -1234, -971, -2009, 1587, -1540, -1621, -1577, 1843, 2005, 1406,
    92, 2586, 2172, 195, 211, 455, -1578, 1289, 841, -1330, -1672, -484, 1342, -1651, 2134, -636, -1408, 26,
    -2343, -2255, 2393, 1875, -2222, -83, -1431, -1450, 703, 2319, -604, -856, 185, -1070, -166, -411, 1805,
    -1509, 1217, 682, -221, 2555, 1383, -1904, -1078, -1319, 1863, -632, -1462, 156, -1890, -1444, -2042,
    -1128, -694, 1651, 2552, -1556, -1558, 1747, 370, -2515, -1279, 2207, -1623, 682, -2359, 1620, 1000,
    -1121, -675, 2180, -1092, -1248, -2510, -1726, 1836, 2080, -54, -1497, 1065, -2384, -870, -1846, 2167,
    -1288, -687, -1571, 42, -2558, 1177, -300, 2487, 500, 1263, -1809, 1380, -1107, 414, 381, -1846, -2149,
    2504, -821, 1313, 549, -2247, 1970, 1868, -395, 459, 1883,
];
const CONV2D_2_BIAS: [i32; 6] = [
    0, 0, 0, 0, 0, 0,
];
const DENSE_WEIGHTS: [i16; 84] = [
    -598, -308, 1182, 133, -196, -849, 1030, 1671, -1969, 1914, 29, 957, 598, -1778, -305, -530, -231, -1150,
    -349, 2230, -1229, -25, 2215, -2100, 394, 745, 2050, 1152, -789, 852, -1921, 1060, -601, 728, -863, 272,
    964, 1960, 1898, 1440, -2200, -1423, -1840, 1521, -1805, -1834, -1716, 344, 1649, 1586, 220, -56, -390,
    -1778, -1700, 1451, -1032, 2077, -1849, 263, 2053, 1196, -1633, -1677, 1274, -147, -1904, 656, 2184,
    -2215, -256, 1414, -592, 1165, -35, 614, 1996, 281, 1845, 1211, -1625, -1325, 1178, -2102,
];
const DENSE_BIAS: [i32; 7] = [
    0, 0, 0, 0, 0, 0, 0,
];
const DENSE_1_WEIGHTS: [i16; 21] = [
    1172, -141, 1209, 542, 706, -2633, 2194, 481, 2500, -456, -1491, -1952, -1409, 655, -2333, 2903, -2706,
    298, 895, -1583, -913,
];
const DENSE_1_BIAS: [i32; 3] = [
    0, 0, 0,
];

impl Parameters {
    /// As they were exported.
    pub const fn new() -> Self {
        Self { conv2d_weights: CONV2D_WEIGHTS, conv2d_bias: CONV2D_BIAS, depthwise_conv2d_weights: DEPTHWISE_CONV2D_WEIGHTS, depthwise_conv2d_bias: DEPTHWISE_CONV2D_BIAS, conv2d_1_weights: CONV2D_1_WEIGHTS, conv2d_1_bias: CONV2D_1_BIAS, conv2d_2_weights: CONV2D_2_WEIGHTS, conv2d_2_bias: CONV2D_2_BIAS, dense_weights: DENSE_WEIGHTS, dense_bias: DENSE_BIAS, dense_1_weights: DENSE_1_WEIGHTS, dense_1_bias: DENSE_1_BIAS, }
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
    memory: <StochasticSgd as fixed::Rule>::Memory,
}

impl State {
    /// As before the first step.
    pub const fn new() -> Self {
        Self { memory: 2027808484 }
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
        let parameters = Parameters { conv2d_weights: [0; 72], conv2d_bias: [0; 4], depthwise_conv2d_weights: [0; 36], depthwise_conv2d_bias: [0; 4], conv2d_1_weights: [0; 16], conv2d_1_bias: [0; 4], conv2d_2_weights: [0; 144], conv2d_2_bias: [0; 6], dense_weights: [0; 84], dense_bias: [0; 7], dense_1_weights: [0; 21], dense_1_bias: [0; 3], };
        Self { parameters, state: State::new(), committed: false }
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self::new()
    }
}

impl Learner for Network {
    type Optimizer = StochasticSgd;
    const TARGET: TargetKind = TargetKind::Class(3);

    fn train_step(&mut self, target: Target<'_>, optimizer: &StochasticSgd) -> Result<f32, TrainError> {
        let target = target.class(3).map_err(|reason| self.guard.refuse(reason))?;
        self.train_step(target, optimizer)
    }

    fn evaluate(&mut self, target: Target<'_>) -> Result<Evaluation, TrainError> {
        let target = target.class(3)?;
        self.evaluate(target)
    }

    fn parameters(&self, mut visit: impl FnMut(&'static str, &[f32])) {
        fixed::dynamic::visit_weights("conv2d/weights", -13, &self.parameters.conv2d_weights, &mut visit);
        fixed::dynamic::visit_biases("conv2d/bias", -21, &self.parameters.conv2d_bias, &mut visit);
        fixed::dynamic::visit_weights("depthwise_conv2d/weights", -13, &self.parameters.depthwise_conv2d_weights, &mut visit);
        fixed::dynamic::visit_biases("depthwise_conv2d/bias", -21, &self.parameters.depthwise_conv2d_bias, &mut visit);
        fixed::dynamic::visit_weights("conv2d_1/weights", -12, &self.parameters.conv2d_1_weights, &mut visit);
        fixed::dynamic::visit_biases("conv2d_1/bias", -20, &self.parameters.conv2d_1_bias, &mut visit);
        fixed::dynamic::visit_weights("conv2d_2/weights", -13, &self.parameters.conv2d_2_weights, &mut visit);
        fixed::dynamic::visit_biases("conv2d_2/bias", -21, &self.parameters.conv2d_2_bias, &mut visit);
        fixed::dynamic::visit_weights("dense/weights", -12, &self.parameters.dense_weights, &mut visit);
        fixed::dynamic::visit_biases("dense/bias", -20, &self.parameters.dense_bias, &mut visit);
        fixed::dynamic::visit_weights("dense_1/weights", -12, &self.parameters.dense_1_weights, &mut visit);
        fixed::dynamic::visit_biases("dense_1/bias", -20, &self.parameters.dense_1_bias, &mut visit);
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`.
pub fn prepare_input(raw: &[f32; 128], input: &mut [f32; 128]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = x;
    }
}

/// Outputs as real numbers.
pub fn dequantize_output(output: &[i16; 3]) -> [f32; 3] {
    output.map(|q| fixed::from_probability(q))
}
