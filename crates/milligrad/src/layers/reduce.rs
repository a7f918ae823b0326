//! Mean and Sum along axes of an int8 tensor.

use super::Strided;
use crate::{QuantizedOutput, Requantize};

/// `y = z + round(Σ (x - z_x) scale)` over some axes; for a mean, the scale holds the number of elements too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuantizedReduce {
    /// Where the sums begin: the axes that stay.
    kept: Strided,
    /// What they run over, from there: the axes that go.
    reduced: Strided,
    /// The zero point of the input, times the number of elements of a sum.
    offset: i32,
    scale: Requantize,
    output: QuantizedOutput,
}

impl QuantizedReduce {
    /// Sums over `reduced` from each element of `kept` on. `offset` is the input's zero point times the number of
    /// elements of a sum; `scale` is the input's scale over the output's, for a mean over the number of elements.
    pub const fn new(
        kept: Strided,
        reduced: Strided,
        offset: i32,
        scale: Requantize,
        output: QuantizedOutput,
    ) -> Self {
        Self { kept, reduced, offset, scale, output }
    }

    /// Reduces `x` into `y`.
    #[inline]
    pub fn forward(&self, x: &[i8], y: &mut [i8]) {
        let mut y = y.iter_mut();
        self.kept.each(|start| {
            let mut sum = 0i32;
            self.reduced.each(|at| {
                sum = sum.wrapping_add(x.get(start + at).copied().map_or(0, i32::from));
            });
            if let Some(y) = y.next() {
                *y = self.output.finish(self.scale.apply(sum.wrapping_sub(self.offset)));
            }
        });
    }
}
