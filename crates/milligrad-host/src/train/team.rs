//! A team: threads that stay awake between rounds of work. To wake a thread takes longer than a small network's step.
#![allow(unsafe_code)]

use super::arch;
use std::any::Any;
use std::hint::spin_loop;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Pauses of the processor, some 0.1 to 0.5 ms, after which a thread without work goes to sleep: others may need the core.
const AWAKE: u32 = 1 << 13;
/// Pauses between which the leader, whose tasks are all claimed, lets other threads have its core.
const PATIENCE: u32 = 1 << 8;

type Work = dyn Fn(usize) + Sync;

/// Threads that [`attend`](Self::attend), and a leader that gives them [rounds](Self::round) of tasks and takes part.
///
/// Each member has its own part of the tasks, the same in every round of as many: what it worked on last is still in its
/// core's caches. Who is done takes from those who are not. A round is over when its tasks are, whoever did them: a thread that
/// comes late, as another program has its core, is not waited for.
pub(crate) struct Team {
    state: Mutex<State>,
    /// Tasks that are claimed and not done.
    running: AtomicUsize,
    /// How often there was news: a round, or the end.
    news: AtomicUsize,
    asleep: Condvar,
}

#[derive(Default)]
struct State {
    /// The work of a round, as long as it lasts.
    work: Option<&'static Work>,
    /// What is left to each member.
    left: Vec<Range<usize>>,
    /// What the first task that panicked said.
    panic: Option<Box<dyn Any + Send>>,
    over: bool,
}

impl Team {
    /// A team of so many, the leader included, who is member 0.
    pub(crate) fn new(members: usize) -> Self {
        let state = Mutex::new(State { left: vec![0..0; members], ..State::default() });
        Self { state, running: AtomicUsize::new(0), news: AtomicUsize::new(0), asleep: Condvar::new() }
    }

    /// Calls `work` with the numbers of all tasks, from 0 on, on all threads of the team.
    ///
    /// # Panics
    /// If a task does.
    pub(crate) fn round(&self, tasks: usize, work: &(dyn Fn(usize) + Sync)) {
        // SAFETY: the reference is called by those alone who claimed a task, and these are done before this function
        // returns, as no code between here and there panics.
        let work = unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static Work>(work) };
        {
            let mut state = self.state();
            state.work = Some(work);
            let members = state.left.len();
            let start = |member: usize| tasks * member / members;
            state.left.iter_mut().enumerate().for_each(|(i, left)| *left = start(i)..start(i + 1));
        }
        self.tell();
        self.work(0);
        let mut pauses = 0;
        while self.running.load(Ordering::Acquire) > 0 {
            pauses += 1;
            if pauses % PATIENCE == 0 { std::thread::yield_now() } else { spin_loop() }
        }
        let mut state = self.state();
        state.work = None;
        if let Some(panic) = state.panic.take() {
            drop(state);
            resume_unwind(panic);
        }
    }

    /// Does tasks as this member until [`dismiss`](Self::dismiss) is called.
    pub(crate) fn attend(&self, member: usize) {
        arch::flush_denormals();
        loop {
            // Before the look at what there is to do, so that no news is missed.
            let seen = self.news.load(Ordering::Acquire);
            if self.state().over {
                return;
            }
            self.work(member);
            let fresh = || self.news.load(Ordering::Acquire) != seen;
            let awake = (0..AWAKE).any(|_| {
                spin_loop();
                fresh()
            });
            if !awake {
                let state = self.state();
                drop(self.asleep.wait_while(state, |_| !fresh()).unwrap_or_else(PoisonError::into_inner));
            }
        }
    }

    /// Lets those who attend go.
    pub(crate) fn dismiss(&self) {
        self.state().over = true;
        self.tell();
    }

    /// All that there is to do.
    fn work(&self, member: usize) {
        while let Some((work, task)) = self.claim(member) {
            let result = catch_unwind(AssertUnwindSafe(|| work(task)));
            if let Err(panic) = result {
                self.state().panic.get_or_insert(panic);
            }
            self.running.fetch_sub(1, Ordering::Release);
        }
    }

    fn claim(&self, member: usize) -> Option<(&'static Work, usize)> {
        let mut state = self.state();
        let work = state.work?;
        let task = match state.left[member].next() {
            Some(own) => own,
            // From the end, which its owner comes to last.
            None => state.left.iter_mut().max_by_key(|left| left.len())?.next_back()?,
        };
        self.running.fetch_add(1, Ordering::Relaxed);
        Some((work, task))
    }

    fn tell(&self) {
        // With the lock, so that nobody falls asleep between having looked and waiting.
        let _state = self.state();
        self.news.fetch_add(1, Ordering::Release);
        self.asleep.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `lead` with a team of so many threads.
    fn led(threads: usize, lead: impl FnOnce(&Team)) {
        let team = Team::new(threads);
        std::thread::scope(|scope| {
            (1..threads).for_each(|i| {
                let team = &team;
                scope.spawn(move || team.attend(i));
            });
            let result = catch_unwind(AssertUnwindSafe(|| lead(&team)));
            team.dismiss();
            result.unwrap_or_else(|panic| resume_unwind(panic));
        });
    }

    #[test]
    fn every_task_is_done_once_and_before_the_round_ends() {
        for threads in [1, 2, 7] {
            led(threads, |team| {
                for round in 0..2000 {
                    let counts: Vec<AtomicUsize> = (0..round % 11).map(|_| AtomicUsize::new(0)).collect();
                    team.round(counts.len(), &|i| {
                        counts[i].fetch_add(1, Ordering::Relaxed);
                    });
                    assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
                    if round % 500 == 0 {
                        // Long enough for all to fall asleep.
                        std::thread::sleep(std::time::Duration::from_millis(5));
                    }
                }
            });
        }
    }

    #[test]
    fn those_who_come_late_leave_at_once() {
        let team = Team::new(2);
        team.dismiss();
        team.attend(1);
    }

    #[test]
    #[should_panic(expected = "task 3")]
    fn a_panic_reaches_the_leader() {
        led(3, |team| team.round(8, &|i| assert!(i != 3, "task {i}")));
    }
}
