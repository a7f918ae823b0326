// milligrad model: name=ramps learns=yes optimizer=PowerOfTwoSgd core=portable
// 5 layers, 45 multiply-accumulate operations, 272 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Evaluation, Learner, Model, Optimizer, Port, PowerOfTwoSgd, Target, TargetKind, TrainError, arena, fixed, guard, loss, layers::{self, Dense, dense}};

/// Name of the model.
pub const NAME: &str = "ramps";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 5] = ["input_block", "dense", "leaky_relu", "dense_1", "output_block"];

/// A unit of a weight, and of a bias, as powers of two.
const DENSE_EXPONENTS: fixed::dynamic::Exponents = fixed::dynamic::Exponents::new(-12, -20);

/// A unit of a weight, and of a bias, as powers of two.
const DENSE_1_EXPONENTS: fixed::dynamic::Exponents = fixed::dynamic::Exponents::new(-12, -20);

/// All the RAM of the model, 272 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    float: [f32; 6],
    int32: [i32; 5],
    int16: [i16; 22],
    exponents: [i16; 5],
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
        Self { float: [0.0; 6], int32: [0; 5], int16: [0; 22], exponents: [0; 5], parameters: Parameters::new(), state: State::new(), saturation: fixed::Saturation::NONE, guard: fixed::Guard::new().knowing(3280), }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [f32; 6] {
        arena::array_mut(&mut self.float, 0)
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
        arena::array(&self.float, 0)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // input_block: Quantize [6], 0 MAC
        if let Some(x) = self.float.get_mut(0..6) {
            if let Some(y) = self.int16.get_mut(0..6) {
                self.exponents[0] = fixed::dynamic::from_reals(x, y);
            }
        }
        done(0);
        // dense: Dense [5], 30 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([0..6, 11..17, 6..11]) {
            if let Some(sums) = self.int32.get_mut(0..5) {
                self.exponents[1] = fixed::dynamic::Dense::new(6, &self.parameters.dense_weights, &self.parameters.dense_bias, DENSE_EXPONENTS, Clamp::<i16>::LINEAR).forward(fixed::dynamic::Block::new(x, self.exponents[0]), patch, sums, y);
            }
        }
        done(1);
        // leaky_relu: LeakyReLU [5], 0 MAC
        if let Some(y) = self.int16.get_mut(6..11) {
            fixed::leaky_relu(16384, y);
        }
        done(2);
        // dense_1: Dense [3], 15 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([6..11, 17..22, 14..17]) {
            if let Some(sums) = self.int32.get_mut(0..3) {
                self.exponents[2] = fixed::dynamic::Dense::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, DENSE_1_EXPONENTS, Clamp::<i16>::RELU6).forward(fixed::dynamic::Block::new(x, self.exponents[1]), patch, sums, y);
            }
        }
        done(3);
        // output_block: Dequantize [3], 0 MAC
        if let Some(x) = self.int16.get_mut(14..17) {
            if let Some(y) = self.float.get_mut(0..3) {
                fixed::dynamic::to_reals(x, self.exponents[2], y);
            }
        }
        done(4);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, target: &[f32; 3]) -> Result<f32, TrainError> {
        if !self.float.get(0..6).is_some_and(fixed::dynamic::all_finite) {
            return Err(TrainError::NotFinite);
        }
        self.forward(|_| {});
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([14..17, 11..14]) {
            layers::copy(y, delta);
        }
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<i16, 3>(&mut self.int16, 11);
        let (loss, exponent) = fixed::dynamic::mean_squared_error(outputs, self.exponents[2], target)?;
        self.exponents[3] = exponent;
        // dense_1: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([14..17, 11..14]) {
            fixed::clamp_backward(&fixed::dynamic::at(&Clamp::<i16>::RELU6, self.exponents[2]), y, delta);
        }
        // dense_1: through the layer
        if let Ok([delta, patch, delta_x]) = self.int16.get_disjoint_mut([11..14, 19..22, 14..19]) {
            if let Some(sums) = self.int32.get_mut(0..5) {
                self.exponents[4] = fixed::dynamic::Dense::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, DENSE_1_EXPONENTS, Clamp::<i16>::RELU6).backward_input(fixed::dynamic::Block::new(delta, self.exponents[3]), patch, sums, delta_x);
            }
        }
        // leaky_relu: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([6..11, 14..19]) {
            fixed::leaky_relu_backward(16384, y, delta);
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
        let mut reach = fixed::dynamic::Reach::new();
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([0..6, 14..19]) {
            reach.dense(fixed::dynamic::Block::new(x, self.exponents[0]), fixed::dynamic::Block::new(delta, self.exponents[4]), DENSE_EXPONENTS);
        }
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([6..11, 11..14]) {
            reach.dense(fixed::dynamic::Block::new(x, self.exponents[1]), fixed::dynamic::Block::new(delta, self.exponents[3]), DENSE_1_EXPONENTS);
        }
        let saturated = self.saturation.since(&before);
        let optimizer = &self.guard.decide(reach, saturated, optimizer, || Self::extent(&self.parameters))?;
        // dense: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([0..6, 14..19]) {
            let Parameters { dense_weights, dense_bias, .. } = &mut self.parameters;
            let count = fixed::dynamic::apply(fixed::dynamic::Block::new(x, self.exponents[0]), fixed::dynamic::Block::new(delta, self.exponents[4]), dense_weights, dense_bias, DENSE_EXPONENTS, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([6..11, 11..14]) {
            let Parameters { dense_1_weights, dense_1_bias, .. } = &mut self.parameters;
            let count = fixed::dynamic::apply(fixed::dynamic::Block::new(x, self.exponents[1]), fixed::dynamic::Block::new(delta, self.exponents[3]), dense_1_weights, dense_1_bias, DENSE_1_EXPONENTS, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
        }
        Ok(loss)
    }

    /// How well the network does on its [`input`](Self::input): loss and hit. Changes no parameter.
    ///
    /// # Errors
    /// A target that is none.
    pub fn evaluate(&mut self, target: &[f32; 3]) -> Result<Evaluation, TrainError> {
        self.forward(|_| {});
        let outputs = arena::array_mut::<i16, 3>(&mut self.int16, 14);
        let hit = None;
        let loss = fixed::dynamic::mean_squared_error(outputs, self.exponents[2], target)?.0;
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
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[6] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[3] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        match index {
            0 => ElementsMut::F32(self.input()),
            _ => ElementsMut::F32(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::F32(arena::array::<_, 3>(&self.float, 0)),
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
    /// `dense/weights`
    pub dense_weights: [i16; 30],
    /// `dense/bias`
    pub dense_bias: [i32; 5],
    /// `dense_1/weights`
    pub dense_1_weights: [i16; 15],
    /// `dense_1/bias`
    pub dense_1_bias: [i32; 3],
}

const DENSE_WEIGHTS: [i16; 30] = [
    1759, 1978, -2636, 489, 2745, 249, 68, -806, 919, 889, -1551, 1194, -1788, 467, 225, 188, -2064, 1451,
    1390, 2773, -2341, -2340, -861, 1898, -2372, -2581, 2270, 18, -582, 117,
];
const DENSE_BIAS: [i32; 5] = [
    0, 0, 0, 0, 0,
];
const DENSE_1_WEIGHTS: [i16; 15] = [
    -920, -2176, -2707, -2477, 1283, -1815, -305, 2146, 396, 1157, 8, -2766, 1656, -3280, -3138,
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
        let parameters = Parameters { dense_weights: [0; 30], dense_bias: [0; 5], dense_1_weights: [0; 15], dense_1_bias: [0; 3], };
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
        fixed::dynamic::visit_weights("dense/weights", -12, &self.parameters.dense_weights, &mut visit);
        fixed::dynamic::visit_biases("dense/bias", -20, &self.parameters.dense_bias, &mut visit);
        fixed::dynamic::visit_weights("dense_1/weights", -12, &self.parameters.dense_1_weights, &mut visit);
        fixed::dynamic::visit_biases("dense_1/bias", -20, &self.parameters.dense_1_bias, &mut visit);
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`.
pub fn prepare_input(raw: &[f32; 6], input: &mut [f32; 6]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = x;
    }
}

