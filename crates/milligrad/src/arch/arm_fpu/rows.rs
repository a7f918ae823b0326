//! `y = activation(W x + b)`: four rows at a time, 150 instructions for 128 products.

use crate::Clamp;
use core::arch::global_asm;

unsafe extern "C" {
    /// `rows` is at least 1, `gap` is the bytes from the end of a row to the next; outputs below `min` become
    /// `min` if `limited`. `biases` may be `y`.
    fn milligrad_rows_f32(
        weights: *const f32,
        x: *const f32,
        y: *mut f32,
        biases: *const f32,
        rows: usize,
        inputs: usize,
        gap: usize,
        limited: bool,
        min: f32,
    );
}

/// See [`matrix::rows`](crate::layers::matrix::rows).
#[inline(always)]
pub(crate) fn rows(weights: &[f32], biases: &[f32], output: &Clamp<f32>, x: &[f32], y: &mut [f32]) {
    let rows = weights.len().checked_div(x.len()).unwrap_or(0).min(biases.len()).min(y.len());
    if rows > 0 {
        // SAFETY: `rows` times as many weights as there are inputs and `rows` biases lie within the slices.
        unsafe { run(weights, x.len(), biases.as_ptr(), output, x, y.as_mut_ptr(), rows) };
    }
}

/// See [`Sums::add`](crate::layers::matrix::Sums::add).
#[inline(always)]
pub(crate) fn add_columns(
    weights: &[f32],
    stride: usize,
    starts: Option<&[f32]>,
    output: &Clamp<f32>,
    x: &[f32],
    y: &mut [f32],
) {
    let starting = starts.map_or(usize::MAX, <[f32]>::len);
    // Of no inputs the sums are what they start from.
    let rows = super::rows_of(weights.len(), stride, x.len().max(1)).min(y.len()).min(starting);
    let y = y.as_mut_ptr();
    let starts = starts.map_or(y.cast_const(), <[f32]>::as_ptr);
    if rows > 0 {
        // SAFETY: as many weights as there are inputs lie at the start of each of `rows` rows, and `rows` sums in `starts` and `y`.
        unsafe { run(weights, stride, starts, output, x, y, rows) };
    }
}

/// # Safety
/// `rows` is at least 1; there are as many biases and outputs, and rows of weights, `stride` apart, of which each is as long as `x`
/// or longer.
#[inline(always)]
unsafe fn run(
    weights: &[f32],
    stride: usize,
    biases: *const f32,
    output: &Clamp<f32>,
    x: &[f32],
    y: *mut f32,
    rows: usize,
) {
    // ReLU and nothing are done on the way, ranges with an upper end afterwards.
    let has_end = output.max != f32::INFINITY;
    let limited = output.min != f32::NEG_INFINITY && !has_end;
    let (weights, inputs, gap) = (weights.as_ptr(), x.len(), 4 * (stride - x.len()));
    // SAFETY: what the caller promises; `y` is the only one that is written to, each output after the bias at its place is read.
    unsafe { milligrad_rows_f32(weights, x.as_ptr(), y, biases, rows, inputs, gap, limited, output.min) };
    if has_end {
        // SAFETY: there are `rows` outputs.
        limit(output, unsafe { core::slice::from_raw_parts_mut(y, rows) });
    }
}

/// Sums within the range of an activation.
#[inline(never)]
pub(super) fn limit(output: &Clamp<f32>, y: &mut [f32]) {
    y.iter_mut().for_each(|y| *y = output.apply(*y));
}

// r0, r7, r8, r9: four rows of weights, r1: where the first turn over the blocks of 8 starts, r2: y, r3: biases,
// r4: rows to go, r5: inputs beyond the last block, the highest bit set if outputs are limited, r6: bytes from a row to the
// next, r10: within x, r11: counts, r12: turns over the blocks, lr: what follows them. s16-s19: sums, s28: the limit.
global_asm!(
    products!("milligrad_rows"),
    "
    .section .text.milligrad_rows_f32,\"ax\",%progbits
    .fpu fpv4-sp-d16

    // Eight inputs of two rows; no sum waits for the product before it.
    .macro milligrad_two_rows sum_a, sum_b, weights_a, weights_b
    vldmia \\weights_a!, {s8-s15}
    vldmia \\weights_b!, {s20-s27}
    milligrad_rows_add \\sum_a, s0, s8
    milligrad_rows_add \\sum_b, s0, s20
    milligrad_rows_add \\sum_a, s1, s9
    milligrad_rows_add \\sum_b, s1, s21
    milligrad_rows_add \\sum_a, s2, s10
    milligrad_rows_add \\sum_b, s2, s22
    milligrad_rows_add \\sum_a, s3, s11
    milligrad_rows_add \\sum_b, s3, s23
    milligrad_rows_add \\sum_a, s4, s12
    milligrad_rows_add \\sum_b, s4, s24
    milligrad_rows_add \\sum_a, s5, s13
    milligrad_rows_add \\sum_b, s5, s25
    milligrad_rows_add \\sum_a, s6, s14
    milligrad_rows_add \\sum_b, s6, s26
    milligrad_rows_add \\sum_a, s7, s15
    milligrad_rows_add \\sum_b, s7, s27
    .endm
    // 148 bytes.
    .macro milligrad_four_rows
    vldmia r10!, {s0-s7}
    milligrad_two_rows s16, s17, r0, r7
    milligrad_two_rows s18, s19, r8, r9
    .endm
    // As `Clamp` compares: NaN stays.
    .macro milligrad_limit sum
    vcmp.f32 \\sum, s28
    vmrs apsr_nzcv, fpscr
    it mi
    vmovmi.f32 \\sum, s28
    .endm

    .global milligrad_rows_f32
    .type milligrad_rows_f32,%function
    .p2align 2
    .thumb_func
milligrad_rows_f32:
    push {r4-r11, lr}
    vpush {s16-s28}
    vmov.f32 s28, s0
    mov r10, r1
    add r11, sp, #88
    ldm r11, {r4, r5, r6, r11}
    add r6, r6, r5, lsl #2
    // Beside the gap, where the last argument was: x.
    str r1, [sp, #100]
    // Four blocks a turn; the first turn starts where it does the blocks that make no whole turn.
    lsr r7, r5, #3
    add r12, r7, #3
    lsr r12, r12, #2
    rsb r8, r7, #0
    and r8, r8, #3
    mov r9, #148
    adr r1, 2f
    mla r1, r8, r9, r1
    cmp r7, #0
    it eq
    adreq r1, 3f
    ands r5, r5, #7
    ite eq
    adreq lr, 6f
    adrne lr, 4f
    cmp r11, #0
    beq 7f
    orrs r5, r5, #0x80000000
    cmp r5, #0x80000000
    it eq
    adreq lr, 5f
7:
    subs r4, r4, #4
    blo 8f
1:
    vldmia r3!, {s16-s19}
    add r7, r0, r6
    add r8, r7, r6
    add r9, r8, r6
    mov r11, r12
    mov pc, r1
2:
    milligrad_four_rows
    milligrad_four_rows
    milligrad_four_rows
    milligrad_four_rows
    subs r11, r11, #1
    bne 2b
3:
    mov pc, lr
4:
    bic r11, r5, #0x80000000
7:
    vldmia r10!, {s0}
    vldmia r0!, {s8}
    vldmia r7!, {s9}
    vldmia r8!, {s10}
    vldmia r9!, {s11}
    milligrad_rows_add s16, s0, s8
    milligrad_rows_add s17, s0, s9
    milligrad_rows_add s18, s0, s10
    milligrad_rows_add s19, s0, s11
    subs r11, r11, #1
    bne 7b
    cmp r5, #0
    bpl 6f
5:
    milligrad_limit s16
    milligrad_limit s17
    milligrad_limit s18
    milligrad_limit s19
6:
    vstmia r2!, {s16-s19}
    ldrd r11, r10, [sp, #96]
    add r0, r9, r11
    subs r4, r4, #4
    bhs 1b
8:
    // Up to three rows are left: two, then one.
    adds r4, r4, #2
    bmi 5f
    vldmia r3!, {s16-s17}
    add r7, r0, r6
    ldr r11, [sp, #92]
    lsrs r11, r11, #3
    beq 2f
1:
    vldmia r10!, {s0-s7}
    milligrad_two_rows s16, s17, r0, r7
    subs r11, r11, #1
    bne 1b
2:
    bics r11, r5, #0x80000000
    beq 3f
7:
    vldmia r10!, {s0}
    vldmia r0!, {s8}
    vldmia r7!, {s9}
    milligrad_rows_add s16, s0, s8
    milligrad_rows_add s17, s0, s9
    subs r11, r11, #1
    bne 7b
3:
    cmp r5, #0
    bpl 4f
    milligrad_limit s16
    milligrad_limit s17
4:
    vstmia r2!, {s16-s17}
    ldrd r11, r10, [sp, #96]
    add r0, r7, r11
    sub r4, r4, #2
5:
    adds r4, r4, #1
    bmi 9f
    vldmia r3!, {s16}
    ldr r11, [sp, #92]
    lsrs r11, r11, #3
    beq 2f
1:
    vldmia r10!, {s0-s7}
    vldmia r0!, {s8-s15}
    milligrad_rows_add s16, s0, s8
    milligrad_rows_add s16, s1, s9
    milligrad_rows_add s16, s2, s10
    milligrad_rows_add s16, s3, s11
    milligrad_rows_add s16, s4, s12
    milligrad_rows_add s16, s5, s13
    milligrad_rows_add s16, s6, s14
    milligrad_rows_add s16, s7, s15
    subs r11, r11, #1
    bne 1b
2:
    bics r11, r5, #0x80000000
    beq 3f
7:
    vldmia r10!, {s0}
    vldmia r0!, {s8}
    milligrad_rows_add s16, s0, s8
    subs r11, r11, #1
    bne 7b
3:
    cmp r5, #0
    bpl 4f
    milligrad_limit s16
4:
    vstmia r2!, {s16}
9:
    vpop {s16-s28}
    pop {r4-r11, pc}
    .size milligrad_rows_f32, . - milligrad_rows_f32
    .text
    ",
    options(raw)
);
