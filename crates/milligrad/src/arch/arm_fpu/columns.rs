//! `δx = Wᵀ δ`: sixteen columns at a time stay in registers, 22 instructions for 16 products.

use core::arch::global_asm;

unsafe extern "C" {
    /// `rows` is at least 1, `stride` the bytes of a row.
    fn milligrad_columns_f32(
        weights: *const f32,
        delta: *const f32,
        delta_x: *mut f32,
        columns: usize,
        rows: usize,
        stride: usize,
    );
}

/// See [`matrix::columns`](crate::layers::matrix::columns).
#[inline(always)]
pub(crate) fn columns(inputs: usize, weights: &[f32], delta: &[f32], delta_x: &mut [f32]) {
    let rows = weights.len().checked_div(inputs).unwrap_or(0).min(delta.len());
    super::clear(delta_x);
    if rows == 0 {
        return;
    }
    let (columns, stride) = (delta_x.len().min(inputs), 4 * inputs);
    let (weights, delta, delta_x) = (weights.as_ptr(), delta.as_ptr(), delta_x.as_mut_ptr());
    // SAFETY: `rows` rows of `inputs` weights, `rows` deltas and `columns` elements of `delta_x` lie within the slices, and
    // `delta_x` is the only one that is written to.
    unsafe { milligrad_columns_f32(weights, delta, delta_x, columns, rows, stride) };
}

// r0: the block's first column of weights, r1: deltas, r2: δx, r3: columns to go, r4: rows, r5: bytes of a row, r6: within
// the weights, r7: within the deltas, r8: rows to go, r9: bytes from the end of a row's block to the next row's.
// s0-s15: sums, s24: δ.
global_asm!(
    products!("milligrad_columns"),
    "
    .section .text.milligrad_columns_f32,\"ax\",%progbits
    .fpu fpv4-sp-d16

    .macro milligrad_eight_columns a, b, c, d, e, f, g, h
    vldmia r6!, {s16-s23}
    milligrad_columns_add \\a, s16, s24
    milligrad_columns_add \\b, s17, s24
    milligrad_columns_add \\c, s18, s24
    milligrad_columns_add \\d, s19, s24
    milligrad_columns_add \\e, s20, s24
    milligrad_columns_add \\f, s21, s24
    milligrad_columns_add \\g, s22, s24
    milligrad_columns_add \\h, s23, s24
    .endm

    .global milligrad_columns_f32
    .type milligrad_columns_f32,%function
    .p2align 2
    .thumb_func
milligrad_columns_f32:
    push {r4-r9, lr}
    vpush {s16-s24}
    add r6, sp, #64
    ldm r6, {r4, r5}
    sub r9, r5, #64
    subs r3, r3, #16
    blo 3f
1:
    vldmia r2, {s0-s15}
    mov r6, r0
    mov r7, r1
    mov r8, r4
2:
    vldmia r7!, {s24}
    milligrad_eight_columns s0, s1, s2, s3, s4, s5, s6, s7
    milligrad_eight_columns s8, s9, s10, s11, s12, s13, s14, s15
    add r6, r6, r9
    subs r8, r8, #1
    bne 2b
    vstmia r2!, {s0-s15}
    add r0, r0, #64
    subs r3, r3, #16
    bhs 1b
3:
    adds r3, r3, #8
    bmi 5f
    add r9, r9, #32
    vldmia r2, {s0-s7}
    mov r6, r0
    mov r7, r1
    mov r8, r4
4:
    vldmia r7!, {s24}
    milligrad_eight_columns s0, s1, s2, s3, s4, s5, s6, s7
    add r6, r6, r9
    subs r8, r8, #1
    bne 4b
    vstmia r2!, {s0-s7}
    add r0, r0, #32
    sub r3, r3, #8
5:
    adds r3, r3, #8
    beq 8f
    // Up to seven columns are left, one by one.
6:
    vldr s0, [r2]
    mov r6, r0
    mov r7, r1
    mov r8, r4
7:
    vldmia r7!, {s24}
    vldr s16, [r6]
    milligrad_columns_add s0, s16, s24
    add r6, r6, r5
    subs r8, r8, #1
    bne 7b
    vstmia r2!, {s0}
    add r0, r0, #4
    subs r3, r3, #1
    bne 6b
8:
    vpop {s16-s24}
    pop {r4-r9, pc}
    .size milligrad_columns_f32, . - milligrad_columns_f32
    .text
    ",
    options(raw)
);
