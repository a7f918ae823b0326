//! ZeroPadding: a border of zeros.

use super::{Delta, Layer, Pass};
use crate::train::kernels::vectorized;
use crate::train::real::Real;

/// `y` is `x` within a border of zeros; `δx` is the inner part of `δy`.
pub(crate) struct Pad {
    /// Where each row of the input begins in the output.
    rows: Vec<usize>,
    /// Elements of a row of the input: those of the last axis.
    row: usize,
}

impl Pad {
    pub(crate) fn new(input: &[usize], before: &[usize], output: &[usize]) -> Self {
        let mut rows = vec![0];
        for (axis, (&extent, &before)) in input.iter().zip(before).enumerate() {
            let last = axis + 1 == input.len();
            let within = if last { 1 } else { extent };
            let place = |&start: &usize| (0..within).map(move |i| start * output[axis] + before + i);
            rows = rows.iter().flat_map(place).collect();
        }
        Self { rows, row: input.last().copied().unwrap_or(1) }
    }
}

impl<F: Real, const N: usize> Layer<F, N> for Pad {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        y.as_flattened_mut().fill(F::ZERO);
        for (&start, x) in self.rows.iter().zip(pass.x().chunks_exact(self.row)) {
            y[start..start + self.row].copy_from_slice(x);
        }
    }

    fn backward_input(
        &self,
        _pass: Pass<'_, F, N>,
        _y: &[[F; N]],
        dy: &[[F; N]],
        _input: usize,
        dx: Delta<'_, F, N>,
    ) {
        vectorized!({
            dx.limited(self.rows.len() * self.row).put(
                #[inline(always)]
                |i| {
                    let dy = &dy[self.rows[i / self.row] + i % self.row];
                    move |n: usize| dy[n]
                },
            )
        });
    }
}
