//! `[train]`: how it is learned.

use super::reader::{Count, Table};
use crate::Result;
use crate::data::Task;
use crate::graph::{Activation, Graph, Op};

/// How a model is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainSpec {
    /// What is made small.
    pub loss: Loss,
    /// How.
    pub optimizer: Optimizer,
    /// Times that every training sample is seen.
    pub epochs: usize,
    /// Samples per step.
    pub batch: usize,
    /// Decides initial weights and the order of samples.
    pub seed: u64,
    /// Whether the order of samples changes from epoch to epoch.
    pub shuffle: bool,
}
