//! The cycle counter of RISC-V, which QEMU counts up with every instruction.

use super::Reading;
use riscv::register::mcycle;

/// The counter, which always runs.
pub(crate) struct Clock(());

impl Clock {
    /// Starts the timer.
    pub(crate) fn new() -> Self {
        Self(())
    }

    /// The time now, for [`stop`](Self::stop).
    #[inline(always)]
    pub(crate) fn start(&self) -> u64 {
        mcycle::read64()
    }

    /// The time since [`start`](Self::start).
    #[inline(always)]
    pub(crate) fn stop(&self, start: u64) -> Reading {
        Reading { ticks: mcycle::read64() - start, polls: 0 }
    }
}
