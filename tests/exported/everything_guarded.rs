// milligrad model: name=everything learns=batches optimizer=Momentum core=portable
// 14 layers, 8656 multiply-accumulate operations, 12732 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{BatchLearner, Clamp, Elements, ElementsMut, Evaluation, Learner, Model, Momentum, Optimizer, Padding, Port, Target, TargetKind, TrainError, Window2d, arena, guard, loss, layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, dense}};

/// Name of the model.
pub const NAME: &str = "everything";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 14] = ["conv2d", "depthwise_conv2d", "conv2d_1", "add", "max_pool2d", "conv2d_2", "leaky_relu", "avg_pool2d", "dense", "tanh", "dense_1", "sigmoid", "dense_2", "softmax"];

const CONV2D_WINDOW: Window2d = Window2d::new([8, 8, 2], [3, 3], [1, 1], [1, 1], Padding::Same);

const DEPTHWISE_CONV2D_WINDOW: Window2d = Window2d::new([8, 8, 4], [3, 3], [1, 1], [1, 1], Padding::Same);

const CONV2D_1_WINDOW: Window2d = Window2d::new([8, 8, 4], [1, 1], [1, 1], [1, 1], Padding::Same);

static MAX_POOL2D: MaxPool2d<f32> = MaxPool2d::new(Window2d::new([8, 8, 4], [2, 2], [2, 2], [1, 1], Padding::Same), Clamp::<f32>::LINEAR);

const CONV2D_2_WINDOW: Window2d = Window2d::new([4, 4, 4], [2, 3], [1, 1], [2, 1], Padding::Valid);

static AVG_POOL2D: AvgPool2d<f32> = AvgPool2d::new(Window2d::new([2, 2, 6], [2, 1], [2, 1], [1, 1], Padding::Same), Clamp::<f32>::LINEAR);

/// All the RAM of the model, 12732 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    float: [f32; 2275],
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
        Self { float: [0.0; 2275], parameters: Parameters::new(), state: State::new(), guard: guard::Guard::new().knowing(0.8530946), samples: 0, }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [f32; 128] {
        arena::array_mut(&mut self.float, 1680)
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
        arena::array(&self.float, 2272)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // conv2d: Conv2d [8, 8, 4], 4608 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([1680..1808, 256..274, 0..256]) {
            Conv2d::<f32>::new(CONV2D_WINDOW, &self.parameters.conv2d_weights, &self.parameters.conv2d_bias, Clamp::<f32>::RELU, 0.0).forward(x, patch, y);
        }
        done(0);
        // depthwise_conv2d: DepthwiseConv2d [8, 8, 4], 2304 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([0..256, 512..548, 256..512]) {
            DepthwiseConv2d::<f32>::new(DEPTHWISE_CONV2D_WINDOW, &self.parameters.depthwise_conv2d_weights, &self.parameters.depthwise_conv2d_bias, Clamp::<f32>::RELU6, 0.0).forward(x, patch, y);
        }
        done(1);
        // conv2d_1: Conv2d [8, 8, 4], 1024 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([256..512, 512..768]) {
            Conv2d::<f32>::new(CONV2D_1_WINDOW, &self.parameters.conv2d_1_weights, &self.parameters.conv2d_1_bias, Clamp::<f32>::LINEAR, 0.0).forward_pointwise(x, y);
        }
        done(2);
        // add: Add [8, 8, 4], 0 MAC
        if let Ok([a, b, y]) = self.float.get_disjoint_mut([512..768, 0..256, 768..1024]) {
            layers::add(a, b, &Clamp::<f32>::LINEAR, y);
        }
        done(3);
        // max_pool2d: MaxPool2d [4, 4, 4], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([768..1024, 1964..2028]) {
            MAX_POOL2D.forward(x, y);
        }
        done(4);
        // conv2d_2: Conv2d [2, 2, 6], 576 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([1964..2028, 536..560, 512..536]) {
            Conv2d::<f32>::new(CONV2D_2_WINDOW, &self.parameters.conv2d_2_weights, &self.parameters.conv2d_2_bias, Clamp::<f32>::LINEAR, 0.0).forward(x, patch, y);
        }
        done(5);
        // leaky_relu: LeakyReLU [2, 2, 6], 0 MAC
        if let Some(y) = self.float.get_mut(512..536) {
            layers::leaky_relu(0.25, y);
        }
        done(6);
        // avg_pool2d: AvgPool2d [1, 2, 6], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([512..536, 2200..2212]) {
            AVG_POOL2D.forward(x, y);
        }
        done(7);
        // dense: Dense [7], 84 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([2200..2212, 2219..2226]) {
            Dense::<f32>::new(12, &self.parameters.dense_weights, &self.parameters.dense_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(8);
        // tanh: Tanh [7], 0 MAC
        if let Some(y) = self.float.get_mut(2219..2226) {
            layers::tanh(y);
        }
        done(9);
        // dense_1: Dense [6], 42 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([2219..2226, 2245..2251]) {
            Dense::<f32>::new(7, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(10);
        // sigmoid: Sigmoid [6], 0 MAC
        if let Some(y) = self.float.get_mut(2245..2251) {
            layers::sigmoid(y);
        }
        done(11);
        // dense_2: Dense [3], 18 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([2245..2251, 2272..2275]) {
            Dense::<f32>::new(6, &self.parameters.dense_2_weights, &self.parameters.dense_2_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(12);
        // softmax: Softmax [3], 0 MAC
        if let Some(y) = self.float.get_mut(2272..2275) {
            layers::softmax(y);
        }
        done(13);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, label: usize) -> Result<f32, TrainError> {
        Target::Class(label).class(3)?;
        if !self.float.get(1680..1808).is_some_and(guard::all_finite) {
            return Err(TrainError::NotFinite);
        }
        self.forward(|_| {});
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<f32, 3>(&mut self.float, 2272);
        let loss = loss::sparse_categorical_cross_entropy(outputs, label)?;
        if !loss.is_finite() {
            return Err(TrainError::NotFinite);
        }
        // dense_2: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([2272..2275, 2251..2257]) {
            Dense::<f32>::new(6, &self.parameters.dense_2_weights, &self.parameters.dense_2_bias, Clamp::<f32>::LINEAR).backward_input(delta, delta_x);
        }
        // sigmoid: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([2245..2251, 2251..2257]) {
            layers::sigmoid_backward(y, delta);
        }
        // dense_1: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([2251..2257, 2226..2233]) {
            Dense::<f32>::new(7, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).backward_input(delta, delta_x);
        }
        // tanh: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([2219..2226, 2226..2233]) {
            layers::tanh_backward(y, delta);
        }
        // dense: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([2226..2233, 536..548]) {
            Dense::<f32>::new(12, &self.parameters.dense_weights, &self.parameters.dense_bias, Clamp::<f32>::LINEAR).backward_input(delta, delta_x);
        }
        // avg_pool2d: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([536..548, 2142..2166]) {
            AVG_POOL2D.backward_input(delta, delta_x);
        }
        // leaky_relu: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([512..536, 2142..2166]) {
            layers::leaky_relu_backward(0.25, y, delta);
        }
        // conv2d_2: through the layer
        if let Ok([delta, patch, delta_x]) = self.float.get_disjoint_mut([2142..2166, 512..536, 1024..1088]) {
            Conv2d::<f32>::new(CONV2D_2_WINDOW, &self.parameters.conv2d_2_weights, &self.parameters.conv2d_2_bias, Clamp::<f32>::LINEAR, 0.0).backward_input(delta, patch, delta_x);
        }
        // max_pool2d: through the layer
        if let Ok([delta, x, y, delta_x]) = self.float.get_disjoint_mut([1024..1088, 768..1024, 1964..2028, 512..768]) {
            MAX_POOL2D.backward_input(x, y, delta, delta_x);
        }
        if let Ok([from, into]) = self.float.get_disjoint_mut([512..768, 768..1024]) {
            layers::copy(from, into);
        }
        // conv2d_1: through the layer
        if let Ok([delta, patch, delta_x]) = self.float.get_disjoint_mut([512..768, 1280..1284, 1024..1280]) {
            Conv2d::<f32>::new(CONV2D_1_WINDOW, &self.parameters.conv2d_1_weights, &self.parameters.conv2d_1_bias, Clamp::<f32>::LINEAR, 0.0).backward_input(delta, patch, delta_x);
        }
        // depthwise_conv2d: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([256..512, 1024..1280]) {
            DepthwiseConv2d::<f32>::new(DEPTHWISE_CONV2D_WINDOW, &self.parameters.depthwise_conv2d_weights, &self.parameters.depthwise_conv2d_bias, Clamp::<f32>::RELU6, 0.0).backward_activation(y, delta);
        }
        // depthwise_conv2d: through the layer
        if let Ok([delta, patch, delta_x]) = self.float.get_disjoint_mut([1024..1280, 2106..2142, 1280..1536]) {
            DepthwiseConv2d::<f32>::new(DEPTHWISE_CONV2D_WINDOW, &self.parameters.depthwise_conv2d_weights, &self.parameters.depthwise_conv2d_bias, Clamp::<f32>::RELU6, 0.0).backward_input(delta, patch, delta_x);
        }
        if let Ok([from, into]) = self.float.get_disjoint_mut([1280..1536, 768..1024]) {
            layers::accumulate(from, into);
        }
        // conv2d: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([0..256, 768..1024]) {
            Conv2d::<f32>::new(CONV2D_WINDOW, &self.parameters.conv2d_weights, &self.parameters.conv2d_bias, Clamp::<f32>::RELU, 0.0).backward_activation(y, delta);
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
        // conv2d: gradients
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([1680..1808, 768..1024, 1352..1370, 1280..1352, 1370..1374]) {
            gradient_w.fill(0.0);
            gradient_b.fill(0.0);
            Conv2d::<f32>::new(CONV2D_WINDOW, &self.parameters.conv2d_weights, &self.parameters.conv2d_bias, Clamp::<f32>::RELU, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
        }
        if let Some(values) = self.float.get_mut(1280..1352) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(1370..1374) {
            norm.gradient(values);
        }
        // depthwise_conv2d: gradients
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([0..256, 1024..1280, 804..840, 768..804, 840..844]) {
            gradient_w.fill(0.0);
            gradient_b.fill(0.0);
            DepthwiseConv2d::<f32>::new(DEPTHWISE_CONV2D_WINDOW, &self.parameters.depthwise_conv2d_weights, &self.parameters.depthwise_conv2d_bias, Clamp::<f32>::RELU6, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
        }
        if let Some(values) = self.float.get_mut(768..804) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(840..844) {
            norm.gradient(values);
        }
        // conv2d_1: gradients
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([256..512, 512..768, 0..4, 168..184, 190..194]) {
            gradient_w.fill(0.0);
            gradient_b.fill(0.0);
            Conv2d::<f32>::new(CONV2D_1_WINDOW, &self.parameters.conv2d_1_weights, &self.parameters.conv2d_1_bias, Clamp::<f32>::LINEAR, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
        }
        if let Some(values) = self.float.get_mut(168..184) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(190..194) {
            norm.gradient(values);
        }
        // conv2d_2: gradients
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([1964..2028, 2142..2166, 144..168, 0..144, 184..190]) {
            gradient_w.fill(0.0);
            gradient_b.fill(0.0);
            Conv2d::<f32>::new(CONV2D_2_WINDOW, &self.parameters.conv2d_2_weights, &self.parameters.conv2d_2_bias, Clamp::<f32>::LINEAR, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
        }
        if let Some(values) = self.float.get_mut(0..144) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(184..190) {
            norm.gradient(values);
        }
        if let Ok([x, delta]) = self.float.get_disjoint_mut([2200..2212, 2226..2233]) {
            norm.dense(x, delta);
        }
        if let Ok([x, delta]) = self.float.get_disjoint_mut([2219..2226, 2251..2257]) {
            norm.dense(x, delta);
        }
        if let Ok([x, delta]) = self.float.get_disjoint_mut([2245..2251, 2272..2275]) {
            norm.dense(x, delta);
        }
        let step = self.guard.decide(norm, optimizer, || Self::extent(&self.parameters, &self.state))?;
        if let Some(values) = self.float.get_mut(1280..1352) {
            step.clip(values);
        }
        if let Some(values) = self.float.get_mut(1370..1374) {
            step.clip(values);
        }
        if let Some(values) = self.float.get_mut(768..804) {
            step.clip(values);
        }
        if let Some(values) = self.float.get_mut(840..844) {
            step.clip(values);
        }
        if let Some(values) = self.float.get_mut(168..184) {
            step.clip(values);
        }
        if let Some(values) = self.float.get_mut(190..194) {
            step.clip(values);
        }
        if let Some(values) = self.float.get_mut(0..144) {
            step.clip(values);
        }
        if let Some(values) = self.float.get_mut(184..190) {
            step.clip(values);
        }
        if let Some(values) = self.float.get_mut(2226..2233) {
            step.clip(values);
        }
        if let Some(values) = self.float.get_mut(2251..2257) {
            step.clip(values);
        }
        if let Some(values) = self.float.get_mut(2272..2275) {
            step.clip(values);
        }
        let optimizer = &step.optimizer.begin(&mut self.state.progress);
        // conv2d: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([1280..1352, 1370..1374]) {
            optimizer.update_weights(&mut self.parameters.conv2d_weights, &mut self.state.conv2d_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.conv2d_bias, &mut self.state.conv2d_bias, gradient_b);
        }
        // depthwise_conv2d: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([768..804, 840..844]) {
            optimizer.update_weights(&mut self.parameters.depthwise_conv2d_weights, &mut self.state.depthwise_conv2d_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.depthwise_conv2d_bias, &mut self.state.depthwise_conv2d_bias, gradient_b);
        }
        // conv2d_1: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([168..184, 190..194]) {
            optimizer.update_weights(&mut self.parameters.conv2d_1_weights, &mut self.state.conv2d_1_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.conv2d_1_bias, &mut self.state.conv2d_1_bias, gradient_b);
        }
        // conv2d_2: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([0..144, 184..190]) {
            optimizer.update_weights(&mut self.parameters.conv2d_2_weights, &mut self.state.conv2d_2_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.conv2d_2_bias, &mut self.state.conv2d_2_bias, gradient_b);
        }
        // dense: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([2200..2212, 2226..2233]) {
            let state = (&mut self.state.dense_weights[..], &mut self.state.dense_bias[..]);
            let Parameters { dense_weights, dense_bias, .. } = &mut self.parameters;
            dense::apply::<f32, _>(x, delta, dense_weights, dense_bias, state, optimizer);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([2219..2226, 2251..2257]) {
            let state = (&mut self.state.dense_1_weights[..], &mut self.state.dense_1_bias[..]);
            let Parameters { dense_1_weights, dense_1_bias, .. } = &mut self.parameters;
            dense::apply::<f32, _>(x, delta, dense_1_weights, dense_1_bias, state, optimizer);
        }
        // dense_2: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([2245..2251, 2272..2275]) {
            let state = (&mut self.state.dense_2_weights[..], &mut self.state.dense_2_bias[..]);
            let Parameters { dense_2_weights, dense_2_bias, .. } = &mut self.parameters;
            dense::apply::<f32, _>(x, delta, dense_2_weights, dense_2_bias, state, optimizer);
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
        if let Some(values) = self.float.get_mut(768..1024) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(1680..1808) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(1024..1280) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(0..256) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(512..768) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(256..512) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(2142..2166) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(1964..2028) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(2226..2233) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(2200..2212) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(2251..2257) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(2219..2226) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(2272..2275) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(2245..2251) {
            finite &= guard::all_finite(values);
        }
        if !finite {
            return Err(self.guard.refuse(TrainError::NotFinite));
        }
        if self.samples == 0 {
            if let Some(values) = self.float.get_mut(1892..1964) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(2257..2261) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(2070..2106) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(2261..2265) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(2184..2200) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(2265..2269) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(1536..1680) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(2233..2239) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(1808..1892) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(2212..2219) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(2028..2070) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(2239..2245) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(2166..2184) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(2269..2272) {
                values.fill(0.0);
            }
        }
        self.samples += 1;
        // conv2d: gradients
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([1680..1808, 768..1024, 1352..1370, 1892..1964, 2257..2261]) {
            Conv2d::<f32>::new(CONV2D_WINDOW, &self.parameters.conv2d_weights, &self.parameters.conv2d_bias, Clamp::<f32>::RELU, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
        }
        // depthwise_conv2d: gradients
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([0..256, 1024..1280, 804..840, 2070..2106, 2261..2265]) {
            DepthwiseConv2d::<f32>::new(DEPTHWISE_CONV2D_WINDOW, &self.parameters.depthwise_conv2d_weights, &self.parameters.depthwise_conv2d_bias, Clamp::<f32>::RELU6, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
        }
        // conv2d_1: gradients
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([256..512, 512..768, 0..4, 2184..2200, 2265..2269]) {
            Conv2d::<f32>::new(CONV2D_1_WINDOW, &self.parameters.conv2d_1_weights, &self.parameters.conv2d_1_bias, Clamp::<f32>::LINEAR, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
        }
        // conv2d_2: gradients
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([1964..2028, 2142..2166, 144..168, 1536..1680, 2233..2239]) {
            Conv2d::<f32>::new(CONV2D_2_WINDOW, &self.parameters.conv2d_2_weights, &self.parameters.conv2d_2_bias, Clamp::<f32>::LINEAR, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
        }
        // dense: gradients
        if let Ok([x, delta, gradient_w, gradient_b]) = self.float.get_disjoint_mut([2200..2212, 2226..2233, 1808..1892, 2212..2219]) {
            dense::accumulate::<f32>(x, delta, gradient_w, gradient_b);
        }
        // dense_1: gradients
        if let Ok([x, delta, gradient_w, gradient_b]) = self.float.get_disjoint_mut([2219..2226, 2251..2257, 2028..2070, 2239..2245]) {
            dense::accumulate::<f32>(x, delta, gradient_w, gradient_b);
        }
        // dense_2: gradients
        if let Ok([x, delta, gradient_w, gradient_b]) = self.float.get_disjoint_mut([2245..2251, 2272..2275, 2166..2184, 2269..2272]) {
            dense::accumulate::<f32>(x, delta, gradient_w, gradient_b);
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
        if let Some(values) = self.float.get_mut(1892..1964) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(2257..2261) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(2070..2106) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(2261..2265) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(2184..2200) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(2265..2269) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(1536..1680) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(2233..2239) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(1808..1892) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(2212..2219) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(2028..2070) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(2239..2245) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(2166..2184) {
            norm.gradient(values);
        }
        if let Some(values) = self.float.get_mut(2269..2272) {
            norm.gradient(values);
        }
        let norm = norm.scaled(mean);
        let step = self.guard.decide(norm, optimizer, || Self::extent(&self.parameters, &self.state))?;
        let factor = mean * step.factor;
        let optimizer = &step.optimizer.begin(&mut self.state.progress);
        if let Some(values) = self.float.get_mut(1892..1964) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(2257..2261) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(2070..2106) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(2261..2265) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(2184..2200) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(2265..2269) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(1536..1680) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(2233..2239) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(1808..1892) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(2212..2219) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(2028..2070) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(2239..2245) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(2166..2184) {
            guard::scale(factor, values);
        }
        if let Some(values) = self.float.get_mut(2269..2272) {
            guard::scale(factor, values);
        }
        // conv2d: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([1892..1964, 2257..2261]) {
            optimizer.update_weights(&mut self.parameters.conv2d_weights, &mut self.state.conv2d_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.conv2d_bias, &mut self.state.conv2d_bias, gradient_b);
        }
        // depthwise_conv2d: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([2070..2106, 2261..2265]) {
            optimizer.update_weights(&mut self.parameters.depthwise_conv2d_weights, &mut self.state.depthwise_conv2d_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.depthwise_conv2d_bias, &mut self.state.depthwise_conv2d_bias, gradient_b);
        }
        // conv2d_1: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([2184..2200, 2265..2269]) {
            optimizer.update_weights(&mut self.parameters.conv2d_1_weights, &mut self.state.conv2d_1_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.conv2d_1_bias, &mut self.state.conv2d_1_bias, gradient_b);
        }
        // conv2d_2: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([1536..1680, 2233..2239]) {
            optimizer.update_weights(&mut self.parameters.conv2d_2_weights, &mut self.state.conv2d_2_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.conv2d_2_bias, &mut self.state.conv2d_2_bias, gradient_b);
        }
        // dense: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([1808..1892, 2212..2219]) {
            optimizer.update_weights(&mut self.parameters.dense_weights, &mut self.state.dense_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.dense_bias, &mut self.state.dense_bias, gradient_b);
        }
        // dense_1: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([2028..2070, 2239..2245]) {
            optimizer.update_weights(&mut self.parameters.dense_1_weights, &mut self.state.dense_1_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.dense_1_bias, &mut self.state.dense_1_bias, gradient_b);
        }
        // dense_2: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([2166..2184, 2269..2272]) {
            optimizer.update_weights(&mut self.parameters.dense_2_weights, &mut self.state.dense_2_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.dense_2_bias, &mut self.state.dense_2_bias, gradient_b);
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
        let outputs = arena::array_mut::<f32, 3>(&mut self.float, 2272);
        let hit = Some(milligrad::argmax(outputs) == label);
        let loss = loss::sparse_categorical_cross_entropy(outputs, label)?;
        Ok(Evaluation { loss, hit })
    }

    /// The largest magnitudes of parameters and velocities.
    fn extent(parameters: &Parameters, state: &State) -> (f32, f32) {
        let (mut parameter, mut velocity) = (0.0, 0.0);
        parameter = guard::most(parameter, guard::largest(&parameters.conv2d_weights));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.conv2d_weights));
        parameter = guard::most(parameter, guard::largest(&parameters.conv2d_bias));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.conv2d_bias));
        parameter = guard::most(parameter, guard::largest(&parameters.depthwise_conv2d_weights));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.depthwise_conv2d_weights));
        parameter = guard::most(parameter, guard::largest(&parameters.depthwise_conv2d_bias));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.depthwise_conv2d_bias));
        parameter = guard::most(parameter, guard::largest(&parameters.conv2d_1_weights));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.conv2d_1_weights));
        parameter = guard::most(parameter, guard::largest(&parameters.conv2d_1_bias));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.conv2d_1_bias));
        parameter = guard::most(parameter, guard::largest(&parameters.conv2d_2_weights));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.conv2d_2_weights));
        parameter = guard::most(parameter, guard::largest(&parameters.conv2d_2_bias));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.conv2d_2_bias));
        parameter = guard::most(parameter, guard::largest(&parameters.dense_weights));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.dense_weights));
        parameter = guard::most(parameter, guard::largest(&parameters.dense_bias));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.dense_bias));
        parameter = guard::most(parameter, guard::largest(&parameters.dense_1_weights));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.dense_1_weights));
        parameter = guard::most(parameter, guard::largest(&parameters.dense_1_bias));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.dense_1_bias));
        parameter = guard::most(parameter, guard::largest(&parameters.dense_2_weights));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.dense_2_weights));
        parameter = guard::most(parameter, guard::largest(&parameters.dense_2_bias));
        velocity = guard::most(velocity, guard::fastest::<f32, Momentum>(&state.dense_2_bias));
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
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[8, 8, 2] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[3] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        match index {
            0 => ElementsMut::F32(self.input()),
            _ => ElementsMut::F32(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::F32(arena::array::<_, 3>(&self.float, 2272)),
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
    /// `conv2d/weights`
    pub conv2d_weights: [f32; 72],
    /// `conv2d/bias`
    pub conv2d_bias: [f32; 4],
    /// `depthwise_conv2d/weights`
    pub depthwise_conv2d_weights: [f32; 36],
    /// `depthwise_conv2d/bias`
    pub depthwise_conv2d_bias: [f32; 4],
    /// `conv2d_1/weights`
    pub conv2d_1_weights: [f32; 16],
    /// `conv2d_1/bias`
    pub conv2d_1_bias: [f32; 4],
    /// `conv2d_2/weights`
    pub conv2d_2_weights: [f32; 144],
    /// `conv2d_2/bias`
    pub conv2d_2_bias: [f32; 6],
    /// `dense/weights`
    pub dense_weights: [f32; 84],
    /// `dense/bias`
    pub dense_bias: [f32; 7],
    /// `dense_1/weights`
    pub dense_1_weights: [f32; 42],
    /// `dense_1/bias`
    pub dense_1_bias: [f32; 6],
    /// `dense_2/weights`
    pub dense_2_weights: [f32; 18],
    /// `dense_2/bias`
    pub dense_2_bias: [f32; 3],
}

const CONV2D_WEIGHTS: [f32; 72] = [
    0.04232236, -0.07417512, -0.06653409, -0.11251573, 0.29354486, -0.30288643, 0.25950164, 0.22314307,
    -0.15359747, -0.018581748, 0.10740046, -0.046832126, 0.26007602, 0.11186385, 0.30096945, 0.27647024,
    0.3142067, -0.10576435, -0.013571898, -0.14731857, -0.22056143, -0.2738919, -0.024486583, -0.013449987,
    -0.18396637, -0.15354785, 0.0050077043, 0.2247734, -0.016778827, 0.1507692, 0.11722922, -0.1999557,
    0.31059194, -0.31129217, 0.06453256, 0.29048806, -0.074087024, 0.2879593, -0.26007646, -0.22020233,
    -0.05197525, -0.008379976, -0.07973584, 0.22513315, -0.26246127, -0.04421711, -0.28033072, -0.30788574,
    0.27648026, 0.095007464, 0.33258462, -0.13860862, 0.30122682, 0.32069907, 0.11209166, -0.22848746,
    -0.044217706, -0.021215677, -0.2820371, 0.07006125, -0.060762405, -0.25221902, 0.045267504, -0.014319658,
    0.089047715, 0.072647616, 0.1544904, 0.26500708, 0.019551199, 0.22962277, -0.100452185, -0.057127677,
];
const CONV2D_BIAS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
const DEPTHWISE_CONV2D_WEIGHTS: [f32; 36] = [
    0.11901639, -0.26041397, -0.23315777, 0.010036587, -0.07803802, 0.2000473, -0.2848314, 0.23268771,
    0.20608425, -0.075028986, -0.17582583, 0.08436663, 0.29262555, 0.08076059, 0.05402834, -0.0616054,
    -0.33373228, -0.24847162, 0.10978017, 0.2077805, 0.053522486, 0.17423207, -0.28889042, -0.25889882,
    0.24964267, -0.13938512, -0.26810855, 0.034670174, 0.3036774, 0.16567038, 0.1171469, 0.09739545,
    0.27576262, -0.13511309, -0.0373789, -0.06939371,
];
const DEPTHWISE_CONV2D_BIAS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
const CONV2D_1_WEIGHTS: [f32; 16] = [
    -0.35796684, -0.25497118, -0.643533, 0.27143395, 0.3511567, -0.849638, -0.67605996, 0.13914423, -0.532725,
    -0.15359408, -0.8285275, -0.13731226, -0.8530946, 0.64626247, 0.5883021, 0.79878837,
];
const CONV2D_1_BIAS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
const CONV2D_2_WEIGHTS: [f32; 144] = [
    0.19073263, 0.24140318, 0.15123609, -0.022136148, -0.24114487, 0.1959134, -0.23685801, 0.08876765,
    -0.23752472, -0.2871814, 0.07195816, 0.18835679, 0.13450791, 0.11629666, -0.17708395, 0.12386254,
    0.005796448, -0.25882417, 0.13045357, -0.109872624, 0.11138278, -0.020390576, 0.22756295, -0.103901416,
    0.25285062, -0.22879818, 0.14689152, -0.056287743, -0.25515342, -0.18196073, -0.21880403, -0.08524371,
    -0.034400433, -0.018989744, -0.13729702, -0.1792895, 0.25022298, -0.15951294, 0.049994633, 0.10172851,
    -0.15616584, 0.16605972, 0.2787721, -0.0262971, -0.052637815, -0.034992848, 0.28874493, 0.020501444,
    0.07121398, -0.13960207, 0.2112245, -0.2064164, 0.25708103, 0.3055238, 0.19322789, 0.052657947,
    -0.20958938, 0.2524713, 0.25828576, -0.08173722, -0.1360042, -0.05427482, -0.22293907, 0.11781978,
    -0.06696784, -0.005503389, 0.24810289, 0.046594147, -0.14748381, 0.06532646, 0.24351455, 0.110505976,
    0.060894765, 0.22814421, -0.17047316, -0.034264307, 0.07644248, 0.2565113, -0.054348104, 0.2517181,
    -0.06535914, 0.13084921, 0.23656125, 0.086253166, 0.1804289, 0.14528237, -0.28149676, 0.020094577,
    0.0719749, -0.14441223, 0.19566943, 0.021269074, 0.17809865, 0.09321748, 0.005214741, -0.13697648,
    0.11083485, 0.09789088, 0.11898323, -0.14085709, 0.21879329, 0.07516142, -0.06625381, 0.19660273,
    0.051982448, 0.11163916, 0.06797843, 0.086125486, -0.22729342, -0.22220746, 0.067105316, -0.15098959,
    -0.15474936, 0.12695912, 0.016865615, -0.313557, -0.060947917, -0.28643903, -0.10654354, -0.103485346,
    -0.14328091, -0.12961455, -0.22408345, -0.026203573, -0.3109334, -0.058706287, 0.0018544804, 0.09662636,
    -0.16127676, 0.2886142, -0.011427141, -0.014124042, -0.04623365, 0.2541691, -0.26968172, 0.14393103,
    0.099613234, 0.27430102, 0.11140287, 0.23614372, -0.0048743347, -0.032847606, 0.144268, 0.15234043,
];
const CONV2D_2_BIAS: [f32; 6] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
const DENSE_WEIGHTS: [f32; 84] = [
    -0.0066987155, 0.44537503, -0.158743, 0.23916107, 0.43502703, 0.4979514, 0.33312705, 0.5099878, 0.4632836,
    -0.5202436, -0.5292382, -0.096951306, 0.23434223, -0.55183, 0.051230475, 0.489333, -0.13299626,
    0.36027375, 0.5029933, 0.16943571, -0.14464223, 0.3988949, -0.06710519, -0.43629453, 0.31107947,
    -0.26515186, 0.27849182, 0.44435662, -0.22197175, -0.0324271, -0.09440542, 0.44789726, 0.20543411,
    -0.31076953, 0.4291123, 0.01827831, 0.15696542, -0.27054125, -0.39975587, -0.47617346, 0.108215444,
    -0.32482433, -0.13452911, -0.18745136, 0.26597315, 0.15071848, -0.46665627, 0.01562069, -0.11744557,
    -0.4560932, -0.53083134, -0.15694794, 0.32573152, -0.3246365, 0.43013602, -0.008571015, 0.5492603,
    -0.24008694, 0.36278063, -0.45264307, -0.14415227, -0.2524284, -0.23567499, -0.4577011, 0.09120049,
    0.5079045, 0.21402964, -0.07657903, 0.19775534, 0.46524814, 0.02802359, 0.48643428, 0.034373153,
    0.0015987124, -0.11457231, 0.2753447, -0.3247558, -0.30345184, 0.023053948, 0.24703379, -0.042799804,
    0.55295634, -0.07423787, -0.48090944,
];
const DENSE_BIAS: [f32; 7] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
const DENSE_1_WEIGHTS: [f32; 42] = [
    -0.35927388, 0.5575171, -0.63941735, 0.196919, 0.13648424, 0.17488946, -0.52365273, 0.64215946,
    0.31549415, -0.4148125, 0.34723166, -0.40323433, 0.3143623, -0.33201504, -0.12119111, -0.36155328,
    0.42822376, -0.024555268, 0.16859144, -0.018959003, 0.6169502, -0.31200063, 0.3859493, -0.5658625,
    0.4040672, 0.122873604, -0.46663943, -0.25617903, 0.19019344, -0.17762576, 0.40783614, 0.1125959,
    -0.0219266, 0.073532745, -0.030023657, -0.54117894, 0.14085858, 0.59780747, -0.5033295, -0.008631164,
    -0.033991605, -0.017495653,
];
const DENSE_1_BIAS: [f32; 6] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
const DENSE_2_WEIGHTS: [f32; 18] = [
    0.2625876, -0.29195112, 0.39210546, -0.5344103, 0.807889, 0.45523646, 0.44931293, 0.54986566, 0.77292925,
    0.04442391, 0.45515764, -0.01477559, 0.43780115, -0.6719292, 0.10945148, 0.67957175, 0.08042191,
    -0.41479704,
];
const DENSE_2_BIAS: [f32; 3] = [
    0.0, 0.0, 0.0,
];

impl Parameters {
    /// As they were exported.
    pub const fn new() -> Self {
        Self { conv2d_weights: CONV2D_WEIGHTS, conv2d_bias: CONV2D_BIAS, depthwise_conv2d_weights: DEPTHWISE_CONV2D_WEIGHTS, depthwise_conv2d_bias: DEPTHWISE_CONV2D_BIAS, conv2d_1_weights: CONV2D_1_WEIGHTS, conv2d_1_bias: CONV2D_1_BIAS, conv2d_2_weights: CONV2D_2_WEIGHTS, conv2d_2_bias: CONV2D_2_BIAS, dense_weights: DENSE_WEIGHTS, dense_bias: DENSE_BIAS, dense_1_weights: DENSE_1_WEIGHTS, dense_1_bias: DENSE_1_BIAS, dense_2_weights: DENSE_2_WEIGHTS, dense_2_bias: DENSE_2_BIAS, }
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
    conv2d_weights: [Memory; 72],
    conv2d_bias: [Memory; 4],
    depthwise_conv2d_weights: [Memory; 36],
    depthwise_conv2d_bias: [Memory; 4],
    conv2d_1_weights: [Memory; 16],
    conv2d_1_bias: [Memory; 4],
    conv2d_2_weights: [Memory; 144],
    conv2d_2_bias: [Memory; 6],
    dense_weights: [Memory; 84],
    dense_bias: [Memory; 7],
    dense_1_weights: [Memory; 42],
    dense_1_bias: [Memory; 6],
    dense_2_weights: [Memory; 18],
    dense_2_bias: [Memory; 3],
    progress: <Momentum as Optimizer<f32>>::Progress,
}

impl State {
    /// As before the first step.
    pub const fn new() -> Self {
        Self { conv2d_weights: [<Momentum as Optimizer<f32>>::START; 72], conv2d_bias: [<Momentum as Optimizer<f32>>::START; 4], depthwise_conv2d_weights: [<Momentum as Optimizer<f32>>::START; 36], depthwise_conv2d_bias: [<Momentum as Optimizer<f32>>::START; 4], conv2d_1_weights: [<Momentum as Optimizer<f32>>::START; 16], conv2d_1_bias: [<Momentum as Optimizer<f32>>::START; 4], conv2d_2_weights: [<Momentum as Optimizer<f32>>::START; 144], conv2d_2_bias: [<Momentum as Optimizer<f32>>::START; 6], dense_weights: [<Momentum as Optimizer<f32>>::START; 84], dense_bias: [<Momentum as Optimizer<f32>>::START; 7], dense_1_weights: [<Momentum as Optimizer<f32>>::START; 42], dense_1_bias: [<Momentum as Optimizer<f32>>::START; 6], dense_2_weights: [<Momentum as Optimizer<f32>>::START; 18], dense_2_bias: [<Momentum as Optimizer<f32>>::START; 3], progress: <Momentum as Optimizer<f32>>::OUTSET, }
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
        let parameters = Parameters { conv2d_weights: [0.0; 72], conv2d_bias: [0.0; 4], depthwise_conv2d_weights: [0.0; 36], depthwise_conv2d_bias: [0.0; 4], conv2d_1_weights: [0.0; 16], conv2d_1_bias: [0.0; 4], conv2d_2_weights: [0.0; 144], conv2d_2_bias: [0.0; 6], dense_weights: [0.0; 84], dense_bias: [0.0; 7], dense_1_weights: [0.0; 42], dense_1_bias: [0.0; 6], dense_2_weights: [0.0; 18], dense_2_bias: [0.0; 3], };
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
        visit("conv2d/weights", &self.parameters.conv2d_weights);
        visit("conv2d/bias", &self.parameters.conv2d_bias);
        visit("depthwise_conv2d/weights", &self.parameters.depthwise_conv2d_weights);
        visit("depthwise_conv2d/bias", &self.parameters.depthwise_conv2d_bias);
        visit("conv2d_1/weights", &self.parameters.conv2d_1_weights);
        visit("conv2d_1/bias", &self.parameters.conv2d_1_bias);
        visit("conv2d_2/weights", &self.parameters.conv2d_2_weights);
        visit("conv2d_2/bias", &self.parameters.conv2d_2_bias);
        visit("dense/weights", &self.parameters.dense_weights);
        visit("dense/bias", &self.parameters.dense_bias);
        visit("dense_1/weights", &self.parameters.dense_1_weights);
        visit("dense_1/bias", &self.parameters.dense_1_bias);
        visit("dense_2/weights", &self.parameters.dense_2_weights);
        visit("dense_2/bias", &self.parameters.dense_2_bias);
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

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`.
pub fn prepare_input(raw: &[f32; 128], input: &mut [f32; 128]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = x;
    }
}

