//! Kernels are total: no lengths, no values and no fields make them panic, with overflow checks on.

mod support {
    pub(crate) mod random;
}

use milligrad::layers::{
    AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, QuantizedAdd, QuantizedSoftmax, dense,
    leaky_relu_table, sigmoid_table, softmax, tanh_table,
};
use milligrad::{
    Arithmetic, Clamp, Element, Fixed16, Int8, Optimizer, Padding, PowerOfTwoSgd, QuantizedChannel,
    QuantizedOutput, Requantize, Rounding, Sgd, Trainable, Window2d, loss, math,
};
use support::random::Random;

/// Random numbers of a format, the ends of its range among them.
trait Any: Arithmetic {
    fn element(random: &mut Random) -> Self::Element;
    fn weight(random: &mut Random) -> Self::Weight;
    fn channel(random: &mut Random) -> Self::Channel;
    fn output(random: &mut Random) -> Self::Output;

    /// So many elements, or any other number.
    fn elements(random: &mut Random, fitting: usize) -> Vec<Self::Element> {
        (0..length(random, fitting)).map(|_| Self::element(random)).collect()
    }
    fn weights(random: &mut Random, n: usize) -> Vec<Self::Weight> {
        (0..n).map(|_| Self::weight(random)).collect()
    }
    fn channels(random: &mut Random, n: usize) -> Vec<Self::Channel> {
        (0..n).map(|_| Self::channel(random)).collect()
    }
}

fn any_i8(random: &mut Random) -> i8 {
    let bits = random.bits() as i8;
    random.pick(&[i8::MIN, -1, 0, 1, i8::MAX, bits])
}

fn any_i16(random: &mut Random) -> i16 {
    let bits = random.bits() as i16;
    random.pick(&[i16::MIN, -1, 0, 1, i16::MAX, bits])
}

fn any_i32(random: &mut Random) -> i32 {
    let bits = random.bits() as i32;
    random.pick(&[i32::MIN, -1, 0, 1, i32::MAX, bits])
}

fn any_f32(random: &mut Random) -> f32 {
    let bits = f32::from_bits(random.bits() as u32);
    random.pick(&[
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        f32::MIN,
        0.0,
        -0.0,
        1e-45,
        1.0,
        bits,
    ])
}

/// The fields are public, so any numbers may stand in them.
fn any_requantize(random: &mut Random) -> Requantize {
    let (multiplier, shift) = (any_i32(random), any_i8(random));
    Requantize { multiplier, shift, rounding: random.pick(&[Rounding::Double, Rounding::Single]) }
}

fn any_output(random: &mut Random) -> QuantizedOutput {
    QuantizedOutput { zero_point: any_i8(random), min: any_i8(random), max: any_i8(random) }
}

impl Any for Int8 {
    fn element(random: &mut Random) -> i8 {
        any_i8(random)
    }
    fn weight(random: &mut Random) -> i8 {
        any_i8(random)
    }
    fn channel(random: &mut Random) -> QuantizedChannel {
        QuantizedChannel { bias: any_i32(random), requantize: any_requantize(random) }
    }
    fn output(random: &mut Random) -> QuantizedOutput {
        any_output(random)
    }
}

impl Any for Fixed16 {
    fn element(random: &mut Random) -> i16 {
        any_i16(random)
    }
    fn weight(random: &mut Random) -> i16 {
        any_i16(random)
    }
    fn channel(random: &mut Random) -> i32 {
        any_i32(random)
    }
    fn output(random: &mut Random) -> Clamp<i16> {
        Clamp { min: any_i16(random), max: any_i16(random) }
    }
}

impl Any for f32 {
    fn element(random: &mut Random) -> f32 {
        any_f32(random)
    }
    fn weight(random: &mut Random) -> f32 {
        any_f32(random)
    }
    fn channel(random: &mut Random) -> f32 {
        any_f32(random)
    }
    fn output(random: &mut Random) -> Clamp<f32> {
        Clamp { min: any_f32(random), max: any_f32(random) }
    }
}

/// Any window that `Window2d::new` takes.
fn any_window(random: &mut Random, dilations: usize) -> Window2d {
    let mut pair = |high| [random.size(1, high), random.size(1, high)];
    let (kernel, stride, dilation, size) = (pair(4), pair(4), pair(dilations), pair(7));
    let channels = random.size(1, 6);
    if random.size(0, 1) == 0 {
        return Window2d::new([size[0], size[1], channels], kernel, stride, dilation, Padding::Same);
    }
    let mut side = |axis: usize| random.size(0, kernel[axis] - 1) as u16;
    let padding = Padding::Explicit { top: side(0), bottom: side(0), left: side(1), right: side(1) };
    let room = [0, 1].map(|axis| size[axis] + (kernel[axis] - 1) * dilation[axis]);
    Window2d::new([room[0], room[1], channels], kernel, stride, dilation, padding)
}

/// A length that fits, or any other.
fn length(random: &mut Random, fitting: usize) -> usize {
    if random.size(0, 2) == 0 { random.size(0, 2 * fitting) } else { fitting }
}

fn forward<A: Any>(random: &mut Random) {
    let (inputs, outputs) = (random.size(1, 40), random.size(0, 9));
    let (weights, channels) = (A::weights(random, inputs * outputs), A::channels(random, outputs));
    let x = A::elements(random, inputs);
    let mut y = A::elements(random, outputs);
    Dense::<A>::new(inputs, &weights, &channels, A::output(random)).forward(&x, &mut y);

    let window = any_window(random, 3);
    let depth = window.input()[2];
    let filters = depth * random.size(1, 3);
    let (weights, channels) =
        (A::weights(random, window.patch_len() * filters), A::channels(random, filters));
    let x = A::elements(random, window.input_len());
    let mut patch = A::elements(random, window.patch_len());
    let mut y = A::elements(random, window.positions() * filters);
    let (output, pad) = (A::output(random), A::element(random));
    let conv = Conv2d::<A>::new(window, &weights, &channels, output, pad);
    conv.forward(&x, &mut patch, &mut y);
    conv.forward_pointwise(&x, &mut y);
    let weights = &weights[..window.taps() * filters];
    DepthwiseConv2d::<A>::new(window, weights, &channels, output, pad).forward(&x, &mut patch, &mut y);
    let anywhere = (random.pick(&[0, 3, usize::MAX]), random.pick(&[0, 3, usize::MAX]));
    window.gather(&x, anywhere, pad, &mut patch);
    window.scatter(&patch, anywhere, &mut y, |a, _| a);

    let window = any_window(random, 1);
    let x = A::elements(random, window.input_len());
    let mut y = A::elements(random, window.positions() * window.input()[2]);
    MaxPool2d::<A>::new(window, output).forward(&x, &mut y);
    AvgPool2d::<A>::new(window, output).forward(&x, &mut y);
}

fn backward<A: Any + Trainable, O: Optimizer<A>>(random: &mut Random, optimizer: &O) {
    let (inputs, outputs) = (random.size(1, 40), random.size(0, 9));
    let (mut weights, mut channels) = (A::weights(random, inputs * outputs), A::channels(random, outputs));
    let x = A::elements(random, inputs);
    let y = A::elements(random, outputs);
    let mut delta = A::elements(random, outputs);
    let mut dx = A::elements(random, inputs);
    let layer = Dense::<A>::new(inputs, &weights, &channels, A::output(random));
    layer.backward_activation(&y, &mut delta);
    layer.backward_input(&delta, &mut dx);
    let (mut gw, mut gb) =
        (vec![A::NO_GRADIENT; length(random, inputs * outputs)], vec![A::NO_GRADIENT; outputs]);
    dense::accumulate::<A>(&x, &delta, &mut gw, &mut gb);
    let (mut sw, mut sb) = (vec![O::START; length(random, weights.len())], vec![O::START; outputs]);
    dense::apply::<A, O>(&x, &delta, &mut weights, &mut channels, (&mut sw, &mut sb), optimizer);
    optimizer.update_weights(&mut weights, &mut sw, &gw);
    optimizer.update_accumulated_biases(&mut channels, &mut sb, &gb);

    let window = any_window(random, 3);
    let filters = window.input()[2] * random.size(1, 3);
    let (weights, channels) =
        (A::weights(random, window.patch_len() * filters), A::channels(random, filters));
    let x = A::elements(random, window.input_len());
    let mut patch = A::elements(random, window.patch_len());
    let delta = A::elements(random, window.positions() * filters);
    let mut dx = A::elements(random, window.input_len());
    let (output, pad) = (A::output(random), A::element(random));
    let (mut gw, mut gb) =
        (vec![A::NO_GRADIENT; length(random, weights.len())], vec![A::NO_GRADIENT; filters]);
    let layer = Conv2d::<A>::new(window, &weights, &channels, output, pad);
    layer.backward_input(&delta, &mut patch, &mut dx);
    layer.accumulate(&x, &delta, &mut patch, &mut gw, &mut gb);
    let weights = &weights[..window.taps() * filters];
    let layer = DepthwiseConv2d::<A>::new(window, weights, &channels, output, pad);
    layer.backward_input(&delta, &mut patch, &mut dx);
    layer.accumulate(&x, &delta, &mut patch, &mut gw, &mut gb);

    let window = any_window(random, 1);
    let x = A::elements(random, window.input_len());
    let y = A::elements(random, window.positions() * window.input()[2]);
    let delta = A::elements(random, y.len());
    let mut dx = A::elements(random, x.len());
    MaxPool2d::<A>::new(window, output).backward_input(&x, &y, &delta, &mut dx);
    AvgPool2d::<A>::new(window, output).backward_input(&delta, &mut dx);
}

#[test]
fn layers() {
    let mut random = Random::new(1);
    for _ in 0..10_000 {
        forward::<Int8>(&mut random);
        forward::<Fixed16>(&mut random);
        forward::<f32>(&mut random);
        let exponent = random.size(0, 15) as u32;
        backward::<Fixed16, _>(&mut random, &PowerOfTwoSgd::new(exponent));
        let rate = any_f32(&mut random);
        backward::<f32, _>(&mut random, &Sgd::new(rate));
    }
}

#[test]
fn quantized_functions() {
    let mut random = Random::new(2);
    for _ in 0..5_000 {
        let random = &mut random;
        let (a, b) = (Int8::elements(random, 9), Int8::elements(random, 9));
        let mut y = Int8::elements(random, 9);
        let add = QuantizedAdd {
            a: (any_i8(random), any_requantize(random)),
            b: (any_i8(random), any_requantize(random)),
            sum: any_requantize(random),
            output: any_output(random),
        };
        add.forward(&a, &b, &mut y);
        let softmax = QuantizedSoftmax {
            multiplier: any_i32(random),
            shift: random.bits() as u8,
            smallest_difference: any_i16(random),
        };
        softmax.forward(&b, &mut y);
        softmax.forward(&[], &mut y);
        let (zero, scale, radius) = (any_i8(random), any_requantize(random), any_i32(random));
        std::hint::black_box((
            sigmoid_table(zero, scale, radius),
            tanh_table(zero, scale, radius),
            leaky_relu_table(zero, scale, any_requantize(random), any_output(random)),
        ));
    }
    // More classes of the same score than the sum of TensorFlow Lite can count.
    let (x, mut y) = (vec![7; 20_000], vec![0; 20_000]);
    QuantizedSoftmax::new(1 << 30, 20, -200).forward(&x, &mut y);
    assert_eq!(y, vec![-128; 20_000]);
}

#[test]
fn elementary_functions_and_losses() {
    let mut random = Random::new(3);
    for _ in 0..100_000 {
        let x = any_f32(&mut random);
        std::hint::black_box([math::exp(x), math::sigmoid(x), math::tanh(x), math::sqrt(x), math::ln(x)]);
        let mut y: Vec<f32> = (0..5).map(|_| any_f32(&mut random)).collect();
        let target = f32::elements(&mut random, 5);
        softmax(&mut y);
        std::hint::black_box([
            loss::mean_squared_error(&mut y, &target),
            loss::binary_cross_entropy(&mut y, &target),
            loss::categorical_cross_entropy(&mut y, &target),
        ]);
        let label = random.pick(&[0, 4, 5, usize::MAX]);
        assert_eq!(loss::sparse_categorical_cross_entropy(&mut y, label).is_err(), label > 4);
    }
    for n in 0..6 {
        let mut bytes = vec![0xff; n];
        1.5f32.to_le(&mut bytes);
        std::hint::black_box((f32::from_le(&bytes), <i16 as Element>::from_le(&bytes)));
    }
}
