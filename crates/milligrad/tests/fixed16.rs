//! 16-bit fixed point: nothing wraps, everything rounds to nearest, and it learns as well as `f32`.

mod support {
    pub(crate) mod digits;
    pub(crate) mod random;
}

use milligrad::layers::{AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, dense, softmax};
use milligrad::{
    ACTIVATION_BITS, Arithmetic, Clamp, DELTA_BITS, Fixed16, Optimizer, Padding, PowerOfTwoSgd, SUM_BITS,
    Sgd, Trainable, WEIGHT_BITS, Window2d, loss,
};
use support::random::Random;

const MIN: i64 = i32::MIN as i64;
const MAX: i64 = i32::MAX as i64;
const EDGES: [i32; 9] = [i32::MIN, i32::MIN + 1, -(1 << 30), -1, 0, 1, 1 << 30, i32::MAX - 1, i32::MAX];

fn saturate16(x: i64) -> i16 {
    x.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// `x / 2^bits`, half up.
fn half_up(x: i64, bits: u32) -> i64 {
    (2 * x + (1 << bits)).div_euclid(2 << bits)
}

/// `x / n`, half away from zero.
fn half_away(x: i64, n: i64) -> i64 {
    x.signum() * ((2 * x.abs() + n) / (2 * n))
}

#[test]
fn products_and_sums_saturate() {
    let others: Vec<i16> = (i16::MIN..=i16::MAX).step_by(97).chain([-1, 0, 1, i16::MAX]).collect();
    for x in i16::MIN..=i16::MAX {
        for (i, &w) in others.iter().enumerate() {
            let sum = EDGES[i % EDGES.len()];
            let exact = (i64::from(sum) + i64::from(x) * i64::from(w)).clamp(MIN, MAX) as i32;
            assert_eq!(Fixed16::multiply_add(sum, x, w), exact, "{sum} + {x} {w}");
            assert_eq!(Fixed16::multiply_add_delta(sum, w, x), exact, "{sum} + {x} {w}");
            assert_eq!(Fixed16::accumulate(sum, x, w), exact, "{sum} + {x} {w}");
        }
        for sum in EDGES {
            let exact = |x: i64| (i64::from(sum) + x).clamp(MIN, MAX) as i32;
            assert_eq!(Fixed16::add(sum, x), exact(x.into()));
            assert_eq!(Fixed16::accumulate_bias(sum, x), exact(i64::from(x) << ACTIVATION_BITS));
        }
        for y in [i16::MIN, -1, 0, 1, i16::MAX] {
            assert_eq!(Fixed16::add_delta(x, y), saturate16(i64::from(x) + i64::from(y)));
        }
    }
}

#[test]
fn conversions_round_to_nearest_and_saturate() {
    let mut random = Random::new(1);
    let sums = (0..2_000_000).map(|_| (random.bits() as i32) >> (random.bits() % 31));
    for sum in sums.chain(EDGES) {
        let exact = saturate16(half_up(sum.into(), WEIGHT_BITS));
        assert_eq!(Fixed16::finish(&Clamp::<i16>::LINEAR, &0, sum), exact, "{sum}");
        assert_eq!(Fixed16::finish(&Clamp::<i16>::RELU, &0, sum), exact.max(0), "{sum}");
        assert_eq!(Fixed16::finish(&Clamp::<i16>::RELU6, &0, sum), exact.clamp(0, 6 << ACTIVATION_BITS));
        assert_eq!(Fixed16::delta(sum), exact, "{sum}");
        for count in [1, 2, 3, 9, 49, 65_535, i32::MAX as u32] {
            let exact = saturate16(half_away(sum.into(), count.into()));
            // A sum so large that adding half a count would overflow saturates first, one step early.
            let near = i64::from(sum).abs() + i64::from(count) / 2 > MAX;
            let average = Fixed16::average(sum, count);
            assert!(average == exact || near && (average - exact).abs() <= 1, "{sum} / {count}: {average}");
            let delta = sum as i16;
            let exact = saturate16(half_away(delta.into(), count.into()));
            assert_eq!(Fixed16::divide_delta(delta, count), exact, "{delta} / {count}");
        }
    }
    for count in [0, u32::MAX, 1 << 31] {
        EDGES.iter().for_each(|&sum| drop(std::hint::black_box(Fixed16::average(sum, count))));
    }
}

#[test]
fn updates_round_to_nearest_and_saturate() {
    let mut random = Random::new(2);
    let edges = [i16::MIN, -1, 0, 1, i16::MAX];
    for exponent in 0..=15 {
        let optimizer = PowerOfTwoSgd::new(exponent);
        for i in 0..20_000 {
            let bits = random.bits();
            let mut word = |shift: u32| match i % 3 {
                0 => random.pick(&edges),
                _ => (bits >> shift) as i16,
            };
            let (w, delta, x) = (word(0), word(16), word(32));
            let product = i64::from(delta) * i64::from(x);
            let step = half_up(product, DELTA_BITS + ACTIVATION_BITS - WEIGHT_BITS + exponent);
            let mut row = [w];
            optimizer.update_rows(&mut row, &mut [()], &[delta], &[x]);
            assert_eq!(row[0], saturate16(i64::from(w) - step), "{w} - {delta} {x} / 2^{exponent}");

            let bias = random.pick(&[i32::MIN, i32::MAX, 0, bits as i32]);
            let step = half_up(i64::from(delta) << (SUM_BITS - DELTA_BITS), exponent);
            let mut biases = [bias];
            optimizer.update_biases(&mut biases, &mut [()], &[delta]);
            assert_eq!(i64::from(biases[0]), (i64::from(bias) - step).clamp(MIN, MAX));

            let gradient = random.pick(&[i32::MIN, i32::MAX, bits as i32]);
            let step = half_up(gradient.into(), DELTA_BITS + ACTIVATION_BITS - SUM_BITS + exponent);
            let mut biases = [bias];
            optimizer.update_accumulated_biases(&mut biases, &mut [()], &[gradient]);
            assert_eq!(i64::from(biases[0]), (i64::from(bias) - step).clamp(MIN, MAX));
            let step = half_up(gradient.into(), DELTA_BITS + ACTIVATION_BITS - WEIGHT_BITS + exponent);
            let mut row = [w];
            optimizer.update_weights(&mut row, &mut [()], &[gradient]);
            assert_eq!(row[0], saturate16(i64::from(w) - step));
        }
    }
}

/// Whole layers at the ends of the range: the sign survives, forward and backward.
#[test]
fn layers_saturate() {
    for (x, w) in [(i16::MAX, i16::MAX), (i16::MIN, i16::MIN), (i16::MAX, i16::MIN), (i16::MIN, i16::MAX)] {
        let limit = if (x < 0) == (w < 0) { i16::MAX } else { i16::MIN };
        let bias = if limit > 0 { i32::MAX } else { i32::MIN };
        let linear = Clamp::<i16>::LINEAR;
        let (xs, ws) = ([x; 150], [w; 600]);
        let biases = [bias; 6];

        let layer = Dense::<Fixed16>::new(100, &ws, &biases, linear);
        let mut y = [0; 6];
        layer.forward(&xs[..100], &mut y);
        assert_eq!(y, [limit; 6]);
        let mut dx = [0; 100];
        layer.backward_input(&[x; 6], &mut dx);
        assert_eq!(dx, [limit; 100]);

        let window = Window2d::new([5, 5, 6], [4, 4], [1, 1], [1, 1], Padding::Same);
        let mut patch = [0; 96];
        let conv = Conv2d::<Fixed16>::new(window, &ws[..576], &biases, linear, 0);
        let mut y = [0; 150];
        conv.forward(&xs, &mut patch, &mut y);
        assert_eq!(y, [limit; 150]);
        let mut dx = [0; 150];
        conv.backward_input(&[x; 150], &mut patch, &mut dx);
        assert_eq!(dx, [limit; 150]);
        let (mut gw, mut gb) = ([0; 576], [0; 6]);
        conv.accumulate(&xs, &[w; 150], &mut patch, &mut gw, &mut gb);
        assert!(gw.iter().all(|&g| g == if limit > 0 { i32::MAX } else { i32::MIN }), "{gw:?}");

        let depthwise = DepthwiseConv2d::<Fixed16>::new(window, &ws[..96], &biases, linear, 0);
        depthwise.forward(&xs, &mut patch, &mut y);
        assert_eq!(y, [limit; 150]);
        depthwise.backward_input(&[x; 150], &mut patch, &mut dx);
        assert_eq!(dx, [limit; 150]);

        AvgPool2d::<Fixed16>::new(window, linear).forward(&xs, &mut y);
        assert_eq!(y, [x; 150]);
        MaxPool2d::<Fixed16>::new(window, linear).forward(&xs, &mut y);
        assert_eq!(y, [x; 150]);
    }
}

/// How real numbers become numbers of a format.
trait Format: Trainable {
    const RELU: Self::Output;
    const LINEAR: Self::Output;
    fn element(real: f32) -> Self::Element;
    fn real(element: Self::Element) -> f32;
    fn delta_of(real: f32) -> Self::Element;
    fn weight(real: f32) -> Self::Weight;
}

impl Format for f32 {
    const RELU: Clamp<f32> = Clamp::<f32>::RELU;
    const LINEAR: Clamp<f32> = Clamp::<f32>::LINEAR;
    fn element(real: f32) -> f32 {
        real
    }
    fn real(element: f32) -> f32 {
        element
    }
    fn delta_of(real: f32) -> f32 {
        real
    }
    fn weight(real: f32) -> f32 {
        real
    }
}

impl Format for Fixed16 {
    const RELU: Clamp<i16> = Clamp::<i16>::RELU;
    const LINEAR: Clamp<i16> = Clamp::<i16>::LINEAR;
    // A float becomes an integer by saturation.
    fn element(real: f32) -> i16 {
        (real * (1 << ACTIVATION_BITS) as f32).round() as i16
    }
    fn real(element: i16) -> f32 {
        f32::from(element) / (1 << ACTIVATION_BITS) as f32
    }
    fn delta_of(real: f32) -> i16 {
        (real * (1 << DELTA_BITS) as f32).round() as i16
    }
    fn weight(real: f32) -> i16 {
        (real * (1 << WEIGHT_BITS) as f32).round() as i16
    }
}

/// Trains 64-32-10 on the digits, sample by sample, and returns the accuracy on the part held out.
fn train<A: Format, O: Optimizer<A>>(optimizer: &O, zero: A::Channel, seed: u64, epochs: usize) -> f64 {
    let mut random = Random::new(seed);
    let mut samples = support::digits::samples();
    random.shuffle(&mut samples);
    let mut layer = |inputs: usize, outputs: usize| -> Vec<A::Weight> {
        let reach = (6.0 / inputs as f32).sqrt();
        random.reals(inputs * outputs).iter().map(|&r| A::weight(r as f32 * reach)).collect()
    };
    let (mut w1, mut w2) = (layer(64, 32), layer(32, 10));
    let (mut b1, mut b2) = ([zero; 32], [zero; 10]);
    let (mut s1, mut s2) = (vec![O::START; w1.len()], vec![O::START; w2.len()]);
    let mut s = [O::START; 32];
    let inputs: Vec<Vec<A::Element>> =
        samples.iter().map(|(x, _)| x.iter().map(|&x| A::element(x)).collect()).collect();
    let forward =
        |x: &[A::Element], w1: &[A::Weight], b1: &[A::Channel], w2: &[A::Weight], b2: &[A::Channel]| {
            let (mut h, mut y) = ([A::NO_DELTA; 32], [A::NO_DELTA; 10]);
            Dense::<A>::new(64, w1, b1, A::RELU).forward(x, &mut h);
            Dense::<A>::new(32, w2, b2, A::LINEAR).forward(&h, &mut y);
            (h, y.map(A::real))
        };
    let held_out = samples.len() / 5;
    let mut order: Vec<usize> = (held_out..samples.len()).collect();
    for _ in 0..epochs {
        random.shuffle(&mut order);
        for &i in &order {
            let (x, label) = (&inputs[i], samples[i].1);
            let (h, mut p) = forward(x, &w1, &b1, &w2, &b2);
            softmax(&mut p);
            loss::sparse_categorical_cross_entropy(&mut p, label).unwrap();
            let delta = p.map(A::delta_of);
            let mut delta_h = [A::NO_DELTA; 32];
            Dense::<A>::new(32, &w2, &b2, A::LINEAR).backward_input(&delta, &mut delta_h);
            Dense::<A>::new(64, &w1, &b1, A::RELU).backward_activation(&h, &mut delta_h);
            dense::apply::<A, O>(&h, &delta, &mut w2, &mut b2, (&mut s2, &mut s[..10]), optimizer);
            dense::apply::<A, O>(x, &delta_h, &mut w1, &mut b1, (&mut s1, &mut s), optimizer);
        }
    }
    let right = |i: &usize| {
        let (_, y) = forward(&inputs[*i], &w1, &b1, &w2, &b2);
        milligrad::argmax(&y) == samples[*i].1
    };
    (0..held_out).filter(right).count() as f64 / held_out as f64
}

#[test]
fn learns_as_well_as_f32() {
    let seeds = [0, 1, 2];
    let mean = |accuracy: &dyn Fn(u64) -> f64| seeds.map(accuracy).iter().sum::<f64>() / seeds.len() as f64;
    let float = mean(&|seed| train::<f32, _>(&Sgd::new(1.0 / 32.0), 0.0, seed, 20));
    let fixed = mean(&|seed| train::<Fixed16, _>(&PowerOfTwoSgd::new(5), 0, seed, 20));
    println!("held-out accuracy: f32 {float:.4}, fixed point {fixed:.4}");
    assert!(float > 0.96, "f32 reaches {float}");
    assert!((float - fixed).abs() <= 0.01, "f32 {float}, fixed point {fixed}");
}
