//! Patches of positions, widened to half-words in columns.

use crate::Window2d;
use crate::packed::Taps;
use core::arch::global_asm;

unsafe extern "C" {
    /// Widens `quads` quads at `x`, `x + stride`, ... to four columns; returns where it stopped writing.
    pub(super) fn milligrad_widen_4(x: *const i8, columns: *mut u32, quads: usize, stride: usize)
    -> *mut u32;
    /// Widens `quads` quads to every `step`-th byte of a column.
    fn milligrad_widen_1(x: *const i8, column: *mut u32, quads: usize, step: usize) -> *mut u32;
}

/// Fills columns with the patches of positions.
pub(super) struct Gather<'a> {
    pub(super) window: &'a Window2d,
    pub(super) taps: Taps,
    pub(super) x: *const i8,
    pub(super) pad: i8,
}

impl Gather<'_> {
    /// Gathers `group` positions from `pixel` on, and moves it.
    ///
    /// # Safety
    /// `columns` points to `group` columns, `self.x` to the window's input.
    pub(super) unsafe fn group(&self, pixel: &mut (usize, usize), group: usize, columns: *mut u32) {
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

global_asm!(
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
