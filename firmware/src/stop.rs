//! Every way to end: QEMU always ends with an exit code that says how.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use cortex_m_rt::{ExceptionFrame, exception};
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

// SAFETY: as cortex-m-rt demands, this touches nothing that the interrupted code could be using; the logger is
// in a critical section only while it writes, and it does not fault.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    last_words(|| {
        defmt::error!("HardFault at {=u32:#010x}, called from {=u32:#010x}", frame.pc(), frame.lr())
    });
    stop(Exit::HardFault)
}

// SAFETY: touches nothing that other code uses.
#[exception]
unsafe fn DefaultHandler(number: i16) -> ! {
    last_words(|| defmt::error!("interrupt {=i16} has no handler", number));
    stop(Exit::Interrupt)
}
