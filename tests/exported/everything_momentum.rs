// milligrad model: name=everything learns=yes optimizer=Momentum
// 14 layers, 8656 multiply-accumulate operations, 10884 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Learner, Model, Momentum, Optimizer, Padding, TrainError, Window2d, arena, loss, layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, dense}};

/// Name of the model.
pub const NAME: &str = "everything";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 14] = ["conv2d", "depthwise_conv2d", "conv2d_1", "add", "max_pool2d", "conv2d_2", "leaky_relu", "avg_pool2d", "dense", "tanh", "dense_1", "sigmoid", "dense_2", "softmax"];

static MAX_POOL2D: MaxPool2d<f32> = MaxPool2d::new(Window2d::new([8, 8, 4], [2, 2], [2, 2], [1, 1], Padding::Same), Clamp::<f32>::LINEAR);

static AVG_POOL2D: AvgPool2d<f32> = AvgPool2d::new(Window2d::new([2, 2, 6], [2, 1], [2, 1], [1, 1], Padding::Same), Clamp::<f32>::LINEAR);

/// All the RAM of the model, 10884 bytes: its arena, the parameters that learn, and what the optimizer remembers of them.
pub struct Network {
    float: [f32; 1829],
    /// What has been learned.
    pub parameters: Parameters,
    velocity: Parameters,
}

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { float: [0.0; 1829], parameters: Parameters::new(), velocity: Parameters::zero(), }
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [f32; 128] {
        arena::array_mut(&mut self.float, 1536)
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
        arena::array(&self.float, 1826)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // conv2d: Conv2d [8, 8, 4], 4608 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([1536..1664, 256..274, 0..256]) {
            Conv2d::<f32>::new(Window2d::new([8, 8, 2], [3, 3], [1, 1], [1, 1], Padding::Same), &self.parameters.conv2d_weights, &self.parameters.conv2d_bias, Clamp::<f32>::RELU, 0.0).forward(x, patch, y);
        }
        done(0);
        // depthwise_conv2d: DepthwiseConv2d [8, 8, 4], 2304 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([0..256, 512..548, 256..512]) {
            DepthwiseConv2d::<f32>::new(Window2d::new([8, 8, 4], [3, 3], [1, 1], [1, 1], Padding::Same), &self.parameters.depthwise_conv2d_weights, &self.parameters.depthwise_conv2d_bias, Clamp::<f32>::RELU6, 0.0).forward(x, patch, y);
        }
        done(1);
        // conv2d_1: Conv2d [8, 8, 4], 1024 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([256..512, 512..768]) {
            Conv2d::<f32>::new(Window2d::new([8, 8, 4], [1, 1], [1, 1], [1, 1], Padding::Same), &self.parameters.conv2d_1_weights, &self.parameters.conv2d_1_bias, Clamp::<f32>::LINEAR, 0.0).forward_pointwise(x, y);
        }
        done(2);
        // add: Add [8, 8, 4], 0 MAC
        if let Ok([a, b, y]) = self.float.get_disjoint_mut([512..768, 0..256, 768..1024]) {
            layers::add(a, b, &Clamp::<f32>::LINEAR, y);
        }
        done(3);
        // max_pool2d: MaxPool2d [4, 4, 4], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([768..1024, 1664..1728]) {
            MAX_POOL2D.forward(x, y);
        }
        done(4);
        // conv2d_2: Conv2d [2, 2, 6], 576 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([1664..1728, 536..560, 512..536]) {
            Conv2d::<f32>::new(Window2d::new([4, 4, 4], [2, 3], [1, 1], [2, 1], Padding::Valid), &self.parameters.conv2d_2_weights, &self.parameters.conv2d_2_bias, Clamp::<f32>::LINEAR, 0.0).forward(x, patch, y);
        }
        done(5);
        // leaky_relu: LeakyReLU [2, 2, 6], 0 MAC
        if let Some(y) = self.float.get_mut(512..536) {
            layers::leaky_relu(0.25, y);
        }
        done(6);
        // avg_pool2d: AvgPool2d [1, 2, 6], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([512..536, 1788..1800]) {
            AVG_POOL2D.forward(x, y);
        }
        done(7);
        // dense: Dense [7], 84 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([1788..1800, 1800..1807]) {
            Dense::<f32>::new(12, &self.parameters.dense_weights, &self.parameters.dense_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(8);
        // tanh: Tanh [7], 0 MAC
        if let Some(y) = self.float.get_mut(1800..1807) {
            layers::tanh(y);
        }
        done(9);
        // dense_1: Dense [6], 42 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([1800..1807, 1814..1820]) {
            Dense::<f32>::new(7, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(10);
        // sigmoid: Sigmoid [6], 0 MAC
        if let Some(y) = self.float.get_mut(1814..1820) {
            layers::sigmoid(y);
        }
        done(11);
        // dense_2: Dense [3], 18 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([1814..1820, 1826..1829]) {
            Dense::<f32>::new(6, &self.parameters.dense_2_weights, &self.parameters.dense_2_bias, Clamp::<f32>::LINEAR).forward(x, y);
        }
        done(12);
        // softmax: Softmax [3], 0 MAC
        if let Some(y) = self.float.get_mut(1826..1829) {
            layers::softmax(y);
        }
        done(13);
    }

    /// One step of gradient descent on the [`input`](Self::input) and its label; returns the loss before the update.
    ///
    /// # Errors
    /// A label that is no class, or a loss that is not finite. No parameter has changed then.
    #[inline]
    pub fn train_step(&mut self, label: usize, optimizer: &Momentum) -> Result<f32, TrainError> {
        self.forward(|_| {});
        // The probabilities become the deltas of the scores.
        let probabilities = arena::array_mut::<f32, 3>(&mut self.float, 1826);
        let loss = loss::sparse_categorical_cross_entropy(probabilities, label)?;
        if !loss.is_finite() {
            return Err(TrainError::NotFinite);
        }
        // dense_2: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([1826..1829, 1820..1826]) {
            Dense::<f32>::new(6, &self.parameters.dense_2_weights, &self.parameters.dense_2_bias, Clamp::<f32>::LINEAR).backward_input(delta, delta_x);
        }
        // sigmoid: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([1814..1820, 1820..1826]) {
            layers::sigmoid_backward(y, delta);
        }
        // dense_1: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([1820..1826, 1807..1814]) {
            Dense::<f32>::new(7, &self.parameters.dense_1_weights, &self.parameters.dense_1_bias, Clamp::<f32>::LINEAR).backward_input(delta, delta_x);
        }
        // tanh: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([1800..1807, 1807..1814]) {
            layers::tanh_backward(y, delta);
        }
        // dense: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([1807..1814, 1728..1740]) {
            Dense::<f32>::new(12, &self.parameters.dense_weights, &self.parameters.dense_bias, Clamp::<f32>::LINEAR).backward_input(delta, delta_x);
        }
        // avg_pool2d: through the layer
        if let Ok([delta, delta_x]) = self.float.get_disjoint_mut([1728..1740, 1764..1788]) {
            AVG_POOL2D.backward_input(delta, delta_x);
        }
        // leaky_relu: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([512..536, 1764..1788]) {
            layers::leaky_relu_backward(0.25, y, delta);
        }
        // conv2d_2: through the layer
        if let Ok([delta, patch, delta_x]) = self.float.get_disjoint_mut([1764..1788, 1728..1752, 1024..1088]) {
            Conv2d::<f32>::new(Window2d::new([4, 4, 4], [2, 3], [1, 1], [2, 1], Padding::Valid), &self.parameters.conv2d_2_weights, &self.parameters.conv2d_2_bias, Clamp::<f32>::LINEAR, 0.0).backward_input(delta, patch, delta_x);
        }
        // max_pool2d: through the layer
        if let Ok([delta, x, y, delta_x]) = self.float.get_disjoint_mut([1024..1088, 768..1024, 1664..1728, 512..768]) {
            MAX_POOL2D.backward_input(x, y, delta, delta_x);
        }
        if let Ok([from, into]) = self.float.get_disjoint_mut([512..768, 768..1024]) {
            layers::copy(from, into);
        }
        // conv2d_1: through the layer
        if let Ok([delta, patch, delta_x]) = self.float.get_disjoint_mut([512..768, 1728..1732, 1024..1280]) {
            Conv2d::<f32>::new(Window2d::new([8, 8, 4], [1, 1], [1, 1], [1, 1], Padding::Same), &self.parameters.conv2d_1_weights, &self.parameters.conv2d_1_bias, Clamp::<f32>::LINEAR, 0.0).backward_input(delta, patch, delta_x);
        }
        // depthwise_conv2d: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([256..512, 1024..1280]) {
            DepthwiseConv2d::<f32>::new(Window2d::new([8, 8, 4], [3, 3], [1, 1], [1, 1], Padding::Same), &self.parameters.depthwise_conv2d_weights, &self.parameters.depthwise_conv2d_bias, Clamp::<f32>::RELU6, 0.0).backward_activation(y, delta);
        }
        // depthwise_conv2d: through the layer
        if let Ok([delta, patch, delta_x]) = self.float.get_disjoint_mut([1024..1280, 1728..1764, 1280..1536]) {
            DepthwiseConv2d::<f32>::new(Window2d::new([8, 8, 4], [3, 3], [1, 1], [1, 1], Padding::Same), &self.parameters.depthwise_conv2d_weights, &self.parameters.depthwise_conv2d_bias, Clamp::<f32>::RELU6, 0.0).backward_input(delta, patch, delta_x);
        }
        if let Ok([from, into]) = self.float.get_disjoint_mut([1280..1536, 768..1024]) {
            layers::accumulate(from, into);
        }
        // conv2d: through the activation
        if let Ok([y, delta]) = self.float.get_disjoint_mut([0..256, 768..1024]) {
            Conv2d::<f32>::new(Window2d::new([8, 8, 2], [3, 3], [1, 1], [1, 1], Padding::Same), &self.parameters.conv2d_weights, &self.parameters.conv2d_bias, Clamp::<f32>::RELU, 0.0).backward_activation(y, delta);
        }
        // conv2d: update
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([1536..1664, 768..1024, 1728..1746, 1280..1352, 1746..1750]) {
            gradient_w.fill(0.0);
            gradient_b.fill(0.0);
            Conv2d::<f32>::new(Window2d::new([8, 8, 2], [3, 3], [1, 1], [1, 1], Padding::Same), &self.parameters.conv2d_weights, &self.parameters.conv2d_bias, Clamp::<f32>::RELU, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
            optimizer.update_weights(&mut self.parameters.conv2d_weights, &mut self.velocity.conv2d_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.conv2d_bias, &mut self.velocity.conv2d_bias, gradient_b);
        }
        // depthwise_conv2d: update
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([0..256, 1024..1280, 768..804, 804..840, 1728..1732]) {
            gradient_w.fill(0.0);
            gradient_b.fill(0.0);
            DepthwiseConv2d::<f32>::new(Window2d::new([8, 8, 4], [3, 3], [1, 1], [1, 1], Padding::Same), &self.parameters.depthwise_conv2d_weights, &self.parameters.depthwise_conv2d_bias, Clamp::<f32>::RELU6, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
            optimizer.update_weights(&mut self.parameters.depthwise_conv2d_weights, &mut self.velocity.depthwise_conv2d_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.depthwise_conv2d_bias, &mut self.velocity.depthwise_conv2d_bias, gradient_b);
        }
        // conv2d_1: update
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([256..512, 512..768, 1744..1748, 1728..1744, 1748..1752]) {
            gradient_w.fill(0.0);
            gradient_b.fill(0.0);
            Conv2d::<f32>::new(Window2d::new([8, 8, 4], [1, 1], [1, 1], [1, 1], Padding::Same), &self.parameters.conv2d_1_weights, &self.parameters.conv2d_1_bias, Clamp::<f32>::LINEAR, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
            optimizer.update_weights(&mut self.parameters.conv2d_1_weights, &mut self.velocity.conv2d_1_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.conv2d_1_bias, &mut self.velocity.conv2d_1_bias, gradient_b);
        }
        // conv2d_2: update
        if let Ok([x, delta, patch, gradient_w, gradient_b]) = self.float.get_disjoint_mut([1664..1728, 1764..1788, 1728..1752, 0..144, 1752..1758]) {
            gradient_w.fill(0.0);
            gradient_b.fill(0.0);
            Conv2d::<f32>::new(Window2d::new([4, 4, 4], [2, 3], [1, 1], [2, 1], Padding::Valid), &self.parameters.conv2d_2_weights, &self.parameters.conv2d_2_bias, Clamp::<f32>::LINEAR, 0.0).accumulate(x, delta, patch, gradient_w, gradient_b);
            optimizer.update_weights(&mut self.parameters.conv2d_2_weights, &mut self.velocity.conv2d_2_weights, gradient_w);
            optimizer.update_accumulated_biases(&mut self.parameters.conv2d_2_bias, &mut self.velocity.conv2d_2_bias, gradient_b);
        }
        // dense: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([1788..1800, 1807..1814]) {
            let state = (&mut self.velocity.dense_weights[..], &mut self.velocity.dense_bias[..]);
            dense::apply::<f32, _>(x, delta, &mut self.parameters.dense_weights, &mut self.parameters.dense_bias, state, optimizer);
        }
        // dense_1: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([1800..1807, 1820..1826]) {
            let state = (&mut self.velocity.dense_1_weights[..], &mut self.velocity.dense_1_bias[..]);
            dense::apply::<f32, _>(x, delta, &mut self.parameters.dense_1_weights, &mut self.parameters.dense_1_bias, state, optimizer);
        }
        // dense_2: update
        if let Ok([x, delta]) = self.float.get_disjoint_mut([1814..1820, 1826..1829]) {
            let state = (&mut self.velocity.dense_2_weights[..], &mut self.velocity.dense_2_bias[..]);
            dense::apply::<f32, _>(x, delta, &mut self.parameters.dense_2_weights, &mut self.parameters.dense_2_bias, state, optimizer);
        }
        Ok(loss)
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Model for Network {
    type Input = f32;
    type Output = f32;
    const NAME: &'static str = NAME;
    const LAYERS: &'static [&'static str] = &LAYERS;
    const INPUTS: usize = 128;
    const OUTPUTS: usize = 3;

    fn input(&mut self) -> &mut [f32] {
        self.input()
    }

    fn predict_with(&mut self, done: impl FnMut(usize)) -> &[f32] {
        self.predict_with(done)
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
    0.16994147, 0.13525486, 0.22084169, -0.32042181, -0.19556384, 0.23592643, 0.01950407, 0.30565965,
    -0.047222298, -0.32133126, 0.11347799, 0.024483483, -0.30414307, 0.25179502, 0.16564333, -0.30305785,
    -0.09777554, 0.055317085, -0.31309366, -0.16037473, 0.16350643, 0.19183275, 0.2815158, -0.26778972,
    0.23267528, 0.08207016, -0.083146736, -0.123611495, 0.055546485, 0.083035514, 0.27965677, 0.038423818,
    -0.01706636, 0.053858995, 0.11901681, 0.1638627, -0.12135689, -0.23389964, -0.23164856, -0.23930077,
    -0.23661852, 0.19671063, -0.09860142, 0.292194, -0.03334403, 0.30546218, -0.21867406, 0.05275309,
    -0.18826775, 0.23053452, 0.056448303, -0.16922721, 0.15367433, -0.21456496, 0.31673855, -0.08963919,
    0.32950294, -0.0726593, 0.148381, 0.09421778, 0.19968574, 0.17579898, -0.21222898, -0.3063907, 0.10915335,
    0.06618254, 0.3066187, -0.06819721, 0.149153, -0.12784958, 0.043567978, 0.31080002,
];
const CONV2D_BIAS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
const DEPTHWISE_CONV2D_WEIGHTS: [f32; 36] = [
    0.25229844, -0.35861224, -0.411127, 0.4241415, 0.41875693, 0.53689367, 0.56015915, 0.055249542, 0.5092681,
    -0.07707095, -0.024636094, 0.37479484, -0.44521347, -0.4252891, -0.37315267, -0.26945382, 0.5335115,
    0.2182826, -0.18932323, -0.06080672, -0.28537032, 0.17260365, -0.5456921, -0.3528037, -0.123253144,
    0.46589497, 0.49003974, -0.5510519, 0.058929987, 0.10044588, -0.104715265, -0.40003026, 0.16279884,
    -0.051124144, 0.30515382, -0.4611001,
];
const DEPTHWISE_CONV2D_BIAS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
const CONV2D_1_WEIGHTS: [f32; 16] = [
    -0.40006047, -0.34825853, 0.09595832, -0.39623323, 0.7848938, 0.83938724, -0.8365682, 0.78892004,
    -0.01390062, 0.58715737, -0.4683054, -0.04350368, 0.50694567, -0.6190949, -0.19656278, -0.8504138,
];
const CONV2D_1_BIAS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
const CONV2D_2_WEIGHTS: [f32; 144] = [
    0.1357064, 0.20680211, -0.30833858, -0.22100815, 0.074859574, -0.16020492, -0.29026738, -0.095733054,
    -0.0703316, -0.28358418, -0.14439705, 0.09744157, -0.09684422, 0.057614725, 0.09494258, 0.040902913,
    0.2505148, -0.14580187, -0.17936867, 0.23476377, 0.055087198, 0.08620796, -0.011702557, -0.20544927,
    0.021364637, -0.24771728, 0.085878715, -0.29530996, 0.31546184, -0.073295705, -0.2673658, -0.19067797,
    -0.2590707, 0.2046818, -0.038345754, -0.040157072, 0.16012281, -0.28581068, -0.23351592, 0.08835539,
    0.14738211, 0.19079408, 0.11701837, 0.2301894, -0.15943147, 0.30402046, 0.12696032, 0.17689806,
    -0.0065093413, -0.18310624, -0.31203914, -0.027789874, -0.059145384, 0.04107142, 0.1492496, 0.12854944,
    -0.20433517, 0.3064344, -0.0152440285, 0.09872531, -0.024755092, 0.084636405, -0.15056251, 0.1385246,
    -0.057392158, 0.012707416, -0.05971254, 0.18641339, 0.1185341, 0.12786657, -0.1670905, -0.19592026,
    0.17733811, 0.26372394, -0.007109256, 0.2767627, -0.09753543, 0.14293186, -0.013143046, -0.24551421,
    0.22107589, 0.22893925, 0.3076655, -0.26484877, -0.0804171, -0.014066592, -0.10929771, 0.19895117,
    -0.04303737, -0.23980975, -0.10312236, -0.137685, 0.15452148, -0.023331454, -0.2621936, 0.29219413,
    0.045008298, -0.06100891, -0.24911347, 0.31570187, 0.24677941, -0.24320884, -0.30781204, 0.2015361,
    -0.08129296, 0.2798396, -0.22854987, -0.11167218, -0.0054981494, 0.030588182, -0.28787404, -0.23053361,
    -0.061884772, 0.19414145, 0.30784348, 0.2897874, -0.28047416, 0.051245693, 0.11653898, -0.110920005,
    0.10744175, -0.02174406, -0.30032456, -0.074107476, -0.220553, -0.122931264, -0.27205756, 0.24728681,
    -0.3046588, 0.25743118, -0.1696448, 0.12414052, 0.18406205, 0.05868254, -0.049133778, -0.1614254,
    0.26122132, 0.05360264, -0.16120973, 0.20623417, -0.02632296, -0.00013096037, 0.18681863, -0.13037023,
];
const CONV2D_2_BIAS: [f32; 6] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
const DENSE_WEIGHTS: [f32; 84] = [
    -0.4724469, -0.25727218, 0.27525467, 0.36002874, -0.42571965, 0.56037056, -0.52789176, -0.20611359,
    -0.2673197, -0.030131156, 0.18594864, -0.5399058, -0.1835985, -0.48138702, 0.3404357, -0.36976874,
    0.3495892, 0.16535838, -0.014482867, -0.32951838, 0.36715347, -0.062217947, -0.37544942, -0.45198417,
    0.29179138, 0.44714642, -0.3676914, -0.43324918, -0.55781585, 0.10609267, -0.33645222, -0.45630836,
    0.16007435, 0.1502379, -0.2848625, -0.036218055, 0.055435896, 0.029511433, -0.3170462, 0.41632473,
    0.018890195, -0.094773464, 0.24595739, 0.30783483, 0.49195692, -0.36281854, -0.4137325, 0.005799578,
    -0.09041698, 0.5222985, -0.33610293, 0.14066117, 0.032014307, -0.18679827, -0.3553889, -0.41982168,
    -0.48919696, -0.0073915245, -0.38492405, 0.36344564, -0.40489647, -0.45257387, -0.17465797, 0.3281229,
    0.03989707, 0.23492242, -0.453152, 0.14837961, -0.07182047, 0.46271774, 0.3197561, -0.18473987,
    0.08439245, -0.08186084, 0.13151611, 0.1376909, -0.25884423, -0.18993714, -0.3716484, -0.4561039,
    0.18027319, -0.415052, -0.32459387, 0.35915568,
];
const DENSE_BIAS: [f32; 7] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
const DENSE_1_WEIGHTS: [f32; 42] = [
    -0.557661, -0.50917864, 0.37733436, -0.61367446, -0.44170254, -0.08019374, 0.6358385, 0.41202277,
    0.47847524, -0.53942084, -0.20977646, -0.3387147, 0.45484507, 0.5840792, -0.17955802, -0.31883955,
    0.55351585, 0.64256185, -0.15557598, -0.2616143, 0.14956692, 0.0963583, 0.12132935, -0.54683465,
    0.16412503, -0.46738523, -0.14423394, -0.3684155, -0.3716413, -0.0832314, 0.45231286, 0.29677325,
    -0.16207728, 0.18571027, -0.41924533, 0.13078505, -0.33447114, 0.38353795, 0.43558288, 0.12979741,
    -0.1849315, -0.54002666,
];
const DENSE_1_BIAS: [f32; 6] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
const DENSE_2_WEIGHTS: [f32; 18] = [
    -0.25141552, 0.13869508, 0.5167575, 0.21350569, 0.00017617451, 0.41950935, -0.3651345, 0.042439174,
    -0.55694443, 0.32175508, 0.6809003, 0.693197, 0.1303557, -0.80128175, 0.7273236, 0.181538, -0.021609994,
    -0.14353794,
];
const DENSE_2_BIAS: [f32; 3] = [
    0.0, 0.0, 0.0,
];

impl Parameters {
    /// As they were exported.
    pub const fn new() -> Self {
        Self { conv2d_weights: CONV2D_WEIGHTS, conv2d_bias: CONV2D_BIAS, depthwise_conv2d_weights: DEPTHWISE_CONV2D_WEIGHTS, depthwise_conv2d_bias: DEPTHWISE_CONV2D_BIAS, conv2d_1_weights: CONV2D_1_WEIGHTS, conv2d_1_bias: CONV2D_1_BIAS, conv2d_2_weights: CONV2D_2_WEIGHTS, conv2d_2_bias: CONV2D_2_BIAS, dense_weights: DENSE_WEIGHTS, dense_bias: DENSE_BIAS, dense_1_weights: DENSE_1_WEIGHTS, dense_1_bias: DENSE_1_BIAS, dense_2_weights: DENSE_2_WEIGHTS, dense_2_bias: DENSE_2_BIAS, }
    }

    const fn zero() -> Self {
        Self { conv2d_weights: [0.0; 72], conv2d_bias: [0.0; 4], depthwise_conv2d_weights: [0.0; 36], depthwise_conv2d_bias: [0.0; 4], conv2d_1_weights: [0.0; 16], conv2d_1_bias: [0.0; 4], conv2d_2_weights: [0.0; 144], conv2d_2_bias: [0.0; 6], dense_weights: [0.0; 84], dense_bias: [0.0; 7], dense_1_weights: [0.0; 42], dense_1_bias: [0.0; 6], dense_2_weights: [0.0; 18], dense_2_bias: [0.0; 3], }
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self::new()
    }
}

impl Learner for Network {
    type Optimizer = Momentum;

    fn train_step(&mut self, label: usize, optimizer: &Momentum) -> Result<f32, TrainError> {
        self.train_step(label, optimizer)
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

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`.
pub fn prepare_input(raw: &[f32; 128], input: &mut [f32; 128]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = x;
    }
}

