//! Packing: int8 layers get the kernels and the weight layouts of a core, where these are exact.
//!
//! A layer is packed if interval arithmetic over its weights and biases shows that no input can take a sum out of the
//! range of the short requantisation; else it keeps the portable kernel. Layouts are described in
//! [`milligrad::packed`].

mod layout;
mod overlap;

use crate::program::{Kernel, Layer, Parameters, Source};
use layout::{conv2d_weights, dense_weights, depthwise_weights};
use milligrad::layers::QuantizedAdd;
use milligrad::packed::{PackedAdd, PackedChannel, PackedConv2d, PackedDense, PackedDepthwise, Places};
use milligrad::{Arithmetic, Core, Int8, QuantizedChannel, QuantizedOutput, Requantize, Rounding, Window2d};

/// Weights in a packed layout, and scales.
#[derive(Debug, Clone, PartialEq)]
pub struct PackedParameters {
    /// Weights, as words.
    pub weights: Vec<u32>,
    /// Biases and scales as they came.
    pub channels: Vec<QuantizedChannel>,
    /// The same for the kernel, with entries more where it takes channels in groups.
    pub table: Vec<PackedChannel>,
    /// Zero point and range.
    pub output: QuantizedOutput,
    /// The element that stands for zero where the input is padded.
    pub pad: i8,
    /// How outputs are rounded.
    pub rounding: Rounding,
}

/// A layer that is packed for a core.
#[derive(Debug, Clone, PartialEq)]
pub enum Packed {
    /// [`PackedDense`]
    Dense {
        /// Inputs of each output.
        inputs: usize,
        /// Weights, biases.
        parameters: PackedParameters,
    },
    /// [`PackedConv2d`]
    Conv2d {
        /// Geometry.
        window: Window2d,
        /// Weights, biases.
        parameters: PackedParameters,
    },
    /// [`PackedDepthwise`]
    Depthwise {
        /// Geometry.
        window: Window2d,
        /// Weights, biases.
        parameters: PackedParameters,
    },
    /// [`PackedAdd`]
    Add(QuantizedAdd),
}

/// The kernel to use on a core: a packed one if there is one that gives the same bits.
pub(crate) fn choose(kernel: Kernel, core: Core) -> Kernel {
    if core != Core::Armv7em {
        return kernel;
    }
    let packed = match &kernel {
        Kernel::Int8(layer) => pack_layer(layer),
        Kernel::QuantizedAdd(add) => PackedAdd::new(add).map(|_| Packed::Add(*add)),
        _ => None,
    };
    packed.map_or(kernel, Kernel::Packed)
}

fn pack_layer(layer: &Layer<Int8>) -> Option<Packed> {
    match layer {
        Layer::Dense { inputs, parameters } => {
            let pack = |weights: &[i8]| dense_weights(weights, *inputs);
            let parameters = pack_parameters(parameters, 4, |index| index / inputs, pack)?;
            Some(Packed::Dense { inputs: *inputs, parameters })
        }
        Layer::Conv2d { window, parameters } => {
            let pack = |weights: &[i8]| conv2d_weights(weights, window);
            let parameters = pack_parameters(parameters, 2, |index| index / window.patch_len(), pack)?;
            rounds_twice(&parameters)?;
            Some(Packed::Conv2d { window: *window, parameters })
        }
        Layer::DepthwiseConv2d { window, parameters } => {
            let depth = window.input()[2];
            let (Source::Flash(channels), true) = (&parameters.channels, PackedDepthwise::supports(window))
            else {
                return None;
            };
            if channels.len() != depth {
                return None;
            }
            let pack = |weights: &[i8]| depthwise_weights(weights, depth).into_flattened();
            let parameters = pack_parameters(parameters, 1, |index| index % depth, pack)?;
            rounds_twice(&parameters)?;
            Some(Packed::Depthwise { window: *window, parameters })
        }
        Layer::MaxPool2d { .. } | Layer::AvgPool2d { .. } => None,
    }
}

/// Convolutions round twice in both conventions, and so do their kernels.
fn rounds_twice(parameters: &PackedParameters) -> Option<()> {
    (parameters.rounding == Rounding::Double).then_some(())
}

/// Packs parameters if the short requantisation is exact for every channel.
fn pack_parameters(
    parameters: &Parameters<Int8>,
    group: usize,
    channel_of: impl Fn(usize) -> usize,
    pack: impl FnOnce(&[i8]) -> Vec<u32>,
) -> Option<PackedParameters> {
    let Parameters { weights: Source::Flash(weights), channels: Source::Flash(channels), output, pad } =
        parameters
    else {
        return None;
    };
    // Sums of a channel over all inputs that there are, and the largest magnitude on the way.
    let mut sums: Vec<_> = channels.iter().map(|c| Sums::new(c.bias)).collect();
    weights.iter().enumerate().for_each(|(index, &w)| sums[channel_of(index)].add(w));
    let mut channels = channels.clone();
    let rounding = channels.first()?.requantize.rounding;
    for (channel, sums) in channels.iter_mut().zip(&sums) {
        if !PackedChannel::is_exact(channel.requantize, sums.magnitude) {
            // A channel without an effect: it needs no sum.
            let value = sums.constant(channel, output)?;
            channel.bias = value.into();
            channel.requantize = Requantize::new(0, 1, rounding);
        }
    }
    let entry = |channel: &QuantizedChannel| {
        let scale = channel.requantize;
        match (scale.multiplier, scale.shift) {
            (0, 1) => PackedChannel::constant(channel.bias as i8),
            _ => PackedChannel::new(channel.bias, scale.multiplier, scale.shift, output.zero_point),
        }
    };
    let mut table: Vec<_> = channels.iter().map(entry).collect();
    table.resize(table.len().next_multiple_of(group), PackedChannel::NONE);
    Some(PackedParameters { weights: pack(weights), channels, table, output: *output, pad: *pad, rounding })
}

/// What the sums of a channel can be, whatever the input.
struct Sums {
    low: i64,
    high: i64,
    magnitude: i64,
}

impl Sums {
    fn new(bias: i32) -> Self {
        Self { low: bias.into(), high: bias.into(), magnitude: i64::from(bias).abs() }
    }

    fn add(&mut self, w: i8) {
        let (a, b) = (i64::from(w) * -128, i64::from(w) * 127);
        self.low += a.min(b);
        self.high += a.max(b);
        self.magnitude += i64::from(w).abs() * 128;
    }

    /// The one output that all sums have, if so.
    fn constant(&self, channel: &QuantizedChannel, output: &QuantizedOutput) -> Option<i8> {
        let finish = |sum: i64| Some(Int8::finish(output, channel, i32::try_from(sum).ok()?));
        let value = finish(self.low)?;
        let no_overflow = channel.requantize.shift <= 0;
        (no_overflow && finish(self.high)? == value).then_some(value)
    }
}

impl Packed {
    /// Name of the kernel.
    pub fn kernel(&self) -> &'static str {
        match self {
            Self::Dense { .. } => "dense_4",
            Self::Conv2d { window, .. } if window.is_pointwise() => "conv2d_4x2_pointwise",
            Self::Conv2d { .. } => "conv2d_4x2",
            Self::Depthwise { .. } => "depthwise_3x3_planes",
            Self::Add(_) => "add_packed",
        }
    }

    /// Bytes of scratch, aligned to words.
    pub fn scratch(&self) -> usize {
        match self {
            Self::Dense { inputs, .. } => PackedDense::scratch_len(*inputs),
            Self::Conv2d { window, .. } => PackedConv2d::scratch_len(window),
            Self::Depthwise { window, .. } => PackedDepthwise::scratch_len(window),
            Self::Add(_) => 0,
        }
    }

    /// Weights and biases.
    pub fn parameters(&self) -> Option<&PackedParameters> {
        match self {
            Self::Dense { parameters, .. }
            | Self::Conv2d { parameters, .. }
            | Self::Depthwise { parameters, .. } => Some(parameters),
            Self::Add(_) => None,
        }
    }

    /// Runs it in an arena, on `len` outputs; `b` is the second input of a sum.
    pub(crate) fn forward(&self, words: &mut [u32], at: Places, b: usize, len: usize) {
        match self {
            Self::Dense { inputs, parameters: p } => {
                PackedDense::new(*inputs, p.channels.len(), &p.weights, &p.table, p.output, p.rounding)
                    .forward(words, at);
            }
            Self::Conv2d { window, parameters: p } => {
                PackedConv2d::new(*window, p.channels.len(), &p.weights, &p.table, p.output, p.pad)
                    .forward(words, at);
            }
            Self::Depthwise { window, parameters: p } => {
                let weights = p.weights.as_chunks().0;
                PackedDepthwise::new(*window, weights, &p.table, p.output, p.pad).forward(words, at);
            }
            Self::Add(add) => {
                if let Some(add) = PackedAdd::new(add) {
                    add.forward(words, at, b, len);
                }
            }
        }
    }

    /// Bytes of weights and biases, and of all constants, on the device.
    pub(crate) fn bytes(&self) -> (usize, usize) {
        match self.parameters() {
            Some(p) => {
                let weights = 4 * p.weights.len();
                (weights + 4 * p.channels.len(), weights + 16 * p.table.len() + 40)
            }
            None => (0, size_of::<PackedAdd>()),
        }
    }
}
