//! Builds milligrad's firmware for a board, runs it in QEMU and measures the models in it.
//!
//! [`Firmware`] is the way in: one ELF file with some exported models, for one board.
//!
//! ```no_run
//! use milligrad_board::{Firmware, ModelSource, board};
//!
//! let models = [ModelSource::new("digits", "digits.rs")];
//! let firmware = Firmware::build(board("mps2-an386")?, &models)?;
//! let images = std::fs::read("images.bin").expect("input records, one after the other");
//! let predictions = firmware.predict("digits", &images)?;
//! println!("{} instructions an inference", predictions.cost.instructions);
//! # Ok::<(), milligrad_board::Error>(())
//! ```
//!
//! - [`boards`](mod@boards): what boards there are.
//! - [`toolchain`]: finds a compiler for bare metal, and says what is missing.
//! - [`firmware`]: builds, once for each set of models.
//! - [`sources`]: what it builds from, a checkout or the copy that it carries.
//! - [`qemu`]: runs, within limits, and decodes the log.
//! - [`session`]: predictions and training on the board.
//! - [`elf`]: code and constant bytes, stack bounds, panics, from the call graph of the ELF file.
//! - [`profile`]: instructions and modelled cycles by layer.
//! - [`cycles`]: the documented timings of the Cortex-M4F, M3, M0 and of an RV32IMC core.

pub mod boards;
pub mod cycles;
pub mod elf;
pub mod error;
pub mod firmware;
mod isa;
mod plugin;
pub mod profile;
pub mod qemu;
pub mod session;
pub mod sources;
pub mod toolchain;

pub use boards::{BOARDS, Board, Core, Qemu, board, default_board};
pub use cycles::Cycles;
pub use elf::{Elf, Reach};
pub use error::{Error, Result};
pub use firmware::{Firmware, ModelSource, OptLevel, Options, build_example, build_package};
pub use profile::{Profile, Share};
pub use qemu::LogLine;
pub use session::{Cost, Parameter, Predictions, TrainPlan, Training};
