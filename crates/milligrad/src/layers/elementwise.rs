//! Sub and Mul, and the broadcasting that they and Add share: tensors element by element.

use super::QuantizedAdd;
use crate::{Clamp, QuantizedOutput, Requantize, math::Float};

/// A function of two numbers, applied element by element.
pub trait Elementwise {
    /// The numbers.
    type Element: Copy;

    /// `f(a, b)`
    fn apply(&self, a: Self::Element, b: Self::Element) -> Self::Element;
}

/// `y = activation(a b)`, the activation a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Multiply<F> {
    /// The range.
    pub output: Clamp<F>,
}

impl<F: Float> Multiply<F> {
    /// A product limited to a range.
    pub const fn new(output: Clamp<F>) -> Self {
        Self { output }
    }

    /// `y = activation(a b)`
    #[inline]
    pub fn forward(&self, a: &[F], b: &[F], y: &mut [F]) {
        zip(self, a, b, y);
    }
}

impl<F: Float> Elementwise for Multiply<F> {
    type Element = F;

    #[inline(always)]
    fn apply(&self, a: F, b: F) -> F {
        self.output.apply(a * b)
    }
}

/// Difference of int8 tensors: [`QuantizedAdd`] with the second term subtracted, as in TensorFlow Lite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuantizedSub {
    /// Scales, zero points and range.
    pub terms: QuantizedAdd,
}

impl QuantizedSub {
    /// `a - b`; the arguments are those of [`QuantizedAdd::new`].
    pub const fn new(
        a: (i8, Requantize),
        b: (i8, Requantize),
        sum: Requantize,
        output: QuantizedOutput,
    ) -> Self {
        Self { terms: QuantizedAdd::new(a, b, sum, output) }
    }

    /// `y = activation(a - b)`
    #[inline]
    pub fn forward(&self, a: &[i8], b: &[i8], y: &mut [i8]) {
        zip(self, a, b, y);
    }
}

impl Elementwise for QuantizedSub {
    type Element = i8;

    #[inline(always)]
    fn apply(&self, a: i8, b: i8) -> i8 {
        self.terms.combine(a, b, i32::wrapping_sub)
    }
}

impl Elementwise for QuantizedAdd {
    type Element = i8;

    #[inline(always)]
    fn apply(&self, a: i8, b: i8) -> i8 {
        self.combine(a, b, i32::wrapping_add)
    }
}

/// Product of int8 tensors with scales of their own: `y = z + round((a - z_a) (b - z_b) s_a s_b / s)`, limited to the
/// range of a fused activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuantizedMul {
    /// Zero point of `a`.
    pub a: i8,
    /// Zero point of `b`.
    pub b: i8,
    /// Product of the inputs' scales over the output's.
    pub scale: Requantize,
    /// Zero point and range of the output.
    pub output: QuantizedOutput,
}

impl QuantizedMul {
    /// A product of `a` and `b`, given by their zero points; `scale` is the product of their scales over the output's.
    pub const fn new(a: i8, b: i8, scale: Requantize, output: QuantizedOutput) -> Self {
        Self { a, b, scale, output }
    }

    /// `y = activation(a b)`
    #[inline]
    pub fn forward(&self, a: &[i8], b: &[i8], y: &mut [i8]) {
        zip(self, a, b, y);
    }
}

impl Elementwise for QuantizedMul {
    type Element = i8;

    #[inline(always)]
    fn apply(&self, a: i8, b: i8) -> i8 {
        let (a, b) = (i32::from(a) - i32::from(self.a), i32::from(b) - i32::from(self.b));
        self.output.finish(self.scale.apply(a * b))
    }
}

#[inline(always)]
fn zip<E: Elementwise>(f: &E, a: &[E::Element], b: &[E::Element], y: &mut [E::Element]) {
    y.iter_mut().zip(a).zip(b).for_each(|((y, &a), &b)| *y = f.apply(a, b));
}

/// How two tensors meet where one is repeated along axes that it has not: the steps, in elements, that each input takes
/// along the four axes of the output; 0 repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Broadcast {
    extents: [u32; 4],
    a: [u32; 4],
    b: [u32; 4],
}

impl Broadcast {
    /// An output of `extents`, outermost first, and the steps of the inputs along them.
    ///
    /// # Panics
    /// If an extent is zero or a number does not fit 32 bits; in a `const` or `static` that is a compile error.
    pub const fn new(extents: [usize; 4], a: [usize; 4], b: [usize; 4]) -> Self {
        let (mut this, mut axis) = (Self { extents: [0; 4], a: [0; 4], b: [0; 4] }, 0);
        while axis < 4 {
            assert!(extents[axis] > 0, "a tensor has no extent of zero");
            assert!(
                extents[axis] < 1 << 31 && a[axis] < 1 << 31 && b[axis] < 1 << 31,
                "extents and steps fit 31 bits"
            );
            this.extents[axis] = extents[axis] as u32;
            this.a[axis] = a[axis] as u32;
            this.b[axis] = b[axis] as u32;
            axis += 1;
        }
        this
    }

    /// `y = f(a, b)`
    #[inline]
    pub fn forward<E: Elementwise>(&self, f: &E, a: &[E::Element], b: &[E::Element], y: &mut [E::Element]) {
        let [n0, n1, n2, n3] = self.extents.map(|n| n as usize);
        let (steps_a, steps_b) = (self.a.map(|n| n as usize), self.b.map(|n| n as usize));
        let mut rows = y.chunks_exact_mut(n3.max(1));
        for i0 in 0..n0 {
            for i1 in 0..n1 {
                for i2 in 0..n2 {
                    let start = |steps: [usize; 4]| i0 * steps[0] + i1 * steps[1] + i2 * steps[2];
                    let (mut at_a, mut at_b) = (start(steps_a), start(steps_b));
                    for y in rows.next().unwrap_or_default() {
                        if let (Some(&a), Some(&b)) = (a.get(at_a), b.get(at_b)) {
                            *y = f.apply(a, b);
                        }
                        at_a += steps_a[3];
                        at_b += steps_b[3];
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_multiplied_and_repeated() {
        let relu = Multiply::new(Clamp::<f32>::RELU);
        let mut y = [0.0; 4];
        relu.forward(&[1.0, -2.0, 3.0, 4.0], &[2.0, 2.0, -1.0, 0.5], &mut y);
        assert_eq!(y, [2.0, 0.0, 0.0, 2.0]);
        // Two pixels of two channels by one number for each channel.
        const BY_CHANNEL: Broadcast = Broadcast::new([1, 1, 2, 2], [0, 0, 2, 1], [0, 0, 0, 1]);
        BY_CHANNEL.forward(&relu, &[1.0, 2.0, 3.0, 4.0], &[10.0, 0.5], &mut y);
        assert_eq!(y, [10.0, 1.0, 30.0, 2.0]);
    }
}
