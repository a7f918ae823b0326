// milligrad model: name=series_classifier learns=yes optimizer=Sgd core=portable
// 9 layers, 351 multiply-accumulate operations, 1288 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Evaluation, Learner, Model, Optimizer, Padding, Port, Sgd, Target, TargetKind, TrainError, Window2d, arena, loss, layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, dense}};

/// Name of the model.
pub const NAME: &str = "series_classifier";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 9] = ["conv1d", "elu", "depthwise_conv1d", "elu_1", "avg_pool1d", "dense", "tanh", "dense_1", "softmax"];

const CONV1D_WINDOW: Window2d = Window2d::new([1, 10, 2], [1, 3], [1, 1], [1, 1], Padding::Valid);

const DEPTHWISE_CONV1D_WINDOW: Window2d = Window2d::new([1, 8, 4], [1, 2], [1, 1], [1, 1], Padding::Same);

static AVG_POOL1D: AvgPool2d<f32> = AvgPool2d::new(Window2d::new([1, 8, 4], [1, 2], [1, 2], [1, 1], Padding::Same), Clamp::<f32>::LINEAR);

/// All the RAM of the model, 1288 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    float: [f32; 179],
    /// What has been learned.
    pub parameters: Parameters,
    state: State,
}

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { float: [0.0; 179], parameters: Parameters::new(), state: State::new(), }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [f32; 20] {
        arena::array_mut(&mut self.float, 120)
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
        arena::array(&self.float, 176)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // conv1d: Conv1d [8, 4], 192 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([120..140, 32..38, 0..32]) {
            Conv2d::<f32>::new(CONV1D_WINDOW, &self.parameters.conv1d_weights, &self.parameters.conv1d_bias, Clamp::<f32>::LINEAR, 0.0).forward(x, patch, y);
        }
        done(0);
        // elu: ELU [8, 4], 0 MAC
        if let Some(y) = self.float.get_mut(0..32) {
            layers::elu(1.0, y);
        }
        done(1);
        // depthwise_conv1d: DepthwiseConv1d [8, 4], 64 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([0..32, 64..72, 32..64]) {
            DepthwiseConv2d::<f32>::new(DEPTHWISE_CONV1D_WINDOW, &self.parameters.depthwise_conv1d_weights, &self.parameters.depthwise_conv1d_bias, Clamp::<f32>::LINEAR, 0.0).forward(x, patch, y);
        }
        done(2);
        // elu_1: ELU [8, 4], 0 MAC
        if let Some(y) = self.float.get_mut(32..64) {
            layers::elu(1.0, y);
        }
        done(3);
        // avg_pool1d: AvgPool1d [4, 4], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([32..64, 140..156]) {
            AVG_POOL1D.forward(x, y);
        }
        done(4);
        // dense: Dense [5], 80 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([140..156, 162..167]) {
            Dense::<f32>::new(16, &self.parameters.dense_weights, &self.parameters.dense_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(5);
        // tanh: Tanh [5], 0 MAC
        if let Some(y) = self.float.get_mut(162..167) {
            layers::tanh(y);
        }
        done(6);
        // dense_1: Dense [3], 15 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([162..167, 176..179]) {
            Dense::<f32>::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(7);
        // softmax: Softmax [3], 0 MAC
        if let Some(y) = self.float.get_mut(176..179) {
            layers::softmax(y);
        }
        done(8);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, label: usize) -> Result<f32, TrainError> {
        Target::Class(label).class(3)?;
        self.forward(|_| {});
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<f32, 3>(&mut self.float, 176);
        let loss = loss::sparse_categorical_cross_entropy(outputs, label)?;
        if !loss.is_finite() {
            return Err(TrainError::NotFinite);
        }
        // dense_1: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([176..179, 167..172]) {
            Dense::<f32>::new(5, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).backward_input(delta, delta_x);
        }
        // tanh: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([162..167, 167..172]) {
            layers::tanh_backward(y, delta);
        }
        // dense: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([167..172, 96..112]) {
            Dense::<f32>::new(16, &self.parameters.dense_weights, &self.parameters.dense_bias, Clamp::<f32>::LINEAR).backward_input(delta, delta_x);
        }
        // avg_pool1d: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([96..112, 64..96]) {
            AVG_POOL1D.backward_input(delta, delta_x);
        }
        // elu_1: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([32..64, 64..96]) {
            layers::elu_backward(1.0, y, delta);
        }
        // depthwise_conv1d: through the layer
        if let Ok([delta, patch, delta_x]) = self.float.get_disjoint_mut([64..96, 96..104, 32..64]) {
            DepthwiseConv2d::<f32>::new(DEPTHWISE_CONV1D_WINDOW, &self.parameters.depthwise_conv1d_weights, &self.parameters.depthwise_conv1d_bias, Clamp::<f32>::LINEAR, 0.0).backward_input(delta, patch, delta_x);
        }
        // elu: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([0..32, 32..64]) {
            layers::elu_backward(1.0, y, delta);
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
        // conv1d: gradients
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([120..140, 32..64, 156..162, 96..120, 172..176]) {
            gradient_w.fill(0.0);
            gradient_b.fill(0.0);
            Conv2d::<f32>::new(CONV1D_WINDOW, &self.parameters.conv1d_weights, &self.parameters.conv1d_bias, Clamp::<f32>::LINEAR, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
        }
        // conv1d: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([96..120, 172..176]) {
            optimizer.update_weights(&mut self.parameters.conv1d_weights, &mut self.state.conv1d_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.conv1d_bias, &mut self.state.conv1d_bias, gradient_b);
        }
        // depthwise_conv1d: gradients
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([0..32, 64..96, 40..48, 32..40, 48..52]) {
            gradient_w.fill(0.0);
            gradient_b.fill(0.0);
            DepthwiseConv2d::<f32>::new(DEPTHWISE_CONV1D_WINDOW, &self.parameters.depthwise_conv1d_weights, &self.parameters.depthwise_conv1d_bias, Clamp::<f32>::LINEAR, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
        }
        // depthwise_conv1d: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([32..40, 48..52]) {
            optimizer.update_weights(&mut self.parameters.depthwise_conv1d_weights, &mut self.state.depthwise_conv1d_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.depthwise_conv1d_bias, &mut self.state.depthwise_conv1d_bias, gradient_b);
        }
        // dense: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([140..156, 167..172]) {
            let state = (&mut self.state.dense_weights[..], &mut self.state.dense_bias[..]);
            let Parameters { dense_weights, dense_bias, .. } = &mut self.parameters;
            dense::apply::<f32, _>(x, delta, dense_weights, dense_bias, state, optimizer);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([162..167, 176..179]) {
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
        Target::Class(label).class(3)?;
        self.forward(|_| {});
        let outputs = arena::array_mut::<f32, 3>(&mut self.float, 176);
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
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[10, 2] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[3] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        match index {
            0 => ElementsMut::F32(self.input()),
            _ => ElementsMut::F32(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::F32(arena::array::<_, 3>(&self.float, 176)),
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
    /// `conv1d/weights`
    pub conv1d_weights: [f32; 24],
    /// `conv1d/bias`
    pub conv1d_bias: [f32; 4],
    /// `depthwise_conv1d/weights`
    pub depthwise_conv1d_weights: [f32; 8],
    /// `depthwise_conv1d/bias`
    pub depthwise_conv1d_bias: [f32; 4],
    /// `dense/weights`
    pub dense_weights: [f32; 80],
    /// `dense/bias`
    pub dense_bias: [f32; 5],
    /// `dense_1/weights`
    pub dense_1_weights: [f32; 15],
    /// `dense_1/bias`
    pub dense_1_bias: [f32; 3],
}

const CONV1D_WEIGHTS: [f32; 24] = [
    -0.25314608, 0.38643745, -0.4354894, -0.40151724, -0.08151838, 0.16109444, -0.55833447, 0.028885793,
    0.26786655, 0.16620626, -0.33402404, -0.24956909, -0.3852577, 0.2748176, 0.004347157, -0.36099958,
    -0.31974146, -0.35203335, -0.38156375, -0.4900292, 0.44291434, -0.10982081, 0.12278155, -0.3640584,
];
const CONV1D_BIAS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
const DEPTHWISE_CONV1D_WEIGHTS: [f32; 8] = [
    -0.26205334, 0.7431364, 0.22365025, 0.7708757, -0.12212311, -0.14357737, 0.41282338, -0.75431365,
];
const DEPTHWISE_CONV1D_BIAS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
const DENSE_WEIGHTS: [f32; 80] = [
    0.4178282, 0.18280299, 0.10142759, -0.26256537, 0.19918855, 0.4501451, -0.097031735, 0.013925251,
    0.20942326, -0.06805664, -0.315644, 0.34703556, -0.34258577, 0.20534804, -0.5245935, 0.4039749,
    0.15255171, 0.42708933, 0.14450757, -0.39551613, -0.15482448, 0.49619868, 0.1795346, 0.07335611,
    -0.21238019, 0.27674228, -0.032696094, -0.0351395, 0.19506401, -0.19969282, -0.417571, 0.04215801,
    0.3819809, -0.37542418, 0.040332623, 0.5278202, -0.4472678, -0.19256599, 0.2433269, 0.08918684,
    0.26462898, -0.4905584, 0.24093238, 0.016695734, -0.11673136, -0.2573399, -0.27144766, 0.40353763,
    -0.23653072, 0.38369554, -0.08178659, 0.046098456, 0.30595282, -0.046060927, 0.14353889, 0.4287105,
    -0.11346832, 0.056598246, 0.06434654, 0.12705012, 0.32138038, 0.21926259, 0.53207076, -0.37670532,
    -0.37910068, -0.37118736, 0.40569016, 0.5340318, 0.26917315, 0.39618975, -0.5071267, 0.44431904,
    -0.17758878, -0.20980003, 0.33186132, 0.17792031, 0.29532105, 0.119699635, 0.46788788, -0.21918753,
];
const DENSE_BIAS: [f32; 5] = [
    0.0, 0.0, 0.0, 0.0, 0.0,
];
const DENSE_1_WEIGHTS: [f32; 15] = [
    0.64943993, -0.4768202, 0.4032578, 0.3105818, -0.6865674, -0.027928947, -0.53856033, 0.71745646,
    -0.8168445, 0.38009533, -0.4476141, 0.78351295, 0.7980591, 0.09158876, -0.7408983,
];
const DENSE_1_BIAS: [f32; 3] = [
    0.0, 0.0, 0.0,
];

impl Parameters {
    /// As they were exported.
    pub const fn new() -> Self {
        Self { conv1d_weights: CONV1D_WEIGHTS, conv1d_bias: CONV1D_BIAS, depthwise_conv1d_weights: DEPTHWISE_CONV1D_WEIGHTS, depthwise_conv1d_bias: DEPTHWISE_CONV1D_BIAS, dense_weights: DENSE_WEIGHTS, dense_bias: DENSE_BIAS, dense_1_weights: DENSE_1_WEIGHTS, dense_1_bias: DENSE_1_BIAS, }
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
    conv1d_weights: [Memory; 24],
    conv1d_bias: [Memory; 4],
    depthwise_conv1d_weights: [Memory; 8],
    depthwise_conv1d_bias: [Memory; 4],
    dense_weights: [Memory; 80],
    dense_bias: [Memory; 5],
    dense_1_weights: [Memory; 15],
    dense_1_bias: [Memory; 3],
    progress: <Sgd as Optimizer<f32>>::Progress,
}

impl State {
    /// As before the first step.
    pub const fn new() -> Self {
        Self { conv1d_weights: [<Sgd as Optimizer<f32>>::START; 24], conv1d_bias: [<Sgd as Optimizer<f32>>::START; 4], depthwise_conv1d_weights: [<Sgd as Optimizer<f32>>::START; 8], depthwise_conv1d_bias: [<Sgd as Optimizer<f32>>::START; 4], dense_weights: [<Sgd as Optimizer<f32>>::START; 80], dense_bias: [<Sgd as Optimizer<f32>>::START; 5], dense_1_weights: [<Sgd as Optimizer<f32>>::START; 15], dense_1_bias: [<Sgd as Optimizer<f32>>::START; 3], progress: <Sgd as Optimizer<f32>>::OUTSET, }
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
        let parameters = Parameters { conv1d_weights: [0.0; 24], conv1d_bias: [0.0; 4], depthwise_conv1d_weights: [0.0; 8], depthwise_conv1d_bias: [0.0; 4], dense_weights: [0.0; 80], dense_bias: [0.0; 5], dense_1_weights: [0.0; 15], dense_1_bias: [0.0; 3], };
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
    const TARGET: TargetKind = TargetKind::Class(3);

    fn train_step(&mut self, target: Target<'_>, optimizer: &Sgd) -> Result<f32, TrainError> {
        let target = target.class(3)?;
        self.train_step(target, optimizer)
    }

    fn evaluate(&mut self, target: Target<'_>) -> Result<Evaluation, TrainError> {
        let target = target.class(3)?;
        self.evaluate(target)
    }

    fn parameters(&self, mut visit: impl FnMut(&'static str, &[f32])) {
        visit("conv1d/weights", &self.parameters.conv1d_weights);
        visit("conv1d/bias", &self.parameters.conv1d_bias);
        visit("depthwise_conv1d/weights", &self.parameters.depthwise_conv1d_weights);
        visit("depthwise_conv1d/bias", &self.parameters.depthwise_conv1d_bias);
        visit("dense/weights", &self.parameters.dense_weights);
        visit("dense/bias", &self.parameters.dense_bias);
        visit("dense_1/weights", &self.parameters.dense_1_weights);
        visit("dense_1/bias", &self.parameters.dense_1_bias);
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`.
pub fn prepare_input(raw: &[f32; 20], input: &mut [f32; 20]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = x;
    }
}

