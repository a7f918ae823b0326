//! Rules that remember one number of each parameter: momentum, Nesterov's and RMSProp, four parameters at a time.

use core::arch::global_asm;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $kernel:ident;)*) => {
        unsafe extern "C" {$(
            /// `len` is at least 1; `step` is the bytes from four `x` to the next.
            fn $kernel(
                weights: *mut f32,
                states: *mut f32,
                x: *const f32,
                len: usize,
                step: usize,
                a: f32,
                b: f32,
                c: f32,
                d: f32,
                e: f32,
            );
        )*}

        $(
            $(#[$doc])*
            #[inline(always)]
            pub(crate) fn $name(weights: &mut [f32], states: &mut [f32], x: Option<&[f32]>, factors: [f32; 5]) {
                let len = weights.len().min(states.len()).min(x.map_or(usize::MAX, <[f32]>::len));
                if len == 0 {
                    return;
                }
                let (x, step) = x.map_or((super::ZEROS.as_ptr(), 0), |x| (x.as_ptr(), 16));
                let [a, b, c, d, e] = factors;
                // SAFETY: `len` weights, states and, where they have a step, `x` lie within the slices; else the four zeros are
                // read. `x` is not written to.
                unsafe { $kernel(weights.as_mut_ptr(), states.as_mut_ptr(), x, len, step, a, b, c, d, e) };
            }
        )*
    };
}

rules! {
    /// A row by the gradients `δ x`; without `x` all of them are zero. Factors: `μ`, `η`, `δ`.
    momentum = milligrad_momentum_f32;
    /// As [`momentum`]. Factors: `μ`, `η δ`.
    nesterov = milligrad_nesterov_f32;
    /// As [`momentum`]. Factors: `ρ`, `1 - ρ`, `δ`, `η`, `ε`.
    rms_prop = milligrad_rms_prop_f32;
}

// r0: weights, r1: states, r2: x, r3: parameters to go, r12: bytes from four x to the next.
// s0-s4: factors, s8-s11: x, s12-s15: weights, s16-s19: states, s5-s6: what is on the way.
global_asm!(
    "
    .macro milligrad_rule name, rule
    .section .text.\\name,\"ax\",%progbits
    .fpu fpv4-sp-d16
    .global \\name
    .type \\name,%function
    .p2align 2
    .thumb_func
\\name:
    ldr r12, [sp]
    vpush {s16-s19}
    subs r3, r3, #4
    blo 2f
1:
    vldmia r2, {s8-s11}
    add r2, r2, r12
    vldmia r0, {s12-s15}
    vldmia r1, {s16-s19}
    \\rule s8, s12, s16
    \\rule s9, s13, s17
    \\rule s10, s14, s18
    \\rule s11, s15, s19
    vstmia r0!, {s12-s15}
    vstmia r1!, {s16-s19}
    subs r3, r3, #4
    bhs 1b
2:
    adds r3, r3, #4
    beq 4f
3:
    vldr s8, [r2]
    add r2, r2, r12, lsr #2
    vldr s12, [r0]
    vldr s16, [r1]
    \\rule s8, s12, s16
    vstmia r0!, {s12}
    vstmia r1!, {s16}
    subs r3, r3, #1
    bne 3b
4:
    vpop {s16-s19}
    bx lr
    .size \\name, . - \\name
    .text
    .endm

    .macro milligrad_momentum x, w, v
    vmul.f32 s5, \\x, s2
    vmul.f32 \\v, \\v, s0
    vmls.f32 \\v, s5, s1
    vadd.f32 \\w, \\w, \\v
    .endm
    milligrad_rule milligrad_momentum_f32, milligrad_momentum

    .macro milligrad_nesterov x, w, v
    vmul.f32 s5, \\x, s1
    vmul.f32 \\v, \\v, s0
    vsub.f32 \\v, \\v, s5
    vmul.f32 s6, \\v, s0
    vsub.f32 s6, s6, s5
    vadd.f32 \\w, \\w, s6
    .endm
    milligrad_rule milligrad_nesterov_f32, milligrad_nesterov

    .macro milligrad_rms_prop x, w, v
    vmul.f32 s5, \\x, s2
    vmul.f32 \\v, \\v, s0
    vmul.f32 s6, s5, s5
    vmla.f32 \\v, s6, s1
    vadd.f32 s6, \\v, s4
    vsqrt.f32 s6, s6
    vmul.f32 s5, s5, s3
    vdiv.f32 s5, s5, s6
    vsub.f32 \\w, \\w, s5
    .endm
    milligrad_rule milligrad_rms_prop_f32, milligrad_rms_prop
    ",
    options(raw)
);
