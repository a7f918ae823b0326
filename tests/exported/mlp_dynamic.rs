// milligrad model: name=mlp learns=yes optimizer=PowerOfTwoSgd core=portable
// 4 layers, 50 multiply-accumulate operations, 248 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Evaluation, Learner, Model, Optimizer, Port, PowerOfTwoSgd, Target, TargetKind, TrainError, arena, fixed, loss, layers::{self, Dense, dense}};

/// Name of the model.
pub const NAME: &str = "mlp";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 4] = ["input_block", "dense", "dense_1", "softmax"];

/// A unit of a weight, and of a bias, as powers of two.
const DENSE_EXPONENTS: fixed::dynamic::Exponents = fixed::dynamic::Exponents::new(-12, -20);

/// A unit of a weight, and of a bias, as powers of two.
const DENSE_1_EXPONENTS: fixed::dynamic::Exponents = fixed::dynamic::Exponents::new(-12, -20);

/// All the RAM of the model, 248 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    float: [f32; 6],
    int32: [i32; 5],
    int16: [i16; 24],
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
        Self { float: [0.0; 6], int32: [0; 5], int16: [0; 24], exponents: [0; 4], parameters: Parameters::new(), state: State::new(), saturation: fixed::Saturation::NONE, }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [f32; 6] {
        arena::array_mut(&mut self.float, 0)
    }

    /// Runs the network on its [`input`](Self::input).
    #[inline]
    pub fn predict(&mut self) -> &[i16; 4] {
        self.predict_with(|_| {})
    }

    /// As [`predict`](Self::predict), and calls `done(i)` after layer `i` of [`LAYERS`].
    #[inline]
    pub fn predict_with(&mut self, done: impl FnMut(usize)) -> &[i16; 4] {
        self.forward(done);
        arena::array(&self.int16, 11)
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
                self.exponents[1] = fixed::dynamic::Dense::new(6, &self.parameters.dense_weights, &self.parameters.dense_bias, DENSE_EXPONENTS, Clamp::<i16>::RELU).forward(fixed::dynamic::Block::new(x, self.exponents[0]), patch, sums, y);
            }
        }
        done(1);
        // dense_1: Dense [4], 20 MAC
        if let Ok([x, patch, y]) = self.int16.get_disjoint_mut([6..11, 15..20, 11..15]) {
            if let Some(sums) = self.int32.get_mut(0..4) {
                self.exponents[2] = fixed::dynamic::Dense::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, DENSE_1_EXPONENTS, Clamp::<i16>::LINEAR).forward(fixed::dynamic::Block::new(x, self.exponents[1]), patch, sums, y);
            }
        }
        done(2);
        // softmax: Softmax [4], 0 MAC
        if let Some(y) = self.int16.get_mut(11..15) {
            self.exponents[2] = fixed::dynamic::softmax(y, self.exponents[2]);
        }
        done(3);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, label: usize) -> Result<f32, TrainError> {
        Target::Class(label).class(4)?;
        if !self.float.get(0..6).is_some_and(fixed::dynamic::all_finite) {
            return Err(TrainError::NotFinite);
        }
        self.forward(|_| {});
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<i16, 4>(&mut self.int16, 11);
        let loss = fixed::sparse_categorical_cross_entropy(outputs, label)?;
        self.exponents[2] = fixed::dynamic::PROBABILITY;
        // dense_1: through the layer
        if let Ok([delta, patch, delta_x]) = self.int16.get_disjoint_mut([11..15, 20..24, 15..20]) {
            if let Some(sums) = self.int32.get_mut(0..5) {
                self.exponents[3] = fixed::dynamic::Dense::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, DENSE_1_EXPONENTS, Clamp::<i16>::LINEAR).backward_input(fixed::dynamic::Block::new(delta, self.exponents[2]), patch, sums, delta_x);
            }
        }
        // dense: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([6..11, 15..20]) {
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
    pub fn train_step(&mut self, label: usize, optimizer: &PowerOfTwoSgd) -> Result<f32, TrainError> {
        let loss = self.deltas(label)?;
        // dense: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([0..6, 15..20]) {
            let Parameters { dense_weights, dense_bias, .. } = &mut self.parameters;
            let count = fixed::dynamic::apply(fixed::dynamic::Block::new(x, self.exponents[0]), fixed::dynamic::Block::new(delta, self.exponents[3]), dense_weights, dense_bias, DENSE_EXPONENTS, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([6..11, 11..15]) {
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
        Target::Class(label).class(4)?;
        self.forward(|_| {});
        let outputs = arena::array_mut::<i16, 4>(&mut self.int16, 11);
        let hit = Some(milligrad::argmax(outputs) == label);
        let loss = fixed::sparse_categorical_cross_entropy(outputs, label)?;
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
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[4] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        match index {
            0 => ElementsMut::F32(self.input()),
            _ => ElementsMut::F32(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::I16(arena::array::<_, 4>(&self.int16, 11)),
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
}

const DENSE_WEIGHTS: [i16; 30] = [
    2870, 2585, 2620, 2979, -1631, 1713, -1448, -320, 1790, -2518, -177, -2696, 2694, -876, -1643, -233,
    -1148, 2470, 1750, 1923, 741, -2259, -1721, -1679, 585, 1787, -1047, -2407, -1080, 1019,
];
const DENSE_BIAS: [i32; 5] = [
    0, 0, 0, 0, 0,
];
const DENSE_1_WEIGHTS: [i16; 20] = [
    -282, -3181, -1020, -1462, 2193, 2776, -1610, 1469, -612, -1003, -1721, 1612, 2368, 2984, -2791, -1637,
    -2524, 2980, -3121, -75,
];
const DENSE_1_BIAS: [i32; 4] = [
    0, 0, 0, 0,
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
        let parameters = Parameters { dense_weights: [0; 30], dense_bias: [0; 5], dense_1_weights: [0; 20], dense_1_bias: [0; 4], };
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
    const TARGET: TargetKind = TargetKind::Class(4);

    fn train_step(&mut self, target: Target<'_>, optimizer: &PowerOfTwoSgd) -> Result<f32, TrainError> {
        let target = target.class(4)?;
        self.train_step(target, optimizer)
    }

    fn evaluate(&mut self, target: Target<'_>) -> Result<Evaluation, TrainError> {
        let target = target.class(4)?;
        self.evaluate(target)
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
pub fn dequantize_output(output: &[i16; 4]) -> [f32; 4] {
    output.map(|q| fixed::from_probability(q))
}
