//! Time, which under `-icount shift=0` is a count of instructions: one virtual nanosecond each.

#[cfg(target_arch = "riscv32")]
mod mcycle;
#[cfg(target_arch = "arm")]
mod systick;

#[cfg(target_arch = "riscv32")]
pub(crate) use mcycle::Clock;
#[cfg(target_arch = "arm")]
pub(crate) use systick::Clock;

/// A time in ticks, and the polls until the last of them.
pub(crate) struct Reading {
    pub(crate) ticks: u64,
    pub(crate) polls: u32,
}
