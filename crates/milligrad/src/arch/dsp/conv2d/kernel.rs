//! Columns times filters, in assembly.

use crate::packed::PackedChannel;
use core::arch::global_asm;

/// What the assembly works through: all filters, at four positions or at one.
#[repr(C)]
pub(super) struct Job {
    /// Widened patches: for each two elements in packed order a word of each position.
    pub(super) columns: *const u32,
    pub(super) columns_end: *const u32,
    pub(super) channels: *const PackedChannel,
    /// Filters to go.
    pub(super) filters: usize,
    pub(super) y: *mut i8,
    /// Bytes from an output position to the next, and to the third after it.
    pub(super) stride: usize,
    pub(super) stride3: usize,
    pub(super) signed: usize,
    /// Quads of a patch modulo 4.
    pub(super) odd_quads: usize,
    pub(super) weights: *const u32,
}

unsafe extern "C" {
    /// All filters at four positions.
    pub(super) fn milligrad_conv_4x2(job: *const Job);
    /// All filters at one position.
    pub(super) fn milligrad_conv_1x2(job: *const Job);
}

/// Two elements of each of four positions times two filters: sums of filter `a` in r0-r3, of `b` in r4-r7.
macro_rules! pair {
    () => {
        "ldr r9, [r12], #4
         sxtb16 r8, r9
         ldrd r10, r11, [lr], #8
         sxtb16 r9, r9, ror #8
         smlad r0, r10, r8, r0
         smlad r4, r10, r9, r4
         smlad r1, r11, r8, r1
         smlad r5, r11, r9, r5
         ldrd r10, r11, [lr], #8
         smlad r2, r10, r8, r2
         smlad r6, r10, r9, r6
         smlad r3, r11, r8, r3
         smlad r7, r11, r9, r7
        "
    };
}
macro_rules! quad {
    () => {
        concat!(pair!(), pair!())
    };
}

/// A sum as an output, by the multiplier in r8, the rounding in r9 and the shift in r10.
macro_rules! finish {
    ($sum:literal) => {
        concat!(
            "lsl ",
            $sum,
            ", ",
            $sum,
            ", #1
             smmlar ",
            $sum,
            ", ",
            $sum,
            ", r8, r9
             asr ",
            $sum,
            ", ",
            $sum,
            ", r10
             ssat ",
            $sum,
            ", #8, ",
            $sum,
            "
            "
        )
    };
}
/// The same where negative sums count.
macro_rules! finish_signed {
    ($sum:literal) => {
        concat!(
            "lsl ",
            $sum,
            ", ",
            $sum,
            ", #1
             add r11, r9, ",
            $sum,
            ", asr #31
             smmlar ",
            $sum,
            ", ",
            $sum,
            ", r8, r11
             asr ",
            $sum,
            ", ",
            $sum,
            ", r10
             ssat ",
            $sum,
            ", #8, ",
            $sum,
            "
            "
        )
    };
}

// On the stack: columns, columns_end, channels, filters, y, stride, stride3, signed, odd_quads.
global_asm!(
    ".section .text.milligrad_conv_4x2,\"ax\",%progbits
    .global milligrad_conv_4x2
    .type milligrad_conv_4x2,%function
    .thumb_func
    milligrad_conv_4x2:
    push {{r4-r11, lr}}
    ldm r0, {{r1-r10}}
    push {{r1-r9}}
    mov r12, r10
    1:
    ldr r11, [sp, #8]
    ldr r10, [sp, #32]
    ldr lr, [sp]
    ldr r0, [r11, #12]
    ldr r4, [r11, #28]
    mov r1, r0
    mov r2, r0
    mov r3, r0
    mov r5, r4
    mov r6, r4
    mov r7, r4
    cmp r10, #2
    beq 4f
    bhi 3f
    cmp r10, #1
    beq 5f
    2:",
    quad!(),
    "3:",
    quad!(),
    "4:",
    quad!(),
    "5:",
    quad!(),
    "ldr r10, [sp, #4]
    cmp lr, r10
    bne 2b
    ldr lr, [sp, #8]
    ldr r11, [sp, #28]
    cmp r11, #0
    ldm lr!, {{r8-r11}}
    bne 6f
    ",
    finish!("r0"),
    finish!("r1"),
    finish!("r2"),
    finish!("r3"),
    "ldm lr!, {{r8-r11}}
    ",
    finish!("r4"),
    finish!("r5"),
    finish!("r6"),
    finish!("r7"),
    "b 7f
    6:
    ",
    finish_signed!("r0"),
    finish_signed!("r1"),
    finish_signed!("r2"),
    finish_signed!("r3"),
    "ldm lr!, {{r8-r11}}
    ",
    finish_signed!("r4"),
    finish_signed!("r5"),
    finish_signed!("r6"),
    finish_signed!("r7"),
    "7:
    str lr, [sp, #8]
    add lr, sp, #12
    ldm lr, {{r8-r11}}
    strb r0, [r9]
    strb r1, [r9, r10]
    strb r2, [r9, r10, lsl #1]
    strb r3, [r9, r11]
    subs r8, r8, #2
    bmi 8f
    add r9, r9, #1
    strb r4, [r9]
    strb r5, [r9, r10]
    strb r6, [r9, r10, lsl #1]
    strb r7, [r9, r11]
    add r9, r9, #1
    stm lr, {{r8, r9}}
    bne 1b
    8:
    add sp, sp, #36
    pop {{r4-r11, pc}}
    .size milligrad_conv_4x2, . - milligrad_conv_4x2
    ",
    ".section .text.milligrad_conv_1x2,\"ax\",%progbits
    .global milligrad_conv_1x2
    .type milligrad_conv_1x2,%function
    .thumb_func
    milligrad_conv_1x2:
    push {{r4-r11, lr}}
    ldm r0, {{r1-r10}}
    push {{r1-r9}}
    mov r12, r10
    1:
    ldr r11, [sp, #8]
    ldr lr, [sp]
    ldr r10, [sp, #4]
    ldr r0, [r11, #12]
    ldr r4, [r11, #28]
    2:
    ldrd r8, r9, [r12], #8
    ldrd r2, r3, [lr], #8
    sxtb16 r5, r8
    sxtb16 r8, r8, ror #8
    smlad r0, r2, r5, r0
    smlad r4, r2, r8, r4
    sxtb16 r5, r9
    sxtb16 r9, r9, ror #8
    smlad r0, r3, r5, r0
    smlad r4, r3, r9, r4
    cmp lr, r10
    bne 2b
    ldr lr, [sp, #8]
    ldr r11, [sp, #28]
    cmp r11, #0
    ldm lr!, {{r8-r11}}
    bne 6f
    ",
    finish!("r0"),
    "ldm lr!, {{r8-r11}}
    ",
    finish!("r4"),
    "b 7f
    6:
    ",
    finish_signed!("r0"),
    "ldm lr!, {{r8-r11}}
    ",
    finish_signed!("r4"),
    "7:
    str lr, [sp, #8]
    ldrd r8, r9, [sp, #12]
    strb r0, [r9], #1
    subs r8, r8, #2
    bmi 8f
    strb r4, [r9], #1
    strd r8, r9, [sp, #12]
    bne 1b
    8:
    add sp, sp, #36
    pop {{r4-r11, pc}}
    .size milligrad_conv_1x2, . - milligrad_conv_1x2
    .text"
);
