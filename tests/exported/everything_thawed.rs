// milligrad model: name=everything learns=batches optimizer=Sgd core=portable
// 16 layers, 8656 multiply-accumulate operations, 5192 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{BatchLearner, Clamp, Elements, ElementsMut, Evaluation, Int8, Learner, Model, Optimizer, Padding, Port, Quantization, QuantizedChannel, QuantizedOutput, Rounding, Sgd, Target, TargetKind, TrainError, Window2d, arena, guard, loss, layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, dense}};

/// Name of the model.
pub const NAME: &str = "everything";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 16] = ["conv2d", "depthwise_conv2d", "dequantize_2", "conv2d_1", "dequantize_1", "add", "max_pool2d", "conv2d_2", "leaky_relu", "avg_pool2d", "dense", "tanh", "dense_1", "sigmoid", "dense_2", "softmax"];
/// Scale and zero point of the input.
pub const INPUT_QUANTIZATION: Quantization = Quantization::new(0.007840531, -1);

static CONV2D_WEIGHTS: [i8; 72] = [
    17, -30, -27, -45, 119, -122, 105, 90, -62, -8, 43, -19, 105, 45, 122, 112, 127, -43, -6, -60, -90, -112,
    -10, -5, -75, -63, 2, 92, -7, 62, 48, -82, 127, -127, 26, 119, -28, 110, -99, -84, -20, -3, -30, 86, -100,
    -17, -107, -118, 106, 36, 127, -53, 115, 122, 50, -103, -20, -10, -127, 32, -27, -114, 20, -6, 40, 33, 70,
    119, 9, 103, -45, -26,
];
static CONV2D_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (529, 1488814818, -8), (-161, 1475004876, -8), (43, 1575895561, -8), (-2, 1336384672, -8),
], Rounding::Double);
static CONV2D: Conv2d<Int8> = Conv2d::new(Window2d::new([8, 8, 2], [3, 3], [1, 1], [1, 1], Padding::Same), &CONV2D_WEIGHTS, &CONV2D_CHANNELS, QuantizedOutput::new(-128, -128, 127), -1);

static DEPTHWISE_CONV2D_WEIGHTS: [i8; 36] = [
    45, -127, -102, 5, -30, 98, -125, 114, 78, -37, -77, 41, 111, 39, 24, -30, -127, -121, 48, 102, 20, 85,
    -127, -127, 95, -68, -118, 17, 116, 81, 51, 48, 105, -66, -16, -34,
];
static DEPTHWISE_CONV2D_CHANNELS: [QuantizedChannel; 4] = QuantizedChannel::table([
    (52864, 2107768499, -8), (-14848, 1644708554, -8), (-56576, 1824558628, -8), (17408, 1635139309, -8),
], Rounding::Double);
static DEPTHWISE_CONV2D: DepthwiseConv2d<Int8> = DepthwiseConv2d::new(Window2d::new([8, 8, 4], [3, 3], [1, 1], [1, 1], Padding::Same), &DEPTHWISE_CONV2D_WEIGHTS, &DEPTHWISE_CONV2D_CHANNELS, QuantizedOutput::new(-128, -128, 127), -128);

const CONV2D_1_WINDOW: Window2d = Window2d::new([8, 8, 4], [1, 1], [1, 1], [1, 1], Padding::Same);

static MAX_POOL2D: MaxPool2d<f32> = MaxPool2d::new(Window2d::new([8, 8, 4], [2, 2], [2, 2], [1, 1], Padding::Same), Clamp::<f32>::LINEAR);

static CONV2D_2_WEIGHTS: [f32; 144] = [
    0.18994677, 0.241956, 0.15150516, -0.02261271, -0.241956, 0.19673058, -0.23743345, 0.08818957,
    -0.23743345, -0.2871814, 0.07236067, 0.18768549, 0.13341498, 0.11532482, -0.17637914, 0.124369904,
    0.0067838132, -0.2577849, 0.13115372, -0.11080228, 0.11080228, -0.02035144, 0.22838837, -0.104018465,
    0.25236762, -0.2296318, 0.14778285, -0.056839556, -0.2546412, -0.18188657, -0.2182639, -0.08412254,
    -0.034103733, -0.018188657, -0.13641493, -0.179613, 0.25009403, -0.15915075, 0.050018806, 0.102311194,
    -0.15687717, 0.1659715, 0.2796506, -0.027282987, -0.052292388, -0.034103733, 0.28874493, 0.02046224,
    0.07217098, -0.13953057, 0.21170154, -0.20689014, 0.25740984, 0.3055238, 0.19245595, 0.052925386,
    -0.20929584, 0.25259843, 0.25740984, -0.08179378, -0.13712487, -0.055331085, -0.22373004, 0.11787927,
    -0.06735958, -0.0048113987, 0.24778703, 0.045708288, -0.14674766, 0.06495388, 0.24297564, 0.11066217,
    0.05984577, 0.22830053, -0.17067127, -0.03324765, 0.07536134, 0.25711516, -0.05541275, 0.25268215,
    -0.06427879, 0.1307741, 0.23716657, 0.08644389, 0.17953731, 0.14628966, -0.28149676, 0.01994859,
    0.07092832, -0.14407314, 0.19505288, 0.022165101, 0.17732081, 0.09309342, 0.00443302, -0.13742362,
    0.11110287, 0.09875811, 0.118509725, -0.1407303, 0.21973678, 0.07406858, -0.06666172, 0.19751622,
    0.051848006, 0.11110287, 0.069130674, 0.086413346, -0.22714365, -0.22220574, 0.06666172, -0.15060611,
    -0.15554401, 0.12591659, 0.017282669, -0.313557, -0.061723817, -0.2863985, -0.10616496, -0.10369601,
    -0.14444938, -0.12975961, -0.22524309, -0.02693124, -0.3109334, -0.05875907, 0.0024482945, 0.09548349,
    -0.16158745, 0.28889877, -0.0122414725, -0.014689768, -0.046517596, 0.25462264, -0.2693124, 0.14444938,
    0.10038008, 0.274209, 0.112621546, 0.23503628, -0.004896589, -0.03182783, 0.14444938, 0.15179425,
];
static CONV2D_2_CHANNELS: [f32; 6] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
static CONV2D_2: Conv2d<f32> = Conv2d::new(Window2d::new([4, 4, 4], [2, 3], [1, 1], [2, 1], Padding::Valid), &CONV2D_2_WEIGHTS, &CONV2D_2_CHANNELS, Clamp::<f32>::LINEAR, 0.0);

static AVG_POOL2D: AvgPool2d<f32> = AvgPool2d::new(Window2d::new([2, 2, 6], [2, 1], [2, 1], [1, 1], Padding::Same), Clamp::<f32>::LINEAR);

static DENSE_WEIGHTS: [f32; 84] = [
    -0.008334461, 0.44589365, -0.15835476, 0.23753212, 0.43339196, 0.49590042, 0.33337843, 0.5084021,
    0.46256256, -0.52090377, -0.5292382, -0.095846295, 0.23463638, -0.55183, 0.052141417, 0.49099833,
    -0.13469866, 0.3606448, 0.5040337, 0.16945961, -0.1433889, 0.39975086, -0.06517677, -0.4345118, 0.310354,
    -0.26450625, 0.27861324, 0.4443705, -0.22218525, -0.03174075, -0.09522225, 0.44789726, 0.2045515,
    -0.310354, 0.4302635, 0.017633751, 0.15747468, -0.26995662, -0.4011855, -0.47617346, 0.10873252,
    -0.32619756, -0.13497831, -0.18746987, 0.26620722, 0.1499759, -0.46492526, 0.014997589, -0.116771884,
    -0.4541129, -0.5319608, -0.15569584, 0.32436636, -0.32436636, 0.4281636, -0.008649769, 0.5492603,
    -0.24219353, 0.3632903, -0.4541129, -0.14397293, -0.25195265, -0.23595564, -0.4559143, 0.09198271,
    0.5079045, 0.2159594, -0.075985715, 0.19596316, 0.46391279, 0.027994737, 0.48790827, 0.034831896, 0.0,
    -0.11320366, 0.27430117, -0.32654902, -0.30477908, 0.021769935, 0.24817726, -0.04353987, 0.55295634,
    -0.07401778, -0.47893858,
];
static DENSE_CHANNELS: [f32; 7] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
static DENSE: Dense<f32> = Dense::new(12, &DENSE_WEIGHTS, &DENSE_CHANNELS, Clamp::<f32>::LINEAR);

static DENSE_2_WEIGHTS: [f32; 18] = [
    0.26081455, -0.2926212, 0.39440247, -0.53435177, 0.807889, 0.4580158, 0.45036823, 0.5477451, 0.77292925,
    0.042602398, 0.45645428, -0.012172114, 0.4387786, -0.6742208, 0.10701917, 0.67957175, 0.080264375,
    -0.41737476,
];
static DENSE_2_CHANNELS: [f32; 3] = [
    0.0, 0.0, 0.0,
];
static DENSE_2: Dense<f32> = Dense::new(6, &DENSE_2_WEIGHTS, &DENSE_2_CHANNELS, Clamp::<f32>::LINEAR);

/// All the RAM of the model, 5192 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    int8: [i8; 548],
    float: [f32; 1092],
    /// What has been learned.
    pub parameters: Parameters,
    state: State,
    /// Samples of the batch so far.
    samples: u32,
}

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { int8: [0; 548], float: [0.0; 1092], parameters: Parameters::new(), state: State::new(), samples: 0, }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [i8; 128] {
        arena::array_mut(&mut self.int8, 256)
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
        arena::array(&self.float, 286)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // conv2d: Conv2d [8, 8, 4], 4608 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([256..384, 384..402, 0..256]) {
            CONV2D.forward(x, patch, y);
        }
        done(0);
        // depthwise_conv2d: DepthwiseConv2d [8, 8, 4], 2304 MAC
        if let Ok([x, patch, y]) = self.int8.get_disjoint_mut([0..256, 512..548, 256..512]) {
            DEPTHWISE_CONV2D.forward(x, patch, y);
        }
        done(1);
        // dequantize_2: Dequantize [8, 8, 4], 0 MAC
        let (x, y) = (self.int8.get(256..512).unwrap_or_default(), self.float.get_mut(0..256).unwrap_or_default());
        layers::dequantize(Quantization::new(0.0049093924, -128), x, y);
        done(2);
        // conv2d_1: Conv2d [8, 8, 4], 1024 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([0..256, 256..512]) {
            Conv2d::<f32>::new(CONV2D_1_WINDOW, &self.parameters.conv2d_1_weights, &self.parameters.conv2d_1_bias, Clamp::<f32>::LINEAR, 0.0).forward_pointwise(x, y);
        }
        done(3);
        // dequantize_1: Dequantize [8, 8, 4], 0 MAC
        let (x, y) = (self.int8.get(0..256).unwrap_or_default(), self.float.get_mut(512..768).unwrap_or_default());
        layers::dequantize(Quantization::new(0.007162858, -128), x, y);
        done(4);
        // add: Add [8, 8, 4], 0 MAC
        if let Ok([a, b, y]) = self.float.get_disjoint_mut([256..512, 512..768, 768..1024]) {
            layers::add(a, b, &Clamp::<f32>::LINEAR, y);
        }
        done(5);
        // max_pool2d: MaxPool2d [4, 4, 4], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([768..1024, 512..576]) {
            MAX_POOL2D.forward(x, y);
        }
        done(6);
        // conv2d_2: Conv2d [2, 2, 6], 576 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([512..576, 280..304, 256..280]) {
            CONV2D_2.forward(x, patch, y);
        }
        done(7);
        // leaky_relu: LeakyReLU [2, 2, 6], 0 MAC
        if let Some(y) = self.float.get_mut(256..280) {
            layers::leaky_relu(0.25, y);
        }
        done(8);
        // avg_pool2d: AvgPool2d [1, 2, 6], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([256..280, 280..292]) {
            AVG_POOL2D.forward(x, y);
        }
        done(9);
        // dense: Dense [7], 84 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([280..292, 640..647]) {
            DENSE.forward(x, y);
        }
        done(10);
        // tanh: Tanh [7], 0 MAC
        if let Some(y) = self.float.get_mut(640..647) {
            layers::tanh(y);
        }
        done(11);
        // dense_1: Dense [6], 42 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([640..647, 280..286]) {
            Dense::<f32>::new(7, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(12);
        // sigmoid: Sigmoid [6], 0 MAC
        if let Some(y) = self.float.get_mut(280..286) {
            layers::sigmoid(y);
        }
        done(13);
        // dense_2: Dense [3], 18 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([280..286, 286..289]) {
            DENSE_2.forward(x, y);
        }
        done(14);
        // softmax: Softmax [3], 0 MAC
        if let Some(y) = self.float.get_mut(286..289) {
            layers::softmax(y);
        }
        done(15);
    }

    /// Forward, loss, and all deltas.
    #[inline]
    fn deltas(&mut self, label: usize) -> Result<f32, TrainError> {
        Target::Class(label).class(3)?;
        self.forward(|_| {});
        // The loss turns the outputs into deltas.
        let outputs = arena::array_mut::<f32, 3>(&mut self.float, 286);
        let loss = loss::sparse_categorical_cross_entropy(outputs, label)?;
        if !loss.is_finite() {
            return Err(TrainError::NotFinite);
        }
        // dense_2: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([286..289, 647..653]) {
            DENSE_2.backward_input(delta, delta_x);
        }
        // sigmoid: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([280..286, 647..653]) {
            layers::sigmoid_backward(y, delta);
        }
        // dense_1: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([647..653, 280..287]) {
            Dense::<f32>::new(7, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).backward_input(delta, delta_x);
        }
        // tanh: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([640..647, 280..287]) {
            layers::tanh_backward(y, delta);
        }
        // dense: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([280..287, 304..316]) {
            DENSE.backward_input(delta, delta_x);
        }
        // avg_pool2d: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([304..316, 280..304]) {
            AVG_POOL2D.backward_input(delta, delta_x);
        }
        // leaky_relu: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([256..280, 280..304]) {
            layers::leaky_relu_backward(0.25, y, delta);
        }
        // conv2d_2: through the layer
        if let Ok([delta, patch, delta_x]) = self.float.get_disjoint_mut([280..304, 256..280, 576..640]) {
            CONV2D_2.backward_input(delta, patch, delta_x);
        }
        // max_pool2d: through the layer
        if let Ok([delta, x, y, delta_x]) = self.float.get_disjoint_mut([576..640, 768..1024, 512..576, 256..512]) {
            MAX_POOL2D.backward_input(x, y, delta, delta_x);
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
        // conv2d_1: gradients
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([0..256, 256..512, 532..536, 512..528, 528..532]) {
            gradient_w.fill(0.0);
            gradient_b.fill(0.0);
            Conv2d::<f32>::new(CONV2D_1_WINDOW, &self.parameters.conv2d_1_weights, &self.parameters.conv2d_1_bias, Clamp::<f32>::LINEAR, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
        }
        // conv2d_1: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([512..528, 528..532]) {
            optimizer.update_weights(&mut self.parameters.conv2d_1_weights, &mut self.state.conv2d_1_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.conv2d_1_bias, &mut self.state.conv2d_1_bias, gradient_b);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([640..647, 647..653]) {
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
    pub fn accumulate(&mut self, label: usize) -> Result<f32, TrainError> {
        let loss = self.deltas(label)?;
        let mut finite = true;
        if let Some(values) = self.float.get_mut(256..512) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(0..256) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(647..653) {
            finite &= guard::all_finite(values);
        }
        if let Some(values) = self.float.get_mut(640..647) {
            finite &= guard::all_finite(values);
        }
        if !finite {
            return Err(TrainError::NotFinite);
        }
        if self.samples == 0 {
            if let Some(values) = self.float.get_mut(1066..1082) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(1088..1092) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(1024..1066) {
                values.fill(0.0);
            }
            if let Some(values) = self.float.get_mut(1082..1088) {
                values.fill(0.0);
            }
        }
        self.samples += 1;
        // conv2d_1: gradients
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([0..256, 256..512, 532..536, 1066..1082, 1088..1092]) {
            Conv2d::<f32>::new(CONV2D_1_WINDOW, &self.parameters.conv2d_1_weights, &self.parameters.conv2d_1_bias, Clamp::<f32>::LINEAR, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
        }
        // dense_1: gradients
        if let Ok([x, delta, gradient_w, gradient_b]) = self.float.get_disjoint_mut([640..647, 647..653, 1024..1066, 1082..1088]) {
            dense::accumulate::<f32>(x, delta, gradient_w, gradient_b);
        }
        Ok(loss)
    }

    /// Updates by the mean of the gradients of the batch, and begins a new one. Returns how many samples there were.
    ///
    /// # Errors
    /// None: what could be refused was refused by [`accumulate`](Self::accumulate).
    pub fn apply(&mut self, optimizer: &Sgd) -> Result<usize, TrainError> {
        let samples = core::mem::take(&mut self.samples);
        if samples == 0 {
            return Ok(0);
        }
        let mean = 1.0 / samples as f32;
        let optimizer = &optimizer.begin(&mut self.state.progress);
        if let Some(values) = self.float.get_mut(1066..1082) {
            guard::scale(mean, values);
        }
        if let Some(values) = self.float.get_mut(1088..1092) {
            guard::scale(mean, values);
        }
        if let Some(values) = self.float.get_mut(1024..1066) {
            guard::scale(mean, values);
        }
        if let Some(values) = self.float.get_mut(1082..1088) {
            guard::scale(mean, values);
        }
        // conv2d_1: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([1066..1082, 1088..1092]) {
            optimizer.update_weights(&mut self.parameters.conv2d_1_weights, &mut self.state.conv2d_1_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.conv2d_1_bias, &mut self.state.conv2d_1_bias, gradient_b);
        }
        // dense_1: update
        if let Ok([gradient_w, gradient_b]) = self.float.get_disjoint_mut([1024..1066, 1082..1088]) {
            optimizer.update_weights(&mut self.parameters.dense_1_weights, &mut self.state.dense_1_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.dense_1_bias, &mut self.state.dense_1_bias, gradient_b);
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
        let outputs = arena::array_mut::<f32, 3>(&mut self.float, 286);
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
            0 => ElementsMut::I8(self.input()),
            _ => ElementsMut::I8(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::F32(arena::array::<_, 3>(&self.float, 286)),
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
    /// `conv2d_1/weights`
    pub conv2d_1_weights: [f32; 16],
    /// `conv2d_1/bias`
    pub conv2d_1_bias: [f32; 4],
    /// `dense_1/weights`
    pub dense_1_weights: [f32; 42],
    /// `dense_1/bias`
    pub dense_1_bias: [f32; 6],
}

const CONV2D_1_WEIGHTS: [f32; 16] = [
    -0.3597704, -0.25335944, -0.643533, 0.2736282, 0.34788328, -0.849638, -0.6756964, 0.14049132, -0.5349548,
    -0.15657213, -0.8285275, -0.13700062, -0.8530946, 0.6448589, 0.59112066, 0.79935634,
];
const CONV2D_1_BIAS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
const DENSE_1_WEIGHTS: [f32; 42] = [
    -0.35746956, 0.55886084, -0.63941735, 0.19635652, 0.13593912, 0.17621739, -0.5236174, 0.64215946,
    0.31349516, -0.41462266, 0.3488898, -0.4045099, 0.31349516, -0.33372068, -0.1214469, -0.35948282,
    0.42749307, -0.024289379, 0.17002566, -0.019431503, 0.6169502, -0.31189272, 0.3876381, -0.5658625,
    0.40546054, 0.12475708, -0.46783906, -0.2539698, 0.18946719, -0.17662196, 0.40783614, 0.11239579,
    -0.022479158, 0.073860094, -0.028901774, -0.54132175, 0.14121437, 0.59780747, -0.50366455, -0.009414291,
    -0.032950018, -0.018828582,
];
const DENSE_1_BIAS: [f32; 6] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];

impl Parameters {
    /// As they were exported.
    pub const fn new() -> Self {
        Self { conv2d_1_weights: CONV2D_1_WEIGHTS, conv2d_1_bias: CONV2D_1_BIAS, dense_1_weights: DENSE_1_WEIGHTS, dense_1_bias: DENSE_1_BIAS, }
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
    conv2d_1_weights: [Memory; 16],
    conv2d_1_bias: [Memory; 4],
    dense_1_weights: [Memory; 42],
    dense_1_bias: [Memory; 6],
    progress: <Sgd as Optimizer<f32>>::Progress,
}

impl State {
    /// As before the first step.
    pub const fn new() -> Self {
        Self { conv2d_1_weights: [<Sgd as Optimizer<f32>>::START; 16], conv2d_1_bias: [<Sgd as Optimizer<f32>>::START; 4], dense_1_weights: [<Sgd as Optimizer<f32>>::START; 42], dense_1_bias: [<Sgd as Optimizer<f32>>::START; 6], progress: <Sgd as Optimizer<f32>>::OUTSET, }
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
        let parameters = Parameters { conv2d_1_weights: [0.0; 16], conv2d_1_bias: [0.0; 4], dense_1_weights: [0.0; 42], dense_1_bias: [0.0; 6], };
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
        visit("conv2d_1/weights", &self.parameters.conv2d_1_weights);
        visit("conv2d_1/bias", &self.parameters.conv2d_1_bias);
        visit("dense_1/weights", &self.parameters.dense_1_weights);
        visit("dense_1/bias", &self.parameters.dense_1_bias);
    }
}

impl BatchLearner for Network {
    fn accumulate(&mut self, target: Target<'_>) -> Result<f32, TrainError> {
        let target = target.class(3)?;
        self.accumulate(target)
    }

    fn apply(&mut self, optimizer: &Sgd) -> Result<usize, TrainError> {
        self.apply(optimizer)
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`, quantised.
pub fn prepare_input(raw: &[f32; 128], input: &mut [i8; 128]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = INPUT_QUANTIZATION.quantize(x);
    }
}

