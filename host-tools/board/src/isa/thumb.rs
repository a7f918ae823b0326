//! What the analysis needs to know of Thumb instructions (Armv6-M to Armv8-M).

use super::{Jump, Op, sign_extend};

/// Whether a first half-word has a second.
pub(crate) fn is_wide(first: u16) -> bool {
    first >= 0xe800
}

/// Where the instruction at `address` may jump. Returns (`bx lr`, `pop {pc}`) are none of these, nor are jump
/// tables (`tbb`, `mov pc`, `ldr pc`), which stay within their function.
pub(super) fn jump(address: u32, op: Op) -> Option<Jump> {
    let Op { first, second } = op;
    let target = |offset: u32| address.wrapping_add(4).wrapping_add(offset);
    let to = |offset| Some(Jump::To(target(offset)));
    let field = |value: u16, shift: u32, bits: u32| u32::from(value) >> shift & ((1 << bits) - 1);
    match first {
        // B<c>, with the conditions 14 and 15 being UDF and SVC; B.
        0xd000..=0xddff => to(sign_extend(field(first, 0, 8) << 1, 9)),
        0xe000..=0xe7ff => to(sign_extend(field(first, 0, 11) << 1, 12)),
        // CBZ, CBNZ
        _ if first & 0xf500 == 0xb100 => to(field(first, 9, 1) << 6 | field(first, 3, 5) << 1),
        // BX and BLX by a register other than LR.
        _ if first & 0xff00 == 0x4700 && first >> 3 & 15 != 14 => Some(Jump::Register),
        _ if first & 0xf800 == 0xf000 && second & 0x8000 != 0 => {
            let (sign, j1, j2) = (field(first, 10, 1), field(second, 13, 1), field(second, 11, 1));
            match second & 0xd000 {
                // BL and B.W
                0xd000 | 0x9000 => {
                    let [i1, i2] = [j1, j2].map(|j| 1 ^ j ^ sign);
                    let high = sign << 24 | i1 << 23 | i2 << 22;
                    let offset = high | field(first, 0, 10) << 12 | field(second, 0, 11) << 1;
                    let target = target(sign_extend(offset, 25));
                    Some(if second & 0x4000 != 0 { Jump::Call(target) } else { Jump::To(target) })
                }
                // B<c>.W; 14 and 15 in the place of the condition are system instructions.
                0x8000 if first >> 7 & 7 != 7 => {
                    let high = sign << 20 | j2 << 19 | j1 << 18;
                    to(sign_extend(high | field(first, 0, 6) << 12 | field(second, 0, 11) << 1, 21))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Bytes that the instruction takes from the stack for good.
pub(super) fn pushed(op: Op) -> u32 {
    let Op { first, second } = op;
    match first {
        // PUSH, and SUB SP, #imm
        0xb400..=0xb5ff => 4 * (first & 0x1ff).count_ones(),
        0xb080..=0xb0ff => 4 * u32::from(first & 0x7f),
        // PUSH.W, STR Rt, [SP, #-4]!, VPUSH
        0xe92d => 4 * second.count_ones(),
        0xf84d if second & 0xfff == 0xd04 => 4,
        0xed2d | 0xed6d => 4 * u32::from(second & 0xff),
        // SUB.W SP, SP, #imm and SUBW
        0xf1ad | 0xf5ad | 0xf2ad | 0xf6ad if second & 0x8f00 == 0x0d00 => {
            let imm = u32::from(first >> 10 & 1) << 11
                | u32::from(second >> 12 & 7) << 8
                | u32::from(second & 0xff);
            if first & 0x0200 != 0 { imm } else { expanded(imm) }
        }
        _ => 0,
    }
}

/// A modified immediate constant; the patterns of repeated bytes are no stack sizes.
fn expanded(imm: u32) -> u32 {
    if imm < 0x400 { imm & 0xff } else { (0x80 | imm & 0x7f).rotate_right(imm >> 7) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Jumps as the disassembler reads them.
    #[test]
    fn jumps() {
        let cases = [
            (Op::narrow(0xd0fe), Some(Jump::To(0x1000))),         // beq .
            (Op::narrow(0xe7fe), Some(Jump::To(0x1000))),         // b .
            (Op::narrow(0xe001), Some(Jump::To(0x1006))),         // b .+6
            (Op::narrow(0xb108), Some(Jump::To(0x1006))),         // cbz r0, .+6
            (Op::narrow(0xbb08), Some(Jump::To(0x1046))),         // cbnz r0, .+70
            (Op::wide(0xf7ff, 0xfffe), Some(Jump::Call(0x1000))), // bl .
            (Op::wide(0xf000, 0xf801), Some(Jump::Call(0x1006))), // bl .+6
            (Op::wide(0xf000, 0xb801), Some(Jump::To(0x1006))),   // b.w .+6
            (Op::wide(0xf000, 0x8001), Some(Jump::To(0x1006))),   // beq.w .+6
            (Op::wide(0xf43f, 0xaffe), Some(Jump::To(0x1000))),   // beq.w .
            (Op::narrow(0x4770), None),                           // bx lr
            (Op::narrow(0x4718), Some(Jump::Register)),           // bx r3
            (Op::narrow(0x4798), Some(Jump::Register)),           // blx r3
            (Op::narrow(0x469f), None),                           // mov pc, r3
            (Op::narrow(0xbd10), None),                           // pop {r4, pc}
            (Op::wide(0xf85d, 0xfb04), None),                     // ldr pc, [sp], #4
            (Op::wide(0xf8d0, 0xf000), None),                     // ldr.w pc, [r0]
            (Op::wide(0xf3bf, 0x8f4f), None),                     // dsb sy
            (Op::wide(0xf240, 0x0000), None),                     // movw r0, #0
            (Op::wide(0xe8df, 0xf000), None),                     // tbb [pc, r0]
            (Op::narrow(0xdeff), None),                           // udf
        ];
        for (op, expected) in cases {
            assert_eq!(jump(0x1000, op), expected, "{op:x?}");
        }
    }

    #[test]
    fn pushes() {
        let cases = [
            (Op::narrow(0xb5f0), 20),         // push {r4-r7, lr}
            (Op::narrow(0xb086), 24),         // sub sp, #24
            (Op::wide(0xe92d, 0x0f00), 16),   // push.w {r8-r11}
            (Op::wide(0xf84d, 0xbd04), 4),    // str r11, [sp, #-4]!
            (Op::wide(0xed2d, 0x8b10), 64),   // vpush {d8-d15}
            (Op::wide(0xf5ad, 0x7d00), 512),  // sub.w sp, sp, #512
            (Op::wide(0xf2ad, 0x4d04), 1028), // subw sp, sp, #1028
            (Op::wide(0xf1ad, 0x0d20), 32),   // sub.w sp, sp, #32
            (Op::narrow(0xb006), 0),          // add sp, #24
            (Op::narrow(0xbdf0), 0),          // pop
        ];
        for (op, expected) in cases {
            assert_eq!(pushed(op), expected, "{op:x?}");
        }
    }
}
