//! The products that take nearly all of the time of training.
//!
//! Samples are computed in blocks: `[F; N]` is one number of `N` samples, and an activation is a slice of such
//! blocks, in the order of the graph's tensor (`HWC`). So the batch is the innermost axis, every layer is the
//! algorithm for one sample with vectors in place of numbers, and a vector never straddles the edge of an image.

mod adam;
pub(crate) mod plain;
pub(crate) mod simd;

pub(crate) use adam::{Adam, Remembered};

/// What each output position of a convolution sees: for each tap a pixel of the input.
///
/// A dense layer is the convolution of one position and one tap, whose pixel has all inputs as channels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patches<'a> {
    /// Pixels, `[positions, taps]`. Padding is the pixel behind the last, which is zero.
    pub(crate) pixels: &'a [u32],
    /// Taps of one position.
    pub(crate) taps: usize,
    /// Numbers in a pixel.
    pub(crate) channels: usize,
}

impl<'a> Patches<'a> {
    /// One position that sees all `inputs`.
    pub(crate) fn dense(inputs: usize) -> Self {
        Self { pixels: &[0], taps: 1, channels: inputs }
    }

    /// Weights of one output.
    pub(crate) fn len(&self) -> usize {
        self.taps * self.channels
    }

    /// The first block of each tap's pixel, position by position.
    #[inline(always)]
    pub(crate) fn positions(&self) -> std::slice::ChunksExact<'a, u32> {
        self.pixels.chunks_exact(self.taps)
    }
}

/// Runs a block with the widest vectors that the machine has. What it calls must be inlined.
macro_rules! vectorized {
    ($body:block) => {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || $body,
        )
    };
}
pub(crate) use vectorized;
