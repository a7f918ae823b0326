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
    a: Term,
    b: Term,
    sum: Requantize,
    output: QuantizedOutput,
}

/// One of the two inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Term {
    zero_point: i8,
    requantize: Requantize,
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
        Self {
            a: Term { zero_point: a.0, requantize: a.1 },
            b: Term { zero_point: b.0, requantize: b.1 },
            sum,
            output,
        }
    }

    /// `y = activation(a + b)`
    #[inline]
    pub fn forward(&self, a: &[i8], b: &[i8], y: &mut [i8]) {
        for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
            let sum = self.a.scale(a).wrapping_add(self.b.scale(b));
            *y = self.output.finish(self.sum.apply(sum));
        }
    }
}

impl Term {
    #[inline(always)]
    fn scale(&self, x: i8) -> i32 {
        self.requantize.apply((i32::from(x) - i32::from(self.zero_point)) << 20)
    }
}
