//! How a command can fail, and with which exit code.

use std::fmt;

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: u8,
    /// What to tell the user; empty if the results say it.
    pub(crate) message: String,
}

impl Failure {
    /// Usage, configuration or data.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }

    /// Board, probe or emulator.
    pub(crate) fn device(message: impl Into<String>) -> Self {
        Self { code: 3, message: message.into() }
    }

    /// A check failed; its results have been printed.
    pub(crate) fn check() -> Self {
        Self { code: 1, message: String::new() }
    }

    /// Ctrl-C.
    pub(crate) fn interrupted(message: impl Into<String>) -> Self {
        Self { code: 130, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<milligrad_host::Error> for Failure {
    fn from(error: milligrad_host::Error) -> Self {
        match error {
            // Nothing is wrong with what was asked for but how it went.
            milligrad_host::Error::Diverged { .. } => Self { code: 1, message: error.to_string() },
            _ => Self::usage(error.to_string()),
        }
    }
}

impl From<milligrad_board::Error> for Failure {
    fn from(error: milligrad_board::Error) -> Self {
        use milligrad_board::Error;
        match error {
            Error::UnknownBoard { .. }
            | Error::Models(_)
            | Error::NoExample { .. }
            | Error::NoBatch { .. }
            | Error::UnknownSchedule { .. } => Self::usage(error.to_string()),
            _ => Self::device(error.to_string()),
        }
    }
}
