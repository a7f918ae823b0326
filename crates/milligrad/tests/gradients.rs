//! Every backward pass against central differences: each layer with each loss over 200 random shapes, in `f64`, and the
//! `f32` path against it.

mod support {
    pub(crate) mod network;
    pub(crate) mod random;
}

use milligrad::{Clamp, Padding, Window2d};
use support::network::{Layer, Loss, Values};
use support::random::Random;

/// Random shapes for each layer and loss.
const SHAPES: usize = 200;
/// Nearest that a sum may come to a kink; beyond the steps of the differences and the error of `f32`.
const MARGIN: f64 = 1e-3;
/// Largest sum: cross entropies have a kink where a probability falls below 1e-7.
const LARGEST: f64 = 8.0;

/// Checks a layer that `draw` makes, with each loss.
fn check(draw: impl Fn(&mut Random) -> (Layer, Clamp<f64>)) {
    for loss in Loss::ALL {
        let (mut worst, mut worst_f32) = (0.0f64, 0.0f64);
        for seed in 0..SHAPES {
            let mut random = Random::new(seed as u64);
            let (layer, clamp, values) = draw_smooth(&mut random, &draw);
            let target: Vec<f64> = random.reals(layer.sizes().y).iter().map(|t| t.abs()).collect();

            let mut delta = layer.forward(&values, clamp);
            let y = delta.clone();
            loss.apply(&mut delta, &target);
            let analytic = layer.backward(&values, clamp, &y, delta);
            let at = |values: &Values<f64>| loss.apply(&mut layer.forward(values, clamp), &target);
            let numeric = differences(&values, at);
            let error = relative_error(&analytic, &numeric, 1e-3);
            assert!(error <= 1e-6, "{layer:?} {clamp:?} {loss:?} seed {seed}: {error:e}");
            worst = worst.max(error);

            let narrow = values.map(|&v| v as f32);
            let mut delta = layer.forward(&narrow, clamp);
            let y = delta.clone();
            loss.apply(&mut delta, &target);
            let single = layer.backward(&narrow, clamp, &y, delta).map(|&v| f64::from(v));
            let error = relative_error(&single, &analytic, 0.1);
            assert!(error <= 1e-3, "{layer:?} {clamp:?} {loss:?} seed {seed}, f32: {error:e}");
            worst_f32 = worst_f32.max(error);
        }
        println!("{loss:?}: f64 {worst:.1e}, f32 {worst_f32:.1e}");
    }
}

/// A layer and values at which its outputs are smooth: away from kinks of activations and from ties of a maximum.
fn draw_smooth(
    random: &mut Random,
    draw: impl Fn(&mut Random) -> (Layer, Clamp<f64>),
) -> (Layer, Clamp<f64>, Values<f64>) {
    let (layer, clamp) = draw(random);
    for _ in 0..10_000 {
        let sizes = layer.sizes();
        let reach = random.pick(&[0.5, 1.0, 3.0]);
        let mut values = Values {
            x: random.reals(sizes.x),
            weights: random.reals(sizes.weights),
            biases: random.reals(sizes.biases),
        };
        if let Layer::MaxPool2d(_) = layer {
            // Evenly spaced and shuffled: no two are near each other.
            values.x = (0..sizes.x).map(|i| (2 * i) as f64 / sizes.x as f64 - 0.99).collect();
            random.shuffle(&mut values.x);
        }
        // As `f32`, so that both paths see the same numbers.
        let values = values.map(|&v| f64::from((v * reach) as f32));
        let far = |x: f64, kink: f64| (x - kink).abs() > MARGIN;
        let smooth = match layer {
            Layer::LeakyRelu(..) | Layer::Elu(..) => values.x.iter().all(|&x| far(x, 0.0)),
            _ => {
                let sums = layer.forward(&values, Clamp::<f64>::LINEAR);
                sums.iter().all(|&sum| far(sum, clamp.min) && far(sum, clamp.max) && sum.abs() < LARGEST)
            }
        };
        if smooth {
            return (layer, clamp, values);
        }
    }
    panic!("no smooth values for {layer:?} {clamp:?}");
}

/// The derivatives of `f` by every element, by central differences of fourth order.
fn differences(values: &Values<f64>, f: impl Fn(&Values<f64>) -> f64) -> Values<f64> {
    const STEP: f64 = 1e-4;
    let mut moved = values.clone();
    let mut result = values.clone();
    for part in
        [|v| &mut v.x, |v| &mut v.weights, |v| &mut v.biases] as [fn(&mut Values<f64>) -> &mut Vec<f64>; 3]
    {
        for i in 0..part(&mut moved).len() {
            let here = part(&mut moved)[i];
            let mut rise = |step: f64| {
                part(&mut moved)[i] = here + step;
                let above = f(&moved);
                part(&mut moved)[i] = here - step;
                above - f(&moved)
            };
            part(&mut result)[i] = (8.0 * rise(STEP) - rise(2.0 * STEP)) / (12.0 * STEP);
            part(&mut moved)[i] = here;
        }
    }
    result
}

/// The largest relative difference of two elements. Elements below a hundredth of the largest in their group count as
/// that large, a group below `floor` as `floor`, as differences lose their digits there.
fn relative_error(a: &Values<f64>, b: &Values<f64>, floor: f64) -> f64 {
    let groups = [(&a.x, &b.x), (&a.weights, &b.weights), (&a.biases, &b.biases)];
    let worst = |(a, b): (&Vec<f64>, &Vec<f64>)| {
        assert_eq!(a.len(), b.len());
        let largest = b.iter().fold(floor, |max: f64, b| max.max(b.abs()));
        a.iter().zip(b).fold(0.0, |worst: f64, (a, b)| {
            assert!(a.is_finite() && b.is_finite());
            worst.max((a - b).abs() / a.abs().max(b.abs()).max(largest / 100.0))
        })
    };
    groups.into_iter().map(worst).fold(0.0, f64::max)
}

fn draw_clamp(random: &mut Random) -> Clamp<f64> {
    random.pick(&[
        Clamp::<f64>::LINEAR,
        Clamp::<f64>::RELU,
        Clamp::<f64>::RELU6,
        Clamp { min: -0.3, max: 0.4 },
    ])
}

/// Any window: strides, dilations, all paddings.
fn draw_window(random: &mut Random, dilations: usize) -> Window2d {
    let mut pair = |low, high| [random.size(low, high), random.size(low, high)];
    let (kernel, stride, dilation, extra) = (pair(1, 3), pair(1, 3), pair(1, dilations), pair(0, 3));
    let channels = random.size(1, 3);
    let span = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis] + 1);
    let input = |room: [usize; 2]| {
        let extent = |axis: usize| (span[axis] + extra[axis]).saturating_sub(room[axis]).max(1);
        [extent(0), extent(1), channels]
    };
    match random.size(0, 2) {
        0 => Window2d::new(input([0, 0]), kernel, stride, dilation, Padding::Valid),
        1 => Window2d::new(input([span[0] - 1, span[1] - 1]), kernel, stride, dilation, Padding::Same),
        _ => {
            let mut side = |axis: usize| random.size(0, (span[axis] - 1).min(2));
            let [top, bottom, left, right] = [side(0), side(0), side(1), side(1)];
            let padding = Padding::Explicit {
                top: top as u16,
                bottom: bottom as u16,
                left: left as u16,
                right: right as u16,
            };
            Window2d::new(input([top + bottom, left + right]), kernel, stride, dilation, padding)
        }
    }
}

#[test]
fn dense_layer() {
    check(|random| {
        let layer = Layer::Dense { inputs: random.size(1, 12), outputs: random.size(1, 12) };
        (layer, draw_clamp(random))
    });
}

#[test]
fn conv2d() {
    check(|random| {
        let layer = Layer::Conv2d { window: draw_window(random, 3), filters: random.size(1, 6) };
        (layer, draw_clamp(random))
    });
}

#[test]
fn depthwise_conv2d() {
    check(|random| {
        let mut window = draw_window(random, 3);
        if random.size(0, 3) == 0 {
            // Enough channels for the blocks of four.
            window = Window2d::new([4, 3, random.size(4, 6)], [2, 2], [1, 2], [1, 1], Padding::Same);
        }
        (Layer::DepthwiseConv2d { window, multiplier: random.size(1, 3) }, draw_clamp(random))
    });
}

#[test]
fn max_pool2d() {
    check(|random| (Layer::MaxPool2d(draw_window(random, 1)), draw_clamp(random)));
}

#[test]
fn avg_pool2d() {
    check(|random| (Layer::AvgPool2d(draw_window(random, 1)), draw_clamp(random)));
}

#[test]
fn residual_add() {
    check(|random| (Layer::Add(random.size(1, 20)), draw_clamp(random)));
}

#[test]
fn activations() {
    check(|random| (Layer::LeakyRelu(random.size(1, 20), random.pick(&[0.01, 0.3])), Clamp::<f64>::LINEAR));
    check(|random| (Layer::Elu(random.size(1, 20), random.pick(&[0.5, 1.0])), Clamp::<f64>::LINEAR));
    check(|random| (Layer::Sigmoid(random.size(1, 20)), Clamp::<f64>::LINEAR));
    check(|random| (Layer::Tanh(random.size(1, 20)), Clamp::<f64>::LINEAR));
}

#[test]
fn softmax() {
    check(|random| (Layer::Softmax(random.size(1, 12)), Clamp::<f64>::LINEAR));
}
