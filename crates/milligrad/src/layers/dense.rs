//! Dense, the fully connected layer: `y = activation(W x + b)`.

use crate::{Arithmetic, Optimizer, Trainable};

/// `y = activation(W x + b)` with `W` as rows of `inputs` weights, one row an output.
///
/// It borrows its parameters: from flash where it is frozen, from RAM where it learns.
///
/// ```
/// use milligrad::{Clamp, layers::Dense};
/// static LAYER: Dense<f32> = Dense::new(2, &[1.0, 2.0, 3.0, 4.0], &[0.5, -20.0], Clamp::<f32>::RELU);
/// let mut y = [0.0; 2];
/// LAYER.forward(&[1.0, 1.0], &mut y);
/// assert_eq!(y, [3.5, 0.0]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Dense<'a, A: Arithmetic> {
    inputs: usize,
    weights: &'a [A::Weight],
    channels: &'a [A::Channel],
    output: A::Output,
}

impl<'a, A: Arithmetic> Dense<'a, A> {
    /// A layer of `inputs` inputs and as many outputs as `channels` has entries (biases, for floats).
    ///
    /// # Panics
    /// If `weights` has not inputs times outputs entries; in a `const` or `static` that is a compile error.
    pub const fn new(
        inputs: usize,
        weights: &'a [A::Weight],
        channels: &'a [A::Channel],
        output: A::Output,
    ) -> Self {
        assert!(inputs > 0, "a dense layer has inputs");
        assert!(weights.len() == inputs * channels.len(), "a dense layer has inputs x outputs weights");
        Self { inputs, weights, channels, output }
    }

    /// `y = activation(W x + b)` for `x` of `inputs` and `y` of `outputs` elements.
    #[inline]
    pub fn forward(&self, x: &[A::Element], y: &mut [A::Element]) {
        rows::<A>(self.weights, self.channels, &self.output, x, y);
    }
}

impl<A: Trainable> Dense<'_, A> {
    /// Turns `δ` of the outputs into `δ` of the sums, in place: zero where the fused activation limited `y`.
    #[inline]
    pub fn backward_activation(&self, y: &[A::Element], delta: &mut [A::Element]) {
        backward_clamp::<A>(&self.output, y, delta);
    }

    /// `δx = Wᵀ δ`
    #[inline]
    pub fn backward_input(&self, delta: &[A::Element], delta_x: &mut [A::Element]) {
        columns::<A>(self.inputs, self.weights, delta, delta_x);
    }
}

/// Adds the gradients of one sample, `δ xᵀ` and `δ`, to `weights` and `biases`: for batches. A single
/// sample needs no gradient, see [`apply`].
#[inline]
pub fn accumulate<A: Trainable>(
    x: &[A::Element],
    delta: &[A::Element],
    weights: &mut [A::Gradient],
    biases: &mut [A::Gradient],
) {
    outer::<A>(x, delta, weights);
    biases.iter_mut().zip(delta).for_each(|(sum, &delta)| *sum = A::accumulate_bias(*sum, delta));
}

/// One optimizer step on a single sample, in place: `W` by the gradient `δ xᵀ` and `b` by `δ`. The
/// gradient is never stored. `state_*` hold what the optimizer remembers of each parameter.
#[inline]
pub fn apply<A: Trainable, O: Optimizer<A>>(
    x: &[A::Element],
    delta: &[A::Element],
    weights: &mut [A::Weight],
    biases: &mut [A::Channel],
    (state_weights, state_biases): (&mut [O::State], &mut [O::State]),
    optimizer: &O,
) {
    if x.is_empty() {
        return;
    }
    let rows = weights.chunks_exact_mut(x.len()).zip(state_weights.chunks_exact_mut(x.len()));
    for ((row, state), &delta) in rows.zip(delta) {
        optimizer.update_row(row, state, delta, x);
    }
    optimizer.update_biases(biases, state_biases, delta);
}

/// One output element a row of weights: `y = activation(W x + b)`. Four rows share each load of `x`; every sum
/// still runs in order, from its bias.
#[inline(always)]
pub(crate) fn rows<A: Arithmetic>(
    weights: &[A::Weight],
    channels: &[A::Channel],
    output: &A::Output,
    x: &[A::Element],
    y: &mut [A::Element],
) {
    if x.is_empty() {
        return;
    }
    let mut rows = weights.chunks_exact(x.len());
    let (channels, last_channels) = channels.as_chunks::<4>();
    let (y, last_y) = y.as_chunks_mut::<4>();
    for ([c0, c1, c2, c3], [y0, y1, y2, y3]) in channels.iter().zip(y) {
        let (Some(w0), Some(w1), Some(w2), Some(w3)) = (rows.next(), rows.next(), rows.next(), rows.next())
        else {
            return;
        };
        let (mut s0, mut s1, mut s2, mut s3) = (A::start(c0), A::start(c1), A::start(c2), A::start(c3));
        for ((((&x, &w0), &w1), &w2), &w3) in x.iter().zip(w0).zip(w1).zip(w2).zip(w3) {
            s0 = A::multiply_add(s0, x, w0);
            s1 = A::multiply_add(s1, x, w1);
            s2 = A::multiply_add(s2, x, w2);
            s3 = A::multiply_add(s3, x, w3);
        }
        *y0 = A::finish(output, c0, s0);
        *y1 = A::finish(output, c1, s1);
        *y2 = A::finish(output, c2, s2);
        *y3 = A::finish(output, c3, s3);
    }
    for ((channel, y), row) in last_channels.iter().zip(last_y).zip(rows) {
        let sum = x.iter().zip(row).fold(A::start(channel), |sum, (&x, &w)| A::multiply_add(sum, x, w));
        *y = A::finish(output, channel, sum);
    }
}

/// `δx = Wᵀ δ` for rows of `inputs` weights. Four columns share each load of `δ`.
#[inline(always)]
pub(crate) fn columns<A: Trainable>(
    inputs: usize,
    weights: &[A::Weight],
    delta: &[A::Element],
    delta_x: &mut [A::Element],
) {
    if inputs == 0 {
        return;
    }
    let (blocks, rest) = delta_x.as_chunks_mut::<4>();
    let mut at = 0;
    for block in blocks {
        let mut sums = [A::ZERO; 4];
        for (row, &delta) in weights.chunks_exact(inputs).zip(delta) {
            if let Some(row) = row.get(at..).and_then(|row| row.first_chunk::<4>()) {
                sums.iter_mut().zip(row).for_each(|(sum, &w)| *sum = A::multiply_add_delta(*sum, w, delta));
            }
        }
        block.iter_mut().zip(sums).for_each(|(delta_x, sum)| *delta_x = A::delta(sum));
        at += 4;
    }
    for delta_x in rest {
        let column = weights.chunks_exact(inputs).filter_map(|row| row.get(at));
        let sum = column.zip(delta).fold(A::ZERO, |sum, (&w, &delta)| A::multiply_add_delta(sum, w, delta));
        *delta_x = A::delta(sum);
        at += 1;
    }
}

/// Adds `δ xᵀ` to `gradient`.
#[inline(always)]
pub(crate) fn outer<A: Trainable>(x: &[A::Element], delta: &[A::Element], gradient: &mut [A::Gradient]) {
    if x.is_empty() {
        return;
    }
    for (row, &delta) in gradient.chunks_exact_mut(x.len()).zip(delta) {
        row.iter_mut().zip(x).for_each(|(sum, &x)| *sum = A::accumulate(*sum, delta, x));
    }
}

/// `δ = 0` where the fused activation limited `y`.
#[inline(always)]
pub(crate) fn backward_clamp<A: Trainable>(output: &A::Output, y: &[A::Element], delta: &mut [A::Element]) {
    for (delta, &y) in delta.iter_mut().zip(y) {
        if !A::passed(output, y) {
            *delta = A::NO_DELTA;
        }
    }
}
