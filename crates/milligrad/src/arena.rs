//! The memory of exported models: an arena that several share, and views into it.
//!
//! A network owns its memory (`Network::new()`), or is lent it out of an [`Arena`] that networks use by turns
//! (`Network::within(&mut arena)`):
//!
//! ```
//! use milligrad::{arena::{Arena, Bytes, largest}, lendable};
//! # // As exported:
//! lendable! { pub struct Keyword { int8: Bytes<20>, } }
//! lendable! { pub struct Person { int8: Bytes<300>, float: [f32; 10], } }
//!
//! let mut arena = Arena::<{ largest(&[20, 310]) }>::ZERO;
//! let keyword: &mut Keyword = arena.lend();          // what `Keyword::within(&mut arena)` does
//! keyword.int8[3] = 1;
//! let person: &mut Person = arena.lend();            // `keyword` is gone
//! person.float[9] = 0.5;
//! ```
//!
//! Exported code names constant offsets within arrays of constant length, so that the compiler proves each view and
//! drops its check.

pub use crate::arch::lend::Plain;
#[cfg(target_has_atomic = "8")]
pub use crate::arch::reserved::Reserved;
pub use crate::arch::words::{bytes, bytes_mut};

/// Memory for one network at a time: `4 WORDS` bytes, aligned to words. Networks say how many words they need as
/// `ARENA_WORDS`; [`largest`] of these is enough for all.
#[derive(Debug, Clone)]
#[repr(transparent)]
pub struct Arena<const WORDS: usize>(pub(crate) [u32; WORDS]);

impl<const WORDS: usize> Arena<WORDS> {
    /// All zero.
    pub const ZERO: Self = Self([0; WORDS]);
}

/// The largest of some numbers of words, for the arena that networks share.
pub const fn largest(words: &[usize]) -> usize {
    let (mut most, mut i) = (0, 0);
    while i < words.len() {
        if words[i] > most {
            most = words[i];
        }
        i += 1;
    }
    most
}

/// The arena of an int8 model whose kernels load words: `4 WORDS` bytes.
#[derive(Debug, Clone)]
#[repr(transparent)]
pub struct Bytes<const WORDS: usize>([u32; WORDS]);

impl<const WORDS: usize> Bytes<WORDS> {
    /// All zero.
    pub const ZERO: Self = Self([0; WORDS]);

    /// The words.
    #[inline(always)]
    pub const fn words(&mut self) -> &mut [u32] {
        &mut self.0
    }
}

impl<const WORDS: usize> core::ops::Deref for Bytes<WORDS> {
    type Target = [i8];
    #[inline(always)]
    fn deref(&self) -> &[i8] {
        bytes(&self.0)
    }
}

impl<const WORDS: usize> core::ops::DerefMut for Bytes<WORDS> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [i8] {
        bytes_mut(&mut self.0)
    }
}

/// `N` elements of `arena` from `at` on.
///
/// # Panics
/// If the arena is shorter; with constant offsets the compiler sees that it isn't.
#[inline(always)]
pub const fn array<T, const N: usize>(arena: &[T], at: usize) -> &[T; N] {
    match arena.split_at(at).1.first_chunk() {
        Some(array) => array,
        None => panic!("a view lies within its arena"),
    }
}

/// As [`array()`], to write to.
///
/// # Panics
/// If the arena is shorter; with constant offsets the compiler sees that it isn't.
#[inline(always)]
pub const fn array_mut<T, const N: usize>(arena: &mut [T], at: usize) -> &mut [T; N] {
    match arena.split_at_mut(at).1.first_chunk_mut() {
        Some(array) => array,
        None => panic!("a view lies within its arena"),
    }
}

/// Index of the first largest element: the predicted class of scores or probabilities. Zero for an empty slice.
#[inline]
pub fn argmax<T: PartialOrd>(scores: &[T]) -> usize {
    let mut best = 0;
    for (i, score) in scores.iter().enumerate() {
        if scores.get(best).is_some_and(|largest| score > largest) {
            best = i;
        }
    }
    best
}
