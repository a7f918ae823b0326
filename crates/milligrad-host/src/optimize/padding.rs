//! PAD before a convolution becomes the convolution's own padding: one copy of the image less.

use super::Draft;
use crate::program::{BufferId, Elements, Kernel, Layer};
use milligrad::{Padding, Window2d};

/// Fuses what can be fused; says what.
pub(super) fn fuse(draft: &mut Draft<'_>) -> Vec<String> {
    let mut report = Vec::new();
    let mut index = 0;
    while index < draft.steps.len() {
        match find(draft, index) {
            Some((reader, window)) => {
                let pad = &draft.steps[index];
                report.push(format!("`{}`: `{}` pads by itself", pad.name, draft.steps[reader].name));
                apply(draft, index, reader, window);
            }
            None => index += 1,
        }
    }
    report
}

/// The one convolution that reads what step `index` pads, with as padding what it pads with, and its new window.
fn find(draft: &Draft<'_>, index: usize) -> Option<(usize, Window2d)> {
    let Kernel::Pad { value, inner } = &draft.steps[index].kernel else { return None };
    let padded = draft.steps[index].output;
    let mut readers = (0..draft.steps.len()).filter(|&i| draft.steps[i].inputs.contains(&padded));
    let (reader, None) = (readers.next()?, readers.next()) else { return None };
    let writers = draft.steps.iter().filter(|step| step.output == padded).count();
    if draft.ports.contains(&padded) || writers != 1 {
        return None;
    }
    let Kernel::Int8(Layer::Conv2d { window, parameters } | Layer::DepthwiseConv2d { window, parameters }) =
        &draft.steps[reader].kernel
    else {
        return None;
    };
    (parameters.pad == *value).then(|| Some((reader, with_border(window, inner)?)))?
}

/// The window over the inner image, if that is the whole depth of an image with a border.
fn with_border(window: &Window2d, inner: &Elements) -> Option<Window2d> {
    let [height, width, depth] = window.input();
    let mut image = [1, 1, 1];
    for (&extent, &step) in inner.extents.iter().zip(&inner.steps).filter(|(extent, _)| **extent > 1) {
        let steps = [width * depth, depth, 1];
        let axis = steps.iter().position(|&own| own as isize == step)?;
        image[axis] *= extent;
    }
    let row = width * depth;
    let (top, rest) = (inner.start / row, inner.start % row);
    let left = rest / depth;
    let fits = rest % depth == 0 && image[2] == depth && top + image[0] <= height && left + image[1] <= width;
    if !fits || inner.len != height * row {
        return None;
    }
    let before = [window.before()[0] + top, window.before()[1] + left];
    let after = |axis: usize| {
        let span = (window.kernel()[axis] - 1) * window.dilation()[axis] + 1;
        let needed = (window.output()[axis] - 1) * window.stride()[axis] + span;
        u16::try_from(needed.saturating_sub(image[axis] + before[axis])).ok()
    };
    let padding = Padding::Explicit {
        top: before[0].try_into().ok()?,
        bottom: after(0)?,
        left: before[1].try_into().ok()?,
        right: after(1)?,
    };
    let fused = Window2d::new(image, window.kernel(), window.stride(), window.dilation(), padding);
    (fused.output() == window.output()).then_some(fused)
}

/// Takes the step out; the reader reads its input.
fn apply(draft: &mut Draft<'_>, index: usize, reader: usize, new: Window2d) {
    let (x, padded): (BufferId, _) = (draft.steps[index].inputs[0], draft.steps[index].output);
    draft.steps[reader].inputs = vec![x];
    if let Kernel::Int8(Layer::Conv2d { window, .. } | Layer::DepthwiseConv2d { window, .. }) =
        &mut draft.steps[reader].kernel
    {
        *window = new;
    }
    draft.buffers[x.0].last = draft.buffers[x.0].last.max(reader);
    draft.buffers[padded.0].len = 0;
    draft.steps.remove(index);
    for buffer in draft.buffers.iter_mut() {
        for time in [&mut buffer.first, &mut buffer.last] {
            *time -= usize::from(*time > index);
        }
    }
}
