// milligrad model: name=binary learns=yes optimizer=Momentum core=portable
// 3 layers, 28 multiply-accumulate operations, 324 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Evaluation, Learner, Model, Momentum, Optimizer, Port, Target, TargetKind, TrainError, arena, loss, layers::{self, Dense, dense}};

/// Name of the model.
pub const NAME: &str = "binary";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 3] = ["dense", "dense_1", "sigmoid"];

/// All the RAM of the model, 324 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    float: [f32; 15],
    /// What has been learned.
    pub parameters: Parameters,
    state: State,
}

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { float: [0.0; 15], parameters: Parameters::new(), state: State::new(), }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [f32; 6] {
        arena::array_mut(&mut self.float, 0)
    }

    /// Runs the network on its [`input`](Self::input).
    #[inline]
    pub fn predict(&mut self) -> &[f32; 1] {
        self.predict_with(|_| {})
    }

    /// As [`predict`](Self::predict), and calls `done(i)` after layer `i` of [`LAYERS`].
    #[inline]
    pub fn predict_with(&mut self, done: impl FnMut(usize)) -> &[f32; 1] {
        self.forward(done);
        arena::array(&self.float, 14)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // dense: Dense [4], 24 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([0..6, 6..10]) {
            Dense::<f32>::new(6, &self.parameters.dense_weights, &self.parameters.dense_bias, Clamp::<f32>::RELU).forward(x, y);
        }
        done(0);
        // dense_1: Dense [1], 4 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([6..10, 14..15]) {
            Dense::<f32>::new(4, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(1);
        // sigmoid: Sigmoid [1], 0 MAC
        if let Some(y) = self.float.get_mut(14..15) {
            layers::sigmoid(y);
        }
        done(2);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, target: &[f32; 1]) -> Result<f32, TrainError> {
        self.forward(|_| {});
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<f32, 1>(&mut self.float, 14);
        let loss = loss::binary_cross_entropy(outputs, target);
        if !loss.is_finite() {
            return Err(TrainError::NotFinite);
        }
        // dense_1: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([14..15, 10..14]) {
            Dense::<f32>::new(4, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).backward_input(delta, delta_x);
        }
        // dense: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([6..10, 10..14]) {
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
    pub fn train_step(&mut self, target: &[f32; 1], optimizer: &Momentum) -> Result<f32, TrainError> {
        let loss = self.deltas(target)?;
        let optimizer = &optimizer.begin(&mut self.state.progress);
        // dense: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([0..6, 10..14]) {
            let state = (&mut self.state.dense_weights[..], &mut self.state.dense_bias[..]);
            let Parameters { dense_weights, dense_bias, .. } = &mut self.parameters;
            dense::apply::<f32, _>(x, delta, dense_weights, dense_bias, state, optimizer);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([6..10, 14..15]) {
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
    pub fn evaluate(&mut self, target: &[f32; 1]) -> Result<Evaluation, TrainError> {
        self.forward(|_| {});
        let outputs = arena::array_mut::<f32, 1>(&mut self.float, 14);
        let hit = Some(outputs.iter().zip(target).all(|(&y, &t)| (y >= 0.5) == (t >= 0.5)));
        let loss = loss::binary_cross_entropy(outputs, target);
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
            0 => Elements::F32(arena::array::<_, 1>(&self.float, 14)),
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
    pub dense_weights: [f32; 24],
    /// `dense/bias`
    pub dense_bias: [f32; 4],
    /// `dense_1/weights`
    pub dense_1_weights: [f32; 4],
    /// `dense_1/bias`
    pub dense_1_bias: [f32; 1],
}

const DENSE_WEIGHTS: [f32; 24] = [
    0.6054906, 0.2649067, 0.14698255, -0.3804934, 0.28865165, 0.65232223, -0.14061235, 0.020179607,
    0.30348313, -0.09862345, -0.45741162, 0.5029023, -0.496454, 0.2975776, -0.76020825, 0.58541524,
    0.22106844, 0.61891127, 0.20941137, -0.5731573, -0.224362, 0.71906024, 0.26017037, 0.1063031,
];
const DENSE_BIAS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
const DENSE_1_WEIGHTS: [f32; 4] = [
    0.82148385, -0.60313517, 0.5100852, 0.3928584,
];
const DENSE_1_BIAS: [f32; 1] = [
    0.0,
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
type Memory = <Momentum as Optimizer<f32>>::State;

/// What the optimizer remembers of each parameter.
#[derive(Clone, Copy)]
pub struct State {
    dense_weights: [Memory; 24],
    dense_bias: [Memory; 4],
    dense_1_weights: [Memory; 4],
    dense_1_bias: [Memory; 1],
    progress: <Momentum as Optimizer<f32>>::Progress,
}

impl State {
    /// As before the first step.
    pub const fn new() -> Self {
        Self { dense_weights: [<Momentum as Optimizer<f32>>::START; 24], dense_bias: [<Momentum as Optimizer<f32>>::START; 4], dense_1_weights: [<Momentum as Optimizer<f32>>::START; 4], dense_1_bias: [<Momentum as Optimizer<f32>>::START; 1], progress: <Momentum as Optimizer<f32>>::OUTSET, }
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
        let parameters = Parameters { dense_weights: [0.0; 24], dense_bias: [0.0; 4], dense_1_weights: [0.0; 4], dense_1_bias: [0.0; 1], };
        Self { parameters, state: State::new(), committed: false }
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self::new()
    }
}

impl Learner for Network {
    type Optimizer = Momentum;
    const TARGET: TargetKind = TargetKind::Values(1);

    fn train_step(&mut self, target: Target<'_>, optimizer: &Momentum) -> Result<f32, TrainError> {
        let target = target.values::<1>()?;
        self.train_step(&target, optimizer)
    }

    fn evaluate(&mut self, target: Target<'_>) -> Result<Evaluation, TrainError> {
        let target = target.values::<1>()?;
        self.evaluate(&target)
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

