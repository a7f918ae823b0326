//! Blocks of zero inputs are left out, and that is exact: bits are those of loops that leave nothing out.

mod support {
    pub(crate) mod random;
    pub(crate) mod rounding;
}

use milligrad::guard::Norm;
use milligrad::layers::{Dense, dense};
use milligrad::{Clamp, Optimizer, Sgd};
use support::random::Random;
use support::rounding::{FUSED, add_product};

/// Inputs with blocks of zeros of either sign, at the start, at the end and between, and zeros elsewhere.
fn inputs(random: &mut Random, len: usize) -> Vec<f32> {
    let mut x: Vec<f32> = (0..len).map(|_| random.pick(&[0.5, -1.25, 0.0, 1e-20, 3.0])).collect();
    for block in x.chunks_mut(16) {
        if random.pick(&[true, false]) {
            block.iter_mut().for_each(|x| *x = random.pick(&[0.0, -0.0]));
        }
    }
    x
}

fn numbers(random: &mut Random, len: usize) -> Vec<f32> {
    (0..len).map(|_| (random.bits() % 2001) as f32 / 1000.0 - 1.0005).collect()
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

/// Shapes below and above the width from which on layers leave blocks out.
const SHAPES: [[usize; 2]; 9] =
    [[1, 1], [15, 3], [16, 4], [32, 5], [47, 2], [255, 3], [256, 6], [300, 9], [784, 4]];

#[test]
fn nothing_but_time_is_saved() {
    let random = &mut Random::new(3);
    for [inputs_len, outputs] in SHAPES.into_iter().cycle().take(200) {
        let x = inputs(random, inputs_len);
        let (weights, biases) = (numbers(random, inputs_len * outputs), numbers(random, outputs));
        let rows = || weights.chunks(inputs_len);
        for range in [Clamp::<f32>::LINEAR, Clamp::<f32>::RELU, Clamp { min: -0.5, max: 0.25 }] {
            let mut y = vec![9.0; outputs];
            Dense::<f32>::new(inputs_len, &weights, &biases, range).forward(&x, &mut y);
            let sum = |(row, &bias): (&[f32], &f32)| {
                row.iter().zip(&x).fold(bias, |sum, (&w, &x)| add_product(FUSED, sum, x, w))
            };
            let plain: Vec<f32> = rows().zip(&biases).map(|pair| range.apply(sum(pair))).collect();
            assert_eq!(bits(&y), bits(&plain), "{inputs_len} inputs, {outputs} outputs");
        }

        let delta = inputs(random, outputs);
        let rows =
            || rows().zip(&delta).map(|(row, &delta)| row.iter().zip(&x).map(move |(&w, &x)| (w, delta, x)));
        let (mut w, mut b) = (weights.clone(), biases.clone());
        dense::apply::<f32, _>(&x, &delta, &mut w, &mut b, (&mut [], &mut []), &Sgd::new(0.3));
        let plain: Vec<f32> =
            rows().flatten().map(|(w, delta, x)| add_product(FUSED, w, -(0.3 * delta), x)).collect();
        assert_eq!(bits(&w), bits(&plain), "an update of {inputs_len} inputs, {outputs} outputs");

        let (mut w, mut b) = (weights.clone(), biases.clone());
        dense::accumulate::<f32>(&x, &delta, &mut w, &mut b);
        let plain: Vec<f32> = rows().flatten().map(|(w, delta, x)| add_product(FUSED, w, delta, x)).collect();
        assert_eq!(bits(&w), bits(&plain), "a gradient of {inputs_len} inputs, {outputs} outputs");
    }
}

/// What is not finite, and zeros with a sign: weights of a block of zeros stay as they are, and a guard sees `δ` all the same.
#[test]
fn weights_of_zeros_stay() {
    for odd in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
        let mut x = [0.0; 300];
        (x[20], x[3]) = (2.0, -0.0);
        let mut weights = [-0.0; 300];
        Sgd::new(0.1).update_rows(&mut weights, &mut [], &[odd], &x);
        for (i, w) in weights.into_iter().enumerate() {
            // The second block is not all zero, and the last is no whole one.
            let stays = !(16..32).contains(&i) && i < 288;
            assert_eq!(stays, w.to_bits() == (-0.0f32).to_bits(), "weight {i} is {w}");
            assert!(stays || !w.is_finite(), "weight {i} is {w}");
        }
        let mut norm = Norm::new();
        norm.dense(&[0.0; 16], &[odd]);
        assert!(!norm.norm().is_finite());
    }
}
