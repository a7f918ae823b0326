// milligrad model: name=mlp learns=yes optimizer=Sgd core=portable
// 3 layers, 50 multiply-accumulate operations, 316 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Evaluation, Learner, Model, Optimizer, Port, Sgd, Target, TargetKind, TrainError, arena, loss, layers::{self, Dense, dense}};

/// Name of the model.
pub const NAME: &str = "mlp";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 3] = ["dense", "dense_1", "softmax"];

/// All the RAM of the model, 316 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    float: [f32; 20],
    /// What has been learned.
    pub parameters: Parameters,
    state: State,
}

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { float: [0.0; 20], parameters: Parameters::new(), state: State::new(), }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [f32; 6] {
        arena::array_mut(&mut self.float, 0)
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
        arena::array(&self.float, 16)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // dense: Dense [5], 30 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([0..6, 6..11]) {
            Dense::<f32>::new(6, &self.parameters.dense_weights, &self.parameters.dense_bias, Clamp::<f32>::RELU).forward(x, y);
        }
        done(0);
        // dense_1: Dense [4], 20 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([6..11, 16..20]) {
            Dense::<f32>::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(1);
        // softmax: Softmax [4], 0 MAC
        if let Some(y) = self.float.get_mut(16..20) {
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
        let outputs = arena::array_mut::<f32, 4>(&mut self.float, 16);
        let loss = loss::sparse_categorical_cross_entropy(outputs, label)?;
        if !loss.is_finite() {
            return Err(TrainError::NotFinite);
        }
        // dense_1: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([16..20, 11..16]) {
            Dense::<f32>::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).backward_input(delta, delta_x);
        }
        // dense: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([6..11, 11..16]) {
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
    pub fn train_step(&mut self, label: usize, optimizer: &Sgd) -> Result<f32, TrainError> {
        let loss = self.deltas(label)?;
        let optimizer = &optimizer.begin(&mut self.state.progress);
        // dense: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([0..6, 11..16]) {
            let state = (&mut self.state.dense_weights[..], &mut self.state.dense_bias[..]);
            let Parameters { dense_weights, dense_bias, .. } = &mut self.parameters;
            dense::apply::<f32, _>(x, delta, dense_weights, dense_bias, state, optimizer);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([6..11, 16..20]) {
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
        let outputs = arena::array_mut::<f32, 4>(&mut self.float, 16);
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
            0 => Elements::F32(arena::array::<_, 4>(&self.float, 16)),
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
    pub dense_weights: [f32; 30],
    /// `dense/bias`
    pub dense_bias: [f32; 5],
    /// `dense_1/weights`
    pub dense_1_weights: [f32; 20],
    /// `dense_1/bias`
    pub dense_1_bias: [f32; 4],
}

const DENSE_WEIGHTS: [f32; 30] = [
    0.7007647, 0.6311807, 0.63972896, 0.72723335, -0.3982738, 0.41816306, -0.35359818, -0.07801463,
    0.43702376, -0.6146293, -0.04327937, -0.65812504, 0.657663, -0.21386847, -0.40103832, -0.056957647,
    -0.28039512, 0.6031316, 0.42719617, 0.46938848, 0.18090153, -0.5515734, -0.42005095, -0.40992948,
    0.14277296, 0.43636045, -0.25570473, -0.5876648, -0.26357427, 0.24882188,
];
const DENSE_BIAS: [f32; 5] = [
    0.0, 0.0, 0.0, 0.0, 0.0,
];
const DENSE_1_WEIGHTS: [f32; 20] = [
    -0.068788745, -0.77656925, -0.24894382, -0.35682073, 0.53528786, 0.67769843, -0.39312407, 0.3585557,
    -0.14950986, -0.2447681, -0.42024648, 0.39352342, 0.57820433, 0.7284745, -0.68142974, -0.3997676,
    -0.6162014, 0.7276511, -0.7619716, -0.018291974,
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
type Memory = <Sgd as Optimizer<f32>>::State;

/// What the optimizer remembers of each parameter.
#[derive(Clone, Copy)]
pub struct State {
    dense_weights: [Memory; 30],
    dense_bias: [Memory; 5],
    dense_1_weights: [Memory; 20],
    dense_1_bias: [Memory; 4],
    progress: <Sgd as Optimizer<f32>>::Progress,
}

impl State {
    /// As before the first step.
    pub const fn new() -> Self {
        Self { dense_weights: [<Sgd as Optimizer<f32>>::START; 30], dense_bias: [<Sgd as Optimizer<f32>>::START; 5], dense_1_weights: [<Sgd as Optimizer<f32>>::START; 20], dense_1_bias: [<Sgd as Optimizer<f32>>::START; 4], progress: <Sgd as Optimizer<f32>>::OUTSET, }
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
        let parameters = Parameters { dense_weights: [0.0; 30], dense_bias: [0.0; 5], dense_1_weights: [0.0; 20], dense_1_bias: [0.0; 4], };
        Self { parameters, state: State::new(), committed: false }
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self::new()
    }
}

impl Learner for Network {
    type Optimizer = Sgd;
    const TARGET: TargetKind = TargetKind::Class(4);

    fn train_step(&mut self, target: Target<'_>, optimizer: &Sgd) -> Result<f32, TrainError> {
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

