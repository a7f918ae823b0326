//! Runs exported models on an emulated board and answers the host's questions about them.
//!
//! One command a run, from the semihosting command line; records in and results out through files; logs by
//! defmt. `milligrad-protocol` says what the commands are, `milligrad-board` is the host's side.
#![no_std]
#![no_main]
#![cfg_attr(not(learns), allow(unused, reason = "only models that learn use all of it"))]

mod clock;
mod command;
mod entry;
mod files;
mod marks;
mod measure;
mod optimizer;
mod predict;
mod stack;
mod stop;
mod train;

use defmt_semihosting as _;
use milligrad_protocol::Exit;

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    stop::stop(match command::run() {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    })
}
