//! Metrics of numbers. Sums are of f64, in the order of the samples.

/// Mean of a function of the error over all values; 0 of none.
fn mean(predictions: &[f32], targets: &[f32], of: impl Fn(f64) -> f64) -> f64 {
    let errors = predictions.iter().zip(targets).map(|(&y, &t)| of(f64::from(y) - f64::from(t)));
    errors.sum::<f64>() / targets.len().max(1) as f64
}

/// `1/n Σ |y - t|`
pub fn mean_absolute_error(predictions: &[f32], targets: &[f32]) -> f64 {
    mean(predictions, targets, f64::abs)
}

/// `1/n Σ (y - t)²`
pub fn mean_squared_error(predictions: &[f32], targets: &[f32]) -> f64 {
    mean(predictions, targets, |error| error * error)
}

/// `√(1/n Σ (y - t)²)`, of all values together as Keras has it.
pub fn root_mean_squared_error(predictions: &[f32], targets: &[f32]) -> f64 {
    mean_squared_error(predictions, targets).sqrt()
}

/// `1/n Σ h(y - t)`, `h(e) = e² / 2` up to `|e| = delta` and `delta (|e| - delta / 2)` beyond.
pub fn huber(predictions: &[f32], targets: &[f32], delta: f64) -> f64 {
    mean(predictions, targets, |error| {
        let magnitude = error.abs();
        if magnitude <= delta { magnitude * magnitude / 2.0 } else { delta * (magnitude - delta / 2.0) }
    })
}

/// The share of the targets' variance that the predictions explain, `1 - Σ (y - t)² / Σ (t - mean t)²`; of samples of so
/// many values the mean over these. Of targets that are all equal it is 1 if the predictions are right, else 0.
pub fn r2(predictions: &[f32], targets: &[f32], outputs: usize) -> f64 {
    let outputs = outputs.max(1);
    let one = |output: usize| {
        let column = |values: &[f32]| -> Vec<f64> {
            values.iter().skip(output).step_by(outputs).map(|&x| f64::from(x)).collect()
        };
        let (y, t) = (column(predictions), column(targets));
        let center = t.iter().sum::<f64>() / t.len().max(1) as f64;
        let residual: f64 = y.iter().zip(&t).map(|(y, t)| (y - t).powi(2)).sum();
        let total: f64 = t.iter().map(|t| (t - center).powi(2)).sum();
        match (residual == 0.0, total == 0.0) {
            (true, _) => 1.0,
            (false, true) => 0.0,
            _ => 1.0 - residual / total,
        }
    };
    (0..outputs).map(one).sum::<f64>() / outputs as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let (y, t) = ([2.5, 0.0, 2.0, 8.0], [3.0, -0.5, 2.0, 7.0]);
        assert_eq!(mean_absolute_error(&y, &t), 0.5);
        assert_eq!(mean_squared_error(&y, &t), 0.375);
        assert_eq!(root_mean_squared_error(&y, &t), 0.375f64.sqrt());
        assert_eq!(huber(&y, &t, 0.5), (0.125 + 0.125 + 0.5 * 0.75) / 4.0);
        assert!((r2(&y, &t, 1) - 0.948_608_137).abs() < 1e-9);
        assert_eq!((r2(&[1.0, 1.0], &[2.0, 2.0], 1), r2(&[2.0, 2.0], &[2.0, 2.0], 1)), (0.0, 1.0));
        assert_eq!((mean_squared_error(&[], &[]), r2(&[], &[], 0)), (0.0, 1.0));
    }
}
