//! Every way to end: QEMU always ends with an exit code that says how.

#[cfg(target_arch = "arm")]
mod faults;
#[cfg(target_arch = "riscv32")]
mod traps;

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use milligrad_protocol::Exit;

/// Ends QEMU.
pub(crate) fn stop(exit: Exit) -> ! {
    semihosting::process::exit(exit as i32)
}

/// Logs, unless that is what went wrong: a second failure while the first is being logged ends at once.
fn last_words(log: impl FnOnce()) {
    static FAILED: AtomicBool = AtomicBool::new(false);
    if !FAILED.load(Relaxed) {
        FAILED.store(true, Relaxed);
        log();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    last_words(|| defmt::error!("{}", defmt::Display2Format(info)));
    stop(Exit::Panic)
}
