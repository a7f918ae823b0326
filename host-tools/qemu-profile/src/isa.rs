//! How long instructions are.

/// An instruction set with instructions of two and of four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isa {
    Thumb,
    RiscV,
}

impl Isa {
    /// That of QEMU's name for what it emulates.
    pub(crate) fn of(target: &str) -> Option<Self> {
        match target {
            "arm" => Some(Self::Thumb),
            "riscv32" => Some(Self::RiscV),
            _ => None,
        }
    }

    /// Bytes of an instruction. QEMU 7.2 looks ahead at the end of a page, and what it sees there it hands out as part of the
    /// instruction before.
    pub(crate) fn size(self, bytes: &[u8]) -> usize {
        let wide = match (self, bytes) {
            (Self::Thumb, [_, second, ..]) => *second >= 0xe8,
            (Self::RiscV, [first, ..]) => first & 3 == 3,
            _ => false,
        };
        if wide { 4 } else { 2 }
    }
}
