// milligrad model: name=branches learns=no optimizer=none core=portable
// 17 layers, 5711 multiply-accumulate operations, 1708 bytes of RAM. Made by `milligrad export`; do not edit.

#[allow(unused_imports)]
use milligrad::{Clamp, Elements, ElementsMut, Model, Padding, Port, Window2d, arena, lendable, layers::{self, AvgPool2d, Broadcast, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, Multiply, Strided, dense}};

/// Name of the model.
pub const NAME: &str = "branches";
/// Names of the classes.
pub const LABELS: [&str; 0] = [];
/// Layers in order of execution.
pub const LAYERS: [&str; 17] = ["zero_padding2d", "depthwise_conv2d", "conv2d", "conv2d_1", "hard_swish", "conv2d_2", "elu", "global_avg_pool2d", "dense", "batch_norm_1", "sigmoid", "multiply", "concat", "batch_norm_2", "global_max_pool2d", "dense_1", "softmax"];

static ZERO_PADDING2D: Strided = Strided::new(112, [1, 1, 6, 12], [0, 0, 16, 1], 16);

static DEPTHWISE_CONV2D_WEIGHTS: [f32; 18] = [
    -0.15652767, 0.43238845, 0.17197993, 0.20997201, 0.11018125, -0.32349318, -0.38996258, 0.24304526,
    -0.087488934, -0.32794732, 0.1177588, -0.32946882, -0.09094981, -0.0881997, -0.24195966, 0.13430128,
    -0.34775573, 0.07536003,
];
static DEPTHWISE_CONV2D_CHANNELS: [f32; 2] = [
    0.0, 0.0,
];
static DEPTHWISE_CONV2D: DepthwiseConv2d<f32> = DepthwiseConv2d::new(Window2d::new([7, 8, 2], [3, 3], [1, 1], [1, 1], Padding::Valid), &DEPTHWISE_CONV2D_WEIGHTS, &DEPTHWISE_CONV2D_CHANNELS, Clamp::<f32>::LINEAR, 0.0);

static CONV2D_WEIGHTS: [f32; 8] = [
    0.33180153, -0.0280689, 0.86107314, 0.93958354, -0.02546966, 0.63836944, 0.22990465, 0.20064378,
];
static CONV2D_CHANNELS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
static CONV2D: Conv2d<f32> = Conv2d::new(Window2d::new([5, 6, 2], [1, 1], [1, 1], [1, 1], Padding::Same), &CONV2D_WEIGHTS, &CONV2D_CHANNELS, Clamp::<f32>::RELU, 0.0);

static CONV2D_1_WEIGHTS: [f32; 144] = [
    -0.14934161, 0.03773166, -0.20197034, -0.12063009, 0.2845766, -0.028137153, -0.13264243, 0.2768577,
    0.023167064, -0.10798446, -0.22390229, 0.089178585, -0.16665241, 0.04949078, -0.25037307, 0.012498006,
    0.23440684, -0.09403716, -0.07332515, -0.28655928, -0.14898786, -0.17695765, -0.22812578, -0.029275956,
    0.051237077, 0.21394694, -0.10923894, 0.037623174, 0.20421568, -0.025972469, -0.041665684, -0.22612385,
    0.11858727, -0.27116913, -0.14051272, 0.03425351, 0.0444596, 0.16837306, 0.07525601, 0.12190186,
    0.17002876, 0.072961316, -0.051333625, 0.16413277, 0.18383792, -0.012262878, 0.21006922, -0.27652568,
    0.06855432, -0.22547264, 0.23733193, 0.14783289, -0.068677895, -0.13058066, 0.11683045, -0.27058482,
    0.024756964, 0.052339353, 0.27636242, 0.25847295, -0.029131116, 0.027753195, 0.02760378, -0.032203328,
    -0.06986021, 0.2750301, 0.009016419, 0.28091413, 0.15516648, 0.14960907, 0.27834573, 0.090993226,
    0.080033004, -0.18278266, -0.27216092, -0.23741479, -0.15510917, 0.2206038, 0.2798769, -0.02210627,
    -0.04156236, -0.19819053, -0.25159752, 0.28775364, -0.20716512, -0.025791204, 0.14214751, 0.059734777,
    -0.11405283, -0.050003376, 0.13633575, -0.1642484, 0.18414098, 0.04130763, -0.2292746, -0.28750977,
    -0.15916063, -0.23541982, -0.096223414, -0.15193002, 0.16927175, -0.21385169, 0.12358914, 0.09961877,
    -0.10800269, 0.047385257, -0.28605765, 0.23662727, 0.10674199, 0.18409479, 0.19613248, 0.21805401,
    -0.17681408, -0.06352837, 0.0334124, 0.092898875, -0.27474636, 0.10741934, -0.21536434, 0.17977643,
    -0.18549833, -0.2258918, 0.052411787, 0.16632947, 0.055114456, 0.2808953, -0.2560146, -0.25003353,
    -0.25130183, 0.25447804, -0.28585172, -0.28401944, -0.055292968, 0.12585247, -0.064234845, -0.27470654,
    0.23004538, 0.060942918, 0.19329344, -0.19628187, -0.120470524, 0.25275204, -0.27799046, -0.21672735,
];
static CONV2D_1_CHANNELS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
static CONV2D_1: Conv2d<f32> = Conv2d::new(Window2d::new([5, 6, 4], [3, 3], [1, 1], [1, 1], Padding::Same), &CONV2D_1_WEIGHTS, &CONV2D_1_CHANNELS, Clamp::<f32>::LINEAR, 0.0);

static CONV2D_2_WEIGHTS: [f32; 12] = [
    -0.37775534, -0.34001017, -0.41007668, 0.0081224125, 0.2819897, -0.2662041, 0.8438618, 0.27191842,
    0.016802063, 0.41312656, -0.42512184, 0.7537674,
];
static CONV2D_2_CHANNELS: [f32; 3] = [
    0.0, 0.0, 0.0,
];
static CONV2D_2: Conv2d<f32> = Conv2d::new(Window2d::new([5, 6, 4], [1, 1], [1, 1], [1, 1], Padding::Same), &CONV2D_2_WEIGHTS, &CONV2D_2_CHANNELS, Clamp::<f32>::LINEAR, 0.0);

static GLOBAL_AVG_POOL2D: AvgPool2d<f32> = AvgPool2d::new(Window2d::new([5, 6, 4], [5, 6], [1, 1], [1, 1], Padding::Valid), Clamp::<f32>::LINEAR);

static DENSE_WEIGHTS: [f32; 16] = [
    0.71096945, -0.6718853, 0.67931455, -0.06593157, -0.8250837, -0.53253275, 0.69960093, 0.7451986,
    -0.54931885, 0.48961484, 0.40092644, -0.26511857, 0.49116835, 0.7374155, 0.8027405, 0.19890092,
];
static DENSE_CHANNELS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
static DENSE: Dense<f32> = Dense::new(4, &DENSE_WEIGHTS, &DENSE_CHANNELS, Clamp::<f32>::RELU);

static BATCH_NORM_1_WEIGHTS: [f32; 4] = [
    0.9995004, 0.9995004, 0.9995004, 0.9995004,
];
static BATCH_NORM_1_CHANNELS: [f32; 4] = [
    0.0, 0.0, 0.0, 0.0,
];
static BATCH_NORM_1: DepthwiseConv2d<f32> = DepthwiseConv2d::new(Window2d::new([1, 1, 4], [1, 1], [1, 1], [1, 1], Padding::Same), &BATCH_NORM_1_WEIGHTS, &BATCH_NORM_1_CHANNELS, Clamp::<f32>::LINEAR, 0.0);

static MULTIPLY_BROADCAST: Broadcast = Broadcast::new([1, 1, 30, 4], [0, 0, 4, 1], [0, 0, 0, 1]);
static MULTIPLY: Multiply<f32> = Multiply::new(Clamp::<f32>::LINEAR);

static CONCAT: [Strided; 2] = [
    Strided::new(210, [1, 1, 30, 4], [0, 0, 7, 1], 0),
    Strided::new(210, [1, 1, 30, 3], [0, 0, 7, 1], 4),
];

static BATCH_NORM_2_WEIGHTS: [f32; 7] = [
    0.9995004, 0.9995004, 0.9995004, 0.9995004, 0.9995004, 0.9995004, 0.9995004,
];
static BATCH_NORM_2_CHANNELS: [f32; 7] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
];
static BATCH_NORM_2: DepthwiseConv2d<f32> = DepthwiseConv2d::new(Window2d::new([5, 6, 7], [1, 1], [1, 1], [1, 1], Padding::Same), &BATCH_NORM_2_WEIGHTS, &BATCH_NORM_2_CHANNELS, Clamp::<f32>::LINEAR, 0.0);

static GLOBAL_MAX_POOL2D: MaxPool2d<f32> = MaxPool2d::new(Window2d::new([5, 6, 7], [5, 6], [1, 1], [1, 1], Padding::Valid), Clamp::<f32>::LINEAR);

static DENSE_1_WEIGHTS: [f32; 21] = [
    0.11880933, 0.4175132, -0.16519848, 0.548255, 0.2548908, -0.70345104, -0.441587, -0.41038877, -0.06507719,
    0.45978466, 0.72599065, -0.63915604, 0.30644333, 0.24752203, 0.4017872, 0.6166559, 0.5356068, 0.2840539,
    -0.3764234, -0.226053, -0.4979026,
];
static DENSE_1_CHANNELS: [f32; 3] = [
    0.0, 0.0, 0.0,
];
static DENSE_1: Dense<f32> = Dense::new(7, &DENSE_1_WEIGHTS, &DENSE_1_CHANNELS, Clamp::<f32>::LINEAR);

lendable! {
/// All the RAM of the model, 1708 bytes: its arena.
pub struct Network {
    float: [f32; 427],
}
}

/// Words of four bytes that the network needs of an arena.
pub const ARENA_WORDS: usize = 427;

impl Network {
    /// A network with the parameters that it was exported with.
    pub const fn new() -> Self {
        Self { float: [0.0; 427], }
    }

    /// The network in memory that others use too, each in its turn: an arena of at least [`ARENA_WORDS`] words.
    #[inline]
    pub const fn within<const WORDS: usize>(arena: &mut arena::Arena<WORDS>) -> &mut Self {
        arena.lend()
    }

    /// Where the next input goes; prediction may overwrite it.
    #[inline]
    pub fn input(&mut self) -> &mut [f32; 72] {
        arena::array_mut(&mut self.float, 112)
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
        arena::array(&self.float, 7)
    }

    #[inline]
    fn forward(&mut self, mut done: impl FnMut(usize)) {
        // zero_padding2d: Pad [7, 8, 2], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([112..184, 0..112]) {
            y.fill(0.0);
            ZERO_PADDING2D.scatter(x, y);
        }
        done(0);
        // depthwise_conv2d: DepthwiseConv2d [5, 6, 2], 540 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([0..112, 180..198, 120..180]) {
            DEPTHWISE_CONV2D.forward(x, patch, y);
        }
        done(1);
        // conv2d: Conv2d [5, 6, 4], 240 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([120..180, 0..120]) {
            CONV2D.forward_pointwise(x, y);
        }
        done(2);
        // conv2d_1: Conv2d [5, 6, 4], 4320 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([0..120, 120..156, 210..330]) {
            CONV2D_1.forward(x, patch, y);
        }
        done(3);
        // hard_swish: HardSwish [5, 6, 4], 0 MAC
        if let Some(y) = self.float.get_mut(210..330) {
            layers::hard_swish(y);
        }
        done(4);
        // conv2d_2: Conv2d [5, 6, 3], 360 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([0..120, 120..210]) {
            CONV2D_2.forward_pointwise(x, y);
        }
        done(5);
        // elu: ELU [5, 6, 3], 0 MAC
        if let Some(y) = self.float.get_mut(120..210) {
            layers::elu(1.0, y);
        }
        done(6);
        // global_avg_pool2d: AvgPool2d [1, 1, 4], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([210..330, 4..8]) {
            GLOBAL_AVG_POOL2D.forward(x, y);
        }
        done(7);
        // dense: Dense [4], 16 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([4..8, 0..4]) {
            DENSE.forward(x, y);
        }
        done(8);
        // batch_norm_1: DepthwiseConv1d [1, 4], 4 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([0..4, 4..8, 330..334]) {
            BATCH_NORM_1.forward(x, patch, y);
        }
        done(9);
        // sigmoid: Sigmoid [4], 0 MAC
        if let Some(y) = self.float.get_mut(330..334) {
            layers::sigmoid(y);
        }
        done(10);
        // multiply: Mul [5, 6, 4], 0 MAC
        if let Ok([a, b, y]) = self.float.get_disjoint_mut([210..330, 330..334, 0..120]) {
            MULTIPLY_BROADCAST.forward(&MULTIPLY, a, b, y);
        }
        done(11);
        // concat: Concat [5, 6, 7], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([0..120, 217..427]) {
            CONCAT[0].scatter(x, y);
        }
        if let Ok([x, y]) = self.float.get_disjoint_mut([120..210, 217..427]) {
            CONCAT[1].scatter(x, y);
        }
        done(12);
        // batch_norm_2: DepthwiseConv2d [5, 6, 7], 210 MAC
        if let Ok([x, patch, y]) = self.float.get_disjoint_mut([217..427, 0..7, 7..217]) {
            BATCH_NORM_2.forward(x, patch, y);
        }
        done(13);
        // global_max_pool2d: MaxPool2d [1, 1, 7], 0 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([7..217, 0..7]) {
            GLOBAL_MAX_POOL2D.forward(x, y);
        }
        done(14);
        // dense_1: Dense [3], 21 MAC
        if let Ok([x, y]) = self.float.get_disjoint_mut([0..7, 7..10]) {
            DENSE_1.forward(x, y);
        }
        done(15);
        // softmax: Softmax [3], 0 MAC
        if let Some(y) = self.float.get_mut(7..10) {
            layers::softmax(y);
        }
        done(16);
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
    const INPUTS: &'static [Port] = &[Port { name: "input", shape: &[6, 6, 2] }];
    const OUTPUTS: &'static [Port] = &[Port { name: "output", shape: &[3] }];

    fn input_at(&mut self, index: usize) -> ElementsMut<'_> {
        match index {
            0 => ElementsMut::F32(self.input()),
            _ => ElementsMut::F32(&mut []),
        }
    }

    fn output_at(&self, index: usize) -> Elements<'_> {
        match index {
            0 => Elements::F32(arena::array::<_, 3>(&self.float, 7)),
            _ => Elements::F32(&[]),
        }
    }

    fn run_with(&mut self, done: impl FnMut(usize)) {
        self.forward(done);
    }
}

/// Prepares raw data, as they were in the training set: `raw * 1.0 + 0.0`.
pub fn prepare_input(raw: &[f32; 72], input: &mut [f32; 72]) {
    for (input, raw) in input.iter_mut().zip(raw) {
        let x = raw * 1.0 + 0.0;
        *input = x;
    }
}

