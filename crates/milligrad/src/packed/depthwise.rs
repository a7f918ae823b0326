//! DepthwiseConv2d with a 3x3 kernel, one channel after the other.

use super::{PackedChannel, PackedOutput, Places};
use crate::{QuantizedOutput, Window2d};

/// A depthwise convolution as [`DepthwiseConv2d`](crate::layers::DepthwiseConv2d), with a kernel of 3x3 taps, stride 1 or
/// 2 along the rows, and as many outputs as inputs.
///
/// Each channel is widened to a *plane* of half-words first, padding included. So neighbours lie in one word, and
/// `SMLAD` multiplies two taps of a row at a time. Since a channel is read before any of its outputs is written, the
/// output may lie over the input from its start on, unless it has more pixels.
///
/// Weights are three words for each channel, one for each kernel row `w0 w1 w2`: the bytes `(w0, w1, w1, w2)`, which
/// `SXTB16` turns into the pairs `(w0, w1)` and `(w1, w2)`.
#[derive(Debug, Clone, Copy)]
pub struct PackedDepthwise<'a> {
    pub(crate) window: Window2d,
    pub(crate) weights: &'a [[u32; 3]],
    pub(crate) channels: &'a [PackedChannel],
    pub(crate) pad: i8,
    pub(crate) output: PackedOutput,
}

impl<'a> PackedDepthwise<'a> {
    /// A layer with as many outputs as the window's image has channels.
    ///
    /// # Panics
    /// If weights or channels are too few or too many, or the window is not [supported](Self::supports); in a `const`
    /// or `static` that is a compile error.
    pub const fn new(
        window: Window2d,
        weights: &'a [[u32; 3]],
        channels: &'a [PackedChannel],
        output: QuantizedOutput,
        pad: i8,
    ) -> Self {
        assert!(Self::supports(&window), "a packed depthwise convolution has 3x3 taps side by side");
        let depth = window.input()[2];
        assert!(weights.len() == depth && channels.len() == depth, "each channel has taps and a scale");
        Self { window, weights, channels, pad, output: PackedOutput::new(output) }
    }

    /// `true` for windows of 3x3 taps that are not dilated and go along the rows by one or two pixels.
    pub const fn supports(window: &Window2d) -> bool {
        matches!((window.kernel(), window.dilation()), ([3, 3], [1, 1])) && window.stride()[1] <= 2
    }

    /// `true` if the output may start exactly where the input does: what a channel writes then lies where the same channel
    /// of some pixel was, and that was read.
    pub const fn in_place(window: &Window2d) -> bool {
        let ([height, width, _], [rows, columns]) = (window.input(), window.output());
        rows * columns <= height * width
    }

    /// Rows and columns of a channel's plane, padding included; an even number of columns.
    pub(crate) const fn plane(window: &Window2d) -> [usize; 2] {
        let ([rows, columns], [down, right]) = (window.output(), window.stride());
        [(rows - 1) * down + 3, ((columns - 1) * right + 3).next_multiple_of(2)]
    }

    /// Bytes of scratch: a plane.
    pub const fn scratch_len(window: &Window2d) -> usize {
        let [rows, columns] = Self::plane(window);
        rows * columns * 2
    }

    /// Convolves `x` into `y`.
    #[inline]
    pub fn forward(&self, words: &mut [u32], at: Places) {
        let (x, y) = (self.window.input_len(), self.window.positions() * self.channels.len());
        if at.fit(words.len() * 4, x, Self::scratch_len(&self.window), y) {
            // One copy of the kernel for all layers: the compiler would make one for each.
            #[cfg(milligrad_dsp)]
            crate::arch::dsp::depthwise(core::hint::black_box(self), words, at);
            #[cfg(not(milligrad_dsp))]
            self.portable(crate::arena::bytes_mut(words), at);
        }
    }

    /// The same on any core; the plane is made of bytes.
    #[cfg(not(milligrad_dsp))]
    fn portable(&self, arena: &mut [i8], at: Places) {
        let [height, width, depth] = self.window.input();
        let ([top, left], [down, right]) = (self.window.before(), self.window.stride());
        let [rows, columns] = Self::plane(&self.window);
        for (c, (channel, weights)) in self.channels.iter().zip(self.weights).enumerate() {
            for i in 0..rows * columns {
                let (row, column) = ((i / columns).wrapping_sub(top), (i % columns).wrapping_sub(left));
                let inside = row < height && column < width;
                let from = || at.x + (row * width + column) * depth + c;
                let x = if inside { arena.get(from()).copied() } else { Some(self.pad) };
                if let (Some(to), Some(x)) = (arena.get_mut(at.scratch + i), x) {
                    *to = x;
                }
            }
            for (position, (row, column)) in self.window.each_position().enumerate() {
                let mut sum = channel.bias;
                for (k, word) in weights.iter().enumerate() {
                    let start = at.scratch + (row * down + k) * columns + column * right;
                    let [w0, w1, _, w2] = word.to_le_bytes();
                    let taps = arena.get(start..start + 3).unwrap_or_default();
                    sum += taps
                        .iter()
                        .zip([w0, w1, w2])
                        .map(|(&x, w)| i32::from(x) * i32::from(w as i8))
                        .sum::<i32>();
                }
                if let Some(y) = arena.get_mut(at.y + position * depth + c) {
                    *y = channel.finish(self.output, sum);
                }
            }
        }
    }
}
