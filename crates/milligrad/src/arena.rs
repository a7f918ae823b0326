//! Views into the arena of an exported model.
//!
//! Exported code names constant offsets within arrays of constant length, so that the compiler proves each view and
//! drops its check.

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
