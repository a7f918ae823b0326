//! Removal of channels that are provably constant, or that nobody uses.
//!
//! A channel that always has the same value (a ReLU over a sum that is never positive, say) need not be computed: its
//! products go into the biases of the layers that read it. A channel that only leads to removed channels is not
//! used. Depthwise convolutions and pooling pass channels on one to one, so such channels stay or go together.

use super::Draft;
use super::intervals::{self, Interval, pads};
use crate::program::{BufferId, Kernel, Layer, Parameters, Source, Step};
use milligrad::{Int8, Padding, Window2d};

/// Removes what can go; says what.
pub(super) fn remove(draft: &mut Draft<'_>) -> Vec<String> {
    let intervals = intervals::of(draft);
    let channels: Vec<usize> = (0..draft.buffers.len()).map(|id| channels_of(draft, BufferId(id))).collect();
    let mut search =
        Search { draft, intervals: &intervals, channels: &channels, links: Links::new(&channels) };
    let removed = search.removable();
    let report = report(draft, &removed);
    if !report.is_empty() {
        apply(draft, &intervals, &removed);
    }
    report
}

/// Channels of a buffer: the last axis of what is written to it. The input has elements only.
fn channels_of(draft: &Draft<'_>, id: BufferId) -> usize {
    let writer = draft.steps.iter().find(|step| step.output == id);
    writer.and_then(|step| step.shape.last().copied()).unwrap_or(1)
}

/// For each buffer and channel, whether it goes.
type Removed = Vec<Vec<bool>>;

struct Search<'a, 'd> {
    draft: &'a Draft<'d>,
    intervals: &'a [Vec<Interval>],
    channels: &'a [usize],
    links: Links,
}

impl Search<'_, '_> {
    /// The largest set of channels that can go, but an even number of channels stays: kernels take them in pairs.
    fn removable(&mut self) -> Removed {
        for step in self.draft.steps.iter() {
            if let Some(Pass::Through) = pass(step)
                && self.sees_channels(step)
            {
                for channel in 0..self.channels[step.output.0] {
                    self.links.join((step.inputs[0], channel), (step.output, channel));
                }
            }
        }
        let mut kept = vec![false; self.links.len()];
        loop {
            let removed = self.grow(&kept);
            let mut added = false;
            for id in (0..self.channels.len()).map(BufferId) {
                let gone: Vec<_> = (0..self.channels[id.0]).filter(|&c| removed[id.0][c]).collect();
                let left = self.channels[id.0] - gone.len();
                if let (Some(&channel), true) = (gone.first(), left % 2 == 1 || left == 0) {
                    let root = self.links.root((id, channel));
                    added |= !std::mem::replace(&mut kept[root], true);
                }
            }
            if !added {
                return removed;
            }
        }
    }

    /// Grows the set until nothing can be added; members of `kept` stay.
    fn grow(&mut self, kept: &[bool]) -> Removed {
        let mut removed: Removed = self.channels.iter().map(|&n| vec![false; n]).collect();
        loop {
            let mut blocked = kept.to_vec();
            for id in (0..self.channels.len()).map(BufferId) {
                for channel in 0..self.channels[id.0] {
                    if !self.may_go(id, channel, &removed) {
                        blocked[self.links.root((id, channel))] = true;
                    }
                }
            }
            let mut grown = false;
            for id in (0..self.channels.len()).map(BufferId) {
                for channel in 0..self.channels[id.0] {
                    let goes = !blocked[self.links.root((id, channel))];
                    grown |= goes && !std::mem::replace(&mut removed[id.0][channel], goes);
                }
            }
            if !grown {
                return removed;
            }
        }
    }

    /// Whether its writer and all its readers can do without this channel.
    fn may_go(&self, id: BufferId, channel: usize, removed: &Removed) -> bool {
        if self.draft.ports.contains(&id) {
            return false;
        }
        let touching = self.draft.steps.iter().filter(|step| step.output == id || step.inputs.contains(&id));
        let mut written = false;
        for step in touching {
            let Some(pass) = pass(step) else { return false };
            if step.inputs.contains(&id) && !self.sees_channels(step) {
                return false;
            }
            written |= step.output == id;
            if step.inputs.contains(&id) && pass == Pass::Mix && !self.can_fold(step, channel, removed) {
                return false;
            }
        }
        written
    }

    /// Whether the channels of an image are those that the layer before wrote, and no view with other axes lies between.
    fn sees_channels(&self, step: &Step) -> bool {
        let channels = self.channels[step.inputs[0].0];
        match &step.kernel {
            Kernel::Int8(Layer::Dense { .. }) => true,
            Kernel::Int8(
                Layer::Conv2d { window, .. }
                | Layer::DepthwiseConv2d { window, .. }
                | Layer::MaxPool2d { window, .. }
                | Layer::AvgPool2d { window, .. },
            ) => window.input()[2] == channels,
            _ => false,
        }
    }

    /// Whether a layer that mixes its input channels can do without one: it is constant, or has no weight in any output
    /// that stays.
    fn can_fold(&self, step: &Step, channel: usize, removed: &Removed) -> bool {
        let Kernel::Int8(layer) = &step.kernel else { return false };
        let (Some(parameters), padded) =
            (layer.parameters(), matches!(layer, Layer::Conv2d { window, .. } if pads(window)))
        else {
            return false;
        };
        let (low, high) = self.intervals[step.inputs[0].0][channel];
        if low == high && (!padded || low == parameters.pad) {
            return true;
        }
        let Source::Flash(weights) = &parameters.weights else { return false };
        let (outputs, depth) = (self.channels[step.output.0], self.channels[step.inputs[0].0]);
        let row = weights.len() / outputs;
        weights
            .iter()
            .enumerate()
            .all(|(i, &w)| w == 0 || i % row % depth != channel || removed[step.output.0][i / row])
    }
}

/// What a layer does with channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Each output depends on all inputs.
    Mix,
    /// Each output depends on the input of the same number.
    Through,
}

/// What a step does with channels; `None` for steps that must keep theirs.
fn pass(step: &Step) -> Option<Pass> {
    let Kernel::Int8(layer) = &step.kernel else { return None };
    match layer {
        Layer::Dense { .. } | Layer::Conv2d { .. } => Some(Pass::Mix),
        Layer::DepthwiseConv2d { window, .. } => {
            (step.shape.last() == Some(&window.input()[2])).then_some(Pass::Through)
        }
        Layer::MaxPool2d { .. } | Layer::AvgPool2d { .. } => Some(Pass::Through),
    }
}

/// Which channels stay or go together.
struct Links {
    starts: Vec<usize>,
    parents: Vec<usize>,
}

impl Links {
    fn new(channels: &[usize]) -> Self {
        let starts = channels.iter().scan(0, |end, n| {
            *end += n;
            Some(*end - n)
        });
        Self { starts: starts.collect(), parents: (0..channels.iter().sum()).collect() }
    }

    fn len(&self) -> usize {
        self.parents.len()
    }

    fn root(&mut self, (id, channel): (BufferId, usize)) -> usize {
        let mut at = self.starts[id.0] + channel;
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }

    fn join(&mut self, a: (BufferId, usize), b: (BufferId, usize)) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[b] = a;
    }
}

fn report(draft: &Draft<'_>, removed: &Removed) -> Vec<String> {
    let line = |step: &Step| {
        let removed = &removed[step.output.0];
        let gone = removed.iter().filter(|&&gone| gone).count();
        let why = "they are constant for every input, or lead to constants alone";
        (gone > 0).then(|| format!("`{}`: {gone} of {} channels: {why}", step.name, removed.len()))
    };
    draft.steps.iter().filter_map(line).collect()
}

/// Takes the channels out of weights, scales, windows, shapes and buffers.
fn apply(draft: &mut Draft<'_>, intervals: &[Vec<Interval>], removed: &Removed) {
    for step in draft.steps.iter_mut() {
        let (from, to) = (&removed[step.inputs[0].0], &removed[step.output.0]);
        let Kernel::Int8(layer) = &mut step.kernel else { continue };
        let kept = |removed: &[bool]| removed.iter().filter(|gone| !**gone).count();
        match layer {
            Layer::Dense { inputs, parameters } => {
                mix(parameters, &intervals[step.inputs[0].0], from, to);
                *inputs = *inputs / from.len() * kept(from);
            }
            Layer::Conv2d { window, parameters } => {
                mix(parameters, &intervals[step.inputs[0].0], from, to);
                *window = with_depth(window, window.input()[2] / from.len() * kept(from));
            }
            Layer::DepthwiseConv2d { window, parameters } => {
                if let (Source::Flash(weights), Source::Flash(channels)) =
                    (&mut parameters.weights, &mut parameters.channels)
                {
                    keep(weights, |i| !to[i % to.len()]);
                    keep(channels, |i| !to[i]);
                }
                *window = with_depth(window, window.input()[2] / from.len() * kept(from));
            }
            Layer::MaxPool2d { window, .. } | Layer::AvgPool2d { window, .. } => {
                *window = with_depth(window, window.input()[2] / from.len() * kept(from));
            }
        }
        if let Some(last) = step.shape.last_mut() {
            *last = kept(to);
        }
        if let Some(Parameters {
            weights: Source::Flash(weights), channels: Source::Flash(channels), ..
        }) = layer.parameters()
        {
            step.parameters = weights.len() + channels.len();
            let positions = step.shape.iter().rev().skip(1).product::<usize>();
            step.macs = (weights.len() * positions) as u64;
        }
    }
    for (buffer, removed) in draft.buffers.iter_mut().zip(removed) {
        let kept = removed.iter().filter(|gone| !**gone).count();
        buffer.len = buffer.len / removed.len() * kept;
    }
}

/// Drops outputs and inputs of a layer that mixes channels; constant inputs go into the biases.
fn mix(parameters: &mut Parameters<Int8>, inputs: &[Interval], from: &[bool], to: &[bool]) {
    let (Source::Flash(weights), Source::Flash(channels)) =
        (&mut parameters.weights, &mut parameters.channels)
    else {
        return;
    };
    let row = weights.len() / to.len();
    for (channel, weights) in channels.iter_mut().zip(weights.chunks(row)) {
        for (i, &w) in weights.iter().enumerate() {
            let (low, high) = inputs[i % inputs.len()];
            // An input that goes without being constant has no weight here.
            if from[i % from.len()] && low == high {
                channel.bias = channel.bias.wrapping_add(i32::from(w) * i32::from(low));
            }
        }
    }
    keep(weights, |i| !to[i / row] && !from[i % row % from.len()]);
    keep(channels, |i| !to[i]);
}

fn keep<T>(values: &mut Vec<T>, keep: impl Fn(usize) -> bool) {
    let mut index = 0;
    values.retain(|_| {
        index += 1;
        keep(index - 1)
    });
}

/// The same window over an image of another depth.
fn with_depth(window: &Window2d, depth: usize) -> Window2d {
    let after = |axis: usize| {
        let span = (window.kernel()[axis] - 1) * window.dilation()[axis] + 1;
        let needed = (window.output()[axis] - 1) * window.stride()[axis] + span;
        needed.saturating_sub(window.input()[axis] + window.before()[axis]) as u16
    };
    let ([height, width, _], [top, left]) = (window.input(), window.before());
    let padding = Padding::Explicit { top: top as u16, bottom: after(0), left: left as u16, right: after(1) };
    Window2d::new([height, width, depth], window.kernel(), window.stride(), window.dilation(), padding)
}
