//! Depthwise 3x3: two outputs of a row by 12 multiplications of pairs.

use crate::arena;
use crate::packed::PackedChannel;
use crate::packed::{PackedDepthwise, Places};
use core::arch::global_asm;

/// What the assembly works through: one channel.
#[repr(C)]
struct Job {
    /// The first three rows of the plane.
    rows: [*const i16; 3],
    /// Outputs of a row that are computed two at a time (stride 1), and one at a time, in bytes of the plane.
    pairs: usize,
    singles: usize,
    /// Bytes of the plane from where a row's windows end to where those of the next row start.
    skip: usize,
    rows_left: usize,
    y: *mut i8,
    /// Bytes from an output to the next.
    stride: usize,
    /// The channel's scale.
    channel: PackedChannel,
    weights: [u32; 3],
}

unsafe extern "C" {
    fn milligrad_depthwise_3x3(job: *mut Job);
    fn milligrad_depthwise_3x3_signed(job: *mut Job);
    /// Widens `count` elements, `stride` bytes from each other.
    fn milligrad_widen_row(x: *const i8, row: *mut i16, count: usize, stride: usize);
}

/// See [`PackedDepthwise`].
#[inline(never)]
pub(crate) fn depthwise(layer: &PackedDepthwise<'_>, words: &mut [u32], at: Places) {
    let window = &layer.window;
    let [height, width, depth] = window.input();
    let ([top, left], [down, right], [rows_out, columns_out]) =
        (window.before(), window.stride(), window.output());
    let [rows, columns] = PackedDepthwise::plane(window);
    let base = arena::bytes_mut(words).as_mut_ptr();
    // SAFETY: the caller checked that the places lie within the arena; scratch is aligned, since the arena is.
    let (x, plane, y) =
        unsafe { (base.add(at.x).cast_const(), base.add(at.scratch).cast::<i16>(), base.add(at.y)) };
    let (covered_rows, covered) = (height.min(rows - top), width.min(columns - left));
    let inner = plane.wrapping_add(top * columns + left);
    for i in 0..rows * columns {
        // SAFETY: within the plane. Its border stays as it is for all channels.
        unsafe { *plane.add(i) = i16::from(layer.pad) };
    }
    let (pairs, singles) = if right == 1 { (columns_out / 2, columns_out % 2) } else { (0, columns_out) };
    for (c, (channel, weights)) in layer.channels.iter().zip(layer.weights).enumerate() {
        // SAFETY: rows and columns that the plane covers lie within the image, and so do the outputs within `y`.
        unsafe {
            for row in 0..covered_rows {
                milligrad_widen_row(x.add(row * width * depth + c), inner.add(row * columns), covered, depth);
            }
            let mut job = Job {
                rows: [plane, plane.add(columns), plane.add(2 * columns)],
                pairs: 4 * pairs,
                singles: 4 * singles,
                skip: 2 * columns * down - 4 * (pairs + singles),
                rows_left: rows_out,
                y: y.add(c),
                stride: depth,
                channel: *channel,
                weights: *weights,
            };
            if layer.output.signed {
                milligrad_depthwise_3x3_signed(&mut job)
            } else {
                milligrad_depthwise_3x3(&mut job)
            }
        }
    }
    if layer.output.is_narrow() {
        // SAFETY: all outputs.
        unsafe { super::clamp(layer.output, y, rows_out * columns_out * depth) };
    }
}

/// Two neighbours: taps `(w0, w1)` and `(w1, w2)` of a kernel row, and the pixels `p0 p1 p2 p3`.
macro_rules! pair_row {
    ($row:literal, $w01:literal, $w12:literal, $start:literal, $sum:literal) => {
        concat!(
            "ldrd r11, r12, [",
            $row,
            "], #4
             smlatb r10, r11, ",
            $w01,
            ", ",
            $start,
            "
             smlad r9, r11, ",
            $w01,
            ", ",
            $sum,
            "
             smlad r10, r12, ",
            $w12,
            ", r10
             smlabt r9, r12, ",
            $w12,
            ", r9
            "
        )
    };
}
macro_rules! single_row {
    ($row:literal, $w01:literal, $w12:literal) => {
        concat!(
            "ldrd r11, r12, [",
            $row,
            "], #4
             smlad r9, r11, ",
            $w01,
            ", r9
             smlabt r9, r12, ",
            $w12,
            ", r9
            "
        )
    };
}
/// A doubled sum before its shift, by multiplier and rounding in r11 and r12.
macro_rules! high {
    (signed, $sum:literal) => {
        concat!(
            "smmulr ",
            $sum,
            ", ",
            $sum,
            ", r11
             add ",
            $sum,
            ", ",
            $sum,
            ", ",
            $sum,
            ", asr #31
             add ",
            $sum,
            ", ",
            $sum,
            ", r12
            "
        )
    };
    (relu, $sum:literal) => {
        concat!("smmlar ", $sum, ", ", $sum, ", r11, r12\n")
    };
}

// The job is copied to the stack, from `pairs` on: pairs, singles, skip, rows_left, y, stride, multiplier, round, shift,
// bias. r0-r5 hold the taps, r6-r8 the rows, lr the output.
macro_rules! depthwise {
    ($name:literal, $sign:ident) => {
        global_asm!(
            concat!(
                ".section .text.",
                $name,
                ",\"ax\",%progbits\n.global ",
                $name,
                "\n.type ",
                $name,
                ",%function\n"
            ),
            ".thumb_func",
            concat!($name, ":"),
            "push {{r4-r11, lr}}
            ldm r0!, {{r6-r8}}
            ldm r0!, {{r1-r5, r9-r12, lr}}
            push {{r1-r5, r9-r12, lr}}
            ldm r0, {{r9-r11}}
            sxtb16 r0, r9
            sxtb16 r1, r9, ror #8
            sxtb16 r2, r10
            sxtb16 r3, r10, ror #8
            sxtb16 r4, r11
            sxtb16 r5, r11, ror #8
            ldr lr, [sp, #16]
            1:
            ldr r11, [sp]
            cmp r11, #0
            beq 3f
            add r11, r11, r6
            str r11, [sp, #-4]!
            2:
            ldr r9, [sp, #40]
            ",
            pair_row!("r6", "r0", "r1", "r9", "r9"),
            pair_row!("r7", "r2", "r3", "r10", "r9"),
            pair_row!("r8", "r4", "r5", "r10", "r9"),
            "ldrd r11, r12, [sp, #28]
            lsl r9, r9, #1
            lsl r10, r10, #1
            ",
            high!($sign, "r9"),
            high!($sign, "r10"),
            "ldr r11, [sp, #36]
            ldr r12, [sp, #24]
            asr r9, r9, r11
            asr r10, r10, r11
            ssat r9, #8, r9
            ssat r10, #8, r10
            strb r9, [lr]
            strb r10, [lr, r12]
            ldr r11, [sp]
            add lr, lr, r12, lsl #1
            cmp r6, r11
            bne 2b
            add sp, sp, #4
            3:
            ldr r11, [sp, #4]
            cmp r11, #0
            beq 5f
            add r11, r11, r6
            str r11, [sp, #-4]!
            4:
            ldr r9, [sp, #40]
            ",
            single_row!("r6", "r0", "r1"),
            single_row!("r7", "r2", "r3"),
            single_row!("r8", "r4", "r5"),
            "ldrd r11, r12, [sp, #28]
            lsl r9, r9, #1
            ",
            high!($sign, "r9"),
            "ldr r11, [sp, #36]
            ldr r12, [sp, #24]
            asr r9, r9, r11
            ssat r9, #8, r9
            strb r9, [lr]
            ldr r11, [sp]
            add lr, lr, r12
            cmp r6, r11
            bne 4b
            add sp, sp, #4
            5:
            ldrd r11, r12, [sp, #8]
            add r6, r6, r11
            add r7, r7, r11
            add r8, r8, r11
            subs r12, r12, #1
            str r12, [sp, #12]
            bne 1b
            add sp, sp, #40
            pop {{r4-r11, pc}}
            ",
            concat!(".size ", $name, ", . - ", $name, "\n.text")
        );
    };
}
depthwise!("milligrad_depthwise_3x3", relu);
depthwise!("milligrad_depthwise_3x3_signed", signed);

global_asm!(
    ".section .text.milligrad_widen_row,\"ax\",%progbits
    .global milligrad_widen_row
    .type milligrad_widen_row,%function
    .thumb_func
    milligrad_widen_row:
    subs r2, r2, #4
    blt 2f
    push {{r4, r5, r6}}
    add r6, r3, r3, lsl #1
    1:
    ldrsb r4, [r0, r3]
    ldrsb r12, [r0]
    ldrsb r5, [r0, r3, lsl #1]
    pkhbt r12, r12, r4, lsl #16
    ldrsb r4, [r0, r6]
    str r12, [r1], #4
    pkhbt r5, r5, r4, lsl #16
    str r5, [r1], #4
    add r0, r0, r3, lsl #2
    subs r2, r2, #4
    bge 1b
    pop {{r4, r5, r6}}
    2:
    adds r2, r2, #4
    beq 4f
    3:
    ldrsb r12, [r0]
    add r0, r0, r3
    strh r12, [r1], #2
    subs r2, r2, #1
    bne 3b
    4:
    bx lr
    .size milligrad_widen_row, . - milligrad_widen_row
    .text"
);
