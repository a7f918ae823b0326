//! What a program does in 16-bit fixed point.

use super::{ElementType, Layer, Program};
use milligrad::fixed::dynamic::Exponents;
use milligrad::fixed::{Guard, Rule as _, Saturation};
use milligrad::{Clamp, Fixed16, Requantize, StochasticSgd};

/// A kernel of [`milligrad::fixed`].
#[derive(Debug, Clone, PartialEq)]
pub enum FixedKernel {
    /// A layer.
    Layer(Layer<Fixed16>),
    /// A layer with dynamic exponents, with those of its parameters: weights and biases are in units of their own.
    Dynamic(Layer<Fixed16>, Exponents),
    /// From floats, by their bits, to a block with an exponent.
    FromReals,
    /// From a block with an exponent to floats.
    ToReals,
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
        /// The int8 tensor's scale in units of the result.
        scale: Requantize,
        /// A unit of the result is 2 to this: with static ranges -8.
        exponent: i16,
    },
}

impl FixedKernel {
    /// Name of the kernel that the exporter calls.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Layer(layer) => layer.kernel(),
            Self::Dynamic(layer, _) => match layer {
                Layer::Dense { .. } => "dynamic_dense",
                Layer::Conv2d { .. } => "dynamic_conv2d",
                Layer::DepthwiseConv2d { .. } => "dynamic_depthwise_conv2d",
                Layer::MaxPool2d { .. } | Layer::AvgPool2d { .. } => layer.kernel(),
            },
            Self::FromReals => "from_reals",
            Self::ToReals => "to_reals",
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

    /// A layer, whatever its exponents are.
    pub fn layer(&self) -> Option<&Layer<Fixed16>> {
        match self {
            Self::Layer(layer) | Self::Dynamic(layer, _) => Some(layer),
            _ => None,
        }
    }

    /// Elements of scratch.
    pub(super) fn scratch(&self) -> usize {
        match self {
            Self::Layer(layer) => layer.scratch(),
            // Inputs are read in so few bits that their sums fit 32.
            Self::Dynamic(layer, _) => match layer {
                Layer::Dense { inputs, .. } => *inputs,
                Layer::Conv2d { window, .. } | Layer::DepthwiseConv2d { window, .. } => window.patch_len(),
                Layer::MaxPool2d { .. } | Layer::AvgPool2d { .. } => 0,
            },
            _ => 0,
        }
    }

    /// `true` if the exponent of its output comes from sums that have to lie somewhere.
    pub(crate) fn keeps_sums(&self) -> bool {
        matches!(self, Self::Dynamic(layer, _) if layer.parameters().is_some())
    }
}

impl Program {
    /// For each buffer, which of the exponents is its own: tensors and gradients have one where exponents are dynamic.
    pub fn exponent_slots(&self) -> Vec<Option<usize>> {
        let mut slots = vec![None; self.buffers.len()];
        let Some(learning) =
            self.learning.as_ref().filter(|l| l.fixed.is_some_and(|fixed| fixed.is_dynamic()))
        else {
            return slots;
        };
        let tensors = self.steps.iter().flat_map(|step| step.inputs.iter().copied().chain([step.output]));
        let tensors = tensors.chain(learning.deltas());
        let gradients = learning.apply.iter().filter_map(|a| a.gradients).flat_map(|g| g.buffers());
        let mut next = 0;
        for id in tensors.chain(gradients) {
            let is_fixed = matches!(self.buffer(id).dtype, ElementType::I16 | ElementType::I32);
            if is_fixed && slots[id.0].is_none() {
                slots[id.0] = Some(next);
                next += 1;
            }
        }
        slots
    }

    /// How many exponents there are.
    pub fn exponent_count(&self) -> usize {
        self.exponent_slots().into_iter().flatten().max().map_or(0, |last| last + 1)
    }
}

/// Learning in 16-bit fixed point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct FixedPoint {
    /// How updates are rounded.
    pub rounding: FixedRounding,
    /// Of the random numbers of stochastic rounding.
    pub seed: u32,
    /// What the ranges of numbers are.
    pub exponents: FixedExponents,
}

/// Where the exponents of numbers in fixed point come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FixedExponents {
    /// The formats of [`milligrad::fixed`]: activations ±128, weights ±8, deltas ±1.
    #[default]
    Static,
    /// One for each tensor, chosen by each step from its sums: [`milligrad::fixed::dynamic`].
    Dynamic,
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
    /// `true` where each step chooses its exponents.
    pub fn is_dynamic(self) -> bool {
        self.exponents == FixedExponents::Dynamic
    }

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
