//! Dynamic exponents: 16-bit fixed point for numbers whose ranges nobody knows.
//!
//! With static ranges an activation beyond ±128 or a weight beyond ±8 saturates, and a delta below 2⁻¹⁵ is nothing. Here a tensor is a
//! [`Block`]: mantissas of 16 bits, and one exponent for all of them, which each step chooses anew from its own sums, as NITI
//! (arXiv 2009.13108) does with 8 bits.
//!
//! | quantity | type | exponent |
//! |---|---|---|
//! | inputs | `f32` | become a block by [`from_reals`], which looks at their bits and does no arithmetic of floats |
//! | activations, deltas | `i16` | so that the largest of the step's sums takes 15 bits |
//! | sums | `i32` | that of the layer's weights plus that of its input |
//! | weights | `i16` | fixed at export, [`Exponents`]: at least 8 times the largest magnitude fits |
//! | biases | `i32` | fixed at export: 8 bits finer than weights, coarser where their own magnitude asks for it |
//! | probabilities | `i16` | Q0.15, as with static ranges |
//! | gradients of convolutions | `i32` | those of deltas and inputs |
//!
//! **No sum wraps, and none saturates.** A layer reads its input in so few bits that `Σ|x|`, of a convolution over a patch, is at most
//! 49,151 after rounding: then `Σ x w` is below 1.5 · 2³⁰, whatever the weights, and biases are aligned to be below 2²⁹. Of 64 inputs
//! in the mean a third of the largest it sees about 11 bits; static ranges see 8 of inputs up to 1. Deltas on their way back are read
//! in the same way, and those of which a convolution sums gradients so that `Σ|δ| max|x|` is below 2³¹. What falls off rounds to nearest,
//! half up; at the upper end of a block a mantissa is within a unit, not half of one.
//!
//! **Weights keep their exponent.** Their range is known, as they are there at export; only how far they will move is not, and eight
//! times as far as the largest is a change that no adaptation makes. One that gets there all the same stays at the end of its range and is counted in
//! [`Saturation`](super::Saturation), or the step is refused where there is a [`Guard`](super::Guard), whose limit of 30,720 is here in units of each tensor. An
//! exponent that grew would halve the resolution of a whole tensor for the sake of one weight, in the middle of a bad stretch, and
//! no rollback could be a copy of numbers alone.
//!
//! A learning rate `2^-k` is the same real rate as with static ranges: what a product `δ x` is in units of a weight is a shift, and
//! the rules of [`PowerOfTwoSgd`](super::PowerOfTwoSgd) and [`StochasticSgd`](super::StochasticSgd) round what falls off in the same way. Inputs of a thousand ask
//! for a rate of a millionth, which is why `k` goes on to 30 here, and ends at 15 there.
//!
//! ```
//! use milligrad::fixed::dynamic::{self, Block, Dense, Exponents};
//! use milligrad::{Clamp, PowerOfTwoSgd};
//!
//! // One layer, 2-1, that learns 300 x0 - 200 x1 of inputs up to 1,000. Weights are in units of 2^-5, biases of 2^-13.
//! const EXPONENTS: Exponents = Exponents::new(-5, -13);
//! let (mut weights, mut biases) = ([0_i16; 2], [0_i32; 1]);
//! let mut loss = 0.0;
//! for step in 0..300 {
//!     let reals = [(step * 37 % 200) as f32 * 10.0 - 1000.0, (step * 61 % 200) as f32 * 10.0 - 1000.0];
//!     let (mut x, mut scratch, mut sums, mut y) = ([0; 2], [0; 2], [0; 1], [0; 1]);
//!     let x_exponent = dynamic::from_reals(&reals, &mut x);
//!     let x = Block::new(&x, x_exponent);
//!     let layer = Dense::new(2, &weights, &biases, EXPONENTS, Clamp::<i16>::LINEAR);
//!     let exponent = layer.forward(x, &mut scratch, &mut sums, &mut y);
//!     let target = [300.0 * reals[0] - 200.0 * reals[1]];
//!     let (squares, delta_exponent) = dynamic::mean_squared_error(&mut y, exponent, &target)?;
//!     let (delta, rule) = (Block::new(&y, delta_exponent), PowerOfTwoSgd::new(21));
//!     dynamic::apply(x, delta, &mut weights, &mut biases, EXPONENTS, &rule, &mut ());
//!     loss = squares;
//! }
//! assert!((dynamic::real(weights[0].into(), -5) - 300.0).abs() < 1.0 && loss < 1e6);
//! # Ok::<(), milligrad::TrainError>(())
//! ```

mod conv2d;
mod convert;
mod dense;
mod depthwise_conv2d;
mod elementwise;
mod guard;
mod loss;
mod update;

pub use conv2d::Conv2d;
pub use convert::{all_finite, from_reals, real, to_reals, visit_biases, visit_weights};
pub use dense::Dense;
pub use depthwise_conv2d::DepthwiseConv2d;
pub use elementwise::{accumulate, add, at, double};
pub use guard::Reach;
pub use loss::{mean_squared_error, sigmoid_probability, softmax};
pub use update::{accumulate_biases, apply, update_biases, update_by};

#[cfg(not(milligrad_thumb))]
use super::portable as kernels;
use super::saturate;
use crate::Clamp;
use crate::arch::rolled;
#[cfg(milligrad_thumb)]
use crate::arch::thumb as kernels;

/// The exponent of probabilities and of their deltas.
pub const PROBABILITY: i16 = -(super::DELTA_BITS as i16);

/// A tensor: each number is its mantissa times `2^exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// The mantissas.
    pub mantissas: &'a [i16],
    /// The exponent of all of them.
    pub exponent: i16,
}

impl<'a> Block<'a> {
    /// Mantissas with their exponent.
    #[inline(always)]
    pub const fn new(mantissas: &'a [i16], exponent: i16) -> Self {
        Self { mantissas, exponent }
    }

    #[inline(always)]
    fn exponent(&self) -> i32 {
        self.exponent.into()
    }
}

/// The exponents of a layer's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exponents {
    /// A unit of a weight is `2^weights`.
    pub weights: i16,
    /// A unit of a bias is `2^biases`.
    pub biases: i16,
}

impl Exponents {
    /// Those of weights and biases.
    pub const fn new(weights: i16, biases: i16) -> Self {
        Self { weights, biases }
    }
}

/// `x / 2^bits`, to nearest, half up; `bits` is 0 to 32.
#[inline(always)]
const fn drop_bits(x: i32, bits: u32) -> i32 {
    if bits == 0 {
        return x;
    }
    // What stays, and the highest bit that falls off.
    let y = x.wrapping_shr(bits - 1);
    (y >> 1) + (y & 1)
}

/// `x 2^by`, to nearest, half up, saturated.
#[inline]
pub(crate) const fn scale(x: i32, by: i32) -> i32 {
    if by < -31 {
        return 0;
    }
    if by < 0 {
        return drop_bits(x, by.unsigned_abs());
    }
    let scaled = x.wrapping_shl(by.unsigned_abs());
    if x == 0 || (by < 32 && scaled.wrapping_shr(by.unsigned_abs()) == x) {
        scaled
    } else if x > 0 {
        i32::MAX
    } else {
        i32::MIN
    }
}

/// How many bits a magnitude takes.
#[inline(always)]
const fn bits(magnitude: u32) -> u32 {
    32 - magnitude.leading_zeros()
}

/// How many bits have to fall off so that `room` are left.
#[inline(always)]
const fn excess(magnitude: u32, room: u32) -> u32 {
    bits(magnitude).saturating_sub(room)
}

/// Magnitudes of a tensor: their sum, and the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Magnitude {
    sum: u32,
    largest: u32,
}

impl Magnitude {
    #[inline(never)]
    fn of(values: &[i16]) -> Self {
        let (mut sum, mut largest) = (0_u32, 0_u32);
        for x in values {
            rolled();
            let magnitude = u32::from(x.unsigned_abs());
            sum = sum.saturating_add(magnitude);
            if magnitude > largest {
                largest = magnitude;
            }
        }
        Self { sum, largest }
    }

    /// The most that so many of the values sum up to.
    #[inline(always)]
    fn most(self, terms: usize) -> u32 {
        let most = self.largest.saturating_mul(terms as u32);
        if most < self.sum { most } else { self.sum }
    }

    /// How many bits of each have to fall off so that no sum of so many of them is beyond `32,767 + terms / 2`.
    #[inline(always)]
    fn excess(self, terms: usize) -> u32 {
        excess(self.most(terms), 15)
    }
}

/// Rounds bits off, from one slice into the other.
#[inline(never)]
fn narrow(x: &[i16], bits: u32, y: &mut [i16]) {
    for (y, &x) in y.iter_mut().zip(x) {
        rolled();
        *y = drop_bits(x.into(), bits) as i16;
    }
}

/// The same in place.
#[inline(never)]
fn narrow_in_place(x: &mut [i16], bits: u32) {
    if bits > 0 {
        x.iter_mut().for_each(|x| *x = drop_bits((*x).into(), bits) as i16);
    }
}

/// The sums of all rows, each as long as `x`; four rows go together. `Σ|x|` is at most 65,535.
#[inline(never)]
fn row_sums(weights: &[i16], x: &[i16], sums: &mut [i32]) {
    let mut rows = weights.chunks_exact(x.len().max(1));
    for sums in sums.chunks_mut(4) {
        let Some(first) = rows.next() else { return };
        // Where there are fewer than four, the last is summed again.
        let mut last = first;
        let mut next = || {
            last = rows.next().unwrap_or(last);
            last
        };
        let four = [first, next(), next(), next()];
        let found = kernels::four_sums(x, four);
        for (to, &sum) in sums.iter_mut().zip(&found) {
            *to = sum;
        }
    }
}

/// The sums of all columns of rows of `inputs` weights; two go together. `Σ|δ|` is at most 65,535.
#[inline(never)]
fn column_sums(inputs: usize, weights: &[i16], delta: &[i16], sums: &mut [i32]) {
    let mut columns = weights;
    let (pairs, last) = sums.as_chunks_mut::<2>();
    for pair in pairs {
        *pair = kernels::two_columns(inputs, columns, delta);
        columns = columns.get(2..).unwrap_or_default();
    }
    if let [last] = last {
        let products = columns.iter().step_by(inputs.max(1)).zip(delta).map(|(&w, &delta)| {
            rolled();
            i32::from(w) * i32::from(delta)
        });
        *last = products.fold(0, i32::wrapping_add);
    }
}

/// Adds biases to rows of sums in units of `2^exponent`; returns the exponent of what they are then. Sums are below 1.5 · 2³⁰.
#[inline(never)]
fn add_biases(sums: &mut [i32], exponent: i32, biases: &[i32], biases_exponent: i32) -> i32 {
    let all = biases.iter().fold(0, |all, b| all | b.unsigned_abs());
    if all == 0 {
        return exponent;
    }
    let up = biases_exponent - exponent;
    // Biases are to take 29 bits; where sums have a finer unit than that leaves, they give way.
    let drop = (bits(all) as i32 + up - 29).max(0);
    for sums in sums.chunks_exact_mut(biases.len().max(1)) {
        for (sum, &bias) in sums.iter_mut().zip(biases) {
            rolled();
            *sum = scale(*sum, -drop) + scale(bias, up - drop);
        }
    }
    exponent + drop
}

/// Sums in units of `2^exponent` as mantissas: of each fall off as many bits as the largest has beyond 15, within the range of the
/// activation. Returns their exponent.
#[inline(never)]
fn normalise(sums: &[i32], exponent: i32, range: &Clamp<i16>, y: &mut [i16]) -> i16 {
    // A ReLU leaves negative sums out.
    let negative = if range.min < 0 { -1 } else { 0 };
    let all = sums.iter().fold(0, |all, &sum| {
        rolled();
        let sign = sum >> 31;
        all | ((sum ^ sign) & (negative | !sign))
    });
    let mut needed = bits(all as u32);
    if range.max < i16::MAX && range.min > i16::MIN {
        let end = |end: i16| bits(elementwise::end(end, exponent).unsigned_abs());
        needed = needed.min(end(range.max).max(end(range.min)));
    }
    let drop = needed.saturating_sub(15);
    let exponent = exponent + drop as i32;
    let range = at(range, exponent as i16);
    for (y, &sum) in y.iter_mut().zip(sums) {
        rolled();
        *y = range.apply(saturate(drop_bits(sum, drop)));
    }
    exponent as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_rounds_and_saturates() {
        for x in [0, 1, -1, 2, -3, 1000, -1001, 32_767, -32_768, i32::MAX, i32::MIN, 1 << 30, -(1 << 30)] {
            for by in -40..40 {
                let exact = libm::floor(f64::from(x) * libm::exp2(by.into()) + 0.5);
                let expected = exact.clamp(f64::from(i32::MIN), f64::from(i32::MAX));
                assert_eq!(f64::from(scale(x, by)), expected, "{x} by {by}");
            }
        }
    }

    #[test]
    fn blocks_are_near_their_sums() {
        let mut word = 1_u32;
        let mut random = || {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            word as i32
        };
        let ranges =
            [Clamp::<i16>::LINEAR, Clamp::<i16>::RELU, Clamp::<i16>::RELU6, Clamp { min: -256, max: 256 }];
        for round in 0..4000 {
            let sums: [i32; 7] = core::array::from_fn(|_| random() >> (round % 32));
            let exponent = (round as i32 % 60) - 45;
            let range = ranges[round % 4];
            let mut y = [0; 7];
            let found = normalise(&sums, exponent, &range, &mut y);
            let unit = libm::exp2(found.into());
            let end = |end: i16, none: f64| {
                if end == i16::MIN || end == i16::MAX { none } else { f64::from(end) / 256.0 }
            };
            let (low, high) = (end(range.min, f64::NEG_INFINITY), end(range.max, f64::INFINITY));
            let mut largest = 0;
            for (y, sum) in y.into_iter().zip(sums) {
                let exact = (f64::from(sum) * libm::exp2(exponent.into())).clamp(low, high);
                assert!((f64::from(y) * unit - exact).abs() <= unit, "{y} {found}, not {exact} of {sums:?}");
                largest = largest.max(y.unsigned_abs());
            }
            // Where bits fell off, 15 are left.
            let limited = range.max < i16::MAX && largest > 0;
            assert!(
                i32::from(found) == exponent || limited || largest >= 1 << 14 || largest == 0,
                "{largest} of {sums:?}"
            );
        }
    }

    #[test]
    fn biases_and_sums_meet() {
        for (sum, exponent, bias, bias_exponent) in [
            (1 << 30, -20, 5, -20),
            (1_000_000, -40, i32::MAX, -20),
            (-(3 << 29), 10, i32::MIN, -30),
            (3, -60, 1, 0),
            (0, 5, 7, -31),
            (3 << 29, -31, 1 << 29, -31),
        ] {
            let mut sums = [sum];
            let found = add_biases(&mut sums, exponent, &[bias], bias_exponent);
            let real = |x: i32, e: i32| f64::from(x) * libm::exp2(e.into());
            let (exact, got) = (real(sum, exponent) + real(bias, bias_exponent), real(sums[0], found));
            assert!((exact - got).abs() <= real(1, found), "{got}, not {exact}");
            assert!(found >= exponent);
        }
    }
}
