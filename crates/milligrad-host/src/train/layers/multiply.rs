//! Multiply: the product of two tensors, as in gates and squeeze-and-excitation.

use super::{Delta, Layer, Pass};
use crate::train::kernels::vectorized;
use crate::train::real::Real;

/// `y[i] = clamp(a[p(i)] b[q(i)])`, where a tensor is repeated along axes in which it has extent 1.
///
/// `δa[p(i)] += δy[i] b[q(i)]`, `δb[q(i)] += δy[i] a[p(i)]`.
pub(crate) struct Multiply<F> {
    /// The element of each operand that element `i` of the output is made of.
    elements: [Vec<u32>; 2],
    /// Elements of each operand.
    lens: [usize; 2],
    clamp: (F, F),
}

impl<F> Multiply<F> {
    pub(crate) fn new(inputs: [&[usize]; 2], output: &[usize], clamp: (F, F)) -> Self {
        let lens = inputs.map(|shape| shape.iter().product());
        Self { elements: inputs.map(|shape| repeated(shape, output)), lens, clamp }
    }
}

/// For each element of `to`, which element of `from` lies there.
fn repeated(from: &[usize], to: &[usize]) -> Vec<u32> {
    let front = to.len() - from.len();
    let mut elements = vec![0];
    for (axis, &extent) in to.iter().enumerate() {
        let own = if axis < front { 1 } else { from[axis - front] };
        let place =
            |&at: &u32| (0..extent).map(move |i| at * own as u32 + if own == 1 { 0 } else { i as u32 });
        elements = elements.iter().flat_map(place).collect();
    }
    elements
}

impl<F: Real, const N: usize> Layer<F, N> for Multiply<F> {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        let (low, high) = self.clamp;
        let [p, q] = &self.elements;
        vectorized!({
            for ((y, &p), &q) in y.iter_mut().zip(p).zip(q) {
                let (a, b) = (&pass.inputs[0][p as usize], &pass.inputs[1][q as usize]);
                for n in 0..N {
                    let product = a[n] * b[n];
                    let product = if product < low { low } else { product };
                    y[n] = if product > high { high } else { product };
                }
            }
        });
    }

    fn backward_input(
        &self,
        pass: Pass<'_, F, N>,
        _y: &[[F; N]],
        dy: &[[F; N]],
        input: usize,
        dx: Delta<'_, F, N>,
    ) {
        let other = 1 - input;
        let factor = pass.inputs[other];
        let dx = dx.limited(self.lens[input]).sum();
        vectorized!({
            for ((dy, &at), &from) in dy.iter().zip(&self.elements[input]).zip(&self.elements[other]) {
                let (dx, factor) = (&mut dx[at as usize], &factor[from as usize]);
                (0..N).for_each(|n| dx[n] += dy[n] * factor[n]);
            }
        });
    }
}
