//! A convolution whose patches are so small that registers hold one beside two rows of weights: for each position two filters at a
//! time, 9 + 2n instructions for 2n products.

use super::patches::{Run, each_run, is_small};
use super::rows::{limit, rows};
use crate::layers::Conv2d;
use core::arch::global_asm;

/// What the kernel reads, at the offsets that it knows.
#[repr(C)]
struct Call {
    y: *mut f32,
    run: Run,
    weights: *const f32,
    biases: *const f32,
    /// Filters but two.
    rows: usize,
    limited: usize,
    min: f32,
}

unsafe extern "C" {
    /// At least two filters; outputs below `min` become `min` if `limited` is not 0.
    fn milligrad_small_rows_f32(call: *mut Call);
}

/// See [`Arithmetic::convolve`](crate::Arithmetic::convolve).
#[inline(always)]
pub(crate) fn convolve(layer: &Conv2d<'_, f32>, x: &[f32], patch: &mut [f32], y: &mut [f32]) {
    let Conv2d { ref window, weights, channels: biases, output: ref range, .. } = *layer;
    let filters = biases.len();
    let is_small = is_small(window) && filters >= 2 && weights.len() >= filters * window.patch_len();
    // ReLU and nothing are done on the way, ranges with an upper end afterwards.
    let has_end = range.max != f32::INFINITY;
    let limited = usize::from(range.min != f32::NEG_INFINITY && !has_end);
    each_run(
        layer,
        x,
        patch,
        is_small,
        |_| true,
        |position, run, patch| {
            let Some(y) = y.get_mut(position * filters..(position + run.count()) * filters) else { return };
            if !is_small {
                rows(weights, biases, range, patch, y);
                return;
            }
            let (y, rows) = (y.as_mut_ptr(), filters - 2);
            let (weights, biases) = (weights.as_ptr(), biases.as_ptr());
            let mut call = Call { y, run, weights, biases, rows, limited, min: range.min };
            // SAFETY: `y` has as many outputs for each position of the run as there are filters, of which each has a bias and as many
            // weights as a patch has elements; what a run promises.
            unsafe { milligrad_small_rows_f32(&raw mut call) };
        },
    );
    if is_small && has_end {
        limit(range, y);
    }
}

// r0: weights, r1: biases, r2: y, r3: image at the position, r4: filters to go, r5: where two rows are loaded, r6: where a patch is,
// r7: what follows sums, r8: the call, r9: bytes to the next position, r10: and to the next line, r11: positions to go, r12: bytes
// of a row. The last of s0-s8: patch, of s9-s17 and s18-s26: weights, s28-s29: sums, s30: the limit.
global_asm!(
    products!("milligrad_small"),
    "
    .section .text.milligrad_small_rows_f32,\"ax\",%progbits
    .fpu fpv4-sp-d16

    .macro milligrad_small_two x, a, b
    milligrad_small_add s28, \\x, \\a
    milligrad_small_add s29, \\x, \\b
    .endm
    // As `Clamp` compares: NaN stays.
    .macro milligrad_small_limit sum
    vcmp.f32 \\sum, s30
    vmrs apsr_nzcv, fpscr
    it mi
    vmovmi.f32 \\sum, s30
    .endm
    // One of a table: 6 bytes.
    .macro milligrad_small_patch first
    vldmia r3, {\\first-s8}
    b.n 2f
    .endm
    // 10 bytes.
    .macro milligrad_small_weights first_a, first_b, to
    vldmia r0!, {\\first_a-s17}
    vldmia r0!, {\\first_b-s26}
    b.n \\to
    .endm

    .global milligrad_small_rows_f32
    .type milligrad_small_rows_f32,%function
    .p2align 2
    .thumb_func
milligrad_small_rows_f32:
    push {r4-r11, lr}
    vpush {s16-s30}
    mov r8, r0
    ldmia r0, {r2, r3, r9, r10, r11, r12}
    vldr s30, [r8, #48]
    sub r0, r12, #1
    add r0, r0, r0, lsl #1
    adr.w r6, 7f
    add r6, r6, r0, lsl #1
    cmp r10, #0
    it ne
    adrne.w r6, 6f
    sub r0, r12, #1
    add r0, r0, r0, lsl #2
    adr.w r5, 8f
    add r5, r5, r0, lsl #1
    lsl r12, r12, #2
    ldr r0, [r8, #44]
    adr.w r7, 4f
    cmp r0, #0
    it eq
    adreq.w r7, 5f
1:
    mov pc, r6
6:
    vldmia r3, {s0-s2}
    add r0, r3, r10
    vldmia r0, {s3-s5}
    add r0, r0, r10
    vldmia r0, {s6-s8}
    b.n 2f
7:
    milligrad_small_patch s8
    milligrad_small_patch s7
    milligrad_small_patch s6
    milligrad_small_patch s5
    milligrad_small_patch s4
    milligrad_small_patch s3
    milligrad_small_patch s2
    milligrad_small_patch s1
    milligrad_small_patch s0
2:
    add r3, r3, r9
    ldrd r0, r1, [r8, #32]
    ldr r4, [r8, #40]
3:
    vldmia r1!, {s28-s29}
    mov pc, r5
8:
    milligrad_small_weights s17, s26, 19f
    milligrad_small_weights s16, s25, 18f
    milligrad_small_weights s15, s24, 17f
    milligrad_small_weights s14, s23, 16f
    milligrad_small_weights s13, s22, 15f
    milligrad_small_weights s12, s21, 14f
    milligrad_small_weights s11, s20, 13f
    milligrad_small_weights s10, s19, 12f
    vldmia r0!, {s9-s17}
    vldmia r0!, {s18-s26}
    milligrad_small_two s0, s9, s18
12:
    milligrad_small_two s1, s10, s19
13:
    milligrad_small_two s2, s11, s20
14:
    milligrad_small_two s3, s12, s21
15:
    milligrad_small_two s4, s13, s22
16:
    milligrad_small_two s5, s14, s23
17:
    milligrad_small_two s6, s15, s24
18:
    milligrad_small_two s7, s16, s25
19:
    milligrad_small_two s8, s17, s26
    mov pc, r7
4:
    milligrad_small_limit s28
    milligrad_small_limit s29
5:
    vstmia r2!, {s28-s29}
    subs r4, r4, #2
    bhs 3b
    adds r4, r4, #1
    beq 9f
    subs r11, r11, #1
    bne 1b
    // A row of positions is done.
    ldrd r0, r1, [r8, #24]
    ldr r11, [r8, #16]
    add r3, r3, r1
    subs r0, r0, #1
    str r0, [r8, #24]
    bne 1b
    vpop {s16-s30}
    pop {r4-r11, pc}
9:
    // One filter is left: again with the one before.
    sub r0, r0, r12
    subs r1, r1, #4
    subs r2, r2, #4
    b.n 3b
    .size milligrad_small_rows_f32, . - milligrad_small_rows_f32
    .text
    ",
    options(raw)
);
