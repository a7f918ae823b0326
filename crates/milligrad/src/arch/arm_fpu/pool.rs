//! Max pooling: eight channels at a time forward, 34 instructions for eight comparisons; on the way back the search for the element
//! that was the maximum, 6 instructions for each that was not.

use crate::layers::MaxPool2d;
use core::arch::global_asm;

/// Positions whose windows are of one size, at the offsets that the kernels know; distances are in bytes.
#[repr(C)]
struct Block {
    image: *const f32,
    /// From a position to the next, but for its channels; positions, at least one.
    step: usize,
    positions: usize,
    /// Rows of so many positions, at least one; from behind a row to the next.
    rows: usize,
    down: usize,
    /// Of the window, both at least one; from behind its part of a line to the next line.
    height: usize,
    width: usize,
    skip: usize,
    /// Channels, at least one.
    depth: usize,
}

#[repr(C)]
struct Forward {
    block: Block,
    y: *mut f32,
    limited: usize,
    min: f32,
}

#[repr(C)]
struct Backward {
    block: Block,
    y: *const f32,
    /// From `y` to `delta`, and from `image` to its `δ`.
    to_delta: usize,
    to_delta_x: usize,
    /// The range passed `y` if its bits, shifted by this, less `low`, are below `reach`.
    shift: u32,
    low: u32,
    reach: u32,
    /// That of the block again, behind what is loaded with it.
    height: usize,
    /// For the kernel: positions of a row to go.
    left: usize,
}

unsafe extern "C" {
    fn milligrad_max_pool_f32(call: *mut Forward);
    fn milligrad_max_pool_backward_f32(call: *mut Backward);
}

/// Calls `visit` with all positions, in order: the number of the first, how many they are, where the first window starts in an image
/// of `len` elements, and the block, whose image is to be filled in.
#[inline(always)]
fn each_block(layer: &MaxPool2d<f32>, len: usize, mut visit: impl FnMut(usize, usize, usize, Block)) {
    let window = &layer.window;
    let [height, width, depth] = window.input();
    if len < window.input_len() {
        return;
    }
    let ([rows, columns], [down, right]) = (window.output(), window.stride());
    let line = width * depth;
    let block = |[rows, positions]: [usize; 2], [height, width]: [usize; 2]| Block {
        image: core::ptr::null(),
        step: 4 * (right * depth - depth),
        positions,
        rows,
        down: (down * line).wrapping_sub(positions * right * depth).wrapping_mul(4),
        height,
        width,
        skip: 4 * (line - width * depth),
        depth,
    };
    let [kernel_height, kernel_width] = window.kernel();
    let fits =
        |last: usize, stride: usize, kernel: usize, extent: usize| (last - 1) * stride + kernel <= extent;
    if window.before() == [0, 0]
        && fits(rows, down, kernel_height, height)
        && fits(columns, right, kernel_width, width)
    {
        visit(0, rows * columns, 0, block([rows, columns], [kernel_height, kernel_width]));
        return;
    }
    for (position, at) in window.each_position().enumerate() {
        let (rows, columns) = window.covered(at);
        visit(
            position,
            1,
            rows.start * line + columns.start * depth,
            block([1, 1], [rows.len(), columns.len()]),
        );
    }
}

/// See [`Arithmetic::max_pool`](crate::Arithmetic::max_pool).
#[inline(always)]
pub(crate) fn max_pool(layer: &MaxPool2d<f32>, x: &[f32], y: &mut [f32]) {
    let (depth, range) = (layer.window.input()[2], &layer.output);
    // ReLU and nothing are done on the way, ranges with an upper end afterwards.
    let has_end = range.max != f32::INFINITY;
    let limited = usize::from(range.min != f32::NEG_INFINITY && !has_end);
    each_block(layer, x.len(), |position, positions, start, block| {
        let y = y.get_mut(position * depth..(position + positions) * depth);
        if let (Some(y), Some(x)) = (y, x.get(start..)) {
            let block = Block { image: x.as_ptr(), ..block };
            let mut call = Forward { block, y: y.as_mut_ptr(), limited, min: range.min };
            // SAFETY: the windows lie in the image, which is as long as `x` at most, and cover a pixel each; `y` has an element for
            // each channel of the positions.
            unsafe { milligrad_max_pool_f32(&raw mut call) };
        }
    });
    if has_end {
        super::rows::limit(range, y);
    }
}

/// See [`Trainable::max_pool_backward`](crate::Trainable::max_pool_backward), whose `delta_x` is zero here; `false` for ranges that
/// the kernel does not know. What the range passed is the maximum, bit for bit.
#[inline(always)]
pub(crate) fn max_pool_backward(
    layer: &MaxPool2d<f32>,
    x: &[f32],
    y: &[f32],
    delta: &[f32],
    delta_x: &mut [f32],
) -> bool {
    let (depth, range) = (layer.window.input()[2], &layer.output);
    let (min, max) = (range.min.to_bits(), range.max.to_bits());
    let (shift, low, reach) = if range.min == f32::NEG_INFINITY && range.max == f32::INFINITY {
        (1, 0, f32::INFINITY.to_bits() << 1)
    } else if range.min.is_sign_positive() && range.max.is_sign_positive() && min < max {
        // As in `passed`.
        (0, min + 1, max - min - 1)
    } else {
        return false;
    };
    each_block(layer, x.len().min(delta_x.len()), |position, positions, start, block| {
        let outputs = position * depth..(position + positions) * depth;
        let (Some(y), Some(delta)) = (y.get(outputs.clone()), delta.get(outputs)) else { return };
        let (Some(x), Some(delta_x)) = (x.get(start..), delta_x.get_mut(start..)) else { return };
        let to_delta = (delta.as_ptr() as usize).wrapping_sub(y.as_ptr() as usize);
        let to_delta_x = (delta_x.as_mut_ptr() as usize).wrapping_sub(x.as_ptr() as usize);
        let height = block.height;
        let block = Block { image: x.as_ptr(), ..block };
        let mut call =
            Backward { block, y: y.as_ptr(), to_delta, to_delta_x, shift, low, reach, height, left: 0 };
        // SAFETY: the windows lie in the image, which is as long as `x` and `delta_x` at most; `y` and `delta` have an element for
        // each channel of the positions.
        unsafe { milligrad_max_pool_backward_f32(&raw mut call) };
    });
    true
}

// r0: within the window, r1: y, r2: image at the position, r3: channels to go, r4, r5: lines and pixels of the window to go, r6: bytes
// from behind its part of a line to the next, r7: bytes of a pixel, r8: the call, r9: bytes to the next position, r10: positions to
// go, r11, r12: width and height of the window. s0-s7: maxima, s8-s15: a pixel, s16: the limit.
global_asm!(
    "
    .section .text.milligrad_max_pool_f32,\"ax\",%progbits
    .fpu fpv4-sp-d16

    // As `>` compares: NaN stays, and does not come.
    .macro milligrad_pool_maximum x, y
    vcmp.f32 \\x, \\y
    vmrs apsr_nzcv, fpscr
    it gt
    vmovgt.f32 \\y, \\x
    .endm
    .macro milligrad_pool_eight_maxima
    milligrad_pool_maximum s8, s0
    milligrad_pool_maximum s9, s1
    milligrad_pool_maximum s10, s2
    milligrad_pool_maximum s11, s3
    milligrad_pool_maximum s12, s4
    milligrad_pool_maximum s13, s5
    milligrad_pool_maximum s14, s6
    milligrad_pool_maximum s15, s7
    .endm
    .macro milligrad_pool_one_maximum
    milligrad_pool_maximum s8, s0
    .endm
    // As `Clamp` compares: NaN stays.
    .macro milligrad_pool_limit y
    vcmp.f32 \\y, s16
    vmrs apsr_nzcv, fpscr
    it mi
    vmovmi.f32 \\y, s16
    .endm
    .macro milligrad_pool_eight_limits
    milligrad_pool_limit s0
    milligrad_pool_limit s1
    milligrad_pool_limit s2
    milligrad_pool_limit s3
    milligrad_pool_limit s4
    milligrad_pool_limit s5
    milligrad_pool_limit s6
    milligrad_pool_limit s7
    .endm
    .macro milligrad_pool_one_limit
    milligrad_pool_limit s0
    .endm
    // All pixels under the window, of as many channels as are loaded from each.
    .macro milligrad_pool_channels last, last_x, maxima, limits
    mov r0, r2
    vldmia r0, {s0-\\last}
    mov r4, r12
    subs r5, r11, #1
    beq 12f
11:
    add r0, r0, r7
    vldmia r0, {s8-\\last_x}
    \\maxima
    subs r5, r5, #1
    bne 11b
12:
    subs r4, r4, #1
    beq 13f
    add r0, r0, r6
    mov r5, r11
    b.n 11b
13:
    ldr r0, [r8, #40]
    cmp r0, #0
    beq 14f
    \\limits
14:
    vstmia r1!, {s0-\\last}
    .endm

    .global milligrad_max_pool_f32
    .type milligrad_max_pool_f32,%function
    .p2align 2
    .thumb_func
milligrad_max_pool_f32:
    push {r4-r11, lr}
    vpush {s16}
    mov r8, r0
    ldmia r0, {r2, r9, r10}
    ldr r12, [r8, #20]
    ldrd r11, r6, [r8, #24]
    ldrd r7, r1, [r8, #32]
    vldr s16, [r8, #44]
    lsl r7, r7, #2
1:
    lsr r3, r7, #2
    subs r3, r3, #8
    blo 3f
2:
    milligrad_pool_channels s7, s15, milligrad_pool_eight_maxima, milligrad_pool_eight_limits
    add r2, r2, #32
    subs r3, r3, #8
    bhs 2b
3:
    adds r3, r3, #8
    beq 5f
4:
    milligrad_pool_channels s0, s8, milligrad_pool_one_maximum, milligrad_pool_one_limit
    add r2, r2, #4
    subs r3, r3, #1
    bne 4b
5:
    add r2, r2, r9
    subs r10, r10, #1
    bne 1b
    // A row of positions is done.
    ldr r10, [r8, #8]
    ldrd r3, r4, [r8, #12]
    add r2, r2, r4
    subs r3, r3, #1
    str r3, [r8, #12]
    bne 1b
    vpop {s16}
    pop {r4-r11, pc}
    .size milligrad_max_pool_f32, . - milligrad_max_pool_f32
    .text
    ",
    options(raw)
);

// r0: within the window, r1: y, r2: image at the position and channel, r3-r6: shift, low, reach, lines of the window to go, r5: then
// pixels to go, r7: bytes of a pixel, r8: channels to go, r9: from the image to its δ, r10: a maximum, r11: what it is compared with,
// r12: width of the window, lr: the call from its shift on. s0: δ, s1: what it is added to.
global_asm!(
    "
    .section .text.milligrad_max_pool_backward_f32,\"ax\",%progbits
    .fpu fpv4-sp-d16
    .global milligrad_max_pool_backward_f32
    .type milligrad_max_pool_backward_f32,%function
    .p2align 2
    .thumb_func
milligrad_max_pool_backward_f32:
    push {r4-r11, lr}
    add lr, r0, #48
    ldr r2, [r0]
    ldr r12, [r0, #24]
    ldrd r7, r1, [r0, #32]
    ldr r9, [r0, #44]
    ldr r3, [r0, #8]
    str r3, [r0, #64]
    lsl r7, r7, #2
1:
    lsr r8, r7, #2
2:
    ldr r10, [r1], #4
    ldmia lr, {r3-r6}
    lsl r11, r10, r3
    sub r11, r11, r4
    cmp r11, r5
    bhs 6f
    mov r0, r2
3:
    mov r5, r12
4:
    ldr r11, [r0]
    cmp r11, r10
    beq 5f
    add r0, r0, r7
    subs r5, r5, #1
    bne 4b
    ldr r11, [lr, #-20]
    add r0, r0, r11
    subs r6, r6, #1
    bne 3b
    b.n 6f
5:
    ldr r3, [lr, #-8]
    add r3, r3, r1
    add r0, r0, r9
    vldr s0, [r3, #-4]
    vldr s1, [r0]
    vadd.f32 s1, s1, s0
    vstr s1, [r0]
6:
    add r2, r2, #4
    subs r8, r8, #1
    bne 2b
    ldr r3, [lr, #-44]
    ldr r4, [lr, #16]
    add r2, r2, r3
    subs r4, r4, #1
    str r4, [lr, #16]
    bne 1b
    // A row of positions is done.
    ldr r4, [lr, #-40]
    str r4, [lr, #16]
    ldrd r3, r4, [lr, #-36]
    add r2, r2, r4
    subs r3, r3, #1
    str r3, [lr, #-36]
    bne 1b
    pop {r4-r11, pc}
    .size milligrad_max_pool_backward_f32, . - milligrad_max_pool_backward_f32
    .text
    ",
    options(raw)
);
