// milligrad model: name=wide learns=batches optimizer=Momentum core=portable
// 3 layers, 1056 multiply-accumulate operations, 13356 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{BatchLearner, Clamp, Elements, ElementsMut, Evaluation, Learner, Model, Momentum, Optimizer, Port, Quantization, Target, TargetKind, TrainError, arena, guard, loss, layers::{self, Dense, dense}};

/// Name of the model.
pub const NAME: &str = "wide";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 3] = ["dense", "dense_1", "softmax"];
/// Scale and zero point of the input.
pub const INPUT_QUANTIZATION: Quantization = Quantization::new(0.007840531, -1);

/// All the RAM of the model, 13356 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    int8: [i8; 261],
    float: [f32; 1131],
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
        Self { int8: [0; 261], float: [0.0; 1131], parameters: Parameters::new(), state: State::new(), guard: guard::Guard::new().knowing(0.9249706), samples: 0, }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [i8; 261] {
        arena::array_mut(&mut self.int8, 0)
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
        arena::array(&self.float, 1067)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // dense: Dense [4], 1044 MAC
        if let Some(x) = self.int8.get_mut(0..261) {
            if let Ok([patch, y]) = self.float.get_disjoint_mut([1067..1131, 1063..1067]) {
                Dense::<f32>::new(261, &self.parameters.dense_weights, &self.parameters.dense_bias, Clamp::<f32>::RELU).forward_dequantized(dense::Dequantized::new(Quantization::new(0.007840531, -1), x), patch, y);
            }
        }
        done(0);
        // dense_1: Dense [3], 12 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([1063..1067, 1067..1070]) {
            Dense::<f32>::new(4, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(1);
        // softmax: Softmax [3], 0 MAC
        if let Some(y) = self.float.get_mut(1067..1070) {
            layers::softmax(y);
        }
        done(2);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, label: usize) -> Result<f32, TrainError> {
        Target::Class(label).class(3)?;
        self.forward(|_| {});
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<f32, 3>(&mut self.float, 1067);
        let loss = loss::sparse_categorical_cross_entropy(outputs, label)?;
        if !loss.is_finite() {
            return Err(TrainError::NotFinite);
        }
        // dense_1: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([1067..1070, 1127..1131]) {
            Dense::<f32>::new(4, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).backward_input(delta, delta_x);
        }
        // dense: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([1063..1067, 1127..1131]) {
            Dense::<f32>::new(261, &self.parameters.dense_weights, &self.parameters.dense_bias, Clamp::<f32>::RELU).backward_activation(y, delta);
        }
        Ok(loss)
    }

    /// One step of gradient descent on the [`input`](Self::input) and its target; returns the loss before the update.
    /// The optimizer may be another at each step: a `milligrad::Schedule` tells its learning rate.
    ///
    /// # Errors
    /// What the guard refuses. No parameter has changed then.
    #[inline]
    pub fn train_step(&mut self, label: usize, optimizer: &Momentum) -> Result<f32, TrainError> {
        let loss = self.deltas(label).map_err(|reason| self.guard.refuse(reason))?;
        let mut norm = guard::Norm::new();
        if let Some(x) = self.int8.get_mut(0..261) {
            if let Some(delta) = self.float.get_mut(1127..1131) {
                norm.dense_dequantized(dense::Dequantized::new(Quantization::new(0.007840531, -1), x), delta);
            }
        }
        if let Ok([x, delta]) = self.float.get_disjoint_mut([1063..1067, 1067..1070]) {
            norm.dense(x, delta);
        }
        let step = self.guard.decide(norm, optimizer, || Self::extent(&self.parameters, &self.state))?;
        if let Some(values) = self.float.get_mut(1067..1070) {
            step.clip(values);
        }
        if let Some(values) = self.float.get_mut(1127..1131) {
            step.clip(values);
        }
        let optimizer = &step.optimizer.begin(&mut self.state.progress);
        // dense_1: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([1063..1067, 1067..1070]) {
            let state = (&mut self.state.dense_1_weights[..], &mut self.state.dense_1_bias[..]);
            let Parameters { dense_1_weights, dense_1_bias, .. } = &mut self.parameters;
            dense::apply::<f32, _>(x, delta, dense_1_weights, dense_1_bias, state, optimizer);
        }
        // dense: update
        if let Some(x) = self.int8.get_mut(0..261) {
            if let Ok([delta, patch]) = self.float.get_disjoint_mut([1127..1131, 1063..1127]) {
                let state = (&mut self.state.dense_weights[..], &mut self.state.dense_bias[..]);
                let Parameters { dense_weights, dense_bias, .. } = &mut self.parameters;
                dense::apply_dequantized(dense::Dequantized::new(Quantization::new(0.007840531, -1), x), patch, delta, dense_weights, dense_bias, state, optimizer);
            }
        }
        Ok(loss)
    }

    /// Adds the gradients of the [`input`](Self::input) and its target to those of the batch; returns the loss.
    ///
    /// # Errors
    /// A target that is none, or an input, a loss or a delta that is not finite. Nothing is added then.
    pub fn accumulate(&mut self, label: usize) -> Result<f32, TrainError> {
        let loss = self.deltas(label).map_err(|reason| self.guard.refuse(reason))?;
        let mut finite = true;
        if let Some(values) = self.float.get_mut(1067..1070) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(1063..1067) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(1127..1131) {
            finite &= guard::all_finite(values);
        }
        if !finite {
            return Err(self.guard.refuse(TrainError::NotFinite));
        }
        if self.samples == 0 {
            if let Some(values) = self.float.get_mut(1044..1056) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(1060..1063) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(0..1044) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(1056..1060) {
                values.fill(0.0);
            }
        }
        self.samples += 1;
        // dense_1: gradients
        if let Ok([x, delta, gradient_w, gradient_b]) = self.float.get_disjoint_mut([1063..1067, 1067..1070, 1044..1056, 1060..1063]) {
            dense::accumulate::<f32>(x, delta, gradient_w, gradient_b);
        }
        // dense: gradients
        if let Some(x) = self.int8.get_mut(0..261) {
            if let Ok([delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([1127..1131, 1063..1127, 0..1044, 1056..1060]) {
                dense::accumulate_dequantized(dense::Dequantized::new(Quantization::new(0.007840531, -1), x), patch, delta, gradient_w, gradient_b);
            }
        }
        Ok(loss)
    }

    /// Updates by the mean of the gradients of the batch, and begins a new one. Returns how many samples there were.
    ///
    /// # Errors
    /// What the guard refuses; no parameter has changed then, and the batch is dropped.
    pub fn apply(&mut self, optimizer: &Momentum) -> Result<usize, TrainError> {
        let samples = core::mem::take(&mut self.samples);
        if samples == 0 {
            return Ok(0);
        }
        let mean = 1.0 / samples as f32;
        let mut norm = guard::Norm::new();
        if let Some(values) = self.float.get_mut(0..1044) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(1056..1060) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(1044..1056) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(1060..1063) {
            norm.gradient(values);
        }
        let norm = norm.scaled(mean);
        let step = self.guard.decide(norm, optimizer, || Self::extent(&self.parameters, &self.state))?;
        let factor = mean * step.factor;
        let optimizer = &step.optimizer.begin(&mut self.state.progress);
        if let Some(values) = self.float.get_mut(1044..1056) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(1060..1063) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(0..1044) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(1056..1060) {
            guard::scale(factor, values);
        }
        // dense_1: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([1044..1056, 1060..1063]) {
            optimizer.update_weights(&mut self.parameters.dense_1_weights, &mut self.state.dense_1_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.dense_1_bias, &mut self.state.dense_1_bias, gradient_b);
        }
        // dense: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([0..1044, 1056..1060]) {
            optimizer.update_weights(&mut self.parameters.dense_weights, &mut self.state.dense_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.dense_bias, &mut self.state.dense_bias, gradient_b);
        }
        Ok(samples as usize)
    }

    /// How well the network does on its [`input`](Self::input): loss and hit. Changes no parameter.
    ///
    /// # Errors
    /// A target that is none.
    pub fn evaluate(&mut self, label: usize) -> Result<Evaluation, TrainError> {
        Target::Class(label).class(3)?;
        self.forward(|_| {});
        let outputs = arena::array_mut::<f32, 3>(&mut self.float, 1067);
        let hit = Some(milligrad::argmax(outputs) == label);
        let loss = loss::sparse_categorical_cross_entropy(outputs, label)?;
        Ok(Evaluation { loss, hit })
    }

    /// The largest magnitudes of parameters and velocities.
    fn extent(parameters: &Parameters, state: &State) -> (f32, f32) {
        let (mut parameter, mut velocity) = (0.0, 0.0);
        parameter = guard::most(parameter, guard::largest(&parameters.dense_weights));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.dense_weights));
        parameter = guard::most(parameter, guard::largest(&parameters.dense_bias));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.dense_bias));
        parameter = guard::most(parameter, guard::largest(&parameters.dense_1_weights));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.dense_1_weights));
        parameter = guard::most(parameter, guard::largest(&parameters.dense_1_bias));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.dense_1_bias));
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
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[261] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[3] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        match index {
            0 => ElementsMut::I8(self.input()),
            _ => ElementsMut::I8(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::F32(arena::array::<_, 3>(&self.float, 1067)),
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
    pub dense_weights: [f32; 1044],
    /// `dense/bias`
    pub dense_bias: [f32; 4],
    /// `dense_1/weights`
    pub dense_1_weights: [f32; 12],
    /// `dense_1/bias`
    pub dense_1_bias: [f32; 3],
}

const DENSE_WEIGHTS: [f32; 1044] = [
    -0.13237786, -0.119376466, -0.12055841, 0.06737088, -0.060279205, -0.087463945, -0.042550027, -0.06737088,
    -0.114648685, 0.10282923, -0.12646814, -0.112284794, -0.06618893, -0.02718474, 0.010637507, 0.055551425,
    0.06973477, -0.13237786, 0.014183342, -0.14301537, 0.07919033, 0.008273616, -0.007091671, -0.12765008,
    0.07919033, -0.008273616, -0.117012575, -0.12055841, 0.055551425, 0.11110285, -0.14537926, -0.0366403,
    0.044913918, -0.010637507, -0.057915315, 0.09691951, -0.0732806, 0.0035458356, -0.011819452, 0.10164729,
    0.037822247, -0.06382504, 0.035458356, 0.0992834, 0.08155422, -0.109920904, -0.028366685, 0.112284794,
    -0.017729178, 0.13119592, 0.1359237, 0.009455562, -0.14183342, -0.14537926, -0.1489251, -0.009455562,
    0.14183342, -0.085100055, 0.07564449, 0.11110285, -0.008273616, 0.12646814, -0.0992834, 0.10282923,
    0.008273616, 0.089827836, -0.09100978, -0.055551425, 0.10519312, -0.14537926, 0.0992834, 0.06382504,
    -0.12883203, 0.07682644, 0.086282, 0.07446255, 0.09810145, -0.1359237, -0.15010704, -0.07919033,
    -0.1229223, 0.1489251, -0.05909726, -0.048459753, 0.009455562, 0.06855282, 0.085100055, 0.033094466,
    -0.037822247, 0.09100978, -0.0011819452, 0.14183342, -0.004727781, -0.040186137, -0.11110285, 0.10755701,
    -0.121740356, -0.04727781, -0.0366403, 0.062643096, -0.08155422, 0.0023638904, 0.062643096, -0.010637507,
    0.040186137, -0.10282923, 0.008273616, 0.07682644, -0.10046534, -0.13474175, 0.119376466, -0.026002795,
    -0.10873896, -0.089827836, 0.09100978, 0.015365288, 0.017729178, -0.082736164, -0.10401118, 0.055551425,
    -0.086282, 0.117012575, -0.12883203, -0.02718474, -0.13119592, 0.05436948, 0.015365288, 0.07091671,
    -0.09691951, -0.046095863, -0.121740356, -0.09573756, -0.057915315, -0.0992834, -0.13237786, -0.044913918,
    0.11583063, 0.085100055, 0.085100055, -0.010637507, -0.05673337, 0.13946953, -0.043731973, 0.033094466,
    -0.03191252, 0.1465612, 0.08864589, -0.021275014, 0.109920904, -0.09337367, -0.08864589, -0.09455562,
    0.09691951, 0.046095863, -0.1229223, -0.041368082, 0.011819452, -0.07091671, -0.14301537, -0.010637507,
    -0.004727781, 0.041368082, 0.11346674, -0.016547233, -0.030730575, 0.07919033, 0.13237786, 0.07091671,
    0.004727781, 0.05200559, 0.026002795, -0.015365288, -0.013001397, 0.040186137, -0.07446255, 0.05909726,
    0.02482085, 0.12646814, -0.07091671, 0.011819452, 0.004727781, 0.026002795, 0.0732806, 0.03900419,
    -0.1359237, -0.035458356, -0.10401118, 0.07209866, -0.11346674, -0.020093068, -0.08864589, 0.114648685,
    0.03427641, 0.10282923, 0.11346674, -0.1359237, 0.07919033, 0.010637507, -0.07564449, 0.14774315,
    -0.07800838, -0.0035458356, 0.13946953, -0.14065148, 0.06737088, 0.048459753, -0.13237786, -0.14774315,
    0.07800838, 0.13355981, -0.030730575, 0.09100978, 0.10873896, 0.007091671, 0.10519312, -0.008273616,
    -0.018911123, 0.1229223, -0.037822247, -0.13355981, 0.11819452, 0.09810145, -0.117012575, -0.117012575,
    0.10401118, -0.10282923, -0.14774315, -0.092191726, -0.13474175, 0.12055841, -0.08155422, 0.05909726,
    -0.0366403, -0.119376466, -0.0992834, -0.119376466, -0.05673337, 0.119376466, -0.004727781, -0.11583063,
    -0.055551425, 0.037822247, 0.0496417, 0.10164729, -0.023638904, -0.0035458356, -0.0992834, 0.092191726,
    -0.10164729, 0.06737088, -0.07919033, 0.13828759, 0.082736164, 0.117012575, -0.02482085, 0.087463945,
    -0.10873896, -0.062643096, -0.10282923, -0.06618893, -0.07446255, 0.13020754, -0.10416603, -0.1207379,
    -0.06628747, 0.09232899, -0.13612607, 0.13612607, -0.13730977, -0.037878558, -0.052083015, 0.052083015,
    -0.06036895, 0.0059185247, 0.0485319, -0.07457341, 0.022490393, 0.0485319, -0.09114528, -0.14086089,
    -0.03906226, 0.15033053, -0.011837049, 0.06510377, 0.08404305, 0.0047348198, -0.10298233, -0.12547272,
    -0.029592624, 0.10061492, 0.10416603, -0.13730977, -0.053266723, -0.052083015, -0.13849348, -0.10534974,
    -0.07338971, -0.026041508, 0.010653345, 0.07338971, -0.023674099, 0.1207379, 0.12428902, -0.07338971,
    -0.08522676, -0.094696395, 0.09232899, 0.0958801, 0.10534974, 0.050899312, 0.06273636, -0.06155266,
    0.027225213, -0.09114528, -0.09232899, 0.022490393, 0.14914683, -0.055634134, -0.029592624, -0.047348198,
    0.008285934, 0.04261338, -0.044980787, -0.050899312, -0.07694082, -0.11481938, 0.055634134, -0.08759417,
    -0.13967718, 0.044980787, 0.101798624, -0.0071022296, -0.0485319, -0.016571868, -0.06983859, 0.110084556,
    -0.08759417, 0.0094696395, -0.10771715, -0.031960033, 0.08049194, 0.03077633, -0.08996157, -0.082859345,
    0.12192161, -0.13020754, -0.04024597, 0.020122984, -0.044980787, 0.0958801, -0.071022294, 0.016571868,
    0.1195542, -0.02130669, -0.014204459, 0.010653345, 0.13967718, -0.09943122, -0.059185248, 0.031960033,
    0.08877787, -0.027225213, -0.03906226, -0.13849348, 0.10416603, 0.031960033, -0.10534974, 0.11718679,
    0.10890085, -0.079308234, 0.0485319, -0.12428902, 0.047348198, -0.013020754, 0.015388165, 0.020122984,
    0.06155266, 0.14914683, 0.08877787, 0.044980787, -0.06273636, -0.05800154, -0.059185248, 0.12310532,
    0.14086089, -0.067471184, -0.028408919, 0.0023674099, 0.0071022296, -0.015388165, -0.08996157,
    0.0011837049, -0.1207379, -0.09824751, 0.08877787, -0.028408919, -0.12310532, -0.10534974, -0.08759417,
    -0.046164494, -0.07694082, 0.0047348198, -0.13257495, -0.07338971, -0.11126827, 0.1195542, -0.14086089,
    0.094696395, -0.026041508, 0.037878558, -0.13494237, 0.017755574, 0.016571868, 0.06865489, 0.017755574,
    0.053266723, 0.0059185247, -0.13612607, -0.09943122, -0.09114528, 0.11245197, 0.036694854, -0.12784013,
    -0.12784013, 0.013020754, -0.010653345, -0.08641046, -0.08522676, 0.010653345, 0.017755574, -0.03077633,
    -0.037878558, 0.11481938, -0.017755574, -0.06036895, -0.113635674, 0.046164494, 0.14796312, -0.10061492,
    0.06983859, -0.13967718, 0.041429672, -0.09351269, 0.13020754, -0.13375866, -0.02130669, 0.0047348198,
    0.14796312, 0.044980787, 0.13020754, 0.0011837049, -0.020122984, -0.09824751, 0.144412, -0.056817837,
    0.04261338, -0.13139124, -0.15033053, 0.06155266, -0.056817837, -0.13020754, 0.0094696395, 0.11718679,
    0.13257495, 0.12784013, -0.082859345, -0.113635674, 0.031960033, 0.13730977, -0.13375866, 0.02130669,
    -0.024857804, 0.0, -0.050899312, -0.13967718, 0.0035511148, 0.0059185247, 0.063920066, 0.036694854,
    0.016571868, -0.14677942, -0.026041508, -0.08522676, -0.12192161, 0.08996157, 0.05800154, 0.11600308,
    0.024857804, -0.067471184, -0.04024597, -0.063920066, -0.063920066, 0.044980787, 0.055634134, 0.044980787,
    0.04024597, 0.13020754, -0.13849348, -0.11481938, 0.12310532, 0.037878558, -0.047348198, 0.106533445,
    -0.018939279, -0.09232899, 0.055634134, 0.09351269, -0.08404305, -0.029592624, 0.08049194, -0.037878558,
    -0.028408919, 0.06510377, -0.059185248, 0.10298233, -0.14559571, -0.11600308, -0.11718679, -0.071022294,
    0.044980787, 0.13612607, -0.10534974, 0.07219929, -0.0023671899, -0.08285165, 0.06509772, 0.073382884,
    -0.036691442, -0.14913297, 0.009468759, -0.11835949, -0.12309387, 0.1384806, -0.049710985, -0.046160202,
    0.030773468, 0.08403524, -0.11007433, -0.1384806, 0.027222684, 0.010652354, -0.047343798, -0.08521883,
    -0.029589873, 0.009468759, -0.11480871, 0.093504, 0.08640243, -0.10297276, 0.017753923, -0.07811727,
    -0.091136806, 0.09823838, -0.09587119, 0.08166805, 0.111257926, 0.121910274, -0.046160202, 0.089953214,
    -0.11835949, -0.09587119, 0.059179746, -0.14558217, 0.12072668, 0.022488303, 0.018937519, -0.047343798,
    0.030773468, -0.049710985, 0.04379301, -0.06273053, -0.107707135, 0.11362511, -0.1408478, 0.061546937,
    -0.06746491, 0.12664466, 0.018937519, 0.10652354, -0.039058633, 0.08166805, 0.11244152, 0.14676577,
    0.015386734, -0.023671899, 0.014203139, -0.08403524, 0.111257926, 0.0, -0.08048446, -0.093504,
    -0.09942197, -0.15031655, -0.13256264, 0.12309387, 0.093504, 0.013019544, 0.04379301, -0.03432425,
    -0.047343798, -0.08640243, -0.03314066, 0.14439858, 0.089953214, -0.11835949, -0.08048446, 0.11362511,
    -0.107707135, -0.08285165, -0.12309387, -0.028406277, -0.10533995, -0.11954309, 0.1396642, 0.059179746,
    0.031957064, -0.018937519, -0.14439858, -0.09705479, 0.08403524, 0.0047343797, 0.06036334, -0.0047343797,
    0.03314066, -0.024855493, 0.06746491, 0.01657033, -0.12072668, 0.052078176, 0.024855493, 0.020121114,
    0.12546106, -0.12546106, 0.09823838, -0.06036334, -0.0071015693, 0.05326177, 0.1171759, -0.036691442,
    -0.089953214, 0.06628132, -0.12664466, 0.13137904, -0.10415635, -0.10297276, -0.12664466, -0.14203139,
    0.111257926, -0.08403524, 0.030773468, 0.061546937, 0.14439858, 0.009468759, 0.12546106, 0.030773468,
    0.14439858, -0.026039088, 0.039058633, 0.14913297, -0.08876962, -0.021304708, -0.14558217, 0.15031655,
    0.092320405, 0.06509772, 0.12901184, -0.12309387, -0.13611342, -0.08048446, -0.024855493, 0.10178916,
    -0.091136806, -0.026039088, -0.059179746, -0.039058633, -0.07456648, 0.13611342, -0.031957064,
    0.026039088, -0.05326177, 0.021304708, 0.08285165, 0.137297, 0.09942197, -0.055628963, -0.039058633,
    0.039058633, -0.10652354, 0.013019544, 0.054445367, -0.01657033, 0.014203139, 0.026039088, -0.08521883,
    0.111257926, -0.08285165, 0.035507847, 0.08166805, -0.14676577, 0.017753923, 0.073382884, -0.08285165,
    -0.08166805, -0.07456648, 0.08285165, 0.0, -0.14913297, -0.15031655, 0.06391413, -0.14913297, 0.1171759,
    -0.09705479, -0.04379301, -0.06746491, 0.091136806, -0.037875038, -0.036691442, 0.11007433, 0.08048446,
    0.06036334, 0.047343798, -0.13374622, -0.037875038, -0.14321499, -0.07219929, -0.089953214, -0.07693367,
    -0.009468759, -0.093504, -0.06628132, -0.048527393, 0.0023671899, 0.05089458, 0.08640243, 0.029589873,
    -0.049710985, -0.054445367, -0.11954309, -0.14321499, -0.11007433, -0.041425824, 0.10415635, 0.09823838,
    -0.044976607, -0.04024223, 0.13374622, 0.031957064, 0.028406277, 0.10060557, 0.054445367, 0.0023671899,
    0.09705479, 0.14676577, 0.022488303, 0.10415635, -0.07811727, -0.041425824, -0.12072668, 0.09942197,
    -0.14913297, -0.13137904, -0.018937519, -0.13019544, 0.026039088, -0.14913297, 0.0, 0.137297,
    -0.047343798, 0.041425824, 0.1408478, 0.0698321, -0.047343798, -0.14321499, 0.03314066, 0.015386734,
    0.10415635, 0.15031655, 0.137297, 0.061546937, 0.01657033, 0.09587119, 0.03432425, 0.0047343797,
    -0.1240857, 0.06972435, 0.1465393, -0.103995636, 0.04254367, 0.05081605, -0.08981442, 0.009454149,
    0.036634825, -0.13353986, 0.11344978, -0.0980868, -0.13708515, 0.13235809, 0.10990448, -0.1240857,
    -0.0791785, -0.08154203, 0.037816595, 0.0047270744, 0.10990448, 0.13117631, -0.061451968, -0.0791785,
    -0.04372544, 0.1051774, -0.054361355, -0.0070906114, 0.14063047, 0.051997818, -0.10990448, -0.014181223,
    -0.14181224, 0.023635373, 0.009454149, 0.1465393, -0.010635917, 0.06263374, -0.11699509, 0.07326965,
    0.06972435, 0.030725984, -0.06736081, 0.06972435, -0.041361902, 0.08626911, -0.10990448, -0.046088975,
    -0.1051774, 0.11935863, 0.10045033, -0.03545306, 0.046088975, 0.08390557, -0.0023635372, -0.04963428,
    0.12172217, -0.07563319, 0.06263374, 0.13235809, -0.061451968, 0.054361355, 0.072087884, -0.07326965,
    -0.0791785, 0.10281387, 0.12763101, -0.10045033, 0.005908843, 0.0791785, -0.05908843, 0.14890285,
    0.10754094, -0.13353986, 0.04963428, -0.047270745, -0.038998365, 0.0035453057, 0.11344978, -0.04018013,
    -0.0980868, 0.0035453057, -0.1394487, 0.08626911, -0.112268016, 0.09099618, 0.114631556, -0.038998365,
    -0.066179045, -0.09572326, -0.12526748, 0.1016321, -0.12763101, -0.08745088, -0.12644924, 0.072087884,
    -0.027180677, -0.063815504, 0.054361355, -0.08745088, 0.03427129, -0.15008461, 0.027180677, 0.036634825,
    0.0070906114, -0.014181223, 0.10635918, 0.08154203, -0.022453604, -0.018908298, -0.13235809, -0.036634825,
    -0.01772653, -0.12999454, -0.14063047, 0.05081605, 0.13472162, 0.033089522, -0.027180677, -0.112268016,
    0.09454149, 0.142994, -0.03427129, 0.06736081, 0.15008461, -0.06263374, -0.061451968, 0.05317959,
    -0.08981442, -0.011817686, 0.06972435, -0.008272381, -0.04018013, -0.0011817686, -0.08508734, 0.10990448,
    -0.01772653, 0.015362992, -0.033089522, 0.14417577, 0.08863264, -0.015362992, 0.06499727, -0.04490721,
    -0.08863264, -0.1465393, -0.022453604, 0.09690502, 0.12644924, -0.022453604, -0.028362446, 0.13590339,
    0.030725984, -0.015362992, 0.04018013, -0.0035453057, -0.14063047, 0.018908298, 0.023635373, -0.05908843,
    -0.08626911, 0.10635918, -0.120540395, 0.06854258, 0.01772653, 0.06499727, 0.005908843, 0.11817686,
    -0.063815504, -0.12999454, 0.029544216, 0.14535753, -0.01772653, -0.14417577, 0.037816595, -0.09099618,
    -0.13472162, -0.051997818, -0.14063047, -0.103995636, -0.08626911, -0.1016321, 0.09926856, -0.08390557,
    -0.14417577, -0.08863264, 0.0023635372, -0.031907752, -0.020090066, -0.13590339, 0.11817686, 0.12999454,
    -0.060270198, 0.15008461, -0.07563319, -0.11108625, -0.06263374, 0.066179045, 0.10635918, 0.054361355,
    -0.05317959, -0.14181224, -0.047270745, 0.13590339, 0.0980868, 0.10281387, 0.07563319, -0.13708515,
    0.04490721, 0.014181223, -0.011817686, -0.11344978, -0.12526748, -0.038998365, -0.11935863, 0.037816595,
    -0.11581332, -0.12644924, -0.05908843, -0.014181223, 0.02481714, 0.14772108, 0.02481714, -0.13826692,
    -0.08745088, 0.10990448, 0.11817686, -0.041361902, -0.10754094, -0.066179045, 0.09217795, -0.07326965,
    0.10754094, 0.13353986, -0.031907752, -0.0023635372, 0.020090066, 0.072087884, 0.11108625, 0.0980868,
    -0.10635918, -0.1394487, -0.072087884, 0.063815504, -0.14063047, 0.060270198, -0.03545306, 0.09454149,
    0.021271834, -0.11581332, 0.14417577, -0.060270198, -0.08390557, 0.09099618, 0.0791785, 0.093359716,
    0.14772108, -0.0129994545, -0.05908843, 0.082723804, -0.142994,
];
const DENSE_BIAS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
const DENSE_1_WEIGHTS: [f32; 12] = [
    0.9249706, 0.35687843, -0.6336413, -0.36416167, 0.50281334, 0.059387404, 0.23754962, 0.36424273,
    -0.6722813, -0.07951714, -0.91806155, 0.36144155,
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
type Memory = <Momentum as Optimizer<f32>>::State;

/// What the optimizer remembers of each parameter.
#[derive(Clone, Copy)]
pub struct State {
    dense_weights: [Memory; 1044],
    dense_bias: [Memory; 4],
    dense_1_weights: [Memory; 12],
    dense_1_bias: [Memory; 3],
    progress: <Momentum as Optimizer<f32>>::Progress,
}

impl State {
    /// As before the first step.
    pub const fn new() -> Self {
        Self { dense_weights: [<Momentum as Optimizer<f32>>::START; 1044], dense_bias: [<Momentum as Optimizer<f32>>::START; 4], dense_1_weights: [<Momentum as Optimizer<f32>>::START; 12], dense_1_bias: [<Momentum as Optimizer<f32>>::START; 3], progress: <Momentum as Optimizer<f32>>::OUTSET, }
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
        let parameters = Parameters { dense_weights: [0.0; 1044], dense_bias: [0.0; 4], dense_1_weights: [0.0; 12], dense_1_bias: [0.0; 3], };
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
    const TARGET: TargetKind = TargetKind::Class(3);

    fn train_step(&mut self, target: Target<'_>, optimizer: &Momentum) -> Result<f32, TrainError> {
        let target = target.class(3).map_err(|reason| self.guard.refuse(reason))?;
        self.train_step(target, optimizer)
    }

    fn evaluate(&mut self, target: Target<'_>) -> Result<Evaluation, TrainError> {
        let target = target.class(3)?;
        self.evaluate(target)
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
        let target = target.class(3).map_err(|reason| self.guard.refuse(reason))?;
        self.accumulate(target)
    }

    fn apply(&mut self, optimizer: &Momentum) -> Result<usize, TrainError> {
        self.apply(optimizer)
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`, quantised.
pub fn prepare_input(raw: &[f32; 261], input: &mut [i8; 261]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = INPUT_QUANTIZATION.quantize(x);
    }
}

