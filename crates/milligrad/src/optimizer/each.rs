//! The loops of the rules that remember something of each parameter.

/// One parameter's step. `R` is what a rule makes of a row's `δ` once, so that the step needs it and `x` alone.
pub(super) trait Rule {
    /// What is remembered of each parameter.
    type State;
    /// What a row's `δ` comes to.
    type Row: Copy;
    /// Once a row.
    fn row(&self, delta: f32) -> Self::Row;
    /// By the gradient `δ x`.
    fn step(&self, w: &mut f32, state: &mut Self::State, row: Self::Row, x: f32);
}

/// All weights by the gradients `δ xᵀ`; where `δ` is zero the gradients are, whatever `x` holds.
#[inline(always)]
pub(super) fn rows<R: Rule>(
    rule: &R,
    weights: &mut [f32],
    states: &mut [R::State],
    delta: &[f32],
    x: &[f32],
) {
    let inputs = x.len().max(1);
    let rows = weights.chunks_exact_mut(inputs).zip(states.chunks_exact_mut(inputs));
    let (blocks, rest) = x.as_chunks::<4>();
    for ((weights, states), &delta) in rows.zip(delta) {
        let row = rule.row(delta);
        if delta == 0.0 {
            weights.iter_mut().zip(states).for_each(|(w, state)| rule.step(w, state, row, 0.0));
            continue;
        }
        let run = |weights: &mut [f32], states: &mut [R::State], x: &[f32]| {
            weights.iter_mut().zip(states).zip(x).for_each(|((w, state), &x)| rule.step(w, state, row, x));
        };
        let ((w, last_w), (s, last_s)) = (weights.as_chunks_mut::<4>(), states.as_chunks_mut::<4>());
        w.iter_mut().zip(s).zip(blocks).for_each(|((w, s), x)| run(w, s, x));
        run(last_w, last_s, rest);
    }
}

/// All parameters by gradients that are stored.
#[inline(always)]
pub(super) fn stored<R: Rule>(rule: &R, weights: &mut [f32], states: &mut [R::State], gradient: &[f32]) {
    let row = rule.row(1.0);
    weights.iter_mut().zip(states).zip(gradient).for_each(|((w, state), &g)| rule.step(w, state, row, g));
}

/// The calls of [`Optimizer`](super::Optimizer) that a [`Rule`] needs no own code for.
macro_rules! updates {
    () => {
        #[inline(never)]
        fn update_rows(&self, weights: &mut [f32], state: &mut [Self::State], delta: &[f32], x: &[f32]) {
            super::each::rows(self, weights, state, delta, x);
        }

        #[inline]
        fn update_biases(&self, biases: &mut [f32], state: &mut [Self::State], delta: &[f32]) {
            self.update_weights(biases, state, delta);
        }

        #[inline(never)]
        fn update_weights(&self, weights: &mut [f32], state: &mut [Self::State], gradient: &[f32]) {
            super::each::stored(self, weights, state, gradient);
        }

        #[inline]
        fn update_accumulated_biases(&self, biases: &mut [f32], state: &mut [Self::State], gradient: &[f32]) {
            self.update_weights(biases, state, gradient);
        }
    };
}
pub(super) use updates;
