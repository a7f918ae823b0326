//! How a program learns: what its loss is, the way back, the updates.

use super::{BufferId, FixedPoint};
use crate::program::ElementType;
use milligrad::guard::Guard;

/// Parameters in RAM.
#[derive(Debug, Clone, PartialEq)]
pub struct Trainable {
    /// `layer/weights` or `layer/bias`.
    pub name: String,
    /// Values before the first step on the device; those in fixed point are rounded to it.
    pub values: Vec<f32>,
    /// How the device keeps them: as floats, weights in `I16`, biases in `I32`.
    pub dtype: ElementType,
    /// In fixed point, a unit is 2 to this.
    pub exponent: i16,
}

impl Trainable {
    /// The values in units of its own, of a parameter in fixed point.
    pub fn mantissas(&self) -> Vec<i32> {
        let unit = f64::from(self.exponent).exp2();
        self.values.iter().map(|&value| (f64::from(value) / unit).round() as i32).collect()
    }
}

/// One action on the way back. Buffers named `delta` hold `δ`.
#[derive(Debug, Clone, PartialEq)]
pub enum Backward {
    /// Masks `delta` by the fused activation of a step, given its output.
    Activation {
        /// The step.
        step: usize,
        /// Its output.
        y: BufferId,
        /// Its `δ`, in place.
        delta: BufferId,
    },
    /// `δx` from `δ` through a layer.
    Input {
        /// The step.
        step: usize,
        /// The layer's `δ`.
        delta: BufferId,
        /// Scratch of a convolution; with dynamic exponents of all layers with weights: `δ` in fewer bits.
        patch: Option<BufferId>,
        /// With dynamic exponents: where the sums lie.
        sums: Option<BufferId>,
        /// For a maximum: the step's input and output.
        values: Option<(BufferId, BufferId)>,
        /// The result.
        delta_x: BufferId,
    },
    /// `into += from`, or a copy where it is the first.
    Join {
        /// What to add.
        from: BufferId,
        /// The sum.
        into: BufferId,
        /// `into` holds nothing yet.
        first: bool,
    },
}

/// Where gradients of a layer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gradients {
    /// Those of the weights, where they learn.
    pub weights: Option<BufferId>,
    /// Those of the biases.
    pub biases: BufferId,
}

impl Gradients {
    /// The buffers.
    pub fn buffers(self) -> impl Iterator<Item = BufferId> {
        self.weights.into_iter().chain([self.biases])
    }
}

/// Indices into [`Program::parameters`](super::Program::parameters).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParameterIds {
    /// The weights, where they learn.
    pub weights: Option<usize>,
    /// The biases.
    pub biases: usize,
}

/// One update of a layer's parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Apply {
    /// The step.
    pub step: usize,
    /// Its input.
    pub x: BufferId,
    /// Its `δ`.
    pub delta: BufferId,
    /// Scratch of a convolution whose weights learn, or of a dense layer that makes floats of its input block by block.
    pub patch: Option<BufferId>,
    /// Where a convolution sums its gradients at batch 1; dense layers need none.
    pub gradients: Option<Gradients>,
    /// Where gradients are summed over a batch.
    pub batch: Option<Gradients>,
    /// What is updated.
    pub parameters: ParameterIds,
}

/// How a program learns.
#[derive(Debug, Clone, PartialEq)]
pub struct Learning {
    /// Update rule.
    pub optimizer: OptimizerKind,
    /// What is made small.
    pub loss: LossKind,
    /// What the loss is of.
    pub output: BufferId,
    /// Where the outputs become `δ`: the output itself, or a copy where the way back needs the output.
    pub delta: BufferId,
    /// From there back to the first trainable layer.
    pub backward: Vec<Backward>,
    /// Then, where the step is accepted.
    pub apply: Vec<Apply>,
    /// A [`Guard`] decides on steps; gradients of convolutions are summed before it does.
    pub guard: bool,
    /// Gradients can be summed over batches.
    pub batches: bool,
    /// What learns is in 16-bit fixed point.
    pub fixed: Option<FixedPoint>,
}

impl Learning {
    /// Name of the device crate's update rule.
    pub fn rule_name(&self) -> &'static str {
        self.fixed.map_or(self.optimizer.type_name(), |fixed| fixed.rule_name())
    }

    /// The updates in the order of their layers: in which a guard sums the norm of the gradient.
    pub fn in_order_of_layers(&self) -> Vec<&Apply> {
        let mut apply: Vec<_> = self.apply.iter().collect();
        apply.sort_by_key(|apply| apply.step);
        apply
    }

    /// Where deltas are, on all of the way.
    pub fn deltas(&self) -> impl Iterator<Item = BufferId> {
        let made = self.backward.iter().filter_map(|action| match action {
            Backward::Input { delta_x, .. } => Some(*delta_x),
            Backward::Join { into, .. } => Some(*into),
            Backward::Activation { .. } => None,
        });
        [self.delta].into_iter().chain(made)
    }

    /// Where gradients are summed over a batch, in the order of the updates.
    pub fn batch_sums(&self) -> impl Iterator<Item = BufferId> {
        self.apply.iter().filter_map(|apply| apply.batch).flat_map(Gradients::buffers)
    }

    /// Bytes of RAM beside arenas and parameters.
    pub(super) fn own_bytes(&self, parameters: &[Trainable]) -> usize {
        if let Some(fixed) = self.fixed {
            return fixed.own_bytes(self.guard, self.batches);
        }
        let parameters: usize = parameters.iter().map(|p| p.values.len()).sum();
        let guard = if self.guard { size_of::<Guard>() } else { 0 };
        4 * self.optimizer.state(parameters) + guard + if self.batches { 4 } else { 0 }
    }
}

/// Losses of the device crate, each with the activation before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// [`milligrad::loss::sparse_categorical_cross_entropy`] after softmax.
    SparseCategoricalCrossEntropy,
    /// [`milligrad::loss::binary_cross_entropy`] after sigmoid.
    BinaryCrossEntropy,
    /// [`milligrad::loss::mean_squared_error`] after anything.
    MeanSquaredError,
}

impl LossKind {
    /// The device crate's function.
    pub fn function(self) -> &'static str {
        match self {
            Self::SparseCategoricalCrossEntropy => "sparse_categorical_cross_entropy",
            Self::BinaryCrossEntropy => "binary_cross_entropy",
            Self::MeanSquaredError => "mean_squared_error",
        }
    }
}

/// Update rules that the exporter knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerKind {
    /// [`milligrad::Sgd`]
    #[default]
    Sgd,
    /// [`milligrad::Momentum`]
    Momentum,
    /// [`milligrad::Nesterov`]
    Nesterov,
    /// [`milligrad::RmsProp`]
    RmsProp,
    /// [`milligrad::Adam`]
    Adam,
    /// [`milligrad::WeightDecay`] of [`milligrad::Adam`]
    AdamW,
}

impl OptimizerKind {
    /// Name of the device crate's type.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Sgd => "Sgd",
            Self::Momentum => "Momentum",
            Self::Nesterov => "Nesterov",
            Self::RmsProp => "RmsProp",
            Self::Adam => "Adam",
            Self::AdamW => "WeightDecay<Adam>",
        }
    }

    /// Floats that it remembers of each parameter.
    pub fn state_per_parameter(self) -> usize {
        match self {
            Self::Sgd => 0,
            Self::Momentum | Self::Nesterov | Self::RmsProp => 1,
            Self::Adam | Self::AdamW => 2,
        }
    }

    /// Floats that it remembers in all of so many parameters: of each, and once for all.
    pub fn state(self, parameters: usize) -> usize {
        let once = match self {
            Self::Adam | Self::AdamW => 2,
            _ => 0,
        };
        self.state_per_parameter() * parameters + once
    }
}
