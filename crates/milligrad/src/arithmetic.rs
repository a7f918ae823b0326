//! The seam between layers and number formats.
//!
//! A layer is one loop nest; what its numbers are comes from an [`Arithmetic`]: `f32`, `f64` (to check
//! gradients), [`Int8`](crate::Int8) (TensorFlow Lite's quantised integers) or
//! [`Fixed16`](crate::Fixed16) (16-bit fixed point). Sums run in the order of the weights in memory and
//! start from the bias, on every target, so that a float result has the same bits everywhere. How sums of floats round is said in
//! [`math`](crate::math).

use crate::Clamp;
#[cfg(milligrad_fpu)]
use crate::arch::arm_fpu;
use crate::layers::{Conv2d, MaxPool2d, matrix};
use crate::math::add_product;
use crate::window::Lines;
use core::fmt::Debug;

/// A number format: elements, weights, accumulators, and how a sum becomes an element.
pub trait Arithmetic: Copy + PartialEq + Debug + Send + Sync + 'static {
    /// Activations (and deltas, where the format trains).
    type Element: Copy + PartialOrd + Debug + Send + Sync + 'static;
    /// Weights.
    type Weight: Copy + PartialEq + Debug + Send + Sync + 'static;
    /// Sums of products.
    type Accumulator: Copy + PartialEq + Debug + Send + Sync + 'static;
    /// What a layer stores for each output channel: its bias, and for int8 its scale too.
    type Channel: Copy + PartialEq + Debug + Send + Sync + 'static;
    /// What a layer stores once about its output: the range of its fused activation, for int8 in
    /// quantised numbers and with the zero point.
    type Output: Copy + PartialEq + Debug + Send + Sync + 'static;

    /// The empty sum.
    const ZERO: Self::Accumulator;
    /// `true` where a small core has registers for many sums at a time: floats, which have their own.
    const MANY_SUMS: bool = false;
    /// The sum that holds only the channel's bias.
    fn start(channel: &Self::Channel) -> Self::Accumulator;
    /// `sum + x w`
    fn multiply_add(sum: Self::Accumulator, x: Self::Element, w: Self::Weight) -> Self::Accumulator;
    /// The channel's sum as an element, after the fused activation.
    fn finish(output: &Self::Output, channel: &Self::Channel, sum: Self::Accumulator) -> Self::Element;
    /// `sum + x`, for averages.
    fn add(sum: Self::Accumulator, x: Self::Element) -> Self::Accumulator;
    /// `sum / count` as an element, rounded as the format does it; `count` is not zero.
    fn average(sum: Self::Accumulator, count: u32) -> Self::Element;
    /// `a > b`; a format overrides it that has a shorter way on some core.
    #[inline(always)]
    fn exceeds(a: Self::Element, b: Self::Element) -> bool {
        a > b
    }
    /// The element within the range of the fused activation.
    fn clamp(output: &Self::Output, x: Self::Element) -> Self::Element;

    /// `y = activation(W x + b)` for rows of weights as long as `x`. A format overrides it that has a loop of its own; what a
    /// core has a kernel for gives the bits of the portable loop.
    #[inline(always)]
    fn rows(
        weights: &[Self::Weight],
        channels: &[Self::Channel],
        output: &Self::Output,
        x: &[Self::Element],
        y: &mut [Self::Element],
    ) {
        matrix::rows::<Self>(weights, channels, output, x, y);
    }
    /// As [`rows`](Self::rows), of a dense layer, whose inputs are the same for all its rows, so that a look at them pays: `f32`
    /// leaves blocks of zeros out.
    #[inline(always)]
    fn dense_rows(
        weights: &[Self::Weight],
        channels: &[Self::Channel],
        output: &Self::Output,
        x: &[Self::Element],
        y: &mut [Self::Element],
    ) {
        Self::rows(weights, channels, output, x, y);
    }
    /// All positions of a convolution; overridden as [`rows`](Self::rows).
    #[inline(always)]
    fn convolve(
        layer: &Conv2d<'_, Self>,
        x: &[Self::Element],
        patch: &mut [Self::Element],
        y: &mut [Self::Element],
    ) {
        layer.convolve(x, patch, y);
    }
    /// All positions of a max pooling; overridden as [`rows`](Self::rows).
    #[inline(always)]
    fn max_pool(layer: &MaxPool2d<Self>, x: &[Self::Element], y: &mut [Self::Element]) {
        layer.pool(x, y);
    }
    /// Copies lines of an image, to lie one after the other; overridden as [`rows`](Self::rows).
    #[inline(always)]
    fn copy_lines(lines: &Lines, from: &[Self::Element], to: &mut [Self::Element]) {
        lines.copy(from, to);
    }
}

/// A number format whose weights can learn: `f32`, `f64` and 16-bit fixed point. Training in int8 is
/// refused by the compiler: its weights are too coarse to take small steps.
///
/// Deltas (the loss by a layer's sums, `δ`) have the type of elements; for fixed point they have their own
/// scale, which the methods here know.
pub trait Trainable: Arithmetic {
    /// A sum of `δ x` over positions or samples.
    type Gradient: Copy + 'static;

    /// The empty gradient.
    const NO_GRADIENT: Self::Gradient;
    /// `δ` without effect.
    const NO_DELTA: Self::Element;
    /// `sum + w δ`, on the way back through a layer.
    fn multiply_add_delta(sum: Self::Accumulator, w: Self::Weight, delta: Self::Element)
    -> Self::Accumulator;
    /// A finished sum of `w δ` as the delta of the layer before.
    fn delta(sum: Self::Accumulator) -> Self::Element;
    /// The sum of two deltas of the same element.
    fn add_delta(a: Self::Element, b: Self::Element) -> Self::Element;
    /// `delta / count`, for the backward pass of an average; `count` is not zero.
    fn divide_delta(delta: Self::Element, count: u32) -> Self::Element;
    /// `sum + δ x`
    fn accumulate(sum: Self::Gradient, delta: Self::Element, x: Self::Element) -> Self::Gradient;
    /// `sum + δ`, the gradient of a bias.
    fn accumulate_bias(sum: Self::Gradient, delta: Self::Element) -> Self::Gradient;
    /// `true` where the fused activation let the sum through unchanged, so that its derivative is 1;
    /// elsewhere it is 0. `y` is the layer's output.
    fn passed(output: &Self::Output, y: Self::Element) -> bool;

    /// `δx = Wᵀ δ` for rows of `inputs` weights; overridden as [`rows`](Arithmetic::rows).
    #[inline(always)]
    fn columns(
        inputs: usize,
        weights: &[Self::Weight],
        delta: &[Self::Element],
        delta_x: &mut [Self::Element],
    ) {
        matrix::columns::<Self>(inputs, weights, delta, delta_x);
    }
    /// `δ = 0` where the fused activation limited `y`; overridden as [`rows`](Arithmetic::rows).
    #[inline(always)]
    fn backward_clamp(output: &Self::Output, y: &[Self::Element], delta: &mut [Self::Element]) {
        matrix::backward_clamp::<Self>(output, y, delta);
    }
    /// Adds `δ xᵀ` to `gradient`, but for rows whose `δ` is zero; overridden as [`rows`](Arithmetic::rows).
    #[inline(always)]
    fn outer(x: &[Self::Element], delta: &[Self::Element], gradient: &mut [Self::Gradient]) {
        matrix::outer::<Self>(x, delta, gradient);
    }
    /// Adds `Σ δ patchᵀ` over all positions of a convolution to the gradient of its `weights`; overridden as [`rows`](Arithmetic::rows).
    #[inline(always)]
    fn accumulate_patches(
        layer: &Conv2d<'_, Self>,
        x: &[Self::Element],
        delta: &[Self::Element],
        patch: &mut [Self::Element],
        weights: &mut [Self::Gradient],
    ) {
        layer.accumulate_patches(x, delta, patch, weights);
    }
    /// Adds `δ` of a max pooling's outputs to `δ` of the elements that were the maxima; overridden as [`rows`](Arithmetic::rows).
    #[inline(always)]
    fn max_pool_backward(
        layer: &MaxPool2d<Self>,
        x: &[Self::Element],
        y: &[Self::Element],
        delta: &[Self::Element],
        delta_x: &mut [Self::Element],
    ) {
        layer.hand_back(x, y, delta, delta_x);
    }
    /// Makes all `δ` zero; overridden as [`rows`](Arithmetic::rows).
    #[inline(always)]
    fn clear(delta: &mut [Self::Element]) {
        delta.fill(Self::NO_DELTA);
    }
}

/// `a > b`, in integers.
#[cfg_attr(
    any(milligrad_vfp, target_arch = "x86_64", target_arch = "aarch64"),
    allow(dead_code, reason = "floats are compared as such")
)]
#[inline(always)]
fn exceeds_by_bits(a: f32, b: f32) -> bool {
    // In the order of the numbers, both zeros at the same place, NaN beyond infinity on either side.
    let place = |x: f32| {
        let bits = x.to_bits() as i32;
        if bits < 0 { i32::MIN.wrapping_sub(bits) } else { bits }
    };
    let (a, b, infinity) = (place(a), place(b), f32::INFINITY.to_bits() as i32);
    a > b && a <= infinity && b >= -infinity
}

macro_rules! float_arithmetic {
    ($t:ident, $add_product:expr, { $($kernels:item)* }, { $($training_kernels:item)* }) => {
        impl Arithmetic for $t {
            type Element = $t;
            type Weight = $t;
            type Accumulator = $t;
            type Channel = $t;
            type Output = Clamp<$t>;

            const ZERO: $t = 0.0;
            const MANY_SUMS: bool = true;
            #[inline(always)]
            fn start(bias: &$t) -> $t {
                *bias
            }
            #[inline(always)]
            fn multiply_add(sum: $t, x: $t, w: $t) -> $t {
                ($add_product)(sum, x, w)
            }
            #[inline(always)]
            fn finish(output: &Clamp<$t>, _: &$t, sum: $t) -> $t {
                output.apply(sum)
            }
            #[inline(always)]
            fn add(sum: $t, x: $t) -> $t {
                sum + x
            }
            #[inline(always)]
            fn average(sum: $t, count: u32) -> $t {
                sum / count as $t
            }
            #[inline(always)]
            fn clamp(output: &Clamp<$t>, x: $t) -> $t {
                if Self::exceeds(output.min, x) {
                    output.min
                } else if Self::exceeds(x, output.max) {
                    output.max
                } else {
                    x
                }
            }
            $($kernels)*
        }

        impl Trainable for $t {
            type Gradient = $t;

            const NO_GRADIENT: $t = 0.0;
            const NO_DELTA: $t = 0.0;
            #[inline(always)]
            fn multiply_add_delta(sum: $t, w: $t, delta: $t) -> $t {
                ($add_product)(sum, w, delta)
            }
            #[inline(always)]
            fn delta(sum: $t) -> $t {
                sum
            }
            #[inline(always)]
            fn add_delta(a: $t, b: $t) -> $t {
                a + b
            }
            #[inline(always)]
            fn divide_delta(delta: $t, count: u32) -> $t {
                delta / count as $t
            }
            #[inline(always)]
            fn accumulate(sum: $t, delta: $t, x: $t) -> $t {
                ($add_product)(sum, delta, x)
            }
            #[inline(always)]
            fn accumulate_bias(sum: $t, delta: $t) -> $t {
                sum + delta
            }
            #[inline(always)]
            fn passed(output: &Clamp<$t>, y: $t) -> bool {
                // The bits of numbers that are not negative are in their order, those of all others beyond.
                let (low, high) = (output.min.to_bits(), output.max.to_bits());
                if output.min.is_sign_positive() && output.max.is_sign_positive() && low < high {
                    y.to_bits().wrapping_sub(low).wrapping_sub(1) < high - low - 1
                } else {
                    output.min < y && y < output.max
                }
            }
            $($training_kernels)*
        }

        impl Clamp<$t> {
            /// No fused activation.
            pub const LINEAR: Self = Self { min: $t::NEG_INFINITY, max: $t::INFINITY };
            /// `max(x, 0)`
            pub const RELU: Self = Self { min: 0.0, max: $t::INFINITY };
            /// `min(max(x, 0), 6)`
            pub const RELU6: Self = Self { min: 0.0, max: 6.0 };
        }
    };
}
float_arithmetic!(f64, |sum, a, b| sum + a * b, {}, {});
float_arithmetic!(
    f32,
    add_product,
    {
        #[inline(always)]
        fn rows(weights: &[f32], biases: &[f32], output: &Clamp<f32>, x: &[f32], y: &mut [f32]) {
            #[cfg(milligrad_fpu)]
            arm_fpu::rows(weights, biases, output, x, y);
            // The loop of wide layers does it, too, and is in flash once.
            #[cfg(not(milligrad_fpu))]
            matrix::Sums::new(biases, output, y).add(weights, x.len(), x);
        }
        #[inline(always)]
        fn dense_rows(weights: &[f32], biases: &[f32], output: &Clamp<f32>, x: &[f32], y: &mut [f32]) {
            if x.len() < matrix::WIDE {
                Self::rows(weights, biases, output, x, y);
            } else {
                matrix::wide_rows(weights, biases, output, x, y);
            }
        }
        // Without an FPU a comparison is a call.
        #[cfg(not(any(milligrad_vfp, target_arch = "x86_64", target_arch = "aarch64")))]
        #[inline(always)]
        fn exceeds(a: f32, b: f32) -> bool {
            exceeds_by_bits(a, b)
        }
        #[cfg(milligrad_fpu)]
        #[inline(always)]
        fn convolve(layer: &Conv2d<'_, f32>, x: &[f32], patch: &mut [f32], y: &mut [f32]) {
            arm_fpu::convolve(layer, x, patch, y);
        }
        #[cfg(milligrad_fpu)]
        #[inline(always)]
        fn max_pool(layer: &MaxPool2d<f32>, x: &[f32], y: &mut [f32]) {
            arm_fpu::max_pool(layer, x, y);
        }
        #[cfg(milligrad_fpu)]
        #[inline(always)]
        fn copy_lines(lines: &Lines, from: &[f32], to: &mut [f32]) {
            arm_fpu::copy_lines(lines, from, to);
        }
    },
    {
        #[cfg(milligrad_fpu)]
        #[inline(always)]
        fn columns(inputs: usize, weights: &[f32], delta: &[f32], delta_x: &mut [f32]) {
            arm_fpu::columns(inputs, weights, delta, delta_x);
        }
        #[inline(always)]
        fn outer(x: &[f32], delta: &[f32], gradient: &mut [f32]) {
            matrix::subtract_outer(gradient, x.len(), -1.0, delta, x);
        }
        #[cfg(milligrad_fpu)]
        #[inline(always)]
        fn accumulate_patches(
            layer: &Conv2d<'_, f32>,
            x: &[f32],
            delta: &[f32],
            patch: &mut [f32],
            weights: &mut [f32],
        ) {
            arm_fpu::accumulate(layer, x, delta, patch, weights);
        }
        #[cfg(milligrad_fpu)]
        #[inline(always)]
        fn max_pool_backward(
            layer: &MaxPool2d<f32>,
            x: &[f32],
            y: &[f32],
            delta: &[f32],
            delta_x: &mut [f32],
        ) {
            if !arm_fpu::max_pool_backward(layer, x, y, delta, delta_x) {
                layer.hand_back(x, y, delta, delta_x);
            }
        }
        #[cfg(milligrad_fpu)]
        #[inline(always)]
        fn clear(delta: &mut [f32]) {
            arm_fpu::clear(delta);
        }
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_compared_as_floats_are() {
        let special = [0.0, 1e-45, 1.0, 1.5, f32::MAX, f32::INFINITY, f32::NAN, f32::from_bits(0x7f80_0001)];
        for a in special.into_iter().flat_map(|x| [x, -x]) {
            for b in special.into_iter().flat_map(|x| [x, -x]) {
                assert_eq!(exceeds_by_bits(a, b), a > b, "{a} > {b}");
            }
        }
    }
}
