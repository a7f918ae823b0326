//! TransposeConv2d: the convolution that runs backwards, from a small image to a large one.

use crate::Arithmetic;

/// Geometry of a transposed convolution: input pixel `(y, x)` reaches the output pixels `(y s - before + k, ..)` for all
/// taps `k`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TransposedWindow {
    input: [u16; 3],
    kernel: [u16; 2],
    stride: [u16; 2],
    before: [u16; 2],
    output: [u16; 2],
}

impl TransposedWindow {
    /// From an image of `input` (height, width, channels) to one of `output` (height, width), of which `before` rows
    /// and columns are cut off above and to the left.
    ///
    /// # Panics
    /// If an extent is zero or does not fit 16 bits; in a `const` or `static` that is a compile error.
    pub const fn new(
        input: [usize; 3],
        kernel: [usize; 2],
        stride: [usize; 2],
        before: [usize; 2],
        output: [usize; 2],
    ) -> Self {
        assert!(
            before[0] <= u16::MAX as usize && before[1] <= u16::MAX as usize,
            "padding is at most 65,535"
        );
        Self {
            input: [extent(input[0]), extent(input[1]), extent(input[2])],
            kernel: [extent(kernel[0]), extent(kernel[1])],
            stride: [extent(stride[0]), extent(stride[1])],
            before: [before[0] as u16, before[1] as u16],
            output: [extent(output[0]), extent(output[1])],
        }
    }

    /// Height, width and channels of the input.
    pub const fn input(&self) -> [usize; 3] {
        [self.input[0] as usize, self.input[1] as usize, self.input[2] as usize]
    }

    /// Height and width of the kernel.
    pub const fn kernel(&self) -> [usize; 2] {
        [self.kernel[0] as usize, self.kernel[1] as usize]
    }

    /// Step down and to the right, in the output.
    pub const fn stride(&self) -> [usize; 2] {
        [self.stride[0] as usize, self.stride[1] as usize]
    }

    /// Rows and columns of the output that are cut off.
    pub const fn before(&self) -> [usize; 2] {
        [self.before[0] as usize, self.before[1] as usize]
    }

    /// Height and width of the output.
    pub const fn output(&self) -> [usize; 2] {
        [self.output[0] as usize, self.output[1] as usize]
    }

    /// Number of elements that one output position sees: taps times channels.
    pub const fn patch_len(&self) -> usize {
        self.kernel[0] as usize * self.kernel[1] as usize * self.input[2] as usize
    }

    /// The input's row or column that tap `k` of output `at` sees, if there is one.
    #[inline(always)]
    fn seen(&self, axis: usize, at: usize, k: usize) -> Option<usize> {
        let (before, stride) = (usize::from(self.before[axis]), usize::from(self.stride[axis]).max(1));
        let along = (at + before).checked_sub(k)?;
        let from = along / stride;
        (from * stride == along && from < usize::from(self.input[axis])).then_some(from)
    }

    /// Copies what output position `(row, column)` sees into `patch`; `pad` where it sees nothing.
    #[inline]
    fn gather<T: Copy>(&self, image: &[T], (row, column): (usize, usize), pad: T, patch: &mut [T]) {
        let ([_, width, depth], [kernel_height, kernel_width]) = (self.input(), self.kernel());
        let mut taps = patch.chunks_exact_mut(depth.max(1));
        for ky in 0..kernel_height {
            let y = self.seen(0, row, ky);
            for kx in 0..kernel_width {
                let to = taps.next().unwrap_or_default();
                match (y, self.seen(1, column, kx)) {
                    (Some(y), Some(x)) => {
                        let from = image.get((y * width + x) * depth..).unwrap_or_default();
                        to.iter_mut().zip(from).for_each(|(to, &x)| *to = x);
                    }
                    _ => to.fill(pad),
                }
            }
        }
    }
}

const fn extent(n: usize) -> u16 {
    assert!(n > 0 && n <= u16::MAX as usize, "extents, kernels and strides are within 1 to 65,535");
    n as u16
}

/// `y[p, o] = activation(Σ x[q, i] W[o, k, i] + b[o])` over all `q`, `k` with `q stride - before + k = p`, over HWC images,
/// with weights in OHWI order.
#[derive(Debug, Clone, Copy)]
pub struct TransposeConv2d<'a, A: Arithmetic> {
    window: TransposedWindow,
    weights: &'a [A::Weight],
    channels: &'a [A::Channel],
    output: A::Output,
    pad: A::Element,
}

impl<'a, A: Arithmetic> TransposeConv2d<'a, A> {
    /// A transposed convolution with as many filters as `channels` has entries. `pad` is the element that stands for
    /// zero: 0.0, or the input's zero point.
    ///
    /// # Panics
    /// If `weights` has not filters times patch length entries; in a `const` or `static` that is a compile error.
    pub const fn new(
        window: TransposedWindow,
        weights: &'a [A::Weight],
        channels: &'a [A::Channel],
        output: A::Output,
        pad: A::Element,
    ) -> Self {
        assert!(
            weights.len() == window.patch_len() * channels.len(),
            "a transposed convolution has filters x kernel height x kernel width x input channels weights"
        );
        Self { window, weights, channels, output, pad }
    }

    /// Convolves `x` into `y`, through a `patch` of [`TransposedWindow::patch_len`] elements.
    #[inline]
    pub fn forward(&self, x: &[A::Element], patch: &mut [A::Element], y: &mut [A::Element]) {
        let [height, width] = self.window.output();
        let mut pixels = y.chunks_exact_mut(self.channels.len().max(1));
        for row in 0..height {
            for column in 0..width {
                self.window.gather(x, (row, column), self.pad, patch);
                A::rows(self.weights, self.channels, &self.output, patch, pixels.next().unwrap_or_default());
            }
        }
    }
}
