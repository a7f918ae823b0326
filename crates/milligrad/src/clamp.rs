//! Activations that are a range: linear, ReLU, ReLU6. They are fused into the layer before them.

/// A range `min..=max` that limits a layer's output.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Clamp<T> {
    /// Smallest output.
    pub min: T,
    /// Largest output.
    pub max: T,
}

impl<T: Copy + PartialOrd> Clamp<T> {
    /// `min(max(x, self.min), self.max)`; NaN stays NaN, so that a check after the layer can see it.
    #[inline(always)]
    pub fn apply(&self, x: T) -> T {
        if x < self.min {
            self.min
        } else if x > self.max {
            self.max
        } else {
            x
        }
    }
}
