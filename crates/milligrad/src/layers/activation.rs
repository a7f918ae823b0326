//! Activations that are not a range: LeakyReLU, sigmoid, tanh. (Linear, ReLU and ReLU6 are a [`Clamp`](crate::Clamp)
//! fused into the layer before.)
//!
//! Floats are computed in place. In int8 every one of them is a table of 256 entries, made at compile time
//! with TensorFlow Lite's own integer arithmetic, so that it gives the same bits.

use crate::math::Float;
use crate::quantization::rounding_divide_by_power_of_two;
use crate::{QuantizedOutput, Requantize, quantized_math};

/// `x` where it is positive, else `alpha x`.
#[inline]
pub fn leaky_relu<F: Float>(alpha: F, x: &mut [F]) {
    x.iter_mut().for_each(|x| *x = if *x < F::ZERO { alpha * *x } else { *x });
}

/// `δ *= 1` where the output `y` is positive, else `alpha`.
#[inline]
pub fn leaky_relu_backward<F: Float>(alpha: F, y: &[F], delta: &mut [F]) {
    delta
        .iter_mut()
        .zip(y)
        .for_each(|(delta, &y)| *delta = if y < F::ZERO { alpha * *delta } else { *delta });
}

/// `1 / (1 + e⁻ˣ)`
#[inline]
pub fn sigmoid<F: Float>(x: &mut [F]) {
    let one = F::from_f64(1.0);
    x.iter_mut().for_each(|x| *x = one / (one + (-*x).exp()));
}

/// `δ *= y (1 - y)` for the output `y`.
#[inline]
pub fn sigmoid_backward<F: Float>(y: &[F], delta: &mut [F]) {
    let one = F::from_f64(1.0);
    delta.iter_mut().zip(y).for_each(|(delta, &y)| *delta = *delta * (y * (one - y)));
}

/// `tanh x`
#[inline]
pub fn tanh<F: Float>(x: &mut [F]) {
    x.iter_mut().for_each(|x| *x = x.tanh());
}

/// `δ *= 1 - y²` for the output `y`.
#[inline]
pub fn tanh_backward<F: Float>(y: &[F], delta: &mut [F]) {
    let one = F::from_f64(1.0);
    delta.iter_mut().zip(y).for_each(|(delta, &y)| *delta = *delta * (one - y * y));
}

/// A function of one int8 as a table, indexed by the element's bits as `u8`.
pub type Table = [i8; 256];

/// `y = table[x]`
#[inline]
pub fn lookup(table: &Table, x: &[i8], y: &mut [i8]) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = table[usize::from(x as u8)]);
}

/// `x = table[x]`
#[inline]
pub fn lookup_in_place(table: &Table, x: &mut [i8]) {
    x.iter_mut().for_each(|x| *x = table[usize::from(*x as u8)]);
}

/// The table of LeakyReLU: `positive` is the input's scale over the output's, `negative` that times alpha.
pub const fn leaky_relu_table(
    zero_point: i8,
    positive: Requantize,
    negative: Requantize,
    output: QuantizedOutput,
) -> Table {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let x = i as u8 as i8 as i32 - zero_point as i32;
        table[i] = output.finish(if x >= 0 { positive.apply(x) } else { negative.apply(x) });
        i += 1;
    }
    table
}

/// The table of the sigmoid, with output scale 1/256 and zero point -128. `scale` brings `x - zero_point` to 4 integer
/// bits; from `radius` on the function is 0 or 1.
pub const fn sigmoid_table(zero_point: i8, scale: Requantize, radius: i32) -> Table {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let x = i as u8 as i8 as i32 - zero_point as i32;
        table[i] = if -x >= radius {
            i8::MIN
        } else if x >= radius {
            i8::MAX
        } else {
            let y = rounding_divide_by_power_of_two(quantized_math::sigmoid(scale.apply(x)), 23) - 128;
            if y > 127 { 127 } else { y as i8 }
        };
        i += 1;
    }
    table
}

/// The table of tanh, with output scale 1/128 and zero point 0. `scale` brings `x - zero_point` to 4 integer bits;
/// from `radius` on the function is -1 or 1.
pub const fn tanh_table(zero_point: i8, scale: Requantize, radius: i32) -> Table {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let x = i as u8 as i8 as i32 - zero_point as i32;
        table[i] = if -x >= radius {
            i8::MIN
        } else if x >= radius {
            i8::MAX
        } else {
            let y = rounding_divide_by_power_of_two(quantized_math::tanh(scale.apply(x)), 24);
            if y > 127 { 127 } else { y as i8 }
        };
        i += 1;
    }
    table
}
