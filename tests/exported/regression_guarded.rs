// milligrad model: name=regression learns=batches optimizer=Sgd core=portable
// 3 layers, 45 multiply-accumulate operations, 564 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{BatchLearner, Clamp, Elements, ElementsMut, Evaluation, Learner, Model, Optimizer, Port, Sgd, Target, TargetKind, TrainError, arena, guard, loss, layers::{self, Dense, dense}};

/// Name of the model.
pub const NAME: &str = "regression";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 3] = ["dense", "tanh", "dense_1"];

/// All the RAM of the model, 564 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    float: [f32; 72],
    /// What has been learned.
    pub parameters: Parameters,
    state: State,
    /// Decides on every step. After a change of `parameters` by hand, call its `forget`.
    pub guard: guard::Guard,
    /// Samples of the batch so far.
    samples: u32,
}

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { float: [0.0; 72], parameters: Parameters::new(), state: State::new(), guard: guard::Guard::new().knowing(0.84468573), samples: 0, }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [f32; 6] {
        arena::array_mut(&mut self.float, 45)
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
        arena::array(&self.float, 61)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // dense: Dense [5], 30 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([45..51, 51..56]) {
            Dense::<f32>::new(6, &self.parameters.dense_weights, &self.parameters.dense_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(0);
        // tanh: Tanh [5], 0 MAC
        if let Some(y) = self.float.get_mut(51..56) {
            layers::tanh(y);
        }
        done(1);
        // dense_1: Dense [3], 15 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([51..56, 61..64]) {
            Dense::<f32>::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::RELU6).forward(x, y);
        }
        done(2);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, target: &[f32; 3]) -> Result<f32, TrainError> {
        if !self.float.get(45..51).is_some_and(guard::all_finite) {
            return Err(TrainError::NotFinite);
        }
        self.forward(|_| {});
        if let Ok([y, delta]) = self.float.get_disjoint_mut([61..64, 69..72]) {
            layers::copy(y, delta);
        }
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<f32, 3>(&mut self.float, 69);
        let loss = loss::mean_squared_error(outputs, target);
        if !loss.is_finite() {
            return Err(TrainError::NotFinite);
        }
        // dense_1: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([61..64, 69..72]) {
            Dense::<f32>::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::RELU6).backward_activation(y, delta);
        }
        // dense_1: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([69..72, 61..66]) {
            Dense::<f32>::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::RELU6).backward_input(delta, delta_x);
        }
        // tanh: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([51..56, 61..66]) {
            layers::tanh_backward(y, delta);
        }
        Ok(loss)
    }

    /// One step of gradient descent on the [`input`](Self::input) and its target; returns the loss before the update.
    /// The optimizer may be another at each step: a `milligrad::Schedule` tells its learning rate.
    ///
    /// # Errors
    /// What the guard refuses. No parameter has changed then.
    #[inline]
    pub fn train_step(&mut self, target: &[f32; 3], optimizer: &Sgd) -> Result<f32, TrainError> {
        let loss = self.deltas(target).map_err(|reason| self.guard.refuse(reason))?;
        let mut norm = guard::Norm::new();
        if let Ok([x, delta]) = self.float.get_disjoint_mut([45..51, 61..66]) {
            norm.dense(x, delta);
        }
        if let Ok([x, delta]) = self.float.get_disjoint_mut([51..56, 69..72]) {
            norm.dense(x, delta);
        }
        let step = self.guard.decide(norm, optimizer, || Self::extent(&self.parameters, &self.state))?;
        if let Some(values) = self.float.get_mut(61..66) {
            step.clip(values);
        }
        if let Some(values) = self.float.get_mut(69..72) {
            step.clip(values);
        }
        let optimizer = &step.optimizer.begin(&mut self.state.progress);
        // dense: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([45..51, 61..66]) {
            let state = (&mut self.state.dense_weights[..], &mut self.state.dense_bias[..]);
            let Parameters { dense_weights, dense_bias, .. } = &mut self.parameters;
            dense::apply::<f32, _>(x, delta, dense_weights, dense_bias, state, optimizer);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([51..56, 69..72]) {
            let state = (&mut self.state.dense_1_weights[..], &mut self.state.dense_1_bias[..]);
            let Parameters { dense_1_weights, dense_1_bias, .. } = &mut self.parameters;
            dense::apply::<f32, _>(x, delta, dense_1_weights, dense_1_bias, state, optimizer);
        }
        Ok(loss)
    }

    /// Adds the gradients of the [`input`](Self::input) and its target to those of the batch; returns the loss.
    ///
    /// # Errors
    /// A target that is none, or an input, a loss or a delta that is not finite. Nothing is added then.
    pub fn accumulate(&mut self, target: &[f32; 3]) -> Result<f32, TrainError> {
        let loss = self.deltas(target).map_err(|reason| self.guard.refuse(reason))?;
        let mut finite = true;
        if let Some(values) = self.float.get_mut(61..66) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(45..51) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(69..72) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(51..56) {
            finite &= guard::all_finite(values);
        }
        if !finite {
            return Err(self.guard.refuse(TrainError::NotFinite));
        }
        if self.samples == 0 {
            if let Some(values) = self.float.get_mut(0..30) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(56..61) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(30..45) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(66..69) {
                values.fill(0.0);
            }
        }
        self.samples += 1;
        // dense: gradients
        if let Ok([x, delta, gradient_w, gradient_b]) = self.float.get_disjoint_mut([45..51, 61..66, 0..30, 56..61]) {
            dense::accumulate::<f32>(x, delta, gradient_w, gradient_b);
        }
        // dense_1: gradients
        if let Ok([x, delta, gradient_w, gradient_b]) = self.float.get_disjoint_mut([51..56, 69..72, 30..45, 66..69]) {
            dense::accumulate::<f32>(x, delta, gradient_w, gradient_b);
        }
        Ok(loss)
    }

    /// Updates by the mean of the gradients of the batch, and begins a new one. Returns how many samples there were.
    ///
    /// # Errors
    /// What the guard refuses; no parameter has changed then, and the batch is dropped.
    pub fn apply(&mut self, optimizer: &Sgd) -> Result<usize, TrainError> {
        let samples = core::mem::take(&mut self.samples);
        if samples == 0 {
            return Ok(0);
        }
        let mean = 1.0 / samples as f32;
        let mut norm = guard::Norm::new();
        if let Some(values) = self.float.get_mut(0..30) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(56..61) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(30..45) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(66..69) {
            norm.gradient(values);
        }
        let norm = norm.scaled(mean);
        let step = self.guard.decide(norm, optimizer, || Self::extent(&self.parameters, &self.state))?;
        let factor = mean * step.factor;
        let optimizer = &step.optimizer.begin(&mut self.state.progress);
        if let Some(values) = self.float.get_mut(0..30) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(56..61) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(30..45) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(66..69) {
            guard::scale(factor, values);
        }
        // dense: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([0..30, 56..61]) {
            optimizer.update_weights(&mut self.parameters.dense_weights, &mut self.state.dense_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.dense_bias, &mut self.state.dense_bias, gradient_b);
        }
        // dense_1: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([30..45, 66..69]) {
            optimizer.update_weights(&mut self.parameters.dense_1_weights, &mut self.state.dense_1_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.dense_1_bias, &mut self.state.dense_1_bias, gradient_b);
        }
        Ok(samples as usize)
    }

    /// How well the network does on its [`input`](Self::input): loss and hit. Changes no parameter.
    ///
    /// # Errors
    /// A target that is none.
    pub fn evaluate(&mut self, target: &[f32; 3]) -> Result<Evaluation, TrainError> {
        self.forward(|_| {});
        let outputs = arena::array_mut::<f32, 3>(&mut self.float, 61);
        let hit = None;
        let loss = loss::mean_squared_error(outputs, target);
        Ok(Evaluation { loss, hit })
    }

    /// The largest magnitudes of parameters and velocities.
    fn extent(parameters: &Parameters, state: &State) -> (f32, f32) {
        let (mut parameter, mut velocity) = (0.0, 0.0);
        parameter = guard::most(parameter, guard::largest(&parameters.dense_weights));
        velocity = guard::most(velocity, guard::fastest::<f32, Sgd>(&state.dense_weights));
        parameter = guard::most(parameter, guard::largest(&parameters.dense_bias));
        velocity = guard::most(velocity, guard::fastest::<f32, Sgd>(&state.dense_bias));
        parameter = guard::most(parameter, guard::largest(&parameters.dense_1_weights));
        velocity = guard::most(velocity, guard::fastest::<f32, Sgd>(&state.dense_1_weights));
        parameter = guard::most(parameter, guard::largest(&parameters.dense_1_bias));
        velocity = guard::most(velocity, guard::fastest::<f32, Sgd>(&state.dense_1_bias));
        (parameter, velocity)
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
            0 => ElementsMut::F32(self.input()),
            _ => ElementsMut::F32(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::F32(arena::array::<_, 3>(&self.float, 61)),
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
    pub dense_1_weights: [f32; 15],
    /// `dense_1/bias`
    pub dense_1_bias: [f32; 3],
}

const DENSE_WEIGHTS: [f32; 30] = [
    0.01925846, -0.4068658, -0.7278, 0.046744786, -0.48058918, -0.4481866, -0.049021464, 0.30785564,
    -0.31487998, 0.59651357, -0.66022235, 0.39915422, -0.59332937, 0.6462344, 0.2396496, 0.49815997,
    0.3134838, 0.25421402, 0.35454118, 0.6118199, -0.33283392, 0.6619946, -0.6891733, -0.57889545, 0.09091963,
    -0.41219464, 0.2176761, -0.6254867, 0.49435708, -0.63816595,
];
const DENSE_BIAS: [f32; 5] = [
    0.0, 0.0, 0.0, 0.0, 0.0,
];
const DENSE_1_WEIGHTS: [f32; 15] = [
    -0.14843124, 0.37770507, 0.75519025, 0.78360695, 0.77151054, -0.84468573, -0.7814553, -0.5894928,
    0.41441607, 0.4826129, -0.7364428, 0.76721686, -0.5441555, -0.47735786, 0.83018404,
];
const DENSE_1_BIAS: [f32; 3] = [
    0.0, 0.0, 0.0,
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
    dense_1_weights: [Memory; 15],
    dense_1_bias: [Memory; 3],
    progress: <Sgd as Optimizer<f32>>::Progress,
}

impl State {
    /// As before the first step.
    pub const fn new() -> Self {
        Self { dense_weights: [<Sgd as Optimizer<f32>>::START; 30], dense_bias: [<Sgd as Optimizer<f32>>::START; 5], dense_1_weights: [<Sgd as Optimizer<f32>>::START; 15], dense_1_bias: [<Sgd as Optimizer<f32>>::START; 3], progress: <Sgd as Optimizer<f32>>::OUTSET, }
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
        let parameters = Parameters { dense_weights: [0.0; 30], dense_bias: [0.0; 5], dense_1_weights: [0.0; 15], dense_1_bias: [0.0; 3], };
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
    const TARGET: TargetKind = TargetKind::Values(3);

    fn train_step(&mut self, target: Target<'_>, optimizer: &Sgd) -> Result<f32, TrainError> {
        let target = target.values::<3>().map_err(|reason| self.guard.refuse(reason))?;
        self.train_step(&target, optimizer)
    }

    fn evaluate(&mut self, target: Target<'_>) -> Result<Evaluation, TrainError> {
        let target = target.values::<3>()?;
        self.evaluate(&target)
    }

    fn parameters(&self, mut visit: impl FnMut(&'static str, &[f32])) {
        visit("dense/weights", &self.parameters.dense_weights);
        visit("dense/bias", &self.parameters.dense_bias);
        visit("dense_1/weights", &self.parameters.dense_1_weights);
        visit("dense_1/bias", &self.parameters.dense_1_bias);
    }
}

impl BatchLearner for Network {
    fn accumulate(&mut self, target: Target<'_>) -> Result<f32, TrainError> {
        let target = target.values::<3>().map_err(|reason| self.guard.refuse(reason))?;
        self.accumulate(&target)
    }

    fn apply(&mut self, optimizer: &Sgd) -> Result<usize, TrainError> {
        self.apply(optimizer)
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`.
pub fn prepare_input(raw: &[f32; 6], input: &mut [f32; 6]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = x;
    }
}

