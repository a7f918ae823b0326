//! Kernels of floats in 16-bit fixed point, for programs that learn in it.

mod dynamic;

use crate::program::{FixedKernel, Kernel, Layer, Parameters, Source};
use crate::quantize::multiplier;
pub(super) use dynamic::dynamic_kernel;
use milligrad::{Clamp, Fixed16, Quantization, Rounding, fixed};

/// What exists in fixed point, for messages.
const KERNELS: &str = "Dense, Conv2d (Conv1d), DepthwiseConv2d, MaxPool2d, AvgPool2d, Flatten, Reshape, Add, ReLU, ReLU6, LeakyReLU, \
                       sigmoid, tanh, and Softmax at the end";

/// What is said of a softmax that is followed by something.
const NO_SOFTMAX: &str = "in 16-bit fixed point softmax is the last layer or none; use --dtype float32";

/// The largest magnitude of a weight or bias.
const LARGEST: f32 = 32_767.5 / 4096.0;

/// A kernel that reads or writes floats, in fixed point. `last`: its output is the program's; `squares`: and its loss the mean
/// squared error.
///
/// # Errors
/// What does not exist in fixed point, or numbers that do not fit.
pub(super) fn kernel(kernel: Kernel, last: bool, squares: bool) -> Result<Kernel, String> {
    let kernel = match kernel {
        Kernel::F32(layer) => FixedKernel::Layer(self::layer(layer)?),
        Kernel::Softmax if last => FixedKernel::Softmax,
        Kernel::Softmax => {
            return Err(NO_SOFTMAX.into());
        }
        Kernel::Sigmoid => FixedKernel::Sigmoid { probability: last && !squares },
        Kernel::Tanh => FixedKernel::Tanh,
        Kernel::Clamp(range) => FixedKernel::Clamp(clamp(&range)),
        Kernel::Add(range) => FixedKernel::Add(clamp(&range)),
        Kernel::LeakyRelu { alpha } => leaky_relu(alpha)?,
        Kernel::Dequantize(quantization) => border(quantization)?,
        _ => return Err(none()),
    };
    Ok(Kernel::Fixed(kernel))
}

fn leaky_relu(alpha: f32) -> Result<FixedKernel, String> {
    if alpha.abs() > 1.0 {
        return Err(format!(
            "its slope is {alpha}, in 16-bit fixed point it is within ±1; use --dtype float32"
        ));
    }
    Ok(FixedKernel::LeakyRelu { alpha: fixed::slope(alpha) })
}

fn none() -> String {
    format!(
        "it does not exist in 16-bit fixed point, in which there are {KERNELS}; use --dtype float32, or choose only layers \
         after it (--trainable last:N) of an int8 model"
    )
}

/// From int8 to Q7.8.
fn border(quantization: Quantization) -> Result<FixedKernel, String> {
    let reach = reach(quantization);
    if reach > 128.0 {
        return Err(format!(
            "its int8 numbers reach ±{reach}, activations in 16-bit fixed point ±128; use --exponents dynamic or --dtype float32"
        ));
    }
    Ok(from_int8(quantization, -(milligrad::ACTIVATION_BITS as i16)))
}

/// The largest magnitude that an int8 stands for.
fn reach(quantization: Quantization) -> f32 {
    let zero = i32::from(quantization.zero_point);
    quantization.scale * (127 - zero).max(zero + 128) as f32
}

/// From int8 to units of `2^exponent`.
fn from_int8(quantization: Quantization, exponent: i16) -> FixedKernel {
    let scale = f64::from(quantization.scale) * f64::from(-exponent).exp2();
    let scale = multiplier::requantize(scale, Rounding::Single);
    FixedKernel::FromInt8 { zero_point: quantization.zero_point, scale, exponent }
}

/// A range of the real numbers in Q7.8.
fn clamp(range: &Clamp<f32>) -> Clamp<i16> {
    // An end that is infinite saturates.
    let end = |x: f32| if x.is_infinite() { 1e9_f32.copysign(x) } else { x };
    Clamp { min: fixed::activation(end(range.min)), max: fixed::activation(end(range.max)) }
}

fn layer(layer: Layer<f32>) -> Result<Layer<Fixed16>, String> {
    Ok(match layer {
        Layer::Dense { inputs, parameters } => {
            Layer::Dense { inputs, parameters: self::parameters(parameters)? }
        }
        Layer::Conv2d { window, parameters } => {
            Layer::Conv2d { window, parameters: self::parameters(parameters)? }
        }
        Layer::DepthwiseConv2d { window, parameters } => {
            Layer::DepthwiseConv2d { window, parameters: self::parameters(parameters)? }
        }
        Layer::MaxPool2d { window, output } => Layer::MaxPool2d { window, output: clamp(&output) },
        Layer::AvgPool2d { window, output } => Layer::AvgPool2d { window, output: clamp(&output) },
    })
}

fn parameters(parameters: Parameters<f32>) -> Result<Parameters<Fixed16>, String> {
    let Parameters { weights: Source::Flash(weights), channels: Source::Flash(biases), output, .. } =
        parameters
    else {
        unreachable!("parameters come from flash, and go to RAM later")
    };
    let largest = weights.iter().chain(&biases).fold(0.0_f32, |largest, w| largest.max(w.abs()));
    if largest > LARGEST {
        return Err(format!(
            "its parameters reach {largest}, in 16-bit fixed point they are within ±8; use --exponents dynamic or --dtype float32, \
             or train with weight decay or a lower learning rate"
        ));
    }
    Ok(Parameters {
        weights: Source::Flash(weights.into_iter().map(fixed::weight).collect()),
        channels: Source::Flash(biases.into_iter().map(fixed::bias).collect()),
        output: clamp(&output),
        pad: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_become_ranges() {
        assert_eq!(clamp(&Clamp::<f32>::LINEAR), Clamp::<i16>::LINEAR);
        assert_eq!(clamp(&Clamp::<f32>::RELU), Clamp::<i16>::RELU);
        assert_eq!(clamp(&Clamp::<f32>::RELU6), Clamp::<i16>::RELU6);
    }

    #[test]
    fn borders_are_within_half_a_step() {
        for (scale, zero_point) in [(0.02, -128), (0.003_921_569, 0), (0.5, 127), (1e-6, 3)] {
            let quantization = Quantization::new(scale, zero_point);
            let FixedKernel::FromInt8 { zero_point, scale, exponent: -8 } = border(quantization).unwrap()
            else {
                panic!("a border")
            };
            let x: Vec<i8> = (i8::MIN..=i8::MAX).collect();
            let mut y = vec![0; 256];
            fixed::from_int8(zero_point, &scale, &x, &mut y);
            for (x, y) in x.into_iter().zip(y) {
                let exact = (quantization.dequantize(x) * 256.0).clamp(-32_768.0, 32_767.0);
                assert!((f32::from(y) - exact).abs() <= 0.501, "{x}: {y}, not {exact}");
            }
        }
        assert!(border(Quantization::new(1.5, 0)).unwrap_err().contains("float32"));
        assert!(border(Quantization::new(0.9, 127)).unwrap_err().contains("reach ±229.5"));
    }
}
