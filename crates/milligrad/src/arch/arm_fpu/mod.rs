//! Cores with a single-precision FPU and the hard-float ABI (Cortex-M4F, M7, M33): the square root. Armv7E-M alone: the
//! loops over matrices of floats.
//!
//! Each kernel is a whole function in assembly, as `asm!` can't take float registers on these targets. It gives the
//! bits of its portable twin: VMLA and VMLS round the product, then the sum, as `a + b * c` does, and sums run in the same
//! order. What makes it faster is VLDM, which loads many weights in one instruction. A driver in Rust checks lengths and
//! hands over pointers into the slices it was given.

#[cfg(milligrad_fpu)]
mod adam;
#[cfg(milligrad_fpu)]
mod columns;
#[cfg(milligrad_fpu)]
mod dequantize;
#[cfg(milligrad_fpu)]
mod lines;
#[cfg(milligrad_fpu)]
mod rows;
#[cfg(milligrad_fpu)]
mod rules;
#[cfg(milligrad_fpu)]
mod softmax;
#[cfg(milligrad_fpu)]
mod update;

#[cfg(milligrad_fpu)]
pub(crate) use {
    adam::{Factors, adam},
    columns::columns,
    dequantize::dequantize,
    lines::copy_lines,
    rows::{add_columns, rows},
    rules::{momentum, nesterov, rms_prop},
    softmax::softmax,
    update::subtract_all,
};

use core::arch::global_asm;

/// How many rows, `stride` elements apart, have `inputs` elements in a slice of this length; none where there are no
/// inputs, or more than fit between two rows.
#[cfg(milligrad_fpu)]
fn rows_of(len: usize, stride: usize, inputs: usize) -> usize {
    match len.checked_sub(inputs).and_then(|rest| rest.checked_div(stride)) {
        Some(rows) if inputs > 0 && inputs <= stride => rows + 1,
        _ => 0,
    }
}

/// For rows whose gradients are zero whatever `x` holds.
#[cfg(milligrad_fpu)]
static ZEROS: [f32; 4] = [0.0; 4];

// `asm!` can't take float registers on these targets, a function with the hard-float ABI can.
global_asm!(
    ".section .text.milligrad_sqrt,\"ax\",%progbits",
    ".fpu fpv4-sp-d16",
    ".global milligrad_sqrt",
    ".type milligrad_sqrt,%function",
    ".p2align 2",
    ".thumb_func",
    "milligrad_sqrt:",
    "vsqrt.f32 s0, s0",
    "bx lr",
    ".size milligrad_sqrt, . - milligrad_sqrt",
    ".text",
);

unsafe extern "C" {
    fn milligrad_sqrt(x: f32) -> f32;
}

/// `√x`, correctly rounded.
#[inline(always)]
pub(crate) fn sqrt(x: f32) -> f32 {
    // SAFETY: the function above touches no memory and keeps the C ABI.
    unsafe { milligrad_sqrt(x) }
}
