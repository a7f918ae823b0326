//! How many bits fall off on the way from a gradient to the change of a weight.

use super::{TO_WEIGHT, static_exponent};
use crate::fixed::dynamic::scale;

/// How a product `δ x`, or a gradient that is stored, becomes the change of a weight: bits of `δ` or of the gradient fall off for good,
/// those of the product go to the next weight.
pub(super) trait Fall: Copy {
    /// Bits that fall off the product, 0 to 30.
    fn bits(self) -> u32;
    /// What is multiplied.
    fn delta(self, delta: i16) -> i32;
    /// The same of a gradient.
    fn gradient(self, gradient: i32) -> i32;

    #[inline(always)]
    fn bits_and_mask(self) -> (u32, i32) {
        // The compiler is told that it is no shift beyond 31 bits.
        let bits = self.bits() & 31;
        (bits, 1_u32.wrapping_shl(bits).wrapping_sub(1) as i32)
    }
}

/// With static ranges, by the exponent of the rate: 11 to 26 bits.
#[derive(Clone, Copy)]
pub(super) struct OfRate(pub(super) u32);

impl Fall for OfRate {
    #[inline(always)]
    fn bits(self) -> u32 {
        TO_WEIGHT + static_exponent(self.0)
    }
    #[inline(always)]
    fn delta(self, delta: i16) -> i32 {
        delta.into()
    }
    #[inline(always)]
    fn gradient(self, gradient: i32) -> i32 {
        gradient
    }
}

/// Of products in units that are larger than those of weights by some power of two.
#[derive(Clone, Copy)]
pub(super) struct OfUnit {
    /// What is left for the product.
    bits: u32,
    /// `δ` is multiplied by 2 to this before: below 0 where it is so small that 30 bits are too few, above 0 where the smallest product
    /// is beyond a unit.
    up: i32,
}

impl OfUnit {
    #[inline]
    pub(super) const fn new(exponent: u32, unit: i32) -> Self {
        let fall = exponent as i32 - unit;
        match fall {
            ..0 => Self { bits: 0, up: -fall },
            0..=30 => Self { bits: fall as u32, up: 0 },
            _ => Self { bits: 30, up: 30 - fall },
        }
    }
}

impl Fall for OfUnit {
    #[inline(always)]
    fn bits(self) -> u32 {
        self.bits
    }
    #[inline(always)]
    fn delta(self, delta: i16) -> i32 {
        // The largest times 1 takes a weight through half of its range.
        scale(delta.into(), self.up).clamp(-i32::from(i16::MAX), i16::MAX.into())
    }
    #[inline(always)]
    fn gradient(self, gradient: i32) -> i32 {
        // So that no difference to a weight is beyond 32 bits.
        scale(gradient, self.up).clamp(-(1 << 30), 1 << 30)
    }
}
