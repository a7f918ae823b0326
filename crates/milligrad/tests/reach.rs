//! What a guard believes of a rule: no step goes further than [`Bounded::reach`] says.

mod support {
    pub(crate) mod random;
}

use milligrad::guard::Bounded;
use milligrad::{Adam, Momentum, Nesterov, RmsProp, Sgd, WeightDecay};
use support::random::Random;

/// A little more, for rounding; the guard allows for it in the same way.
const ROUNDING: f32 = 1.0 + 1e-5;

/// Random gradients within bounds that grow and shrink by orders of magnitude, with pauses: one weight's walk.
fn check<O: Bounded<f32>>(name: &str, rule: &O) {
    let random = &mut Random::new(11);
    let mut nearest = 0.0f32;
    for _ in 0..2_000 {
        let (mut w, mut state, mut progress) = ([random.real() as f32], [O::START], O::OUTSET);
        let mut velocity = 0.0;
        for _ in 0..60 {
            let bound = 10f32.powi(random.within(-12, 2) as i32);
            let gradient = if random.size(0, 3) == 0 { 0.0 } else { bound * random.real() as f32 };
            let (next, step) = rule.reach(bound, velocity, w[0].abs());
            let before = w[0];
            rule.begin(&mut progress).update_weights(&mut w, &mut state, &[gradient]);
            let moved = (f64::from(w[0]) - f64::from(before)).abs() as f32;
            // What the sum itself rounds is no part of the step.
            let room = ROUNDING * step + f32::EPSILON * before.abs();
            assert!(moved <= room, "{name}: {moved} by a gradient of {gradient}, {step} allowed");
            if step > 0.0 {
                nearest = nearest.max(moved / room);
            }
            velocity = ROUNDING * next;
            assert!(O::velocity(&state[0]) <= velocity, "{name}: velocity");
        }
    }
    assert!(nearest > 0.1, "{name}: the bound is never neared, {nearest}");
}

#[test]
fn no_rule_goes_further_than_it_says() {
    check("sgd", &Sgd::new(0.1));
    check("momentum", &Momentum::new(0.1, 0.9));
    check("nesterov", &Nesterov::new(0.1, 0.9));
    check("rmsprop", &RmsProp::new(0.1));
    check("adam", &Adam::new(0.1));
    let mut slow = Adam::new(0.1);
    (slow.beta_1, slow.beta_2) = (0.99, 0.99);
    check("adam, slow mean", &slow);
    check("adamw", &WeightDecay::new(Adam::new(0.1), 0.1));
    check("momentum with decay", &WeightDecay::new(Momentum::new(0.1, 0.5), 0.5));
}
