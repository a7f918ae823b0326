//! Interval arithmetic: the least and the largest value that each channel of each int8 buffer can have, whatever the
//! input.

use super::Draft;
use crate::program::{Kernel, Layer, Parameters, Source};
use milligrad::{Arithmetic, Int8, QuantizedChannel, Window2d};

/// Least and largest value.
pub(super) type Interval = (i8, i8);

const ANY: Interval = (i8::MIN, i8::MAX);

/// Intervals of the channels of each buffer. A buffer that several steps write has values of any kind.
pub(super) fn of(draft: &Draft<'_>) -> Vec<Vec<Interval>> {
    let mut intervals: Vec<Vec<Interval>> = vec![vec![ANY]; draft.buffers.len()];
    for step in draft.steps.iter() {
        let channels = step.shape.last().copied().unwrap_or(1);
        let writers = draft.steps.iter().filter(|other| other.output == step.output).count();
        let input = |element: usize| {
            let input = &intervals[step.inputs[0].0];
            input[element % input.len()]
        };
        let output = match &step.kernel {
            Kernel::Int8(layer) if writers == 1 => layer_intervals(layer, input, channels),
            _ => vec![ANY; channels],
        };
        intervals[step.output.0] = output;
    }
    intervals
}

fn layer_intervals(layer: &Layer<Int8>, input: impl Fn(usize) -> Interval, channels: usize) -> Vec<Interval> {
    match layer {
        Layer::Dense { inputs, parameters } => sums(parameters, |i| (i / inputs, i % inputs), input, false),
        Layer::Conv2d { window, parameters } => {
            let (patch, depth) = (window.patch_len(), window.input()[2]);
            sums(parameters, |i| (i / patch, i % depth), input, pads(window))
        }
        Layer::DepthwiseConv2d { window, parameters } => {
            let multiplier = channels / window.input()[2];
            sums(parameters, |i| (i % channels, i % channels / multiplier), input, pads(window))
        }
        // Neither a maximum nor a mean leaves the interval; the range of the activation is left aside.
        Layer::MaxPool2d { .. } | Layer::AvgPool2d { .. } => (0..channels).map(input).collect(),
    }
}

/// The outputs of sums of products; `ends` gives the output and the input channel of a weight.
fn sums(
    parameters: &Parameters<Int8>,
    ends: impl Fn(usize) -> (usize, usize),
    input: impl Fn(usize) -> Interval,
    padded: bool,
) -> Vec<Interval> {
    let (Source::Flash(weights), Source::Flash(channels)) = (&parameters.weights, &parameters.channels)
    else {
        unreachable!("int8 layers do not learn")
    };
    let mut sums: Vec<(i64, i64)> = channels.iter().map(|c| (c.bias.into(), c.bias.into())).collect();
    for (index, &w) in weights.iter().enumerate() {
        let (output, channel) = ends(index);
        let (mut low, mut high) = input(channel);
        if padded {
            (low, high) = (low.min(parameters.pad), high.max(parameters.pad));
        }
        let (a, b) = (i64::from(w) * i64::from(low), i64::from(w) * i64::from(high));
        sums[output].0 += a.min(b);
        sums[output].1 += a.max(b);
    }
    let finish = |(channel, (low, high)): (&QuantizedChannel, (i64, i64))| {
        // Requantisation is monotonic as long as nothing overflows.
        match (i32::try_from(low), i32::try_from(high)) {
            (Ok(low), Ok(high)) if channel.requantize.shift <= 0 => (
                Int8::finish(&parameters.output, channel, low),
                Int8::finish(&parameters.output, channel, high),
            ),
            _ => ANY,
        }
    };
    channels.iter().zip(sums).map(finish).collect()
}

/// `true` if a position of the window sees padding.
pub(super) fn pads(window: &Window2d) -> bool {
    (0..2).any(|axis| {
        let span = (window.kernel()[axis] - 1) * window.dilation()[axis] + 1;
        let last = (window.output()[axis] - 1) * window.stride()[axis] + span;
        window.before()[axis] > 0 || last > window.input()[axis]
    })
}
