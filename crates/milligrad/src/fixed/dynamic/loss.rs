//! Losses of outputs with dynamic exponents. The cross entropies are those of static ranges once there are probabilities, in Q0.15.

use super::convert::{all_finite, cut, divide, in_units, largest_exponent, real_of_sum, to_activations};
use super::{PROBABILITY, bits};
use crate::TrainError;
use crate::fixed;

/// Softmax in place: scores in units of `2^exponent` become probabilities in Q0.15, whose exponent is returned. Differences between
/// scores are rounded to 2⁻⁸, so that a probability is within 1/256 of itself and 4 · 2⁻¹⁵.
#[inline]
pub fn softmax(x: &mut [i16], exponent: i16) -> i16 {
    let largest = x.iter().fold(i16::MIN, |largest, &x| if x > largest { x } else { largest });
    to_activations(x, largest, exponent);
    fixed::softmax(x);
    PROBABILITY
}

/// `1 / (1 + e⁻ˣ)` in place, of scores in units of `2^exponent`, as a probability in Q0.15, whose exponent is returned.
#[inline]
pub fn sigmoid_probability(x: &mut [i16], exponent: i16) -> i16 {
    to_activations(x, 0, exponent);
    fixed::sigmoid_probability(x);
    PROBABILITY
}

/// `1/n Σ (y - t)²` of outputs in units of `2^exponent`, with `δ = 2 (y - t) / n` in place of `y`; returns the loss and the exponent
/// of `δ`. Differences are exact to 2⁻²⁷ of the largest output or target, the loss to 2⁻¹⁴ of itself; it is at most `f32::MAX`.
///
/// # Errors
/// `NotFinite` for a target that is NaN or infinite; `y` is unchanged then.
#[inline(never)]
pub fn mean_squared_error(y: &mut [i16], exponent: i16, target: &[f32]) -> Result<(f32, i16), TrainError> {
    if !all_finite(target) {
        return Err(TrainError::NotFinite);
    }
    let n = y.len().max(1) as i32;
    let own = i32::from(exponent);
    // Outputs are below 2^15 units of their own, targets below 2^24 of that of the largest: both are to be below 2^28.
    let common = (own + 15).max(largest_exponent(target) + 24) - 28;
    let error =
        |y: i16, target: f32| divide(super::scale(y.into(), own - common) - in_units(target, common), n);
    let all = y.iter().zip(target).fold(0, |all, (&y, &t)| all | error(y, t).unsigned_abs());
    let drop = bits(all).saturating_sub(15);
    let mut squares = 0_u64;
    for (y, &target) in y.iter_mut().zip(target) {
        *y = cut(error(*y, target), drop);
        squares += u64::from(y.unsigned_abs()) * u64::from(y.unsigned_abs());
    }
    // Of (y - t) / n; twice that is δ.
    let exponent = common + drop as i32;
    let loss = real_of_sum(squares.saturating_mul(n as u64), 2 * exponent);
    Ok((loss, (exponent + 1) as i16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_near() {
        for exponent in -30..10_i16 {
            let scores = [12_345_i16, -20_000, 32_767, 30_000, -7, 0];
            let unit = libm::exp2(exponent.into());
            let exact = |x: i16| libm::exp((f64::from(x) - 32_767.0) * unit);
            let sum: f64 = scores.iter().map(|&x| exact(x)).sum();
            let mut p = scores;
            assert_eq!(softmax(&mut p, exponent), PROBABILITY);
            for (p, x) in p.into_iter().zip(scores) {
                let (exact, room) = (exact(x) / sum, exact(x) / sum / 256.0 + 4.0 / 32_768.0);
                assert!((f64::from(p) / 32_768.0 - exact).abs() <= room, "{exponent}: {p}, not {exact}");
            }
            let mut p = scores;
            sigmoid_probability(&mut p, exponent);
            for (p, x) in p.into_iter().zip(scores) {
                let exact = 1.0 / (1.0 + libm::exp(-f64::from(x) * unit));
                assert!(
                    (f64::from(p) / 32_768.0 - exact).abs() <= 1.0 / 1000.0,
                    "{exponent}: {p}, not {exact}"
                );
            }
        }
    }

    #[test]
    fn squares_and_their_deltas() {
        for exponent in [-40_i16, -20, -8, 0, 15] {
            for unit in [1e-9_f32, 1e-3, 1.0, 300.0, 1e9] {
                let y = [12_345_i16, -32_768, 5, 0];
                let targets = [0.5_f32, -1.25, 0.0, 7.0].map(|t| t * unit);
                for n in 1..=4 {
                    let mut delta = y;
                    let (loss, found) = mean_squared_error(&mut delta[..n], exponent, &targets[..n]).unwrap();
                    let real = |m: i16, e: i16| f64::from(m) * libm::exp2(e.into());
                    let errors: [f64; 4] =
                        core::array::from_fn(|i| real(y[i], exponent) - f64::from(targets[i]));
                    let exact = errors[..n].iter().map(|e| e * e).sum::<f64>() / n as f64;
                    assert!((f64::from(loss) - exact).abs() <= exact * 2e-4, "{loss}, not {exact}");
                    for i in 0..n {
                        let exact = 2.0 * errors[i] / n as f64;
                        assert!((real(delta[i], found) - exact).abs() <= 1.01 * real(1, found), "{exact}");
                    }
                    assert!(delta[..n].iter().any(|d| d.unsigned_abs() >= 1 << 13), "{delta:?}");
                }
            }
        }
        let mut y = [5, 6];
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!((mean_squared_error(&mut y, 0, &[0.0, bad]), y), (Err(TrainError::NotFinite), [5, 6]));
        }
        assert_eq!(mean_squared_error(&mut [], 0, &[]).map(|(loss, _)| loss), Ok(0.0));
        assert_eq!(mean_squared_error(&mut [0], -3, &[0.0]).map(|(loss, _)| loss), Ok(0.0));
    }
}
