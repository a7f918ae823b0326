//! What more threads bring, beside what the machine has to give.
//!
//! The processors of a virtual machine may be two threads of one core at one moment and two cores at the next. So the ceiling is
//! measured beside: as many processes as threads, of one thread each, which share nothing but the machine.

use super::{Program, Report, median};
use crate::Result;
use serde::Serialize;
use std::path::Path;

/// How many times as fast as one thread alone, the median of all rounds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Scaling {
    pub(super) name: &'static str,
    pub(super) batch: u32,
    pub(super) threads: u32,
    /// Processes of one thread each, together.
    pub(super) possible: f64,
    /// One process on all threads.
    pub(super) reached: f64,
}

/// What the machine gives in one round, in seconds.
pub(super) struct Ceiling {
    /// The trainer alone, on one thread.
    alone: f64,
    /// Each of as many as threads, at once.
    together: Vec<f64>,
}

impl Ceiling {
    pub(super) fn measure(
        trainer: &Program,
        (name, batch, threads): (&'static str, u32, u32),
        (epochs, round): (u32, u32),
        data: &Path,
    ) -> Result<Self> {
        let run = || trainer.run(name, batch, 1, epochs, round, data).map(|report| seconds(&report));
        let alone = run()?;
        let together: std::result::Result<Vec<f64>, String> = std::thread::scope(|scope| {
            let one = || run().map_err(|error| error.to_string());
            let processes: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
            let panicked = |_| Err("a thread of the benchmark panicked".into());
            processes.into_iter().map(|process| process.join().unwrap_or_else(panicked)).collect()
        });
        Ok(Self { alone, together: together? })
    }
}

/// Of an epoch, but for the first.
fn seconds(report: &Report) -> f64 {
    median(report.seconds.iter().skip(1).copied())
}

/// `reports` are those of the trainer on all threads, one a round.
pub(super) fn scaling(
    (name, batch, threads): (&'static str, u32, u32),
    ceilings: &[Ceiling],
    reports: &[Report],
) -> Scaling {
    let possible = ceilings.iter().map(|c| c.together.iter().map(|seconds| c.alone / seconds).sum());
    let reached = ceilings.iter().zip(reports).map(|(c, report)| c.alone / seconds(report));
    Scaling { name, batch, threads, possible: median(possible), reached: median(reached) }
}
