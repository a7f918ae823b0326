//! `y = scale (x - zero_point)`: 21 instructions for four elements.

use crate::Quantization;
use core::arch::global_asm;

unsafe extern "C" {
    /// `len` may be zero.
    fn milligrad_dequantize_f32(x: *const i8, y: *mut f32, len: usize, zero_point: i32, scale: f32);
}

/// See [`layers::dequantize`](crate::layers::dequantize).
#[inline(always)]
pub(crate) fn dequantize(quantization: Quantization, x: &[i8], y: &mut [f32]) {
    let len = x.len().min(y.len());
    let zero_point = i32::from(quantization.zero_point);
    // SAFETY: `len` elements lie within each slice, and `y` is the only one that is written to.
    unsafe { milligrad_dequantize_f32(x.as_ptr(), y.as_mut_ptr(), len, zero_point, quantization.scale) };
}

// r0: x, r1: y, r2: elements to go, r3: zero point, r4, r5: elements of x. s0: scale, s4-s7: elements of y.
global_asm!(
    "
    .section .text.milligrad_dequantize_f32,\"ax\",%progbits
    .fpu fpv4-sp-d16

    .macro milligrad_two_floats a, b
    ldrsb r4, [r0], #1
    ldrsb r5, [r0], #1
    sub r4, r4, r3
    sub r5, r5, r3
    vmov \\a, \\b, r4, r5
    vcvt.f32.s32 \\a, \\a
    vcvt.f32.s32 \\b, \\b
    vmul.f32 \\a, \\a, s0
    vmul.f32 \\b, \\b, s0
    .endm

    .global milligrad_dequantize_f32
    .type milligrad_dequantize_f32,%function
    .p2align 2
    .thumb_func
milligrad_dequantize_f32:
    push {r4, r5}
    subs r2, r2, #4
    blo 2f
1:
    milligrad_two_floats s4, s5
    milligrad_two_floats s6, s7
    vstmia r1!, {s4-s7}
    subs r2, r2, #4
    bhs 1b
2:
    adds r2, r2, #4
    beq 4f
3:
    ldrsb r4, [r0], #1
    sub r4, r4, r3
    vmov s4, r4
    vcvt.f32.s32 s4, s4
    vmul.f32 s4, s4, s0
    vstmia r1!, {s4}
    subs r2, r2, #1
    bne 3b
4:
    pop {r4, r5}
    bx lr
    .size milligrad_dequantize_f32, . - milligrad_dequantize_f32
    .text
    ",
    options(raw)
);
