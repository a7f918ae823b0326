// milligrad model: name=regression learns=yes optimizer=StochasticSgd core=portable
// 3 layers, 45 multiply-accumulate operations, 180 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Evaluation, Fixed16, Learner, Model, Optimizer, Port, StochasticSgd, Target, TargetKind, TrainError, arena, fixed, loss, layers::{self, Dense, dense}};

/// Name of the model.
pub const NAME: &str = "regression";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 3] = ["dense", "tanh", "dense_1"];

/// All the RAM of the model, 180 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    int16: [i16; 19],
    /// What has been learned.
    pub parameters: Parameters,
    state: State,
    /// Counts numbers that came to the end of their range.
    pub saturation: fixed::Saturation,
}

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { int16: [0; 19], parameters: Parameters::new(), state: State::new(), saturation: fixed::Saturation::NONE, }
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
        // tanh: Tanh [5], 0 MAC
        if let Some(y) = self.int16.get_mut(6..11) {
            fixed::tanh(y);
        }
        done(1);
        // dense_1: Dense [3], 15 MAC
        if let Ok([x, y]) = self.int16.get_disjoint_mut([6..11, 11..14]) {
            Dense::<Fixed16>::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<i16>::RELU6).forward(x, y);
        }
        if let Some(y) = self.int16.get_mut(11..14) {
            self.saturation.see_activations(y);
        }
        done(2);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, target: &[f32; 3]) -> Result<f32, TrainError> {
        self.forward(|_| {});
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([11..14, 16..19]) {
            layers::copy(y, delta);
        }
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<i16, 3>(&mut self.int16, 16);
        let loss = fixed::mean_squared_error(outputs, target, &mut self.saturation)?;
        // dense_1: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([11..14, 16..19]) {
            Dense::<Fixed16>::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<i16>::RELU6).backward_activation(y, delta);
        }
        // dense_1: through the layer
        if let Ok([delta, delta_x]) = self.int16.get_disjoint_mut([16..19, 11..16]) {
            Dense::<Fixed16>::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<i16>::RELU6).backward_input(delta, delta_x);
        }
        if let Some(delta) = self.int16.get_mut(11..16) {
            self.saturation.see_deltas(delta);
        }
        // tanh: through the activation
        if let Ok([y, delta]) = self.int16.get_disjoint_mut([6..11, 11..16]) {
            fixed::tanh_backward(y, delta);
        }
        Ok(loss)
    }

    /// One step of gradient descent on the [`input`](Self::input) and its target; returns the loss before the update.
    /// The optimizer may be another at each step: a `milligrad::Schedule` tells its learning rate.
    ///
    /// # Errors
    /// A target that is none. No parameter has changed then.
    #[inline]
    pub fn train_step(&mut self, target: &[f32; 3], optimizer: &StochasticSgd) -> Result<f32, TrainError> {
        let loss = self.deltas(target)?;
        // dense: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([0..6, 11..16]) {
            let Parameters { dense_weights, dense_bias, .. } = &mut self.parameters;
            let count = fixed::apply(x, delta, dense_weights, dense_bias, optimizer, &mut self.state.memory);
            self.saturation.add_weights(count);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.int16.get_disjoint_mut([6..11, 16..19]) {
            let Parameters { dense_1_weights, dense_1_bias, .. } = &mut self.parameters;
            let count = fixed::apply(x, delta, dense_1_weights, dense_1_bias, optimizer, &mut self.state.memory);
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
        let outputs = arena::array_mut::<i16, 3>(&mut self.int16, 11);
        let hit = None;
        let loss = fixed::mean_squared_error(outputs, target, &mut { fixed::Saturation::NONE })?;
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
    pub dense_1_weights: [i16; 15],
    /// `dense_1/bias`
    pub dense_1_bias: [i32; 3],
}

const DENSE_WEIGHTS: [i16; 30] = [
    79, -1667, -2981, 191, -1968, -1836, -201, 1261, -1290, 2443, -2704, 1635, -2430, 2647, 982, 2040, 1284,
    1041, 1452, 2506, -1363, 2712, -2823, -2371, 372, -1688, 892, -2562, 2025, -2614,
];
const DENSE_BIAS: [i32; 5] = [
    0, 0, 0, 0, 0,
];
const DENSE_1_WEIGHTS: [i16; 15] = [
    -608, 1547, 3093, 3210, 3160, -3460, -3201, -2415, 1697, 1977, -3016, 3143, -2229, -1955, 3400,
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
    type Optimizer = StochasticSgd;
    const TARGET: TargetKind = TargetKind::Values(3);

    fn train_step(&mut self, target: Target<'_>, optimizer: &StochasticSgd) -> Result<f32, TrainError> {
        let target = target.values::<3>()?;
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
