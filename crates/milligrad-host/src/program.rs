//! The program: what a microcontroller does to compute a graph, step by step, with every buffer in its place.
//!
//! One `Program` serves all: the desk runs it ([`Runner`](crate::Runner)), the exporter prints it, the analysis
//! counts it. So what is tested on the desk is what runs on the chip.

mod element;
mod fixed;
mod int8;
mod layer;
mod learning;

use crate::features::{Features, TargetScaling};
use crate::graph::Normalize;
use crate::pack::Packed;
use crate::plan::{Overlap, Plan};
use milligrad::layers::TransposedWindow;
use milligrad::layers::{QuantizedAdd, QuantizedSoftmax, Table};
use milligrad::{Clamp, Core, Int8, Quantization, QuantizedOutput, Requantize};

pub use element::ElementType;
pub use fixed::{FixedExponents, FixedKernel, FixedPoint, FixedRounding};
pub use int8::{Broadcasting, Elements, Elementwise, QuantizedFunction};
pub use layer::{Layer, Parameters, Source, TrainingLayer};
pub use learning::{Apply, Backward, Gradients, Learning, LossKind, OptimizerKind, ParameterIds, Trainable};

/// Index of a buffer in its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub usize);

/// Memory for one value while it is needed. Times count the program's actions: the steps of the
/// forward pass, the loss, the way back, the updates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buffer {
    /// What it holds, for people.
    pub name: String,
    /// Element type; each type has an arena of its own.
    pub dtype: ElementType,
    /// Number of elements.
    pub len: usize,
    /// Its offset is a multiple of so many elements.
    pub align: usize,
    /// First action that writes it; 0 also for the input.
    pub first: usize,
    /// Last action that reads it.
    pub last: usize,
}

/// What a step calls.
#[derive(Debug, Clone, PartialEq)]
pub enum Kernel {
    /// A layer in int8.
    Int8(Layer<Int8>),
    /// The same, packed for a core.
    Packed(Packed),
    /// A layer in f32.
    F32(Layer<f32>),
    /// A dense layer in f32 on an int8 input, of which it makes floats block by block.
    Dequantized {
        /// What the input stands for.
        quantization: Quantization,
        /// Elements of a block.
        block: usize,
        /// The layer.
        layer: Layer<f32>,
    },
    /// A layer in 16-bit fixed point.
    Fixed(FixedKernel),
    /// A function of one int8, in place.
    Lookup(LookupTable),
    /// int8 softmax.
    QuantizedSoftmax(QuantizedSoftmax),
    /// int8 sum.
    QuantizedAdd(QuantizedAdd),
    /// f32 LeakyReLU, in place.
    LeakyRelu {
        /// Slope below zero.
        alpha: f32,
    },
    /// f32 ELU, in place.
    Elu {
        /// Limit below zero.
        alpha: f32,
    },
    /// f32 hard swish, in place.
    HardSwish,
    /// f32 sigmoid, in place.
    Sigmoid,
    /// f32 tanh, in place.
    Tanh,
    /// f32 ReLU or another range that could not be fused, in place.
    Clamp(Clamp<f32>),
    /// f32 softmax, in place.
    Softmax,
    /// f32 sum.
    Add(Clamp<f32>),
    /// f32 product.
    Mul {
        /// Range of the fused activation.
        output: Clamp<f32>,
        /// How the operands meet, where their shapes differ.
        broadcast: Option<Broadcasting>,
    },
    /// int8 to f32.
    Dequantize(Quantization),
    /// f32 to int8.
    Quantize(Quantization),
    /// int8 sum, difference or product that is more than [`QuantizedAdd`](Self::QuantizedAdd).
    Elementwise(Elementwise),
    /// Elements of an int8 tensor in another order, or some of them.
    Gather(Elements),
    /// A border of one value.
    Pad {
        /// The value of an int8 tensor; 0 of a float one.
        value: i8,
        /// Where the input goes.
        inner: Elements,
    },
    /// Tensors side by side: where each goes.
    Concat(Vec<Elements>),
    /// int8 mean or sum.
    Reduce {
        /// Where the sums begin.
        kept: Elements,
        /// What they run over.
        reduced: Elements,
        /// The input's zero point times the number of elements of a sum.
        offset: i32,
        /// Input scale over output scale, for a mean over the number of elements.
        scale: Requantize,
        /// Zero point and range.
        output: QuantizedOutput,
    },
    /// int8 transposed convolution.
    TransposeConv2d {
        /// Geometry.
        window: TransposedWindow,
        /// Weights, biases.
        parameters: Parameters<Int8>,
    },
    /// int8 image at another size.
    ResizeNearest {
        /// Height, width and channels of the input.
        input: [usize; 3],
        /// The row that each row comes from.
        rows: Vec<u16>,
        /// The column that each column comes from.
        columns: Vec<u16>,
    },
}

/// A table and the call that makes it at compile time.
#[derive(Debug, Clone, PartialEq)]
pub struct LookupTable {
    /// The table.
    pub table: Table,
    /// Rust source of the `const fn` call of the device crate.
    pub source: String,
}

impl Kernel {
    /// Name of the kernel that the exporter calls.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Int8(layer) => layer.kernel(),
            Self::Packed(packed) => packed.kernel(),
            Self::F32(layer) => layer.kernel(),
            Self::Dequantized { .. } => "dense_dequantized",
            Self::Fixed(kernel) => kernel.name(),
            Self::Lookup(_) => "lookup",
            Self::QuantizedSoftmax(_) => "quantized_softmax",
            Self::QuantizedAdd(_) => "quantized_add",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Elu { .. } => "elu",
            Self::HardSwish => "hard_swish",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Clamp(_) => "clamp",
            Self::Softmax => "softmax",
            Self::Add(_) => "add",
            Self::Mul { .. } => "multiply",
            Self::Dequantize(_) => "dequantize",
            Self::Quantize(_) => "quantize",
            Self::Elementwise(elementwise) => elementwise.kernel(),
            Self::Gather(_) => "gather",
            Self::Pad { .. } => "pad",
            Self::Concat(_) => "concat",
            Self::Reduce { .. } => "reduce",
            Self::TransposeConv2d { .. } => "transpose_conv2d",
            Self::ResizeNearest { .. } => "resize_nearest",
        }
    }

    /// Elements of scratch, in the type of the step's input, or floats where they are made of it.
    pub fn scratch(&self) -> usize {
        match self {
            Self::Int8(layer) => layer.scratch(),
            Self::Packed(packed) => packed.scratch(),
            Self::F32(layer) => layer.scratch(),
            Self::Dequantized { block, .. } => *block,
            Self::Fixed(kernel) => kernel.scratch(),
            Self::TransposeConv2d { window, .. } => window.patch_len(),
            _ => 0,
        }
    }

    /// `true` for kernels that replace their input by their output.
    pub fn in_place(&self) -> bool {
        matches!(
            self,
            Self::Lookup(_)
                | Self::LeakyRelu { .. }
                | Self::Elu { .. }
                | Self::HardSwish
                | Self::Sigmoid
                | Self::Tanh
                | Self::Clamp(_)
                | Self::Softmax
        ) || matches!(self, Self::Fixed(kernel) if kernel.in_place())
    }

    /// A layer in f32, whatever its input is.
    pub fn float_layer(&self) -> Option<&Layer<f32>> {
        match self {
            Self::F32(layer) | Self::Dequantized { layer, .. } => Some(layer),
            _ => None,
        }
    }

    /// What an int8 input stands for of which the layer makes floats block by block.
    pub fn dequantizes(&self) -> Option<Quantization> {
        match self {
            Self::Dequantized { quantization, .. } => Some(*quantization),
            _ => None,
        }
    }

    /// A layer in a type that learns.
    pub fn trains(&self) -> Option<TrainingLayer> {
        match self {
            Self::F32(layer) | Self::Dequantized { layer, .. } => Some(layer.training(Clamp::<f32>::LINEAR)),
            Self::Fixed(kernel) => kernel.layer().map(|layer| layer.training(Clamp::<i16>::LINEAR)),
            _ => None,
        }
    }
}

/// One kernel call of the forward pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Name of the layer.
    pub name: String,
    /// Its operator.
    pub op: &'static str,
    /// What to call.
    pub kernel: Kernel,
    /// What it reads.
    pub inputs: Vec<BufferId>,
    /// Scratch, where the kernel needs it.
    pub scratch: Option<BufferId>,
    /// Where sums lie until their exponent is known.
    pub sums: Option<BufferId>,
    /// What it writes; the same as the input for kernels in place.
    pub output: BufferId,
    /// Output shape.
    pub shape: Vec<usize>,
    /// Multiply-accumulate operations, padded taps included.
    pub macs: u64,
    /// Number of weights and biases.
    pub parameters: usize,
}

/// A planned program.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    /// Name of the model.
    pub name: String,
    /// The core that it is compiled for.
    pub core: Core,
    /// Names of the classes.
    pub labels: Vec<String>,
    /// Transform of raw data.
    pub normalize: Normalize,
    /// What is computed of raw columns instead, where features are engineered.
    pub features: Option<Features>,
    /// How targets of a regression were scaled.
    pub target: Option<TargetScaling>,
    /// The forward pass.
    pub steps: Vec<Step>,
    /// All buffers.
    pub buffers: Vec<Buffer>,
    /// Where they are.
    pub plan: Plan,
    /// Where a sample goes in.
    pub inputs: Vec<Port>,
    /// Where the result comes out.
    pub outputs: Vec<Port>,
    /// Parameters in RAM.
    pub parameters: Vec<Trainable>,
    /// How it learns, if it does.
    pub learning: Option<Learning>,
    /// What was removed from the model without a change of any output, and why.
    pub removed: Vec<String>,
}

/// An input or output of a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    /// `input` and `output` where there is one of each. An identifier.
    pub name: String,
    /// Where its elements are.
    pub buffer: BufferId,
    /// Its extents.
    pub shape: Vec<usize>,
    /// Scale and zero point, if it is int8.
    pub quantization: Option<Quantization>,
}

impl Program {
    /// The first input, the only one of a program that learns.
    pub fn input(&self) -> &Port {
        &self.inputs[0]
    }

    /// The first output, the only one of a program that learns.
    pub fn output(&self) -> &Port {
        &self.outputs[0]
    }

    /// A buffer.
    pub fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.0]
    }

    /// A buffer's elements within the arena of its type.
    pub fn range(&self, id: BufferId) -> std::ops::Range<usize> {
        let start = self.plan.offsets[id.0];
        start..start + self.buffer(id).len
    }

    /// How the program learns in fixed point, if it does.
    pub fn fixed_point(&self) -> Option<FixedPoint> {
        self.learning.as_ref().and_then(|learning| learning.fixed)
    }

    /// Fraction bits of an input or output in fixed point.
    pub fn fraction_bits(&self, port: &Port) -> u32 {
        let producer = self.steps.iter().rfind(|step| step.output == port.buffer);
        match producer.map(|step| &step.kernel) {
            Some(Kernel::Fixed(kernel)) if kernel.is_probability() => milligrad::DELTA_BITS,
            _ => milligrad::ACTIVATION_BITS,
        }
    }

    /// The inputs that a step's output may lie over, and how.
    pub fn overlaps(&self) -> Vec<(BufferId, BufferId, Overlap)> {
        overlaps(&self.steps, &self.buffers)
    }

    /// Bytes of RAM: arenas, parameters that learn, what the optimizer remembers of them, and the guard.
    pub fn ram_bytes(&self) -> usize {
        let Some(learning) = &self.learning else { return self.plan.bytes() };
        // Structs end on whole words.
        let parameters = self.parameter_bytes().next_multiple_of(4);
        let exponents = 2 * self.exponent_count();
        (self.plan.bytes() + parameters + exponents + learning.own_bytes(&self.parameters))
            .next_multiple_of(4)
    }

    /// The largest magnitude of a parameter that learns, as exported.
    pub fn largest_parameter(&self) -> f32 {
        self.parameters.iter().flat_map(|p| &p.values).fold(0.0, |largest, value| largest.max(value.abs()))
    }

    /// The largest magnitude of a parameter that learns in fixed point, rounded up: in Q3.12, with dynamic exponents in units of each
    /// tensor of weights, and of 2⁸ of its biases'.
    pub fn largest_in_fixed_point(&self) -> u32 {
        if !self.fixed_point().is_some_and(|fixed| fixed.is_dynamic()) {
            return (self.largest_parameter() * (1 << milligrad::WEIGHT_BITS) as f32).ceil() as u32;
        }
        let largest = |parameter: &Trainable| {
            let bits = if parameter.dtype == ElementType::I32 { 8 } else { 0 };
            let unit = f64::from(parameter.exponent + bits).exp2();
            parameter.values.iter().fold(0.0_f64, |most, value| most.max((f64::from(*value) / unit).abs()))
        };
        self.parameters.iter().map(largest).fold(0.0, f64::max).ceil() as u32
    }

    /// Bytes of RAM of the parameters that learn.
    pub fn parameter_bytes(&self) -> usize {
        self.parameters.iter().map(|p| p.dtype.bytes() * p.values.len()).sum()
    }
}

/// Pairs of an input that nobody needs after a step, and the step's output.
pub(crate) fn overlaps(steps: &[Step], buffers: &[Buffer]) -> Vec<(BufferId, BufferId, Overlap)> {
    let mut pairs = Vec::new();
    for (time, step) in steps.iter().enumerate() {
        let Kernel::Packed(packed) = &step.kernel else { continue };
        let overlap = packed.overlap();
        for &x in &step.inputs {
            let ends = buffers[x.0].last == time && buffers[step.output.0].first == time;
            if ends && x != step.output && overlap != Overlap::Never {
                pairs.push((x, step.output, overlap));
            }
        }
    }
    pairs
}
