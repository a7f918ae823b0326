//! SysTick, the one timer that every Cortex-M board has. It ticks once in 30 to 60 instructions. So a
//! measurement starts right after a tick and counts, at its end, short polls until the next tick: the host
//! subtracts them and knows the instructions to within one poll.

use super::Reading;
use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use cortex_m::peripheral::{SYST, syst::SystClkSource};

/// Times that the 24-bit counter went round.
static ROUNDS: AtomicU32 = AtomicU32::new(0);

const RELOAD: u32 = 0x00ff_ffff;

#[cortex_m_rt::exception]
fn SysTick() {
    ROUNDS.store(ROUNDS.load(Relaxed).wrapping_add(1), Relaxed);
}

/// The running timer.
pub(crate) struct Clock(());

impl Clock {
    /// Starts the timer.
    pub(crate) fn new() -> Self {
        // SAFETY: nothing else in this firmware uses SysTick.
        let mut syst = unsafe { cortex_m::Peripherals::steal() }.SYST;
        syst.set_clock_source(SystClkSource::Core);
        syst.set_reload(RELOAD);
        syst.clear_current();
        syst.enable_interrupt();
        syst.enable_counter();
        Self(())
    }

    /// Waits for a tick; returns the time then, for [`stop`](Self::stop).
    #[inline(always)]
    pub(crate) fn start(&self) -> u64 {
        next_tick();
        now()
    }

    /// The time from [`start`](Self::start) to the next tick, and the polls that passed waiting for it.
    #[inline(always)]
    pub(crate) fn stop(&self, start: u64) -> Reading {
        let polls = next_tick();
        Reading { ticks: now() - start, polls }
    }
}

fn now() -> u64 {
    loop {
        let rounds = ROUNDS.load(Relaxed);
        let ticks = RELOAD - SYST::get_current();
        if ROUNDS.load(Relaxed) == rounds {
            // The interrupt comes as the counter passes 0, one tick before it holds the reload value.
            return (u64::from(rounds) << 24) | u64::from(ticks);
        }
    }
}

/// Polls until the counter changes; a poll is `INSTRUCTIONS_PER_POLL` instructions.
#[inline(always)]
fn next_tick() -> u32 {
    let polls: u32;
    // SAFETY: reads a register of SysTick that may be read at any time; jumps only within itself.
    unsafe {
        asm!(
            "ldr {last}, [{counter}]",
            "movs {polls}, #0",
            "2:",
            "adds {polls}, #1",
            "ldr {now}, [{counter}]",
            "cmp {now}, {last}",
            "beq 2b",
            counter = in(reg) &raw const (*SYST::PTR).cvr,
            last = out(reg) _,
            now = out(reg) _,
            polls = out(reg) polls,
            options(nostack, readonly),
        );
    }
    polls
}
