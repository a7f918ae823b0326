//! Add: 15 instructions for each element.

use crate::packed::PackedAdd;
use core::arch::global_asm;

/// What the assembly works through; everything that is added to a sum is doubled, as the sum is.
#[repr(C)]
struct Job {
    other: *const i8,
    larger: *const i8,
    y: *mut i8,
    other_end: *const i8,
    start: i32,
    multiplier: i32,
    shift: i32,
    /// Half of the last bit that the shift drops.
    half: i32,
    offset: i32,
    sum_multiplier: i32,
    sum_round: i32,
    sum_shift: i32,
}

unsafe extern "C" {
    fn milligrad_add(job: *const Job);
    /// The same without a shift of the first term.
    fn milligrad_add_unshifted(job: *const Job);
}

/// See [`PackedAdd`]; the caller checked that all three places have `len` elements.
#[inline(always)]
pub(crate) fn add(layer: &PackedAdd, arena: &mut [i8], other: usize, larger: usize, y: usize, len: usize) {
    if len == 0 {
        return;
    }
    let base = arena.as_mut_ptr();
    // SAFETY: all elements lie within the arena, as the caller checked.
    unsafe {
        let job = Job {
            other: base.add(other),
            larger: base.add(larger),
            y: base.add(y),
            other_end: base.add(other + len),
            start: layer.start,
            multiplier: layer.multiplier,
            shift: layer.shift,
            half: 1i32.wrapping_shl((layer.shift - 1) as u32),
            offset: 2 * layer.offset,
            sum_multiplier: layer.sum.multiplier,
            sum_round: layer.sum.round,
            sum_shift: layer.sum.shift,
        };
        if layer.shift == 0 {
            milligrad_add_unshifted(&job)
        } else {
            milligrad_add(&job)
        }
        if layer.output.is_narrow() {
            super::clamp(layer.output, base.add(y), len);
        }
    }
}

macro_rules! add {
    ($name:literal, $term:literal) => {
        global_asm!(
            concat!(
                ".section .text.",
                $name,
                ",\"ax\",%progbits\n.global ",
                $name,
                "\n.type ",
                $name,
                ",%function"
            ),
            ".thumb_func",
            concat!($name, ":"),
            "push {{r4-r11, lr}}
            ldm r0, {{r0-r11}}
            1:
            ldrsb r12, [r0], #1
            add r12, r4, r12, lsl #21
            ",
            $term,
            "ldrsb lr, [r1], #1
            add r12, r8, r12, lsl #1
            add r12, r12, lr, lsl #20
            add lr, r10, r12, asr #31
            smmlar r12, r12, r9, lr
            asr r12, r12, r11
            ssat r12, #8, r12
            strb r12, [r2], #1
            cmp r0, r3
            bne 1b
            pop {{r4-r11, pc}}
            ",
            concat!(".size ", $name, ", . - ", $name, "\n.text")
        );
    };
}
add!("milligrad_add", "add lr, r7, r12, asr #31\nsmmlar r12, r12, r5, lr\nasr r12, r12, r6\n");
add!("milligrad_add_unshifted", "smmulr r12, r12, r5\n");
