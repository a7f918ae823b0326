//! Moves between buffers: copies, sums, and the border from int8 to float.

use crate::{Clamp, Quantization, Trainable, math::Float};

/// `y = x`
#[inline]
pub fn copy<T: Copy>(x: &[T], y: &mut [T]) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = x);
}

/// `y += x`
#[inline]
pub fn accumulate<F: Float>(x: &[F], y: &mut [F]) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = *y + x);
}

/// Adds the gradient of biases alone, `Σ δ` over all positions: for layers whose weights are frozen.
#[inline(never)]
pub fn accumulate_biases<A: Trainable>(delta: &[A::Element], biases: &mut [A::Gradient]) {
    for delta in delta.chunks_exact(biases.len().max(1)) {
        biases.iter_mut().zip(delta).for_each(|(sum, &delta)| *sum = A::accumulate_bias(*sum, delta));
    }
}

/// `y = scale (x - zero_point)`: the border between a frozen int8 part and a float part that learns.
#[inline]
pub fn dequantize(quantization: Quantization, x: &[i8], y: &mut [f32]) {
    #[cfg(milligrad_fpu)]
    crate::arch::arm_fpu::dequantize(quantization, x, y);
    #[cfg(not(milligrad_fpu))]
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = quantization.dequantize(x));
}

/// `y = round(x / scale) + zero_point`, limited to int8: the border where a float input enters an int8 model.
#[inline]
pub fn quantize(quantization: Quantization, x: &[f32], y: &mut [i8]) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = quantization.quantize(x));
}

/// `x = min(max(x, range.min), range.max)`: an activation that is a range but could not be fused.
#[inline]
pub fn clamp<F: Float>(range: &Clamp<F>, x: &mut [F]) {
    x.iter_mut().for_each(|x| *x = range.apply(*x));
}

/// `δ = 0` where the range limited the output `y`.
#[inline]
pub fn clamp_backward<F: Float>(range: &Clamp<F>, y: &[F], delta: &mut [F]) {
    super::matrix::backward_clamp::<F>(range, y, delta);
}
