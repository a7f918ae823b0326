//! The digits model on a Nordic nRF52840 development kit: predicts, counts cycles, learns.
//!
//! With a target and a probe: `rustup target add thumbv7em-none-eabihf`, `cargo install probe-rs-tools`, then in
//! this folder `cargo run --release`. LED 1 changes with every round; the log comes over the debug probe.
//!
//! Each round predicts all images with the int8 model, then takes a training step on each with the learning
//! model, whose last layer is float and trained here. Its losses fall from round to round.
#![no_std]
#![no_main]

mod samples;

use cortex_m::peripheral::DWT;
use defmt::{info, unwrap};
use defmt_rtt as _;
use embassy_nrf::gpio::{Level, Output, OutputDrive};
use milligrad::Sgd;
use panic_probe as _;
use samples::SAMPLES;
use static_cell::ConstStaticCell;

/// The build script lists the models in a call of this; here they are used by their modules, `model_NAME`.
macro_rules! models {
    ($($list:tt)*) => {};
}
include!(concat!(env!("OUT_DIR"), "/models.rs"));
use {model_digits as digits, model_digits_learning as digits_learning};

/// The clock of the processor after reset.
const CYCLES_PER_MICROSECOND: u32 = 64;

static DIGITS: ConstStaticCell<digits::Network> = ConstStaticCell::new(digits::Network::new());
static LEARNING: ConstStaticCell<digits_learning::Network> =
    ConstStaticCell::new(digits_learning::Network::new());

#[cortex_m_rt::entry]
fn main() -> ! {
    let board = embassy_nrf::init(embassy_nrf::config::Config::default());
    let mut led = Output::new(board.P0_13, Level::High, OutputDrive::Standard);
    let mut core = unwrap!(cortex_m::Peripherals::take());
    core.DCB.enable_trace();
    core.DWT.enable_cycle_counter();

    let (digits, learning) = (DIGITS.take(), LEARNING.take());
    for round in 1_u32.. {
        info!("round {=u32}", round);
        predict(digits);
        learn(learning);
        led.toggle();
        cortex_m::asm::delay(CYCLES_PER_MICROSECOND * 1_000_000);
    }
    unreachable!("over four billion rounds have passed")
}

/// Predicts every image with the int8 model.
fn predict(network: &mut digits::Network) {
    for (digit, pixels) in &SAMPLES {
        digits::prepare_input(&pixels.map(f32::from), network.input());
        let (output, cycles) = timed(|| network.predict());
        let best = output.iter().enumerate().max_by_key(|(_, score)| **score);
        let (class, score) = unwrap!(best);
        info!(
            "a {=usize} looks like a {=str} ({=f32}): {=u32} cycles, {=u32} us",
            *digit,
            digits::LABELS[class],
            digits::OUTPUT_QUANTIZATION.dequantize(*score),
            cycles,
            cycles / CYCLES_PER_MICROSECOND,
        );
    }
}

/// Takes a training step on every image with the learning model.
fn learn(network: &mut digits_learning::Network) {
    const OPTIMIZER: Sgd = Sgd::new(0.05);
    for (digit, pixels) in &SAMPLES {
        digits_learning::prepare_input(&pixels.map(f32::from), network.input());
        let (step, cycles) = timed(|| network.train_step(*digit, &OPTIMIZER));
        match step {
            Ok(loss) => info!("a step on a {=usize}: loss {=f32}, {=u32} cycles", *digit, loss, cycles),
            Err(_) => info!("a step on a {=usize} was refused; nothing has changed", *digit),
        }
    }
}

/// Calls `f` and counts the processor's cycles.
fn timed<R>(f: impl FnOnce() -> R) -> (R, u32) {
    let start = DWT::cycle_count();
    let result = f();
    (result, DWT::cycle_count().wrapping_sub(start))
}
