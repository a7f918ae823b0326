//! Kernels of floats in 16-bit fixed point with dynamic exponents.

use super::{NO_SOFTMAX, clamp, from_int8, leaky_relu, reach};
use crate::program::{FixedKernel, Kernel, Layer, Parameters, Source};
use milligrad::fixed::dynamic::Exponents;
use milligrad::{Clamp, Fixed16};

/// What exists with dynamic exponents, for messages.
const KERNELS: &str = "Dense, Conv2d (Conv1d), DepthwiseConv2d, MaxPool2d, AvgPool2d, Flatten, Reshape, Add, ReLU, ReLU6, LeakyReLU, and \
                       Softmax or sigmoid at the end";

/// Most products of a sum, so that rounding them in fewer bits can't take it beyond 32.
const MOST_TERMS: usize = 1 << 15;

/// A kernel that reads or writes floats, with dynamic exponents. `last`: its output is the program's; `squares`: and its loss the
/// mean squared error.
///
/// # Errors
/// What does not exist there.
pub(in crate::lower) fn dynamic_kernel(kernel: Kernel, last: bool, squares: bool) -> Result<Kernel, String> {
    let kernel = match kernel {
        Kernel::F32(layer) => {
            let (layer, exponents) = self::layer(layer)?;
            FixedKernel::Dynamic(layer, exponents)
        }
        Kernel::Softmax if last => FixedKernel::Softmax,
        Kernel::Softmax => return Err(NO_SOFTMAX.into()),
        Kernel::Sigmoid if last && !squares => FixedKernel::Sigmoid { probability: true },
        Kernel::Sigmoid => {
            return Err(
                "with dynamic exponents a sigmoid is the last layer, before the binary cross entropy, or none; use --exponents \
                 static or --dtype float32"
                    .into(),
            );
        }
        Kernel::Clamp(range) => FixedKernel::Clamp(self::range(&range)?),
        Kernel::Add(range) => FixedKernel::Add(self::range(&range)?),
        Kernel::LeakyRelu { alpha } => leaky_relu(alpha)?,
        Kernel::Dequantize(quantization) => {
            // All of it fits 14 bits.
            from_int8(quantization, above(reach(quantization)) - 14)
        }
        _ => {
            return Err(format!(
                "it does not exist in 16-bit fixed point with dynamic exponents, in which there are {KERNELS}; use --exponents \
                 static or --dtype float32, or choose only layers after it (--trainable last:N) of an int8 model"
            ));
        }
    };
    Ok(Kernel::Fixed(kernel))
}

/// The least power of two that is above a magnitude; of 0, and what is as good as that, 2^-100.
fn above(magnitude: f32) -> i16 {
    // The exponent field is that of the power at or below it.
    ((magnitude.to_bits() >> 23) as i16 - 126).max(-100)
}

/// A range of real numbers in Q7.8; ends at the end of the `i16` are none.
fn range(range: &Clamp<f32>) -> Result<Clamp<i16>, String> {
    match [range.min, range.max].into_iter().find(|end| end.is_finite() && end.abs() > 127.9) {
        Some(end) => Err(format!(
            "its activation ends at {end}, in 16-bit fixed point one ends within ±127; use --dtype float32"
        )),
        None => Ok(clamp(range)),
    }
}

/// The range of a pooling, whose exponent is that of its input: linear or ReLU.
fn pooled(range: &Clamp<f32>) -> Result<Clamp<i16>, String> {
    if [range.min, range.max].into_iter().any(|end| end.is_finite() && end != 0.0) {
        return Err("an activation that ends elsewhere than at 0 follows a pooling, which dynamic exponents do not have; put it before \
             the pooling, or use --exponents static or --dtype float32"
            .into());
    }
    Ok(clamp(range))
}

fn layer(layer: Layer<f32>) -> Result<(Layer<Fixed16>, Exponents), String> {
    let (terms, parameters) = match &layer {
        Layer::Dense { inputs, parameters } => (*inputs, Some(parameters)),
        Layer::Conv2d { window, parameters } => (window.patch_len(), Some(parameters)),
        Layer::DepthwiseConv2d { window, parameters } => (window.taps(), Some(parameters)),
        Layer::MaxPool2d { .. } | Layer::AvgPool2d { .. } => (0, None),
    };
    let Some(parameters) = parameters else {
        let layer = match layer {
            Layer::MaxPool2d { window, output } => Layer::MaxPool2d { window, output: pooled(&output)? },
            Layer::AvgPool2d { window, output } => Layer::AvgPool2d { window, output: pooled(&output)? },
            _ => unreachable!("a layer without parameters is a pooling"),
        };
        return Ok((layer, Exponents::new(0, 0)));
    };
    let Parameters { weights: Source::Flash(weights), channels: Source::Flash(biases), output, .. } =
        parameters
    else {
        unreachable!("parameters come from flash, and go to RAM later")
    };
    let back = match &layer {
        Layer::Dense { .. } => biases.len(),
        Layer::Conv2d { window, .. } => window.taps() * biases.len(),
        Layer::DepthwiseConv2d { window, .. } => weights.len() / window.input()[2].max(1),
        Layer::MaxPool2d { .. } | Layer::AvgPool2d { .. } => 0,
    };
    if terms.max(back) > MOST_TERMS {
        return Err(format!(
            "{} products are summed in it, with dynamic exponents at most {MOST_TERMS}; use --exponents static or --dtype float32",
            terms.max(back)
        ));
    }
    let exponents = exponents(weights, biases);
    let in_units = |values: &[f32], exponent: i16| -> Vec<i32> {
        let unit = f64::from(exponent).exp2();
        // The largest is far from the end of the range.
        values.iter().map(|&value| (f64::from(value) / unit).round() as i32).collect()
    };
    let parameters = Parameters {
        weights: Source::Flash(in_units(weights, exponents.weights).into_iter().map(|w| w as i16).collect()),
        channels: Source::Flash(in_units(biases, exponents.biases)),
        output: range(output)?,
        pad: 0,
    };
    let layer = match layer {
        Layer::Dense { inputs, .. } => Layer::Dense { inputs, parameters },
        Layer::Conv2d { window, .. } => Layer::Conv2d { window, parameters },
        Layer::DepthwiseConv2d { window, .. } => Layer::DepthwiseConv2d { window, parameters },
        Layer::MaxPool2d { .. } | Layer::AvgPool2d { .. } => unreachable!("a pooling has no parameters"),
    };
    Ok((layer, exponents))
}

/// Exponents with which the largest weight takes 12 of 15 bits, so that all can grow to eight times of it, and the largest bias 20 of
/// the 23 that a guard lets it take; biases are 8 bits finer than weights, or coarser.
fn exponents(weights: &[f32], biases: &[f32]) -> Exponents {
    let largest = |values: &[f32]| values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    // Weights that are all zero get the unit of static ranges.
    let weights = match largest(weights) {
        0.0 => -(milligrad::WEIGHT_BITS as i16),
        largest => above(largest) - 12,
    };
    Exponents::new(weights, (weights - 8).max(above(largest(biases)) - 20))
}

#[cfg(test)]
mod tests {
    use super::*;
    use milligrad::{Padding, Quantization, Window2d};

    #[test]
    fn exponents_leave_headroom() {
        for largest in [1e-6_f32, 0.3, 0.5, 0.999, 1.0, 7.9, 8.0, 1e4] {
            let Exponents { weights, biases } = exponents(&[0.0, -largest, largest / 3.0], &[0.0]);
            let mantissa = f64::from(largest) / f64::from(weights).exp2();
            assert!((2048.0..4096.0).contains(&mantissa), "{largest}: {mantissa}");
            assert_eq!(biases, weights - 8);
            let found = exponents(&[largest], &[3000.0 * largest]);
            let mantissa = f64::from(3000.0 * largest) / f64::from(found.biases).exp2();
            assert!((524_288.0..1_048_576.0).contains(&mantissa), "{largest}: {mantissa}");
        }
        assert_eq!(exponents(&[0.0], &[0.0]), Exponents::new(-12, -20));
    }

    /// A pooling has the exponent of its input, in which it knows no other number than 0; no range is beyond that of Q7.8.
    #[test]
    fn ranges_that_do_not_exist_are_refused() {
        let window = Window2d::new([4, 4, 1], [2, 2], [2, 2], [1, 1], Padding::Valid);
        let pooling = |output| dynamic_kernel(Kernel::F32(Layer::MaxPool2d { window, output }), false, false);
        assert!(pooling(Clamp::<f32>::RELU6).unwrap_err().contains("before the pooling"));
        assert!(pooling(Clamp::<f32>::RELU).is_ok() && pooling(Clamp::<f32>::LINEAR).is_ok());
        let clamp = |max| dynamic_kernel(Kernel::Clamp(Clamp { min: 0.0, max }), false, false);
        assert!(clamp(200.0).unwrap_err().contains("ends at 200"));
        assert!(clamp(100.0).is_ok() && clamp(f32::INFINITY).is_ok());
    }

    /// Whatever the scale is, int8 numbers come out within half a unit of 14 bits.
    #[test]
    fn borders_keep_all_of_an_int8() {
        for (scale, zero_point) in [(0.02, -128), (0.003_921_569, 0), (1.5, 127), (1e-6, 3), (1e4, -1)] {
            let quantization = Quantization::new(scale, zero_point);
            let kernel = dynamic_kernel(Kernel::Dequantize(quantization), false, false);
            let Ok(Kernel::Fixed(FixedKernel::FromInt8 { zero_point, scale, exponent })) = kernel else {
                panic!("a border")
            };
            let x: Vec<i8> = (i8::MIN..=i8::MAX).collect();
            let mut y = vec![0; 256];
            milligrad::fixed::from_int8(zero_point, &scale, &x, &mut y);
            for (x, &y) in x.into_iter().zip(&y) {
                let exact = f64::from(quantization.dequantize(x)) / f64::from(exponent).exp2();
                assert!((f64::from(y) - exact).abs() <= 0.51, "{x}: {y}, not {exact}");
            }
            assert!(y.iter().any(|y| y.unsigned_abs() >= 1 << 13), "{scale:?}");
        }
    }
}
