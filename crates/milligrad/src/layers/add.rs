//! Add: the sum of two tensors, as in residual networks.

use crate::{Clamp, QuantizedOutput, Requantize, math::Float};

/// `y = activation(a + b)`. Its backward pass is the identity: both inputs get `δ`, masked by the activation.
#[inline]
pub fn add<F: Float>(a: &[F], b: &[F], output: &Clamp<F>, y: &mut [F]) {
    y.iter_mut().zip(a).zip(b).for_each(|((y, &a), &b)| *y = output.apply(a + b));
}

/// Sum of int8 tensors with scales of their own, as TensorFlow Lite computes it: both are brought to twice the
/// larger scale with 20 more bits, added, and brought to the output's scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuantizedAdd {
    /// Zero point of `a`, and its scale over twice the larger scale.
    pub a: (i8, Requantize),
    /// The same of `b`.
    pub b: (i8, Requantize),
    /// Twice the larger scale over the output's, times 2^-20.
    pub sum: Requantize,
    /// Zero point and range of the output.
    pub output: QuantizedOutput,
}

impl QuantizedAdd {
    /// A sum of `a` and `b`, each given by its zero point and its scale over twice the larger scale; `sum` is twice
    /// the larger scale over the output's, times 2^-20.
    pub const fn new(
        a: (i8, Requantize),
        b: (i8, Requantize),
        sum: Requantize,
        output: QuantizedOutput,
    ) -> Self {
        Self { a, b, sum, output }
    }

    /// `y = activation(a + b)`
    #[inline]
    pub fn forward(&self, a: &[i8], b: &[i8], y: &mut [i8]) {
        for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
            *y = self.combine(a, b, i32::wrapping_add);
        }
    }

    /// Both terms in the common scale, combined, in the output's scale.
    #[inline(always)]
    pub(super) fn combine(&self, a: i8, b: i8, combine: impl Fn(i32, i32) -> i32) -> i8 {
        self.output.finish(self.sum.apply(combine(scale(self.a, a), scale(self.b, b))))
    }
}

/// `x` in the common scale, with 20 bits to spare.
#[inline(always)]
fn scale((zero_point, requantize): (i8, Requantize), x: i8) -> i32 {
    requantize.apply((i32::from(x) - i32::from(zero_point)) << 20)
}
