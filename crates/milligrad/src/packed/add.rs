//! Add, with the constants of its rescaling folded.

#[cfg(not(milligrad_dsp))]
use super::channel::high_multiply_add;
use super::{PackedChannel, PackedOutput, Places};
use crate::arena;
use crate::layers::QuantizedAdd;

/// A sum of two int8 tensors as [`QuantizedAdd`], for the case that trained networks have: twice the larger scale is the
/// common one, so that the term with that scale is shifted and the other multiplied by a factor below one half.
///
/// The output may lie exactly over either input, or before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedAdd {
    /// `b` is the term with the larger scale; else `a` is.
    pub(crate) larger_is_b: bool,
    /// `-zero_point 2^21` of the other term.
    pub(crate) start: i32,
    /// Its factor as a mantissa, and the bits to shift right afterwards.
    pub(crate) multiplier: i32,
    pub(crate) shift: i32,
    /// `-zero_point 2^19` of the larger term, and half of the last bit shifted out.
    pub(crate) offset: i32,
    pub(crate) sum: PackedChannel,
    pub(crate) output: PackedOutput,
}

impl PackedAdd {
    /// The same sum, or `None` if its scales are out of the ordinary.
    pub const fn new(add: &QuantizedAdd) -> Option<Self> {
        let larger_is_b = is_half(&add.b);
        if !larger_is_b && !is_half(&add.a) {
            return None;
        }
        let ((other_zero, other), (larger_zero, _)) =
            if larger_is_b { (add.a, add.b) } else { (add.b, add.a) };
        // Both terms are below 2^28.
        if other.shift > 0 || other.shift < -20 || !PackedChannel::is_exact(add.sum, 1 << 29) {
            return None;
        }
        let shift = -(other.shift as i32);
        Some(Self {
            larger_is_b,
            start: -(other_zero as i32) << 21,
            multiplier: other.multiplier,
            shift,
            offset: -(larger_zero as i32) << 19,
            sum: PackedChannel::new(0, add.sum.multiplier, add.sum.shift, add.output.zero_point),
            output: PackedOutput::new(add.output),
        })
    }

    /// `y = activation(a + b)` for `len` elements; `at.x` is `a`, `at.scratch` is not used.
    #[inline(never)]
    pub fn forward(&self, words: &mut [u32], at: Places, b: usize, len: usize) {
        let arena = arena::bytes_mut(words);
        let (other, larger) = if self.larger_is_b { (at.x, b) } else { (b, at.x) };
        if !at.fit(arena.len(), len, 0, len) || b.checked_add(len).is_none_or(|end| end > arena.len()) {
            return;
        }
        #[cfg(milligrad_dsp)]
        crate::arch::dsp::add(self, arena, other, larger, at.y, len);
        #[cfg(not(milligrad_dsp))]
        for i in 0..len {
            if let (Some(&x), Some(&z)) = (arena.get(other + i), arena.get(larger + i)) {
                let y = self.element(x, z);
                if let Some(to) = arena.get_mut(at.y + i) {
                    *to = y;
                }
            }
        }
    }

    /// One sum.
    #[cfg(not(milligrad_dsp))]
    fn element(&self, other: i8, larger: i8) -> i8 {
        let double = (i32::from(other) << 21).wrapping_add(self.start);
        let term = if self.shift == 0 {
            high_multiply_add(double, self.multiplier, 0)
        } else {
            let half = 1i32.wrapping_shl((self.shift - 1) as u32);
            high_multiply_add(double, self.multiplier, half.wrapping_add(double >> 31))
                .wrapping_shr(self.shift as u32)
        };
        let sum = term.wrapping_add(i32::from(larger) << 19).wrapping_add(self.offset);
        self.sum.finish(self.output, sum)
    }
}

/// `true` for a factor of exactly one half.
const fn is_half(term: &(i8, crate::Requantize)) -> bool {
    term.1.multiplier == 1 << 30 && term.1.shift == 0
}
