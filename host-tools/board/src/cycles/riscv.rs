//! RV32IMC instructions by their timing.

use super::Cycles;
use crate::isa::Op;
use crate::isa::riscv::{field, is_wide, word};

/// What an instruction waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: one cycle. Jumps and branches, too, without their refill.
    Simple,
    /// A load or a store.
    Memory,
    /// `MUL`
    Multiply,
    /// `MULH`, `MULHSU`, `MULHU`
    MultiplyHigh,
    /// `DIV`, `DIVU`, `REM`, `REMU`
    Divide,
}

impl Kind {
    pub(super) fn cycles(self) -> Cycles {
        let (low, high) = match self {
            Kind::Simple => (1, 1),
            Kind::Memory => (2, 2),
            Kind::Multiply => (1, 3),
            Kind::MultiplyHigh => (2, 4),
            Kind::Divide => (2, 38),
        };
        Cycles { low, high }
    }

    pub(super) fn of(op: Op) -> Kind {
        let wide = is_wide(op.first);
        let op = word(op);
        match (op & 0x7f, field(op, 12, 3)) {
            (0x03 | 0x23, _) if wide => Kind::Memory,
            (0x33, function) if wide && op >> 25 == 1 => match function {
                0 => Kind::Multiply,
                1..=3 => Kind::MultiplyHigh,
                _ => Kind::Divide,
            },
            _ if wide => Kind::Simple,
            // C.LW, C.SW, C.LWSP, C.SWSP
            _ if op & 1 == 0 && matches!(op >> 13, 0b010 | 0b110) => Kind::Memory,
            _ => Kind::Simple,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opcodes as an assembler gives them.
    #[test]
    fn kinds() {
        use Kind::*;
        let narrow = [
            (0xc1c8, Memory, "c.sw a0, 4(a1)"),
            (0x41c8, Memory, "c.lw a0, 4(a1)"),
            (0x4512, Memory, "c.lwsp a0, 4(sp)"),
            (0xc22a, Memory, "c.swsp a0, 4(sp)"),
            (0x852e, Simple, "c.mv a0, a1"),
            (0x952e, Simple, "c.add a0, a1"),
            (0x4509, Simple, "c.li a0, 2"),
            (0x0028, Simple, "c.addi4spn a0, sp, 8"),
            (0x050e, Simple, "c.slli a0, 3"),
            (0xc501, Simple, "c.beqz a0, ."),
            (0x8082, Simple, "c.jr ra"),
        ];
        for (op, kind, text) in narrow {
            assert_eq!(Kind::of(Op::narrow(op)), kind, "{text}");
        }
        let wide = [
            (0x02c5_8533, Multiply, "mul a0, a1, a2"),
            (0x02c5_9533, MultiplyHigh, "mulh a0, a1, a2"),
            (0x02c5_b533, MultiplyHigh, "mulhu a0, a1, a2"),
            (0x02c5_c533, Divide, "div a0, a1, a2"),
            (0x02c5_f533, Divide, "remu a0, a1, a2"),
            (0x00c5_8533, Simple, "add a0, a1, a2"),
            (0x40c5_8533, Simple, "sub a0, a1, a2"),
            (0x0045_8503, Memory, "lb a0, 4(a1)"),
            (0x0045_d503, Memory, "lhu a0, 4(a1)"),
            (0x00a5_a223, Memory, "sw a0, 4(a1)"),
            (0x0010_00ef, Simple, "jal ra, ."),
        ];
        for (op, kind, text) in wide {
            assert_eq!(Kind::of(Op::wide(op as u16, (op >> 16) as u16)), kind, "{text}");
        }
    }
}
