//! Metrics of the order of scores.

/// Area under the ROC curve: the probability that a positive sample has a higher score than a negative one, equal scores
/// counting one half. `None` without positives or without negatives.
pub fn auc(samples: impl IntoIterator<Item = (f32, bool)>) -> Option<f64> {
    let mut samples: Vec<(f32, bool)> = samples.into_iter().collect();
    samples.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut twice_won, mut positives) = (0u64, 0u128, 0u64);
    for tied in samples.chunk_by(|a, b| a.0 == b.0) {
        let positive = tied.iter().filter(|(_, positive)| *positive).count() as u64;
        let negative = tied.len() as u64 - positive;
        twice_won += u128::from(positive) * u128::from(2 * below + negative);
        below += negative;
        positives += positive;
    }
    let pairs = 2 * u128::from(positives) * u128::from(below);
    (pairs > 0).then(|| twice_won as f64 / pairs as f64)
}

/// The area of each class against all others, by its own score, of samples of so many scores; `None` for a class that no or
/// every sample has. Their mean over the classes that have one is scikit-learn's `multi_class="ovr"`.
pub fn auc_one_vs_rest(scores: &[f32], outputs: usize, labels: &[u32]) -> Vec<Option<f64>> {
    let class = |class: usize| {
        let own = scores.iter().skip(class).step_by(outputs.max(1));
        auc(own.zip(labels).map(|(&score, &label)| (score, label as usize == class)))
    };
    (0..outputs).map(class).collect()
}

/// Share of samples whose label is among the `k` largest scores. Of equal scores the first come first, so that the top 1 is
/// the predicted class.
pub fn top_k(scores: &[f32], outputs: usize, labels: &[u32], k: usize) -> f64 {
    let within = |(scores, &label): (&[f32], &u32)| {
        let own = scores.get(label as usize)?;
        let before = |(i, score): (usize, &f32)| score > own || (score == own && i < label as usize);
        Some(scores.iter().enumerate().filter(|&other| before(other)).count() < k)
    };
    let rows = scores.chunks_exact(outputs.max(1)).zip(labels);
    rows.filter(|row| within(*row) == Some(true)).count() as f64 / labels.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(auc([(0.1, false), (0.4, false), (0.35, true), (0.8, true)]), Some(0.75));
        assert_eq!(auc([(0.5, false), (0.5, true)]), Some(0.5));
        // 0 and -0 are equal.
        assert_eq!(auc([(0.0, false), (-0.0, true), (-1.0, false)]), Some(0.75));
        assert_eq!((auc([(1.0, true)]), auc([(1.0, false)]), auc([])), (None, None, None));
        let scores = [0.5, 0.2, 0.2, 0.1, 0.8, 0.1];
        assert_eq!(auc_one_vs_rest(&scores, 3, &[0, 1]), [Some(1.0), Some(1.0), None]);
        assert_eq!([1, 2, 3].map(|k| top_k(&scores, 3, &[2, 1], k)), [0.5, 0.5, 1.0]);
        assert_eq!(top_k(&scores, 3, &[9, 1], 3), 0.5);
        assert_eq!(top_k(&[], 0, &[], 3), 0.0);
    }
}
