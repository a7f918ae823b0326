//! Requantisation in five or six instructions.

use crate::{QuantizedOutput, Requantize, Rounding};

/// What a packed layer stores for each output channel, 16 bytes. With `2^s` for the shift of [`Requantize`], `s < 0`
/// and `n = -s`, an output is
///
/// `sat8((SMMLAR(2 sum, multiplier, round + sign) >> n)`, `round = 2^(n-1) + zero_point 2^n`,
///
/// where `SMMLAR(a, b, c) = c + (a b + 2^31) >> 32` and `sign` is -1 for negative sums, else 0. That equals the
/// double rounding of TensorFlow Lite Micro for `|sum| < 2^30`: the first rounding is `SMMLAR`'s, the second half away
/// from zero is half up after one is taken from negative numbers, and a multiple of `2^n` passes through the
/// shift. Where a fused ReLU limits the output at the zero point, negative sums need no exact rounding, and no sign.
///
/// Rounded once, as TensorFlow's interpreter does it, an output is
///
/// `sat8((SMMLA(2 sum, multiplier, round) >> n)`, `SMMLA(a, b, c) = c + (a b) >> 32`:
///
/// both shifts round down, so together they round half up. That is half away from zero too as long as no negative sum
/// lies exactly between two outputs, which takes a product with `30 + n` zeros at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(C)]
pub struct PackedChannel {
    pub(crate) multiplier: i32,
    pub(crate) round: i32,
    pub(crate) shift: i32,
    pub(crate) bias: i32,
}

impl PackedChannel {
    /// No output: fills up a table.
    pub const NONE: Self = Self { multiplier: 0, round: 0, shift: 0, bias: 0 };

    /// `true` if a sum that is never beyond `±bound` can be requantised like this.
    pub const fn is_exact(requantize: Requantize, bound: i64) -> bool {
        let shifts = requantize.multiplier == 0 || (requantize.shift < 0 && requantize.shift >= -22);
        let has_halves = match requantize.rounding {
            Rounding::Double => false,
            Rounding::Single => {
                // Zeros that the sum has to end with, if its product is to end with 30 + n.
                let zeros = 30 - requantize.shift as i64 - requantize.multiplier.trailing_zeros() as i64;
                requantize.multiplier != 0 && zeros < 31 && bound >= 1 << zeros
            }
        };
        shifts && !has_halves && bound < 1 << 30
    }

    /// A channel from its folded bias and its scale, for outputs with this zero point.
    ///
    /// # Panics
    /// If [`is_exact`](Self::is_exact) is false for the scale; in a `const` or `static` that is a compile error.
    pub const fn new(bias: i32, multiplier: i32, shift: i8, zero_point: i8) -> Self {
        let requantize = Requantize::new(multiplier, shift, Rounding::Double);
        assert!(Self::is_exact(requantize, 0), "a packed channel shifts right, by at most 22");
        let shift = if multiplier == 0 { 1 } else { -(shift as i32) };
        Self { multiplier, round: (1 << (shift - 1)) + ((zero_point as i32) << shift), shift, bias }
    }

    /// A channel that gives `value` for every sum.
    pub const fn constant(value: i8) -> Self {
        Self { multiplier: 0, round: 1 + 2 * value as i32, shift: 1, bias: 0 }
    }

    /// The channels of a layer from triples of folded bias, multiplier and shift; entries beyond them are
    /// [`NONE`](Self::NONE). A multiplier of zero with a shift of 1 stands for a constant, its value in the place of
    /// the bias.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub const fn table<const N: usize>(channels: &[(i32, i32, i8)], zero_point: i8) -> [Self; N] {
        assert!(channels.len() <= N, "a table holds all channels");
        let mut table = [Self::NONE; N];
        let mut i = 0;
        while i < channels.len() {
            let (bias, multiplier, shift) = channels[i];
            table[i] = match (multiplier, shift) {
                (0, 1) => Self::constant(bias as i8),
                _ => Self::new(bias, multiplier, shift, zero_point),
            };
            i += 1;
        }
        table
    }

    /// The output of a sum, rounded once.
    #[cfg(not(milligrad_dsp))]
    #[inline(always)]
    pub(crate) fn finish_once(&self, output: PackedOutput, sum: i32) -> i8 {
        let product = i64::from(sum.wrapping_shl(1)) * i64::from(self.multiplier);
        let high = self.round.wrapping_add((product >> 32) as i32);
        output.clamp(high.wrapping_shr(self.shift as u32).clamp(-128, 127) as i8)
    }

    /// The output of a sum, rounded twice.
    #[cfg(not(milligrad_dsp))]
    #[inline(always)]
    pub(crate) fn finish(&self, output: PackedOutput, sum: i32) -> i8 {
        let double = sum.wrapping_shl(1);
        let sign = if output.signed { double >> 31 } else { 0 };
        let high = high_multiply_add(double, self.multiplier, self.round.wrapping_add(sign));
        output.clamp(high.wrapping_shr(self.shift as u32).clamp(-128, 127) as i8)
    }
}

/// The instruction `SMMLAR`: `c + (a b + 2^31) >> 32`.
#[cfg(not(milligrad_dsp))]
#[inline(always)]
pub(crate) fn high_multiply_add(a: i32, b: i32, c: i32) -> i32 {
    c.wrapping_add(((i64::from(a) * i64::from(b) + (1 << 31)) >> 32) as i32)
}

/// The range of a packed layer's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PackedOutput {
    /// Outputs below the zero point exist.
    pub(crate) signed: bool,
    pub(crate) min: i8,
    pub(crate) max: i8,
}

impl PackedOutput {
    /// The range of a quantised output.
    pub const fn new(output: QuantizedOutput) -> Self {
        Self { signed: output.min < output.zero_point, min: output.min, max: output.max }
    }

    /// `true` if saturation to 8 bits is not all.
    #[inline(always)]
    #[cfg_attr(not(milligrad_dsp), allow(dead_code))]
    pub(crate) fn is_narrow(&self) -> bool {
        self.min > i8::MIN || self.max < i8::MAX
    }

    #[inline(always)]
    pub(crate) fn clamp(&self, y: i8) -> i8 {
        if y < self.min {
            self.min
        } else if y > self.max {
            self.max
        } else {
            y
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_double_rounding() {
        let mut seed = 1u32;
        let mut random = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed
        };
        for case in 0..400_000 {
            let shift = -((random() >> 16) as i32 % 22 + 1) as i8;
            let multiplier = (1 << 30) | (random() >> 2) as i32;
            let zero_point = (random() >> 24) as i8;
            let bits = 1 + (random() >> 20) % 30;
            let mut sum = (random() as i32) >> (32 - bits);
            if case % 8 == 0 {
                // Near a half.
                let real = ((random() >> 24) as i8 as f64 + 0.5) / f64::from(multiplier)
                    * 2f64.powi(31 - i32::from(shift));
                sum = if real.abs() < 1e9 { real as i32 } else { sum };
            }
            let requantize = Requantize::new(multiplier, shift, Rounding::Double);
            for min in [i8::MIN, zero_point] {
                let output = QuantizedOutput::new(zero_point, min, 127);
                let packed = PackedChannel::new(0, multiplier, shift, zero_point);
                assert_eq!(
                    packed.finish(PackedOutput::new(output), sum),
                    output.finish(requantize.apply(sum)),
                    "{sum} x {multiplier} 2^{shift} + {zero_point} from {min}"
                );
            }
        }
        let none = PackedChannel::new(-5, 0, 0, 7);
        let output = PackedOutput::new(QuantizedOutput::new(7, -128, 127));
        assert_eq!((none.finish(output, -100), none.finish(output, 100)), (7, 7));
    }
    #[test]
    fn equals_the_single_rounding_where_it_says_so() {
        let mut seed = 7u32;
        let mut random = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed
        };
        let (mut exact, mut refused) = (0, 0);
        for case in 0..400_000 {
            let shift = -((random() >> 16) as i32 % 22 + 1) as i8;
            // Every other multiplier ends in many zeros, so that sums between two outputs are frequent.
            let zeros = if case % 2 == 0 { 0 } else { (random() >> 20) % 31 };
            let multiplier = ((1 << 30) | (random() >> 2) as i32) >> zeros << zeros;
            let zero_point = (random() >> 24) as i8;
            let sum = ((random() as i32) >> (2 + (random() >> 20) % 28)) & (-1 << ((random() >> 20) % 20));
            let requantize = Requantize::new(multiplier, shift, Rounding::Single);
            if !PackedChannel::is_exact(requantize, i64::from(sum).abs()) {
                refused += 1;
                continue;
            }
            exact += 1;
            let output = QuantizedOutput::new(zero_point, i8::MIN, i8::MAX);
            let packed = PackedChannel::new(0, multiplier, shift, zero_point);
            assert_eq!(
                packed.finish_once(PackedOutput::new(output), sum),
                output.finish(requantize.apply(sum)),
                "{sum} x {multiplier} 2^{shift} + {zero_point}"
            );
        }
        assert!(exact > 250_000 && refused > 1_000, "{exact} exact, {refused} refused");
        // -1/2 becomes -1, but half up gives 0.
        assert!(!PackedChannel::is_exact(Requantize::new(1 << 30, -1, Rounding::Single), 2));
        assert!(PackedChannel::is_exact(Requantize::new(1 << 30, -1, Rounding::Single), 1));
    }
}
