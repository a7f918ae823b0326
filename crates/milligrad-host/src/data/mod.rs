//! Data sets: raw inputs with their targets, where they come from, and how they are split.
//!
//! A [`Dataset`] holds what the file said; the model's [`Normalize`](crate::Normalize) is applied when it becomes
//! training samples, and once more, in the same way, on the device. [`Parts`] are a training and a test part, as
//! the source defines them; [`Parts::split`] takes the validation part off the training part.
//!
//! Every reader proves that a length is present in the file before it allocates for it.

pub mod csv;
mod dataset;
pub mod digits;
mod file;
pub mod idx;
pub mod inputs;
mod npy;
pub mod npz;
pub mod report;
mod split;
pub mod vectors;
mod window;

pub use crate::train::Targets;
pub use dataset::{Dataset, Task};
pub use split::{Fold, Parts, Share, Split, by_group, folds, shuffled, stratified};
pub use vectors::Vectors;
pub use window::{WindowLabel, Windows};
