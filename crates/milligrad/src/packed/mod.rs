//! int8 layers whose weights are packed for the kernels of a core.
//!
//! The layouts are made for the DSP instructions of the Cortex-M4 and M7: `SXTB16` widens two of four bytes to
//! half-words, `SMLAD` multiplies two pairs of them and adds both products. Each layout has a portable kernel
//! too, so that a desk machine runs the very model that ships; the bits are the same.
//!
//! A kernel takes the whole arena and the places of its buffers in it, because its output may lie over those parts
//! of its input that it has read already: *in place*, or a few rows ahead of itself. Which distance is safe is known to
//! the planner that chose the places.

mod add;
mod channel;
mod conv2d;
mod dense;
mod depthwise;

pub use add::PackedAdd;
pub use channel::{PackedChannel, PackedOutput};
pub use conv2d::{PackedConv2d, Taps};
pub use dense::PackedDense;
pub use depthwise::PackedDepthwise;

/// Where the buffers of a layer lie in the arena, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// The input.
    pub x: usize,
    /// Scratch, a multiple of 4.
    pub scratch: usize,
    /// The output.
    pub y: usize,
}

impl Places {
    /// Places of an input, scratch and output.
    ///
    /// # Panics
    /// If the scratch is not aligned to words; in a `const` that is a compile error.
    pub const fn new(x: usize, scratch: usize, y: usize) -> Self {
        assert!(scratch.is_multiple_of(4), "scratch lies at a multiple of 4");
        Self { x, scratch, y }
    }

    /// `true` if an arena of that many bytes holds buffers of these lengths.
    pub(crate) fn fit(&self, arena: usize, x: usize, scratch: usize, y: usize) -> bool {
        let within = |at: usize, len: usize| matches!(at.checked_add(len), Some(end) if end <= arena);
        within(self.x, x)
            && within(self.scratch, scratch)
            && within(self.y, y)
            && self.scratch.is_multiple_of(4)
    }
}
