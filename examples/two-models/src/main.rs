//! Two models that run by turns in one arena, on a Cortex-M4F.
#![no_std]
#![no_main]

use cortex_m as _;
use defmt_semihosting as _;
use milligrad::arena::{Arena, largest};
use static_cell::ConstStaticCell;

/// Classifies an image.
mod residual {
    #![allow(dead_code, reason = "not all of it is used")]
    include!(concat!(env!("OUT_DIR"), "/residual.rs"));
}
/// Has two inputs and two outputs.
mod sensors {
    #![allow(dead_code, reason = "not all of it is used")]
    include!(concat!(env!("OUT_DIR"), "/sensors.rs"));
}

const WORDS: usize = largest(&[residual::ARENA_WORDS, sensors::ARENA_WORDS]);
static ARENA: ConstStaticCell<Arena<WORDS>> = ConstStaticCell::new(Arena::ZERO);

#[cortex_m_rt::entry]
fn main() -> ! {
    let arena = ARENA.take();
    for round in 0..3 {
        let network = residual::Network::within(arena);
        fill(network.input(), round);
        defmt::info!("residual {=u8} {}", round, network.predict());

        let network = sensors::Network::within(arena);
        fill(network.image(), round);
        fill(network.numbers(), round);
        let outputs = network.predict();
        defmt::info!("sensors {=u8} {} {}", round, outputs.place, outputs.scores);
    }
    semihosting::process::exit(0)
}

/// Some input, another one in each round.
fn fill(input: &mut [i8], round: u8) {
    let mut value = round.wrapping_mul(89);
    for x in input {
        value = value.wrapping_mul(37).wrapping_add(11);
        *x = value as i8;
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::process::exit(101)
}
