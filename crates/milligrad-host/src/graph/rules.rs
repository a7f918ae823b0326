//! How constants are trained: what is added to the loss for them, and which stay as they are.

use serde::{Deserialize, Serialize};

/// What a constant `w` adds to the loss: `l1 Σ |w| + l2 Σ w²`, as Keras defines it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Regularizer {
    /// Factor of the absolute values.
    pub l1: f32,
    /// Factor of the squares.
    pub l2: f32,
}

impl Regularizer {
    /// `true` if nothing is added.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// How a constant is trained.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainRule {
    /// What it adds to the loss.
    #[serde(skip_serializing_if = "Regularizer::is_none")]
    pub regularizer: Regularizer,
    /// It stays as it is, like the bias of a layer that has none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fixed: bool,
    /// It is used as int8 would have it: rounded to 255 steps, symmetrically.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fake_quantize: Option<WeightScales>,
}

/// Which weights share a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightScales {
    /// All.
    One,
    /// Those of an output channel; channels are the first axis.
    FirstAxis,
    /// Those of an output channel; channels are the last axis.
    LastAxis,
}

impl WeightScales {
    /// The channel of each of these weights, of so many channels, in order; all zero where there is one scale.
    pub(crate) fn channels(self, weights: usize, channels: usize) -> impl Iterator<Item = usize> {
        let row = (weights / channels.max(1)).max(1);
        (0..weights).map(move |index| match self {
            Self::One => 0,
            Self::FirstAxis => index / row,
            Self::LastAxis => index % channels,
        })
    }
}

impl TrainRule {
    /// What is wrong with it, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        let Regularizer { l1, l2 } = self.regularizer;
        let fits = |x: f32| x >= 0.0 && x.is_finite();
        (!(fits(l1) && fits(l2)))
            .then(|| format!("regularisation by l1 = {l1}, l2 = {l2}; both are numbers from 0"))
    }
}
