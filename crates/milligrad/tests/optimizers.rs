//! Optimizers against the formulas in their documentation, and `dense::apply` against the gradient that it never forms.

mod support {
    pub(crate) mod random;
    pub(crate) mod rounding;
}

use milligrad::layers::dense;
use milligrad::{Arithmetic, Fixed16, Momentum, Optimizer, PowerOfTwoSgd, Sgd, Trainable};
use support::random::Random;
use support::rounding::{FUSED, add_product};

/// A dense layer of any format with random numbers.
struct Layer<A: Arithmetic> {
    x: Vec<A::Element>,
    delta: Vec<A::Element>,
    weights: Vec<A::Weight>,
    biases: Vec<A::Channel>,
}

/// Weights and biases.
type Parameters<A> = (Vec<<A as Arithmetic>::Weight>, Vec<<A as Arithmetic>::Channel>);

fn float_layer(random: &mut Random) -> Layer<f32> {
    let (inputs, outputs) = (random.size(1, 40), random.size(1, 12));
    let mut floats = |n: usize| random.reals(n).iter().map(|&v| v as f32).collect::<Vec<_>>();
    let (x, mut delta) = (floats(inputs), floats(outputs));
    let (weights, biases) = (floats(inputs * outputs), floats(outputs));
    // As behind a ReLU.
    delta.iter_mut().for_each(|delta| *delta = if *delta < -0.3 { 0.0 } else { *delta });
    Layer { x, delta, weights, biases }
}

fn fixed_layer(random: &mut Random) -> Layer<Fixed16> {
    let (inputs, outputs) = (random.size(1, 40), random.size(1, 12));
    let mut words = |n: usize| (0..n).map(|_| random.bits() as i16).collect::<Vec<_>>();
    let (x, delta, weights) = (words(inputs), words(outputs), words(inputs * outputs));
    let biases = words(outputs).iter().map(|&b| i32::from(b) << 12).collect();
    Layer { x, delta, weights, biases }
}

/// Parameters after `dense::apply`, and after `accumulate` and the updates by the gradient. Two steps, so that a state
/// takes part.
fn both_ways<A: Trainable, O: Optimizer<A>>(layer: &Layer<A>, optimizer: &O) -> [Parameters<A>; 2] {
    let Layer { x, delta, weights, biases } = layer;
    let states = || (vec![O::START; weights.len()], vec![O::START; biases.len()]);
    let (mut w, mut b) = (weights.clone(), biases.clone());
    let (mut sw, mut sb) = states();
    for _ in 0..2 {
        dense::apply::<A, O>(x, delta, &mut w, &mut b, (&mut sw, &mut sb), optimizer);
    }
    let applied = (w, b);

    let (mut w, mut b) = (weights.clone(), biases.clone());
    let (mut sw, mut sb) = states();
    for _ in 0..2 {
        let (mut gw, mut gb) = (vec![A::NO_GRADIENT; w.len()], vec![A::NO_GRADIENT; b.len()]);
        dense::accumulate::<A>(x, delta, &mut gw, &mut gb);
        optimizer.update_weights(&mut w, &mut sw, &gw);
        optimizer.update_accumulated_biases(&mut b, &mut sb, &gb);
    }
    [applied, (w, b)]
}

#[test]
fn apply_is_accumulate_and_update() {
    let mut random = Random::new(1);
    for _ in 0..500 {
        let layer = float_layer(&mut random);
        // `(η δ) x` against `η (δ x)`: rounded in another place.
        let [applied, updated] = both_ways::<f32, _>(&layer, &Sgd::new(0.1));
        let all = applied.0.iter().chain(&applied.1).zip(updated.0.iter().chain(&updated.1));
        all.for_each(|(a, b)| assert!((a - b).abs() <= 4.0 * f32::EPSILON, "{a} and {b}"));

        let [applied, updated] = both_ways::<f32, _>(&layer, &Momentum::new(0.1, 0.9));
        assert_eq!(applied, updated, "momentum");

        for exponent in 0..=15 {
            let layer = fixed_layer(&mut random);
            let [applied, updated] = both_ways::<Fixed16, _>(&layer, &PowerOfTwoSgd::new(exponent));
            // What is rounded off goes on along a row there, along all weights here: they part after the first row that
            // counts, by a unit a step.
            let parted = applied.0.iter().zip(&updated.0).map(|(a, b)| i32::from(*a).abs_diff((*b).into()));
            let rows: Vec<_> = layer.delta.iter().flat_map(|delta| vec![*delta; layer.x.len()]).collect();
            let first = rows.iter().position(|delta| *delta != 0).unwrap_or(0) + layer.x.len();
            for (at, parted) in parted.enumerate() {
                let most = if at < first { 0 } else { 2 };
                assert!(
                    parted <= most,
                    "fixed point, learning rate 2^-{exponent}, weight {at}: {parted} units"
                );
            }
            assert_eq!(applied.1, updated.1, "fixed point, learning rate 2^-{exponent}");
        }
    }
}

/// A step of plain descent, element by element: same operations in the same order, so the same bits.
#[test]
fn sgd_is_its_formula() {
    let mut random = Random::new(2);
    for _ in 0..500 {
        let Layer { x, delta, weights, biases } = float_layer(&mut random);
        let rate = random.real().abs() as f32;
        let (mut w, mut b) = (weights.clone(), biases.clone());
        let (mut sw, mut sb) = (vec![(); w.len()], vec![(); b.len()]);
        dense::apply::<f32, _>(&x, &delta, &mut w, &mut b, (&mut sw, &mut sb), &Sgd::new(rate));
        for (o, &delta) in delta.iter().enumerate() {
            for (i, &x_i) in x.iter().enumerate() {
                let at = o * x.len() + i;
                let expected = add_product(FUSED, weights[at], -(rate * delta), x_i);
                assert_eq!(w[at].to_bits(), expected.to_bits(), "output {o} input {i}");
            }
            assert_eq!(b[o].to_bits(), add_product(FUSED, biases[o], -rate, delta).to_bits(), "bias {o}");
        }
        let gradient: Vec<f32> = random.reals(weights.len()).iter().map(|&g| g as f32).collect();
        let mut w = weights.clone();
        Sgd::new(rate).update_weights(&mut w, &mut sw, &gradient);
        for ((w, weight), gradient) in w.iter().zip(&weights).zip(&gradient) {
            assert_eq!(w.to_bits(), add_product(FUSED, *weight, -rate, *gradient).to_bits());
        }
    }
}

/// Outputs without a delta keep their weights, whatever the input holds.
#[test]
fn no_delta_no_change() {
    let weights: Vec<f32> = (0..35).map(|i| i as f32 - 17.5).collect();
    for delta in [[0.0; 5], [0.0, -0.0, 0.0, 0.5, 0.0]] {
        let mut w = weights.clone();
        let x = [f32::NAN, f32::INFINITY, 1.0, -0.0, f32::MAX, 2.0, 3.0];
        let states = (&mut [(); 35][..], &mut [(); 5][..]);
        dense::apply::<f32, _>(&x, &delta, &mut w, &mut [0.0; 5], states, &Sgd::new(0.5));
        for (o, &delta) in delta.iter().enumerate().filter(|(_, delta)| **delta == 0.0) {
            let row = o * 7..(o + 1) * 7;
            assert_eq!(w[row.clone()], weights[row], "output {o} with delta {delta}");
        }
        let (mut gradient, mut biases) = ([0.0; 35], [0.0; 5]);
        dense::accumulate::<f32>(&x, &delta, &mut gradient, &mut biases);
        assert_eq!((&gradient[..21], biases), (&[0.0; 21][..], delta));
    }
}

#[test]
fn momentum_is_its_formula() {
    let mut random = Random::new(3);
    for _ in 0..200 {
        let Layer { x, delta, weights, biases } = float_layer(&mut random);
        let (rate, momentum) = (random.real().abs() as f32, random.real().abs() as f32);
        let (mut w, mut b) = (weights.clone(), biases.clone());
        let (mut vw, mut vb) = (vec![0.0; w.len()], vec![0.0; b.len()]);
        let (mut expected_w, mut expected_v) = (weights.clone(), vec![0.0f32; w.len()]);
        for _ in 0..3 {
            let optimizer = Momentum::new(rate, momentum);
            dense::apply::<f32, _>(&x, &delta, &mut w, &mut b, (&mut vw, &mut vb), &optimizer);
            for (at, (w, v)) in expected_w.iter_mut().zip(&mut expected_v).enumerate() {
                *v = momentum * *v - rate * (delta[at / x.len()] * x[at % x.len()]);
                *w += *v;
            }
        }
        assert_eq!((w, vw), (expected_w, expected_v));
        for (o, (b, v)) in b.iter().zip(&vb).enumerate() {
            let (mut bias, mut velocity) = (biases[o], 0.0);
            for _ in 0..3 {
                velocity = momentum * velocity - rate * delta[o];
                bias += velocity;
            }
            assert_eq!((b, v), (&bias, &velocity), "bias {o}");
        }
    }
}

/// An output that gets no delta keeps moving by its velocity, and takes nothing from inputs that are not finite.
#[test]
fn momentum_goes_on_without_delta() {
    let (mut w, mut v) = ([1.0, 2.0, 3.0, 4.0], [0.5, -0.5, 0.25, 0.0]);
    let (mut b, mut vb) = ([0.0, 0.0], [0.0, 0.0]);
    let x = [f32::INFINITY, f32::NAN];
    let states = (&mut v[..], &mut vb[..]);
    dense::apply::<f32, _>(&x, &[0.0, -0.0], &mut w, &mut b, states, &Momentum::new(0.1, 0.5));
    assert_eq!((w, v), ([1.25, 1.75, 3.125, 4.0], [0.25, -0.25, 0.125, 0.0]));
}

/// Slices that do not fit each other: nothing panics, nothing beyond the shortest is touched.
#[test]
fn any_lengths() {
    let mut random = Random::new(4);
    for _ in 0..2_000 {
        let mut floats = |n: usize| vec![random.real() as f32; random.size(0, n)];
        let (x, delta, mut w, mut b) = (floats(20), floats(9), floats(90), floats(9));
        let (mut vw, mut vb) = (floats(90), floats(9));
        let mut units = vec![(); random.size(0, 90)];
        let mut more = vec![(); 3];
        dense::apply::<f32, _>(&x, &delta, &mut w, &mut b, (&mut units, &mut more), &Sgd::new(0.1));
        dense::apply::<f32, _>(&x, &delta, &mut w, &mut b, (&mut vw, &mut vb), &Momentum::new(0.1, 0.5));
        dense::accumulate::<f32>(&x, &delta, &mut w, &mut b);
    }
}
