//! MaxPool2d and AvgPool2d: the largest and the mean element under a window, channel by channel.

use crate::{Arithmetic, Trainable, Window2d};
use core::ops::Range;

/// `y[p, c] = activation(max of x[., c] under the window at p)`; padding does not count.
#[derive(Debug, Clone, Copy)]
pub struct MaxPool2d<A: Arithmetic> {
    pub(crate) window: Window2d,
    pub(crate) output: A::Output,
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
    /// a compile error:
    ///
    /// ```compile_fail,E0080
    /// use milligrad::{Clamp, Padding, Window2d, layers::MaxPool2d};
    /// const PADDING: Padding = Padding::Explicit { top: 2, bottom: 0, left: 0, right: 0 };
    /// const WINDOW: Window2d = Window2d::new([8, 8, 1], [2, 2], [2, 2], [1, 1], PADDING);
    /// static LAYER: MaxPool2d<f32> = MaxPool2d::new(WINDOW, Clamp::<f32>::LINEAR);
    /// ```
    pub const fn new(window: Window2d, output: A::Output) -> Self {
        check(&window);
        Self { window, output }
    }

    /// Pools `x` into `y`.
    #[inline(never)]
    pub fn forward(&self, x: &[A::Element], y: &mut [A::Element]) {
        A::max_pool(self, x, y);
    }

    /// [`forward`](Self::forward) in any arithmetic.
    #[inline(always)]
    pub(crate) fn pool(&self, x: &[A::Element], y: &mut [A::Element]) {
        let depth = self.window.input()[2];
        if depth == 0 {
            return;
        }
        for (at, y) in self.window.each_position().zip(y.chunks_exact_mut(depth)) {
            let mut pixels = pixels(&self.window, at, x);
            let Some(first) = pixels.next() else { continue };
            y.iter_mut().zip(first).for_each(|(y, &x)| *y = x);
            for pixel in pixels {
                for (y, &x) in y.iter_mut().zip(pixel) {
                    if A::exceeds(x, *y) {
                        *y = x;
                    }
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
        let [_, width, depth] = self.window.input();
        if depth == 0 {
            return;
        }
        for (at, y) in self.window.each_position().zip(y.chunks_exact_mut(depth)) {
            let (rows, columns) = self.window.covered(at);
            let area = Area { rows: rows.len(), columns: columns.len(), depth, stride: width * depth };
            let mean = |sum| A::clamp(&self.output, A::average(sum, (area.rows * area.columns) as u32));
            let mut channels = x.get((rows.start * width + columns.start) * depth..).unwrap_or_default();
            let (blocks, rest) = y.as_chunks_mut::<4>();
            for block in blocks {
                let sums = sum::<A, 4>(channels, &area);
                block.iter_mut().zip(sums).for_each(|(y, sum)| *y = mean(sum));
                channels = channels.get(4..).unwrap_or_default();
            }
            for y in rest {
                let [sum] = sum::<A, 1>(channels, &area);
                *y = mean(sum);
                channels = channels.get(1..).unwrap_or_default();
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
        A::clear(delta_x);
        A::max_pool_backward(self, x, y, delta, delta_x);
    }

    /// [`backward_input`](Self::backward_input) in any arithmetic, once `delta_x` is zero.
    #[inline(always)]
    pub(crate) fn hand_back(
        &self,
        x: &[A::Element],
        y: &[A::Element],
        delta: &[A::Element],
        delta_x: &mut [A::Element],
    ) {
        let [_, width, depth] = self.window.input();
        if depth == 0 {
            return;
        }
        let outputs = y.chunks_exact(depth).zip(delta.chunks_exact(depth));
        for (at, (y, delta)) in self.window.each_position().zip(outputs) {
            let (rows, columns) = self.window.covered(at);
            let corner = (rows.start * width + columns.start) * depth;
            for (channel, (&y, &delta)) in y.iter().zip(delta).enumerate() {
                if !A::passed(&self.output, y) {
                    continue;
                }
                // Line by line under the window.
                let found = (0..rows.len()).find_map(|row| {
                    let line = corner + channel + row * width * depth;
                    let mut taps = x.get(line..)?.iter().step_by(depth).take(columns.len());
                    taps.position(|&x| x == y).map(|tap| line + tap * depth)
                });
                if let Some(delta_x) = found.and_then(|tap| delta_x.get_mut(tap)) {
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
        A::backward_clamp(&self.output, y, delta);
    }

    /// `δx` from `δ`: each is spread evenly over what its window covers.
    #[inline(never)]
    pub fn backward_input(&self, delta: &[A::Element], delta_x: &mut [A::Element]) {
        let [_, width, depth] = self.window.input();
        if depth == 0 {
            return;
        }
        A::clear(delta_x);
        for (at, delta) in self.window.each_position().zip(delta.chunks_exact(depth)) {
            let count = count(&self.window, at);
            let (rows, columns) = self.window.covered(at);
            for tap in rows.flat_map(|row| columns.clone().map(move |column| (row * width + column) * depth))
            {
                let delta_x = delta_x.get_mut(tap..tap + depth).unwrap_or_default();
                for (delta_x, &delta) in delta_x.iter_mut().zip(delta) {
                    *delta_x = A::add_delta(*delta_x, A::divide_delta(delta, count));
                }
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

/// The part of an image under a window.
struct Area {
    rows: usize,
    columns: usize,
    /// Elements from one pixel to the next.
    depth: usize,
    /// Elements from one line of the image to the next.
    stride: usize,
}

/// The sums of `N` channels, from the image's first element in the area on.
#[inline(never)]
fn sum<A: Arithmetic, const N: usize>(mut line: &[A::Element], area: &Area) -> [A::Accumulator; N] {
    let mut sums = [A::ZERO; N];
    for _ in 0..area.rows {
        let mut pixel = line;
        for _ in 0..area.columns {
            let Some(channels) = pixel.first_chunk::<N>() else { break };
            sums.iter_mut().zip(channels).for_each(|(sum, &x)| *sum = A::add(*sum, x));
            let Some(next) = pixel.get(area.depth..) else { break };
            pixel = next;
        }
        line = line.get(area.stride..).unwrap_or_default();
    }
    sums
}

/// The pixels that the window at `at` covers.
#[inline(always)]
fn pixels<'a, T>(window: &Window2d, at: (usize, usize), x: &'a [T]) -> impl Iterator<Item = &'a [T]> {
    let [_, width, depth] = window.input();
    let (rows, columns): (Range<usize>, Range<usize>) = window.covered(at);
    rows.flat_map(move |row| {
        let start = (row * width + columns.start) * depth;
        let end = (row * width + columns.end) * depth;
        // A depth of zero was refused when the window was made.
        x.get(start..end).unwrap_or_default().chunks_exact(depth.max(1))
    })
}

/// How many pixels the window at `at` covers.
#[inline(always)]
fn count(window: &Window2d, at: (usize, usize)) -> u32 {
    let (rows, columns) = window.covered(at);
    (rows.len() * columns.len()) as u32
}
