//! For the firmware's build scripts, and for the host that starts the builds.
//!
//! The host writes a [`Manifest`] of the models that go into a firmware and names it in the environment
//! ([`MODELS`]); the build script calls [`models`] and [`linker`], and the firmware includes the module that
//! comes out:
//!
//! ```ignore
//! include!(concat!(env!("OUT_DIR"), "/models.rs"));
//! ```
mod manifest;
mod script;

pub use manifest::{Kind, Manifest, ManifestError, Model, identifier};
pub use script::{linker, models};

/// Environment variable: the board, a file name of `boards/` without `.x`.
pub const BOARD: &str = "MILLIGRAD_BOARD";
/// Environment variable: path of the manifest.
pub const MODELS: &str = "MILLIGRAD_MODELS";
/// Environment variable: `1` to mark the end of every layer for the profiler.
pub const MARKS: &str = "MILLIGRAD_MARKS";
