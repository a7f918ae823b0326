//! Cores with a single-precision FPU and the hard-float ABI (Cortex-M4F, M7, M33): the square root and the fused multiply-add.
//! Armv7E-M alone: the loops over matrices of floats.
//!
//! Each kernel is a whole function in assembly, as `asm!` can't take float registers on these targets. It gives the bits of its
//! portable twin: VMLA and VMLS round the product, then the sum, as `a + b * c` does, VFMA and VFMS only the sum, and sums run in
//! the same order. What makes it faster is VLDM, which loads many weights in one instruction. A driver in Rust checks lengths and
//! hands over pointers into the slices it was given.

/// The instruction that adds (`a`) or subtracts (`s`) a product.
#[cfg(all(milligrad_fpu, not(feature = "fma")))]
macro_rules! instruction {
    ($sign:literal) => {
        concat!("vml", $sign, ".f32")
    };
}
#[cfg(all(milligrad_fpu, feature = "fma"))]
macro_rules! instruction {
    ($sign:literal) => {
        concat!("vfm", $sign, ".f32")
    };
}

/// Assembler macros `NAME_add sum, a, b` and `NAME_subtract sum, a, b`, which round as [`math`](crate::math) says. Each file has
/// its own, as there is no order among files.
#[cfg(milligrad_fpu)]
macro_rules! products {
    ($name:literal) => {
        concat!(
            ".macro ",
            $name,
            "_add sum, a, b\n",
            instruction!("a"),
            " \\sum, \\a, \\b\n.endm\n",
            ".macro ",
            $name,
            "_subtract sum, a, b\n",
            instruction!("s"),
            " \\sum, \\a, \\b\n.endm\n"
        )
    };
}

#[cfg(milligrad_fpu)]
mod adam;
#[cfg(milligrad_fpu)]
mod clear;
#[cfg(milligrad_fpu)]
mod columns;
#[cfg(milligrad_fpu)]
mod dequantize;
#[cfg(milligrad_fpu)]
mod lines;
#[cfg(milligrad_fpu)]
mod patches;
#[cfg(milligrad_fpu)]
mod pool;
#[cfg(milligrad_fpu)]
mod rows;
#[cfg(milligrad_fpu)]
mod rules;
#[cfg(milligrad_fpu)]
mod small_outer;
#[cfg(milligrad_fpu)]
mod small_rows;
#[cfg(milligrad_fpu)]
mod softmax;
#[cfg(milligrad_fpu)]
mod update;

#[cfg(milligrad_fpu)]
pub(crate) use {
    adam::{Factors, adam},
    clear::clear,
    columns::columns,
    dequantize::dequantize,
    lines::copy_lines,
    pool::{max_pool, max_pool_backward},
    rows::{add_columns, rows},
    rules::{momentum, nesterov, rms_prop},
    small_outer::accumulate,
    small_rows::convolve,
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

#[cfg(feature = "fma")]
global_asm!(
    ".section .text.milligrad_fused,\"ax\",%progbits",
    ".fpu fpv4-sp-d16",
    ".global milligrad_fused",
    ".type milligrad_fused,%function",
    ".p2align 2",
    ".thumb_func",
    "milligrad_fused:",
    "vfma.f32 s0, s1, s2",
    "bx lr",
    ".size milligrad_fused, . - milligrad_fused",
    ".text",
);

unsafe extern "C" {
    fn milligrad_sqrt(x: f32) -> f32;
    #[cfg(feature = "fma")]
    fn milligrad_fused(sum: f32, a: f32, b: f32) -> f32;
}

/// `sum + a b`, rounded once.
#[cfg(feature = "fma")]
#[inline(always)]
pub(crate) fn fused(sum: f32, a: f32, b: f32) -> f32 {
    // SAFETY: the function above touches no memory and keeps the C ABI.
    unsafe { milligrad_fused(sum, a, b) }
}

/// `√x`, correctly rounded.
#[inline(always)]
pub(crate) fn sqrt(x: f32) -> f32 {
    // SAFETY: the function above touches no memory and keeps the C ABI.
    unsafe { milligrad_sqrt(x) }
}
