//! Convolution: four positions by two filters, 13 instructions for 16 products.
//!
//! The driver goes over the positions; `gather` widens their patches to columns, `kernel` multiplies columns with filters.

mod gather;
mod kernel;

use crate::arena;
use crate::packed::{PackedConv2d, Places, Taps};
use gather::{Gather, milligrad_widen_4};
use kernel::{Job, milligrad_conv_1x2, milligrad_conv_4x2};

/// See [`PackedConv2d`].
#[inline(never)]
pub(crate) fn conv2d(layer: &PackedConv2d<'_>, words: &mut [u32], at: Places) {
    let window = &layer.window;
    let filters = usize::from(layer.filters);
    let taps = Taps::new(window);
    let base = arena::bytes_mut(words).as_mut_ptr();
    // SAFETY: the caller checked that the places lie within the arena; scratch is aligned, since the arena is.
    let (x, columns, mut y) =
        unsafe { (base.add(at.x).cast_const(), base.add(at.scratch).cast::<u32>(), base.add(at.y)) };
    let gather = Gather { window, taps, x, pad: layer.pad };
    let (positions, pointwise) = (window.positions(), window.is_pointwise() && taps.run.is_multiple_of(4));
    let words_of_column = taps.len() / 2;
    let mut job = Job {
        columns,
        columns_end: columns,
        channels: layer.channels.as_ptr(),
        filters,
        y,
        stride: filters,
        stride3: 3 * filters,
        signed: usize::from(layer.output.signed),
        odd_quads: taps.len() / 4 % 4,
        weights: layer.weights.as_ptr(),
    };
    let mut pixel = (0, 0);
    let mut position = 0;
    while position < positions {
        let group = if position + PackedConv2d::GROUP <= positions { PackedConv2d::GROUP } else { 1 };
        // SAFETY: scratch holds four columns, `x` the pixels of every position; `y` the outputs of this group, and
        // weights and channels are as long as `PackedConv2d::new` checked.
        unsafe {
            if pointwise && group > 1 {
                milligrad_widen_4(x.add(position * taps.run), columns, taps.run / 4, taps.run);
            } else {
                gather.group(&mut pixel, group, columns);
            }
            job.y = y;
            job.columns_end = columns.add(words_of_column * group);
            if group > 1 {
                milligrad_conv_4x2(&job)
            } else {
                milligrad_conv_1x2(&job)
            }
            if layer.output.is_narrow() {
                super::clamp(layer.output, y, group * filters);
            }
            y = y.add(group * filters);
        }
        position += group;
        if pointwise {
            // Only the last positions need it.
            let width = window.output()[1].max(1);
            if position + PackedConv2d::GROUP > positions {
                pixel = (position / width, position % width);
            }
        }
    }
}
