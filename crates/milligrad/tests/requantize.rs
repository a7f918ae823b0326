//! `Requantize` against an independent model in 128-bit integers, and `Quantization` against `f64`.

mod support {
    pub(crate) mod random;
}

use milligrad::{Quantization, QuantizedOutput, Requantize, Rounding};
use support::random::Random;

/// `n / 2^bits`, to nearest, half up.
fn half_up(n: i128, bits: u32) -> i128 {
    (2 * n + (1 << bits)).div_euclid(2 << bits)
}

/// `n / 2^bits`, to nearest, half away from zero.
fn half_away(n: i128, bits: u32) -> i128 {
    n.signum() * half_up(n.abs(), bits)
}

/// What the documentation of `Requantize` says, in exact arithmetic; results beyond 32 bits lose their high bits.
fn model(x: i32, multiplier: i32, shift: i8, rounding: Rounding) -> i32 {
    let (left, right) = (i32::from(shift).max(0) as u32, (-i32::from(shift)).max(0) as u32);
    match rounding {
        Rounding::Double => {
            let shifted = (i128::from(x) << left) as i32;
            half_away(half_up(i128::from(shifted) * i128::from(multiplier), 31), right) as i32
        }
        Rounding::Single => {
            half_away(i128::from(x) * i128::from(multiplier), (31 - i32::from(shift)) as u32) as i32
        }
    }
}

fn check(x: i32, multiplier: i32, shift: i8) {
    for rounding in [Rounding::Double, Rounding::Single] {
        let (ours, exact) =
            (Requantize::new(multiplier, shift, rounding).apply(x), model(x, multiplier, shift, rounding));
        assert_eq!(ours, exact, "{x} times {multiplier} 2^({shift} - 31), {rounding:?}");
    }
}

#[test]
fn ten_million_random_triples() {
    let mut random = Random::new(1);
    for i in 0..10_000_000u32 {
        let bits = random.bits();
        // Sums of all magnitudes; every other case ends in zeros, so that ties are frequent.
        let x = (bits as i32) >> (bits >> 59);
        let (x, multiplier) = match i % 4 {
            0 => (x, 1 << 30),
            1 => (x, (1 << 30) | ((bits >> 32) as i32 & (0x3fff << 16))),
            _ => (x, (1 << 30) | ((bits >> 32) as i32 & 0x3fff_ffff)),
        };
        check(x, multiplier, random.within(-31, 30) as i8);
    }
}

#[test]
fn all_edge_triples() {
    let mut edges = vec![0, i32::MIN, i32::MAX];
    for bit in 0..31 {
        edges.extend([-1, 0, 1].iter().flat_map(|d| [(1 << bit) + d, -(1 << bit) + d]));
    }
    edges.extend((0..8).flat_map(|i| [i32::MIN + i, i32::MAX - i, 3 << i, -3 << i]));
    let multipliers: Vec<i32> = edges.iter().copied().filter(|&m| m >= 0).collect();
    for &x in &edges {
        for &multiplier in &multipliers {
            (-31..=30).for_each(|shift| check(x, multiplier, shift));
        }
    }
}

/// The fields are public: whatever stands in them, nothing panics.
#[test]
fn any_fields() {
    let mut random = Random::new(2);
    let mut sum = 0i32;
    for _ in 0..1_000_000 {
        let bits = random.bits();
        let multiplier = random.pick(&[i32::MIN, -1, 0, i32::MAX, bits as i32]);
        let x = random.pick(&[i32::MIN, -1, 0, i32::MAX, (bits >> 32) as i32]);
        let rounding = random.pick(&[Rounding::Double, Rounding::Single]);
        let requantize = Requantize { multiplier, shift: random.within(-128, 127) as i8, rounding };
        let output = QuantizedOutput::new(random.within(-128, 127) as i8, -128, 127);
        sum = sum.wrapping_add(i32::from(output.finish(requantize.apply(x))));
    }
    std::hint::black_box(sum);
}

#[test]
fn quantize_rounds_half_away_from_zero() {
    let mut random = Random::new(3);
    for i in 0..2_000_000 {
        let scale = (random.real() * 20.0).exp2() as f32;
        let zero_point = random.within(-128, 127) as i8;
        let quantization = Quantization::new(scale, zero_point);
        let real = match i % 3 {
            // Halves, where the scale is a power of two; elsewhere their neighbours.
            0 => (random.within(-600, 600) as f32 + 0.5) * scale,
            1 => random.real() as f32 * 300.0 * scale,
            _ => f32::from_bits(random.bits() as u32),
        };
        // `f64::round` is to nearest, half away from zero. The quotient itself is an `f32`.
        let quotient = f64::from(real / scale);
        let expected = if quotient.is_nan() {
            f64::from(zero_point)
        } else {
            (quotient.round() + f64::from(zero_point)).clamp(-128.0, 127.0)
        };
        assert_eq!(f64::from(quantization.quantize(real)), expected, "{real} / {scale} + {zero_point}");
    }
}

#[test]
fn quantize_undoes_dequantize() {
    let mut random = Random::new(4);
    let mut scales: Vec<f32> = (0..200).map(|_| (random.real() * 60.0).exp2() as f32).collect();
    scales.extend([f32::MIN_POSITIVE, 1e-30, 1.0, 1.0 / 255.0, 1e30]);
    for scale in scales {
        for zero_point in i8::MIN..=i8::MAX {
            let quantization = Quantization::new(scale, zero_point);
            for q in i8::MIN..=i8::MAX {
                let real = quantization.dequantize(q);
                let exact = f64::from(scale) * (f64::from(q) - f64::from(zero_point));
                assert_eq!(real, exact as f32);
                assert_eq!(quantization.quantize(real), q, "scale {scale} zero point {zero_point}");
            }
            assert_eq!(quantization.dequantize(zero_point), 0.0);
        }
    }
}

#[test]
fn quantize_is_monotonic_and_saturates() {
    let mut random = Random::new(5);
    for _ in 0..2_000 {
        let quantization =
            Quantization::new((random.real() * 10.0).exp2() as f32, random.within(-128, 127) as i8);
        let mut reals: Vec<f32> =
            (0..100).map(|_| random.real() as f32 * 300.0 * quantization.scale).collect();
        reals.extend([f32::NEG_INFINITY, f32::INFINITY, f32::MIN, f32::MAX, 0.0]);
        reals.sort_by(f32::total_cmp);
        let quantized: Vec<i8> = reals.iter().map(|&real| quantization.quantize(real)).collect();
        assert!(quantized.is_sorted(), "{quantization:?}");
        assert_eq!((quantized.first(), quantized.last()), (Some(&-128), Some(&127)));
        assert_eq!(quantization.quantize(f32::NAN), quantization.zero_point);
    }
}
