// milligrad model: name=binary learns=yes optimizer=StochasticSgd core=portable
// 4 layers, 28 multiply-accumulate operations, 172 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Evaluation, Learner, Model, Optimizer, Port, StochasticSgd, Target, TargetKind, TrainError, arena, fixed, loss, layers::{self, Dense, dense}};

/// Name of the model.
pub const NAME: &str = "binary";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 4] = ["input_block", "dense", "dense_1", "sigmoid"];

/// A unit of a weight, and of a bias, as powers of two.
const DENSE_EXPONENTS: fixed::dynamic::Exponents = fixed::dynamic::Exponents::new(-12, -20);

/// A unit of a weight, and of a bias, as powers of two.
const DENSE_1_EXPONENTS: fixed::dynamic::Exponents = fixed::dynamic::Exponents::new(-12, -20);

/// All the RAM of the model, 172 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    float: [f32; 6],
    int32: [i32; 4],
    int16: [i16; 16],
    exponents: [i16; 4],
    /// What has been learned.
    pub parameters: Parameters,
    state: State,
    /// Counts numbers that came to the end of their range.
    pub saturation: fixed::Saturation,
}

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { float: [0.0; 6], int32: [0; 4], int16: [0; 16], exponents: [0; 4], parameters: Parameters::new(), state: State::new(), saturation: fixed::Saturation::NONE, }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [f32; 6] {
        arena::array_mut(&mut self.float, 0)
    }

    /// Runs the network on its [`input`](Self::input).
    #[inline]
    pub fn predict(&mut self) -> &[i16; 1] {
        self.predict_with(|_| {})
    }

    /// As [`predict`](Self::predict), and calls `done(i)` after layer `i` of [`LAYERS`].
    #[inline]
    pub fn predict_with(&mut self, done: impl FnMut(usize)) -> &[i16; 1] {
        self.forward(done);
        arena::array(&self.int16, 10)
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
        // dense: Dense [4], 24 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([0..6, 6..12, 12..16]) {
            if let Some(sums) = self.int32.get_mut(0..4) {
                self.exponents[1] = fixed::dynamic::Dense::new(6, &self.parameters.dense_weights, &self.parameters.dense_bias, DENSE_EXPONENTS, Clamp::<i16>::RELU).forward(fixed::dynamic::Block::new(x, self.exponents[0]), patch, sums, y);
            }
        }
        done(1);
        // dense_1: Dense [1], 4 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([12..16, 6..10, 10..11]) {
            if let Some(sums) = self.int32.get_mut(0..1) {
                self.exponents[2] = fixed::dynamic::Dense::new(4, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, DENSE_1_EXPONENTS, Clamp::<i16>::LINEAR).forward(fixed::dynamic::Block::new(x, self.exponents[1]), patch, sums, y);
            }
        }
        done(2);
        // sigmoid: Sigmoid [1], 0 MAC
        if let Some(y) = self.int16.get_mut(10..11) {
            self.exponents[2] = fixed::dynamic::sigmoid_probability(y, self.exponents[2]);
        }
        done(3);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, target: &[f32; 1]) -> Result<f32, TrainError> {
        if !self.float.get(0..6).is_some_and(fixed::dynamic::all_finite) {
            return Err(TrainError::NotFinite);
        }
        self.forward(|_| {});
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<i16, 1>(&mut self.int16, 10);
        let loss = fixed::binary_cross_entropy(outputs, target)?;
        self.exponents[2] = fixed::dynamic::PROBABILITY;
        // dense_1: through the layer
        if let Ok([delta, patch, delta_x]) = self.int16.get_disjoint_mut([10..11, 11..12, 6..10]) {
            if let Some(sums) = self.int32.get_mut(0..4) {
                self.exponents[3] = fixed::dynamic::Dense::new(4, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, DENSE_1_EXPONENTS, Clamp::<i16>::LINEAR).backward_input(fixed::dynamic::Block::new(delta, self.exponents[2]), patch, sums, delta_x);
            }
        }
        // dense: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([12..16, 6..10]) {
            fixed::clamp_backward(&fixed::dynamic::at(&Clamp::<i16>::RELU, self.exponents[1]), y, delta);
        }
        Ok(loss)
    }

    /// One step of gradient descent on the [`input`](Self::input) and its target; returns the loss before the update.
    /// The optimizer may be another at each step: a `milligrad::Schedule` tells its learning rate.
    ///
    /// # Errors
    /// A target that is none, or an input that is not finite. No parameter has changed then.
    #[inline]
    pub fn train_step(&mut self, target: &[f32; 1], optimizer: &StochasticSgd) -> Result<f32, TrainError> {
        let loss = self.deltas(target)?;
        // dense: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([0..6, 6..10]) {
            let Parameters { dense_weights, dense_bias, .. } = &mut self.parameters;
            let count = fixed::dynamic::apply(fixed::dynamic::Block::new(x, self.exponents[0]), fixed::dynamic::Block::new(delta, self.exponents[3]), dense_weights, dense_bias, DENSE_EXPONENTS, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([12..16, 10..11]) {
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
    pub fn evaluate(&mut self, target: &[f32; 1]) -> Result<Evaluation, TrainError> {
        self.forward(|_| {});
        let outputs = arena::array_mut::<i16, 1>(&mut self.int16, 10);
        let hit = Some(outputs.iter().zip(target).all(|(&y, &t)| (y >= 1 << 14) == (t >= 0.5)));
        let loss = fixed::binary_cross_entropy(outputs, target)?;
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
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[6] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[1] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        match index {
            0 => ElementsMut::F32(self.input()),
            _ => ElementsMut::F32(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::I16(arena::array::<_, 1>(&self.int16, 10)),
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
    pub dense_weights: [i16; 24],
    /// `dense/bias`
    pub dense_bias: [i32; 4],
    /// `dense_1/weights`
    pub dense_1_weights: [i16; 4],
    /// `dense_1/bias`
    pub dense_1_bias: [i32; 1],
}

const DENSE_WEIGHTS: [i16; 24] = [
    2480, 1085, 602, -1559, 1182, 2672, -576, 83, 1243, -404, -1874, 2060, -2033, 1219, -3114, 2398, 905,
    2535, 858, -2348, -919, 2945, 1066, 435,
];
const DENSE_BIAS: [i32; 4] = [
    0, 0, 0, 0,
];
const DENSE_1_WEIGHTS: [i16; 4] = [
    3365, -2470, 2089, 1609,
];
const DENSE_1_BIAS: [i32; 1] = [
    0,
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
        let parameters = Parameters { dense_weights: [0; 24], dense_bias: [0; 4], dense_1_weights: [0; 4], dense_1_bias: [0; 1], };
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
    const TARGET: TargetKind = TargetKind::Values(1);

    fn train_step(&mut self, target: Target<'_>, optimizer: &StochasticSgd) -> Result<f32, TrainError> {
        let target = target.values::<1>()?;
        self.train_step(&target, optimizer)
    }

    fn evaluate(&mut self, target: Target<'_>) -> Result<Evaluation, TrainError> {
        let target = target.values::<1>()?;
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

/// Outputs as real numbers.
pub fn dequantize_output(output: &[i16; 1]) -> [f32; 1] {
    output.map(|q| fixed::from_probability(q))
}
