//! 16-bit fixed point learns as well as `f32`: the same network, trained by the same layers.

mod support {
    pub(crate) mod digits;
    pub(crate) mod random;
}

use milligrad::layers::{Dense, dense, softmax};
use milligrad::{
    ACTIVATION_BITS, Clamp, DELTA_BITS, Fixed16, Optimizer, PowerOfTwoSgd, Sgd, Trainable, WEIGHT_BITS, loss,
};
use support::random::Random;

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
