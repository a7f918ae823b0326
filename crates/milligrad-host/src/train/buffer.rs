//! Memory that starts at a cache line, so that no vector load straddles two.

use std::ops::{Deref, DerefMut};

const LINE: usize = 64;

/// Numbers whose first lies at an address that is a multiple of 64.
#[derive(Debug, Default)]
pub(crate) struct Buffer<F> {
    memory: Vec<F>,
    start: usize,
    len: usize,
}

impl<F: Copy + Default> Buffer<F> {
    /// `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        if len == 0 {
            return Self::default();
        }
        let memory = vec![F::default(); len + LINE / size_of::<F>()];
        let start = memory.as_ptr().align_offset(LINE).min(LINE / size_of::<F>());
        Self { memory, start, len }
    }

    /// The numbers in blocks of `N`: one number of `N` samples each.
    pub(crate) fn blocks<const N: usize>(&self) -> &[[F; N]] {
        self.as_chunks().0
    }

    /// The numbers in blocks of `N`.
    pub(crate) fn blocks_mut<const N: usize>(&mut self) -> &mut [[F; N]] {
        self.as_chunks_mut().0
    }
}

impl<F: Copy + Default> Clone for Buffer<F> {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl<F> Deref for Buffer<F> {
    type Target = [F];
    fn deref(&self) -> &[F] {
        &self.memory[self.start..self.start + self.len]
    }
}

impl<F> DerefMut for Buffer<F> {
    fn deref_mut(&mut self) -> &mut [F] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_at_a_cache_line() {
        for len in [1, 15, 16, 1000] {
            let buffer = Buffer::<f32>::zeros(len).clone();
            assert_eq!((buffer.as_ptr() as usize % LINE, buffer.len()), (0, len));
        }
    }
}
