//! The patches that a convolution looks at, one after the other.

use super::Window2d;
use crate::Arithmetic;

/// Lines of an image under a window: how long they are, how many, and how far apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    len: usize,
    count: usize,
    stride: usize,
    reach: usize,
    total: usize,
}

impl Lines {
    /// `count` lines of `len` elements that start `stride` elements apart.
    pub const fn new(len: usize, count: usize, stride: usize) -> Self {
        let reach = match count.checked_sub(1) {
            Some(before) => before.saturating_mul(stride).saturating_add(len),
            None => 0,
        };
        Self { len, count, stride, reach, total: count.saturating_mul(len) }
    }

    /// Elements of a line.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// `true` if lines have no elements.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of lines.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Elements from the start of a line to that of the next.
    pub const fn stride(&self) -> usize {
        self.stride
    }

    /// Elements from the start of the first line to the end of the last.
    pub const fn reach(&self) -> usize {
        self.reach
    }

    /// Elements of all lines.
    pub const fn total(&self) -> usize {
        self.total
    }

    /// Copies the lines, the first of which starts with `from`, to lie one after the other in `to`.
    #[inline(always)]
    pub fn copy<T: Copy>(&self, from: &[T], to: &mut [T]) {
        let starts = (0..self.count).map(|line| from.get(line * self.stride..).unwrap_or_default());
        for (to, from) in to.chunks_exact_mut(self.len.max(1)).zip(starts) {
            to.iter_mut().zip(from).for_each(|(to, &x)| *to = x);
        }
    }
}

/// The patches of an image, one for each position of a window. Those without padding are copied line by line; what that takes is
/// worked out once.
pub(crate) struct Patches<'w> {
    window: &'w Window2d,
    /// Of the positions that see no padding, down and to the right: the first, and how many there are.
    inside: [(usize, usize); 2],
    /// Elements of the image from a position to the one below and the one to the right, and before the first.
    step: [usize; 2],
    before: usize,
    lines: Lines,
}

/// The patches of a row of positions.
pub(crate) struct Row<'p> {
    patches: &'p Patches<'p>,
    row: usize,
    /// Where the first position's window starts, if it starts in the image.
    start: usize,
    /// How many positions see no padding.
    inside: usize,
}

/// Positions of a row that see no padding.
#[cfg(milligrad_fpu)]
pub(crate) struct Inside<'x, T> {
    /// From the first patch on.
    pub(crate) image: &'x [T],
    /// Elements from a patch to the next.
    pub(crate) step: usize,
    /// Elements from a line of a patch to the next.
    pub(crate) line: usize,
    /// At least one; all patches lie in `image`.
    pub(crate) positions: usize,
    /// Elements from a position to the one below.
    pub(crate) down: usize,
}

impl<'w> Patches<'w> {
    #[inline]
    pub(crate) fn new(window: &'w Window2d) -> Self {
        let [height, width, channels] = window.input();
        let (strides, before, line) = (window.stride(), window.before(), width * channels);
        let inside = |axis: usize, input: usize| {
            let (stride, before) = (strides[axis].max(1), before[axis]);
            let span = (window.kernel()[axis].max(1) - 1) * window.dilation()[axis] + 1;
            let end = (input + before).checked_sub(span).map_or(0, |room| room / stride + 1);
            let first = before.div_ceil(stride);
            (first, end.min(window.output()[axis]).saturating_sub(first))
        };
        let (down, mut right) = (inside(0, height), inside(1, width));
        if window.dilation[1] != 1 {
            right.1 = 0;
        }
        Self {
            window,
            inside: [down, right],
            step: [strides[0] * line, strides[1] * channels],
            before: before[0] * line + before[1] * channels,
            lines: Lines::new(window.kernel()[1] * channels, window.kernel()[0], window.dilation()[0] * line),
        }
    }

    /// `true` if no position sees padding, and all see elements of this image.
    #[cfg(milligrad_fpu)]
    #[inline(always)]
    pub(crate) fn all_inside<T>(&self, image: &[T]) -> bool {
        let ([height, width], [down, right]) = (self.window.output(), self.step);
        let last = (height - 1) * down + (width - 1) * right;
        self.inside == [(0, height), (0, width)] && last + self.lines.reach() <= image.len()
    }

    /// The rows of positions, from above.
    #[inline(always)]
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let [(first, count), (_, inside)] = self.inside;
        (0..self.window.output()[0]).map(move |row| Row {
            patches: self,
            row,
            start: (row * self.step[0]).wrapping_sub(self.before),
            inside: if row.wrapping_sub(first) < count { inside } else { 0 },
        })
    }
}

impl Row<'_> {
    /// The positions of the row.
    #[inline(always)]
    pub(crate) fn columns(&self) -> core::ops::Range<usize> {
        0..self.patches.window.output()[1]
    }

    /// As [`Window2d::gather`] at one of the row's positions.
    #[inline(always)]
    pub(crate) fn gather<A: Arithmetic>(
        &self,
        image: &[A::Element],
        column: usize,
        pad: A::Element,
        patch: &mut [A::Element],
    ) {
        let Patches { inside: [_, (first, _)], step: [_, step], ref lines, .. } = *self.patches;
        if column.wrapping_sub(first) < self.inside {
            let start = self.start.wrapping_add(column * step);
            A::copy_lines(lines, image.get(start..).unwrap_or_default(), patch);
        } else {
            self.with_padding(image, column, pad, patch);
        }
    }

    /// The positions from `column` on that see no padding, as far as the image reaches; none if this one does.
    #[cfg(milligrad_fpu)]
    #[inline(always)]
    pub(crate) fn inside<'x, T>(&self, image: &'x [T], column: usize) -> Option<Inside<'x, T>> {
        let Patches { inside: [_, (first, _)], step: [_, step], ref lines, .. } = *self.patches;
        let positions =
            self.inside.checked_sub(column.wrapping_sub(first)).filter(|&positions| positions > 0)?;
        let image = image.get(self.start.wrapping_add(column * step)..)?;
        ((positions - 1) * step + lines.reach() <= image.len()).then_some(Inside {
            image,
            step,
            line: lines.stride(),
            positions,
            down: self.patches.step[0],
        })
    }

    #[inline(never)]
    fn with_padding<T: Copy>(&self, image: &[T], column: usize, pad: T, patch: &mut [T]) {
        self.patches.window.gather(image, (self.row, column), pad, patch);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::Padding;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn patches_are_what_gather_sees() {
        let image: Vec<f32> = (1..=84).map(|x| x as f32).collect();
        let paddings =
            [Padding::Valid, Padding::Same, Padding::Explicit { top: 3, bottom: 0, left: 0, right: 2 }];
        let shapes = (1..=3).flat_map(|k| (1..=3).flat_map(move |s| paddings.map(|p| (k, s, p))));
        let mut all_inside = 0;
        for (kernel, stride, padding) in shapes {
            for dilation in [[1, 1], [2, 1], [1, 2]] {
                let window = Window2d::new([6, 7, 2], [kernel, 2], [stride, 1], dilation, padding);
                let patches = Patches::new(&window);
                let mut inside = 0;
                for (row, patches) in patches.rows().enumerate() {
                    inside += patches.inside;
                    for column in patches.columns() {
                        let (mut patch, mut expected) =
                            (vec![0.0; window.patch_len()], vec![0.0; window.patch_len()]);
                        patches.gather::<f32>(&image, column, -1.0, &mut patch);
                        window.gather(&image, (row, column), -1.0, &mut expected);
                        assert_eq!(patch, expected, "{window:?} at {row}, {column}");
                    }
                }
                let expected = window.each_position().filter(|&at| window.is_inside(at)).count();
                assert_eq!(inside, if dilation[1] == 1 { expected } else { 0 }, "{window:?}");
                all_inside += inside;
            }
        }
        assert!(all_inside > 500, "{all_inside}");
    }
}
