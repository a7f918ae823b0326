//! Sums of tensors with dynamic exponents, and ranges of activations in a tensor's own units.

use super::{bits, drop_bits, scale};
use crate::Clamp;
use crate::fixed::{ACTIVATION_BITS, saturate};

/// The end of a range in Q7.8 in units of `2^exponent`.
#[inline]
pub(super) fn end(end: i16, exponent: i32) -> i32 {
    match end {
        i16::MIN => i32::MIN,
        i16::MAX => i32::MAX,
        _ => scale(end.into(), -exponent - ACTIVATION_BITS as i32),
    }
}

/// A range in Q7.8 in units of `2^exponent`; ends at the end of the `i16` are none.
#[inline(never)]
pub fn at(range: &Clamp<i16>, exponent: i16) -> Clamp<i16> {
    let end = |at| saturate(end(at, exponent.into()));
    Clamp { min: end(range.min), max: end(range.max) }
}

/// How two tensors meet: exponents of what each of them is shifted by, and of the sum.
struct Meeting {
    up: [i32; 2],
    exponent: i32,
}

impl Meeting {
    /// The finer units, unless the other tensor would take more than 30 bits of them.
    #[inline]
    fn new(a: i16, b: i16) -> Self {
        let (a, b) = (i32::from(a), i32::from(b));
        let exponent = a.min(b).max(a.max(b) - 14);
        Self { up: [a - exponent, b - exponent], exponent }
    }

    #[inline]
    fn sum(&self, a: i16, b: i16) -> i32 {
        scale(a.into(), self.up[0]) + scale(b.into(), self.up[1])
    }
}

/// `y = activation(a + b)`; returns the exponent of `y`. The range is as for [`Dense`](super::Dense::new).
#[inline(never)]
pub fn add(a: super::Block<'_>, b: super::Block<'_>, range: &Clamp<i16>, y: &mut [i16]) -> i16 {
    let meeting = Meeting::new(a.exponent, b.exponent);
    let pairs = || a.mantissas.iter().zip(b.mantissas).map(|(&a, &b)| meeting.sum(a, b));
    let all = pairs().fold(0, |all, sum| all | sum.unsigned_abs());
    let drop = bits(all).saturating_sub(15);
    let exponent = (meeting.exponent + drop as i32) as i16;
    let range = at(range, exponent);
    y.iter_mut().zip(pairs()).for_each(|(y, sum)| *y = range.apply(saturate(drop_bits(sum, drop))));
    exponent
}

/// `y += x`, of deltas that come from several layers; returns the exponent of `y`.
#[inline(never)]
pub fn accumulate(x: super::Block<'_>, y: &mut [i16], exponent: i16) -> i16 {
    let meeting = Meeting::new(x.exponent, exponent);
    let all = x.mantissas.iter().zip(&*y).fold(0, |all, (&x, &y)| all | meeting.sum(x, y).unsigned_abs());
    let drop = bits(all).saturating_sub(15);
    for (y, &x) in y.iter_mut().zip(x.mantissas) {
        *y = saturate(drop_bits(meeting.sum(x, *y), drop));
    }
    (meeting.exponent + drop as i32) as i16
}

/// The exponent of `x + x`, which takes nothing else.
#[inline]
pub const fn double(exponent: i16) -> i16 {
    exponent.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::dynamic::Block;

    #[test]
    fn sums_are_near() {
        let (a, b) = ([32_767, -32_768, 5, 0, -1], [-32_768, -32_768, 77, 1, 12_345]);
        for exponent in -40..40_i16 {
            let real = |m: i16, e: i16| f64::from(m) * libm::exp2(e.into());
            let (mut y, mut into) = ([0; 5], b);
            let found = add(Block::new(&a, exponent), Block::new(&b, -3), &Clamp::<i16>::LINEAR, &mut y);
            assert_eq!((accumulate(Block::new(&a, exponent), &mut into, -3), into), (found, y));
            for i in 0..5 {
                let exact = real(a[i], exponent) + real(b[i], -3);
                assert!((real(y[i], found) - exact).abs() <= real(1, found), "{exponent}, {i}: {exact}");
            }
            let found = add(Block::new(&a, exponent), Block::new(&b, -3), &Clamp::<i16>::RELU6, &mut y);
            assert!(y.iter().all(|&y| (0.0..=6.0 + real(1, found)).contains(&real(y, found))));
        }
        assert_eq!(at(&Clamp::<i16>::RELU6, -8), Clamp::<i16>::RELU6);
        assert_eq!(at(&Clamp::<i16>::RELU6, -20), Clamp::<i16>::RELU);
        assert_eq!(at(&Clamp::<i16>::RELU6, 0), Clamp { min: 0, max: 6 });
        assert_eq!(at(&Clamp::<i16>::LINEAR, 30), Clamp::<i16>::LINEAR);
    }
}
