//! The int8 kernels against TensorFlow's: every value of the golden vectors, none may differ.
//!
//! `tests/golden/int8_ops.py` at the root of the repository made the vectors and documents their fields.

mod support {
    pub(crate) mod npz;
    pub(crate) mod tflite;
}

use milligrad::layers::{
    AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, QuantizedAdd, Table, leaky_relu_table, lookup,
    sigmoid_table, tanh_table,
};
use milligrad::{
    Arithmetic, Int8, Padding, QuantizedChannel, QuantizedOutput, Requantize, Rounding, Window2d,
};
use support::npz::{Case, cases, columns};
use support::tflite;

/// Runs every case of an operator against both oracles. `run(case, rounding, x, y)` computes one sample; `single` is
/// how the interpreter rounds, where TensorFlow Lite Micro rounds twice.
fn check(operator: &str, single: Rounding, run: impl Fn(&Case, Rounding, &[i8], &mut [i8])) {
    let (mut values, mut differences) = (0, Vec::new());
    let cases = cases(operator);
    assert!(cases.len() >= 19, "{operator} has {} cases", cases.len());
    for case in &cases {
        for (oracle, rounding) in [("output_tflm", Rounding::Double), ("output_tflite", single)] {
            // An oracle that refused the case left no output.
            let Some(output) = case.get(oracle) else { continue };
            let mut y = vec![0; output.shape[1..].iter().product()];
            for (sample, (x, expected)) in
                case.array("input").samples().iter().zip(output.samples()).enumerate()
            {
                y.fill(0x55);
                run(case, rounding, x, &mut y);
                values += y.len();
                let wrong = y.iter().zip(&expected).position(|(y, expected)| y != expected);
                differences.extend(wrong.map(|at| {
                    format!("{} {oracle} sample {sample}: {} for {} at {at}", case.name, y[at], expected[at])
                }));
            }
        }
    }
    println!("{operator}: {values} values in {} cases", cases.len());
    assert!(differences.is_empty(), "{operator}:\n{}", differences.join("\n"));
    assert!(values > 3_000, "{operator} has only {values} values");
}

fn output(case: &Case, activation: usize) -> QuantizedOutput {
    tflite::output(case.real("output_scale") as f32, case.int("output_zero_point"), activation)
}

fn padding(same: usize) -> Padding {
    if same == 1 { Padding::Same } else { Padding::Valid }
}

/// Channels with the zero point folded into the bias; `weights(o)` are those of output `o`.
fn channels<'a>(
    case: &Case,
    rounding: Rounding,
    weights: impl Fn(usize) -> Box<dyn Iterator<Item = &'a i8> + 'a>,
) -> Vec<QuantizedChannel> {
    let (input, output) = (case.real("input_scale"), case.real("output_scale"));
    let scales = case.array("weight_scales").reals();
    let channel = |(o, &bias): (usize, &i32)| {
        let sum: i32 = weights(o).map(|&w| i32::from(w)).sum();
        let scale = scales[if scales.len() == 1 { 0 } else { o }];
        QuantizedChannel {
            bias: bias.wrapping_sub(case.int("input_zero_point") * sum),
            requantize: tflite::layer_scale(input, scale, output, rounding),
        }
    };
    case.array("bias").i32().iter().enumerate().map(channel).collect()
}

fn window(case: &Case, kernel: &[usize]) -> Window2d {
    let [h, w, c] = case.array("input").shape[1..] else { panic!("{} is no image", case.name) };
    let [stride_h, stride_w, dilation_h, dilation_w, same, ..] = case.attributes()[..] else { panic!() };
    Window2d::new(
        [h, w, c],
        [kernel[0], kernel[1]],
        [stride_h, stride_w],
        [dilation_h, dilation_w],
        padding(same),
    )
}

#[test]
fn requantize() {
    let golden = columns("requantize.npz");
    let [accumulators, multipliers, shifts, double, single] =
        ["accumulator", "multiplier", "shift", "double_rounding", "single_rounding"].map(|c| golden[c].i32());
    assert!(accumulators.len() >= 2_000);
    for (i, (&x, (&m, &s))) in accumulators.iter().zip(multipliers.iter().zip(&shifts)).enumerate() {
        let apply = |rounding| Requantize::new(m, s as i8, rounding).apply(x);
        assert_eq!(apply(Rounding::Double), double[i], "{x} times {m} 2^({s} - 31)");
        // The column breaks ties upwards; ours, as FULLY_CONNECTED, away from zero.
        let product = i64::from(x) * i64::from(m);
        let tie = product < 0 && product.rem_euclid(1 << (31 - s)) == 1 << (30 - s);
        assert_eq!(apply(Rounding::Single), single[i] - i32::from(tie), "{x} times {m} 2^({s} - 31)");
    }
}

#[test]
fn conv2d() {
    check("conv2d", Rounding::Double, |case, rounding, x, y| {
        let weights = case.array("weights");
        let (shape, weights) = (&weights.shape, weights.i8());
        let row = shape[1..].iter().product();
        let channels =
            channels(case, rounding, |o| Box::new(weights.chunks_exact(row).nth(o).unwrap().iter()));
        let (window, pad) = (window(case, &shape[1..3]), case.int("input_zero_point") as i8);
        let layer = Conv2d::<Int8>::new(window, &weights, &channels, output(case, case.attributes()[5]), pad);
        layer.forward(x, &mut vec![0; window.patch_len()], y);
        if window.is_pointwise() {
            let mut direct = vec![0; y.len()];
            layer.forward_pointwise(x, &mut direct);
            assert_eq!(direct, y, "{} pointwise", case.name);
        }
    });
}

#[test]
fn depthwise_conv2d() {
    check("depthwise_conv2d", Rounding::Double, |case, rounding, x, y| {
        let weights = case.array("weights");
        let (shape, weights) = (&weights.shape, weights.i8());
        let channels = channels(case, rounding, |o| Box::new(weights.iter().skip(o).step_by(shape[3])));
        let (window, pad) = (window(case, &shape[1..3]), case.int("input_zero_point") as i8);
        let layer = DepthwiseConv2d::<Int8>::new(
            window,
            &weights,
            &channels,
            output(case, case.attributes()[5]),
            pad,
        );
        layer.forward(x, &mut vec![0; window.patch_len()], y);
    });
}

#[test]
fn fully_connected() {
    check("fully_connected", Rounding::Single, |case, rounding, x, y| {
        let weights = case.array("weights").i8();
        let channels =
            channels(case, rounding, |o| Box::new(weights.chunks_exact(x.len()).nth(o).unwrap().iter()));
        Dense::<Int8>::new(x.len(), &weights, &channels, output(case, case.attributes()[0])).forward(x, y);
    });
}

/// The window and the output of a pooling.
fn pool(case: &Case) -> (Window2d, QuantizedOutput) {
    let [h, w, c] = case.array("input").shape[1..] else { panic!("{} is no image", case.name) };
    let [kernel_h, kernel_w, stride_h, stride_w, same, activation] = case.attributes()[..] else { panic!() };
    let window = Window2d::new([h, w, c], [kernel_h, kernel_w], [stride_h, stride_w], [1, 1], padding(same));
    (window, output(case, activation))
}

#[test]
fn max_pool2d() {
    check("max_pool2d", Rounding::Double, |case, _, x, y| {
        let (window, output) = pool(case);
        MaxPool2d::<Int8>::new(window, output).forward(x, y);
    });
}

#[test]
fn average_pool2d() {
    check("average_pool2d", Rounding::Double, |case, _, x, y| {
        let (window, output) = pool(case);
        AvgPool2d::<Int8>::new(window, output).forward(x, y);
    });
}

#[test]
fn add() {
    let (mut values, cases) = (0, cases("add"));
    assert!(cases.len() >= 20);
    for case in &cases {
        let scales = ["input0_scale", "input1_scale"].map(|field| case.real(field));
        let zero_points = ["input0_zero_point", "input1_zero_point"].map(|field| case.int(field) as i8);
        let widest = 2.0 * scales[0].max(scales[1]);
        let double = |real| tflite::requantize(real, Rounding::Double);
        let sum = double(widest / ((1 << 20) as f64 * case.real("output_scale")));
        let layer = QuantizedAdd::new(
            (zero_points[0], double(scales[0] / widest)),
            (zero_points[1], double(scales[1] / widest)),
            sum,
            output(case, case.attributes()[0]),
        );
        let (a, b) = (case.array("input0").i8(), case.array("input1").i8());
        let mut y = vec![0; a.len()];
        layer.forward(&a, &b, &mut y);
        for oracle in ["output_tflm", "output_tflite"] {
            let Some(expected) = case.get(oracle) else { continue };
            assert_eq!(y, expected.i8(), "{} {oracle}", case.name);
            values += y.len();
        }
    }
    assert!(values > 10_000, "only {values} values");
}

#[test]
fn softmax() {
    check("softmax", Rounding::Double, |case, _, x, y| {
        tflite::softmax(case.real("input_scale")).forward(x, y);
    });
}

/// Checks a function of one element, given as a table.
fn check_table(operator: &str, table: impl Fn(&Case) -> Table) {
    check(operator, Rounding::Double, |case, _, x, y| lookup(&table(case), x, y));
}

#[test]
fn logistic() {
    check_table("logistic", |case| {
        let (scale, radius) = tflite::sigmoid_input(case.real("input_scale"));
        sigmoid_table(case.int("input_zero_point") as i8, scale, radius)
    });
}

#[test]
fn tanh() {
    check_table("tanh", |case| {
        let (scale, radius) = tflite::sigmoid_input(case.real("input_scale"));
        tanh_table(case.int("input_zero_point") as i8, scale, radius)
    });
}

/// The table of a function that is linear on both sides of zero.
fn rescale(case: &Case, alpha: f64, activation: usize) -> Table {
    let (input, to) = (case.real("input_scale"), case.real("output_scale"));
    leaky_relu_table(
        case.int("input_zero_point") as i8,
        tflite::requantize(input / to, Rounding::Double),
        tflite::requantize(input * alpha / to, Rounding::Double),
        output(case, activation),
    )
}

#[test]
fn leaky_relu() {
    check_table("leaky_relu", |case| rescale(case, case.real("alpha"), 0));
}

/// ReLU and ReLU6 on their own: a table, and a clamp where input and output are quantised alike.
#[test]
fn relu_and_relu6() {
    for (operator, activation) in [("relu", 1), ("relu6", 2)] {
        check_table(operator, |case| rescale(case, 0.0, activation));
        let mut clamped = 0;
        for case in cases(operator) {
            let alike = |field| case.real(&format!("input_{field}")) == case.real(&format!("output_{field}"));
            if alike("scale") && alike("zero_point") {
                let output = output(&case, activation);
                let y: Vec<i8> = case.array("input").i8().iter().map(|&x| Int8::clamp(&output, x)).collect();
                assert_eq!(y, case.array("output_tflm").i8(), "{}", case.name);
                clamped += 1;
            }
        }
        assert!(clamped >= 8, "{operator} has only {clamped} cases that are clamps");
    }
}
