//! Every layer with every loss, on 200 random shapes each: gradients in double precision against central differences.
//!
//! Each draw is a small net around the layer, with something that learns before and after it. For every tensor of its
//! parameters the derivative along a random direction is compared, and that by one random number. A draw near a kink (of a
//! ReLU, a maximum, an absolute error), which shows as a difference that depends on its step, is drawn again.

use super::gradient_tests::{N, SAMPLES, randomized, uniform};
use super::loss::Loss;
use super::network::Network;
use super::optimizer::Optimizer;
use super::random::Pcg32;
use super::samples::{Samples, Targets};
use super::trainer::Trainer;
use crate::builder::Builder;
use crate::graph::{Graph, Regularizer};
use milligrad::Padding;

const SHAPES: u64 = 200;
const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-3;

const LOSSES: [Loss; 8] = [
    Loss::MeanSquaredError,
    Loss::MeanAbsoluteError,
    Loss::Huber { delta: 0.6 },
    Loss::BINARY_CROSS_ENTROPY,
    Loss::BinaryCrossEntropy { label_smoothing: 0.2 },
    Loss::CATEGORICAL_CROSS_ENTROPY,
    Loss::CategoricalCrossEntropy { label_smoothing: 0.1 },
    Loss::SparseCategoricalCrossEntropy,
];

/// Random extents.
struct Draw(Pcg32);

impl Draw {
    fn of(&mut self, from: u32, to: u32) -> usize {
        (from + self.0.below(to - from + 1)) as usize
    }

    fn flip(&mut self) -> bool {
        self.of(0, 1) == 1
    }

    /// A model of a random image with a layer that learns.
    fn image(&mut self) -> Builder {
        let shape = [self.of(2, 5), self.of(2, 5), self.of(1, 2)];
        Builder::new("m", &shape).conv2d(self.of(1, 3), 1).tanh()
    }

    /// The same of a series.
    fn series(&mut self) -> Builder {
        let shape = [self.of(2, 8), self.of(1, 3)];
        Builder::new("m", &shape).conv1d(self.of(1, 4), 1).tanh()
    }

    /// The same of features.
    fn features(&mut self) -> Builder {
        Builder::new("m", &[self.of(1, 6)]).dense(self.of(1, 7))
    }

    /// Any of them.
    fn any(&mut self) -> Builder {
        match self.of(0, 2) {
            0 => self.image(),
            1 => self.series(),
            _ => self.features(),
        }
    }

    /// A window with random stride, dilation and padding; `build` may still find that it does not fit.
    fn window(&mut self, body: Builder) -> Builder {
        let body = body.strides(self.of(1, 2));
        if self.flip() { body.same() } else { body }
    }

    fn dilated(&mut self, body: Builder, image: bool) -> Builder {
        let body = match self.of(0, 3) {
            0 => body.dilation(2),
            1 if image => body.padding(Padding::Explicit { top: 1, bottom: 0, left: 1, right: 2 }),
            _ => self.window(body),
        };
        if self.flip() { body } else { body.without_bias() }
    }

    fn kernel(&mut self) -> [usize; 2] {
        [self.of(1, 3), self.of(1, 3)]
    }
}

/// The net of a draw, if its shapes fit: what is before the layer, the layer, and a dense layer that the loss fits.
fn net(draw: &mut Draw, layer: fn(&mut Draw) -> Builder, loss: Loss) -> Option<Graph> {
    let body = layer(draw).flatten().dense(draw.of(1, 4));
    let body = match draw.of(0, 3) {
        0 => body
            .regularizer(Regularizer { l1: 0.1, l2: 0.2 })
            .bias_regularizer(Regularizer { l1: 0.0, l2: 0.3 }),
        _ => body,
    };
    let body = match (loss, draw.flip()) {
        (Loss::BinaryCrossEntropy { .. }, true) => body.sigmoid(),
        (Loss::CategoricalCrossEntropy { .. } | Loss::SparseCategoricalCrossEntropy, true) => body.softmax(),
        _ => body,
    };
    body.build(0).ok()
}

fn samples(graph: &Graph, loss: Loss, scale: f32, random: &mut Pcg32) -> Samples {
    let outputs = graph.output_len();
    let inputs = uniform(random, SAMPLES * graph.input_len()).into_iter().map(|x| scale * x).collect();
    let mut values = || {
        let values = (0..SAMPLES * outputs).map(|_| random.uniform()).collect();
        Targets::Values { width: outputs, values }
    };
    let targets = match loss {
        Loss::SparseCategoricalCrossEntropy => {
            Targets::Classes((0..SAMPLES).map(|_| random.below(outputs as u32)).collect())
        }
        _ => values(),
    };
    Samples::new(inputs, graph.tensor(graph.input()).shape.clone(), targets).unwrap()
}

/// The worst relative error of a draw; `None` near a kink.
fn compare(graph: &Graph, samples: &Samples, loss: Loss, random: &mut Pcg32) -> Option<f64> {
    let network = Network::<f64, N>::compile(graph, loss.tensor(graph), |_| false).unwrap();
    let parameters = network.layout.read(graph);
    let places: Vec<_> = network.layout.places().iter().filter(|p| p.trainable).cloned().collect();
    let mut trainer = Trainer::new(network, parameters, loss, Optimizer::sgd(0.1), SAMPLES);
    let indices: Vec<u32> = (0..SAMPLES as u32).rev().collect();
    trainer.gradient(samples, (&indices, &[]), 5);
    let gradient = trainer.total_gradient(SAMPLES);
    let mut worst = 0.0f64;
    for place in places {
        let len = place.range.len();
        let one = random.below(len as u32) as usize;
        let along: Vec<f64> = uniform(random, len).into_iter().map(f64::from).collect();
        let by_one: Vec<f64> = (0..len).map(|i| f64::from(u8::from(i == one))).collect();
        for direction in [along, by_one] {
            let mut slope = |step: f64| {
                let mut at = |step: f64| {
                    let original = trainer.parameters[place.range.clone()].to_vec();
                    let moved = original.iter().zip(&direction).map(|(w, d)| w + step * d);
                    trainer.parameters[place.range.clone()]
                        .iter_mut()
                        .zip(moved)
                        .for_each(|(w, new)| *w = new);
                    let loss = trainer.gradient(samples, (&indices, &[]), 5).mean_loss();
                    trainer.parameters[place.range.clone()].copy_from_slice(&original);
                    loss
                };
                (at(step) - at(-step)) / (2.0 * step)
            };
            let numeric = slope(STEP);
            let products = gradient[place.range.clone()].iter().zip(&direction).map(|(g, d)| g * d);
            let (analytic, size) = products.fold((0.0, 0.0), |(sum, size), p| (sum + p, size + p * p));
            // Where products cancel, their own size is the measure.
            let error = (analytic - numeric).abs() / numeric.abs().max(1e-3 * f64::sqrt(size)).max(1e-6);
            if error > 1e-6 && (slope(STEP / 3.0) - numeric).abs() > 1e-7 * (numeric.abs() + 1e-2) {
                return None;
            }
            worst = worst.max(error);
        }
    }
    Some(worst)
}

/// All losses with one layer; `scale` is that of inputs.
fn check(name: &str, scale: f32, layer: fn(&mut Draw) -> Builder) {
    let (mut worst, mut redrawn, mut compared) = (0.0f64, 0, 0);
    for (number, loss) in LOSSES.into_iter().enumerate() {
        let mut drawn = 0;
        for seed in 0.. {
            let mut draw = Draw(Pcg32::new(seed * 8 + number as u64));
            let Some(graph) = net(&mut draw, layer, loss) else { continue };
            let graph = randomized(graph, &mut draw.0);
            let samples = samples(&graph, loss, scale, &mut draw.0);
            match compare(&graph, &samples, loss, &mut draw.0) {
                Some(error) => {
                    assert!(error <= TOLERANCE, "{name}, {loss:?}, seed {seed}: relative error {error:e}");
                    worst = worst.max(error);
                    drawn += 1;
                }
                None => redrawn += 1,
            }
            if drawn == SHAPES {
                break;
            }
        }
        compared += drawn;
    }
    println!("{name:20} worst {worst:.1e} of {compared}, {redrawn} redrawn");
    assert!(redrawn * 5 < compared, "{name}: {redrawn} draws near a kink");
}

macro_rules! layers {
    ($($name:ident, $scale:expr, |$draw:ident| $body:expr;)*) => {$(
        #[test]
        fn $name() {
            check(stringify!($name), $scale, |$draw| $body);
        }
    )*};
}

layers! {
    dense, 1.0, |d| { let body = d.any(); body.dense(d.of(1, 6)).tanh() };
    conv1d, 1.0, |d| {
        let body = d.series().conv1d(d.of(1, 4), d.of(1, 3));
        d.dilated(body, false).tanh()
    };
    conv2d, 1.0, |d| {
        let body = d.image().conv2d(d.of(1, 4), d.kernel());
        d.dilated(body, true).tanh()
    };
    depthwise_conv1d, 1.0, |d| {
        let body = d.series().depthwise_conv1d(d.of(1, 3)).multiplier(d.of(1, 2));
        d.dilated(body, false).tanh()
    };
    depthwise_conv2d, 1.0, |d| {
        let body = d.image().depthwise_conv2d(d.kernel()).multiplier(d.of(1, 2));
        d.dilated(body, true).tanh()
    };
    separable_conv1d, 1.0, |d| { let body = d.series(); body.separable_conv1d(d.of(1, 4), d.of(1, 3)) };
    separable_conv2d, 1.0, |d| { let body = d.image(); body.separable_conv2d(d.of(1, 4), d.kernel()) };
    max_pool1d, 1.0, |d| { let body = d.series().max_pool1d(d.of(1, 3)); d.window(body) };
    max_pool2d, 1.0, |d| { let body = d.image().max_pool2d(d.kernel()); d.window(body) };
    avg_pool1d, 1.0, |d| { let body = d.series().avg_pool1d(d.of(1, 3)); d.window(body) };
    avg_pool2d, 1.0, |d| { let body = d.image().avg_pool2d(d.kernel()); d.window(body) };
    global_max_pool1d, 1.0, |d| d.series().global_max_pool1d();
    global_max_pool2d, 1.0, |d| d.image().global_max_pool2d();
    global_avg_pool1d, 1.0, |d| d.series().global_avg_pool1d();
    global_avg_pool2d, 1.0, |d| d.image().global_avg_pool2d();
    flatten, 1.0, |d| d.any().flatten();
    reshape, 1.0, |d| {
        // The view is read with padding: one pixel more than the tensor has.
        let (rows, columns) = (d.of(1, 4), d.of(1, 3));
        let body = Builder::new("m", &[d.of(1, 5)]).dense(rows * columns * 2);
        body.reshape(&[rows, columns, 2]).conv2d(2, 3).same()
    };
    zero_padding1d, 1.0, |d| { let body = d.series(); body.zero_padding1d([d.of(0, 2), d.of(0, 2)]) };
    zero_padding2d, 1.0, |d| {
        let border = [[d.of(0, 2), d.of(0, 2)], [d.of(0, 2), d.of(0, 2)]];
        d.image().zero_padding2d(border).conv2d(2, 1)
    };
    batch_norm, 1.0, |d| d.any().batch_norm().tanh();
    dropout, 1.0, |d| d.any().dropout(0.3);
    gaussian_noise, 1.0, |d| d.any().gaussian_noise(0.5).tanh();
    add, 1.0, |d| {
        let body = d.any();
        let skip = body.here();
        body.tanh().add(skip).relu().add(skip)
    };
    concat, 1.0, |d| {
        let body = d.image();
        let left = body.here();
        let body = body.conv2d(d.of(1, 3), 1);
        let right = body.here();
        // Along the last axis, along another, and a tensor twice.
        match d.of(0, 2) {
            0 => body.concat(&[left, right]),
            1 => body.from(left).concat_along(d.of(0, 1), &[left]),
            _ => body.from(left).concat(&[right, left]).tanh(),
        }
    };
    multiply, 1.0, |d| {
        let channels = d.of(1, 3);
        let body = Builder::new("m", &[d.of(1, 4), d.of(1, 4), 2]).conv2d(channels, 1).tanh();
        let whole = body.here();
        match d.of(0, 3) {
            // An element by itself, by the mean of its channel, by one number for all channels of its pixel.
            0 => body.multiply(whole),
            1 => body.global_avg_pool2d().conv2d(channels, 1).sigmoid().multiply(whole),
            2 => body.conv2d(1, 1).multiply(whole),
            _ => body.global_avg_pool2d().reshape(&[channels]).multiply(whole),
        }
    };
    linear, 1.0, |d| d.any().activation(crate::Activation::Linear);
    relu, 1.0, |d| { let body = d.any(); if d.flip() { body.relu() } else { body.tanh().relu() } };
    relu6, 9.0, |d| { let body = d.features(); if d.flip() { body.relu6() } else { body.elu(1.0).relu6() } };
    leaky_relu, 1.0, |d| d.any().leaky_relu(0.2);
    elu, 1.0, |d| d.any().elu(0.7);
    sigmoid, 1.0, |d| d.any().sigmoid();
    tanh, 1.0, |d| d.any().tanh();
    hard_swish, 6.0, |d| d.features().hard_swish();
    softmax, 1.0, |d| d.features().softmax();
}
