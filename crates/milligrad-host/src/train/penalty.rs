//! What regularisation adds to the loss and to its gradient.

use super::kernels::vectorized;
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
        let weights = &parameters[penalty.range.clone()];
        let absolute = if l1 == 0.0 { 0.0 } else { sum(weights, f64::abs) };
        let squares = if l2 == 0.0 { 0.0 } else { sum(weights, |w| w * w) };
        f64::from(l1) * absolute + f64::from(l2) * squares
    };
    penalties.iter().map(of).sum()
}

/// Adds `l1 sign(w) + 2 l2 w` to the gradient of those that are trained.
pub(crate) fn add_gradient<F: Real>(penalties: &[Penalty], parameters: &[F], gradient: &mut [F]) {
    for penalty in penalties.iter().filter(|penalty| penalty.trainable) {
        let (l1, l2) = (F::from_f32(penalty.regularizer.l1), F::from_f32(penalty.regularizer.l2));
        let weights = &parameters[penalty.range.clone()];
        let gradient = &mut gradient[penalty.range.clone()];
        vectorized!({
            for (g, &w) in gradient.iter_mut().zip(weights) {
                let sign = if w > F::ZERO { l1 } else { -l1 };
                let sign = if w == F::ZERO { F::ZERO } else { sign };
                *g += sign + (l2 + l2) * w;
            }
        });
    }
}

/// `Σ f(x)` in double precision, in an order that vectors can follow.
#[inline(always)]
pub(super) fn sum<F: Real>(values: &[F], f: impl Fn(f64) -> f64) -> f64 {
    const LANES: usize = 16;
    let mut sums = [0.0; LANES];
    vectorized!({
        let (whole, rest) = values.as_chunks::<LANES>();
        for values in whole {
            sums.iter_mut().zip(values).for_each(|(sum, x)| *sum += f(x.to_f64()));
        }
        sums.iter_mut().zip(rest).for_each(|(sum, x)| *sum += f(x.to_f64()));
    });
    sums.iter().sum()
}
