//! The loops of the rules that remember something of each parameter.

/// One parameter's step. `R` is what a rule makes of a row's `δ` once, so that the step needs it and `x` alone.
pub(super) trait Rule: Sized {
    /// What is remembered of each parameter.
    type State;
    /// What a row's `δ` comes to.
    type Row: Copy;
    /// Once a row.
    fn row(&self, delta: f32) -> Self::Row;
    /// By the gradient `δ x`.
    fn step(&self, w: &mut f32, state: &mut Self::State, row: Self::Row, x: f32);
    /// A row by the gradients `δ x`, of slices as long as each other; without `x` all gradients are zero. A rule overrides it where a core has a kernel for it, of
    /// the same bits.
    #[inline(always)]
    fn run(&self, weights: &mut [f32], states: &mut [Self::State], row: Self::Row, x: Option<&[f32]>) {
        plain_run(self, weights, states, row, x);
    }
}

#[inline(always)]
fn plain_run<R: Rule>(
    rule: &R,
    weights: &mut [f32],
    states: &mut [R::State],
    row: R::Row,
    x: Option<&[f32]>,
) {
    let Some(x) = x else {
        weights.iter_mut().zip(states).for_each(|(w, state)| rule.step(w, state, row, 0.0));
        return;
    };
    let step = |weights: &mut [f32], states: &mut [R::State], x: &[f32]| {
        weights.iter_mut().zip(states).zip(x).for_each(|((w, state), &x)| rule.step(w, state, row, x));
    };
    // In fours, as the compiler makes the shortest loop of it.
    let (x, last_x) = x.as_chunks::<4>();
    let ((w, last_w), (s, last_s)) = (weights.as_chunks_mut::<4>(), states.as_chunks_mut::<4>());
    w.iter_mut().zip(s).zip(x).for_each(|((w, s), x)| step(w, s, x));
    step(last_w, last_s, last_x);
}

/// The first weights of rows that are `stride` weights apart, as many as `x` is long, by the gradients `δ xᵀ`; where `δ` is
/// zero the gradients are, whatever `x` holds.
#[inline(always)]
pub(super) fn columns<R: Rule>(
    rule: &R,
    weights: &mut [f32],
    states: &mut [R::State],
    delta: &[f32],
    x: &[f32],
    stride: usize,
) {
    let rows = weights.chunks_mut(stride.max(1)).zip(states.chunks_mut(stride.max(1)));
    for ((weights, states), &delta) in rows.zip(delta) {
        if let (Some(weights), Some(states)) = (weights.get_mut(..x.len()), states.get_mut(..x.len())) {
            rule.run(weights, states, rule.row(delta), (delta != 0.0).then_some(x));
        }
    }
}

/// All parameters by gradients that are stored.
#[inline(always)]
pub(super) fn stored<R: Rule>(rule: &R, weights: &mut [f32], states: &mut [R::State], gradient: &[f32]) {
    let len = weights.len().min(states.len()).min(gradient.len());
    let parts = (weights.get_mut(..len), states.get_mut(..len), gradient.get(..len));
    if let (Some(weights), Some(states), Some(gradient)) = parts {
        rule.run(weights, states, rule.row(1.0), Some(gradient));
    }
}

/// The calls of [`Optimizer`](super::Optimizer) that a [`Rule`] needs no own code for.
macro_rules! updates {
    () => {
        #[inline]
        fn update_rows(&self, weights: &mut [f32], state: &mut [Self::State], delta: &[f32], x: &[f32]) {
            self.update_columns(weights, state, delta, x, x.len());
        }

        #[inline(never)]
        fn update_columns(
            &self,
            weights: &mut [f32],
            state: &mut [Self::State],
            delta: &[f32],
            x: &[f32],
            stride: usize,
        ) {
            super::each::columns(self, weights, state, delta, x, stride);
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
