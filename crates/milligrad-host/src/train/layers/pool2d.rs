//! MaxPool2d and AvgPool2d: the largest and the mean element under a window, channel by channel.

use super::{Delta, Layer, Pass};
use crate::train::kernels::vectorized;
use crate::train::real::Real;
use milligrad::Window2d;

/// `y[p, c] = max of x[q, c]` over the pixels `q` under the window at `p`; padding does not count.
///
/// `δx`: each `δy[p, c]` goes to the first pixel that holds the maximum.
pub(crate) struct MaxPool2d {
    windows: Windows,
}

/// `y[p, c] = mean of x[q, c]` over the pixels `q` under the window at `p`; padding does not count.
///
/// `δx`: each `δy[p, c]` is shared out evenly.
pub(crate) struct AvgPool2d {
    windows: Windows,
}

/// The pixels under each position of a window.
struct Windows {
    /// Where the pixels of each position end.
    ends: Vec<usize>,
    pixels: Vec<usize>,
    channels: usize,
    /// Pixels under no window, if no pixel is under two of them.
    uncovered: Option<Vec<usize>>,
}

impl Windows {
    fn new(window: &Window2d) -> Self {
        let [height, width, channels] = window.input();
        let (mut ends, mut pixels) = (Vec::with_capacity(window.positions()), Vec::new());
        for at in window.each_position() {
            let (rows, columns) = window.covered(at);
            pixels.extend(rows.flat_map(|row| columns.clone().map(move |column| row * width + column)));
            ends.push(pixels.len());
        }
        let mut windows = vec![0; height * width];
        pixels.iter().for_each(|&pixel| windows[pixel] += 1);
        let uncovered = (0..windows.len()).filter(|&pixel| windows[pixel] == 0).collect();
        let disjoint = windows.iter().all(|&windows| windows <= 1);
        Self { ends, pixels, channels, uncovered: disjoint.then_some(uncovered) }
    }

    /// The first element of each pixel, position by position.
    #[inline(always)]
    fn positions(&self) -> impl Iterator<Item = &[usize]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.pixels[std::mem::replace(&mut start, end)..end])
    }
}

impl MaxPool2d {
    pub(crate) fn new(window: &Window2d) -> Self {
        Self { windows: Windows::new(window) }
    }
}

impl AvgPool2d {
    pub(crate) fn new(window: &Window2d) -> Self {
        Self { windows: Windows::new(window) }
    }
}

impl<F: Real, const N: usize> Layer<F, N> for MaxPool2d {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        let (x, channels) = (pass.x(), self.windows.channels);
        vectorized!({
            for (pixels, y) in self.windows.positions().zip(y.chunks_exact_mut(channels)) {
                let Some((&first, others)) = pixels.split_first() else { continue };
                y.copy_from_slice(&x[first * channels..][..channels]);
                for &pixel in others {
                    for (y, x) in y.iter_mut().zip(&x[pixel * channels..][..channels]) {
                        y.iter_mut().zip(x).for_each(|(y, &x)| *y = if x > *y { x } else { *y });
                    }
                }
            }
        });
    }

    fn backward_input(
        &self,
        pass: Pass<'_, F, N>,
        y: &[[F; N]],
        dy: &[[F; N]],
        _input: usize,
        dx: Delta<'_, F, N>,
    ) {
        let (x, channels) = (pass.x(), self.windows.channels);
        let (low, high) = dx.clamp.unwrap_or((-F::INFINITY, F::INFINITY));
        match &self.windows.uncovered {
            // No two windows overlap: each element is written once, and nothing has to be zero before.
            Some(uncovered) if !dx.accumulate => {
                for &pixel in uncovered {
                    dx.values[pixel * channels..][..channels].as_flattened_mut().fill(F::ZERO);
                }
                vectorized!({ give::<F, N, false>(&self.windows, [x, y, dy], (low, high), dx.values) });
            }
            _ => {
                let dx = dx.sum();
                vectorized!({ give::<F, N, true>(&self.windows, [x, y, dy], (low, high), dx) });
            }
        }
    }

    fn masks(&self) -> bool {
        true
    }
}

/// Gives each `δy` whose `y` is within `low..high` to the first maximum; adds there, or overwrites.
#[inline(always)]
fn give<F: Real, const N: usize, const ADD: bool>(
    windows: &Windows,
    [x, y, dy]: [&[[F; N]]; 3],
    (low, high): (F, F),
    dx: &mut [[F; N]],
) {
    let channels = windows.channels;
    let outputs = y.chunks_exact(channels).zip(dy.chunks_exact(channels));
    for (pixels, (y, dy)) in windows.positions().zip(outputs) {
        for (c, (y, dy)) in y.iter().zip(dy).enumerate() {
            // What is left to give: nothing once the first maximum has been found.
            let mut left = *dy;
            for (left, &y) in left.iter_mut().zip(y) {
                *left = if y > low && y < high { *left } else { F::ZERO };
            }
            for &pixel in pixels {
                let (x, dx) = (&x[pixel * channels + c], &mut dx[pixel * channels + c]);
                for (((dx, &x), &y), left) in dx.iter_mut().zip(x).zip(y).zip(&mut left) {
                    let found = x == y;
                    let given = if found { *left } else { F::ZERO };
                    *dx = if ADD { *dx + given } else { given };
                    *left = if found { F::ZERO } else { *left };
                }
            }
        }
    }
}

impl<F: Real, const N: usize> Layer<F, N> for AvgPool2d {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        let (x, channels) = (pass.x(), self.windows.channels);
        vectorized!({
            for (pixels, y) in self.windows.positions().zip(y.chunks_exact_mut(channels)) {
                let count = F::from_f64(pixels.len() as f64);
                for (c, y) in y.iter_mut().enumerate() {
                    let mut sum = [F::ZERO; N];
                    for &pixel in pixels {
                        let x = &x[pixel * channels + c];
                        sum.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x);
                    }
                    y.iter_mut().zip(sum).for_each(|(y, sum)| *y = sum / count);
                }
            }
        });
    }

    fn backward_input(
        &self,
        _pass: Pass<'_, F, N>,
        _y: &[[F; N]],
        dy: &[[F; N]],
        _input: usize,
        dx: Delta<'_, F, N>,
    ) {
        let channels = self.windows.channels;
        let dx = dx.sum();
        vectorized!({
            for (pixels, dy) in self.windows.positions().zip(dy.chunks_exact(channels)) {
                let share = F::ONE / F::from_f64(pixels.len() as f64);
                for &pixel in pixels {
                    for (dx, dy) in dx[pixel * channels..].iter_mut().zip(dy) {
                        dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += dy * share);
                    }
                }
            }
        });
    }
}
