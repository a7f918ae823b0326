//! Dense, four rows at a time.

use super::{PackedChannel, PackedOutput, Places};
use crate::{QuantizedOutput, Rounding, arena};

/// A dense layer as [`Dense`](crate::layers::Dense), with rows of weights in blocks of four: for each quad of inputs a
/// word of each row, its first weight in the lowest byte. Rows are filled up with zeros to a multiple of 4 inputs,
/// and the last block with rows of zeros.
#[derive(Debug, Clone, Copy)]
pub struct PackedDense<'a> {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) weights: &'a [u32],
    pub(crate) channels: &'a [PackedChannel],
    pub(crate) output: PackedOutput,
    pub(crate) rounding: Rounding,
}

impl<'a> PackedDense<'a> {
    /// A layer of so many inputs and outputs; `channels` has entries for whole blocks.
    ///
    /// # Panics
    /// If the weights are too few or too many; in a `const` or `static` that is a compile error.
    pub const fn new(
        inputs: usize,
        outputs: usize,
        weights: &'a [u32],
        channels: &'a [PackedChannel],
        output: QuantizedOutput,
        rounding: Rounding,
    ) -> Self {
        assert!(inputs > 0 && outputs > 0, "a dense layer has inputs and outputs");
        assert!(channels.len() == outputs.next_multiple_of(4), "rows come in fours");
        assert!(weights.len() == channels.len() * inputs.div_ceil(4), "weights come in quads");
        Self { inputs, outputs, weights, channels, output: PackedOutput::new(output), rounding }
    }

    /// Bytes of scratch: a copy of the input, where that is not a whole number of quads.
    pub const fn scratch_len(inputs: usize) -> usize {
        if inputs.is_multiple_of(4) { 0 } else { inputs.next_multiple_of(4) }
    }

    /// `y = activation(W x + b)`; `y` must not lie over `x`.
    #[inline]
    pub fn forward(&self, words: &mut [u32], at: Places) {
        // One copy of the kernel for all layers: the compiler would make one for each. A model that rounds in one way
        // does not contain the other.
        match self.rounding {
            Rounding::Double => core::hint::black_box(self).run::<false>(words, at),
            Rounding::Single => core::hint::black_box(self).run::<true>(words, at),
        }
    }

    #[inline(never)]
    fn run<const ONCE: bool>(&self, words: &mut [u32], mut at: Places) {
        let (len, scratch) = (self.inputs.next_multiple_of(4), Self::scratch_len(self.inputs));
        if !at.fit(words.len() * 4, self.inputs, scratch, self.outputs) {
            return;
        }
        if scratch > 0 {
            let copy = [at.x..at.x + self.inputs, at.scratch..at.scratch + self.inputs];
            if let Ok([x, scratch]) = arena::bytes_mut(words).get_disjoint_mut(copy) {
                x.iter().zip(scratch).for_each(|(&x, to)| *to = x);
            }
            at.x = at.scratch;
        }
        #[cfg(milligrad_dsp)]
        crate::arch::dsp::dense::<ONCE>(self, words, at, len);
        #[cfg(not(milligrad_dsp))]
        if let Ok([x, y]) =
            arena::bytes_mut(words).get_disjoint_mut([at.x..at.x + len, at.y..at.y + self.outputs])
        {
            self.portable::<ONCE>(x, y);
        }
    }

    #[cfg(not(milligrad_dsp))]
    fn portable<const ONCE: bool>(&self, x: &[i8], y: &mut [i8]) {
        let blocks = self.weights.chunks_exact(x.len().max(1)).zip(self.channels.as_chunks::<4>().0);
        for (y, (weights, channels)) in y.chunks_mut(4).zip(blocks) {
            let mut sums = channels.each_ref().map(|channel| channel.bias);
            for (words, x) in weights.as_chunks::<4>().0.iter().zip(x.as_chunks::<4>().0) {
                for (sum, word) in sums.iter_mut().zip(words) {
                    for (&x, w) in x.iter().zip(word.to_le_bytes()) {
                        *sum += i32::from(x) * i32::from(w as i8);
                    }
                }
            }
            for ((y, channel), sum) in y.iter_mut().zip(channels).zip(sums) {
                *y = if ONCE {
                    channel.finish_once(self.output, sum)
                } else {
                    channel.finish(self.output, sum)
                };
            }
        }
    }
}
