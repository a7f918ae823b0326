//! What stops a RISC-V core.

use super::{last_words, stop};
use milligrad_protocol::Exit;
use riscv::register::{mcause, mepc, mtval};

// SAFETY: riscv-rt looks for this name; no other symbol has it.
#[unsafe(export_name = "ExceptionHandler")]
fn exception(_: &riscv_rt::TrapFrame) -> ! {
    last_words(|| {
        defmt::error!(
            "exception {=usize} at {=usize:#010x}, with {=usize:#010x}",
            mcause::read().code(),
            mepc::read(),
            mtval::read()
        )
    });
    stop(Exit::Exception)
}

// SAFETY: riscv-rt looks for this name; no other symbol has it.
#[unsafe(export_name = "DefaultHandler")]
fn interrupt() -> ! {
    last_words(|| defmt::error!("interrupt {=usize} has no handler", mcause::read().code()));
    stop(Exit::Interrupt)
}
