//! What the host knows of each operator: the shape of its output, and its kernel. One operator, one file.

mod activation;
mod add;
mod batch_norm;
mod concat;
mod conv2d;
mod dense;
mod depthwise_conv2d;
mod dequantize;
mod elementwise;
mod flatten;
mod hard_swish;
mod pad;
mod pool2d;
mod quantize;
mod reduce;
mod reshape;
mod resize_nearest;
mod slice;
mod softmax;
mod strided;
mod transpose;
mod transpose_conv2d;

use crate::graph::{Activation, Constant, DType, Graph, Node, Op, TensorId, TensorInfo, Values, Window};
use crate::program::{Kernel, LookupTable, Parameters, Source};
use crate::quantize::multiplier::{requantize, requantize_like_double};
use milligrad::{Clamp, Int8, Padding, Quantization, QuantizedChannel, QuantizedOutput, Rounding, Window2d};
use std::cell::Cell;

/// The output shape of an operator on these inputs and constants; says what is wrong where they don't fit.
///
/// # Errors
/// A sentence for the user, without the layer's name.
pub fn infer(op: &Op, inputs: &[&TensorInfo], constants: &[&Constant]) -> Result<Vec<usize>, String> {
    match op {
        Op::Dense { activation } => dense::infer(*activation, one(inputs)?, two_constants(constants)?),
        Op::Conv2d { window, activation } => {
            conv2d::infer(window, *activation, one(inputs)?, two_constants(constants)?)
        }
        Op::DepthwiseConv2d { window, activation } => {
            depthwise_conv2d::infer(window, *activation, one(inputs)?, two_constants(constants)?)
        }
        Op::MaxPool2d { window } | Op::AvgPool2d { window } => {
            no_constants(constants)?;
            pool2d::infer(window, one(inputs)?)
        }
        Op::Flatten => {
            no_constants(constants)?;
            flatten::infer(one(inputs)?)
        }
        Op::Activation { activation } => {
            no_constants(constants)?;
            activation::infer(*activation, one(inputs)?)
        }
        Op::Softmax => {
            no_constants(constants)?;
            softmax::infer(one(inputs)?)
        }
        Op::Add { activation } => {
            no_constants(constants)?;
            add::infer(*activation, inputs)
        }
        Op::BatchNorm { epsilon, momentum } => {
            batch_norm::infer(*epsilon, *momentum, one(inputs)?, constants)
        }
        Op::Dropout { rate } => {
            no_constants(constants)?;
            if !(0.0..1.0).contains(rate) {
                return Err(format!("rate {rate} is not within 0 to 1"));
            }
            float_only(one(inputs)?)?;
            Ok(one(inputs)?.shape.clone())
        }
        Op::GaussianNoise { stddev } => {
            no_constants(constants)?;
            if !(*stddev >= 0.0 && stddev.is_finite()) {
                return Err(format!("standard deviation {stddev} is not a number from 0"));
            }
            float_only(one(inputs)?)?;
            Ok(one(inputs)?.shape.clone())
        }
        Op::FakeQuantize { min, max } => {
            no_constants(constants)?;
            if !(*min <= 0.0 && *max >= 0.0 && (max - min).is_finite()) {
                return Err(format!("range {min} to {max} is no finite one around 0"));
            }
            float_only(one(inputs)?)?;
            Ok(one(inputs)?.shape.clone())
        }
        Op::Dequantize => {
            no_constants(constants)?;
            dequantize::infer(one(inputs)?)
        }
        Op::Elementwise { function, activation, constant } => {
            elementwise::infer(*function, *activation, *constant, inputs, constants)
        }
        Op::TransposeConv2d { kernel, stride, before, size, activation } => {
            let geometry = [*kernel, *stride, *before, *size];
            transpose_conv2d::infer(geometry, *activation, one(inputs)?, two_constants(constants)?)
        }
        Op::Concat { axis } => {
            no_constants(constants)?;
            concat::infer(*axis, inputs)
        }
        _ => {
            no_constants(constants)?;
            infer_unary(op, one(inputs)?)
        }
    }
}

/// The same of operators with one input and no constants that exist for int8 alone, or move elements.
fn infer_unary(op: &Op, input: &TensorInfo) -> Result<Vec<usize>, String> {
    match op {
        Op::Quantize => quantize::infer(input),
        Op::Requantize => quantize::infer_again(input),
        Op::HardSwish => Ok(input.shape.clone()),
        Op::Reshape { shape } => reshape::infer(shape, input),
        Op::Pad { before, after, value } => pad::infer(before, after, *value, input),
        Op::Transpose { permutation } => transpose::infer(permutation, input),
        Op::Slice { begin, size, step } => slice::infer(begin, size, step, input),
        Op::Reduce { axes, keep, .. } => reduce::infer(axes, *keep, input),
        Op::ResizeNearest { size, .. } => resize_nearest::infer(*size, input),
        other => unreachable!("{} is inferred above", other.name()),
    }
}

pub(crate) use activation::TANH;
pub(crate) use elementwise::broadcast;
pub(crate) use softmax::PROBABILITIES;

/// The kernel of a node; `None` where the output is just another view of the input.
///
/// # Errors
/// If a fully connected layer has scales with which no 32-bit multiplier rounds as TensorFlow's interpreter does.
pub(crate) fn lower(graph: &Graph, node: &Node, rounding: Rounding) -> Result<Option<Kernel>, String> {
    let node = Lower { graph, node, rounding, problem: Cell::new(None) };
    let kernel = kernel(&node);
    match node.problem.get() {
        None => Ok(kernel),
        Some(channel) => Err(format!(
            "output {channel} has a scale with which no 32-bit multiplier rounds all sums as TensorFlow's interpreter \
             does; use the rounding of TensorFlow Lite Micro (--rounding tflm)"
        )),
    }
}

fn kernel(node: &Lower<'_>) -> Option<Kernel> {
    Some(match &node.node.op {
        Op::Dense { activation } => dense::lower(node, *activation),
        Op::Conv2d { window, activation } => conv2d::lower(node, window, *activation),
        Op::DepthwiseConv2d { window, activation } => depthwise_conv2d::lower(node, window, *activation),
        Op::MaxPool2d { window } => pool2d::lower_max(node, window),
        Op::AvgPool2d { window } => pool2d::lower_average(node, window),
        Op::Activation { activation } => activation::lower(node, *activation),
        Op::Softmax => softmax::lower(node),
        Op::Add { activation } => add::lower(node, *activation),
        Op::Dequantize => dequantize::lower(node),
        Op::Flatten
        | Op::Dropout { .. }
        | Op::GaussianNoise { .. }
        | Op::FakeQuantize { .. }
        | Op::Reshape { .. } => return None,
        Op::Quantize => quantize::lower(node),
        Op::Requantize => quantize::lower_again(node),
        Op::HardSwish => hard_swish::lower(node),
        Op::Elementwise { function, activation, constant } => {
            elementwise::lower(node, *function, *activation, *constant)
        }
        Op::Pad { before, value, .. } => pad::lower(node, before, *value),
        Op::Concat { axis } => concat::lower(node, *axis),
        Op::Transpose { permutation } => transpose::lower(node, permutation),
        Op::Slice { begin, step, .. } => slice::lower(node, begin, step),
        Op::Reduce { function, axes, .. } => reduce::lower(node, *function, axes),
        Op::TransposeConv2d { kernel, stride, before, size, activation } => {
            transpose_conv2d::lower(node, [*kernel, *stride, *before, *size], *activation)
        }
        Op::ResizeNearest { size, align_corners, half_pixel_centers } => {
            resize_nearest::lower(node, *size, *align_corners, *half_pixel_centers)
        }
        Op::BatchNorm { .. } => unreachable!("batch norm is folded before a graph is lowered"),
    })
}

/// A node on its way to a kernel.
struct Lower<'a> {
    graph: &'a Graph,
    node: &'a Node,
    /// How a fully connected layer rounds; all others round twice.
    rounding: Rounding,
    /// A channel that can't be rounded so.
    problem: Cell<Option<usize>>,
}

impl<'a> Lower<'a> {
    fn input(&self) -> &'a TensorInfo {
        self.graph.tensor(self.node.inputs[0])
    }

    fn output(&self) -> &'a TensorInfo {
        self.graph.tensor(self.node.output)
    }

    /// Scale and zero point of an int8 tensor; [`Graph::verify`] saw that it has them.
    fn quantization(&self, id: TensorId) -> Quantization {
        self.graph.tensor(id).quantization.expect("a verified int8 tensor has a scale")
    }

    fn input_quantization(&self) -> Quantization {
        self.quantization(self.node.inputs[0])
    }

    fn output_quantization(&self) -> Quantization {
        self.quantization(self.node.output)
    }

    fn geometry(&self, window: &Window) -> Window2d {
        let extents = plane(self.input()).expect("a verified window has an image");
        geometry(window, extents).expect("a verified window fits")
    }

    fn float_parameters(&self, activation: Activation) -> Parameters<f32> {
        let values = |i: usize| match &self.graph.constant(self.node.constants[i]).values {
            Values::F32(values) => Source::Flash(values.clone()),
            _ => unreachable!("a verified float layer has float constants"),
        };
        Parameters { weights: values(0), channels: values(1), output: clamp(activation), pad: 0.0 }
    }

    /// Folds the input's zero point into the bias; `channel_of` gives the output channel of a weight's index.
    fn int8_parameters(
        &self,
        activation: Activation,
        channel_of: impl Fn(usize) -> usize,
    ) -> Parameters<Int8> {
        let [weights, bias] = [0, 1].map(|i| self.graph.constant(self.node.constants[i]));
        let (Values::I8(values), Values::I32(bias)) = (&weights.values, &bias.values) else {
            unreachable!("a verified int8 layer has int8 weights and an int32 bias")
        };
        let (input, output) = (self.input_quantization(), self.output_quantization());
        let mut sums = vec![0i32; bias.len()];
        // What positive and negative products can add up to.
        let mut reach = vec![(0i64, 0i64); bias.len()];
        for (index, &w) in values.iter().enumerate() {
            let (channel, w) = (channel_of(index), i32::from(w));
            sums[channel] = sums[channel].wrapping_add(w);
            let ends = [127, -128].map(|x| i64::from(w * x));
            reach[channel].0 += ends[0].min(ends[1]);
            reach[channel].1 += ends[0].max(ends[1]);
        }
        let single = matches!(self.node.op, Op::Dense { .. }) && self.rounding == Rounding::Single;
        // Results beyond these are limited anyway.
        let range = quantized_output(activation, output);
        let [below, above] = [(range.min, -1), (range.max, 1)]
            .map(|(end, sign)| sign * (i64::from(end) - i64::from(range.zero_point)));
        let steps = below.max(above);
        let channels = bias.iter().zip(sums).enumerate().map(|(channel, (&bias, sum))| {
            let scale = weights.scales[if weights.scales.len() == 1 { 0 } else { channel }];
            // In this order and in double precision, as TensorFlow Lite does.
            let real = f64::from(input.scale) * f64::from(scale) / f64::from(output.scale);
            let folded = bias.wrapping_sub(i32::from(input.zero_point).wrapping_mul(sum));
            let (low, high) = reach[channel];
            let largest = low.abs().max(high) + i64::from(folded).abs();
            let requantize = match single {
                true => requantize_like_double(real, largest.min(1 << 31), steps).unwrap_or_else(|| {
                    self.problem.set(Some(channel));
                    requantize(real, Rounding::Single)
                }),
                false => requantize(real, Rounding::Double),
            };
            QuantizedChannel { bias: folded, requantize }
        });
        Parameters {
            channels: Source::Flash(channels.collect()),
            weights: Source::Flash(values.clone()),
            output: quantized_output(activation, output),
            pad: input.zero_point,
        }
    }
}

/// A layer in the arithmetic of its input.
macro_rules! lower_parameters {
    ($node:expr, $activation:expr, $channel_of:expr, |$parameters:ident| $layer:expr) => {
        match $node.input().dtype {
            crate::graph::DType::I8 => {
                let $parameters = $node.int8_parameters($activation, $channel_of);
                Kernel::Int8($layer)
            }
            crate::graph::DType::F32 => {
                let $parameters = $node.float_parameters($activation);
                Kernel::F32($layer)
            }
        }
    };
}
use lower_parameters;

/// A fused activation as a range.
pub(crate) fn clamp(activation: Activation) -> Clamp<f32> {
    match activation {
        Activation::Relu => Clamp::<f32>::RELU,
        Activation::Relu6 => Clamp::<f32>::RELU6,
        _ => Clamp::<f32>::LINEAR,
    }
}

/// A fused activation as a range of quantised numbers.
pub(crate) fn quantized_output(activation: Activation, output: Quantization) -> QuantizedOutput {
    let max = if activation == Activation::Relu6 { output.quantize(6.0) } else { i8::MAX };
    let min =
        if matches!(activation, Activation::Relu | Activation::Relu6) { output.zero_point } else { i8::MIN };
    QuantizedOutput::new(output.zero_point, min, max)
}

fn one<'a>(inputs: &[&'a TensorInfo]) -> Result<&'a TensorInfo, String> {
    match inputs {
        [input] => Ok(input),
        _ => Err(format!("it takes one input, not {}", inputs.len())),
    }
}

fn no_constants(constants: &[&Constant]) -> Result<(), String> {
    if constants.is_empty() {
        Ok(())
    } else {
        Err(format!("it has no parameters, {} given", constants.len()))
    }
}

/// Weights and bias.
fn two_constants<'a>(constants: &[&'a Constant]) -> Result<(&'a Constant, &'a Constant), String> {
    match constants {
        [weights, bias] => Ok((weights, bias)),
        _ => Err(format!("it has weights and a bias, {} parameters given", constants.len())),
    }
}

fn float_only(input: &TensorInfo) -> Result<(), String> {
    match input.dtype {
        DType::F32 => Ok(()),
        DType::I8 => Err("it exists for f32 only; it is folded or removed before quantisation".into()),
    }
}

fn int8_only(input: &TensorInfo) -> Result<(), String> {
    match input.dtype {
        DType::I8 => Ok(()),
        DType::F32 => Err("it exists for int8 only".into()),
    }
}

/// A function of one int8 as a table, and the source that makes it.
fn lookup(table: milligrad::layers::Table, source: String) -> Kernel {
    Kernel::Lookup(LookupTable { table, source })
}

fn image(input: &TensorInfo) -> Result<[usize; 3], String> {
    match input.shape[..] {
        [h, w, c] => Ok([h, w, c]),
        _ => Err(format!("its input is {:?}, not an image [height, width, channels]", input.shape)),
    }
}

/// What a window moves over: an image, or `[length, channels]` as an image of height 1.
pub(crate) fn plane(input: &TensorInfo) -> Result<[usize; 3], String> {
    match input.shape[..] {
        [length, channels] => Ok([1, length, channels]),
        _ => image(input),
    }
}

/// The shape of what a window made of `input`: as many axes as it has.
fn windowed(input: &TensorInfo, [height, width]: [usize; 2], channels: usize) -> Result<Vec<usize>, String> {
    match (input.shape.len(), height) {
        (2, 1) => Ok(vec![width, channels]),
        (2, _) => Err("over [length, channels] a window has height 1 and no padding above or below".into()),
        _ => Ok(vec![height, width, channels]),
    }
}

fn fusible(activation: crate::Activation) -> Result<(), String> {
    if activation.is_clamp() {
        Ok(())
    } else {
        Err(format!("{activation:?} can't be fused; make it a layer of its own"))
    }
}

/// Weights and bias fit a layer of `outputs` outputs computing in the input's type.
fn check_parameters(
    input: &TensorInfo,
    weights: &Constant,
    bias: &Constant,
    expected: &[usize],
    outputs: usize,
) -> Result<(), String> {
    if weights.shape != expected {
        return Err(format!("weights are {:?}, expected {expected:?}", weights.shape));
    }
    if bias.shape != [outputs] {
        return Err(format!("bias is {:?}, expected [{outputs}]", bias.shape));
    }
    match (input.dtype, &weights.values, &bias.values) {
        (DType::F32, Values::F32(_), Values::F32(_)) => Ok(()),
        (DType::I8, Values::I8(_), Values::I32(_)) => {
            if weights.scales.len() == 1 || weights.scales.len() == outputs {
                Ok(())
            } else {
                Err(format!("it has {} weight scales, expected 1 or {outputs}", weights.scales.len()))
            }
        }
        (DType::F32, ..) => Err("a float layer has float weights and a float bias".into()),
        (DType::I8, ..) => Err("an int8 layer has int8 weights and an int32 bias".into()),
    }
}

/// The window as geometry over an image. [`Window2d::new`] panics on what is refused here.
///
/// # Errors
/// A sentence for the user.
pub fn geometry(window: &Window, [h, w, c]: [usize; 3]) -> Result<Window2d, String> {
    const LIMIT: usize = u16::MAX as usize;
    let fits = |n: usize| (1..=LIMIT).contains(&n);
    for (what, axes) in [("kernel", window.kernel), ("stride", window.stride), ("dilation", window.dilation)]
    {
        if !axes.into_iter().all(fits) {
            return Err(format!("{what} {axes:?} is not within 1 to {LIMIT}"));
        }
    }
    if ![h, w, c].into_iter().all(fits) {
        return Err(format!("image [{h}, {w}, {c}] has an extent that is not within 1 to {LIMIT}"));
    }
    let borders = match window.padding {
        Padding::Explicit { top, bottom, left, right } => {
            [usize::from(top) + usize::from(bottom), usize::from(left) + usize::from(right)]
        }
        Padding::Valid => [0, 0],
        // Same padding makes room for any window, as long as the padding itself fits.
        Padding::Same => [LIMIT, LIMIT],
    };
    for (axis, extent) in [h, w].into_iter().enumerate() {
        let span = (window.kernel[axis] - 1) * window.dilation[axis] + 1;
        if span > extent + borders[axis] || extent + borders[axis] > 2 * LIMIT {
            return Err(format!(
                "a window of {:?} (dilation {:?}) is larger than the padded image [{h}, {w}]; use a smaller kernel or \
                 padding",
                window.kernel, window.dilation
            ));
        }
        let out = (extent + borders[axis] - span) / window.stride[axis] + 1;
        if window.padding != Padding::Same && !fits(out) {
            return Err(format!("the output has {out} rows or columns, more than {LIMIT}"));
        }
    }
    Ok(Window2d::new([h, w, c], window.kernel, window.stride, window.dilation, window.padding))
}
