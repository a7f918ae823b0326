//! Losses. Each takes the network's outputs of one sample, returns the loss, and leaves in their place `δ`, the loss by
//! what went into the last layer's activation, so that the backward pass starts without another buffer.
//!
//! Cross entropies expect probabilities from softmax or sigmoid and give `δ` of the scores before it: `p - t`.
//! Probabilities below 1e-7 count as 1e-7 in the loss (as in Keras), NaN stays NaN.

use crate::TrainError;
use crate::math::Float;

/// `1/n Σ (y - t)²`, with `δ = 2 (y - t) / n`.
#[inline]
pub fn mean_squared_error<F: Float>(y: &mut [F], target: &[F]) -> F {
    let n = F::from_len(y.len());
    let mut loss = F::ZERO;
    for (y, &target) in y.iter_mut().zip(target) {
        let error = *y - target;
        loss = loss + error * error;
        *y = (error + error) / n;
    }
    loss / n
}

/// `-1/n Σ (t ln p + (1 - t) ln(1 - p))` of sigmoid outputs, with `δ = (p - t) / n`.
#[inline]
pub fn binary_cross_entropy<F: Float>(p: &mut [F], target: &[F]) -> F {
    let (n, one) = (F::from_len(p.len()), F::from_f64(1.0));
    let mut loss = F::ZERO;
    for (p, &target) in p.iter_mut().zip(target) {
        loss = loss - (target * floor(*p).ln() + (one - target) * floor(one - *p).ln());
        *p = (*p - target) / n;
    }
    loss / n
}

/// `-Σ t ln p` of softmax outputs and a distribution `t`, with `δ = p Σ t - t`.
#[inline]
pub fn categorical_cross_entropy<F: Float>(p: &mut [F], target: &[F]) -> F {
    let total = target.iter().fold(F::ZERO, |sum, &t| sum + t);
    let mut loss = F::ZERO;
    for (p, &target) in p.iter_mut().zip(target) {
        loss = loss - target * floor(*p).ln();
        *p = *p * total - target;
    }
    loss
}

/// `-ln p[label]` of softmax outputs, with `δ = p - onehot(label)`.
///
/// # Errors
/// `LabelOutOfRange` if there is no such output; `p` is unchanged then.
#[inline]
pub fn sparse_categorical_cross_entropy<F: Float>(p: &mut [F], label: usize) -> Result<F, TrainError> {
    let p = p.get_mut(label).ok_or(TrainError::LabelOutOfRange)?;
    let loss = -floor(*p).ln();
    *p = *p - F::from_f64(1.0);
    Ok(loss)
}

fn floor<F: Float>(p: F) -> F {
    let smallest = F::from_f64(1e-7);
    if p < smallest { smallest } else { p }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{sigmoid, softmax};

    /// `δ` of the scores against central differences.
    fn check(scores: [f64; 4], loss: impl Fn(&mut [f64]) -> f64) {
        let mut delta = scores;
        loss(&mut delta);
        for i in 0..4 {
            let at = |h: f64| {
                let mut moved = scores;
                moved[i] += h;
                loss(&mut moved)
            };
            let numeric = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((delta[i] - numeric).abs() < 1e-8, "{i}: {} and {numeric}", delta[i]);
        }
    }

    #[test]
    fn deltas_are_derivatives() {
        let (scores, target) = ([0.3, -1.2, 2.0, 0.7], [0.1, 0.2, 0.3, 0.5]);
        check(scores, |y| mean_squared_error(y, &target));
        check(scores, |y| {
            sigmoid(y);
            binary_cross_entropy(y, &target)
        });
        check(scores, |y| {
            softmax(y);
            categorical_cross_entropy(y, &target)
        });
        check(scores, |y| {
            softmax(y);
            sparse_categorical_cross_entropy(y, 2).unwrap()
        });
    }

    #[test]
    fn bad_labels_and_numbers() {
        let mut p = [0.5f32, 0.5];
        assert_eq!(sparse_categorical_cross_entropy(&mut p, 2), Err(TrainError::LabelOutOfRange));
        assert_eq!(p, [0.5, 0.5]);
        assert!(sparse_categorical_cross_entropy(&mut [0.0f32, 1.0], 0).unwrap().is_finite());
        assert!(sparse_categorical_cross_entropy(&mut [f32::NAN, 1.0], 0).unwrap().is_nan());
    }
}
