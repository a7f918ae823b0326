//! Lines of an image, one after the other: the patch under a window.

use crate::window::Lines;
use core::arch::global_asm;

unsafe extern "C" {
    /// `lines` is at least 1, `skip` the bytes from the end of a line to the start of the next.
    fn milligrad_copy_lines_f32(from: *const f32, to: *mut f32, len: usize, lines: usize, skip: isize);
}

/// See [`Lines::copy`].
#[inline(always)]
pub(crate) fn copy_lines(lines: &Lines, from: &[f32], to: &mut [f32]) {
    if from.len() < lines.reach() || to.len() < lines.total() || lines.total() == 0 {
        return;
    }
    let skip = 4 * lines.stride().wrapping_sub(lines.len()) as isize;
    // SAFETY: all lines, `stride` apart, lie within `from`, and without gaps within `to`, as just compared.
    unsafe {
        milligrad_copy_lines_f32(from.as_ptr(), to.as_mut_ptr(), lines.len(), lines.count(), skip);
    }
}

// r0: from, r1: to, r2: length of a line, r3: lines to go, r4: elements to go, r12: bytes between lines.
global_asm!(
    "
    .section .text.milligrad_copy_lines_f32,\"ax\",%progbits
    .fpu fpv4-sp-d16
    .global milligrad_copy_lines_f32
    .type milligrad_copy_lines_f32,%function
    .p2align 2
    .thumb_func
milligrad_copy_lines_f32:
    push {r4, lr}
    ldr r12, [sp, #8]
1:
    subs r4, r2, #4
    blo 3f
2:
    vldmia r0!, {s0-s3}
    vstmia r1!, {s0-s3}
    subs r4, r4, #4
    bhs 2b
3:
    // The two lowest bits of the length, as carry and sign.
    lsls r4, r2, #31
    bcc 4f
    vldmia r0!, {s0-s1}
    vstmia r1!, {s0-s1}
4:
    bpl 5f
    vldmia r0!, {s0}
    vstmia r1!, {s0}
5:
    add r0, r0, r12
    subs r3, r3, #1
    bne 1b
    pop {r4, pc}
    .size milligrad_copy_lines_f32, . - milligrad_copy_lines_f32
    .text
    ",
    options(raw)
);
