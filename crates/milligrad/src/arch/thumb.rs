//! Loops of 16-bit fixed point for every Cortex-M, in the instructions of the smallest, Armv6-M, which has 8 registers to compute in.
//! The compiler spills there; a person keeps sums in the upper registers, to which one can only add. Larger cores multiply and add at
//! once, and those with DSP instructions two at once (`dsp/fixed.rs`).
//!
//! Elements are walked by a negative offset from their end, so that the addition that moves on also ends the loop.

use core::arch::global_asm;

/// What the loop of four rows works through, and where its sums go.
#[repr(C)]
struct FourRows {
    x_end: *const i16,
    row_ends: [*const i16; 4],
    /// Minus the bytes of `x`, not zero.
    offset: isize,
    sums: [i32; 4],
}

/// The same for two columns.
#[repr(C)]
struct TwoColumns {
    delta_end: *const i16,
    /// Minus the bytes of `δ`, not zero.
    offset: isize,
    columns: [*const i16; 2],
    /// Bytes from row to row.
    stride: usize,
    sums: [i32; 2],
}

/// The same for a row of weights that is updated.
#[repr(C)]
struct Row {
    x_end: *const i16,
    weights_end: *mut i16,
    /// Minus the bytes of `x`, not zero.
    offset: isize,
    delta: i32,
    shift: u32,
    /// What the first update begins with; what falls off goes on.
    remainder: i32,
    mask: i32,
}

unsafe extern "C" {
    fn milligrad_fixed_four_rows(job: *mut FourRows);
    fn milligrad_fixed_two_columns(job: *mut TwoColumns);
    fn milligrad_fixed_update(job: *mut Row) -> u32;
}

/// Minus the bytes of a slice.
#[inline(always)]
fn offset(values: &[i16]) -> isize {
    -(size_of_val(values) as isize)
}

/// `Σ x w` of four rows, each as long as `x`, modulo 2³²; zero where a row is shorter.
#[inline(always)]
pub(crate) fn four_sums(x: &[i16], rows: [&[i16]; 4]) -> [i32; 4] {
    if x.is_empty() || rows.iter().any(|row| row.len() < x.len()) {
        return [0; 4];
    }
    let end = |row: &[i16]| row.as_ptr().wrapping_add(x.len());
    let mut job = FourRows { x_end: end(x), row_ends: rows.map(end), offset: offset(x), sums: [0; 4] };
    // SAFETY: reads `x.len()` elements before each end, which are there, as was checked.
    unsafe { milligrad_fixed_four_rows(&mut job) };
    job.sums
}

/// `Σ w δ` of the first two columns of rows of `inputs` weights, modulo 2³²; zero where there are fewer rows than deltas.
#[inline(always)]
pub(crate) fn two_columns(inputs: usize, weights: &[i16], delta: &[i16]) -> [i32; 2] {
    // The last row that is read needs its two columns alone.
    let needed = delta.len().saturating_sub(1).saturating_mul(inputs).saturating_add(2);
    if delta.is_empty() || weights.len() < needed {
        return [0; 2];
    }
    let first = weights.as_ptr();
    let mut job = TwoColumns {
        delta_end: delta.as_ptr().wrapping_add(delta.len()),
        offset: offset(delta),
        columns: [first, first.wrapping_add(1)],
        stride: 2 * inputs,
        sums: [0; 2],
    };
    // SAFETY: reads all of `delta`, and of `weights` the first two of each row, which are there, as was checked.
    unsafe { milligrad_fixed_two_columns(&mut job) };
    job.sums
}

/// `w -= s >> shift` of sums `s = δ x + remainder`, whose low bits are the next remainder; returns how many weights saturated.
#[inline(always)]
pub(crate) fn update(
    weights: &mut [i16],
    x: &[i16],
    delta: i32,
    shift: u32,
    remainder: i32,
    mask: i32,
) -> u32 {
    let len = if x.len() < weights.len() { x.len() } else { weights.len() };
    let mut job = Row {
        x_end: x.as_ptr().wrapping_add(len),
        weights_end: weights.as_mut_ptr().wrapping_add(len),
        offset: -(2 * len as isize),
        delta,
        shift,
        remainder,
        mask,
    };
    // SAFETY: reads and writes as many elements before both ends as the shorter slice has.
    if job.offset == 0 { 0 } else { unsafe { milligrad_fixed_update(&mut job) } }
}

/// Saves what a function has to, but for r0.
macro_rules! enter {
    () => {
        "push {{r4-r7, lr}}
         mov r4, r8
         mov r5, r9
         mov r6, r10
         mov r7, r11
         push {{r4-r7}}
        "
    };
}
macro_rules! leave {
    () => {
        "pop {{r4-r7}}
         mov r8, r4
         mov r9, r5
         mov r10, r6
         mov r11, r7
         pop {{r4-r7, pc}}
        "
    };
}
/// Adds the product of r0 and the element of a row to a sum.
#[cfg(all(milligrad_thumb2, not(milligrad_dsp)))]
macro_rules! multiply_add {
    ($sum:literal, $row:literal) => {
        concat!("ldrsh r7, [", $row, ", r6]\n mla ", $sum, ", r0, r7, ", $sum, "\n")
    };
}
#[cfg(not(milligrad_thumb2))]
macro_rules! multiply_add {
    ($sum:literal, $row:literal) => {
        concat!("ldrsh r7, [", $row, ", r6]\n muls r7, r0, r7\n add ", $sum, ", ", $sum, ", r7\n")
    };
}

#[cfg(not(milligrad_dsp))]
global_asm!(concat!(
    ".syntax unified
     .thumb
     .section .text.milligrad_fixed_four_rows, \"ax\"
     .global milligrad_fixed_four_rows
     .type milligrad_fixed_four_rows, %function
     .thumb_func
     .balign 4
     milligrad_fixed_four_rows:
    ",
    enter!(),
    "push {{r0}}
     movs r7, #0
     mov r8, r7
     mov r9, r7
     mov r10, r7
     mov r11, r7
     ldm r0!, {{r1-r6}}
     1:
     ldrsh r0, [r1, r6]
    ",
    multiply_add!("r8", "r2"),
    multiply_add!("r9", "r3"),
    multiply_add!("r10", "r4"),
    multiply_add!("r11", "r5"),
    "adds r6, r6, #2
     bne 1b
     pop {{r0}}
     adds r0, r0, #24
     mov r1, r8
     mov r2, r9
     mov r3, r10
     mov r4, r11
     stm r0!, {{r1-r4}}
    ",
    leave!(),
    ".size milligrad_fixed_four_rows, . - milligrad_fixed_four_rows"
));

#[cfg(not(milligrad_dsp))]
global_asm!(concat!(
    ".syntax unified
     .thumb
     .section .text.milligrad_fixed_two_columns, \"ax\"
     .global milligrad_fixed_two_columns
     .type milligrad_fixed_two_columns, %function
     .thumb_func
     .balign 4
     milligrad_fixed_two_columns:
    ",
    enter!(),
    "movs r7, #0
     mov r8, r7
     mov r9, r7
     ldm r0!, {{r1-r5}}
     push {{r0}}
     movs r6, #0
     1:
     ldrsh r0, [r1, r2]
    ",
    multiply_add!("r8", "r3"),
    multiply_add!("r9", "r4"),
    "adds r6, r6, r5
     adds r2, r2, #2
     bne 1b
     pop {{r0}}
     mov r1, r8
     mov r2, r9
     stm r0!, {{r1-r2}}
    ",
    leave!(),
    ".size milligrad_fixed_two_columns, . - milligrad_fixed_two_columns"
));

/// `r6 = (r3 r6 + r5) >> r4`, with flags, and what falls off, by the mask in r8, in r5.
#[cfg(milligrad_thumb2)]
macro_rules! step {
    () => {
        "mla r5, r3, r6, r5
         asrs r6, r5, r4
         and r5, r5, r8
        "
    };
}
#[cfg(not(milligrad_thumb2))]
macro_rules! step {
    () => {
        "muls r6, r3, r6
         adds r5, r5, r6
         mov r6, r5
         mov r7, r8
         ands r5, r7
         asrs r6, r4
        "
    };
}

global_asm!(concat!(
    ".syntax unified
     .thumb
     .section .text.milligrad_fixed_update, \"ax\"
     .global milligrad_fixed_update
     .type milligrad_fixed_update, %function
     .thumb_func
     .balign 4
     milligrad_fixed_update:
    ",
    enter!(),
    "mov r7, r0
     movs r6, #0
     mov r9, r6
     ldm r7!, {{r0-r5}}
     ldr r6, [r7]
     mov r8, r6
     1:
     ldrsh r6, [r0, r2]
    ",
    step!(),
    "beq 3f
     ldrsh r7, [r1, r2]
     subs r7, r7, r6
     sxth r6, r7
     cmp r6, r7
     bne 4f
     2:
     strh r7, [r1, r2]
     3:
     adds r2, r2, #2
     bne 1b
     b 5f
     4:
     asrs r7, r7, #31
     movs r6, #1
     add r9, r9, r6
     lsls r6, r6, #15
     subs r6, r6, #1
     eors r7, r6
     b 2b
     5:
     mov r0, r9
    ",
    leave!(),
    ".size milligrad_fixed_update, . - milligrad_fixed_update"
));
