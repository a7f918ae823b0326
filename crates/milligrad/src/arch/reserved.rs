//! An arena in a `static`, handed out once.

use crate::arena::Arena;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

/// An arena for a `static` that the linker puts into a section of RAM.
///
/// The section has to be zeroed or loaded at start-up, as `.bss` and `.data` are; one that is left as it is may seem taken.
pub struct Reserved<const WORDS: usize> {
    arena: UnsafeCell<Arena<WORDS>>,
    taken: AtomicBool,
}

// SAFETY: the arena is reached through `take` alone, once.
unsafe impl<const WORDS: usize> Sync for Reserved<WORDS> {}

impl<const WORDS: usize> Reserved<WORDS> {
    /// An arena that nobody has taken.
    #[allow(clippy::new_without_default, reason = "it is for statics")]
    pub const fn new() -> Self {
        Self { arena: UnsafeCell::new(Arena::ZERO), taken: AtomicBool::new(false) }
    }

    /// The arena, the first time; `None` ever after.
    #[allow(clippy::mut_from_ref, reason = "it is handed out once")]
    pub fn take(&'static self) -> Option<&'static mut Arena<WORDS>> {
        let first = !self.taken.swap(true, Ordering::AcqRel);
        // SAFETY: only the first caller comes here, so that nobody else has a reference.
        first.then(|| unsafe { &mut *self.arena.get() })
    }
}
