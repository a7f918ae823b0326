//! Gradients of layers in 16-bit fixed point against central differences in `f64`: `Σ c y` of the same numbers as reals, with
//! `δ = c`. What may differ is what rounding takes: half a unit of each delta, and of each tap of a convolution, and of sigmoid and
//! tanh the slope at an output that is rounded.

mod support {
    pub(crate) mod random;
}

use milligrad::layers::{self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, dense};
use milligrad::{Clamp, Fixed16, Padding, Window2d, fixed};
use support::random::Random;

const WINDOW: Window2d = Window2d::new([5, 4, 3], [3, 2], [2, 1], [1, 1], Padding::Same);
const POOL: Window2d = Window2d::new([4, 6, 3], [2, 2], [2, 2], [1, 1], Padding::Valid);
/// A unit of a delta.
const UNIT: f64 = 1.0 / 32_768.0;

/// Numbers of a format, as integers and as reals.
struct Numbers {
    x: Vec<i16>,
    weights: Vec<i16>,
    biases: Vec<i32>,
    delta: Vec<i16>,
}

impl Numbers {
    fn new(seed: u64, x: usize, weights: usize, biases: usize, delta: usize) -> Self {
        let random = &mut Random::new(seed);
        let mut of = |len: usize, reach: f64| random.reals(len).iter().map(|r| (r * reach) as i32).collect();
        let narrow = |values: Vec<i32>| values.into_iter().map(|v| v as i16).collect();
        Self {
            x: narrow(of(x, 512.0)),
            weights: narrow(of(weights, 4096.0)),
            biases: of(biases, 500_000.0),
            delta: narrow(of(delta, 3000.0)),
        }
    }

    /// Inputs, weights and biases as reals, one after the other.
    fn reals(&self) -> [Vec<f64>; 3] {
        [
            self.x.iter().map(|&x| fixed::from_activation(x).into()).collect(),
            self.weights.iter().map(|&w| fixed::from_weight(w).into()).collect(),
            self.biases.iter().map(|&b| fixed::from_bias(b).into()).collect(),
        ]
    }
}

/// Compares `δx` and gradients with differences of `Σ c y`; layers are linear between their kinks, from which inputs stay away.
fn check(
    name: &str,
    numbers: &Numbers,
    forward: impl Fn(&[Vec<f64>; 3]) -> Vec<f64>,
    delta_x: &[i16],
    gradients: [&[i32]; 2],
    units: f64,
) {
    let delta: Vec<f64> = numbers.delta.iter().map(|&d| f64::from(d) * UNIT).collect();
    let sum = |reals: &[Vec<f64>; 3]| forward(reals).iter().zip(&delta).map(|(y, d)| y * d).sum::<f64>();
    let mut at = numbers.reals();
    let real = |g: &i32| f64::from(*g) / f64::from(1 << 23);
    let analytic: [Vec<f64>; 3] = [
        delta_x.iter().map(|&d| f64::from(d) * UNIT).collect(),
        gradients[0].iter().map(real).collect(),
        gradients[1].iter().map(real).collect(),
    ];
    for part in 0..3 {
        // Weights' gradients are exact sums of products.
        let room = if part == 0 { units * UNIT } else { 1e-9 };
        for i in 0..at[part].len() {
            const H: f64 = 1e-6;
            let kept = at[part][i];
            at[part][i] = kept + H;
            let up = sum(&at);
            at[part][i] = kept - H;
            let down = sum(&at);
            at[part][i] = kept;
            let (numeric, got) = ((up - down) / (2.0 * H), analytic[part][i]);
            assert!((numeric - got).abs() <= room + 1e-8, "{name}, part {part}, {i}: {got}, not {numeric}");
        }
    }
}

/// `true` if no output is within two units of a kink of ReLU.
fn smooth(y: &[f64]) -> bool {
    y.iter().all(|y| *y == 0.0 || *y > 2.0 / 256.0)
}

#[test]
fn dense_layers() {
    let mut checked = 0;
    for seed in 0..100 {
        let numbers = Numbers::new(seed, 9, 63, 7, 7);
        let forward = |[x, w, b]: &[Vec<f64>; 3]| {
            let mut y = vec![0.0; 7];
            Dense::<f64>::new(9, w, b, Clamp::<f64>::RELU).forward(x, &mut y);
            y
        };
        if !smooth(&forward(&numbers.reals())) {
            continue;
        }
        let layer = Dense::<Fixed16>::new(9, &numbers.weights, &numbers.biases, Clamp::<i16>::RELU);
        let (mut y, mut delta, mut delta_x) = ([0; 7], numbers.delta.clone(), [0; 9]);
        layer.forward(&numbers.x, &mut y);
        layer.backward_activation(&y, &mut delta);
        layer.backward_input(&delta, &mut delta_x);
        let (mut gw, mut gb) = ([0; 63], [0; 7]);
        dense::accumulate::<Fixed16>(&numbers.x, &delta, &mut gw, &mut gb);
        check("dense", &numbers, forward, &delta_x, [&gw, &gb], 0.5);
        checked += 1;
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn convolutions() {
    let outputs = WINDOW.positions();
    for seed in 0..20 {
        let numbers = Numbers::new(seed, 60, 4 * 18, 4, 4 * outputs);
        let forward = |[x, w, b]: &[Vec<f64>; 3]| {
            let mut y = vec![0.0; 4 * outputs];
            let mut patch = vec![0.0; WINDOW.patch_len()];
            Conv2d::<f64>::new(WINDOW, w, b, Clamp::<f64>::LINEAR, 0.0).forward(x, &mut patch, &mut y);
            y
        };
        let linear = Clamp::<i16>::LINEAR;
        let layer = Conv2d::<Fixed16>::new(WINDOW, &numbers.weights, &numbers.biases, linear, 0);
        let (mut patch, mut delta_x) = (vec![0; WINDOW.patch_len()], vec![0; 60]);
        layer.backward_input(&numbers.delta, &mut patch, &mut delta_x);
        let (mut gw, mut gb) = (vec![0; 72], vec![0; 4]);
        layer.accumulate(&numbers.x, &numbers.delta, &mut patch, &mut gw, &mut gb);
        // At most 6 patches overlap.
        check("conv2d", &numbers, forward, &delta_x, [&gw, &gb], 3.0);

        let numbers = Numbers::new(seed, 60, 6 * 6, 6, 6 * outputs);
        let forward = |[x, w, b]: &[Vec<f64>; 3]| {
            let mut y = vec![0.0; 6 * outputs];
            let mut patch = vec![0.0; WINDOW.patch_len()];
            DepthwiseConv2d::<f64>::new(WINDOW, w, b, Clamp::<f64>::LINEAR, 0.0)
                .forward(x, &mut patch, &mut y);
            y
        };
        let layer = DepthwiseConv2d::<Fixed16>::new(WINDOW, &numbers.weights, &numbers.biases, linear, 0);
        let (mut patch, mut delta_x) = (vec![0; WINDOW.patch_len()], vec![0; 60]);
        layer.backward_input(&numbers.delta, &mut patch, &mut delta_x);
        let (mut gw, mut gb) = (vec![0; 36], vec![0; 6]);
        layer.accumulate(&numbers.x, &numbers.delta, &mut patch, &mut gw, &mut gb);
        check("depthwise_conv2d", &numbers, forward, &delta_x, [&gw, &gb], 3.0);
    }
}

#[test]
fn poolings() {
    let outputs = 3 * POOL.positions();
    let mut checked = 0;
    for seed in 0..100 {
        let numbers = Numbers::new(seed, 72, 0, 0, outputs);
        let mut delta_x = [0; 72];
        let average = AvgPool2d::<Fixed16>::new(POOL, Clamp::<i16>::LINEAR);
        average.backward_input(&numbers.delta, &mut delta_x);
        let forward = |[x, _, _]: &[Vec<f64>; 3]| {
            let mut y = vec![0.0; outputs];
            AvgPool2d::<f64>::new(POOL, Clamp::<f64>::LINEAR).forward(x, &mut y);
            y
        };
        check("avg_pool2d", &numbers, forward, &delta_x, [&[], &[]], 0.5);

        // A tie is a kink.
        let mut y = vec![0; outputs];
        let maximum = MaxPool2d::<Fixed16>::new(POOL, Clamp::<i16>::LINEAR);
        maximum.forward(&numbers.x, &mut y);
        let tie = (0..outputs).any(|at| {
            let (pixel, channel) = (at / 3, at % 3);
            let (row, column) = (pixel / 3 * 2, pixel % 3 * 2);
            let taps = [(0, 0), (0, 1), (1, 0), (1, 1)];
            let seen = taps.map(|(r, c)| numbers.x[((row + r) * 6 + column + c) * 3 + channel]);
            seen.iter().filter(|&&x| x == y[at]).count() > 1
        });
        if tie {
            continue;
        }
        maximum.backward_input(&numbers.x, &y, &numbers.delta, &mut delta_x);
        let forward = |[x, _, _]: &[Vec<f64>; 3]| {
            let mut y = vec![0.0; outputs];
            MaxPool2d::<f64>::new(POOL, Clamp::<f64>::LINEAR).forward(x, &mut y);
            y
        };
        check("max_pool2d", &numbers, forward, &delta_x, [&[], &[]], 1e-9);
        checked += 1;
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn sigmoids_and_tanh() {
    for seed in 0..100 {
        let numbers = Numbers::new(seed, 20, 0, 0, 20);
        let backward = |function: fn(&mut [i16]), backward: fn(&[i16], &mut [i16])| {
            let (mut y, mut delta) = (numbers.x.clone(), numbers.delta.clone());
            function(&mut y);
            backward(&y, &mut delta);
            delta
        };
        let of = |function: fn(&mut [f64])| {
            move |[x, _, _]: &[Vec<f64>; 3]| {
                let mut y = x.clone();
                function(&mut y);
                y
            }
        };
        // Outputs are off by at most 0.54/256, slopes by that and by twice that, of 3000 units.
        let delta_x = backward(fixed::sigmoid, fixed::sigmoid_backward);
        check("sigmoid", &numbers, of(layers::sigmoid::<f64>), &delta_x, [&[], &[]], 7.0);
        let delta_x = backward(fixed::tanh, fixed::tanh_backward);
        check("tanh", &numbers, of(layers::tanh::<f64>), &delta_x, [&[], &[]], 13.5);
    }
}
