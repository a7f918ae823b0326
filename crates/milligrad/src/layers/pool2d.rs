//! MaxPool2d and AvgPool2d: the largest and the mean element under a window, channel by channel.

use super::dense::backward_clamp;
use crate::{Arithmetic, Trainable, Window2d};
use core::ops::Range;

/// `y[p, c] = activation(max of x[., c] under the window at p)`; padding does not count.
#[derive(Debug, Clone, Copy)]
pub struct MaxPool2d<A: Arithmetic> {
    window: Window2d,
    output: A::Output,
}

/// `y[p, c] = activation(mean of x[., c] under the window at p)`; padding does not count.
#[derive(Debug, Clone, Copy)]
pub struct AvgPool2d<A: Arithmetic> {
    window: Window2d,
    output: A::Output,
}

impl<A: Arithmetic> MaxPool2d<A> {
    /// A maximum over `window`.
    ///
    /// # Panics
    /// If the window is dilated, or lies in the padding alone at some position; in a `const` or `static` that is
    /// a compile error.
    pub const fn new(window: Window2d, output: A::Output) -> Self {
        check(&window);
        Self { window, output }
    }

    /// Pools `x` into `y`. NaN counts as larger than any number.
    #[inline(never)]
    pub fn forward(&self, x: &[A::Element], y: &mut [A::Element]) {
        for (at, y) in self.window.each_position().zip(y.chunks_exact_mut(depth(&self.window))) {
            let area = Area::new(&self.window, at);
            let mut first = true;
            for line in area.lines() {
                for pixel in x.get(line).unwrap_or_default().chunks_exact(area.depth) {
                    for (y, &x) in y.iter_mut().zip(pixel) {
                        if first || x > *y || x.partial_cmp(&x).is_none() {
                            *y = x;
                        }
                    }
                    first = false;
                }
            }
            y.iter_mut().for_each(|y| *y = A::clamp(&self.output, *y));
        }
    }
}

impl<A: Arithmetic> AvgPool2d<A> {
    /// A mean over `window`.
    ///
    /// # Panics
    /// As [`MaxPool2d::new`].
    pub const fn new(window: Window2d, output: A::Output) -> Self {
        check(&window);
        Self { window, output }
    }

    /// Pools `x` into `y`.
    #[inline(never)]
    pub fn forward(&self, x: &[A::Element], y: &mut [A::Element]) {
        for (at, y) in self.window.each_position().zip(y.chunks_exact_mut(depth(&self.window))) {
            let area = Area::new(&self.window, at);
            let mean = |sum| A::clamp(&self.output, A::average(sum, area.count()));
            let (blocks, rest) = y.as_chunks_mut::<4>();
            let mut channel = 0;
            for block in blocks {
                *block = sum::<A, 4>(&area, channel, x).map(mean);
                channel += 4;
            }
            for y in rest {
                [*y] = sum::<A, 1>(&area, channel, x).map(mean);
                channel += 1;
            }
        }
    }
}

impl<A: Trainable> MaxPool2d<A> {
    /// `δx` from `δ`: each goes to the first element that holds the maximum; those of limited outputs are dropped.
    ///
    /// `y` is the output of the forward pass.
    #[inline(never)]
    pub fn backward_input(
        &self,
        x: &[A::Element],
        y: &[A::Element],
        delta: &[A::Element],
        delta_x: &mut [A::Element],
    ) {
        let depth = depth(&self.window);
        delta_x.fill(A::NO_DELTA);
        let outputs = y.chunks_exact(depth).zip(delta.chunks_exact(depth));
        for (at, (y, delta)) in self.window.each_position().zip(outputs) {
            let area = Area::new(&self.window, at);
            for (channel, (&y, &delta)) in y.iter().zip(delta).enumerate() {
                if !A::passed(&self.output, y) {
                    continue;
                }
                let mut taps = area.lines().flat_map(|line| line.step_by(depth));
                let found = taps.find(|tap| x.get(tap + channel) == Some(&y));
                if let Some(delta_x) = found.and_then(|tap| delta_x.get_mut(tap + channel)) {
                    *delta_x = A::add_delta(*delta_x, delta);
                }
            }
        }
    }
}

impl<A: Trainable> AvgPool2d<A> {
    /// Turns `δ` of the outputs into `δ` of the means, in place: zero where the fused activation limited `y`.
    #[inline]
    pub fn backward_activation(&self, y: &[A::Element], delta: &mut [A::Element]) {
        backward_clamp::<A>(&self.output, y, delta);
    }

    /// `δx` from `δ`: each is spread evenly over what its window covers.
    #[inline(never)]
    pub fn backward_input(&self, delta: &[A::Element], delta_x: &mut [A::Element]) {
        delta_x.fill(A::NO_DELTA);
        for (at, delta) in self.window.each_position().zip(delta.chunks_exact(depth(&self.window))) {
            let area = Area::new(&self.window, at);
            let (blocks, rest) = delta.as_chunks::<4>();
            let mut channel = 0;
            for &block in blocks {
                spread::<A, 4>(&area, channel, block, delta_x);
                channel += 4;
            }
            for &delta in rest {
                spread::<A, 1>(&area, channel, [delta], delta_x);
                channel += 1;
            }
        }
    }
}

/// Every position sees pixels, and sees them as a block.
const fn check(window: &Window2d) {
    let [dilation_y, dilation_x] = window.dilation();
    assert!(dilation_y == 1 && dilation_x == 1, "a pooling window is not dilated");
    assert!(window.sees_pixels(), "a pooling window covers a pixel at every position");
}

/// Channels of the image, which are at least one.
#[inline(always)]
fn depth(window: &Window2d) -> usize {
    window.input()[2].max(1)
}

/// The sums of `N` channels from `channel` on.
#[inline(always)]
fn sum<A: Arithmetic, const N: usize>(area: &Area, channel: usize, x: &[A::Element]) -> [A::Accumulator; N] {
    let mut sums = [A::ZERO; N];
    for line in area.lines() {
        for pixel in x.get(line).unwrap_or_default().chunks_exact(area.depth) {
            if let Some(pixel) = pixel.get(channel..).and_then(|pixel| pixel.first_chunk::<N>()) {
                sums.iter_mut().zip(pixel).for_each(|(sum, &x)| *sum = A::add(*sum, x));
            }
        }
    }
    sums
}

/// Adds `N` channels of `delta`, divided by the number of pixels, to each pixel.
#[inline(always)]
fn spread<A: Trainable, const N: usize>(
    area: &Area,
    channel: usize,
    delta: [A::Element; N],
    delta_x: &mut [A::Element],
) {
    let shares = delta.map(|delta| A::divide_delta(delta, area.count()));
    for line in area.lines() {
        for pixel in delta_x.get_mut(line).unwrap_or_default().chunks_exact_mut(area.depth) {
            if let Some(pixel) = pixel.get_mut(channel..).and_then(|pixel| pixel.first_chunk_mut::<N>()) {
                pixel.iter_mut().zip(shares).for_each(|(x, share)| *x = A::add_delta(*x, share));
            }
        }
    }
}

/// The part of an image under a window.
struct Area {
    /// Its first element.
    start: usize,
    rows: usize,
    columns: usize,
    depth: usize,
    /// Elements from one line of the image to the next.
    stride: usize,
}

impl Area {
    #[inline(always)]
    fn new(window: &Window2d, at: (usize, usize)) -> Self {
        let (width, depth) = (window.input()[1], depth(window));
        let (rows, columns) = window.covered(at);
        Self {
            start: (rows.start * width + columns.start) * depth,
            rows: rows.len(),
            columns: columns.len(),
            depth,
            stride: width * depth,
        }
    }

    /// Number of pixels.
    #[inline(always)]
    fn count(&self) -> u32 {
        (self.rows * self.columns) as u32
    }

    /// The range of each line.
    #[inline(always)]
    fn lines(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (start, span, stride) = (self.start, self.columns * self.depth, self.stride);
        (0..self.rows).map(move |row| start + row * stride..start + row * stride + span)
    }
}
