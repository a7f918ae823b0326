//! Sums of tensors, and activations that are no part of a layer: ranges that could not be fused, and LeakyReLU.

use super::{DELTA_BITS, Fixed16, round_shift};
use crate::arch::rolled;
use crate::{Clamp, Trainable};
use core::hint::black_box;

/// `y = activation(a + b)`. Its backward pass is the identity: both inputs get `δ`, masked by the activation.
#[inline]
pub fn add(a: &[i16], b: &[i16], range: &Clamp<i16>, y: &mut [i16]) {
    y.iter_mut().zip(a).zip(b).for_each(|((y, &a), &b)| *y = range.apply(a.saturating_add(b)));
}

/// `y += x`, of deltas that come from several layers.
#[inline]
pub fn accumulate(x: &[i16], y: &mut [i16]) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = y.saturating_add(x));
}

/// `x = min(max(x, range.min), range.max)`
#[inline]
pub fn clamp(range: &Clamp<i16>, x: &mut [i16]) {
    x.iter_mut().for_each(|x| *x = range.apply(*x));
}

/// `δ = 0` where the range limited the output `y`.
#[inline(never)]
pub fn clamp_backward(range: &Clamp<i16>, y: &[i16], delta: &mut [i16]) {
    // In a network of one such layer the compiler knows how long it is, and writes out the whole loop.
    for (delta, &y) in delta.iter_mut().zip(black_box(y)) {
        rolled();
        if !Fixed16::passed(range, y) {
            *delta = 0;
        }
    }
}

/// A slope within ±1 in Q0.15, for [`leaky_relu`].
#[inline]
pub fn slope(alpha: f32) -> i16 {
    super::saturate(super::convert::quantize(alpha, DELTA_BITS))
}

/// `x = α x` where `x < 0`, with `α` in Q0.15.
#[inline]
pub fn leaky_relu(alpha: i16, x: &mut [i16]) {
    for x in x.iter_mut().filter(|x| **x < 0) {
        *x = times(alpha, *x);
    }
}

/// `δ = α δ` where the output `y < 0`.
#[inline]
pub fn leaky_relu_backward(alpha: i16, y: &[i16], delta: &mut [i16]) {
    for (delta, _) in delta.iter_mut().zip(y).filter(|(_, y)| **y < 0) {
        *delta = times(alpha, *delta);
    }
}

#[inline(always)]
fn times(alpha: i16, x: i16) -> i16 {
    super::saturate(round_shift(i32::from(alpha) * i32::from(x), DELTA_BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_leaky_relu() {
        let alpha = slope(0.1);
        let (mut x, mut delta) = ([-2560, 2560, i16::MIN, 0], [1000, 1000, -1000, 1000]);
        leaky_relu(alpha, &mut x);
        assert_eq!(x, [-256, 2560, -3277, 0]);
        leaky_relu_backward(alpha, &x, &mut delta);
        assert_eq!(delta, [100, 1000, -100, 1000]);
        assert_eq!((slope(1.0), slope(-2.0), slope(0.5)), (i16::MAX, i16::MIN, 1 << 14));
    }

    #[test]
    fn ranges_limit_and_stop_deltas() {
        let (range, mut x, mut delta) = (Clamp::<i16>::RELU6, [-5, 0, 700, 2000], [9; 4]);
        clamp(&range, &mut x);
        clamp_backward(&range, &x, &mut delta);
        assert_eq!((x, delta), ([0, 0, 700, 1536], [0, 0, 9, 0]));
    }
}
