//! MaxPool2d and AvgPool2d: the largest and the mean element under a window, channel by channel.

use super::dense::backward_clamp;
use crate::{Arithmetic, Trainable, Window2d};

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
        let larger =
            |max: A::Element, x: A::Element| if x > max || x.partial_cmp(&x).is_none() { x } else { max };
        pool(&self.window, x, y, |x| x, larger, |max, _| A::clamp(&self.output, max));
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
        let mean = |sum, count| A::clamp(&self.output, A::average(sum, count));
        pool(&self.window, x, y, |_| A::ZERO, A::add, mean);
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
                let mut found = false;
                area.each_pixel_mut::<_, 1>(delta_x, channel, |tap, [delta_x]| {
                    if !found && x.get(tap) == Some(&y) {
                        *delta_x = A::add_delta(*delta_x, delta);
                        found = true;
                    }
                });
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

/// Folds what each position covers, channel by channel, four channels at a time: from `start` of the first element by
/// `step`, which sees the first again, to the output by `end`, which gets the number of elements.
#[inline(always)]
fn pool<T: Copy, S: Copy>(
    window: &Window2d,
    x: &[T],
    y: &mut [T],
    start: impl Fn(T) -> S,
    step: impl Fn(S, T) -> S,
    end: impl Fn(S, u32) -> T,
) {
    for (at, y) in window.each_position().zip(y.chunks_exact_mut(depth(window))) {
        let area = Area::new(window, at);
        let (blocks, rest) = y.as_chunks_mut::<4>();
        let mut channel = 0;
        for block in blocks {
            if let Some(sums) = fold::<T, S, 4>(&area, channel, x, &start, &step) {
                *block = sums.map(|sum| end(sum, area.count()));
            }
            channel += 4;
        }
        for y in rest {
            if let Some([sum]) = fold::<T, S, 1>(&area, channel, x, &start, &step) {
                *y = end(sum, area.count());
            }
            channel += 1;
        }
    }
}

/// Folds `N` channels from `channel` on.
#[inline(never)]
fn fold<T: Copy, S: Copy, const N: usize>(
    area: &Area,
    channel: usize,
    x: &[T],
    start: impl Fn(T) -> S,
    step: impl Fn(S, T) -> S,
) -> Option<[S; N]> {
    let mut sums = x.get(area.start + channel..)?.first_chunk::<N>()?.map(start);
    for line in 0..area.rows {
        let mut rest = x.get(area.start + channel + line * area.stride..)?;
        for _ in 0..area.columns {
            let Some(pixel) = rest.first_chunk::<N>() else { break };
            sums.iter_mut().zip(pixel).for_each(|(sum, &x)| *sum = step(*sum, x));
            let Some(next) = rest.get(area.depth..) else { break };
            rest = next;
        }
    }
    Some(sums)
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
    area.each_pixel_mut::<_, N>(delta_x, channel, |_, pixel| {
        pixel.iter_mut().zip(shares).for_each(|(x, share)| *x = A::add_delta(*x, share));
    });
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

    /// Calls `visit` with `N` channels of each pixel, and with the index of the first of them.
    #[inline(always)]
    fn each_pixel_mut<T, const N: usize>(
        &self,
        image: &mut [T],
        channel: usize,
        mut visit: impl FnMut(usize, &mut [T; N]),
    ) {
        for line in 0..self.rows {
            let mut at = self.start + channel + line * self.stride;
            let mut rest = image.get_mut(at..).unwrap_or_default();
            for _ in 0..self.columns {
                let Some(pixel) = rest.first_chunk_mut::<N>() else { break };
                visit(at, pixel);
                let Some(next) = rest.get_mut(self.depth..) else { break };
                rest = next;
                at += self.depth;
            }
        }
    }
}
