//! Convolution: four positions by two filters, 13 instructions for 16 products.

use crate::packed::PackedChannel;
use crate::packed::{PackedConv2d, Places, Taps};
use crate::{Window2d, arena};
use core::arch::global_asm;

/// What the assembly works through: all filters, at four positions or at one.
#[repr(C)]
struct Job {
    /// Widened patches: for each two elements in packed order a word of each position.
    columns: *const u32,
    columns_end: *const u32,
    channels: *const PackedChannel,
    /// Filters to go.
    filters: usize,
    y: *mut i8,
    /// Bytes from an output position to the next, and to the third after it.
    stride: usize,
    stride3: usize,
    signed: usize,
    /// Quads of a patch modulo 4.
    odd_quads: usize,
    weights: *const u32,
}

unsafe extern "C" {
    fn milligrad_conv_4x2(job: *const Job);
    fn milligrad_conv_1x2(job: *const Job);
    /// Widens `quads` quads at `x`, `x + stride`, ... to four columns; returns where it stopped writing.
    fn milligrad_widen_4(x: *const i8, columns: *mut u32, quads: usize, stride: usize) -> *mut u32;
    /// Widens `quads` quads to every `step`-th byte of a column.
    fn milligrad_widen_1(x: *const i8, column: *mut u32, quads: usize, step: usize) -> *mut u32;
}

/// See [`PackedConv2d`].
#[inline(never)]
pub(crate) fn conv2d(layer: &PackedConv2d<'_>, words: &mut [u32], at: Places) {
    let window = &layer.window;
    let filters = usize::from(layer.filters);
    let taps = Taps::new(window);
    let base = arena::bytes_mut(words).as_mut_ptr();
    // SAFETY: the caller checked that the places lie within the arena; scratch is aligned, since the arena is.
    let (x, columns, mut y) =
        unsafe { (base.add(at.x).cast_const(), base.add(at.scratch).cast::<u32>(), base.add(at.y)) };
    let gather = Gather { window, taps, x, pad: layer.pad };
    let (positions, pointwise) = (window.positions(), window.is_pointwise() && taps.run.is_multiple_of(4));
    let words_of_column = taps.len() / 2;
    let mut job = Job {
        columns,
        columns_end: columns,
        channels: layer.channels.as_ptr(),
        filters,
        y,
        stride: filters,
        stride3: 3 * filters,
        signed: usize::from(layer.output.signed),
        odd_quads: taps.len() / 4 % 4,
        weights: layer.weights.as_ptr(),
    };
    let mut pixel = (0, 0);
    let mut position = 0;
    while position < positions {
        let group = if position + PackedConv2d::GROUP <= positions { PackedConv2d::GROUP } else { 1 };
        // SAFETY: scratch holds four columns, `x` the pixels of every position; `y` the outputs of this group, and
        // weights and channels are as long as `PackedConv2d::new` checked.
        unsafe {
            if pointwise && group > 1 {
                milligrad_widen_4(x.add(position * taps.run), columns, taps.run / 4, taps.run);
            } else {
                gather.group(&mut pixel, group, columns);
            }
            job.y = y;
            job.columns_end = columns.add(words_of_column * group);
            if group > 1 {
                milligrad_conv_4x2(&job)
            } else {
                milligrad_conv_1x2(&job)
            }
            if layer.output.is_narrow() {
                super::clamp(layer.output, y, group * filters);
            }
            y = y.add(group * filters);
        }
        position += group;
        if pointwise {
            // Only the last positions need it.
            let width = window.output()[1].max(1);
            if position + PackedConv2d::GROUP > positions {
                pixel = (position / width, position % width);
            }
        }
    }
}

/// Fills columns with the patches of positions.
struct Gather<'a> {
    window: &'a Window2d,
    taps: Taps,
    x: *const i8,
    pad: i8,
}

impl Gather<'_> {
    /// Gathers `group` positions from `pixel` on, and moves it.
    ///
    /// # Safety
    /// `columns` points to `group` columns, `self.x` to the window's input.
    unsafe fn group(&self, pixel: &mut (usize, usize), group: usize, columns: *mut u32) {
        let [_, width] = self.window.output();
        let (row, column) = *pixel;
        let pointwise = self.window.is_pointwise();
        let all_inside = || self.window.is_inside((row, column)) && self.window.is_inside((row, column + 3));
        let inside = group == 4 && (pointwise || column + 4 <= width && all_inside());
        for c in 0..group {
            if !inside {
                // SAFETY: as promised by the caller.
                unsafe { self.column(*pixel, columns.cast::<u16>().add(2 * c), group) };
            }
            pixel.1 += 1;
            if pixel.1 == width {
                *pixel = (pixel.0 + 1, 0);
            }
        }
        if inside {
            // SAFETY: as promised; all four windows lie within the image.
            unsafe { self.four(row, column, columns) };
        }
    }

    /// Four neighbours without padding.
    ///
    /// # Safety
    /// As [`group`](Self::group), and the windows lie within the image.
    #[inline(never)]
    unsafe fn four(&self, row: usize, column: usize, mut columns: *mut u32) {
        let ([_, width, depth], [stride_y, stride_x]) = (self.window.input(), self.window.stride());
        let [dilation_y, dilation_x] = self.window.dilation();
        let [before_y, before_x] = self.window.before();
        let start = ((row * stride_y - before_y) * width + column * stride_x - before_x) * depth;
        let (quads, rest) = self.taps.quads();
        let across = if self.taps.runs == self.window.kernel()[0] { 1 } else { self.window.kernel()[1] };
        let stride = stride_x * depth;
        // SAFETY: every run of every window lies within the image, and the columns have room for all runs.
        unsafe {
            let mut tail = columns.add(8 * quads * self.taps.runs).cast::<i16>();
            let mut odd = 0;
            let (mut down, mut right) = (0, 0);
            for _ in 0..self.taps.runs {
                let from = self.x.add(start + (down * dilation_y * width + right * dilation_x) * depth);
                right += 1;
                if right == across {
                    (down, right) = (down + 1, 0);
                }
                if quads > 0 {
                    columns = milligrad_widen_4(from, columns, quads, stride);
                }
                for i in 0..rest {
                    let from = from.add(4 * quads + i);
                    // Elements 0, 1, 2, 3 of a quad are the halves 0, 8, 1, 9 of its columns.
                    let to = tail.add((odd & 1) * 8 + (odd >> 1));
                    for c in 0..4 {
                        *to.add(2 * c) = i16::from(*from.add(c * stride));
                    }
                    odd += 1;
                    if odd == 4 {
                        (tail, odd) = (tail.add(16), 0);
                    }
                }
            }
        }
    }

    /// One position, with padding where the window reaches beyond the image. `to` is the column's first half-word, of
    /// `group` columns.
    ///
    /// # Safety
    /// As [`group`](Self::group).
    #[inline(never)]
    unsafe fn column(&self, pixel: (usize, usize), to: *mut u16, group: usize) {
        let (quads, rest) = self.taps.quads();
        let whole = quads * 4;
        let place = |element: usize| {
            let (quad, i) = (element / 4, element % 4);
            quad * 4 * group + (i & 1) * 2 * group + (i >> 1)
        };
        if !self.window.is_inside(pixel) {
            // SAFETY: the column has so many words.
            unsafe { fill(to.cast(), self.pad, self.taps.len() / 2, group) };
        }
        self.window.each_run(pixel, |from, element, len| {
            // Never zero, but the compiler can't know.
            let length = self.taps.run.max(1);
            let (run, at) = (element / length, element % length);
            // SAFETY: the run lies within the image, and its places within the column.
            unsafe {
                let from = self.x.add(from);
                let mut i = 0;
                if at.is_multiple_of(4) && at < whole {
                    let quads = len.min(whole - at) / 4;
                    if quads > 0 {
                        let first = to.add(place(run * whole + at)).cast::<u32>();
                        milligrad_widen_1(from, first, quads, 4 * group);
                    }
                    i = 4 * quads;
                }
                while i < len {
                    let at = at + i;
                    let element = if at < whole {
                        run * whole + at
                    } else {
                        self.taps.runs * whole + run * rest + at - whole
                    };
                    *to.add(place(element)) = i16::from(*from.add(i)) as u16;
                    i += 1;
                }
            }
        });
    }
}

/// Writes padding to `count` words of a column.
///
/// # Safety
/// `to` points to a column with so many words left.
unsafe fn fill(to: *mut u32, pad: i8, count: usize, group: usize) {
    let pad = i16::from(pad) as u16;
    let both = u32::from(pad) << 16 | u32::from(pad);
    for i in 0..count {
        // SAFETY: within the column.
        unsafe { *to.add(i * group) = both };
    }
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
    ",
    ".section .text.milligrad_widen_4,\"ax\",%progbits
    .global milligrad_widen_4
    .type milligrad_widen_4,%function
    .thumb_func
    milligrad_widen_4:
    push {{r4-r11, lr}}
    add r4, r0, r3
    add r5, r4, r3
    add r6, r5, r3
    mov r3, r0
    mov r0, r1
    1:
    ldr r7, [r3], #4
    ldr r8, [r4], #4
    ldr r9, [r5], #4
    ldr r10, [r6], #4
    sxtb16 r1, r7
    sxtb16 r11, r8
    sxtb16 r12, r9
    sxtb16 lr, r10
    stm r0!, {{r1, r11, r12, lr}}
    sxtb16 r7, r7, ror #8
    sxtb16 r8, r8, ror #8
    sxtb16 r9, r9, ror #8
    sxtb16 r10, r10, ror #8
    stm r0!, {{r7, r8, r9, r10}}
    subs r2, r2, #1
    bne 1b
    pop {{r4-r11, pc}}
    .size milligrad_widen_4, . - milligrad_widen_4
    ",
    ".section .text.milligrad_widen_1,\"ax\",%progbits
    .global milligrad_widen_1
    .type milligrad_widen_1,%function
    .thumb_func
    milligrad_widen_1:
    push {{r4, lr}}
    1:
    ldr r12, [r0], #4
    sxtb16 r4, r12
    sxtb16 r12, r12, ror #8
    str r4, [r1]
    str r12, [r1, r3]
    add r1, r1, r3, lsl #1
    subs r2, r2, #1
    bne 1b
    mov r0, r1
    pop {{r4, pc}}
    .size milligrad_widen_1, . - milligrad_widen_1
    .text"
);
