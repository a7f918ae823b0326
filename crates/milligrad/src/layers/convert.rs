//! Moves between buffers: copies, sums, and the border from int8 to float.

use crate::Quantization;

/// `y = x`
#[inline]
pub fn copy<T: Copy>(x: &[T], y: &mut [T]) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = x);
}

/// `y += x`
#[inline]
pub fn accumulate(x: &[f32], y: &mut [f32]) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y += x);
}

/// `y = scale (x - zero_point)`: the border between a frozen int8 part and a float part that learns.
#[inline]
pub fn dequantize(quantization: Quantization, x: &[i8], y: &mut [f32]) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = quantization.dequantize(x));
}

/// `x = min(max(x, range.min), range.max)`: an activation that is a range but could not be fused.
#[inline]
pub fn clamp(range: &crate::Clamp<f32>, x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x = range.apply(*x));
}

/// `δ = 0` where the range limited the output `y`.
#[inline]
pub fn clamp_backward(range: &crate::Clamp<f32>, y: &[f32], delta: &mut [f32]) {
    super::dense::backward_clamp::<f32>(range, y, delta);
}
