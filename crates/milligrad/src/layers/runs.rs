//! Runs of inputs between blocks of zeros. Half of the pixels of an image are often zero; a block of them changes no sum and no
//! weight, so that loops over a matrix leave its columns out. What a block is depends on the inputs alone, so that the same are
//! left out on every target.

use core::ops::Range;

/// Inputs of a block: what the kernels of [`matrix`](super::matrix) take in a turn, so that a run costs less than what it saves.
pub(crate) const BLOCK: usize = 16;

/// Whether a float is zero, of either sign; without an FPU a comparison would be a call.
#[inline(always)]
pub(crate) fn is_zero(x: f32) -> bool {
    x.to_bits() << 1 == 0
}

/// The indices of `x`, in order and `most` at a time at most, but for blocks of 16, counted from the first, that are all zero.
pub(crate) struct Runs<'x, T, Z> {
    x: &'x [T],
    is_zero: Z,
    most: usize,
    /// What is left of a run.
    run: Range<usize>,
}

impl<'x, T: Copy, Z: Fn(T) -> bool> Runs<'x, T, Z> {
    #[inline(always)]
    pub(crate) fn new(x: &'x [T], most: usize, is_zero: Z) -> Self {
        Self { x, is_zero, most: most.max(1), run: 0..0 }
    }

    /// The run that starts at the end of another, behind blocks of zeros. One loop over elements: a block that holds one that is
    /// not zero is left at once.
    #[inline(never)]
    fn after(&self, end: usize) -> Range<usize> {
        let (mut start, mut at) = (end, end);
        while let Some(&x) = self.x.get(at) {
            at += 1;
            if !(self.is_zero)(x) {
                at = at.next_multiple_of(BLOCK);
            } else if at.is_multiple_of(BLOCK) {
                if start < at - BLOCK {
                    return start..at - BLOCK;
                }
                start = at;
            }
        }
        start..self.x.len()
    }
}

impl<T: Copy, Z: Fn(T) -> bool> Iterator for Runs<'_, T, Z> {
    type Item = Range<usize>;

    #[inline(always)]
    fn next(&mut self) -> Option<Range<usize>> {
        if self.run.is_empty() {
            self.run = self.after(self.run.end);
        }
        let part = self.run.start..self.run.end.min(self.run.start.saturating_add(self.most));
        self.run.start = part.end;
        (!part.is_empty()).then_some(part)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn runs(x: &[f32], most: usize) -> Vec<Range<usize>> {
        Runs::new(x, most, is_zero).collect()
    }

    #[test]
    fn whole_blocks_of_zeros_are_left_out() {
        assert_eq!(runs(&[], usize::MAX), vec![]);
        assert_eq!(runs(&[0.0; 15], usize::MAX), vec![0..15]);
        assert_eq!(runs(&[0.0; 32], usize::MAX), vec![]);
        assert_eq!(runs(&[-0.0; 33], usize::MAX), vec![32..33]);
        assert_eq!(runs(&[f32::NAN; 40], usize::MAX), vec![0..40]);
        let mut x = [0.0; 100];
        x[31] = 1e-45;
        assert_eq!(runs(&x, usize::MAX), vec![16..32, 96..100]);
        x[48..80].fill(1.0);
        assert_eq!(runs(&x, usize::MAX), vec![16..32, 48..80, 96..100]);
        assert_eq!(runs(&x, 20), vec![16..32, 48..68, 68..80, 96..100]);
        assert_eq!(runs(&x, 16), vec![16..32, 48..64, 64..80, 96..100]);
        assert_eq!(
            runs(&x, 7),
            vec![16..23, 23..30, 30..32, 48..55, 55..62, 62..69, 69..76, 76..80, 96..100]
        );
    }

    #[test]
    fn each_input_is_in_a_run_or_in_a_block() {
        for most in 1..40 {
            let mut x = vec![0.0; 77];
            x.iter_mut().skip(most).step_by(27).for_each(|x| *x = 1.0);
            let mut seen = vec![false; x.len()];
            for run in runs(&x, most) {
                assert!(run.len() <= most);
                seen[run].iter_mut().for_each(|seen| *seen = !*seen);
            }
            for (block, seen) in x.chunks(BLOCK).zip(seen.chunks(BLOCK)) {
                let left_out = block.len() == BLOCK && block.iter().all(|&x| x == 0.0);
                assert!(seen.iter().all(|&seen| seen != left_out), "runs of {most}");
            }
        }
    }
}
