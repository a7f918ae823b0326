//! Dense on int8 inputs, block by block, against floats made of all of them and [`Dense`], bit for bit.

use milligrad::guard::Norm;
use milligrad::layers::dense::{self, Dequantized, accumulate_dequantized, apply_dequantized};
use milligrad::layers::{Dense, dequantize};
use milligrad::{Adam, Clamp, Momentum, Optimizer, Quantization, RmsProp, Sgd, WeightDecay};

/// Pseudo-random numbers in `-1..1`.
fn noise(seed: u32, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

const Q: Quantization = Quantization::new(0.0173, -11);

/// Shapes with all kinds of rests, int8 inputs, the floats that they stand for, and blocks of several lengths.
fn each_case(mut test: impl FnMut([usize; 2], Dequantized<'_>, &[f32], &mut [f32])) {
    for (inputs, outputs) in [(1, 1), (7, 4), (40, 9), (65, 6), (33, 11), (300, 5)] {
        let mut q: Vec<i8> = noise(inputs as u32, inputs).iter().map(|x| (127.0 * x) as i8).collect();
        // Blocks of zeros.
        q.chunks_mut(16).skip(1).step_by(3).for_each(|block| block.fill(-11));
        let mut x = vec![0.0; inputs];
        dequantize(Q, &q, &mut x);
        for block in [1, 3, 8, 16, 64, 100] {
            test([inputs, outputs], Dequantized::new(Q, &q), &x, &mut vec![0.0; block]);
        }
    }
}

#[test]
fn outputs_and_gradients_are_those_of_floats() {
    each_case(|[inputs, outputs], q, x, block| {
        let (weights, biases) = (noise(2, inputs * outputs), noise(3, outputs));
        for range in [Clamp::<f32>::LINEAR, Clamp::<f32>::RELU, Clamp { min: -0.5, max: 0.25 }] {
            let layer = Dense::<f32>::new(inputs, &weights, &biases, range);
            let (mut whole, mut parts) = (vec![0.0; outputs], vec![9.0; outputs]);
            layer.forward(x, &mut whole);
            layer.forward_dequantized(q, block, &mut parts);
            assert_eq!(whole, parts, "{inputs} inputs, {outputs} outputs");
        }
        let delta = noise(4, outputs);
        let (mut w, mut b) = (weights.clone(), biases.clone());
        let (mut dw, mut db) = (weights, biases);
        dense::accumulate::<f32>(x, &delta, &mut w, &mut b);
        accumulate_dequantized(q, block, &delta, &mut dw, &mut db);
        assert_eq!((w, b), (dw, db));
        let (mut whole, mut parts) = (Norm::new(), Norm::new());
        whole.dense(x, &delta);
        parts.dense_dequantized(q, &delta);
        assert_eq!(whole, parts);
    });
}

#[test]
fn updates_are_those_of_floats() {
    fn check<O: Optimizer<f32, State: PartialEq + std::fmt::Debug>>(rule: &O) {
        each_case(|[inputs, outputs], q, x, block| {
            let mut delta = noise(4, outputs);
            delta.iter_mut().skip(1).step_by(3).for_each(|delta| *delta = 0.0);
            let mut whole = (noise(2, inputs * outputs), noise(3, outputs));
            let mut states = (vec![O::START; inputs * outputs], vec![O::START; outputs]);
            let (mut parts, mut states_of_parts) = (whole.clone(), states.clone());
            let rule = rule.begin(&mut { O::OUTSET });
            for _ in 0..3 {
                let state = (&mut states.0[..], &mut states.1[..]);
                dense::apply::<f32, O>(x, &delta, &mut whole.0, &mut whole.1, state, &rule);
                let state = (&mut states_of_parts.0[..], &mut states_of_parts.1[..]);
                apply_dequantized(q, block, &delta, &mut parts.0, &mut parts.1, state, &rule);
            }
            assert_eq!((&whole, &states), (&parts, &states_of_parts));
            assert_ne!(whole.0, noise(2, inputs * outputs));
        });
    }
    check(&Sgd::new(0.1));
    check(&Momentum::new(0.1, 0.9));
    check(&RmsProp::new(0.01));
    check(&WeightDecay::new(Adam::new(0.01), 0.1));
}

/// Rules that remember nothing of a parameter need no room for it, and blocks may be empty.
#[test]
fn updates_need_neither_state_nor_scratch() {
    fn check<O: Optimizer<f32, State = ()>>(rule: &O) {
        each_case(|[inputs, outputs], q, x, block| {
            let delta = noise(4, outputs);
            let parameters = (noise(2, inputs * outputs), noise(3, outputs));
            let (mut whole, mut parts, mut one_by_one) =
                (parameters.clone(), parameters.clone(), parameters.clone());
            let none = || (&mut [][..], &mut [][..]);
            dense::apply::<f32, O>(x, &delta, &mut whole.0, &mut whole.1, none(), rule);
            apply_dequantized(q, block, &delta, &mut parts.0, &mut parts.1, none(), rule);
            assert_eq!(whole, parts, "{inputs} inputs, blocks of {}", block.len());
            apply_dequantized(q, &mut [], &delta, &mut one_by_one.0, &mut one_by_one.1, none(), rule);
            assert_eq!(whole, one_by_one, "{inputs} inputs, an empty block");
        });
    }
    check(&Sgd::new(0.1));
    check(&WeightDecay::new(Sgd::new(0.1), 0.1));
    check(&ByRows(Sgd::new(0.1)));
}

/// A rule that has nothing but what it must have.
struct ByRows(Sgd);

impl Optimizer<f32> for ByRows {
    type State = ();
    const START: () = ();
    type Progress = ();
    const OUTSET: () = ();

    fn begin(&self, (): &mut ()) -> Self {
        Self(self.0)
    }

    fn update_rows(&self, weights: &mut [f32], state: &mut [()], delta: &[f32], x: &[f32]) {
        self.0.update_rows(weights, state, delta, x);
    }

    fn update_biases(&self, biases: &mut [f32], state: &mut [()], delta: &[f32]) {
        self.0.update_biases(biases, state, delta);
    }

    fn update_weights(&self, weights: &mut [f32], state: &mut [()], gradient: &[f32]) {
        self.0.update_weights(weights, state, gradient);
    }

    fn update_accumulated_biases(&self, biases: &mut [f32], state: &mut [()], gradient: &[f32]) {
        self.0.update_accumulated_biases(biases, state, gradient);
    }
}

/// Inputs beyond the layer's are left out, missing ones are zero, and the activation comes last all the same.
#[test]
fn inputs_of_another_number_are_cut_or_filled() {
    const LAYER: Dense<'_, f32> =
        Dense::new(3, &[1.0, -2.0, 4.0, -1.0, -1.0, -1.0], &[0.5, -0.25], Clamp::<f32>::RELU);
    let exact = Quantization::new(1.0, 0);
    for block in 0..6 {
        let outputs = |q: &[i8]| {
            let mut y = [9.0; 2];
            LAYER.forward_dequantized(Dequantized::new(exact, q), &mut vec![0.0; block], &mut y);
            y
        };
        let cases: [(&[i8], [f32; 2]); 6] = [
            (&[], [0.5, 0.0]),
            (&[-1], [0.0, 0.75]),
            (&[3, 1], [1.5, 0.0]),
            (&[3, 1, 2], [9.5, 0.0]),
            (&[3, 1, 2, 100], [9.5, 0.0]),
            (&[3, 1, 2, 100, -100, 7, 1], [9.5, 0.0]),
        ];
        for (q, y) in cases {
            assert_eq!(outputs(q), y, "{q:?}, a block of {block}");
        }
    }
}
