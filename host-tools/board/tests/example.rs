//! The example firmware of real boards builds, with the toolchain that emulated boards use.

use milligrad_board::{Elf, Error, board, build_example};

#[test]
fn the_nrf52840_dk_example_builds() {
    let elf = build_example(board("nrf52840-dk").unwrap(), &[]).unwrap();
    let elf = Elf::open(&elf).unwrap();
    assert!(elf.symbol("main").is_some());
}

#[test]
fn boards_without_an_example_say_so() {
    let error = build_example(board("microbit").unwrap(), &[]).unwrap_err();
    assert!(matches!(error, Error::NoExample { board: "microbit" }), "{error}");
}
