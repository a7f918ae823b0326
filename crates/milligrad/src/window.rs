//! Geometry of sliding windows: which inputs an output position of a convolution or a pooling sees.
//!
//! Every layer with a window, forward and backward, in every arithmetic, asks here; padding logic exists
//! nowhere else. Images are HWC: row by row, in each row pixel by pixel, in each pixel channel by channel.

mod patches;

#[cfg(milligrad_fpu)]
pub(crate) use patches::Inside;
pub use patches::Lines;
pub(crate) use patches::Patches;

use core::ops::Range;

/// How the border of an image is extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Padding {
    /// Not at all: `out = (in - span) / stride + 1`.
    Valid,
    /// So that `out = ceil(in / stride)`; an odd pixel goes to the bottom and right (TensorFlow's rule).
    Same,
    /// By these numbers of pixels.
    Explicit {
        /// Rows above.
        top: u16,
        /// Rows below.
        bottom: u16,
        /// Columns to the left.
        left: u16,
        /// Columns to the right.
        right: u16,
    },
}

/// A 2-D window that slides over an HWC image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Window2d {
    input: [u16; 3],
    kernel: [u16; 2],
    stride: [u16; 2],
    dilation: [u16; 2],
    /// Rows above and columns to the left of the image.
    before: [u16; 2],
    output: [u16; 2],
}

impl Window2d {
    /// A window of `kernel` (height, width) over an `input` (height, width, channels).
    ///
    /// # Panics
    /// If an extent is zero or does not fit 16 bits, or the window is larger than the padded image; in a
    /// `const` or `static` that is a compile error:
    ///
    /// ```compile_fail,E0080
    /// use milligrad::{Padding, Window2d};
    /// static TOO_LARGE: Window2d = Window2d::new([2, 2, 1], [3, 3], [1, 1], [1, 1], Padding::Valid);
    /// ```
    pub const fn new(
        input: [usize; 3],
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
        padding: Padding,
    ) -> Self {
        let (before_y, output_y) = match padding {
            Padding::Valid => axis(input[0], kernel[0], stride[0], dilation[0], None),
            Padding::Same => axis_same(input[0], kernel[0], stride[0], dilation[0]),
            Padding::Explicit { top, bottom, .. } => {
                axis(input[0], kernel[0], stride[0], dilation[0], Some((top, bottom)))
            }
        };
        let (before_x, output_x) = match padding {
            Padding::Valid => axis(input[1], kernel[1], stride[1], dilation[1], None),
            Padding::Same => axis_same(input[1], kernel[1], stride[1], dilation[1]),
            Padding::Explicit { left, right, .. } => {
                axis(input[1], kernel[1], stride[1], dilation[1], Some((left, right)))
            }
        };
        Self {
            input: [extent(input[0]), extent(input[1]), extent(input[2])],
            kernel: [extent(kernel[0]), extent(kernel[1])],
            stride: [extent(stride[0]), extent(stride[1])],
            dilation: [extent(dilation[0]), extent(dilation[1])],
            before: [before_y, before_x],
            output: [output_y, output_x],
        }
    }

    /// Height, width and channels of the input.
    pub const fn input(&self) -> [usize; 3] {
        [self.input[0] as usize, self.input[1] as usize, self.input[2] as usize]
    }

    /// Height and width of the output.
    pub const fn output(&self) -> [usize; 2] {
        [self.output[0] as usize, self.output[1] as usize]
    }

    /// Height and width of the kernel.
    pub const fn kernel(&self) -> [usize; 2] {
        [self.kernel[0] as usize, self.kernel[1] as usize]
    }

    /// Step down and to the right.
    pub const fn stride(&self) -> [usize; 2] {
        [self.stride[0] as usize, self.stride[1] as usize]
    }

    /// Distance of taps.
    pub const fn dilation(&self) -> [usize; 2] {
        [self.dilation[0] as usize, self.dilation[1] as usize]
    }

    /// Rows of padding above and columns to the left of the image.
    pub const fn before(&self) -> [usize; 2] {
        [self.before[0] as usize, self.before[1] as usize]
    }

    /// Number of elements of the input.
    pub const fn input_len(&self) -> usize {
        let [h, w, c] = self.input();
        h.saturating_mul(w).saturating_mul(c)
    }

    /// Number of positions, which is output height times width.
    pub const fn positions(&self) -> usize {
        let [h, w] = self.output();
        h.saturating_mul(w)
    }

    /// Number of taps, which is kernel height times width.
    pub const fn taps(&self) -> usize {
        (self.kernel[0] as usize).saturating_mul(self.kernel[1] as usize)
    }

    /// Number of elements that one position sees, padding included: taps times channels.
    pub const fn patch_len(&self) -> usize {
        self.taps().saturating_mul(self.input[2] as usize)
    }

    /// `true` for a 1x1 window that visits every pixel in order: its patches are the pixels themselves.
    pub const fn is_pointwise(&self) -> bool {
        self.taps() == 1
            && self.input[0] == self.output[0]
            && self.input[1] == self.output[1]
            && self.before[0] == 0
            && self.before[1] == 0
    }

    /// `true` if this window, which is not dilated, covers a pixel at every position.
    pub(crate) const fn sees_pixels(&self) -> bool {
        let mut axis = 0;
        while axis < 2 {
            let last = (self.output[axis] as usize - 1) * self.stride[axis] as usize;
            let within = last < self.input[axis] as usize + self.before[axis] as usize;
            if self.before[axis] >= self.kernel[axis] || !within {
                return false;
            }
            axis += 1;
        }
        true
    }

    /// The output positions `(row, column)`, row by row.
    #[inline]
    pub fn each_position(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let [h, w] = self.output();
        (0..h).flat_map(move |row| (0..w).map(move |column| (row, column)))
    }

    /// Copies what position `at` sees into `patch`, in the order kernel row, kernel column, channel; `pad`
    /// where the window reaches beyond the image.
    #[inline]
    pub fn gather<T: Copy>(&self, image: &[T], at: (usize, usize), pad: T, patch: &mut [T]) {
        if !self.is_inside(at) {
            patch.fill(pad);
        }
        self.each_run(at, |from, to, len| {
            let (from, to) = (image.get(from..).unwrap_or_default(), patch.get_mut(to..).unwrap_or_default());
            to.iter_mut().zip(from).take(len).for_each(|(to, &x)| *to = x);
        });
    }

    /// The transpose of [`gather`](Self::gather): joins each element of `patch` to the image element that it was
    /// copied from; what came from padding is dropped.
    #[inline]
    pub fn scatter<T: Copy>(
        &self,
        patch: &[T],
        at: (usize, usize),
        image: &mut [T],
        join: impl Fn(T, T) -> T,
    ) {
        self.each_run(at, |to, from, len| {
            let (from, to) = (patch.get(from..).unwrap_or_default(), image.get_mut(to..).unwrap_or_default());
            to.iter_mut().zip(from).take(len).for_each(|(to, &x)| *to = join(*to, x));
        });
    }

    /// Calls `visit` with runs of elements under the window that lie together: where they start in the image and in
    /// the patch, and how many they are.
    #[inline(always)]
    pub(crate) fn each_run(&self, at: (usize, usize), mut visit: impl FnMut(usize, usize, usize)) {
        let [height, width, channels] = self.input();
        let [kernel_height, kernel_width] = self.kernel();
        let [step_y, step_x] = self.dilation();
        let (top, left) = self.origin(at);
        // The taps of a row lie together unless they are dilated.
        let (runs, taps) = if step_x == 1 { (1, kernel_width) } else { (kernel_width, 1) };
        for run in 0..runs {
            // Taps `before..end` lie in the image, those around them are padding.
            let x = left + (run * step_x) as isize;
            let within = |tap: isize| tap.max(0).min(taps as isize) as usize;
            let (before, end) = (within(-x), within(width as isize - x));
            let len = end.saturating_sub(before) * channels;
            let column = x.max(0) as usize;
            let mut to = (run + before) * channels;
            for ky in 0..kernel_height {
                // A row above the image is a very large number.
                let y = (top + (ky * step_y) as isize) as usize;
                if y < height && len > 0 {
                    visit((y * width + column) * channels, to, len);
                }
                to += kernel_width * channels;
            }
        }
    }

    /// `true` if all taps of position `at` are in the image.
    #[inline(always)]
    pub(crate) fn is_inside(&self, at: (usize, usize)) -> bool {
        let (top, left) = self.origin(at);
        let fits = |start: isize, axis: usize| {
            let reach = (self.kernel[axis] as usize - 1) * self.dilation[axis] as usize;
            start >= 0 && start as usize + reach < self.input[axis] as usize
        };
        fits(top, 0) && fits(left, 1)
    }

    /// The rows and columns of the image that a pooling window at `at` covers, without padding.
    #[inline]
    pub fn covered(&self, at: (usize, usize)) -> (Range<usize>, Range<usize>) {
        let (top, left) = self.origin(at);
        let clip = |start: isize, span: u16, end: u16| {
            let last = (start + span as isize).max(0).min(end as isize);
            start.max(0).min(last) as usize..last as usize
        };
        (clip(top, self.kernel[0], self.input[0]), clip(left, self.kernel[1], self.input[1]))
    }

    /// Where the window's first tap lies, which may be before the image.
    fn origin(&self, (row, column): (usize, usize)) -> (isize, isize) {
        // Positions beyond the last are as one behind it, so that nothing overflows.
        let along = |at: usize, axis: usize| {
            let at = at.min(self.output[axis] as usize);
            (at * self.stride[axis] as usize) as isize - self.before[axis] as isize
        };
        (along(row, 0), along(column, 1))
    }
}

const fn extent(n: usize) -> u16 {
    assert!(n > 0, "extents, kernels, strides and dilations are at least 1");
    assert!(n <= u16::MAX as usize, "an extent is at most 65,535");
    n as u16
}

/// Padding before, and output extent, of one axis.
const fn axis(
    input: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    padding: Option<(u16, u16)>,
) -> (u16, u16) {
    let (before, after) = match padding {
        Some(padding) => padding,
        None => (0, 0),
    };
    let span = span(kernel, dilation);
    let padded = extent(input) as usize + before as usize + after as usize;
    assert!(span <= padded, "the window is larger than the padded image");
    (before, extent((padded - span) / extent(stride) as usize + 1))
}

const fn axis_same(input: usize, kernel: usize, stride: usize, dilation: usize) -> (u16, u16) {
    let output = (extent(input) as usize).div_ceil(extent(stride) as usize);
    let needed = (output - 1) * stride + span(kernel, dilation);
    let total = needed.saturating_sub(input);
    assert!(total / 2 <= u16::MAX as usize, "padding is at most 65,535");
    ((total / 2) as u16, extent(output))
}

/// Pixels from the first to the last tap.
const fn span(kernel: usize, dilation: usize) -> usize {
    (extent(kernel) as usize - 1) * extent(dilation) as usize + 1
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn same_padding_is_tensorflows() {
        let window = Window2d::new([96, 96, 3], [3, 3], [2, 2], [1, 1], Padding::Same);
        assert_eq!((window.output(), window.before), ([48, 48], [0, 0]));
        let window = Window2d::new([49, 10, 1], [10, 4], [2, 2], [1, 1], Padding::Same);
        assert_eq!((window.output(), window.before), ([25, 5], [4, 1]));
    }

    #[test]
    fn gather_sees_the_padded_image_and_scatter_is_its_transpose() {
        for (dilation, stride) in [(1, 1), (1, 2), (2, 1), (3, 2)] {
            let window = Window2d::new([5, 6, 2], [3, 2], [stride; 2], [dilation; 2], Padding::Same);
            let image: Vec<i32> = (1..=60).collect();
            let mut counts = vec![0; 60];
            for at in window.each_position() {
                let mut patch = vec![0; window.patch_len()];
                window.gather(&image, at, -1, &mut patch);
                for (i, &value) in patch.iter().enumerate() {
                    let (ky, kx, c) = (i / 4, i / 2 % 2, i % 2);
                    let y = (at.0 * stride + ky * dilation) as isize - window.before[0] as isize;
                    let x = (at.1 * stride + kx * dilation) as isize - window.before[1] as isize;
                    let inside = (0..5).contains(&y) && (0..6).contains(&x);
                    let expected = if inside { (y * 12 + x * 2) as i32 + c as i32 + 1 } else { -1 };
                    assert_eq!(value, expected, "dilation {dilation} stride {stride} at {at:?} tap {i}");
                }
                window.scatter(&vec![1; window.patch_len()], at, &mut counts, |a, b| a + b);
            }
            let mut expected = vec![0; 60];
            for at in window.each_position() {
                let mut patch = vec![0; window.patch_len()];
                window.gather(&image, at, -1, &mut patch);
                patch.iter().filter(|&&v| v > 0).for_each(|&v| expected[v as usize - 1] += 1);
            }
            assert_eq!(counts, expected);
        }
    }

    #[test]
    fn covered_is_clipped() {
        let window = Window2d::new([4, 4, 1], [3, 3], [2, 2], [1, 1], Padding::Same);
        assert_eq!(window.covered((0, 0)), (0..3, 0..3));
        assert_eq!(window.covered((1, 1)), (2..4, 2..4));
    }
}
