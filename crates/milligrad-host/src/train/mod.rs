//! Training of float graphs on the desk: batched, vectorised, on all cores, and the same bytes every time.
//!
//! - [`Samples`] are what a network learns from; [`fit`] trains, [`evaluate`] and [`predict`] use what was learned.
//! - [`Loss`], [`Optimizer`], [`Schedule`] and [`Initializer`] have Keras' names, definitions and constants.
//! - A [`Checkpoint`] is a run between two epochs; resumed, it ends in the same bytes as one that never stopped.
//!
//! Inside, a graph is compiled to layers over blocks of samples: one number of each of `BLOCK` samples lies side by
//! side, so that every layer is the algorithm for one sample with vectors in place of numbers, whatever its stride,
//! dilation or padding. A batch is cut into lanes that do not depend on the number of threads.

mod arch;
mod augment;
mod buffer;
mod checkpoint;
mod class_weights;
mod clip;
mod divergence;
mod early_stopping;
mod fit;
#[cfg(test)]
mod fit_tests;
mod freeze;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod gradient_tests;
mod history;
mod init;
#[cfg(test)]
mod keras_tests;
mod kernels;
mod lane;
#[cfg(test)]
mod layer_gradient_tests;
mod layers;
mod layout;
mod loss;
mod monitor;
mod network;
mod optimizer;
mod options;
mod penalty;
mod plateau;
mod random;
mod rate_finder;
mod real;
mod row;
mod samples;
mod schedule;
mod team;
mod threads;
mod trainer;
mod transfer;
#[cfg(test)]
mod watch_tests;

pub use augment::{Augment, Fill};
pub use checkpoint::Checkpoint;
pub(crate) use checkpoint::digest;
pub use class_weights::ClassWeights;
pub use clip::Clip;
pub use early_stopping::{EarlyStopping, Patience};
pub use fit::{Evaluation, Event, Observer, Progress, evaluate, fit, predict};
pub use freeze::means;
pub use history::{EpochRecord, History};
pub use init::{Fans, Initializer, initialize};
pub use loss::Loss;
pub use monitor::Monitor;
pub use optimizer::Optimizer;
pub use options::{FULL_BATCH, FitOptions};
pub use plateau::Plateau;
pub use random::Pcg32;
pub use rate_finder::{RateCurve, RateFinder, RatePoint};
pub use samples::{Samples, Targets};
pub use schedule::Schedule;
pub use transfer::{Transfer, transfer};

/// Samples in a block.
const BLOCK: usize = 32;
