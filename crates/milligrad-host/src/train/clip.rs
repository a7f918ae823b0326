//! Limits on gradients, as Keras' `clipvalue`, `clipnorm` and `global_clipnorm`.

use super::kernels::vectorized;
use super::layout::Place;
use super::penalty::sum;
use super::real::Real;
use serde::{Deserialize, Serialize};

/// What is done to a gradient before the optimizer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Clip {
    /// Nothing.
    #[default]
    None,
    /// Every number is limited to `±limit`.
    Value(f64),
    /// The gradient of each constant is scaled down to this Euclidean norm if it is longer.
    Norm(f64),
    /// The whole gradient is scaled down to this Euclidean norm if it is longer.
    GlobalNorm(f64),
}

impl Clip {
    /// What is wrong with the limit, if anything.
    pub(crate) fn problem(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Value(limit) | Self::Norm(limit) | Self::GlobalNorm(limit) => {
                let fits = limit > 0.0 && limit.is_finite();
                (!fits).then(|| format!("gradients are clipped to {limit}; a limit is positive"))
            }
        }
    }

    /// Limits the gradient of these constants.
    pub(crate) fn apply<F: Real>(self, places: &[Place], gradient: &mut [F]) {
        match self {
            Self::None => {}
            Self::Value(limit) => {
                let limit = F::from_f64(limit);
                for g in gradient {
                    let above = if *g < -limit { -limit } else { *g };
                    *g = if above > limit { limit } else { above };
                }
            }
            Self::Norm(limit) => {
                for place in places.iter().filter(|place| place.trainable) {
                    let part = &mut gradient[place.range.clone()];
                    scale(part, limit, squares(part).sqrt());
                }
            }
            Self::GlobalNorm(limit) => {
                let trained = places.iter().filter(|place| place.trainable);
                let sum: f64 = trained.map(|place| squares(&gradient[place.range.clone()])).sum();
                scale(gradient, limit, sum.sqrt());
            }
        }
    }
}

/// `Σ g²`
fn squares<F: Real>(gradient: &[F]) -> f64 {
    sum(gradient, |g| g * g)
}

/// Scales a gradient whose norm is above the limit.
fn scale<F: Real>(gradient: &mut [F], limit: f64, norm: f64) {
    if norm > limit {
        let factor = F::from_f64(limit / norm);
        vectorized!({ gradient.iter_mut().for_each(|g| *g = *g * factor) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::ConstantId;

    #[test]
    fn limits() {
        let place = |range, trainable| Place { constant: ConstantId(0), range, trainable };
        let places = [place(0..2, true), place(2..4, true)];
        let clipped = |clip: Clip| {
            let mut gradient = [3.0, -4.0, 0.3, 0.4];
            clip.apply(&places, &mut gradient);
            gradient.map(|g: f64| (g * 1e6).round() / 1e6)
        };
        assert_eq!(clipped(Clip::None), [3.0, -4.0, 0.3, 0.4]);
        assert_eq!(clipped(Clip::Value(0.35)), [0.35, -0.35, 0.3, 0.35]);
        assert_eq!(clipped(Clip::Norm(1.0)), [0.6, -0.8, 0.3, 0.4]);
        let norm = (25.25f64).sqrt();
        assert_eq!(
            clipped(Clip::GlobalNorm(1.0)),
            [3.0, -4.0, 0.3, 0.4].map(|g| (g / norm * 1e6).round() / 1e6)
        );
        assert!(Clip::Norm(0.0).problem().is_some() && Clip::Value(1.0).problem().is_none());
    }
}
