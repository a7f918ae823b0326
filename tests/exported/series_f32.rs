// milligrad model: name=series learns=no optimizer=none core=portable
// 15 layers, 918 multiply-accumulate operations, 352 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Model, Padding, Port, Window2d, arena, lendable, layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, Strided, dense}};

/// Name of the model.
pub const NAME: &str = "series";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 15] = ["zero_padding1d", "conv1d", "depthwise_conv1d", "elu", "depthwise_conv1d_1", "conv1d_1", "conv1d_2", "hard_swish", "avg_pool1d", "max_pool1d", "global_avg_pool1d", "concat", "dense", "tanh", "dense_1"];

static ZERO_PADDING1D: Strided = Strided::new(39, [1, 1, 1, 36], [0, 0, 0, 1], 3);

static CONV1D_WEIGHTS: [f32; 36] = [
    0.2905353, 0.3998525, -0.12844999, -0.006304334, -0.3399005, 0.15338345, -0.10924133, 0.10835677,
    0.45728695, -0.08233687, -0.09878811, 0.06757422, -0.37290105, -0.060293753, -0.19377616, -0.45546666,
    -0.27935594, -0.43487874, -0.0737701, -0.29111367, 0.3564098, 0.42134517, 0.4439353, -0.105840586,
    -0.14445265, -0.40953484, -0.1933983, 0.44230434, 0.20187886, 0.123636, -0.1705662, 0.4634762,
    0.109675705, -0.43354404, 0.4599467, -0.037412394,
];
static CONV1D_CHANNELS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
static CONV1D: Conv2d<f32> = Conv2d::new(Window2d::new([1, 13, 3], [1, 3], [2, 2], [1, 1], Padding::Same), &CONV1D_WEIGHTS, &CONV1D_CHANNELS, Clamp::<f32>::RELU, 0.0);

static DEPTHWISE_CONV1D_WEIGHTS: [f32; 24] = [
    -0.08249461, -0.28040168, 0.56436455, -0.2690631, 0.24600317, -0.2594355, -0.56454563, -0.4976323,
    0.4528853, 0.29337427, -0.25994977, -0.027859397, -0.57686853, -0.1943852, 0.29702002, -0.17552179,
    0.56141603, 0.46216112, 0.36823803, 0.44506797, 0.46503976, 0.12491122, 0.50591487, -0.22552304,
];
static DEPTHWISE_CONV1D_CHANNELS: [f32; 8] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
static DEPTHWISE_CONV1D: DepthwiseConv2d<f32> = DepthwiseConv2d::new(Window2d::new([1, 7, 4], [1, 3], [1, 1], [1, 1], Padding::Valid), &DEPTHWISE_CONV1D_WEIGHTS, &DEPTHWISE_CONV1D_CHANNELS, Clamp::<f32>::LINEAR, 0.0);

static DEPTHWISE_CONV1D_1_WEIGHTS: [f32; 24] = [
    0.20949277, 0.07689535, 0.2752455, -0.37825122, -0.32742268, 0.02942131, 0.12899503, -0.2511694,
    0.1699687, -0.08336152, 0.21690269, -0.2943536, -0.016938144, 0.16578367, 0.141407, -0.4534076,
    0.47056517, 0.0986606, 0.17070226, 0.084728315, 0.14695701, -0.4230119, -0.41773027, -0.13051581,
];
static DEPTHWISE_CONV1D_1_CHANNELS: [f32; 8] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
static DEPTHWISE_CONV1D_1: DepthwiseConv2d<f32> = DepthwiseConv2d::new(Window2d::new([1, 5, 8], [1, 3], [1, 1], [1, 1], Padding::Valid), &DEPTHWISE_CONV1D_1_WEIGHTS, &DEPTHWISE_CONV1D_1_CHANNELS, Clamp::<f32>::LINEAR, 0.0);

static CONV1D_1_WEIGHTS: [f32; 64] = [
    0.57873464, 0.163235, 0.4824878, -0.46108887, -0.4856658, 0.5041754, -0.33376274, 0.43890783, 0.037847977,
    -0.17394856, -0.41145462, 0.39711052, 0.24911846, -0.29818305, 0.0071014874, 0.5729614, 0.54556656,
    0.47315052, -0.33725107, -0.17344551, 0.16329814, -0.24091387, 0.46172756, -0.23993479, 0.33523327,
    -0.36542553, 0.6060031, 0.18769673, -0.16876552, 0.40853232, -0.59904265, 0.4535437, -0.07815622,
    -0.46286798, -0.4283586, 0.5058654, 0.41253763, 0.49344313, 0.13852017, 0.44862464, -0.4468543,
    -0.25188875, 0.52372754, -0.09470645, 0.29541048, -0.33268294, 0.548937, -0.19052674, 0.12522751,
    0.3931152, -0.4000623, -0.43893367, -0.15027836, -0.32032204, 0.24376972, 0.07031983, 0.47236258,
    -0.5340581, 0.60626596, 0.30413106, -0.12060425, 0.43819994, 0.5477449, -0.08411087,
];
static CONV1D_1_CHANNELS: [f32; 8] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
static CONV1D_1: Conv2d<f32> = Conv2d::new(Window2d::new([1, 3, 8], [1, 1], [1, 1], [1, 1], Padding::Same), &CONV1D_1_WEIGHTS, &CONV1D_1_CHANNELS, Clamp::<f32>::RELU6, 0.0);

static CONV1D_2_WEIGHTS: [f32; 64] = [
    0.3164723, -0.58790606, 0.33040595, 0.088313356, 0.30752724, 0.2550932, 0.6096583, 0.5984618, -0.20198235,
    0.27837735, -0.053471033, 0.20381947, -0.26183864, -0.26612532, -0.34184703, -0.60485774, -0.45745668,
    0.07235932, -0.015200599, 0.29019365, 0.22648999, 0.22447503, 0.29455346, 0.13951677, -0.01600959,
    0.21579032, -0.12887192, 0.2852121, -0.16045493, -0.34508768, -0.29220605, 0.3929708, 0.51867324,
    0.50967693, -0.54227656, -0.2762586, 0.11022643, 0.5473441, 0.2417706, -0.0819564, -0.4042369, -0.1498643,
    0.11413071, 0.27620667, -0.035222005, -0.147601, 0.4965614, -0.10125065, 0.20115715, -0.5232898,
    0.22942154, -0.51617134, -0.1992103, 0.47175053, -0.46199554, -0.2382092, -0.37256703, 0.12572363,
    -0.36467305, -0.4092816, 0.059067395, 0.12768245, 0.12275119, 0.26178637,
];
static CONV1D_2_CHANNELS: [f32; 8] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
static CONV1D_2: Conv2d<f32> = Conv2d::new(Window2d::new([1, 3, 8], [1, 1], [1, 1], [1, 1], Padding::Same), &CONV1D_2_WEIGHTS, &CONV1D_2_CHANNELS, Clamp::<f32>::LINEAR, 0.0);

static AVG_POOL1D: AvgPool2d<f32> = AvgPool2d::new(Window2d::new([1, 5, 8], [1, 2], [1, 2], [1, 1], Padding::Valid), Clamp::<f32>::LINEAR);

static MAX_POOL1D: MaxPool2d<f32> = MaxPool2d::new(Window2d::new([1, 2, 8], [1, 2], [1, 2], [1, 1], Padding::Same), Clamp::<f32>::LINEAR);

static GLOBAL_AVG_POOL1D: AvgPool2d<f32> = AvgPool2d::new(Window2d::new([1, 3, 8], [1, 3], [1, 1], [1, 1], Padding::Valid), Clamp::<f32>::LINEAR);

static CONCAT: [Strided; 2] = [
    Strided::new(16, [1, 1, 1, 8], [0, 0, 0, 1], 0),
    Strided::new(16, [1, 1, 1, 8], [0, 0, 0, 1], 8),
];

static DENSE_WEIGHTS: [f32; 80] = [
    0.01393825, -0.29446784, -0.52674294, 0.03383139, -0.3478249, -0.32437363, -0.03547913, 0.22280955,
    -0.2278934, 0.43172485, -0.47783387, 0.2888866, -0.42942026, 0.4677101, 0.17344564, 0.3605417, 0.22688293,
    0.18398659, 0.25659806, 0.44280276, -0.24088751, 0.4791165, -0.498787, -0.41897374, 0.0658028,
    -0.29832456, 0.1575424, -0.45269403, 0.3577894, -0.4618706, -0.08520071, -0.367088, 0.2839091, 0.3066515,
    -0.1754079, 0.11047265, 0.079754874, -0.070335016, 0.25604656, 0.46365145, 0.18323247, -0.4480882,
    0.25639537, -0.028984336, 0.24178392, 0.004681384, -0.30242947, -0.5219793, -0.13429011, -0.20107695,
    0.39480603, -0.18338107, -0.31384856, -0.48031545, 0.024049092, 0.21544792, 0.48528102, 0.052976716,
    0.07125443, 0.42500243, -0.008644835, -0.038642894, -0.20801702, -0.22188817, 0.1773485, -0.5090224,
    0.060048558, -0.49977154, 0.0370281, -0.49829954, 0.1338235, -0.19970652, 0.26903623, 0.46530575,
    -0.35699728, -0.020958288, 0.35887548, 0.3351085, -0.5189225, 0.3864279,
];
static DENSE_CHANNELS: [f32; 5] = [
    0.0, 0.0, 0.0, 0.0, 0.0,
];
static DENSE: Dense<f32> = Dense::new(16, &DENSE_WEIGHTS, &DENSE_CHANNELS, Clamp::<f32>::LINEAR);

static DENSE_1_WEIGHTS: [f32; 10] = [
    -0.15867968, 0.4037837, 0.80733234, 0.8377111, 0.8247795, -0.90300703, -0.83541083, -0.6301943,
    0.44302943, 0.5159349,
];
static DENSE_1_CHANNELS: [f32; 2] = [
    0.0, 0.0,
];
static DENSE_1: Dense<f32> = Dense::new(5, &DENSE_1_WEIGHTS, &DENSE_1_CHANNELS, Clamp::<f32>::LINEAR);

lendable! {
/// All the RAM of the model, 352 bytes: its arena.
pub struct Network {
    float: [f32; 88],
}
}

/// Words of four bytes that the network needs of an arena.
pub const ARENA_WORDS: usize = 88;

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { float: [0.0; 88], }
    }

    /// The network in memory that others use too, each in its turn: an arena of at least [`ARENA_WORDS`] words.
    #[inline]
    pub const fn within<const WORDS: usize>(arena: &mut arena::Arena<WORDS>) -> &mut Self {
        arena.lend()
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [f32; 36] {
        arena::array_mut(&mut self.float, 39)
    }

    /// Runs the network on its [`input`](Self::input).
    #[inline]
    pub fn predict(&mut self) -> &[f32; 2] {
        self.predict_with(|_| {})
    }

    /// As [`predict`](Self::predict), and calls `done(i)` after layer `i` of [`LAYERS`].
    #[inline]
    pub fn predict_with(&mut self, done: impl FnMut(usize)) -> &[f32; 2] {
        self.forward(done);
        arena::array(&self.float, 0)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // zero_padding1d: Pad [13, 3], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([39..75, 0..39]) {
            y.fill(0.0);
            ZERO_PADDING1D.scatter(x, y);
        }
        done(0);
        // conv1d: Conv1d [7, 4], 252 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([0..39, 68..77, 40..68]) {
            CONV1D.forward(x, patch, y);
        }
        done(1);
        // depthwise_conv1d: DepthwiseConv1d [5, 8], 120 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([40..68, 68..80, 0..40]) {
            DEPTHWISE_CONV1D.forward(x, patch, y);
        }
        done(2);
        // elu: ELU [5, 8], 0 MAC
        if let Some(y) = self.float.get_mut(0..40) {
            layers::elu(0.5, y);
        }
        done(3);
        // depthwise_conv1d_1: DepthwiseConv1d [3, 8], 72 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([0..40, 64..88, 40..64]) {
            DEPTHWISE_CONV1D_1.forward(x, patch, y);
        }
        done(4);
        // conv1d_1: Conv1d [3, 8], 192 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([40..64, 64..88]) {
            CONV1D_1.forward_pointwise(x, y);
        }
        done(5);
        // conv1d_2: Conv1d [3, 8], 192 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([64..88, 40..64]) {
            CONV1D_2.forward_pointwise(x, y);
        }
        done(6);
        // hard_swish: HardSwish [3, 8], 0 MAC
        if let Some(y) = self.float.get_mut(40..64) {
            layers::hard_swish(y);
        }
        done(7);
        // avg_pool1d: AvgPool1d [2, 8], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([0..40, 64..80]) {
            AVG_POOL1D.forward(x, y);
        }
        done(8);
        // max_pool1d: MaxPool1d [1, 8], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([64..80, 16..24]) {
            MAX_POOL1D.forward(x, y);
        }
        done(9);
        // global_avg_pool1d: AvgPool1d [1, 8], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([40..64, 24..32]) {
            GLOBAL_AVG_POOL1D.forward(x, y);
        }
        done(10);
        // concat: Concat [16], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([24..32, 0..16]) {
            CONCAT[0].scatter(x, y);
        }
        if let Ok([x, y]) = self.float.get_disjoint_mut([16..24, 0..16]) {
            CONCAT[1].scatter(x, y);
        }
        done(11);
        // dense: Dense [5], 80 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([0..16, 16..21]) {
            DENSE.forward(x, y);
        }
        done(12);
        // tanh: Tanh [5], 0 MAC
        if let Some(y) = self.float.get_mut(16..21) {
            layers::tanh(y);
        }
        done(13);
        // dense_1: Dense [2], 10 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([16..21, 0..2]) {
            DENSE_1.forward(x, y);
        }
        done(14);
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
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[12, 3] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[2] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        match index {
            0 => ElementsMut::F32(self.input()),
            _ => ElementsMut::F32(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::F32(arena::array::<_, 2>(&self.float, 0)),
            _ => Elements::F32(&[]),
        }
    }

    fn run_with(&mut self, done: impl FnMut(usize)) {
        self.forward(done);
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`.
pub fn prepare_input(raw: &[f32; 36], input: &mut [f32; 36]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = x;
    }
}

