//! The threads that training runs on.

use super::arch;
use crate::error::{Error, Result};
use rayon::prelude::*;
use std::sync::atomic::Ordering;

/// A pool of `threads` threads, 0 for as many as there are cores. Numbers too small to be normal count as zero in
/// them: such denormals, which Adam makes of weights that no longer matter, would halve the speed.
pub(crate) fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("train {i}"))
        .start_handler(|_| arch::flush_denormals())
        .build()
        .map_err(|problem| Error::Data(format!("no threads to train on: {problem}")))
}

/// Runs `work` with the pool's other threads in attendance: once they have been of use, they wait awake for the next call of
/// [`each`], as to wake a thread takes longer than a small network's step. They do nothing else until `work` ends.
pub(crate) fn attended<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    /// Pauses of the processor, some 0.1 to 0.5 ms, after which they go to sleep: others may need the core.
    const AWAKE: u32 = 1 << 13;
    match rayon::current_num_threads() {
        1 => work(),
        threads => {
            spindle::SPIN_LIMIT.store(AWAKE, Ordering::Relaxed);
            spindle::with_lock(threads, work)
        }
    }
}

/// Calls `work` for every item, on all threads.
pub(crate) fn each<I: IndexedParallelIterator>(items: I, work: impl Fn(I::Item) + Send + Sync) {
    match items.len() {
        0 | 1 => items.for_each(work),
        jobs => spindle::for_each(jobs, items, work),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn denormals_are_zero_in_the_pool_alone() {
        let tiny = std::hint::black_box(f32::MIN_POSITIVE);
        let half = || std::hint::black_box(tiny) * std::hint::black_box(0.5);
        assert_eq!(super::pool(1).unwrap().install(half), 0.0);
        assert!(half() > 0.0);
    }
}
