//! Every rule against Keras: 30 steps of 40 weights by the same gradients.

mod support {
    #[expect(dead_code, reason = "other tests read more of these files")]
    pub(crate) mod npz;
}

use milligrad::layers::dense;
use milligrad::{Adam, Momentum, Nesterov, Optimizer, RmsProp, Sgd, WeightDecay};
use support::npz::columns;

const RATE: f32 = 0.01;

/// Both ways to a step: by stored gradients, and by deltas of a layer that has one input, 1.
fn check<O: Optimizer<f32>>(name: &str, rule: &O) {
    let file = columns("optimizers.npz");
    let floats = |field: &str| file[field].reals().iter().map(|&x| x as f32).collect::<Vec<_>>();
    let (start, gradients, expected) = (floats("start"), floats("gradients"), floats(name));
    let (mut stored, mut formed) = (start.clone(), start.clone());
    let mut states = vec![O::START; start.len()];
    let (mut weights, mut biases) = (states.clone(), states.clone());
    let (mut formed_biases, mut progress) = (start.clone(), O::OUTSET);
    let steps = gradients.chunks(start.len()).zip(expected.chunks(start.len()));
    for (number, (gradient, expected)) in steps.enumerate() {
        let rule = rule.begin(&mut progress);
        rule.update_weights(&mut stored, &mut states, gradient);
        let memory = (&mut weights[..], &mut biases[..]);
        dense::apply::<f32, _>(&[1.0], gradient, &mut formed, &mut formed_biases, memory, &rule);
        for (way, values) in [("stored", &stored), ("formed", &formed), ("biases", &formed_biases)] {
            for (w, expected) in values.iter().zip(expected) {
                let error = (w - expected).abs();
                assert!(
                    error <= 2e-6 * expected.abs().max(0.5),
                    "{name}, step {number}, {way}: {w} and {expected}"
                );
            }
        }
    }
}

#[test]
fn rules_are_those_of_keras() {
    check("sgd", &Sgd::new(RATE));
    check("momentum", &Momentum::new(RATE, 0.9));
    check("nesterov", &Nesterov::new(RATE, 0.9));
    check("rmsprop", &RmsProp::new(RATE));
    check("adam", &Adam::new(RATE));
    check("adamw", &WeightDecay::new(Adam::new(RATE), 0.1));
}
