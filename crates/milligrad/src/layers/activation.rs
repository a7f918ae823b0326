//! Activations that are not a range: LeakyReLU, ELU, sigmoid, tanh, hard swish. (Linear, ReLU and ReLU6 are a [`Clamp`](crate::Clamp)
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

/// `x` where it is positive, else `alpha (eˣ - 1)`.
#[inline]
pub fn elu<F: Float>(alpha: F, x: &mut [F]) {
    let one = F::from_f64(1.0);
    x.iter_mut().for_each(|x| *x = if *x < F::ZERO { alpha * ((*x).exp() - one) } else { *x });
}

/// `δ *= 1` where the output `y` is positive, else `y + alpha`.
#[inline]
pub fn elu_backward<F: Float>(alpha: F, y: &[F], delta: &mut [F]) {
    delta
        .iter_mut()
        .zip(y)
        .for_each(|(delta, &y)| *delta = if y < F::ZERO { (y + alpha) * *delta } else { *delta });
}

/// `x min(max(x + 3, 0), 6) / 6`
#[inline]
pub fn hard_swish<F: Float>(x: &mut [F]) {
    let (three, six) = (F::from_f64(3.0), F::from_f64(6.0));
    let sixth = F::from_f64(1.0 / 6.0);
    for x in x {
        let gate = *x + three;
        let gate = if gate < F::ZERO { F::ZERO } else { gate };
        let gate = if gate > six { six } else { gate };
        *x = *x * (gate * sixth);
    }
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

/// The table that brings a tensor to another scale and zero point: `scale` is the input's scale over the output's.
pub const fn requantize_table(zero_point: i8, scale: Requantize, output: QuantizedOutput) -> Table {
    leaky_relu_table(zero_point, scale, scale, output)
}

/// The table of hard swish, `x min(max(x + 3, 0), 6) / 6`, in TensorFlow Lite's 16-bit arithmetic. `output` is the
/// multiplication by the input's scale over 128 times the output's, `gate` the one by the input's scale over
/// 128 times 3/32768, each as a 16-bit multiplier and a shift.
///
/// # Panics
/// If `output` shifts left; in a `const` or `static` that is a compile error.
pub const fn hard_swish_table(
    zero_point: i8,
    output: (i16, i8),
    gate: (i16, i8),
    output_zero_point: i8,
) -> Table {
    let ((output, output_shift), (gate, gate_shift)) = (output, gate);
    assert!(
        output_shift <= 0 && output_shift >= -31 && gate_shift >= -31,
        "hard swish makes no number larger"
    );
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let x = (i as u8 as i8 as i32 - zero_point as i32) << 7;
        let value = high_multiply_16(x, output as i32);
        // relu6(x + 3) / 3 - 1 as a 16-bit fraction.
        let left = if gate_shift > 16 {
            15
        } else if gate_shift > 1 {
            gate_shift - 1
        } else {
            0
        };
        let mut share = high_multiply_16(saturate_16(x << left), gate as i32);
        share = if gate_shift > 0 {
            saturate_16(share << 1)
        } else {
            rounding_divide_by_power_of_two(share, -gate_shift as u32)
        };
        // From -1..1 to 0..1.
        let share = (share + (1 << 15)) >> 1;
        let product = share * value / (1 << 15);
        let y = rounding_divide_by_power_of_two(product, -output_shift as u32) + output_zero_point as i32;
        table[i] = if y > 127 {
            127
        } else if y < -128 {
            -128
        } else {
            y as i8
        };
        i += 1;
    }
    table
}

/// `round(a b / 2^15)`, half up.
const fn high_multiply_16(a: i32, b: i32) -> i32 {
    (a * b + (1 << 14)) >> 15
}

const fn saturate_16(x: i32) -> i32 {
    if x > i16::MAX as i32 {
        i16::MAX as i32
    } else if x < i16::MIN as i32 {
        i16::MIN as i32
    } else {
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elu_and_hard_swish() {
        let mut x = [-3.0f64, -0.5, 0.0, 2.0];
        elu(0.5, &mut x);
        assert_eq!(x, [0.5 * (libm::exp(-3.0) - 1.0), 0.5 * (libm::exp(-0.5) - 1.0), 0.0, 2.0]);
        let mut x = [-4.0f32, -3.0, -1.5, 0.0, 1.5, 3.0, 5.0];
        hard_swish(&mut x);
        assert_eq!(x, [0.0, 0.0, -0.375, 0.0, 1.125, 3.0, 5.0]);
    }
}
