//! 16-bit fixed point: nothing wraps, everything rounds to nearest.

mod support {
    pub(crate) mod random;
}

use milligrad::layers::{AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d};
use milligrad::{
    ACTIVATION_BITS, Arithmetic, Clamp, DELTA_BITS, Fixed16, Optimizer, Padding, PowerOfTwoSgd, SUM_BITS,
    Trainable, WEIGHT_BITS, Window2d,
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
        std::hint::black_box(EDGES.map(|sum| Fixed16::average(sum, count)));
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
