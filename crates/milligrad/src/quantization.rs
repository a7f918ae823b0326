//! TensorFlow Lite's int8: affine activations `real = scale (q - zero_point)`, symmetric weights with a
//! scale per channel, 32-bit sums, and a fixed-point multiplication that turns a sum into an element.
//!
//! Source: <https://ai.google.dev/edge/litert/models/quantization_spec>; the arithmetic is gemmlowp's, as in
//! TensorFlow Lite Micro's reference kernels, bit for bit.

use crate::{Arithmetic, Clamp};

/// Scale and zero point of a quantised tensor: `real = scale (q - zero_point)`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Quantization {
    /// Size of one step; positive and finite.
    pub scale: f32,
    /// The quantised number that stands for zero.
    pub zero_point: i8,
}

impl Quantization {
    /// Describes a tensor.
    ///
    /// # Panics
    /// If the scale is not a positive finite number; in a `const` or `static` that is a compile error.
    pub const fn new(scale: f32, zero_point: i8) -> Self {
        assert!(scale > 0.0 && scale < f32::INFINITY, "a quantisation scale is positive and finite");
        Self { scale, zero_point }
    }

    /// The nearest quantised number: `round(real / scale) + zero_point`, half away from zero, limited to
    /// -128..=127. NaN becomes the zero point.
    #[inline]
    pub fn quantize(self, real: f32) -> i8 {
        // Beyond ±512 every zero point saturates.
        let scaled = Clamp { min: -512.0, max: 512.0 }.apply(real / self.scale);
        let whole = scaled as i32;
        let rest = scaled - whole as f32;
        let rounded = whole + i32::from(rest >= 0.5) - i32::from(rest <= -0.5);
        (rounded + self.zero_point as i32).clamp(-128, 127) as i8
    }

    /// `scale (q - zero_point)`
    #[inline]
    pub fn dequantize(self, q: i8) -> f32 {
        self.scale * (q as i32 - self.zero_point as i32) as f32
    }
}

/// How [`Requantize`] rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Rounding {
    /// Twice: in the doubling high multiplication and again in the shift, each to nearest, the second half away
    /// from zero. TensorFlow Lite Micro and CMSIS-NN in every operator.
    Double,
    /// Once, half away from zero. TensorFlow's interpreter in FULLY_CONNECTED.
    Single,
}

/// Multiplication of a sum by a positive real number, in integers: `multiplier 2^(shift - 31)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Requantize {
    /// Mantissa as a 31-bit fraction, `2^30..2^31`, or zero.
    pub multiplier: i32,
    /// Exponent, `-31..=30`; positive shifts left.
    pub shift: i8,
    /// When to round.
    pub rounding: Rounding,
}

impl Requantize {
    /// The multiplication by `multiplier 2^(shift - 31)`.
    ///
    /// # Panics
    /// If a field is out of range; in a `const` or `static` that is a compile error.
    pub const fn new(multiplier: i32, shift: i8, rounding: Rounding) -> Self {
        assert!(multiplier >= 0, "a requantisation multiplier is not negative");
        assert!(shift >= -31 && shift <= 30, "a requantisation shift is within -31..=30");
        Self { multiplier, shift, rounding }
    }

    /// `round(x multiplier 2^(shift - 31))`
    #[inline(always)]
    pub const fn apply(self, x: i32) -> i32 {
        // A negative shift drops `drop + 1` bits: `drop` of them, then one with rounding.
        let drop = !self.shift as u32;
        match self.rounding {
            Rounding::Double => {
                let left = if self.shift > 0 { self.shift as u32 } else { 0 };
                let high = doubling_high_multiply(x.wrapping_shl(left), self.multiplier);
                if self.shift >= 0 {
                    return high;
                }
                halve((away_from_zero(high as i64) as i32).wrapping_shr(drop))
            }
            Rounding::Single if self.shift < 0 => {
                let product = away_from_zero(x as i64 * self.multiplier as i64);
                halve(((product >> 31) as i32).wrapping_shr(drop))
            }
            Rounding::Single => self.apply_single_left(x),
        }
    }

    /// [`apply`](Self::apply) once rounded, for factors of a half and more, which are rare: not repeated in every kernel.
    #[cold]
    #[inline(never)]
    const fn apply_single_left(self, x: i32) -> i32 {
        let product = away_from_zero(x as i64 * self.multiplier as i64);
        let half = 1i64.wrapping_shl(30u32.wrapping_sub(self.shift as u32));
        product.wrapping_add(half).wrapping_shr(31u32.wrapping_sub(self.shift as u32)) as i32
    }
}

/// One less, if negative: then half up is half away from zero.
#[inline(always)]
const fn away_from_zero(x: i64) -> i64 {
    x + (x >> 63)
}

/// `round(x / 2)`, half up.
#[inline(always)]
const fn halve(x: i32) -> i32 {
    x.wrapping_add(1) >> 1
}

/// `round(a b / 2^31)`, half up: gemmlowp's `SaturatingRoundingDoublingHighMul`, without its check for the one case that
/// overflows, both operands `i32::MIN`: a multiplier or a constant that is positive excludes it.
#[inline(always)]
pub(crate) const fn doubling_high_multiply(a: i32, b: i32) -> i32 {
    ((a as i64 * b as i64 + (1 << 30)) >> 31) as i32
}

/// `round(x / 2^exponent)`, half away from zero, for 0..=31: gemmlowp's `RoundingDivideByPOT`.
#[inline(always)]
pub(crate) const fn rounding_divide_by_power_of_two(x: i32, exponent: u32) -> i32 {
    let mask = (1u32.wrapping_shl(exponent) - 1) as i32;
    let threshold = (mask >> 1) + (x < 0) as i32;
    x.wrapping_shr(exponent) + ((x & mask) > threshold) as i32
}

/// int8 arithmetic.
///
/// The input's zero point is folded into the bias when a model is exported: `Σ (x - z) w + b = Σ x w + (b - z
/// Σ w)`, exactly, as long as padding is written as `z`. So no kernel subtracts zero points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Int8;

/// What an int8 layer stores for each output channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct QuantizedChannel {
    /// Bias in units of input scale times weight scale, with the input's zero point folded in.
    pub bias: i32,
    /// Input scale times weight scale over output scale.
    pub requantize: Requantize,
}

impl QuantizedChannel {
    /// A channel from its folded bias and its scale (see [`Requantize::new`]).
    ///
    /// # Panics
    /// As [`Requantize::new`].
    pub const fn new(bias: i32, multiplier: i32, shift: i8, rounding: Rounding) -> Self {
        Self { bias, requantize: Requantize::new(multiplier, shift, rounding) }
    }

    /// The channels of a layer from triples of folded bias, multiplier and shift.
    ///
    /// # Panics
    /// As [`Requantize::new`].
    pub const fn table<const N: usize>(channels: [(i32, i32, i8); N], rounding: Rounding) -> [Self; N] {
        let mut table = [Self { bias: 0, requantize: Requantize { multiplier: 0, shift: 0, rounding } }; N];
        let mut i = 0;
        while i < N {
            let (bias, multiplier, shift) = channels[i];
            table[i] = Self::new(bias, multiplier, shift, rounding);
            i += 1;
        }
        table
    }
}

/// The output of an int8 layer: its zero point and the range of its fused activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct QuantizedOutput {
    /// The quantised number that stands for zero.
    pub zero_point: i8,
    /// Smallest output, quantised.
    pub min: i8,
    /// Largest output, quantised.
    pub max: i8,
}

impl QuantizedOutput {
    /// An output with the given zero point and range.
    ///
    /// # Panics
    /// If the range is empty; in a `const` or `static` that is a compile error.
    pub const fn new(zero_point: i8, min: i8, max: i8) -> Self {
        assert!(min <= max, "the range of an activation is not empty");
        Self { zero_point, min, max }
    }

    /// `q + zero_point` within the range.
    #[inline(always)]
    pub const fn finish(&self, q: i32) -> i8 {
        let q = q.wrapping_add(self.zero_point as i32);
        if q < self.min as i32 {
            self.min
        } else if q > self.max as i32 {
            self.max
        } else {
            q as i8
        }
    }
}

impl Arithmetic for Int8 {
    type Element = i8;
    type Weight = i8;
    type Accumulator = i32;
    type Channel = QuantizedChannel;
    type Output = QuantizedOutput;

    const ZERO: i32 = 0;
    #[inline(always)]
    fn start(channel: &QuantizedChannel) -> i32 {
        channel.bias
    }
    #[inline(always)]
    fn multiply_add(sum: i32, x: i8, w: i8) -> i32 {
        sum.wrapping_add(i32::from(x) * i32::from(w))
    }
    #[inline(always)]
    fn finish(output: &QuantizedOutput, channel: &QuantizedChannel, sum: i32) -> i8 {
        output.finish(channel.requantize.apply(sum))
    }
    #[inline(always)]
    fn add(sum: i32, x: i8) -> i32 {
        sum.wrapping_add(i32::from(x))
    }
    /// Half away from zero, as in TensorFlow Lite.
    #[inline(always)]
    fn average(sum: i32, count: u32) -> i8 {
        let count = count as i32;
        let half = if sum > 0 { count / 2 } else { -(count / 2) };
        sum.wrapping_add(half).checked_div(count).unwrap_or(0) as i8
    }
    #[inline(always)]
    fn clamp(output: &QuantizedOutput, x: i8) -> i8 {
        // An average or a maximum keeps its input's zero point: only the range applies.
        if x < output.min {
            output.min
        } else if x > output.max {
            output.max
        } else {
            x
        }
    }
}
