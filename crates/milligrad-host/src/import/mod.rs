//! Models that other programs made.

pub mod tflite;

use crate::{Graph, Result, model_file};
use std::path::Path;

/// Reads a model of any known format: `.tflite` by that name, else milligrad's own.
///
/// # Errors
/// Those of [`tflite::load`] and [`model_file::load`].
pub fn load(path: impl AsRef<Path>) -> Result<Graph> {
    let path = path.as_ref();
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("tflite") => tflite::load(path),
        _ => model_file::load(path),
    }
}
