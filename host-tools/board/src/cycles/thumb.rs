//! Thumb instructions by their timing.

use super::Cycles;
use crate::isa::Op;
use crate::isa::thumb::is_wide;

/// Instructions by their timing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One cycle: data processing, multiplication of 32 bits, jumps without their refill.
    Simple,
    /// `MLA`, `MLS`.
    MultiplyAccumulate,
    /// `SMULL`, `UMULL`.
    LongMultiply,
    /// `SMLAL`, `UMLAL` and kin.
    LongMultiplyAccumulate,
    /// `BL`, without its refill.
    Call,
    /// `POP` of so many registers, one of them the program counter, without its refill.
    Return(u64),
    /// `IT`.
    IfThen,
    /// One load of a byte, half-word or word, into a core or a float register.
    Load,
    /// One store of these.
    Store,
    /// `LDM`, `STM`, `LDRD`, `PUSH`, `VLDM`, ... of so many registers, one cycle each and one more.
    Multiple(u64),
    /// `TBB`, `TBH`; exclusive accesses; transfers of two registers to or from the float unit.
    Two,
    /// `SDIV`, `UDIV`.
    Divide,
    /// Float arithmetic of one cycle: `VADD`, `VMUL`, conversions, ...
    Float,
    /// `VMLA`, `VFMA` and kin.
    FloatMultiplyAccumulate,
    /// `VDIV`, `VSQRT`.
    FloatDivide,
    /// Moves between float registers, and to or from a core register.
    FloatMove,
}

impl Kind {
    pub(super) fn cycles_m0(self) -> Cycles {
        let cycles = match self {
            Kind::Load | Kind::Store | Kind::Call => 2,
            Kind::Multiple(n) => 1 + n,
            Kind::Return(n) => 2 + n,
            // It has nothing else.
            _ => 1,
        };
        Cycles { low: cycles, high: cycles }
    }

    pub(super) fn cycles_m3(self, after_load: bool) -> Cycles {
        match self {
            Kind::MultiplyAccumulate => Cycles { low: 2, high: 2 },
            Kind::LongMultiply => Cycles { low: 3, high: 5 },
            Kind::LongMultiplyAccumulate => Cycles { low: 4, high: 7 },
            _ => self.cycles(after_load),
        }
    }

    pub(super) fn cycles(self, after_load: bool) -> Cycles {
        let (low, high) = match self {
            Kind::Simple | Kind::Call | Kind::FloatMove => (1, 1),
            Kind::MultiplyAccumulate | Kind::LongMultiply | Kind::LongMultiplyAccumulate => (1, 1),
            Kind::IfThen => (0, 1),
            Kind::Load if after_load => (1, 2),
            Kind::Load | Kind::Two => (2, 2),
            Kind::Store | Kind::Float => (1, 2),
            Kind::Multiple(n) | Kind::Return(n) => (1 + n, 1 + n),
            Kind::Divide => (2, 12),
            Kind::FloatMultiplyAccumulate => (3, 4),
            Kind::FloatDivide => (14, 15),
        };
        Cycles { low, high }
    }

    pub(super) fn of(op: Op) -> Kind {
        if is_wide(op.first) { Kind::of_wide(op.first, op.second) } else { Kind::of_narrow(op.first) }
    }

    fn of_narrow(op: u16) -> Kind {
        match op >> 11 {
            0b01001 => Kind::Load,                                // LDR from the literal pool
            0b01010 | 0b01011 if op >> 9 & 7 < 3 => Kind::Store,  // STR, STRH, STRB with a register offset
            0b01010 | 0b01011 => Kind::Load,                      // LDRSB, LDR, LDRH, LDRB, LDRSH
            0b01100 | 0b01110 | 0b10000 | 0b10010 => Kind::Store, // STR, STRB, STRH with an offset, STR to SP
            0b01101 | 0b01111 | 0b10001 | 0b10011 => Kind::Load,
            0b11000 | 0b11001 => Kind::Multiple(ones(op & 0xff)), // STM, LDM
            0b10111 if op & 0x0700 == 0x0500 => Kind::Return(ones(op & 0x1ff)), // POP {.., pc}
            0b10110 | 0b10111 if op & 0x0600 == 0x0400 => Kind::Multiple(ones(op & 0x1ff)), // PUSH, POP
            0b10111 if op & 0xff00 == 0xbf00 && op & 0xf != 0 => Kind::IfThen,
            _ => Kind::Simple,
        }
    }

    fn of_wide(a: u16, b: u16) -> Kind {
        let is = |mask: u16, value: u16| a & mask == value;
        if is(0xec00, 0xec00) {
            return Kind::of_float(a, b);
        }
        if is(0xfe40, 0xe800) {
            return Kind::Multiple(ones(b)); // LDM.W, STM.W, PUSH.W, POP.W
        }
        if is(0xfe40, 0xe840) {
            // P and W both 0 are the exclusive accesses and the table jumps; else LDRD or STRD.
            return if is(0xff20, 0xe800) { Kind::Two } else { Kind::Multiple(2) };
        }
        match a {
            _ if is(0xff10, 0xf800) => Kind::Store,
            _ if is(0xfe10, 0xf810) => Kind::Load,
            _ if is(0xf800, 0xf000) && b & 0xd000 == 0xd000 => Kind::Call,
            _ if is(0xfff0, 0xfb00) && b & 0xf000 != 0xf000 => Kind::MultiplyAccumulate,
            _ if is(0xffd0, 0xfb80) && b & 0x00f0 == 0 => Kind::LongMultiply,
            _ if is(0xffd0, 0xfbc0) => Kind::LongMultiplyAccumulate,
            _ if is(0xffd0, 0xfb90) && b & 0x00f0 == 0x00f0 => Kind::Divide,
            _ => Kind::Simple,
        }
    }

    /// Instructions of the float unit, coprocessors 10 and 11.
    fn of_float(a: u16, b: u16) -> Kind {
        let double = b & 0x0f00 == 0x0b00;
        if a & 0xff00 == 0xee00 {
            if b & 0x10 != 0 {
                return Kind::FloatMove; // VMOV to or from a core register, VMRS, VMSR
            }
            return match (a >> 7 & 1, a >> 4 & 3, b >> 6 & 1) {
                (0, 0 | 1, _) | (1, 1 | 2, _) => Kind::FloatMultiplyAccumulate, // VMLA, VNMLA, VFNMA, VFMA and -S
                (0, ..) => Kind::Float,                                         // VMUL, VNMUL, VADD, VSUB
                (_, 0, _) => Kind::FloatDivide,                                 // VDIV
                (_, _, 0) => Kind::FloatMove,                                   // VMOV of a constant
                _ => match (a & 0xf, b >> 7 & 1) {
                    (0, 0) => Kind::FloatMove,   // VMOV of a register
                    (1, 1) => Kind::FloatDivide, // VSQRT
                    _ => Kind::Float,            // VABS, VNEG, VCMP, VCVT
                },
            };
        }
        match a & 0x01f0 {
            0x0040 | 0x0050 => Kind::Two, // VMOV of two core registers
            rest if rest & 0x0120 == 0x0100 => match (double, rest & 0x10) {
                (true, _) => Kind::Multiple(2),
                (false, 0) => Kind::Store,
                (false, _) => Kind::Load,
            },
            _ => Kind::Multiple(u64::from(b & 0xff)), // VLDM, VSTM, VPUSH, VPOP
        }
    }
}

fn ones(bits: u16) -> u64 {
    u64::from(bits.count_ones())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opcodes as an assembler gives them, with what the manual says of the instruction.
    #[test]
    fn kinds() {
        use Kind::*;
        let narrow = [
            (0x1840, Simple, "adds r0, r0, r1"),
            (0x4348, Simple, "muls r0, r1, r0"),
            (0x4804, Load, "ldr r0, [pc, #16]"),
            (0x5088, Store, "str r0, [r1, r2]"),
            (0x5288, Store, "strh r0, [r1, r2]"),
            (0x5488, Store, "strb r0, [r1, r2]"),
            (0x5688, Load, "ldrsb r0, [r1, r2]"),
            (0x5888, Load, "ldr r0, [r1, r2]"),
            (0x5e88, Load, "ldrsh r0, [r1, r2]"),
            (0x6008, Store, "str r0, [r1]"),
            (0x6808, Load, "ldr r0, [r1]"),
            (0x7008, Store, "strb r0, [r1]"),
            (0x7808, Load, "ldrb r0, [r1]"),
            (0x8008, Store, "strh r0, [r1]"),
            (0x8808, Load, "ldrh r0, [r1]"),
            (0x9001, Store, "str r0, [sp, #4]"),
            (0x9801, Load, "ldr r0, [sp, #4]"),
            (0xa801, Simple, "add r0, sp, #4"),
            (0xb5f0, Multiple(5), "push {r4-r7, lr}"),
            (0xbdf0, Return(5), "pop {r4-r7, pc}"),
            (0xbcf0, Multiple(4), "pop {r4-r7}"),
            (0xb082, Simple, "sub sp, #8"),
            (0xb2c0, Simple, "uxtb r0, r0"),
            (0xb108, Simple, "cbz r0, ."),
            (0xba00, Simple, "rev r0, r0"),
            (0xbf08, IfThen, "it eq"),
            (0xbf00, Simple, "nop"),
            (0xc107, Multiple(3), "stm r1!, {r0-r2}"),
            (0xc907, Multiple(3), "ldm r1!, {r0-r2}"),
            (0xd0fe, Simple, "beq ."),
            (0xe7fe, Simple, "b ."),
            (0x4770, Simple, "bx lr"),
        ];
        for (op, kind, text) in narrow {
            assert_eq!(Kind::of(Op::narrow(op)), kind, "{text}");
        }
        let wide = [
            (0xe92d, 0x0f00, Multiple(4), "push.w {r8-r11}"),
            (0xe8bd, 0x87f0, Multiple(8), "pop.w {r4-r10, pc}"),
            (0xe891, 0x000f, Multiple(4), "ldm.w r1, {r0-r3}"),
            (0xe9d1, 0x0200, Multiple(2), "ldrd r0, r2, [r1]"),
            (0xe8f1, 0x0202, Multiple(2), "ldrd r0, r2, [r1], #8"),
            (0xe9cd, 0x2000, Multiple(2), "strd r2, r0, [sp]"),
            (0xe851, 0x0f00, Two, "ldrex r0, [r1]"),
            (0xe8df, 0xf000, Two, "tbb [pc, r0]"),
            (0xea40, 0x0001, Simple, "orr.w r0, r0, r1"),
            (0xf240, 0x0001, Simple, "movw r0, #1"),
            (0xf000, 0xf801, Call, "bl .+6"),
            (0xf801, 0x0b01, Store, "strb r0, [r1], #1"),
            (0xf841, 0x0022, Store, "str.w r0, [r1, r2, lsl #2]"),
            (0xf8c1, 0x0010, Store, "str.w r0, [r1, #16]"),
            (0xf911, 0x0b01, Load, "ldrsb r0, [r1], #1"),
            (0xf991, 0x0010, Load, "ldrsb.w r0, [r1, #16]"),
            (0xf931, 0x0002, Load, "ldrsh.w r0, [r1, r2]"),
            (0xf851, 0x0b04, Load, "ldr r0, [r1], #4"),
            (0xf8d1, 0x0100, Load, "ldr.w r0, [r1, #256]"),
            (0xfa0f, 0xf080, Simple, "sxth.w r0, r0"),
            (0xfb01, 0x3002, MultiplyAccumulate, "mla r0, r1, r2, r3"),
            (0xfb01, 0x3012, MultiplyAccumulate, "mls r0, r1, r2, r3"),
            (0xfb01, 0xf002, Simple, "mul r0, r1, r2"),
            (0xfb11, 0x3002, Simple, "smlabb r0, r1, r2, r3"),
            (0xfb21, 0x3002, Simple, "smlad r0, r1, r2, r3"),
            (0xfb81, 0x0102, LongMultiply, "smull r0, r1, r1, r2"),
            (0xfb91, 0xf0f2, Divide, "sdiv r0, r1, r2"),
            (0xfbb1, 0xf0f2, Divide, "udiv r0, r1, r2"),
            (0xfba1, 0x0102, LongMultiply, "umull r0, r1, r1, r2"),
            (0xfbe1, 0x0102, LongMultiplyAccumulate, "umlal r0, r1, r1, r2"),
            (0xfbc1, 0x0102, LongMultiplyAccumulate, "smlal r0, r1, r1, r2"),
            (0xed91, 0x0a00, Load, "vldr s0, [r1]"),
            (0xed81, 0x0a00, Store, "vstr s0, [r1]"),
            (0xed91, 0x0b00, Multiple(2), "vldr d0, [r1]"),
            (0xecb1, 0x0a04, Multiple(4), "vldmia r1!, {s0-s3}"),
            (0xeca1, 0x0a04, Multiple(4), "vstmia r1!, {s0-s3}"),
            (0xed2d, 0x8b04, Multiple(4), "vpush {d8-d9}"),
            (0xecbd, 0x8b04, Multiple(4), "vpop {d8-d9}"),
            (0xec41, 0x0b10, Two, "vmov d0, r0, r1"),
            (0xee00, 0x0a10, FloatMove, "vmov s0, r0"),
            (0xee10, 0x0a10, FloatMove, "vmov r0, s0"),
            (0xeef1, 0xfa10, FloatMove, "vmrs apsr_nzcv, fpscr"),
            (0xeeb0, 0x0a60, FloatMove, "vmov.f32 s0, s1"),
            (0xeeb7, 0x0a00, FloatMove, "vmov.f32 s0, #1.0"),
            (0xee30, 0x0a81, Float, "vadd.f32 s0, s1, s2"),
            (0xee30, 0x0ac1, Float, "vsub.f32 s0, s1, s2"),
            (0xee20, 0x0a81, Float, "vmul.f32 s0, s1, s2"),
            (0xee20, 0x0ac1, Float, "vnmul.f32 s0, s1, s2"),
            (0xee00, 0x0a81, FloatMultiplyAccumulate, "vmla.f32 s0, s1, s2"),
            (0xee10, 0x0a81, FloatMultiplyAccumulate, "vnmls.f32 s0, s1, s2"),
            (0xeea0, 0x0a81, FloatMultiplyAccumulate, "vfma.f32 s0, s1, s2"),
            (0xee90, 0x0a81, FloatMultiplyAccumulate, "vfnms.f32 s0, s1, s2"),
            (0xee80, 0x0a81, FloatDivide, "vdiv.f32 s0, s1, s2"),
            (0xeeb1, 0x0ae0, FloatDivide, "vsqrt.f32 s0, s1"),
            (0xeeb0, 0x0ae0, Float, "vabs.f32 s0, s1"),
            (0xeeb1, 0x0a60, Float, "vneg.f32 s0, s1"),
            (0xeeb4, 0x0a60, Float, "vcmp.f32 s0, s1"),
            (0xeebd, 0x0ac0, Float, "vcvt.s32.f32 s0, s0"),
        ];
        for (a, b, kind, text) in wide {
            assert_eq!(Kind::of(Op::wide(a, b)), kind, "{text}");
        }
    }
}
