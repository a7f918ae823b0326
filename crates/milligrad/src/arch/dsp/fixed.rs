//! The loops of 16-bit fixed point that [`thumb`](crate::arch::thumb) calls, two products in one instruction: a word holds two
//! neighbours, at any even address. Sums are those of the plain loops, modulo 2³², in whatever order they are added.

use core::arch::global_asm;

/// Adds the products of r0's elements and those of a row to a sum.
macro_rules! multiply_add {
    ($sum:literal, $row:literal) => {
        concat!("ldr r7, [", $row, ", r6]\n smlad ", $sum, ", r0, r7, ", $sum, "\n")
    };
}
/// The same for one element.
macro_rules! multiply_add_one {
    ($sum:literal, $row:literal) => {
        concat!("ldrsh r7, [", $row, ", r6]\n mla ", $sum, ", r0, r7, ", $sum, "\n")
    };
}

global_asm!(concat!(
    ".syntax unified
     .thumb
     .section .text.milligrad_fixed_four_rows, \"ax\"
     .global milligrad_fixed_four_rows
     .type milligrad_fixed_four_rows, %function
     .thumb_func
     .p2align 2
     milligrad_fixed_four_rows:
     push {{r0, r4-r11, lr}}
     ldm r0, {{r1-r6}}
     mov r8, #0
     mov r9, #0
     mov r10, #0
     mov r11, #0
     tst r6, #2
     beq 1f
     ldrsh r0, [r1, r6]
    ",
    multiply_add_one!("r8", "r2"),
    multiply_add_one!("r9", "r3"),
    multiply_add_one!("r10", "r4"),
    multiply_add_one!("r11", "r5"),
    "adds r6, r6, #2
     beq 2f
     1:
     ldr r0, [r1, r6]
    ",
    multiply_add!("r8", "r2"),
    multiply_add!("r9", "r3"),
    multiply_add!("r10", "r4"),
    multiply_add!("r11", "r5"),
    "adds r6, r6, #4
     bne 1b
     2:
     pop {{r0}}
     adds r0, r0, #24
     stm r0, {{r8-r11}}
     pop {{r4-r11, pc}}
     .size milligrad_fixed_four_rows, . - milligrad_fixed_four_rows"
));

global_asm!(
    ".syntax unified
     .thumb
     .section .text.milligrad_fixed_two_columns, \"ax\"
     .global milligrad_fixed_two_columns
     .type milligrad_fixed_two_columns, %function
     .thumb_func
     .p2align 2
     milligrad_fixed_two_columns:
     push {{r4-r9, lr}}
     ldm r0!, {{r1-r5}}
     mov r8, #0
     mov r9, #0
     tst r2, #2
     beq 1f
     ldrsh r6, [r1, r2]
     ldr r7, [r3]
     add r3, r3, r5
     smlabb r8, r7, r6, r8
     smlatb r9, r7, r6, r9
     adds r2, r2, #2
     beq 2f
     1:
     ldr r6, [r1, r2]
     ldr r7, [r3]
     add r3, r3, r5
     ldr r4, [r3]
     add r3, r3, r5
     smlabb r8, r7, r6, r8
     smlatb r9, r7, r6, r9
     smlabt r8, r4, r6, r8
     smlatt r9, r4, r6, r9
     adds r2, r2, #4
     bne 1b
     2:
     stm r0, {{r8-r9}}
     pop {{r4-r9, pc}}
     .size milligrad_fixed_two_columns, . - milligrad_fixed_two_columns"
);
