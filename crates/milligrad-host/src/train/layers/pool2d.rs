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
}

impl Windows {
    fn new(window: &Window2d) -> Self {
        let [_, width, channels] = window.input();
        let (mut ends, mut pixels) = (Vec::with_capacity(window.positions()), Vec::new());
        for at in window.each_position() {
            let (rows, columns) = window.covered(at);
            pixels.extend(rows.flat_map(|row| columns.clone().map(move |column| row * width + column)));
            ends.push(pixels.len());
        }
        Self { ends, pixels, channels }
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
        vectorized(
            #[inline(always)]
            || {
                for (pixels, y) in self.windows.positions().zip(y.chunks_exact_mut(channels)) {
                    let Some((&first, others)) = pixels.split_first() else { continue };
                    y.copy_from_slice(&x[first * channels..][..channels]);
                    for &pixel in others {
                        for (y, x) in y.iter_mut().zip(&x[pixel * channels..][..channels]) {
                            y.iter_mut().zip(x).for_each(|(y, &x)| *y = if x > *y { x } else { *y });
                        }
                    }
                }
            },
        );
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
        let dx = dx.sum();
        vectorized(
            #[inline(always)]
            || {
                let outputs = y.chunks_exact(channels).zip(dy.chunks_exact(channels));
                for (pixels, (y, dy)) in self.windows.positions().zip(outputs) {
                    for (c, (y, dy)) in y.iter().zip(dy).enumerate() {
                        // What is left to give: nothing once the first maximum has been found.
                        let mut left = *dy;
                        for &pixel in pixels {
                            let (x, dx) = (&x[pixel * channels + c], &mut dx[pixel * channels + c]);
                            for n in 0..N {
                                let found = x[n] == y[n];
                                dx[n] += if found { left[n] } else { F::ZERO };
                                left[n] = if found { F::ZERO } else { left[n] };
                            }
                        }
                    }
                }
            },
        );
    }
}

impl<F: Real, const N: usize> Layer<F, N> for AvgPool2d {
    fn forward(&self, pass: Pass<'_, F, N>, y: &mut [[F; N]]) {
        let (x, channels) = (pass.x(), self.windows.channels);
        vectorized(
            #[inline(always)]
            || {
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
            },
        );
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
        vectorized(
            #[inline(always)]
            || {
                for (pixels, dy) in self.windows.positions().zip(dy.chunks_exact(channels)) {
                    let share = F::ONE / F::from_f64(pixels.len() as f64);
                    for &pixel in pixels {
                        for (dx, dy) in dx[pixel * channels..].iter_mut().zip(dy) {
                            dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += dy * share);
                        }
                    }
                }
            },
        );
    }
}
