//! What regularisation adds to the loss and to its gradient.

use super::real::Real;
use crate::graph::Regularizer;
use std::ops::Range;

/// A regularised constant among the parameters.
#[derive(Debug, Clone)]
pub(crate) struct Penalty {
    pub(crate) range: Range<usize>,
    pub(crate) regularizer: Regularizer,
    pub(crate) trainable: bool,
}

/// `Σ (l1 Σ |w| + l2 Σ w²)` over the regularised constants.
pub(crate) fn loss<F: Real>(penalties: &[Penalty], parameters: &[F]) -> f64 {
    let of = |penalty: &Penalty| {
        let Regularizer { l1, l2 } = penalty.regularizer;
        let weights = parameters[penalty.range.clone()].iter().map(|w| w.to_f64());
        let (absolute, squares) = weights.fold((0.0, 0.0), |(a, s), w| (a + w.abs(), s + w * w));
        f64::from(l1) * absolute + f64::from(l2) * squares
    };
    penalties.iter().map(of).sum()
}

/// Adds `l1 sign(w) + 2 l2 w` to the gradient of those that are trained.
pub(crate) fn add_gradient<F: Real>(penalties: &[Penalty], parameters: &[F], gradient: &mut [F]) {
    for penalty in penalties.iter().filter(|penalty| penalty.trainable) {
        let (l1, l2) = (F::from_f32(penalty.regularizer.l1), F::from_f32(penalty.regularizer.l2));
        let weights = &parameters[penalty.range.clone()];
        for (g, &w) in gradient[penalty.range.clone()].iter_mut().zip(weights) {
            let sign = if w > F::ZERO { l1 } else { -l1 };
            let sign = if w == F::ZERO { F::ZERO } else { sign };
            *g += sign + (l2 + l2) * w;
        }
    }
}
