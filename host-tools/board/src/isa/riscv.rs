//! What the analysis needs to know of RV32IMC instructions (*The RISC-V Instruction Set Manual*, volume I).

use super::{Jump, Op, sign_extend};

/// Whether a first half-word has a second.
pub(crate) fn is_wide(first: u16) -> bool {
    first & 3 == 3
}

/// The registers that hold return addresses: `ra`, and `t0` of outlined code.
const LINKS: [u32; 2] = [1, 5];

/// Where the instruction at `address` may jump. One that adds to the address that an `auipc` right before it made jumps there:
/// such pairs reach further than `jal`. A jump to the address in another register may be that of a jump table.
pub(super) fn jump(address: u32, op: Op, before: Option<Op>) -> Option<Jump> {
    let to = |offset: u32| Jump::To(address.wrapping_add(offset));
    let call = |offset: u32| Jump::Call(address.wrapping_add(offset));
    if !is_wide(op.first) {
        let op = u32::from(op.first);
        return match (op & 3, op >> 13) {
            (1, 0b001) => Some(call(near(op))),         // C.JAL
            (1, 0b101) => Some(to(near(op))),           // C.J
            (1, 0b110 | 0b111) => Some(to(nearer(op))), // C.BEQZ, C.BNEZ
            (2, 0b100) if field(op, 2, 5) == 0 => {
                let register = field(op, 7, 5);
                match field(op, 12, 1) {
                    _ if register == 0 => None, // C.EBREAK
                    0 => register_jump(address, 0, register, 0, before),
                    _ => register_jump(address, LINKS[0], register, 0, before),
                }
            }
            _ => None,
        };
    }
    let op = word(op);
    match op & 0x7f {
        0x6f => {
            let offset = field(op, 31, 1) << 20
                | field(op, 12, 8) << 12
                | field(op, 20, 1) << 11
                | field(op, 21, 10) << 1;
            let offset = sign_extend(offset, 21);
            Some(if field(op, 7, 5) == 0 { to(offset) } else { call(offset) })
        }
        0x67 => register_jump(address, field(op, 7, 5), field(op, 15, 5), sign_extend(op >> 20, 12), before),
        0x63 => {
            let offset =
                field(op, 31, 1) << 12 | field(op, 7, 1) << 11 | field(op, 25, 6) << 5 | field(op, 8, 4) << 1;
            Some(to(sign_extend(offset, 13)))
        }
        _ => None,
    }
}

/// `jalr link, offset(register)`
fn register_jump(address: u32, link: u32, register: u32, offset: u32, before: Option<Op>) -> Option<Jump> {
    let auipc = before.filter(|op| is_wide(op.first)).map(word);
    if let Some(auipc) = auipc.filter(|op| op & 0x7f == 0x17 && field(*op, 7, 5) == register) {
        let target = address.wrapping_sub(4).wrapping_add(auipc & !0xfff).wrapping_add(offset);
        return Some(if link == 0 { Jump::To(target) } else { Jump::Call(target) });
    }
    let returns = link == 0 && LINKS.contains(&register);
    (!returns).then_some(Jump::Register)
}

/// Bytes that the instruction takes from the stack for good.
pub(super) fn pushed(op: Op) -> u32 {
    const SP: u32 = 2;
    let wide = is_wide(op.first);
    let op = word(op);
    let change = match op & 0x7f {
        // ADDI
        0x13 if wide && field(op, 12, 3) == 0 && field(op, 7, 5) == SP && field(op, 15, 5) == SP => {
            sign_extend(op >> 20, 12)
        }
        _ if wide || op & 3 != 1 || field(op, 7, 5) != SP => 0,
        _ => match op >> 13 {
            0b000 => sign_extend(field(op, 12, 1) << 5 | field(op, 2, 5), 6), // C.ADDI
            0b011 => sign_extend(
                field(op, 12, 1) << 9
                    | field(op, 3, 2) << 7
                    | field(op, 5, 1) << 6
                    | field(op, 2, 1) << 5
                    | field(op, 6, 1) << 4,
                10,
            ), // C.ADDI16SP
            _ => 0,
        },
    };
    u32::try_from(-i64::from(change as i32)).unwrap_or(0)
}

/// The instruction as a number.
pub(crate) fn word(op: Op) -> u32 {
    u32::from(op.second) << 16 | u32::from(op.first)
}

/// So many bits of a number.
pub(crate) fn field(op: u32, from: u32, bits: u32) -> u32 {
    op >> from & ((1 << bits) - 1)
}

/// The offset of C.J and C.JAL.
fn near(op: u32) -> u32 {
    let offset = field(op, 12, 1) << 11
        | field(op, 8, 1) << 10
        | field(op, 9, 2) << 8
        | field(op, 6, 1) << 7
        | field(op, 7, 1) << 6
        | field(op, 2, 1) << 5
        | field(op, 11, 1) << 4
        | field(op, 3, 3) << 1;
    sign_extend(offset, 12)
}

/// The offset of C.BEQZ and C.BNEZ.
fn nearer(op: u32) -> u32 {
    let offset = field(op, 12, 1) << 8
        | field(op, 5, 2) << 6
        | field(op, 2, 1) << 5
        | field(op, 10, 2) << 3
        | field(op, 3, 2) << 1;
    sign_extend(offset, 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(word: u32) -> Op {
        Op::wide(word as u16, (word >> 16) as u16)
    }

    /// Jumps as the assembler encodes them.
    #[test]
    fn jumps() {
        let cases = [
            (Op::narrow(0x2019), Some(Jump::Call(0x10_0006))), // c.jal .+6
            (Op::narrow(0xbff5), Some(Jump::To(0xf_fffc))),    // c.j .-4
            (Op::narrow(0xaffd), Some(Jump::To(0x10_07fe))),   // c.j .+2046
            (Op::narrow(0xc501), Some(Jump::To(0x10_0008))),   // c.beqz a0, .+8
            (Op::narrow(0xf101), Some(Jump::To(0xf_ff00))),    // c.bnez a0, .-256
            (Op::narrow(0x8502), Some(Jump::Register)),        // c.jr a0
            (Op::narrow(0x8082), None),                        // c.jr ra
            (Op::narrow(0x8282), None),                        // c.jr t0
            (Op::narrow(0x9782), Some(Jump::Register)),        // c.jalr a5
            (Op::narrow(0x9002), None),                        // c.ebreak
            (Op::narrow(0x852e), None),                        // c.mv a0, a1
            (Op::narrow(0x952e), None),                        // c.add a0, a1
            (wide(0x0010_00ef), Some(Jump::Call(0x10_0800))),  // jal ra, .+2048
            (wide(0x8000_006f), Some(Jump::To(0))),            // j .-1048576
            (wide(0x7eb5_0fe3), Some(Jump::To(0x10_0ffe))),    // beq a0, a1, .+4094
            (wide(0x80b5_6063), Some(Jump::To(0xf_f000))),     // bltu a0, a1, .-4096
            (wide(0x0105_0067), Some(Jump::Register)),         // jr 16(a0)
            (wide(0x0105_00e7), Some(Jump::Register)),         // jalr 16(a0)
            (wide(0x02c5_8533), None),                         // mul a0, a1, a2
        ];
        for (op, expected) in cases {
            assert_eq!(jump(0x10_0000, op, None), expected, "{op:x?}");
        }
    }

    #[test]
    fn pairs_reach_far() {
        let calls = (wide(0x0000_1097), wide(0xffc0_80e7)); // auipc ra, 1; jalr ra, -4(ra)
        assert_eq!(jump(0x10_0004, calls.1, Some(calls.0)), Some(Jump::Call(0x10_0ffc)));
        let jumps = (wide(0xffff_f317), wide(0x0083_0067)); // auipc t1, -1; jr 8(t1)
        assert_eq!(jump(0x10_0004, jumps.1, Some(jumps.0)), Some(Jump::To(0xf_f008)));
        assert_eq!(jump(0x10_0004, jumps.1, Some(calls.0)), Some(Jump::Register), "of another register");
    }

    #[test]
    fn pushes() {
        let cases = [
            (Op::narrow(0x7139), 64),  // addi sp, sp, -64 (c.addi16sp)
            (Op::narrow(0x7101), 512), // addi sp, sp, -512
            (Op::narrow(0x6121), 0),   // addi sp, sp, 64
            (Op::narrow(0x1141), 16),  // addi sp, sp, -16 (c.addi)
            (Op::narrow(0x1541), 0),   // addi a0, a0, -16
            (Op::narrow(0x6505), 0),   // lui a0, 1
            (wide(0x8101_0113), 2032), // addi sp, sp, -2032
            (wide(0x7f01_0113), 0),    // addi sp, sp, 2032
            (wide(0xff05_0113), 0),    // addi sp, a0, -16
        ];
        for (op, expected) in cases {
            assert_eq!(pushed(op), expected, "{op:x?}");
        }
    }
}
