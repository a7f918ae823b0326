//! x
#![no_std]
#![no_main]
use defmt_rtt as _;
use panic_probe as _;
use nrf52840_hal::{pac, gpio};
#[cortex_m_rt::entry]
fn main() -> ! {
    let p = pac::Peripherals::take().unwrap();
    let port = gpio::p0::Parts::new(p.P0);
    let _led = port.p0_13.into_push_pull_output(gpio::Level::High);
    loop { cortex_m::asm::delay(1000000); defmt::info!("x"); }
}
