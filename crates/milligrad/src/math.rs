//! Elementary functions for the device: small, fast without an FPU's help, and the same bits everywhere.
//!
//! Largest relative error over the range named (4,096 points against f64):
//!
//! | function | range | error |
//! |---|---|---|
//! | [`exp`] | -87 to 88 | 1.2e-7 |
//! | [`sigmoid`] | -80 to 80 | 2.5e-7 |
//! | [`tanh`] | -10 to 10 | 2e-7 |
//! | [`sqrt`] | all | correctly rounded |
//! | [`ln`] | all positive | 1 unit in the last place |
//!
//! No fused multiply-add is used here: each operation rounds for itself, on a Cortex-M4F as on a desk machine.
//!
//! # Sums of products, and the feature `fma`
//! Layers add up products `sum + a b` in the order of the weights. As it is, product and sum are rounded, each for itself. With
//! the feature `fma` the sum alone is, in all layers in f32 and in the update of plain descent; sums run in the same order. VFMA
//! does it on a Cortex-M4F, the processor or `libm` on a desk machine, with the same bits; on cores without an FPU it is slow.
//! Other rules, losses and functions don't change.
//!
//! Let `b` be what a sum starts from and `n` the number of its terms, `u = 2⁻²⁴` and `γₖ = k u / (1 - k u)`. Where nothing over-
//! or underflows, the result lies within `γₙ₊₁ (|b| + Σ|aᵢ bᵢ|)` of the exact sum without the feature, and within `γₙ (|b| + Σ|aᵢ
//! bᵢ|)` with it (Higham, Accuracy and Stability of Numerical Algorithms, 3.1). So the two differ by at most
//!
//! `2 γₙ₊₁ (|b| + Σ|aᵢ bᵢ|)`
//!
//! and by `n 2⁻¹⁴⁹` more where products underflow. That holds for each output of a layer and each `δ` before the activation, each
//! sum of gradients, and, with `n = 1`, each update. It is no bound for a network or a training run, where one difference leads
//! to others.
//!
//! The feature is for those who need the bits of other code that fuses. It saves no instruction, as VFMA takes the place of VMLA,
//! and little error: the roundings of the sum itself, which both have, are most of it. Of sums of random numbers the root mean
//! square error is 0.81 of the other one's for 4 terms,
//! 0.93 for 16, 0.96 for 64, and the same within 2 % for 784 (`tests/fma.rs`).

#[cfg(feature = "micromath")]
pub mod approximate;

/// `eˣ`: a polynomial of degree 6, minimax in the relative error, after reduction by `ln 2`. Results below 2^-126 become
/// zero, results beyond the largest `f32` infinity.
#[inline]
pub fn exp(x: f32) -> f32 {
    if x > 88.722_83 {
        return f32::INFINITY;
    }
    if x < -87.336_54 {
        return 0.0;
    }
    // Adding 1.5 2^23 rounds to an integer, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let shifted = x * core::f32::consts::LOG2_E + ROUND;
    let power = shifted - ROUND;
    let r = x - power * 0.693_359_4 - power * -2.121_944_4e-4;
    let mut fraction = 1.381_461e-3;
    for c in [8.368_711e-3, 4.166_839e-2, 1.666_652_1e-1, 4.999_999_4e-1, 1.0, 1.0] {
        fraction = fraction * r + c;
    }
    // 2^128 is no f32: split the scale in two.
    let n = shifted.to_bits().wrapping_sub(ROUND.to_bits()) as i32;
    let half = n >> 1;
    fraction * power_of_two(half) * power_of_two(n - half)
}

/// `2ⁿ` for `-126..=127`.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(((n + 127) << 23) as u32)
}

/// `1 / (1 + e⁻ˣ)`
#[inline]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `(e²ˣ - 1) / (e²ˣ + 1)`: Cephes' odd polynomial near zero.
#[inline]
pub fn tanh(x: f32) -> f32 {
    let magnitude = x.abs();
    if magnitude < 0.625 {
        let z = x * x;
        let mut p = -5.704_988_7e-3;
        for c in [2.063_909e-2, -5.373_971_4e-2, 1.333_144_2e-1, -3.333_328e-1] {
            p = p * z + c;
        }
        return p * z * x + x;
    }
    let y = 1.0 - 2.0 / (exp(magnitude + magnitude) + 1.0);
    y.copysign(x)
}

/// `√x`, correctly rounded; one instruction where the core has it.
#[inline]
pub fn sqrt(x: f32) -> f32 {
    #[cfg(milligrad_vfp)]
    return crate::arch::arm_fpu::sqrt(x);
    #[cfg(not(milligrad_vfp))]
    libm::sqrtf(x)
}

/// Whether this crate was built with the feature `fma`.
pub const FUSED: bool = cfg!(feature = "fma");

/// `sum + a b`: rounded once with the feature `fma`, else twice.
#[inline(always)]
pub(crate) fn add_product(sum: f32, a: f32, b: f32) -> f32 {
    #[cfg(not(feature = "fma"))]
    return sum + a * b;
    #[cfg(all(feature = "fma", milligrad_vfp))]
    return crate::arch::arm_fpu::fused(sum, a, b);
    #[cfg(all(feature = "fma", not(milligrad_vfp)))]
    libm::fmaf(a, b, sum)
}

/// `ln x`
#[inline]
pub fn ln(x: f32) -> f32 {
    libm::logf(x)
}

/// The float formats, with what losses and activations need of mathematics: `f32` computes with this module,
/// `f64` with `libm`, to check gradients.
pub trait Float:
    crate::Trainable<
        Element = Self,
        Weight = Self,
        Accumulator = Self,
        Channel = Self,
        Output = crate::Clamp<Self>,
        Gradient = Self,
    > + core::ops::Add<Output = Self>
    + core::ops::Sub<Output = Self>
    + core::ops::Mul<Output = Self>
    + core::ops::Div<Output = Self>
    + core::ops::Neg<Output = Self>
    + PartialOrd
{
    /// The nearest number of this format.
    fn from_f64(x: f64) -> Self;
    /// The nearest number to a length.
    fn from_len(n: usize) -> Self;
    /// `eˣ`
    fn exp(self) -> Self;
    /// `ln x`
    fn ln(self) -> Self;
    /// `tanh x`
    fn tanh(self) -> Self;
    /// `true` unless infinite or NaN.
    fn is_finite(self) -> bool;
    /// [`softmax`](crate::layers::softmax); overridden where a core has a kernel for it, of the same bits.
    #[inline(always)]
    fn softmax(x: &mut [Self]) {
        crate::layers::plain_softmax(x);
    }
}

impl Float for f32 {
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    #[inline(always)]
    fn from_len(n: usize) -> Self {
        n as f32
    }
    #[inline(always)]
    fn exp(self) -> Self {
        exp(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        ln(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        tanh(self)
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        f32::is_finite(self)
    }
    #[cfg(milligrad_fpu)]
    #[inline(always)]
    fn softmax(x: &mut [f32]) {
        crate::arch::arm_fpu::softmax(x);
    }
}

impl Float for f64 {
    fn from_f64(x: f64) -> Self {
        x
    }
    fn from_len(n: usize) -> Self {
        n as f64
    }
    fn exp(self) -> Self {
        libm::exp(self)
    }
    fn ln(self) -> Self {
        libm::log(self)
    }
    fn tanh(self) -> Self {
        libm::tanh(self)
    }
    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(range: core::ops::Range<f64>, f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> f64 {
        let step = (range.end - range.start) / 4096.0;
        let xs = (0..=4096).map(|i| (range.start + step * f64::from(i)) as f32);
        xs.map(|x| (f64::from(f(x)) / exact(f64::from(x)) - 1.0).abs())
            .filter(|e| !e.is_nan())
            .fold(0.0, f64::max)
    }

    /// Distance in units of the last place of the exact result.
    fn ulps(result: f32, exact: f64) -> f64 {
        let exponent = libm::floor(libm::log2(exact)).max(-126.0);
        (f64::from(result) - exact).abs() / libm::exp2(exponent - 23.0)
    }

    #[test]
    fn exp_is_off_by_two_units_at_most() {
        // Every 1,021st float of the range whose results are neither zero nor infinite.
        let (mut worst, mut worst_at) = (0.0, 0.0);
        for bits in (0..=88.722_83_f32.to_bits()).step_by(1021) {
            for x in [f32::from_bits(bits), -f32::from_bits(bits)] {
                let error = ulps(exp(x), libm::exp(f64::from(x)));
                if x >= -87.336_54 && error > worst {
                    (worst, worst_at) = (error, x);
                }
            }
        }
        assert!(worst < 1.1, "{worst} at {worst_at}");
    }

    #[test]
    fn errors_are_as_documented() {
        assert!(worst(-87.0..88.0, exp, libm::exp) < 1.2e-7);
        assert!(worst(-80.0..80.0, sigmoid, |x| 1.0 / (1.0 + libm::exp(-x))) < 2.5e-7);
        assert!(worst(-10.0..10.0, tanh, libm::tanh) < 2e-7);
        assert!(worst(1e-6..1e6, sqrt, libm::sqrt) < 6e-8);
        assert!(worst(1e-6..1e6, ln, libm::log) < 1.2e-7);
    }

    #[test]
    fn extremes() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!((exp(f32::INFINITY), exp(f32::NEG_INFINITY)), (f32::INFINITY, 0.0));
        assert!(exp(f32::NAN).is_nan() && tanh(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan());
        assert!(exp(88.7).is_finite());
        assert_eq!((tanh(100.0), tanh(-100.0)), (1.0, -1.0));
        assert_eq!((sigmoid(200.0), sigmoid(-200.0)), (1.0, 0.0));
    }
}
