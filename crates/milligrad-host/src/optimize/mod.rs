//! Optimisation at export. Everything here is exact: every output keeps its bits.

mod channels;
mod intervals;
mod padding;

use crate::program::{Buffer, BufferId, Step};

/// A program before it is packed and planned.
pub(crate) struct Draft<'a> {
    /// The forward pass.
    pub(crate) steps: &'a mut Vec<Step>,
    /// All buffers.
    pub(crate) buffers: &'a mut [Buffer],
    /// Inputs and outputs, which stay as they are.
    pub(crate) ports: Vec<BufferId>,
}

/// Optimises; says what was removed and why.
pub(crate) fn run(mut draft: Draft<'_>) -> Vec<String> {
    let mut report = padding::fuse(&mut draft);
    report.extend(channels::remove(&mut draft));
    report
}
