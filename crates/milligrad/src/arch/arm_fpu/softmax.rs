//! Softmax: 24 instructions for an exponential and its sum.

use core::arch::global_asm;

unsafe extern "C" {
    fn milligrad_softmax_f32(x: *mut f32, len: usize);
}

/// See [`softmax`](crate::layers::softmax).
#[inline(always)]
pub(crate) fn softmax(x: &mut [f32]) {
    if !x.is_empty() {
        // SAFETY: reads and writes the elements of the slice, of which there is at least one.
        unsafe { milligrad_softmax_f32(x.as_mut_ptr(), x.len()) };
    }
}

// r0: x, r1: its length, r2: within x, r3: elements to go, r12: coefficients, r4: 1.0.
// s8-s11: log2 e, ln 2 in two parts, highest coefficient, s12: smallest exponent, s13: maximum, s14: sum, s15: exponent.
// See `math::exp` for the formula; exponents are not positive here, so that one power of two is enough.
global_asm!(
    "
    .section .text.milligrad_softmax_f32,\"ax\",%progbits
    .fpu fpv4-sp-d16
    .global milligrad_softmax_f32
    .type milligrad_softmax_f32,%function
    .p2align 2
    .thumb_func
milligrad_softmax_f32:
    push {r4, lr}
    // The maximum, two elements a turn, one in the first where they are odd.
    mov r2, r0
    vldr s13, [r0]
    add r3, r1, #1
    lsrs r3, r3, #1
    tst r1, #1
    bne 2f
1:
    vldmia r2!, {s0}
    vcmp.f32 s0, s13
    vmrs apsr_nzcv, fpscr
    it gt
    vmovgt.f32 s13, s0
2:
    vldmia r2!, {s0}
    vcmp.f32 s0, s13
    vmrs apsr_nzcv, fpscr
    it gt
    vmovgt.f32 s13, s0
    subs r3, r3, #1
    bne 1b
    adr r12, 9f
    vldmia r12!, {s8-s12}
    vldmia r12!, {s14}
    mov r4, #0x3f800000
    mov r2, r0
    mov r3, r1
2:
    vldr s15, [r2]
    vldmia r12, {s0-s7}
    vsub.f32 s15, s15, s13
    vcmp.f32 s15, s12
    vmrs apsr_nzcv, fpscr
    bmi 8f
    vmla.f32 s0, s15, s8
    vsub.f32 s7, s0, s7
    vmls.f32 s15, s7, s9
    vmls.f32 s15, s7, s10
    vmla.f32 s1, s11, s15
    vmla.f32 s2, s1, s15
    vmla.f32 s3, s2, s15
    vmla.f32 s4, s3, s15
    vmla.f32 s5, s4, s15
    vmla.f32 s6, s5, s15
    vmov lr, s0
    add lr, r4, lr, lsl #23
    vmov s0, lr
    vmul.f32 s6, s6, s0
3:
    vadd.f32 s14, s14, s6
    vstmia r2!, {s6}
    subs r3, r3, #1
    bne 2b
    vmov.f32 s0, #1.0
    vdiv.f32 s14, s0, s14
    subs r1, r1, #4
    blo 5f
4:
    vldmia r0, {s0-s3}
    vmul.f32 s0, s0, s14
    vmul.f32 s1, s1, s14
    vmul.f32 s2, s2, s14
    vmul.f32 s3, s3, s14
    vstmia r0!, {s0-s3}
    subs r1, r1, #4
    bhs 4b
5:
    adds r1, r1, #4
    beq 7f
6:
    vldr s0, [r0]
    vmul.f32 s0, s0, s14
    vstmia r0!, {s0}
    subs r1, r1, #1
    bne 6b
7:
    pop {r4, pc}
8:
    vsub.f32 s6, s5, s5
    b 3b
    .p2align 2
9:
    .float 1.44269504, 0.693359375, -2.12194440e-4, 1.381461043e-3, -87.33654
    .float 0.0
    .float 12582912.0, 8.368710987e-3, 4.166838899e-2, 1.666652113e-1, 0.49999994, 1.0, 1.0, 12582912.0
    .size milligrad_softmax_f32, . - milligrad_softmax_f32
    .text
    ",
    options(raw)
);
