//! What a program costs, known before it is flashed.

mod inference;
mod training;

use crate::plan::lower_bound_bytes;
use crate::program::{FixedKernel, Kernel, Layer, Parameters, Program, QuantizedFunction, Source};
use milligrad::layers::{
    Broadcast, Conv2d, Dense, MaxPool2d, Multiply, QuantizedAdd, QuantizedMul, QuantizedReduce,
    QuantizedSoftmax, ResizeNearest, Strided, TransposeConv2d,
};
use milligrad::{Arithmetic, Fixed16, Int8, QuantizedChannel};
use serde::Serialize;
pub use training::{LayerTraining, OnCore, TrainingCost};

/// Cost of a program; bytes are those of the device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analysis {
    /// Multiply-accumulate operations of one prediction, padded taps included.
    pub macs: u64,
    /// Weights and biases.
    pub parameters: usize,
    /// Bytes of weights and biases.
    pub weight_bytes: usize,
    /// Instructions of one prediction on a Cortex-M4F, modelled by a table (see `analysis/inference.rs`).
    pub instructions: u64,
    /// Bytes of code of a prediction on a Cortex-M4F, modelled in the same way.
    pub code_bytes: usize,
    /// Bytes of all that lies in flash beside code: weights, biases, scales, tables, descriptors.
    pub constant_bytes: usize,
    /// Bytes of initial values of parameters that learn, in flash too.
    pub initial_bytes: usize,
    /// Bytes of the arena: input, output, activations, scratch, and deltas where the model learns.
    pub arena_bytes: usize,
    /// The least that any plan without overlaps can take.
    pub arena_lower_bound_bytes: usize,
    /// Bytes of RAM: the arena, the parameters that learn, and what the optimizer remembers.
    pub ram_bytes: usize,
    /// What was removed at export, and why.
    pub removed: Vec<String>,
    /// Layer by layer.
    pub layers: Vec<LayerCost>,
}

/// Cost of one layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerCost {
    /// Name.
    pub name: String,
    /// Operator.
    pub op: &'static str,
    /// Kernel that the exporter calls.
    pub kernel: &'static str,
    /// Output shape.
    pub shape: Vec<usize>,
    /// Weights and biases.
    pub parameters: usize,
    /// Multiply-accumulate operations.
    pub macs: u64,
    /// Instructions on a Cortex-M4F, modelled.
    pub instructions: u64,
    /// Bytes of weights and biases.
    pub weight_bytes: usize,
    /// Bytes in flash beside code.
    pub constant_bytes: usize,
    /// Bytes of the arena in use while it runs.
    pub live_bytes: usize,
    /// It learns on the device.
    pub learns: bool,
}

impl Analysis {
    /// Bytes of flash: constants, initial values, and code as it is modelled.
    pub fn flash_bytes(&self) -> usize {
        self.constant_bytes + self.initial_bytes + self.code_bytes
    }
}

impl Program {
    /// What this program costs.
    pub fn analysis(&self) -> Analysis {
        let layers: Vec<_> = (0..self.steps.len()).map(|index| self.layer_cost(index)).collect();
        Analysis {
            macs: layers.iter().map(|layer| layer.macs).sum(),
            instructions: layers.iter().map(|layer| layer.instructions).sum(),
            code_bytes: self.code_bytes(),
            parameters: layers.iter().map(|layer| layer.parameters).sum(),
            weight_bytes: layers.iter().map(|layer| layer.weight_bytes).sum(),
            constant_bytes: layers.iter().map(|layer| layer.constant_bytes).sum(),
            initial_bytes: self.parameter_bytes(),
            arena_bytes: self.plan.bytes(),
            arena_lower_bound_bytes: lower_bound_bytes(&self.buffers),
            ram_bytes: self.ram_bytes(),
            removed: self.removed.clone(),
            layers,
        }
    }

    fn layer_cost(&self, index: usize) -> LayerCost {
        let step = &self.steps[index];
        let alive = self.buffers.iter().filter(|b| (b.first..=b.last).contains(&index));
        let (weight_bytes, constant_bytes, learns) = match &step.kernel {
            Kernel::Int8(layer) => layer_bytes::<Int8>(layer, 4),
            Kernel::F32(layer) | Kernel::Dequantized { layer, .. } => layer_bytes::<f32>(layer, 4),
            Kernel::Fixed(FixedKernel::Layer(layer) | FixedKernel::Dynamic(layer, _)) => {
                layer_bytes::<Fixed16>(layer, 4)
            }
            Kernel::Packed(packed) => {
                let (weights, constants) = packed.bytes();
                (weights, constants, false)
            }
            Kernel::Lookup(_) => (0, 256, false),
            Kernel::QuantizedAdd(_) => (0, device_size::<QuantizedAdd>(0), false),
            Kernel::QuantizedSoftmax(_) => (0, device_size::<QuantizedSoftmax>(0), false),
            other => (0, int8_bytes(other), false),
        };
        let weight_bytes = match &step.kernel {
            Kernel::TransposeConv2d { parameters, .. } => parameter_bytes(parameters),
            _ => weight_bytes,
        };
        LayerCost {
            name: step.name.clone(),
            op: step.op,
            kernel: step.kernel.name(),
            shape: step.shape.clone(),
            parameters: step.parameters,
            macs: step.macs,
            instructions: self.instructions(step),
            weight_bytes,
            constant_bytes,
            live_bytes: alive.map(|b| b.len * b.dtype.bytes()).sum(),
            learns,
        }
    }
}

/// Weights and biases of a layer in flash.
fn parameter_bytes(parameters: &Parameters<Int8>) -> usize {
    parameters.weights.values(|_| &[]).len() + 4 * parameters.channels.values(|_| &[]).len()
}

/// Constants of kernels that exist for int8 alone.
fn int8_bytes(kernel: &Kernel) -> usize {
    let strided = device_size::<Strided>(0);
    match kernel {
        Kernel::Elementwise(elementwise) => {
            let constant = elementwise.constant.as_ref().map_or(0, |(_, values)| values.len());
            let function = match elementwise.function {
                QuantizedFunction::Mul(_) => device_size::<QuantizedMul>(0),
                _ => device_size::<QuantizedAdd>(0),
            };
            constant + function + elementwise.broadcast.map_or(0, |_| device_size::<Broadcast>(0))
        }
        Kernel::Mul { broadcast, .. } => {
            device_size::<Multiply<f32>>(0) + broadcast.map_or(0, |_| device_size::<Broadcast>(0))
        }
        Kernel::Gather(_) | Kernel::Pad { .. } => strided,
        Kernel::Concat(parts) => parts.len() * strided,
        Kernel::Reduce { .. } => device_size::<QuantizedReduce>(0),
        Kernel::TransposeConv2d { parameters, .. } => {
            let scales = (size_of::<QuantizedChannel>() - 4) * parameters.channels.values(|_| &[]).len();
            parameter_bytes(parameters) + scales + device_size::<TransposeConv2d<'_, Int8>>(4)
        }
        Kernel::ResizeNearest { rows, columns, .. } => {
            2 * (rows.len() + columns.len()) + device_size::<ResizeNearest<'_>>(6)
        }
        _ => 0,
    }
}

/// Weights and biases, all constants, and whether it learns. `bias` is the size of a bias alone.
fn layer_bytes<A: Arithmetic>(layer: &Layer<A>, bias: usize) -> (usize, usize, bool) {
    let Some(parameters) = layer.parameters() else { return (0, device_size::<MaxPool2d<A>>(0), false) };
    let (weights, channels) = match (&parameters.weights, &parameters.channels) {
        (Source::Flash(weights), Source::Flash(channels)) => (weights, channels),
        // The biases learn alone.
        (Source::Flash(weights), Source::Ram(_)) => {
            let bytes = size_of_val(&weights[..]);
            return (bytes, bytes, true);
        }
        // Initial values lie in flash and are copied to RAM at start; see `Analysis::initial_bytes`.
        _ => return (0, 0, true),
    };
    let weight_bytes = size_of_val(&weights[..]) + bias * channels.len();
    let descriptor = match layer {
        Layer::Dense { .. } => device_size::<Dense<'_, A>>(5),
        _ => device_size::<Conv2d<'_, A>>(4),
    };
    let scales = (size_of::<A::Channel>() - bias) * channels.len();
    (weight_bytes, weight_bytes + scales + descriptor, false)
}

/// Size of a descriptor on a 32-bit device, of which `words` words are pointers or lengths, twice as large on the desk.
fn device_size<T>(words: usize) -> usize {
    size_of::<T>() - words * (size_of::<usize>() - 4)
}
