//! The threads that training runs on.

use super::arch;
use super::team::Team;
use crate::error::{Error, Result};
use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

/// Most threads where there are fewer cores: each costs a stack and wakes in every step, and the bytes that come out are the same.
const MOST_THREADS: usize = 64;

/// A pool of `threads` threads, 0 for as many as there are cores, never more than these and [`MOST_THREADS`]. Numbers too small to be normal count as zero in
/// them: such denormals, which Adam makes of weights that no longer matter, would halve the speed.
pub(crate) fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.min(cores.max(MOST_THREADS)))
        .thread_name(|i| format!("train {i}"))
        .start_handler(|_| arch::flush_denormals())
        .build()
        .map_err(|problem| Error::Data(format!("no threads to train on: {problem}")))
}

thread_local! {
    /// The team that this thread leads.
    static TEAM: RefCell<Option<Arc<Team>>> = const { RefCell::new(None) };
}

/// Runs `work` as the leader of a [`Team`] as large as the pool, which [`each`] then calls on.
pub(crate) fn attended<R>(work: impl FnOnce() -> R) -> R {
    /// Ends a team's work, also when its leader panics.
    struct Dismissal(Arc<Team>);
    impl Drop for Dismissal {
        fn drop(&mut self) {
            TEAM.take();
            self.0.dismiss();
        }
    }

    let others = rayon::current_num_threads() - 1;
    if others == 0 {
        return work();
    }
    let team = Arc::new(Team::new(1 + others));
    std::thread::scope(|scope| {
        let dismissal = Dismissal(team.clone());
        for i in 1..=others {
            let thread = std::thread::Builder::new().name(format!("train {i}"));
            // A system without another thread leaves the work to those that there are.
            let team = &team;
            let _ = thread.spawn_scoped(scope, move || team.attend(i));
        }
        TEAM.set(Some(dismissal.0.clone()));
        work()
    })
}

/// Calls `work` for every item, on all threads.
pub(crate) fn each<T: Send>(items: impl IntoIterator<Item = T>, work: impl Fn(T) + Send + Sync) {
    let items: Vec<T> = items.into_iter().collect();
    // The team is away while it works: a task that has items itself does them alone.
    match TEAM.take() {
        Some(team) if items.len() > 1 => {
            let items: Vec<_> = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
            let item = |i: usize| items[i].lock().unwrap_or_else(PoisonError::into_inner).take();
            team.round(items.len(), &|i| item(i).into_iter().for_each(&work));
            TEAM.set(Some(team));
        }
        team => {
            TEAM.set(team);
            items.into_iter().for_each(work);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_pool_has_no_more_threads_than_are_of_use() {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        assert_eq!(super::pool(3).unwrap().current_num_threads(), 3);
        assert_eq!(super::pool(100_000).unwrap().current_num_threads(), cores.max(super::MOST_THREADS));
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn denormals_are_zero_in_the_pool_alone() {
        let tiny = std::hint::black_box(f32::MIN_POSITIVE);
        let half = || std::hint::black_box(tiny) * std::hint::black_box(0.5);
        assert_eq!(super::pool(1).unwrap().install(half), 0.0);
        assert!(half() > 0.0);
    }
}
