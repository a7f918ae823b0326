//! Armv7E-M: Cortex-M4 and M7, by the DSP instructions. Layouts and formulas are in [`crate::packed`].
//!
//! Loops are whole functions in assembly: the compiler has no intrinsics for these instructions on stable Rust, and
//! runs out of registers where a person doesn't. What surrounds them is Rust on pointers; every driver is called
//! with places that lie within the arena.

mod add;
mod conv2d;
mod dense;
mod depthwise;
mod fixed;

pub(crate) use add::add;
pub(crate) use conv2d::conv2d;
pub(crate) use dense::dense;
pub(crate) use depthwise::depthwise;

use crate::packed::PackedOutput;

/// Limits outputs to a range that is narrower than 8 bits; the assembly only saturates.
///
/// # Safety
/// `y` points to `len` bytes.
#[cold]
unsafe fn clamp(output: PackedOutput, y: *mut i8, len: usize) {
    for i in 0..len {
        // SAFETY: within the `len` bytes.
        unsafe { *y.add(i) = output.clamp(*y.add(i)) };
    }
}
