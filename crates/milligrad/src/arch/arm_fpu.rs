//! Cores with a single-precision FPU and the hard-float ABI (Cortex-M4F, M7, M33).
#![allow(unsafe_code)]

use core::arch::global_asm;

// `asm!` can't take float registers on these targets, a function with the hard-float ABI can.
global_asm!(
    ".section .text.milligrad_sqrt,\"ax\",%progbits",
    ".fpu fpv4-sp-d16",
    ".global milligrad_sqrt",
    ".type milligrad_sqrt,%function",
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
