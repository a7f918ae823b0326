// milligrad model: name=squashed learns=batches optimizer=PowerOfTwoSgd core=portable
// 6 layers, 62 multiply-accumulate operations, 580 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{BatchLearner, Clamp, Elements, ElementsMut, Evaluation, Fixed16, Learner, Model, Optimizer, Port, PowerOfTwoSgd, Target, TargetKind, TrainError, arena, fixed, guard, loss, layers::{self, Dense, dense}};

/// Name of the model.
pub const NAME: &str = "squashed";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 6] = ["dense", "sigmoid", "dense_1", "tanh", "dense_2", "sigmoid_1"];

/// All the RAM of the model, 580 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    int32: [i32; 74],
    int16: [i16; 27],
    /// What has been learned.
    pub parameters: Parameters,
    state: State,
    /// Counts numbers that came to the end of their range.
    pub saturation: fixed::Saturation,
    /// Decides on every step. After a change of `parameters` by hand, call its `forget`.
    pub guard: fixed::Guard,
    /// Samples of the batch so far.
    samples: u32,
    /// Activations and deltas of the batch that saturated.
    saturated: u32,
}

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { int32: [0; 74], int16: [0; 27], parameters: Parameters::new(), state: State::new(), saturation: fixed::Saturation::NONE, guard: fixed::Guard::new().knowing(3766), samples: 0, saturated: 0, }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [i16; 6] {
        arena::array_mut(&mut self.int16, 0)
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
        arena::array(&self.int16, 11)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // dense: Dense [5], 30 MAC
        if let Ok([x, y]) = self.int16.get_disjoint_mut([0..6, 6..11]) {
            Dense::<Fixed16>::new(6, &self.parameters.dense_weights, &self.parameters.dense_bias, Clamp::<i16>::LINEAR).forward(x, y);
        }
        if let Some(y) = self.int16.get_mut(6..11) {
            self.saturation.see_activations(y);
        }
        done(0);
        // sigmoid: Sigmoid [5], 0 MAC
        if let Some(y) = self.int16.get_mut(6..11) {
            fixed::sigmoid(y);
        }
        done(1);
        // dense_1: Dense [4], 20 MAC
        if let Ok([x, y]) = self.int16.get_disjoint_mut([6..11, 16..20]) {
            Dense::<Fixed16>::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<i16>::LINEAR).forward(x, y);
        }
        if let Some(y) = self.int16.get_mut(16..20) {
            self.saturation.see_activations(y);
        }
        done(2);
        // tanh: Tanh [4], 0 MAC
        if let Some(y) = self.int16.get_mut(16..20) {
            fixed::tanh(y);
        }
        done(3);
        // dense_2: Dense [3], 12 MAC
        if let Ok([x, y]) = self.int16.get_disjoint_mut([16..20, 11..14]) {
            Dense::<Fixed16>::new(4, &self.parameters.dense_2_weights, &self.parameters.dense_2_bias, Clamp::<i16>::LINEAR).forward(x, y);
        }
        if let Some(y) = self.int16.get_mut(11..14) {
            self.saturation.see_activations(y);
        }
        done(4);
        // sigmoid_1: Sigmoid [3], 0 MAC
        if let Some(y) = self.int16.get_mut(11..14) {
            fixed::sigmoid(y);
        }
        done(5);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, target: &[f32; 3]) -> Result<f32, TrainError> {
        self.forward(|_| {});
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([11..14, 24..27]) {
            layers::copy(y, delta);
        }
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<i16, 3>(&mut self.int16, 24);
        let loss = fixed::mean_squared_error(outputs, target, &mut self.saturation)?;
        // sigmoid_1: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([11..14, 24..27]) {
            fixed::sigmoid_backward(y, delta);
        }
        // dense_2: through the layer
        if let Ok([delta, delta_x]) = self.int16.get_disjoint_mut([24..27, 20..24]) {
            Dense::<Fixed16>::new(4, &self.parameters.dense_2_weights, &self.parameters.dense_2_bias, Clamp::<i16>::LINEAR).backward_input(delta, delta_x);
        }
        if let Some(delta) = self.int16.get_mut(20..24) {
            self.saturation.see_deltas(delta);
        }
        // tanh: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([16..20, 20..24]) {
            fixed::tanh_backward(y, delta);
        }
        // dense_1: through the layer
        if let Ok([delta, delta_x]) = self.int16.get_disjoint_mut([20..24, 11..16]) {
            Dense::<Fixed16>::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<i16>::LINEAR).backward_input(delta, delta_x);
        }
        if let Some(delta) = self.int16.get_mut(11..16) {
            self.saturation.see_deltas(delta);
        }
        // sigmoid: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([6..11, 11..16]) {
            fixed::sigmoid_backward(y, delta);
        }
        Ok(loss)
    }

    /// One step of gradient descent on the [`input`](Self::input) and its target; returns the loss before the update.
    /// The optimizer may be another at each step: a `milligrad::Schedule` tells its learning rate.
    ///
    /// # Errors
    /// What the guard refuses. No parameter has changed then.
    #[inline]
    pub fn train_step(&mut self, target: &[f32; 3], optimizer: &PowerOfTwoSgd) -> Result<f32, TrainError> {
        let before = self.saturation;
        let loss = self.deltas(target).map_err(|reason| self.guard.refuse(reason))?;
        let mut reach = fixed::Reach::new();
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([0..6, 11..16]) {
            reach.dense(x, delta);
        }
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([6..11, 20..24]) {
            reach.dense(x, delta);
        }
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([16..20, 24..27]) {
            reach.dense(x, delta);
        }
        let saturated = self.saturation.since(&before);
        let optimizer = &self.guard.decide(reach, saturated, optimizer, || Self::extent(&self.parameters))?;
        // dense: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([0..6, 11..16]) {
            let Parameters { dense_weights, dense_bias, .. } = &mut self.parameters;
            let count = fixed::apply(x, delta, dense_weights, dense_bias, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([6..11, 20..24]) {
            let Parameters { dense_1_weights, dense_1_bias, .. } = &mut self.parameters;
            let count = fixed::apply(x, delta, dense_1_weights, dense_1_bias, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
        }
        // dense_2: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([16..20, 24..27]) {
            let Parameters { dense_2_weights, dense_2_bias, .. } = &mut self.parameters;
            let count = fixed::apply(x, delta, dense_2_weights, dense_2_bias, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
        }
        Ok(loss)
    }

    /// Adds the gradients of the [`input`](Self::input) and its target to those of the batch; returns the loss.
    ///
    /// # Errors
    /// A target that is none. Nothing is added then.
    pub fn accumulate(&mut self, target: &[f32; 3]) -> Result<f32, TrainError> {
        let before = self.saturation;
        let loss = self.deltas(target).map_err(|reason| self.guard.refuse(reason))?;
        let saturated = if self.samples == 0 { 0 } else { self.saturated };
        self.saturated = saturated.saturating_add(self.saturation.since(&before));
        if self.samples == 0 {
            if let Some(values) = self.int32.get_mut(0..30) {
                values.fill(0);
            }
            if let Some(values) = self.int32.get_mut(62..67) {
                values.fill(0);
            }
            if let Some(values) = self.int32.get_mut(30..50) {
                values.fill(0);
            }
            if let Some(values) = self.int32.get_mut(67..71) {
                values.fill(0);
            }
            if let Some(values) = self.int32.get_mut(50..62) {
                values.fill(0);
            }
            if let Some(values) = self.int32.get_mut(71..74) {
                values.fill(0);
            }
        }
        self.samples += 1;
        // dense: gradients
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([0..6, 11..16]) {
            if let Ok([gradient_w, gradient_b]) = self.int32.get_disjoint_mut([0..30, 62..67]) {
                dense::accumulate::<Fixed16>(x, delta, gradient_w, gradient_b);
            }
        }
        // dense_1: gradients
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([6..11, 20..24]) {
            if let Ok([gradient_w, gradient_b]) = self.int32.get_disjoint_mut([30..50, 67..71]) {
                dense::accumulate::<Fixed16>(x, delta, gradient_w, gradient_b);
            }
        }
        // dense_2: gradients
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([16..20, 24..27]) {
            if let Ok([gradient_w, gradient_b]) = self.int32.get_disjoint_mut([50..62, 71..74]) {
                dense::accumulate::<Fixed16>(x, delta, gradient_w, gradient_b);
            }
        }
        Ok(loss)
    }

    /// Updates by the mean of the gradients of the batch, and begins a new one. Returns how many samples there were.
    ///
    /// # Errors
    /// What the guard refuses; no parameter has changed then, and the batch is dropped.
    pub fn apply(&mut self, optimizer: &PowerOfTwoSgd) -> Result<usize, TrainError> {
        let samples = core::mem::take(&mut self.samples);
        if samples == 0 {
            return Ok(0);
        }
        let before = self.saturation;
        if let Some(values) = self.int32.get_mut(0..30) {
            fixed::mean(samples, values, &mut self.saturation);
        }
        if let Some(values) = self.int32.get_mut(62..67) {
            fixed::mean(samples, values, &mut self.saturation);
        }
        if let Some(values) = self.int32.get_mut(30..50) {
            fixed::mean(samples, values, &mut self.saturation);
        }
        if let Some(values) = self.int32.get_mut(67..71) {
            fixed::mean(samples, values, &mut self.saturation);
        }
        if let Some(values) = self.int32.get_mut(50..62) {
            fixed::mean(samples, values, &mut self.saturation);
        }
        if let Some(values) = self.int32.get_mut(71..74) {
            fixed::mean(samples, values, &mut self.saturation);
        }
        let mut reach = fixed::Reach::new();
        if let Some(values) = self.int32.get_mut(0..30) {
            reach.gradient(values);
        }
        if let Some(values) = self.int32.get_mut(62..67) {
            reach.gradient(values);
        }
        if let Some(values) = self.int32.get_mut(30..50) {
            reach.gradient(values);
        }
        if let Some(values) = self.int32.get_mut(67..71) {
            reach.gradient(values);
        }
        if let Some(values) = self.int32.get_mut(50..62) {
            reach.gradient(values);
        }
        if let Some(values) = self.int32.get_mut(71..74) {
            reach.gradient(values);
        }
        // The mean of the samples, and the sums of gradients.
        let mean = self.saturated.checked_div(samples).unwrap_or(0);
        let saturated = mean.saturating_add(self.saturation.since(&before));
        let optimizer = &self.guard.decide(reach, saturated, optimizer, || Self::extent(&self.parameters))?;
        // dense: update
        if let Ok([gradient_w, gradient_b]) = self.int32.get_disjoint_mut([0..30, 62..67]) {
            self.saturation.add_weights(fixed::Rule::update_weights(optimizer, &mut self.state.memory, &mut self.parameters.dense_weights, gradient_w));
            self.saturation.add_weights(fixed::Rule::update_accumulated_biases(optimizer, &mut self.parameters.dense_bias, gradient_b));
        }
        // dense_1: update
        if let Ok([gradient_w, gradient_b]) = self.int32.get_disjoint_mut([30..50, 67..71]) {
            self.saturation.add_weights(fixed::Rule::update_weights(optimizer, &mut self.state.memory, &mut self.parameters.dense_1_weights, gradient_w));
            self.saturation.add_weights(fixed::Rule::update_accumulated_biases(optimizer, &mut self.parameters.dense_1_bias, gradient_b));
        }
        // dense_2: update
        if let Ok([gradient_w, gradient_b]) = self.int32.get_disjoint_mut([50..62, 71..74]) {
            self.saturation.add_weights(fixed::Rule::update_weights(optimizer, &mut self.state.memory, &mut self.parameters.dense_2_weights, gradient_w));
            self.saturation.add_weights(fixed::Rule::update_accumulated_biases(optimizer, &mut self.parameters.dense_2_bias, gradient_b));
        }
        Ok(samples as usize)
    }

    /// How well the network does on its [`input`](Self::input): loss and hit. Changes no parameter.
    ///
    /// # Errors
    /// A target that is none.
    pub fn evaluate(&mut self, target: &[f32; 3]) -> Result<Evaluation, TrainError> {
        self.forward(|_| {});
        let outputs = arena::array_mut::<i16, 3>(&mut self.int16, 11);
        let hit = None;
        let loss = fixed::mean_squared_error(outputs, target, &mut { fixed::Saturation::NONE })?;
        Ok(Evaluation { loss, hit })
    }

    /// The largest magnitude of a parameter, in Q.12.
    fn extent(parameters: &Parameters) -> u32 {
        let mut largest = 0;
        largest = largest.max(fixed::largest_weight(&parameters.dense_weights));
        largest = largest.max(fixed::largest_bias(&parameters.dense_bias));
        largest = largest.max(fixed::largest_weight(&parameters.dense_1_weights));
        largest = largest.max(fixed::largest_bias(&parameters.dense_1_bias));
        largest = largest.max(fixed::largest_weight(&parameters.dense_2_weights));
        largest = largest.max(fixed::largest_bias(&parameters.dense_2_bias));
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
            self.samples = 0;
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
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[6] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[3] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        match index {
            0 => ElementsMut::I16(self.input()),
            _ => ElementsMut::I16(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::I16(arena::array::<_, 3>(&self.int16, 11)),
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
    pub dense_weights: [i16; 30],
    /// `dense/bias`
    pub dense_bias: [i32; 5],
    /// `dense_1/weights`
    pub dense_1_weights: [i16; 20],
    /// `dense_1/bias`
    pub dense_1_bias: [i32; 4],
    /// `dense_2/weights`
    pub dense_2_weights: [i16; 12],
    /// `dense_2/bias`
    pub dense_2_bias: [i32; 3],
}

const DENSE_WEIGHTS: [i16; 30] = [
    -2504, 2027, -578, -1744, 1725, 785, 1486, 2188, 831, 664, 400, -95, -2294, -2173, 2234, 384, -2361,
    -1626, 390, -1906, 1242, -722, -2900, 1521, 1620, 1411, -122, 713, -2949, 1974,
];
const DENSE_BIAS: [i32; 5] = [
    0, 0, 0, 0, 0,
];
const DENSE_1_WEIGHTS: [i16; 20] = [
    -406, 1035, -2731, 1753, -982, 210, -845, -591, 815, -3064, 304, -1483, 2115, -764, -2024, -184, 2255,
    -2455, 2714, 2649,
];
const DENSE_1_BIAS: [i32; 4] = [
    0, 0, 0, 0,
];
const DENSE_2_WEIGHTS: [i16; 12] = [
    1830, 862, -1973, -1137, 1158, -2593, -1565, 3411, 3766, 522, 3111, -2411,
];
const DENSE_2_BIAS: [i32; 3] = [
    0, 0, 0,
];

impl Parameters {
    /// As they were exported.
    pub const fn new() -> Self {
        Self { dense_weights: DENSE_WEIGHTS, dense_bias: DENSE_BIAS, dense_1_weights: DENSE_1_WEIGHTS, dense_1_bias: DENSE_1_BIAS, dense_2_weights: DENSE_2_WEIGHTS, dense_2_bias: DENSE_2_BIAS, }
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
        let parameters = Parameters { dense_weights: [0; 30], dense_bias: [0; 5], dense_1_weights: [0; 20], dense_1_bias: [0; 4], dense_2_weights: [0; 12], dense_2_bias: [0; 3], };
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
    const TARGET: TargetKind = TargetKind::Values(3);

    fn train_step(&mut self, target: Target<'_>, optimizer: &PowerOfTwoSgd) -> Result<f32, TrainError> {
        let target = target.values::<3>().map_err(|reason| self.guard.refuse(reason))?;
        self.train_step(&target, optimizer)
    }

    fn evaluate(&mut self, target: Target<'_>) -> Result<Evaluation, TrainError> {
        let target = target.values::<3>()?;
        self.evaluate(&target)
    }

    fn parameters(&self, mut visit: impl FnMut(&'static str, &[f32])) {
        fixed::visit_weights("dense/weights", &self.parameters.dense_weights, &mut visit);
        fixed::visit_biases("dense/bias", &self.parameters.dense_bias, &mut visit);
        fixed::visit_weights("dense_1/weights", &self.parameters.dense_1_weights, &mut visit);
        fixed::visit_biases("dense_1/bias", &self.parameters.dense_1_bias, &mut visit);
        fixed::visit_weights("dense_2/weights", &self.parameters.dense_2_weights, &mut visit);
        fixed::visit_biases("dense_2/bias", &self.parameters.dense_2_bias, &mut visit);
    }
}

impl BatchLearner for Network {
    fn accumulate(&mut self, target: Target<'_>) -> Result<f32, TrainError> {
        let target = target.values::<3>().map_err(|reason| self.guard.refuse(reason))?;
        self.accumulate(&target)
    }

    fn apply(&mut self, optimizer: &PowerOfTwoSgd) -> Result<usize, TrainError> {
        self.apply(optimizer)
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`, in fixed point.
pub fn prepare_input(raw: &[f32; 6], input: &mut [i16; 6]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = fixed::activation(x);
    }
}

/// Outputs as real numbers.
pub fn dequantize_output(output: &[i16; 3]) -> [f32; 3] {
    output.map(|q| fixed::from_activation(q))
}
