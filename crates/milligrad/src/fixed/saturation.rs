//! How often numbers came to the end of their range.

use crate::arch::rolled;

/// Counters of numbers that saturated. They stop at their largest value and never wrap.
///
/// An activation or a delta counts where it lies at the end of the `i16`, which a number that just reaches it does, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Saturation {
    /// Outputs of layers that sum, in training and prediction.
    pub activations: u32,
    /// Deltas of hidden layers, those of the mean squared error, and sums of gradients over a batch.
    pub deltas: u32,
    /// Weights and biases that an update would have taken beyond their range.
    pub weights: u32,
}

impl Saturation {
    /// Nothing has saturated.
    pub const NONE: Self = Self { activations: 0, deltas: 0, weights: 0 };

    /// Counts activations.
    #[inline]
    pub fn see_activations(&mut self, y: &[i16]) {
        self.activations = self.activations.saturating_add(at_the_end(y));
    }

    /// Counts deltas.
    #[inline]
    pub fn see_deltas(&mut self, delta: &[i16]) {
        self.add_deltas(at_the_end(delta));
    }

    /// Adds so many deltas.
    #[inline]
    pub fn add_deltas(&mut self, count: u32) {
        self.deltas = self.deltas.saturating_add(count);
    }

    /// Adds so many weights.
    #[inline]
    pub fn add_weights(&mut self, count: u32) {
        self.weights = self.weights.saturating_add(count);
    }

    /// Activations and deltas since an earlier state of these counters.
    #[inline]
    pub fn since(&self, before: &Self) -> u32 {
        let activations = self.activations.wrapping_sub(before.activations);
        activations.saturating_add(self.deltas.wrapping_sub(before.deltas))
    }
}

/// How many values are the largest or the smallest of their type.
#[inline(never)]
fn at_the_end(values: &[i16]) -> u32 {
    // The two ends are neighbours among unsigned numbers.
    let is_end = |&x: &i16| {
        rolled();
        u32::from((x as u16).wrapping_sub(0x7fff) < 2)
    };
    values.iter().map(is_end).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_counted() {
        let mut saturation = Saturation::NONE;
        for x in i16::MIN..=i16::MAX {
            saturation.see_activations(&[x]);
        }
        assert_eq!(saturation, Saturation { activations: 2, ..Saturation::NONE });
        let before = saturation;
        saturation.see_deltas(&[i16::MAX, i16::MIN, 0, -i16::MAX, 5]);
        saturation.add_weights(u32::MAX);
        saturation.add_weights(1);
        assert_eq!(saturation.since(&before), 2);
        assert_eq!(saturation.weights, u32::MAX);
    }
}
