//! `M -= (factor δ) xᵀ`, the update of dense weights and, with -1 as factor, a sum of gradients: 23 instructions for 16
//! elements of a row, and none for rows whose `δ` is zero.

use core::arch::global_asm;

unsafe extern "C" {
    /// `rows` and `inputs` are at least 1, `stride` is the bytes from a row to the next.
    fn milligrad_subtract_outer_f32(
        matrix: *mut f32,
        delta: *const f32,
        rows: usize,
        x: *const f32,
        inputs: usize,
        stride: usize,
        factor: f32,
    );
}

/// See [`matrix::subtract_all`](crate::layers::matrix::subtract_all).
#[inline(always)]
pub(crate) fn subtract_all(matrix: &mut [f32], stride: usize, factor: f32, delta: &[f32], x: &[f32]) {
    let rows = super::rows_of(matrix.len(), stride, x.len()).min(delta.len());
    if rows == 0 {
        return;
    }
    let (matrix, delta, inputs) = (matrix.as_mut_ptr(), delta.as_ptr(), x.len());
    // SAFETY: `inputs` elements at the start of each of `rows` rows, `rows` deltas and `inputs` inputs lie within the slices, and
    // `matrix` is the only one that is written to.
    unsafe { milligrad_subtract_outer_f32(matrix, delta, rows, x.as_ptr(), inputs, 4 * stride, factor) };
}

// r0: within the matrix, r1: deltas, r2: rows to go, r3: x, r4: inputs, r5: bytes from a row to the next, r6: within x, r7:
// inputs to go, r12: bytes from the last input of a row to the next row. s0-s15: x, s16-s23: elements of the matrix, s24: factor,
// s25: factor times δ.
global_asm!(
    products!("milligrad_outer"),
    "
    .section .text.milligrad_subtract_outer_f32,\"ax\",%progbits
    .fpu fpv4-sp-d16

    .macro milligrad_subtract_eight a, b, c, d, e, f, g, h
    vldmia r0, {s16-s23}
    milligrad_outer_subtract s16, \\a, s25
    milligrad_outer_subtract s17, \\b, s25
    milligrad_outer_subtract s18, \\c, s25
    milligrad_outer_subtract s19, \\d, s25
    milligrad_outer_subtract s20, \\e, s25
    milligrad_outer_subtract s21, \\f, s25
    milligrad_outer_subtract s22, \\g, s25
    milligrad_outer_subtract s23, \\h, s25
    vstmia r0!, {s16-s23}
    .endm

    .global milligrad_subtract_outer_f32
    .type milligrad_subtract_outer_f32,%function
    .p2align 2
    .thumb_func
milligrad_subtract_outer_f32:
    push {r4-r7, lr}
    vpush {s16-s25}
    vmov.f32 s24, s0
    ldrd r4, r5, [sp, #60]
    sub r12, r5, r4, lsl #2
1:
    ldr r7, [r1], #4
    // Without its sign zero is zero; NaN is not.
    lsls r6, r7, #1
    beq 7f
    vmov s25, r7
    vmul.f32 s25, s25, s24
    mov r6, r3
    subs r7, r4, #16
    blo 3f
2:
    vldmia r6!, {s0-s15}
    milligrad_subtract_eight s0, s1, s2, s3, s4, s5, s6, s7
    milligrad_subtract_eight s8, s9, s10, s11, s12, s13, s14, s15
    subs r7, r7, #16
    bhs 2b
3:
    adds r7, r7, #8
    bmi 4f
    vldmia r6!, {s0-s7}
    milligrad_subtract_eight s0, s1, s2, s3, s4, s5, s6, s7
    sub r7, r7, #8
4:
    adds r7, r7, #8
    beq 6f
5:
    vldmia r6!, {s0}
    vldr s16, [r0]
    milligrad_outer_subtract s16, s0, s25
    vstmia r0!, {s16}
    subs r7, r7, #1
    bne 5b
6:
    add r0, r0, r12
    subs r2, r2, #1
    bne 1b
    b 8f
7:
    add r0, r0, r5
    subs r2, r2, #1
    bne 1b
8:
    vpop {s16-s25}
    pop {r4-r7, pc}
    .size milligrad_subtract_outer_f32, . - milligrad_subtract_outer_f32
    .text
    ",
    options(raw)
);
