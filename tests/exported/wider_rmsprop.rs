// milligrad model: name=wider learns=yes optimizer=RmsProp core=portable
// 3 layers, 70 multiply-accumulate operations, 744 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Evaluation, Learner, Model, Optimizer, Port, RmsProp, Target, TargetKind, TrainError, arena, loss, layers::{self, Dense, dense}};

/// Name of the model.
pub const NAME: &str = "wider";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 3] = ["dense", "dense_1", "softmax"];

/// All the RAM of the model, 744 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    float: [f32; 24],
    /// What has been learned.
    pub parameters: Parameters,
    state: State,
}

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { float: [0.0; 24], parameters: Parameters::new(), state: State::new(), }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [f32; 6] {
        arena::array_mut(&mut self.float, 14)
    }

    /// Runs the network on its [`input`](Self::input).
    #[inline]
    pub fn predict(&mut self) -> &[f32; 4] {
        self.predict_with(|_| {})
    }

    /// As [`predict`](Self::predict), and calls `done(i)` after layer `i` of [`LAYERS`].
    #[inline]
    pub fn predict_with(&mut self, done: impl FnMut(usize)) -> &[f32; 4] {
        self.forward(done);
        arena::array(&self.float, 20)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // dense: Dense [7], 42 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([14..20, 0..7]) {
            Dense::<f32>::new(6, &self.parameters.dense_weights, &self.parameters.dense_bias, Clamp::<f32>::RELU).forward(x, y);
        }
        done(0);
        // dense_1: Dense [4], 28 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([0..7, 20..24]) {
            Dense::<f32>::new(7, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(1);
        // softmax: Softmax [4], 0 MAC
        if let Some(y) = self.float.get_mut(20..24) {
            layers::softmax(y);
        }
        done(2);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, label: usize) -> Result<f32, TrainError> {
        Target::Class(label).class(4)?;
        self.forward(|_| {});
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<f32, 4>(&mut self.float, 20);
        let loss = loss::sparse_categorical_cross_entropy(outputs, label)?;
        if !loss.is_finite() {
            return Err(TrainError::NotFinite);
        }
        // dense_1: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([20..24, 7..14]) {
            Dense::<f32>::new(7, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).backward_input(delta, delta_x);
        }
        // dense: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([0..7, 7..14]) {
            Dense::<f32>::new(6, &self.parameters.dense_weights, &self.parameters.dense_bias, Clamp::<f32>::RELU).backward_activation(y, delta);
        }
        Ok(loss)
    }

    /// One step of gradient descent on the [`input`](Self::input) and its target; returns the loss before the update.
    /// The optimizer may be another at each step: a `milligrad::Schedule` tells its learning rate.
    ///
    /// # Errors
    /// A target that is none, or a loss that is not finite. No parameter has changed then.
    #[inline]
    pub fn train_step(&mut self, label: usize, optimizer: &RmsProp) -> Result<f32, TrainError> {
        let loss = self.deltas(label)?;
        let optimizer = &optimizer.begin(&mut self.state.progress);
        // dense: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([14..20, 7..14]) {
            let state = (&mut self.state.dense_weights[..], &mut self.state.dense_bias[..]);
            let Parameters { dense_weights, dense_bias, .. } = &mut self.parameters;
            dense::apply::<f32, _>(x, delta, dense_weights, dense_bias, state, optimizer);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([0..7, 20..24]) {
            let state = (&mut self.state.dense_1_weights[..], &mut self.state.dense_1_bias[..]);
            let Parameters { dense_1_weights, dense_1_bias, .. } = &mut self.parameters;
            dense::apply::<f32, _>(x, delta, dense_1_weights, dense_1_bias, state, optimizer);
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
        let outputs = arena::array_mut::<f32, 4>(&mut self.float, 20);
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
            0 => Elements::F32(arena::array::<_, 4>(&self.float, 20)),
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
    pub dense_weights: [f32; 42],
    /// `dense/bias`
    pub dense_bias: [f32; 7],
    /// `dense_1/weights`
    pub dense_1_weights: [f32; 28],
    /// `dense_1/bias`
    pub dense_1_bias: [f32; 4],
}

const DENSE_WEIGHTS: [f32; 42] = [
    0.6446098, 0.5806018, 0.5884651, 0.6689574, -0.3663586, 0.3846541, -0.32526302, -0.071763024, 0.4020034,
    -0.5653768, -0.03981123, -0.60538703, 0.604962, -0.19673038, -0.3689016, -0.052393418, -0.25792602,
    0.5548004, 0.39296335, 0.43177462, 0.1664052, -0.50737375, -0.3863907, -0.3770803, 0.13133202, 0.40139323,
    -0.23521416, -0.540573, -0.24245308, 0.22888285, 0.28792465, -0.31445184, 0.5526629, 0.18917261,
    -0.4452484, 0.63238704, -0.37245926, -0.45956913, -0.61300933, 0.21452253, 0.15774019, 0.054354023,
];
const DENSE_BIAS: [f32; 7] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
const DENSE_1_WEIGHTS: [f32; 28] = [
    -0.062221758, -0.7024333, -0.22517815, -0.32275647, 0.48418605, 0.6130013, -0.35559407, 0.32432583,
    -0.13523676, -0.22140107, -0.38012722, 0.3559553, 0.5230055, 0.65892994, -0.61637634, -0.36160338,
    -0.5573751, 0.6581852, -0.6892292, -0.016545713, 0.15813644, 0.07683011, -0.73000026, -0.27019283,
    0.5265486, -0.18353292, 0.32733572, 0.06750568,
];
const DENSE_1_BIAS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
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

/// What the optimizer remembers of a parameter.
type Memory = <RmsProp as Optimizer<f32>>::State;

/// What the optimizer remembers of each parameter.
#[derive(Clone, Copy)]
pub struct State {
    dense_weights: [Memory; 42],
    dense_bias: [Memory; 7],
    dense_1_weights: [Memory; 28],
    dense_1_bias: [Memory; 4],
    progress: <RmsProp as Optimizer<f32>>::Progress,
}

impl State {
    /// As before the first step.
    pub const fn new() -> Self {
        Self { dense_weights: [<RmsProp as Optimizer<f32>>::START; 42], dense_bias: [<RmsProp as Optimizer<f32>>::START; 7], dense_1_weights: [<RmsProp as Optimizer<f32>>::START; 28], dense_1_bias: [<RmsProp as Optimizer<f32>>::START; 4], progress: <RmsProp as Optimizer<f32>>::OUTSET, }
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
        let parameters = Parameters { dense_weights: [0.0; 42], dense_bias: [0.0; 7], dense_1_weights: [0.0; 28], dense_1_bias: [0.0; 4], };
        Self { parameters, state: State::new(), committed: false }
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self::new()
    }
}

impl Learner for Network {
    type Optimizer = RmsProp;
    const TARGET: TargetKind = TargetKind::Class(4);

    fn train_step(&mut self, target: Target<'_>, optimizer: &RmsProp) -> Result<f32, TrainError> {
        let target = target.class(4)?;
        self.train_step(target, optimizer)
    }

    fn evaluate(&mut self, target: Target<'_>) -> Result<Evaluation, TrainError> {
        let target = target.class(4)?;
        self.evaluate(target)
    }

    fn parameters(&self, mut visit: impl FnMut(&'static str, &[f32])) {
        visit("dense/weights", &self.parameters.dense_weights);
        visit("dense/bias", &self.parameters.dense_bias);
        visit("dense_1/weights", &self.parameters.dense_1_weights);
        visit("dense_1/bias", &self.parameters.dense_1_bias);
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`.
pub fn prepare_input(raw: &[f32; 6], input: &mut [f32; 6]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = x;
    }
}

