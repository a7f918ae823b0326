//! Modelled cycles of a Cortex-M4F, M3, M0 or an RV32IMC core, with memory that needs no wait states.
//!
//! The numbers are those of the *Cortex-M4 Technical Reference Manual* (r0p1, Arm 100166), table 3-1 for the
//! integer unit and table 7-1 for the floating-point unit. What the manual gives as depending on the
//! surroundings becomes a lower and an upper bound:
//!
//! | case | low | high |
//! |---|---|---|
//! | load right after a load (address and data phases overlap) | 1 | 2 |
//! | store (the write buffer takes it, or the next access waits for it) | 1 | 2 |
//! | taken jump: the refill of the pipeline, P, on top of the instruction | 1 | 3 |
//! | `IT` (folded into the instruction before it, or not) | 0 | 1 |
//! | `SDIV`, `UDIV` (by the size of the operands) | 2 | 12 |
//! | float arithmetic (one more if the next instruction needs the result) | n | n + 1 |
//!
//! The Cortex-M3 (*Technical Reference Manual*, r2p1, Arm 100165) differs where it multiplies: `MLA` and `MLS` take 2,
//! `SMULL` and `UMULL` 3 to 5, `SMLAL` and `UMLAL` 4 to 7. The Cortex-M0 (Arm DDI 0432, table 3-1) overlaps nothing: loads and stores take 2, a taken jump 3,
//! `BL` 4, `POP` into the program counter 4 and one a register. Its multiplier is the fast one, of 1 cycle; chips with the small one,
//! of 32, are slower by far.
//!
//! RV32IMC is modelled as [Ibex](https://ibex-core.readthedocs.io) documents its pipeline, the low bound with its single-cycle
//! multiplier and a target adder for branches, the high bound with the multiplier of three cycles and without:
//!
//! | case | low | high |
//! |---|---|---|
//! | load, store | 2 | 2 |
//! | `MUL` | 1 | 3 |
//! | `MULH`, `MULHU`, `MULHSU` | 2 | 4 |
//! | `DIV`, `REM` (by zero at best) | 2 | 38 |
//! | taken jump or branch, on top of the instruction | 1 | 2 |
//!
//! Flash of a real chip has wait states, and its bus has other masters. So this ranks kernels; it is no time.

mod riscv;
mod thumb;

use crate::Core;
use crate::isa::Op;
use std::ops::{Add, AddAssign, Mul};
use thumb::Kind;

/// A lower and an upper bound in cycles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cycles {
    /// Lower bound.
    pub low: u64,
    /// Upper bound.
    pub high: u64,
}

impl Add for Cycles {
    type Output = Cycles;
    fn add(self, other: Cycles) -> Cycles {
        Cycles { low: self.low + other.low, high: self.high + other.high }
    }
}

impl AddAssign for Cycles {
    fn add_assign(&mut self, other: Cycles) {
        *self = *self + other;
    }
}

impl Mul<u64> for Cycles {
    type Output = Cycles;
    fn mul(self, n: u64) -> Cycles {
        Cycles { low: self.low * n, high: self.high * n }
    }
}

/// The core whose timings are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    CortexM0,
    CortexM3,
    CortexM4F,
    Rv32imc,
}

impl Timing {
    /// For a core that has no timings of its own those of the Cortex-M4F, which then only rank.
    pub(crate) fn of(core: Core) -> Self {
        match core {
            Core::CortexM0 => Self::CortexM0,
            Core::CortexM3 => Self::CortexM3,
            Core::Rv32imc => Self::Rv32imc,
            _ => Self::CortexM4F,
        }
    }

    /// The refill of the pipeline after a taken jump.
    pub(crate) fn refill(self) -> Cycles {
        match self {
            Self::CortexM0 => Cycles { low: 2, high: 2 },
            Self::CortexM3 | Self::CortexM4F => Cycles { low: 1, high: 3 },
            Self::Rv32imc => Cycles { low: 1, high: 2 },
        }
    }

    /// Cycles of a block of instructions, run once from its first to its last, without the refill after it.
    pub(crate) fn block(self, ops: &[Op]) -> Cycles {
        if self == Self::Rv32imc {
            return ops.iter().fold(Cycles::default(), |sum, &op| sum + riscv::Kind::of(op).cycles());
        }
        let mut total = Cycles::default();
        let mut after_load = false;
        for &op in ops {
            let kind = Kind::of(op);
            total += match self {
                Self::CortexM0 => kind.cycles_m0(),
                Self::CortexM3 => kind.cycles_m3(after_load),
                _ => kind.cycles(after_load),
            };
            after_load = matches!(kind, Kind::Load);
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_in_a_row_overlap_at_best() {
        let load = Op::narrow(0x6808);
        let add = Op::narrow(0x1840);
        for timing in [Timing::CortexM3, Timing::CortexM4F] {
            assert_eq!(timing.block(&[load, load, load]), Cycles { low: 4, high: 6 });
            assert_eq!(timing.block(&[load, add, load]), Cycles { low: 5, high: 5 });
        }
        assert_eq!(Timing::CortexM0.block(&[load, load, add]), Cycles { low: 5, high: 5 });
    }

    #[test]
    fn an_rv32imc_core_waits_for_memory() {
        let [load, add] = [0x41c8, 0x952e].map(Op::narrow);
        assert_eq!(Timing::Rv32imc.block(&[load, load, add]), Cycles { low: 5, high: 5 });
        let product = Op::wide(0x8533, 0x02c5);
        assert_eq!(Timing::Rv32imc.block(&[product, add]), Cycles { low: 2, high: 4 });
    }

    #[test]
    fn cores_differ_in_products_and_jumps() {
        let cycles = |op: Op| [Timing::CortexM0, Timing::CortexM3, Timing::CortexM4F].map(|t| t.block(&[op]));
        let same = |cycles| Cycles { low: cycles, high: cycles };
        let call = Op::wide(0xf000, 0xf801);
        assert_eq!(cycles(call), [2, 1, 1].map(same));
        assert_eq!(cycles(Op::narrow(0xbdf0)), [7, 6, 6].map(same));
        let [_, m3, m4] = cycles(Op::wide(0xfb01, 0x3002));
        assert_eq!((m3, m4), (same(2), same(1)));
        let [_, m3, m4] = cycles(Op::wide(0xfbc1, 0x0102));
        assert_eq!((m3, m4), (Cycles { low: 4, high: 7 }, same(1)));
    }
}
