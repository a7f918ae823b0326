//! Adam: four parameters at a time, 44 instructions.

use core::arch::global_asm;

/// What is the same for all parameters of a row, as [`Adam`](crate::Adam) names it.
#[derive(Clone, Copy)]
pub(crate) struct Factors {
    pub(crate) beta_1: f32,
    pub(crate) beta_2: f32,
    /// `(1 - β₁) δ`
    pub(crate) mean: f32,
    /// `(1 - β₂) δ²`
    pub(crate) square: f32,
    pub(crate) epsilon: f32,
    /// The corrected learning rate.
    pub(crate) rate: f32,
}

unsafe extern "C" {
    /// `len` is at least 1; `step` is the bytes from four `x` to the next.
    fn milligrad_adam_f32(
        weights: *mut f32,
        states: *mut [f32; 2],
        x: *const f32,
        len: usize,
        step: usize,
        beta_1: f32,
        beta_2: f32,
        mean: f32,
        square: f32,
        epsilon: f32,
        rate: f32,
    );
}

/// Updates a row by the gradients `δ x`; without `x` all of them are zero.
#[inline(always)]
pub(crate) fn adam(weights: &mut [f32], states: &mut [[f32; 2]], x: Option<&[f32]>, factors: Factors) {
    let len = weights.len().min(states.len()).min(x.map_or(usize::MAX, <[f32]>::len));
    if len == 0 {
        return;
    }
    let (x, step) = x.map_or((super::ZEROS.as_ptr(), 0), |x| (x.as_ptr(), 16));
    let Factors { beta_1, beta_2, mean, square, epsilon, rate } = factors;
    let (weights, states) = (weights.as_mut_ptr(), states.as_mut_ptr());
    // SAFETY: `len` weights, states and, where they have a step, `x` lie within the slices; else the four zeros are read. `x` is
    // not written to.
    unsafe {
        milligrad_adam_f32(weights, states, x, len, step, beta_1, beta_2, mean, square, epsilon, rate);
    }
}

// r0: weights, r1: states, r2: x, r3: parameters to go, r12: bytes from four x to the next.
// s0-s5: the factors, s8-s11: x, s12-s15: weights, s16-s23: means and squares, s24-s27: what is on the way.
global_asm!(
    "
    .section .text.milligrad_adam_f32,\"ax\",%progbits
    .fpu fpv4-sp-d16
    .global milligrad_adam_f32
    .type milligrad_adam_f32,%function
    .p2align 2
    .thumb_func
milligrad_adam_f32:
    ldr r12, [sp]
    vpush {s16-s27}
    subs r3, r3, #4
    blo 2f
1:
    vldmia r2, {s8-s11}
    add r2, r2, r12
    vldmia r0, {s12-s15}
    vldmia r1, {s16-s23}
    vmul.f32 s16, s16, s0
    vmul.f32 s18, s18, s0
    vmul.f32 s20, s20, s0
    vmul.f32 s22, s22, s0
    vmul.f32 s17, s17, s1
    vmul.f32 s19, s19, s1
    vmul.f32 s21, s21, s1
    vmul.f32 s23, s23, s1
    vmul.f32 s24, s8, s3
    vmul.f32 s25, s9, s3
    vmul.f32 s26, s10, s3
    vmul.f32 s27, s11, s3
    vmla.f32 s16, s8, s2
    vmla.f32 s18, s9, s2
    vmla.f32 s20, s10, s2
    vmla.f32 s22, s11, s2
    vmla.f32 s17, s24, s8
    vmla.f32 s19, s25, s9
    vmla.f32 s21, s26, s10
    vmla.f32 s23, s27, s11
    vsqrt.f32 s24, s17
    vsqrt.f32 s25, s19
    vsqrt.f32 s26, s21
    vsqrt.f32 s27, s23
    vadd.f32 s24, s24, s4
    vadd.f32 s25, s25, s4
    vadd.f32 s26, s26, s4
    vadd.f32 s27, s27, s4
    vdiv.f32 s24, s16, s24
    vdiv.f32 s25, s18, s25
    vdiv.f32 s26, s20, s26
    vdiv.f32 s27, s22, s27
    vmls.f32 s12, s24, s5
    vmls.f32 s13, s25, s5
    vmls.f32 s14, s26, s5
    vmls.f32 s15, s27, s5
    vstmia r0!, {s12-s15}
    vstmia r1!, {s16-s23}
    subs r3, r3, #4
    bhs 1b
2:
    adds r3, r3, #4
    beq 4f
3:
    vldr s8, [r2]
    add r2, r2, r12, lsr #2
    vldr s12, [r0]
    vldmia r1, {s16-s17}
    vmul.f32 s16, s16, s0
    vmul.f32 s17, s17, s1
    vmul.f32 s24, s8, s3
    vmla.f32 s16, s8, s2
    vmla.f32 s17, s24, s8
    vsqrt.f32 s24, s17
    vadd.f32 s24, s24, s4
    vdiv.f32 s24, s16, s24
    vmls.f32 s12, s24, s5
    vstmia r0!, {s12}
    vstmia r1!, {s16-s17}
    subs r3, r3, #1
    bne 3b
4:
    vpop {s16-s27}
    bx lr
    .size milligrad_adam_f32, . - milligrad_adam_f32
    .text
    ",
    options(raw)
);
