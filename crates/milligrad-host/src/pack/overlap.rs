//! How far the output of a packed kernel may lie over its input.

use super::Packed;
use crate::plan::Overlap;
use milligrad::Window2d;
use milligrad::packed::{PackedConv2d, PackedDepthwise};

impl Packed {
    /// What is safe between the output and an input that nobody needs afterwards.
    pub(crate) fn overlap(&self) -> Overlap {
        match self {
            // Every output needs every input.
            Self::Dense { .. } => Overlap::Never,
            Self::Conv2d { window, parameters } => {
                Overlap::Behind(distance(window, parameters.channels.len()))
            }
            Self::Depthwise { window, .. } if PackedDepthwise::in_place(window) => Overlap::Same,
            Self::Depthwise { .. } => Overlap::Never,
            // Element by element, in order.
            Self::Add(_) => Overlap::Behind(0),
        }
    }
}

/// The least distance from the start of the output to that of the input for which no position is overwritten before
/// it was read for the last time. Negative if the output may start after the input.
fn distance(window: &Window2d, filters: usize) -> isize {
    let [height, width, depth] = window.input();
    let ([stride_y, stride_x], [before_y, before_x]) = (window.stride(), window.before());
    let [_, columns] = window.output();
    // First input element of each position: the top left pixel of its window, or what follows it in the image.
    let first = |position: usize| {
        let (row, column) = (position / columns, position % columns);
        let top = (row * stride_y).saturating_sub(before_y).min(height);
        let left = (column * stride_x).saturating_sub(before_x).min(width);
        (top * width + left) * depth
    };
    let positions = window.positions();
    // From the end: the first element that any later position needs.
    let mut needed = vec![isize::MAX; positions + 1];
    for position in (0..positions).rev() {
        needed[position] = needed[position + 1].min(first(position) as isize);
    }
    // From here on every distance is the same: the output may lie anywhere.
    let mut distance = -(window.input_len() as isize);
    let mut position = 0;
    while position < positions {
        position += if position + PackedConv2d::GROUP <= positions { PackedConv2d::GROUP } else { 1 };
        if position < positions {
            distance = distance.max((position * filters) as isize - needed[position]);
        }
    }
    distance
}
