//! What stops a Cortex-M.

use super::{last_words, stop};
use cortex_m_rt::{ExceptionFrame, exception};
use milligrad_protocol::Exit;

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
