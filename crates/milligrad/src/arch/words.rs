//! Bytes in words: the arena of a model whose kernels load words and pairs of half-words.

/// The bytes of words, in the order of memory.
#[inline(always)]
pub const fn bytes(words: &[u32]) -> &[i8] {
    // SAFETY: every byte of a word is initialised and a valid i8, and i8 has no alignment.
    unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), words.len() * 4) }
}

/// As [`bytes`], to write to.
#[inline(always)]
pub const fn bytes_mut(words: &mut [u32]) -> &mut [i8] {
    // SAFETY: as above, and any four bytes are a valid word.
    unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len() * 4) }
}
