//! Concatenate: tensors side by side along an axis.

use super::{Delta, Layer, Pass};
use crate::train::kernels::vectorized;
use crate::train::real::Real;

/// `y` holds the rows of each input after those of the input before; `δx` is the same part of `δy`.
///
/// A row is what follows the axes before the one that is joined.
pub(crate) struct Concat {
    /// Where each input's part of a row starts, and its length.
    parts: Vec<(usize, usize)>,
    /// Elements of a row of the output.
    row: usize,
}

impl Concat {
    pub(crate) fn new<'a>(shapes: impl Iterator<Item = &'a [usize]>, axis: usize) -> Self {
        let mut row = 0;
        let part = |shape: &[usize]| {
            let len = shape[axis..].iter().product();
            row += len;
            (row - len, len)
        };
        let parts = shapes.map(part).collect();
        Self { parts, row }
    }
}

impl<F: Real, const N: usize> Layer<F, N> for Concat {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        for (&(start, len), x) in self.parts.iter().zip(pass.inputs) {
            let rows = y.chunks_exact_mut(self.row).zip(x.chunks_exact(len));
            rows.for_each(|(y, x)| y[start..start + len].copy_from_slice(x));
        }
    }

    fn backward_input(
        &self,
        _pass: Pass<'_, F, N>,
        _y: &[[F; N]],
        dy: &[[F; N]],
        input: usize,
        dx: Delta<'_, F, N>,
    ) {
        let (start, len) = self.parts[input];
        let rows = dy.len() / self.row;
        vectorized!({
            dx.limited(rows * len).put(
                #[inline(always)]
                |i| {
                    let dy = &dy[i / len * self.row + start + i % len];
                    move |n: usize| dy[n]
                },
            )
        });
    }
}
