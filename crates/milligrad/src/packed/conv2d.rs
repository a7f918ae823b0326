//! Conv2d over widened patches: two filters and four positions at a time.

use super::{PackedChannel, PackedOutput, Places};
use crate::{QuantizedOutput, Window2d};

/// The order in which a packed convolution goes through a patch.
///
/// A patch is some *runs* of elements that lie together in the image: a run for each kernel row, or for each tap of a
/// dilated window. Whole quads of all runs come first, run by run, so that they are read as words; then what is left
/// of each run, element by element; then zeros up to a multiple of 4.
///
/// Filters come in pairs. For the filters `a` and `b`, each quad `k0 k1 k2 k3` has two words of weights,
/// `(a0, b0, a2, b2)` and `(a1, b1, a3, b3)` from the lowest byte on. `SXTB16` makes `(a0, a2)` and `(b0, b2)` of
/// the first, to be multiplied with `(x0, x2)`, which is what it makes of four elements of the patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taps {
    /// Number of runs.
    pub runs: usize,
    /// Elements of a run.
    pub run: usize,
}

impl Taps {
    /// The runs of a window.
    pub const fn new(window: &Window2d) -> Self {
        let ([height, width], depth) = (window.kernel(), window.input()[2]);
        if window.dilation()[1] == 1 || width == 1 {
            Self { runs: height, run: width * depth }
        } else {
            Self { runs: height * width, run: depth }
        }
    }

    /// Elements of a widened patch: a multiple of 4.
    pub const fn len(&self) -> usize {
        (self.runs * self.run).next_multiple_of(4)
    }

    /// `true` if there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Quads of a run, and elements left over.
    pub(crate) const fn quads(&self) -> (usize, usize) {
        (self.run / 4, self.run % 4)
    }

    /// Where an element of a patch, in the order of [`Window2d::gather`], stands in the packed order.
    pub const fn place(&self, element: usize) -> usize {
        let (quads, rest) = self.quads();
        let (run, at) = (element / self.run, element % self.run);
        if at < quads * 4 {
            run * quads * 4 + at
        } else {
            self.runs * quads * 4 + run * rest + at - quads * 4
        }
    }
}

/// A convolution as [`Conv2d`](crate::layers::Conv2d), with weights in the order of [`Taps`], pairs of filters one after
/// the other; the last filter has zeros for a partner where the number is odd.
#[derive(Debug, Clone, Copy)]
pub struct PackedConv2d<'a> {
    pub(crate) window: Window2d,
    pub(crate) weights: &'a [u32],
    pub(crate) channels: &'a [PackedChannel],
    pub(crate) filters: u16,
    pub(crate) pad: i8,
    pub(crate) output: PackedOutput,
}

impl<'a> PackedConv2d<'a> {
    /// A convolution with so many filters. `channels` has an entry more if the number is odd.
    ///
    /// # Panics
    /// If the weights are too few or too many; in a `const` or `static` that is a compile error.
    pub const fn new(
        window: Window2d,
        filters: usize,
        weights: &'a [u32],
        channels: &'a [PackedChannel],
        output: QuantizedOutput,
        pad: i8,
    ) -> Self {
        assert!(filters > 0 && filters <= u16::MAX as usize, "a convolution has up to 65,535 filters");
        assert!(channels.len() == filters.next_multiple_of(2), "channels come in pairs");
        assert!(
            weights.len() == channels.len() / 2 * (Taps::new(&window).len() / 2),
            "weights come in quads"
        );
        Self { window, weights, channels, filters: filters as u16, pad, output: PackedOutput::new(output) }
    }

    /// Bytes of scratch: four widened patches.
    pub const fn scratch_len(window: &Window2d) -> usize {
        8 * Taps::new(window).len()
    }

    /// Positions that are read before any of them is written: four, as long as there are four.
    pub const GROUP: usize = 4;

    /// Convolves `x` into `y`.
    #[inline]
    pub fn forward(&self, words: &mut [u32], at: Places) {
        let (x, scratch) = (self.window.input_len(), Self::scratch_len(&self.window));
        if at.fit(words.len() * 4, x, scratch, self.window.positions() * usize::from(self.filters)) {
            // One copy of the kernel for all layers: the compiler would make one for each.
            #[cfg(milligrad_dsp)]
            crate::arch::dsp::conv2d(core::hint::black_box(self), words, at);
            #[cfg(not(milligrad_dsp))]
            self.portable(crate::arena::bytes_mut(words), at);
        }
    }

    /// The same on any core: patches are gathered as bytes.
    #[cfg(not(milligrad_dsp))]
    fn portable(&self, arena: &mut [i8], at: Places) {
        let taps = Taps::new(&self.window);
        let (len, positions) = (taps.len(), self.window.positions());
        let width = self.window.output()[1];
        let mut position = 0;
        while position < positions {
            let group = if position + Self::GROUP <= positions { Self::GROUP } else { 1 };
            for column in 0..group {
                let start = at.scratch + column * len;
                let pixel = ((position + column) / width, (position + column) % width);
                let ranges = [at.x..at.x + self.window.input_len(), start..start + len];
                if let Ok([x, patch]) = arena.get_disjoint_mut(ranges) {
                    self.gather(x, pixel, &taps, patch);
                }
            }
            for column in 0..group {
                let (start, filters) = (at.scratch + column * len, usize::from(self.filters));
                let y = at.y + (position + column) * filters;
                if let Ok([patch, y]) = arena.get_disjoint_mut([start..start + len, y..y + filters]) {
                    self.column(patch, y);
                }
            }
            position += group;
        }
    }

    #[cfg(not(milligrad_dsp))]
    fn gather(&self, x: &[i8], pixel: (usize, usize), taps: &Taps, patch: &mut [i8]) {
        if !self.window.is_inside(pixel) {
            patch.fill(self.pad);
        }
        self.window.each_run(pixel, |from, element, len| {
            for (i, &value) in x.get(from..from + len).unwrap_or_default().iter().enumerate() {
                if let Some(to) = patch.get_mut(taps.place(element + i)) {
                    *to = value;
                }
            }
        });
    }

    /// All filters at one position.
    #[cfg(not(milligrad_dsp))]
    fn column(&self, patch: &[i8], y: &mut [i8]) {
        let filters =
            self.weights.chunks_exact((patch.len() / 2).max(1)).zip(self.channels.as_chunks::<2>().0);
        for (y, (weights, channels)) in y.chunks_mut(2).zip(filters) {
            let mut sums = channels.each_ref().map(|channel| channel.bias);
            for (&[even, odd], x) in weights.as_chunks::<2>().0.iter().zip(patch.as_chunks::<4>().0) {
                let ([a0, b0, a2, b2], [a1, b1, a3, b3]) = (even.to_le_bytes(), odd.to_le_bytes());
                for (sum, w) in sums.iter_mut().zip([[a0, a1, a2, a3], [b0, b1, b2, b3]]) {
                    for (&x, w) in x.iter().zip(w) {
                        *sum += i32::from(x) * i32::from(w as i8);
                    }
                }
            }
            for ((y, channel), sum) in y.iter_mut().zip(channels).zip(sums) {
                *y = channel.finish(self.output, sum);
            }
        }
    }
}
