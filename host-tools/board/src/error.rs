//! What can go wrong, with a remedy in every message.

use crate::boards;
use milligrad_firmware_build::ManifestError;
use milligrad_protocol::Exit;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between a model and its figures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No board of that name.
    #[error("unknown board {name:?}; the boards are {}", boards::names())]
    UnknownBoard {
        /// The name that was asked for.
        name: String,
    },

    /// The board exists only in hardware.
    #[error("{board} is not in QEMU; use an emulated board such as mps2-an386, or flash it with probe-rs")]
    NotEmulated {
        /// The board.
        board: &'static str,
    },

    /// There is no example firmware for the board.
    #[error("there is no example firmware for {board}; firmware/nrf52840-dk is one to start from")]
    NoExample {
        /// The board.
        board: &'static str,
    },

    /// The sources of the firmware are not where they were.
    #[error("{} has no firmware/Cargo.toml: set MILLIGRAD_ROOT to a checkout of milligrad", path.display())]
    NoSources {
        /// Where they were looked for.
        path: PathBuf,
    },

    /// The file was not made by `milligrad export`.
    #[error("{} does not start with `// milligrad model: name=... learns=no|yes|batches`: export the model anew", path.display())]
    NotAModel {
        /// The file.
        path: PathBuf,
    },

    /// A list of models that can't be built together.
    #[error(transparent)]
    Models(#[from] ManifestError),

    /// No `core` for the target.
    #[error(
        "{reason}: run `rustup target add {target}`, or on Debian `apt-get install {}`",
        crate::toolchain::DEBIAN
    )]
    NoTarget {
        /// The target triple.
        target: &'static str,
        /// What was found instead.
        reason: String,
    },

    /// A program could not be started.
    #[error("can't run {tool}: {source}; {remedy}")]
    Tool {
        /// The program.
        tool: String,
        /// How to get it.
        remedy: &'static str,
        /// Why it could not.
        source: std::io::Error,
    },

    /// A build failed.
    #[error("building {what} failed:\n{output}")]
    Build {
        /// What was being built.
        what: String,
        /// What the build said.
        output: String,
    },

    /// The program is larger than the board's flash or RAM.
    #[error(
        "{what} does not fit into {flash} bytes of flash and {ram} of RAM ({reason}); use a smaller model or a larger board"
    )]
    DoesNotFit {
        /// What was being built.
        what: String,
        /// Flash of the board.
        flash: u32,
        /// RAM of the board.
        ram: u32,
        /// What the linker said.
        reason: String,
    },

    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// The firmware holds no such model.
    #[error("no model {model:?} in this firmware for {board}, which was built with: {known}")]
    UnknownModel {
        /// The model that was asked for.
        model: String,
        /// The board.
        board: &'static str,
        /// The models that there are.
        known: String,
    },

    /// Training was asked of a model that was exported without it.
    #[error("model {model:?} was exported without training; export it with training and build again")]
    NotALearner {
        /// The model.
        model: String,
    },

    /// Samples of a model that learns in batches, too few for one.
    #[error(
        "{model:?} learns in batches of {batch} samples, but has {samples}: give it more samples, or a smaller batch"
    )]
    NoBatch {
        /// The model.
        model: String,
        /// Samples of a batch.
        batch: u32,
        /// Samples that there are.
        samples: usize,
    },

    /// A schedule that the firmware does not know.
    #[error("the firmware does not know the learning rate schedule {schedule:?}; use another")]
    UnknownSchedule {
        /// The schedule.
        schedule: milligrad::Schedule,
    },

    /// Input of the wrong length.
    #[error("{task} on {board}: the input is not a whole number of records\n{log}")]
    PartialRecord {
        /// What was running.
        task: String,
        /// The board.
        board: &'static str,
        /// What was logged, the length of a record last.
        log: String,
    },

    /// QEMU did not end in time.
    #[error("{task} on {board}: no end after {limit:?}; the code hangs, or raise the limit\n{log}")]
    Timeout {
        /// What was running.
        task: String,
        /// The board.
        board: &'static str,
        /// The limit.
        limit: Duration,
        /// What had been logged.
        log: String,
    },

    /// The firmware panicked.
    #[error("{task} on {board} panicked\n{log}")]
    Panic {
        /// What was running.
        task: String,
        /// The board.
        board: &'static str,
        /// What was logged, the panic's message last.
        log: String,
    },

    /// The processor met a fault.
    #[error(
        "{task} on {board} ended in a {fault}; a stack overflow, a bad pointer or an instruction that the core lacks\n{log}"
    )]
    Fault {
        /// What was running.
        task: String,
        /// The board.
        board: &'static str,
        /// Which fault.
        fault: &'static str,
        /// What was logged, the place of the fault last.
        log: String,
    },

    /// The stack ran into the static variables.
    #[error(
        "{task} on {board} used all {free} bytes of free stack: results can't be trusted; the model needs more RAM"
    )]
    StackOverflow {
        /// What was running.
        task: String,
        /// The board.
        board: &'static str,
        /// Bytes that were free.
        free: u64,
    },

    /// The firmware or QEMU ended otherwise.
    #[error("{task} on {board} failed ({how})\n{log}")]
    Failed {
        /// What was running.
        task: String,
        /// The board.
        board: &'static str,
        /// The exit code, by name where it has one.
        how: String,
        /// What was logged, then what QEMU itself said.
        log: String,
    },

    /// A file came back with something else than what was expected.
    #[error("{file} from the firmware: {reason}; this is a bug of milligrad")]
    Report {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },

    /// The ELF file is not as expected.
    #[error("{}: {reason}", path.display())]
    Elf {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// For `map_err` on file operations.
    pub(crate) fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.as_ref().to_owned();
        move |source| Error::Io { path, source }
    }

    /// The error for an exit code other than that of success.
    pub(crate) fn exit(task: &str, board: &'static str, code: Option<i32>, log: String) -> Error {
        let task = task.to_owned();
        match code.and_then(Exit::from_code) {
            Some(Exit::Panic) => Error::Panic { task, board, log },
            Some(Exit::HardFault) => Error::Fault { task, board, fault: "HardFault", log },
            Some(Exit::Exception) => Error::Fault { task, board, fault: "exception", log },
            Some(Exit::PartialRecord) => Error::PartialRecord { task, board, log },
            Some(exit) => Error::Failed { task, board, how: format!("{exit:?}"), log },
            None if log.contains("Lockup") => {
                Error::Fault { task, board, fault: "fault within a fault", log }
            }
            None => {
                let how = code.map_or("ended by a signal".into(), |code| format!("exit code {code}"));
                Error::Failed { task, board, how, log }
            }
        }
    }
}
