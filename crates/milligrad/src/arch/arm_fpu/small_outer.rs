//! The weight gradient of a convolution whose patches are so small that registers hold one: what `δ` is not zero takes 10 + n
//! instructions for n products, what is zero takes three.

use super::patches::{Run, each_run, is_small};
use crate::Trainable;
use crate::layers::Conv2d;
use core::arch::global_asm;

/// What the kernel reads, at the offsets that it knows.
#[repr(C)]
struct Call {
    delta: *const f32,
    run: Run,
    gradient: *mut f32,
    filters: usize,
    /// For the kernel: where it loads a patch, and how many are to go.
    load: usize,
    left: usize,
}

unsafe extern "C" {
    /// At least one filter.
    fn milligrad_small_outer_f32(call: *mut Call);
}

/// See [`Trainable::accumulate_patches`](crate::Trainable::accumulate_patches).
#[inline(always)]
pub(crate) fn accumulate(
    layer: &Conv2d<'_, f32>,
    x: &[f32],
    delta: &[f32],
    patch: &mut [f32],
    gradient: &mut [f32],
) {
    let (filters, len) = (layer.channels.len(), layer.window.patch_len());
    let is_small = is_small(&layer.window) && filters > 0 && gradient.len() >= filters * len;
    let of = |position: usize, positions: usize| {
        delta.get(position * filters..(position + positions) * filters).unwrap_or_default()
    };
    // Behind a max pooling most are zero.
    let wanted = |position| of(position, 1).iter().any(|&delta| delta != 0.0);
    each_run(layer, x, patch, is_small, wanted, |position, run, patch| {
        let delta = of(position, run.count());
        if !is_small {
            // Of an image, it is the background.
            if patch.iter().any(|&x| x != 0.0) {
                f32::outer(patch, delta, gradient);
            }
        } else if !delta.is_empty() {
            let (delta, gradient) = (delta.as_ptr(), gradient.as_mut_ptr());
            let mut call = Call { delta, run, gradient, filters, load: 0, left: 0 };
            // SAFETY: `delta` has as many elements for each position of the run as there are filters, `gradient` as many rows, each
            // as long as a patch; what a run promises.
            unsafe { milligrad_small_outer_f32(&raw mut call) };
        }
    });
}

// r0: rows of the gradient, r1: deltas, r2: bytes of a row, r3: image at the position, r4-r7: deltas, r8: what is done where one is
// not zero, r9: filters to go, r10, r12: where a row is loaded and stored, r11: a row. The call is behind what is pushed.
// The last of s0-s8: patch, s15: δ, the last of s16-s24: row.
global_asm!(
    products!("milligrad_small_outer"),
    "
    .section .text.milligrad_small_outer_f32,\"ax\",%progbits
    .fpu fpv4-sp-d16

    // Without its sign zero is zero; NaN is not.
    .macro milligrad_small_delta delta, row:vararg
    lsls r11, \\delta, #1
    beq 3f
    \\row
    vmov s15, \\delta
    adr.w lr, 3f
    mov pc, r8
3:
    .endm
    // Of tables: 6 bytes each.
    .macro milligrad_small_load from, first, last, to
    vldmia \\from, {\\first-\\last}
    b.n \\to
    .endm
    .macro milligrad_small_store first
    vstmia r11, {\\first-s24}
    mov pc, lr
    .endm

    .global milligrad_small_outer_f32
    .type milligrad_small_outer_f32,%function
    .p2align 2
    .thumb_func
milligrad_small_outer_f32:
    push {r0, r4-r11, lr}
    vpush {s16-s24}
    // Registers before the patch are zero.
    movs r4, #0
    vmov s0, s1, r4, r4
    vmov s2, s3, r4, r4
    vmov s4, s5, r4, r4
    vmov s6, s7, r4, r4
    ldr r1, [r0]
    ldr r3, [r0, #4]
    ldr r2, [r0, #20]
    sub r4, r2, #1
    add r4, r4, r4, lsl #1
    adr.w r10, 20f
    add r10, r10, r4, lsl #1
    adr.w r12, 30f
    add r12, r12, r4, lsl #1
    adr.w r5, 11f
    add r5, r5, r4, lsl #1
    ldr r6, [r0, #12]
    cmp r6, #0
    it ne
    adrne.w r5, 10f
    ldr r6, [r0, #16]
    strd r5, r6, [r0, #40]
    lsl r2, r2, #2
1:
    ldr r11, [sp, #36]
    ldrd r0, r9, [r11, #32]
    adr.w r8, 8f
    subs r9, r9, #4
    blo 4f
2:
    ldmia r1!, {r4-r7}
    milligrad_small_delta r4, mov r11, r0
    milligrad_small_delta r5, add r11, r0, r2
    milligrad_small_delta r6, add r11, r0, r2, lsl #1
    add r0, r0, r2, lsl #2
    milligrad_small_delta r7, sub r11, r0, r2
    subs r9, r9, #4
    bhs 2b
4:
    adds r9, r9, #4
    beq 6f
5:
    ldr r4, [r1], #4
    milligrad_small_delta r4, mov r11, r0
    add r0, r0, r2
    subs r9, r9, #1
    bne 5b
6:
    ldr r11, [sp, #36]
    ldr r4, [r11, #8]
    ldr r5, [r11, #44]
    add r3, r3, r4
    subs r5, r5, #1
    str r5, [r11, #44]
    bne 1b
    // A row of positions is done.
    ldr r4, [r11, #16]
    str r4, [r11, #44]
    ldrd r4, r5, [r11, #24]
    add r3, r3, r5
    subs r4, r4, #1
    str r4, [r11, #24]
    bne 1b
    vpop {s16-s24}
    pop {r0, r4-r11, pc}

    // The first of a position: its patch is loaded.
8:
    push {r4-r6, lr}
    ldr r8, [sp, #52]
    ldr r4, [r8, #12]
    ldr r5, [r8, #40]
    mov pc, r5
10:
    add r5, r3, r4
    add r6, r5, r4
    vldmia r3, {s0-s2}
    vldmia r5, {s3-s5}
    vldmia r6, {s6-s8}
    b.n 12f
11:
    milligrad_small_load r3, s8, s8, 12f
    milligrad_small_load r3, s7, s8, 12f
    milligrad_small_load r3, s6, s8, 12f
    milligrad_small_load r3, s5, s8, 12f
    milligrad_small_load r3, s4, s8, 12f
    milligrad_small_load r3, s3, s8, 12f
    milligrad_small_load r3, s2, s8, 12f
    milligrad_small_load r3, s1, s8, 12f
    milligrad_small_load r3, s0, s8, 12f
12:
    ldr r4, [r3]
    lsls r4, r4, #1
    bne 13f
    // The whole patch may be zero.
    vmov r4, r5, s0, s1
    orr r8, r4, r5
    vmov r4, r5, s2, s3
    orr r8, r8, r4
    orr r8, r8, r5
    vmov r4, r5, s4, s5
    orr r8, r8, r4
    orr r8, r8, r5
    vmov r4, r5, s6, s7
    orr r8, r8, r4
    orr r8, r8, r5
    vmov r4, s8
    orr r8, r8, r4
    lsls r8, r8, #1
    bne 13f
    adr.w r8, 14f
    pop {r4-r6, lr}
    mov pc, lr
13:
    adr.w r8, 15f
    pop {r4-r6, lr}
15:
    mov pc, r10
20:
    milligrad_small_load r11, s24, s24, 19f
    milligrad_small_load r11, s23, s24, 18f
    milligrad_small_load r11, s22, s24, 17f
    milligrad_small_load r11, s21, s24, 16f
    milligrad_small_load r11, s20, s24, 25f
    milligrad_small_load r11, s19, s24, 24f
    milligrad_small_load r11, s18, s24, 23f
    milligrad_small_load r11, s17, s24, 22f
    vldmia r11, {s16-s24}
    milligrad_small_outer_add s16, s0, s15
22:
    milligrad_small_outer_add s17, s1, s15
23:
    milligrad_small_outer_add s18, s2, s15
24:
    milligrad_small_outer_add s19, s3, s15
25:
    milligrad_small_outer_add s20, s4, s15
16:
    milligrad_small_outer_add s21, s5, s15
17:
    milligrad_small_outer_add s22, s6, s15
18:
    milligrad_small_outer_add s23, s7, s15
19:
    milligrad_small_outer_add s24, s8, s15
    mov pc, r12
30:
    milligrad_small_store s24
    milligrad_small_store s23
    milligrad_small_store s22
    milligrad_small_store s21
    milligrad_small_store s20
    milligrad_small_store s19
    milligrad_small_store s18
    milligrad_small_store s17
    milligrad_small_store s16
    // Zeros add nothing.
14:
    mov pc, lr
    .size milligrad_small_outer_f32, . - milligrad_small_outer_f32
    .text
    ",
    options(raw)
);
