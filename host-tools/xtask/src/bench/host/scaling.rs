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

/// One round of it.
pub(super) struct Round {
    alone: f64,
    /// Of each process.
    together: Vec<f64>,
    threads: f64,
}

impl Round {
    /// Runs the trainer alone, then as many of it as `threads` at once, then on all threads.
    pub(super) fn run(
        trainer: &Program,
        (name, batch, threads): (&'static str, u32, u32),
        (epochs, round): (u32, u32),
        data: &Path,
    ) -> Result<Self> {
        let run = |threads: u32| trainer.run(name, batch, threads, epochs, round, data);
        let alone = seconds(&run(1)?);
        let together = std::thread::scope(|scope| {
            let one = || run(1).map(|report| seconds(&report)).map_err(|error| error.to_string());
            let processes: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
            let joined = processes.into_iter().map(|process| process.join());
            joined
                .map(|seconds| seconds.unwrap_or_else(|_| Err("a thread of the benchmark panicked".into())))
                .collect()
        });
        let together: std::result::Result<Vec<f64>, String> = together;
        Ok(Self { alone, together: together?, threads: seconds(&run(threads)?) })
    }
}

/// Of an epoch, but for the first.
fn seconds(report: &Report) -> f64 {
    median(report.seconds.iter().skip(1).copied())
}

pub(super) fn scaling((name, batch, threads): (&'static str, u32, u32), rounds: &[Round]) -> Scaling {
    let possible =
        rounds.iter().map(|round| round.together.iter().map(|seconds| round.alone / seconds).sum());
    let reached = rounds.iter().map(|round| round.alone / round.threads);
    Scaling { name, batch, threads, possible: median(possible), reached: median(reached) }
}
