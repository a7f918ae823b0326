//! `x = 0`: sixteen elements in three instructions.

use core::arch::global_asm;

unsafe extern "C" {
    fn milligrad_clear_f32(x: *mut f32, len: usize);
}

/// Makes all elements zero.
#[inline(always)]
pub(crate) fn clear(x: &mut [f32]) {
    // SAFETY: writes the elements of the slice.
    unsafe { milligrad_clear_f32(x.as_mut_ptr(), x.len()) };
}

// r0: x, r1: elements to go, r2: zero, as s0-s15 are.
global_asm!(
    "
    .section .text.milligrad_clear_f32,\"ax\",%progbits
    .fpu fpv4-sp-d16
    .global milligrad_clear_f32
    .type milligrad_clear_f32,%function
    .p2align 2
    .thumb_func
milligrad_clear_f32:
    movs r2, #0
    subs r1, r1, #16
    blo 2f
    vmov d0, r2, r2
    vmov d1, r2, r2
    vmov d2, r2, r2
    vmov d3, r2, r2
    vmov d4, r2, r2
    vmov d5, r2, r2
    vmov d6, r2, r2
    vmov d7, r2, r2
1:
    vstmia r0!, {s0-s15}
    subs r1, r1, #16
    bhs 1b
2:
    adds r1, r1, #16
    beq 4f
3:
    str r2, [r0], #4
    subs r1, r1, #1
    bne 3b
4:
    bx lr
    .size milligrad_clear_f32, . - milligrad_clear_f32
    .text
    ",
    options(raw)
);
