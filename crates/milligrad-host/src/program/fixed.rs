//! What a program does in 16-bit fixed point.

use super::Layer;
use milligrad::fixed::{Guard, Rule as _, Saturation};
use milligrad::{Clamp, Fixed16, Requantize, StochasticSgd};

/// A kernel of [`milligrad::fixed`].
#[derive(Debug, Clone, PartialEq)]
pub enum FixedKernel {
    /// A layer.
    Layer(Layer<Fixed16>),
    /// Softmax, in place; the last layer.
    Softmax,
    /// Sigmoid, in place.
    Sigmoid {
        /// Its output is in Q0.15, as that of softmax: the last layer, before the binary cross entropy.
        probability: bool,
    },
    /// Hyperbolic tangent, in place.
    Tanh,
    /// ReLU or another range that could not be fused, in place.
    Clamp(Clamp<i16>),
    /// LeakyReLU, in place.
    LeakyRelu {
        /// Slope below zero, in Q0.15.
        alpha: i16,
    },
    /// Sum.
    Add(Clamp<i16>),
    /// From int8.
    FromInt8 {
        /// The number that stands for zero.
        zero_point: i8,
        /// The int8 tensor's scale times 2^8.
        scale: Requantize,
    },
}

impl FixedKernel {
    /// Name of the kernel that the exporter calls.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Layer(layer) => layer.kernel(),
            Self::Softmax => "softmax",
            Self::Sigmoid { probability: false } => "sigmoid",
            Self::Sigmoid { probability: true } => "sigmoid_probability",
            Self::Tanh => "tanh",
            Self::Clamp(_) => "clamp",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Add(_) => "add",
            Self::FromInt8 { .. } => "from_int8",
        }
    }

    /// `true` for kernels that replace their input by their output.
    pub fn in_place(&self) -> bool {
        matches!(
            self,
            Self::Softmax | Self::Sigmoid { .. } | Self::Tanh | Self::Clamp(_) | Self::LeakyRelu { .. }
        )
    }

    /// `true` if its outputs are probabilities in Q0.15.
    pub fn is_probability(&self) -> bool {
        matches!(self, Self::Softmax | Self::Sigmoid { probability: true })
    }

    /// `true` if its outputs are sums, which can saturate.
    pub fn sums(&self) -> bool {
        match self {
            Self::Layer(layer) => layer.parameters().is_some(),
            Self::Add(_) => true,
            _ => false,
        }
    }
}

/// Learning in 16-bit fixed point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct FixedPoint {
    /// How updates are rounded.
    pub rounding: FixedRounding,
    /// Of the random numbers of stochastic rounding.
    pub seed: u32,
}

/// How updates in fixed point are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FixedRounding {
    /// [`milligrad::PowerOfTwoSgd`]
    #[default]
    Nearest,
    /// [`milligrad::StochasticSgd`]
    Stochastic,
}

impl FixedPoint {
    /// Name of the device crate's update rule.
    pub fn rule_name(self) -> &'static str {
        match self.rounding {
            FixedRounding::Nearest => "PowerOfTwoSgd",
            FixedRounding::Stochastic => "StochasticSgd",
        }
    }

    /// What the rule remembers at first, of stochastic rounding.
    pub fn word(self) -> Option<u32> {
        (self.rounding == FixedRounding::Stochastic).then(|| StochasticSgd::memory(self.seed))
    }

    /// Bytes of RAM beside arenas and parameters.
    pub(super) fn own_bytes(self, guard: bool, batches: bool) -> usize {
        let word = self.word().map_or(0, |_| 4);
        let guarded = if guard { size_of::<Guard>() } else { 0 };
        // How many samples, and for a guard how many numbers saturated.
        let batch = 4 * (usize::from(batches) + usize::from(batches && guard));
        size_of::<Saturation>() + word + guarded + batch
    }
}
