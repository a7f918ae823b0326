//! What can go wrong, and whose turn it is: every message names the file, layer or key and what to do.

use std::path::{Path, PathBuf};

/// Result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the host crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file was read and is not what it should be.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// A model specification is wrong; the message points at the line.
    #[error("{0}")]
    Spec(String),
    /// A model of another program can't be imported.
    #[error("model `{model}`: {problem}")]
    Import {
        /// Name of the model.
        model: String,
        /// Why.
        problem: crate::import::tflite::ImportError,
    },
    /// A graph is not sound.
    #[error("layer `{layer}` ({op}): {problem}")]
    Graph {
        /// Name of the layer.
        layer: String,
        /// Its operator.
        op: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A model as a whole can't be used as asked.
    #[error("model `{model}`: {problem}")]
    Model {
        /// Name of the model.
        model: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Data do not fit the model or the task.
    #[error("data: {0}")]
    Data(String),
    /// Training ended because the loss is not finite, or has exploded.
    #[error(
        "training diverged in epoch {epoch}, batch {batch}: the loss is {loss}, {cause}; lower the learning rate, clip the \
         gradient (`global_clipnorm = 1.0` in the optimizer), or check the data for outliers"
    )]
    Diverged {
        /// Epoch, from 1.
        epoch: usize,
        /// Batch in the epoch, from 1.
        batch: usize,
        /// The loss.
        loss: f32,
        /// The first layer whose numbers are not finite, or the one whose weights have grown most, in a clause.
        cause: String,
    },
    /// The user asked to stop; what was finished is saved.
    #[error("interrupted after epoch {epoch}; the checkpoint is kept, `--resume` goes on from there")]
    Interrupted {
        /// Finished epochs.
        epoch: usize,
    },
}

impl Error {
    /// An [`Io`](Self::Io) error of `path`, for `map_err`.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.as_ref().to_owned(), source }
    }

    /// A [`File`](Self::File) error of `path`.
    pub fn file(path: impl AsRef<Path>, problem: impl Into<String>) -> Self {
        Self::File { path: path.as_ref().to_owned(), problem: problem.into() }
    }
}
