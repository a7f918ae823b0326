//! Adam's step for one parameter, which the optimizer and the product that is fused with it share.

use crate::train::real::Real;
use std::ops::Range;

/// Adam's constants in one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adam<F> {
    /// `η √(1 - β₂ᵗ) / (1 - β₁ᵗ)`
    pub(crate) rate: F,
    /// `1 - β₁`
    pub(crate) first: F,
    /// `1 - β₂`
    pub(crate) second: F,
    /// `ε`
    pub(crate) epsilon: F,
    /// `η λ` of AdamW.
    pub(crate) decay: Option<F>,
}

/// Weights with their first and second moments.
pub(crate) struct Remembered<'a, F> {
    pub(crate) w: &'a mut [F],
    pub(crate) m: &'a mut [F],
    pub(crate) v: &'a mut [F],
}

impl<'a, F> Remembered<'a, F> {
    /// The first `length`, and the others.
    pub(crate) fn split_at(self, length: usize) -> (Self, Self) {
        let (w, others) = self.w.split_at_mut(length);
        let (m, m_others) = self.m.split_at_mut(length);
        let (v, v_others) = self.v.split_at_mut(length);
        (Self { w, m, v }, Self { w: others, m: m_others, v: v_others })
    }

    /// Some of them.
    #[inline(always)]
    pub(crate) fn part(&mut self, range: Range<usize>) -> Remembered<'_, F> {
        Remembered { w: &mut self.w[range.clone()], m: &mut self.m[range.clone()], v: &mut self.v[range] }
    }
}

impl<F: Real> Adam<F> {
    /// `w -= η λ w`, `m += (1 - β₁) (g - m)`, `v += (1 - β₂) (g² - v)`, `w -= rate m / (√v + ε)`.
    #[inline(always)]
    pub(crate) fn step(&self, g: &[F], Remembered { w, m, v }: Remembered<'_, F>) {
        let Self { rate, first, second, epsilon, decay } = *self;
        if let Some(decay) = decay {
            w.iter_mut().for_each(|w| *w += -(*w * decay));
        }
        for (((w, &g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
            *m += (g - *m) * first;
            *v += (g * g - *v) * second;
            *w += -(*m * rate / (v.sqrt() + epsilon));
        }
    }
}
