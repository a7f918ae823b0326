//! Dense: four rows at a time, 20 instructions for 16 products.

use crate::arena;
use crate::packed::PackedChannel;
use crate::packed::{PackedDense, Places};
use core::arch::global_asm;

/// What the assembly works through.
#[repr(C)]
struct Job {
    x: *const i8,
    x_end: *const i8,
    channels: *const PackedChannel,
    /// Outputs to go.
    outputs: usize,
    y: *mut i8,
    signed: usize,
    /// Quads of inputs modulo 4.
    odd_quads: usize,
    weights: *const u32,
}

unsafe extern "C" {
    fn milligrad_dense_4(job: *const Job);
    /// The same, rounded once.
    fn milligrad_dense_4_once(job: *const Job);
}

/// See [`PackedDense`]; `at.x` has `len` elements, whole quads.
#[inline(always)]
pub(crate) fn dense<const ONCE: bool>(layer: &PackedDense<'_>, words: &mut [u32], at: Places, len: usize) {
    let base = arena::bytes_mut(words).as_mut_ptr();
    // SAFETY: the caller checked that the places lie within the arena; weights and channels are as long as
    // `PackedDense::new` checked.
    unsafe {
        let (x, y) = (base.add(at.x).cast_const(), base.add(at.y));
        let job = Job {
            x,
            x_end: x.add(len),
            channels: layer.channels.as_ptr(),
            outputs: layer.outputs,
            y,
            signed: usize::from(layer.output.signed),
            odd_quads: len / 4 % 4,
            weights: layer.weights.as_ptr(),
        };
        if ONCE {
            milligrad_dense_4_once(&job);
        } else {
            milligrad_dense_4(&job);
        }
        if layer.output.is_narrow() {
            super::clamp(layer.output, y, layer.outputs);
        }
    }
}

/// A row's word of weights times a quad of inputs in r4 and r5.
macro_rules! row {
    ($sum:literal, $weights:literal) => {
        concat!(
            "sxtb16 r10, ",
            $weights,
            "
             sxtb16 ",
            $weights,
            ", ",
            $weights,
            ", ror #8
             smlad ",
            $sum,
            ", r10, r4, ",
            $sum,
            "
             smlad ",
            $sum,
            ", ",
            $weights,
            ", r5, ",
            $sum,
            "
            "
        )
    };
}
macro_rules! quad {
    () => {
        concat!(
            "ldr r4, [r11], #4
             ldm r12!, {{r6-r9}}
             sxtb16 r5, r4, ror #8
             sxtb16 r4, r4
            ",
            row!("r0", "r6"),
            row!("r1", "r7"),
            row!("r2", "r8"),
            row!("r3", "r9"),
        )
    };
}
/// A sum as an output: the channel's scale comes from r12.
macro_rules! finish {
    ($sum:literal) => {
        concat!(
            "ldm r12!, {{r6-r9}}
             lsl ",
            $sum,
            ", ",
            $sum,
            ", #1
             and r9, r4, ",
            $sum,
            ", asr #31
             add r7, r7, r9
             smmlar ",
            $sum,
            ", ",
            $sum,
            ", r6, r7
             asr ",
            $sum,
            ", ",
            $sum,
            ", r8
             ssat ",
            $sum,
            ", #8, ",
            $sum,
            "
            "
        )
    };
}

/// The same, rounded once.
macro_rules! finish_once {
    ($sum:literal) => {
        concat!(
            "ldm r12!, {{r6-r9}}
             lsl ",
            $sum,
            ", ",
            $sum,
            ", #1
             smmla ",
            $sum,
            ", ",
            $sum,
            ", r6, r7
             asr ",
            $sum,
            ", ",
            $sum,
            ", r8
             ssat ",
            $sum,
            ", #8, ",
            $sum,
            "
            "
        )
    };
}

// On the stack: x, x_end, channels, outputs, y, signed, odd_quads.
macro_rules! kernel {
    ($name:literal, $finish:ident) => {
        global_asm!(concat!(
            ".section .text.",
            $name,
            ",\"ax\",%progbits
    .global ",
            $name,
            "
    .type ",
            $name,
            ",%function
    .thumb_func
    ",
            $name,
            ":
    push {{r4-r11, lr}}
    ldm r0, {{r1-r8}}
    push {{r1-r7}}
    mov r12, r8
    1:
    ldr r4, [sp, #8]
    ldr r5, [sp, #24]
    ldr r11, [sp]
    ldr lr, [sp, #4]
    ldr r0, [r4, #12]
    ldr r1, [r4, #28]
    ldr r2, [r4, #44]
    ldr r3, [r4, #60]
    cmp r5, #2
    beq 4f
    bhi 3f
    cmp r5, #1
    beq 5f
    2:",
            quad!(),
            "3:",
            quad!(),
            "4:",
            quad!(),
            "5:",
            quad!(),
            "cmp r11, lr
    bne 2b
    mov r11, r12
    ldr r12, [sp, #8]
    ldr r4, [sp, #20]
    rsb r4, r4, #0
    ",
            $finish!("r0"),
            $finish!("r1"),
            $finish!("r2"),
            $finish!("r3"),
            "str r12, [sp, #8]
    mov r12, r11
    ldrd r4, r5, [sp, #12]
    strb r0, [r5], #1
    subs r4, r4, #1
    beq 6f
    strb r1, [r5], #1
    subs r4, r4, #1
    beq 6f
    strb r2, [r5], #1
    subs r4, r4, #1
    beq 6f
    strb r3, [r5], #1
    subs r4, r4, #1
    strd r4, r5, [sp, #12]
    bne 1b
    6:
    add sp, sp, #28
    pop {{r4-r11, pc}}
    .size ",
            $name,
            ", . - ",
            $name,
            "
    .text"
        ));
    };
}
kernel!("milligrad_dense_4", finish);
kernel!("milligrad_dense_4_once", finish_once);
