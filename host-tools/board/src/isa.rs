//! Instructions as the analysis of an ELF file and the profiler see them.

pub(crate) mod riscv;
pub(crate) mod thumb;

use object::Architecture;

/// An instruction: its first half-word, and its second, which is 0 for a 16-bit instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Op {
    pub(crate) first: u16,
    pub(crate) second: u16,
}

impl Op {
    pub(crate) fn wide(first: u16, second: u16) -> Self {
        Self { first, second }
    }

    pub(crate) fn narrow(first: u16) -> Self {
        Self { first, second: 0 }
    }
}

/// Where an instruction may go other than to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Jump {
    /// To this address.
    To(u32),
    /// To this address, to come back.
    Call(u32),
    /// To the address in a register that is not the return address, to come back or not.
    Register,
}

/// An instruction set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isa {
    /// Armv6-M to Armv8-M.
    Thumb,
    /// RV32IMC.
    RiscV,
}

impl Isa {
    /// That of an ELF file, if it is known.
    pub(crate) fn of(architecture: Architecture) -> Option<Self> {
        match architecture {
            Architecture::Arm => Some(Self::Thumb),
            Architecture::Riscv32 => Some(Self::RiscV),
            _ => None,
        }
    }

    /// The instructions of some code with their addresses; a half of one at the end is left out.
    pub(crate) fn decode(self, address: u32, code: &[u8]) -> impl Iterator<Item = (u32, Op)> + '_ {
        let half = |at: usize| code.get(at..at + 2).map(|raw| u16::from_le_bytes([raw[0], raw[1]]));
        let mut at = 0;
        std::iter::from_fn(move || {
            let here = address + at as u32;
            let first = half(at)?;
            let wide = self.is_wide(first);
            let op = if wide { Op::wide(first, half(at + 2)?) } else { Op::narrow(first) };
            at += if wide { 4 } else { 2 };
            Some((here, op))
        })
    }

    /// Whether a first half-word has a second.
    fn is_wide(self, first: u16) -> bool {
        match self {
            Self::Thumb => thumb::is_wide(first),
            Self::RiscV => riscv::is_wide(first),
        }
    }

    /// Where the instruction at `address`, `before` which there is another, may jump. Returns are none of these, nor are
    /// Thumb's jump tables, which stay within their function.
    pub(crate) fn jump(self, address: u32, op: Op, before: Option<Op>) -> Option<Jump> {
        match self {
            Self::Thumb => thumb::jump(address, op),
            Self::RiscV => riscv::jump(address, op, before),
        }
    }

    /// Bytes that the instruction takes from the stack for good.
    pub(crate) fn pushed(self, op: Op) -> u32 {
        match self {
            Self::Thumb => thumb::pushed(op),
            Self::RiscV => riscv::pushed(op),
        }
    }
}

/// The lowest `bits` of a value as a signed number.
fn sign_extend(value: u32, bits: u32) -> u32 {
    ((value << (32 - bits)) as i32 >> (32 - bits)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_keeps_step() {
        let thumb = [0x10, 0xb5, 0x2d, 0xe9, 0x00, 0x0f, 0x70, 0x47, 0x00];
        let ops: Vec<_> = Isa::Thumb.decode(8, &thumb).collect();
        let expected = [(8, Op::narrow(0xb510)), (10, Op::wide(0xe92d, 0x0f00)), (14, Op::narrow(0x4770))];
        assert_eq!(ops, expected);
        let riscv = [0x82, 0x80, 0x33, 0x05, 0xb5, 0x02, 0x01, 0x00, 0x33];
        let ops: Vec<_> = Isa::RiscV.decode(8, &riscv).collect();
        let expected = [(8, Op::narrow(0x8082)), (10, Op::wide(0x0533, 0x02b5)), (14, Op::narrow(0x0001))];
        assert_eq!(ops, expected);
    }
}
