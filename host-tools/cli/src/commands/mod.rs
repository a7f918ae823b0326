//! One file for each command.

pub(crate) mod analyze;
pub(crate) mod data;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod flash;
mod folds;
pub(crate) mod layers;
pub(crate) mod learn;
pub(crate) mod lr_find;
pub(crate) mod ops;
pub(crate) mod predict;
pub(crate) mod profile;
pub(crate) mod quantize;
mod schedule;
pub(crate) mod summary;
pub(crate) mod sweep;
pub(crate) mod train;
pub(crate) mod validate;

use crate::failure::Failure;
use clap::{Args, ValueEnum};
use milligrad::{Core, Rounding};
use milligrad_board::Board;
use milligrad_host::{
    CompileOptions, FixedExponents, FixedPoint, FixedRounding, Graph, Layers, Learn, LossKind, OptimizerKind,
    Program,
};
use std::str::FromStr;

/// Which layers learn on the device, and how.
#[derive(Debug, Clone, Args)]
pub(crate) struct Learning {
    /// Layers that learn on the device: all, last:N (those with weights), biases, names with commas between, or none.
    /// What is int8 from the first of them on becomes float.
    #[arg(long, value_name = "LAYERS", default_value = "none", value_parser = layers)]
    trainable: Trainable,
    /// How they learn.
    #[arg(long, value_enum, default_value = "sgd")]
    optimizer: DeviceOptimizer,
    /// What they make small; by default cross entropy after softmax, binary cross entropy after sigmoid, else the mean
    /// squared error.
    #[arg(long, value_enum)]
    loss: Option<DeviceLoss>,
    /// Decide on every training step before its first write: refuse, clip, back off.
    #[arg(long)]
    guard: bool,
    /// Make room for gradients that are summed over batches.
    #[arg(long)]
    batches: bool,
    /// Numbers of the layers that learn: floats, or 16-bit fixed point for cores without an FPU (Dense, Conv2d,
    /// DepthwiseConv2d, pooling, ReLU family, Add, sigmoid, tanh, softmax; learning rates are powers of two).
    #[arg(long, value_enum, default_value = "float32", value_name = "TYPE")]
    dtype: LearningType,
    /// How updates in fixed point are rounded: to nearest, or at random by --seed.
    #[arg(long, value_enum, default_value = "nearest", value_name = "ROUNDING")]
    update_rounding: UpdateRounding,
    /// Ranges in fixed point: static, activations ±128 and weights ±8, or dynamic, where each training step chooses an exponent for
    /// each tensor, for numbers whose ranges are not known (without sigmoid and tanh inside, and without batches).
    #[arg(long, value_enum, default_value = "static", value_name = "EXPONENTS")]
    exponents: Exponents,
    /// The core to pack int8 layers for: any, or Cortex-M4 and M7.
    #[arg(long, value_enum, default_value = "portable")]
    core: CoreName,
    #[command(flatten)]
    convention: Convention,
}

/// How fully connected int8 layers round.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Convention {
    /// Round as TensorFlow Lite Micro and CMSIS-NN do, twice, or as TensorFlow's interpreter does in fully connected
    /// layers, once.
    #[arg(long, value_enum, default_value = "tflm", value_name = "CONVENTION")]
    pub(crate) rounding: RoundingName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoundingName {
    Tflm,
    Tflite,
}

impl Convention {
    pub(crate) fn rounding(self) -> Rounding {
        match self.rounding {
            RoundingName::Tflm => Rounding::Double,
            RoundingName::Tflite => Rounding::Single,
        }
    }

    /// The program of a model that only predicts, packed for a core.
    pub(crate) fn compile(self, graph: &Graph, core: Core) -> Result<Program, Failure> {
        Ok(Program::compile(graph, &CompileOptions { rounding: self.rounding(), core, learn: None })?)
    }
}

/// A choice of layers, or none.
#[derive(Debug, Clone)]
pub(crate) struct Trainable(pub(crate) Option<Layers>);

/// Reads `all`, `last:N`, `biases`, names or `none`.
pub(crate) fn layers(text: &str) -> Result<Trainable, String> {
    match text {
        "none" => Ok(Trainable(None)),
        _ => text.parse().map(|layers| Trainable(Some(layers))),
    }
}

/// Reads a finite number above 0.
pub(crate) fn positive<T: FromStr + Into<f64> + Copy>(text: &str) -> Result<T, String> {
    let number: T = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    let fits = number.into() > 0.0 && number.into().is_finite();
    if fits { Ok(number) } else { Err(format!("{text} is no number above 0")) }
}

/// Reads a number from 0 to below 1.
pub(crate) fn share(text: &str) -> Result<f32, String> {
    let number: f32 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    if (0.0..1.0).contains(&number) { Ok(number) } else { Err(format!("{text} is not within 0 to 1")) }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DeviceLoss {
    CrossEntropy,
    BinaryCrossEntropy,
    MeanSquaredError,
}

impl From<DeviceLoss> for LossKind {
    fn from(loss: DeviceLoss) -> Self {
        match loss {
            DeviceLoss::CrossEntropy => Self::SparseCategoricalCrossEntropy,
            DeviceLoss::BinaryCrossEntropy => Self::BinaryCrossEntropy,
            DeviceLoss::MeanSquaredError => Self::MeanSquaredError,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DeviceOptimizer {
    Sgd,
    Momentum,
    Nesterov,
    #[value(name = "rmsprop")]
    RmsProp,
    Adam,
    #[value(name = "adamw")]
    AdamW,
}

/// Numbers of layers that learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LearningType {
    Float32,
    Fixed16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum UpdateRounding {
    Nearest,
    Stochastic,
}

/// Where exponents in fixed point come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Exponents {
    Static,
    Dynamic,
}

impl From<Exponents> for FixedExponents {
    fn from(exponents: Exponents) -> Self {
        match exponents {
            Exponents::Static => Self::Static,
            Exponents::Dynamic => Self::Dynamic,
        }
    }
}

impl From<UpdateRounding> for FixedRounding {
    fn from(rounding: UpdateRounding) -> Self {
        match rounding {
            UpdateRounding::Nearest => Self::Nearest,
            UpdateRounding::Stochastic => Self::Stochastic,
        }
    }
}

/// A core to pack weights for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum CoreName {
    Portable,
    #[value(name = "armv7e-m")]
    Armv7em,
}

impl From<CoreName> for Core {
    fn from(core: CoreName) -> Self {
        match core {
            CoreName::Portable => Self::Portable,
            CoreName::Armv7em => Self::Armv7em,
        }
    }
}

/// The core of a board, as far as there are kernels for it.
pub(crate) fn core_of(board: &Board) -> Core {
    if board.target.starts_with("thumbv7em") { Core::Armv7em } else { Core::Portable }
}

impl Learning {
    /// The layers that learn.
    pub(crate) fn chosen(&self) -> Option<&Layers> {
        self.trainable.0.as_ref()
    }

    /// The same, with all layers where none were chosen.
    pub(crate) fn or_all(&self) -> Self {
        let trainable = Trainable(self.trainable.0.clone().or(Some(Layers::All)));
        Self { trainable, ..self.clone() }
    }

    /// Whether gradients are summed over batches.
    pub(crate) fn is_in_batches(&self) -> bool {
        self.batches
    }

    /// The same for steps of so many samples, which need sums where there is more than one.
    pub(crate) fn with_batch(self, batch: Option<u32>) -> Result<Self, Failure> {
        match batch {
            None if self.batches => {
                Err(Failure::usage("--batches needs to know how many samples a step takes: add --batch N"))
            }
            _ => Ok(Self { batches: self.batches || batch > Some(1), ..self }),
        }
    }

    /// The program of a model that learns in this way. The seed is that of stochastic rounding.
    pub(crate) fn compile(&self, graph: &Graph, seed: Option<u64>) -> Result<Program, Failure> {
        if (self.dtype, self.exponents) == (LearningType::Float32, Exponents::Dynamic) {
            return Err(Failure::usage(
                "floats have exponents of their own; leave out --exponents, or use --dtype fixed16",
            ));
        }
        let fixed = match (self.dtype, self.update_rounding) {
            (LearningType::Fixed16, _) if self.trainable.0.is_none() => {
                return Err(Failure::usage(
                    "--dtype fixed16 is for layers that learn; choose them by --trainable (all, last:N, biases or names)",
                ));
            }
            (LearningType::Fixed16, rounding) => {
                let seed = seed.unwrap_or(0);
                let seed = (seed ^ (seed >> 32)) as u32;
                Some(FixedPoint { rounding: rounding.into(), seed, exponents: self.exponents.into() })
            }
            (LearningType::Float32, UpdateRounding::Stochastic) => {
                return Err(Failure::usage(
                    "floats are not rounded at random; leave out --update-rounding, or use --dtype fixed16",
                ));
            }
            (LearningType::Float32, UpdateRounding::Nearest) => None,
        };
        let optimizer = match self.optimizer {
            DeviceOptimizer::Sgd => OptimizerKind::Sgd,
            DeviceOptimizer::Momentum => OptimizerKind::Momentum,
            DeviceOptimizer::Nesterov => OptimizerKind::Nesterov,
            DeviceOptimizer::RmsProp => OptimizerKind::RmsProp,
            DeviceOptimizer::Adam => OptimizerKind::Adam,
            DeviceOptimizer::AdamW => OptimizerKind::AdamW,
        };
        let learn = self.trainable.0.clone().map(|layers| Learn {
            loss: self.loss.map(Into::into),
            guard: self.guard,
            batches: self.batches,
            fixed,
            ..Learn::new(layers, optimizer)
        });
        Ok(Program::compile(
            graph,
            &CompileOptions { learn, rounding: self.convention.rounding(), core: self.core.into() },
        )?)
    }
}
