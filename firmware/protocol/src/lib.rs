//! What the host and the firmware on an emulated board say to each other.
//!
//! The host starts the firmware with a *command line*, leaves binary records in *files* of the working
//! directory (semihosting opens them), and reads the answers from files there once the firmware has ended
//! with an *exit code*. All numbers in binary files are little-endian. Logs travel apart, as defmt frames on
//! standard output, and nothing here depends on them.
//!
//! | command line | reads | writes |
//! |---|---|---|
//! | `hello` | | |
//! | `predict MODEL` | [`INPUTS`](files::INPUTS) | [`OUTPUTS`](files::OUTPUTS) |
//! | `measure MODEL COUNT` | [`INPUTS`](files::INPUTS) | [`OUTPUTS`](files::OUTPUTS), [`REPORT`](files::REPORT) |
//! | `train MODEL RATE MOMENTUM BATCH SCHEDULE` | [`STEPS`](files::STEPS), [`TESTS`](files::TESTS) | [`LOSSES`](files::LOSSES), [`BATCHES`](files::BATCHES), [`PARAMETERS`](files::PARAMETERS), [`BEFORE`](files::BEFORE), [`AFTER`](files::AFTER) |
//! | `measure-train MODEL RATE MOMENTUM BATCH SCHEDULE COUNT` | [`STEPS`](files::STEPS) | [`LOSSES`](files::LOSSES), [`BATCHES`](files::BATCHES), [`REPORT`](files::REPORT) |
//!
//! `COUNT` is how many samples are measured, at most. `RATE` and `MOMENTUM` are the bits of an `f32`
//! as a decimal number, so that both sides compute with the same value. `BATCH` is how many samples a step takes of a model
//! that learns in batches. `SCHEDULE` is how the rate changes from step to step: `constant`, `step:STEPS:FACTOR`,
//! `exponential:STEPS:FACTOR` or `cosine:WARMUP:STEPS:FLOOR`, the last numbers being bits, too.
#![no_std]

use core::ffi::CStr;

/// First words of the command line.
pub mod commands {
    /// Logs the board and the models, and ends.
    pub const HELLO: &str = "hello";
    /// Predicts every record of the inputs.
    pub const PREDICT: &str = "predict";
    /// Predicts a few records, each between two readings of the timer.
    pub const MEASURE: &str = "measure";
    /// Takes one training step for each labelled record.
    pub const TRAIN: &str = "train";
    /// Takes a few training steps, each between two readings of the timer.
    pub const MEASURE_TRAIN: &str = "measure-train";
}

/// Names of the files in the working directory.
pub mod files {
    use super::CStr;

    /// Input records, one after the other. A record is all inputs of the model in their order, without gaps.
    pub const INPUTS: &CStr = c"inputs.bin";
    /// Output records, one for each input record: all outputs in their order.
    pub const OUTPUTS: &CStr = c"outputs.bin";
    /// Training steps: an input record each, and a label of one byte ([`NO_LABEL`](super::NO_LABEL): none), or the target's
    /// values as `f32`.
    pub const STEPS: &CStr = c"steps.bin";
    /// One `f32` for each training step; NaN where the step was refused.
    pub const LOSSES: &CStr = c"losses.bin";
    /// One `u32` for each batch of a model that learns in batches: how many samples its update was the mean of, or
    /// [`REFUSED`](super::REFUSED).
    pub const BATCHES: &CStr = c"batches.bin";
    /// Input records predicted before and after training. May be absent.
    pub const TESTS: &CStr = c"tests.bin";
    /// Outputs for [`TESTS`] before the first step.
    pub const BEFORE: &CStr = c"before.bin";
    /// Outputs for [`TESTS`] after the last step.
    pub const AFTER: &CStr = c"after.bin";
    /// For each parameter a `u32` length of its name, the name, a `u32` number of values, the values as `f32`; a long one may
    /// come in several parts, each with the name.
    pub const PARAMETERS: &CStr = c"parameters.bin";
    /// Lines of a [key](super::keys) and one or two numbers, or a name.
    pub const REPORT: &CStr = c"report.txt";
}

/// First words of the lines of the report.
pub mod keys {
    /// Timer reading of one measured call: whole ticks, and the polls until the next tick.
    pub const CALL: &str = "call";
    /// The same for the update by a batch.
    pub const APPLY: &str = "apply";
    /// The same for an empty call; the host subtracts it.
    pub const EMPTY: &str = "empty";
    /// Bytes of stack that the first measured call used, from its entry; of the update by a batch, too.
    pub const STACK: &str = "stack";
    /// Bytes of stack that were free for it. Equal to the stack used: it ran over.
    pub const STACK_FREE: &str = "stack-free";
    /// Bytes of the `Network` struct.
    pub const NETWORK: &str = "network";
    /// Name of a layer, in the order of execution.
    pub const LAYER: &str = "layer";
}

/// The label of a sample that has none.
pub const NO_LABEL: u8 = u8::MAX;

/// Samples of a batch whose update the guard refused; see [`files::BATCHES`].
pub const REFUSED: u32 = u32::MAX;

/// Instructions in one poll of the timer; see [`keys::CALL`].
pub const INSTRUCTIONS_PER_POLL: u64 = 4;

/// Sections of a profile: the store of a mark selects one.
pub mod sections {
    /// Everything that is not measured.
    pub const OUTSIDE: u8 = 0;
    /// The measured call; where layers are marked, its first layer. Layer `i` has section `CALL + i`.
    pub const CALL: u8 = 1;
    /// How many sections there are.
    pub const COUNT: usize = 256;
    /// Symbol of the function that marks.
    pub const FUNCTION: &str = "mg_mark";
    /// Symbol of the bytes that it stores to.
    pub const TABLE: &str = "MG_MARKS";
}

/// Symbols of a model's entry functions are these prefixes and the model's identifier.
pub mod entries {
    /// Prefix of the function that predicts.
    pub const PREDICT: &str = "mg_predict_";
    /// Prefix of the function that takes a training step, or of one that adds a sample to a batch.
    pub const TRAIN: &str = "mg_train_";
    /// Prefix of the function that updates by a batch.
    pub const APPLY: &str = "mg_apply_";
}

/// How the firmware ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Exit {
    /// The command was carried out.
    Done = 0,
    /// The command line made no sense.
    Usage = 10,
    /// No model of that name is in the firmware.
    UnknownModel = 11,
    /// The model was not exported for training.
    NotALearner = 12,
    /// A file could not be opened, read or written.
    File = 13,
    /// A file ended within a record.
    PartialRecord = 14,
    /// The model has more layers than there are sections.
    TooManyLayers = 15,
    /// A target has more values than the firmware can hold.
    TooManyValues = 16,
    /// The code panicked.
    Panic = 101,
    /// A Cortex-M met a HardFault.
    HardFault = 102,
    /// An interrupt came that nobody expects.
    Interrupt = 103,
    /// A RISC-V core met an exception.
    Exception = 104,
}

impl Exit {
    /// Every way to end.
    pub const ALL: [Exit; 12] = [
        Exit::Done,
        Exit::Usage,
        Exit::UnknownModel,
        Exit::NotALearner,
        Exit::File,
        Exit::PartialRecord,
        Exit::TooManyLayers,
        Exit::TooManyValues,
        Exit::Panic,
        Exit::HardFault,
        Exit::Interrupt,
        Exit::Exception,
    ];

    /// The way to end that has this exit code.
    #[must_use]
    pub fn from_code(code: i32) -> Option<Exit> {
        Exit::ALL.into_iter().find(|&exit| exit as i32 == code)
    }
}
