//! Running a program on the desk, with the device crate's own kernels in the planned arena: what comes out is bit
//! for bit what the chip computes.

mod fixed;
mod int8;
mod learn;
mod rule;

use crate::error::{Error, Result};
use crate::program::{BufferId, ElementType, Elements, Kernel, Layer, Parameters, Port, Program, Step};
pub use learn::Snapshot;
use milligrad::guard::Guard;
use milligrad::layers::{
    self, AvgPool2d, Conv2d, Dense, DepthwiseConv2d, MaxPool2d, Multiply, dense::Dequantized,
};
use milligrad::packed::Places;
use milligrad::{Arithmetic, Element, arena};
pub use rule::Rule;
use std::borrow::Cow;
use std::ops::Range;

/// The memory of a program at work: arenas, parameters that learn, and what the optimizer remembers.
#[derive(Debug, Clone)]
pub struct Runner<'p> {
    program: &'p Program,
    /// The int8 arena, as words.
    words: Vec<u32>,
    f32: Vec<f32>,
    fixed: fixed::Memory,
    parameters: Vec<Vec<f32>>,
    states: rule::States,
    guard: Guard,
    /// Samples summed up since the last update.
    samples: usize,
}

impl Program {
    /// Memory to run this program in.
    pub fn runner(&self) -> Runner<'_> {
        Runner::new(self)
    }

    /// The record that a board reads for one raw sample: transformed, quantised where the input is int8, and
    /// little-endian.
    pub fn encode_input(&self, raw: &[f32]) -> Vec<u8> {
        let features = self.features.as_ref().map(|features| features.apply(raw));
        let raw = features.as_deref().unwrap_or(raw);
        let mut normalized = raw.iter().map(|&x| self.normalize.apply(x));
        let mut record = Vec::with_capacity(self.input_bytes());
        for port in &self.inputs {
            let values = normalized.by_ref().take(self.buffer(port.buffer).len);
            match port.quantization {
                Some(quantization) => record.extend(values.map(|x| quantization.quantize(x) as u8)),
                None if self.buffer(port.buffer).dtype == ElementType::I16 => {
                    record.extend(values.flat_map(|x| milligrad::fixed::activation(x).to_le_bytes()));
                }
                None => record.extend(values.flat_map(f32::to_le_bytes)),
            }
        }
        record
    }

    /// The outputs in a record that a board wrote, as real numbers, in the unit of the targets.
    pub fn decode_output(&self, record: &[u8]) -> Vec<f32> {
        let parts = self.outputs.iter().zip(self.parts(&self.outputs, record));
        let values = parts.map(|(port, part)| match port.quantization {
            Some(quantization) => part.iter().map(|&q| quantization.dequantize(q as i8)).collect(),
            None if self.buffer(port.buffer).dtype == ElementType::I16 => {
                let unit = 1.0 / (1_u32 << self.fraction_bits(port)) as f32;
                part.as_chunks().0.iter().map(|&x| unit * f32::from(i16::from_le_bytes(x))).collect()
            }
            None => part.chunks_exact(4).map(f32::from_le).collect::<Vec<_>>(),
        });
        let mut values = values.collect::<Vec<_>>().concat();
        if let Some(target) = self.target {
            values.iter_mut().for_each(|y| *y = target.decode(*y));
        }
        values
    }

    /// The numbers in an output record: int8 and fixed point as they are, floats as real numbers.
    pub fn output_values(&self, record: &[u8]) -> Vec<f64> {
        let parts = self.outputs.iter().zip(self.parts(&self.outputs, record));
        let values = parts.map(|(port, part)| match port.quantization {
            Some(_) => part.iter().map(|&q| f64::from(q as i8)).collect(),
            None if self.buffer(port.buffer).dtype == ElementType::I16 => {
                part.as_chunks().0.iter().map(|&x| f64::from(i16::from_le_bytes(x))).collect()
            }
            None => part.chunks_exact(4).map(|x| f64::from(f32::from_le(x))).collect::<Vec<_>>(),
        });
        values.collect::<Vec<_>>().concat()
    }

    /// Bytes of an input record: all inputs, one after the other.
    pub fn input_bytes(&self) -> usize {
        self.inputs.iter().map(|port| self.port_bytes(port)).sum()
    }

    /// Bytes of an output record: all outputs, one after the other.
    pub fn output_bytes(&self) -> usize {
        self.outputs.iter().map(|port| self.port_bytes(port)).sum()
    }

    /// Bytes of an input or output.
    pub fn port_bytes(&self, port: &Port) -> usize {
        let buffer = self.buffer(port.buffer);
        buffer.len * buffer.dtype.bytes()
    }

    /// The part of a record that belongs to each port.
    fn parts<'a>(&self, ports: &[Port], mut record: &'a [u8]) -> Vec<&'a [u8]> {
        let part = |port| {
            let (part, rest) = record.split_at(self.port_bytes(port).min(record.len()));
            record = rest;
            part
        };
        ports.iter().map(part).collect()
    }
}

impl<'p> Runner<'p> {
    /// Fresh memory: parameters have their exported values.
    pub fn new(program: &'p Program) -> Self {
        let floats = |p: &crate::program::Trainable| match p.dtype {
            ElementType::F32 => p.values.clone(),
            _ => Vec::new(),
        };
        let parameters: Vec<_> = program.parameters.iter().map(floats).collect();
        let states = rule::States::new(program);
        Self {
            program,
            words: vec![0; program.plan.int8.div_ceil(4)],
            f32: vec![0.0; program.plan.f32],
            fixed: fixed::Memory::new(program),
            parameters,
            states,
            guard: Guard::new().knowing(program.largest_parameter()),
            samples: 0,
        }
    }

    /// Parameters that learn, in the order of [`Program::parameters`]; those in fixed point as floats.
    pub fn parameters(&self) -> Cow<'_, [Vec<f32>]> {
        match self.program.fixed_point() {
            Some(_) => self.fixed.learned.reals(self.program).into(),
            None => (&self.parameters[..]).into(),
        }
    }

    /// Predicts one input record (see [`Program::encode_input`]).
    ///
    /// # Errors
    /// If the record has not the length of the input.
    pub fn predict(&mut self, record: &[u8]) -> Result<Vec<u8>> {
        self.predict_with(record, |_, _, _| ())
    }

    /// Predicts, and shows every step's output as it is written.
    ///
    /// # Errors
    /// If the record has not the length of the input.
    pub fn predict_with(
        &mut self,
        record: &[u8],
        mut see: impl FnMut(usize, &Step, &[u8]),
    ) -> Result<Vec<u8>> {
        self.load(record)?;
        for (index, step) in self.program.steps.iter().enumerate() {
            self.step(step);
            see(index, step, &self.bytes(step.output));
        }
        Ok(self.record())
    }

    /// Predicts without copies of the intermediate results.
    ///
    /// # Errors
    /// If the record has not the length of the input.
    pub fn output(&mut self, record: &[u8]) -> Result<Vec<u8>> {
        self.load(record)?;
        self.program.steps.iter().for_each(|step| self.step(step));
        Ok(self.record())
    }

    fn load(&mut self, record: &[u8]) -> Result<()> {
        let program = self.program;
        if record.len() != program.input_bytes() {
            return Err(Error::Data(format!(
                "an input of `{}` has {} bytes, {} given",
                program.name,
                program.input_bytes(),
                record.len()
            )));
        }
        for (port, part) in program.inputs.iter().zip(program.parts(&program.inputs, record)) {
            let range = program.range(port.buffer);
            match program.buffer(port.buffer).dtype {
                ElementType::I8 => arena::bytes_mut(&mut self.words)[range]
                    .iter_mut()
                    .zip(part)
                    .for_each(|(to, &from)| *to = from as i8),
                ElementType::F32 => self.f32[range]
                    .iter_mut()
                    .zip(part.chunks_exact(4))
                    .for_each(|(to, from)| *to = f32::from_le(from)),
                ElementType::I16 => self.fixed.int16[range]
                    .iter_mut()
                    .zip(part.as_chunks().0)
                    .for_each(|(to, &from)| *to = i16::from_le_bytes(from)),
                ElementType::I32 => unreachable!("sums are no inputs"),
            }
        }
        Ok(())
    }

    /// The output record.
    fn record(&self) -> Vec<u8> {
        self.program.outputs.iter().flat_map(|port| self.bytes(port.buffer)).collect()
    }

    fn bytes(&self, id: BufferId) -> Vec<u8> {
        let range = self.program.range(id);
        match self.program.buffer(id).dtype {
            ElementType::I8 => arena::bytes(&self.words)[range].iter().map(|&x| x as u8).collect(),
            ElementType::F32 => self.f32[range].iter().flat_map(|x| x.to_le_bytes()).collect(),
            ElementType::I16 => self.fixed.int16[range].iter().flat_map(|x| x.to_le_bytes()).collect(),
            ElementType::I32 => unreachable!("sums are no outputs"),
        }
    }

    fn step(&mut self, step: &Step) {
        let program = self.program;
        let range = |id| program.range(id);
        let (x, y) = (range(step.inputs[0]), range(step.output));
        let scratch = step.scratch.map(range).unwrap_or_default();
        match &step.kernel {
            Kernel::Int8(layer) => {
                let [x, scratch, y] = split(arena::bytes_mut(&mut self.words), [x, scratch, y]);
                forward(layer, |_| &[], |_| &[], x, scratch, y);
            }
            Kernel::Packed(packed) => {
                let b = step.inputs.get(1).map_or(x.start, |&b| range(b).start);
                let places = Places::new(x.start, scratch.start, y.start);
                packed.forward(&mut self.words, places, b, y.len());
            }
            Kernel::F32(layer) => {
                let [x, scratch, y] = split(&mut self.f32, [x, scratch, y]);
                let ram = |index: usize| &self.parameters[index][..];
                forward(layer, ram, ram, x, scratch, y);
            }
            Kernel::Dequantized { quantization, layer, .. } => {
                let Layer::Dense { inputs, parameters } = layer else {
                    unreachable!("dense layers alone read over the border")
                };
                let x = Dequantized::new(*quantization, &arena::bytes(&self.words)[x]);
                let [block, y] = split(&mut self.f32, [scratch, y]);
                let ram = |index: usize| &self.parameters[index][..];
                make_dense(*inputs, parameters, ram, ram).forward_dequantized(x, block, y);
            }
            Kernel::Fixed(kernel) => self.fixed_forward(step, kernel),
            Kernel::Lookup(lookup) => {
                layers::lookup_in_place(&lookup.table, in_place(arena::bytes_mut(&mut self.words), x, y))
            }
            Kernel::QuantizedSoftmax(softmax) => {
                let [x, y] = split(arena::bytes_mut(&mut self.words), [x, y]);
                let row = *step.shape.last().expect("a tensor has axes");
                x.chunks_exact(row).zip(y.chunks_exact_mut(row)).for_each(|(x, y)| softmax.forward(x, y));
            }
            Kernel::QuantizedAdd(add) => {
                let (a, b, y) = operands(arena::bytes_mut(&mut self.words), x, range(step.inputs[1]), y);
                add.forward(a, b.unwrap_or(a), y);
            }
            Kernel::Add(clamp) => {
                let (a, b, y) = operands(&mut self.f32, x, range(step.inputs[1]), y);
                layers::add(a, b.unwrap_or(a), clamp, y);
            }
            Kernel::Mul { output, broadcast } => {
                let (a, b, y) = operands(&mut self.f32, x, range(step.inputs[1]), y);
                let (multiply, b) = (Multiply::new(*output), b.unwrap_or(a));
                match broadcast {
                    None => multiply.forward(a, b, y),
                    Some(by) => by.broadcast().forward(&multiply, a, b, y),
                }
            }
            Kernel::LeakyRelu { alpha } => layers::leaky_relu(*alpha, in_place(&mut self.f32, x, y)),
            Kernel::Elu { alpha } => layers::elu(*alpha, in_place(&mut self.f32, x, y)),
            Kernel::HardSwish => layers::hard_swish(in_place(&mut self.f32, x, y)),
            Kernel::Sigmoid => layers::sigmoid(in_place(&mut self.f32, x, y)),
            Kernel::Tanh => layers::tanh(in_place(&mut self.f32, x, y)),
            Kernel::Clamp(clamp) => layers::clamp(clamp, in_place(&mut self.f32, x, y)),
            Kernel::Softmax => layers::softmax(in_place(&mut self.f32, x, y)),
            Kernel::Dequantize(quantization) => {
                layers::dequantize(*quantization, &arena::bytes(&self.words)[x], &mut self.f32[y])
            }
            Kernel::Quantize(quantization) => {
                layers::quantize(*quantization, &self.f32[x], &mut arena::bytes_mut(&mut self.words)[y])
            }
            Kernel::Pad { value, inner } => match program.buffer(step.output).dtype {
                ElementType::I8 => pad(arena::bytes_mut(&mut self.words), *value, inner, x, y),
                _ => pad(&mut self.f32, 0.0, inner, x, y),
            },
            Kernel::Concat(parts) => {
                let inputs: Vec<_> = step.inputs.iter().map(|&id| range(id)).collect();
                match program.buffer(step.output).dtype {
                    ElementType::I8 => concat(arena::bytes_mut(&mut self.words), parts, &inputs, &y),
                    _ => concat(&mut self.f32, parts, &inputs, &y),
                }
            }
            _ => int8::step(program, step, arena::bytes_mut(&mut self.words)),
        }
    }
}

fn make_dense<'a, A: Arithmetic>(
    inputs: usize,
    parameters: &'a Parameters<A>,
    weights: impl FnOnce(usize) -> &'a [A::Weight],
    channels: impl FnOnce(usize) -> &'a [A::Channel],
) -> Dense<'a, A> {
    let Parameters { weights: w, channels: c, output, .. } = parameters;
    Dense::new(inputs, w.values(weights), c.values(channels), *output)
}

fn make_conv2d<'a, A: Arithmetic>(
    window: &milligrad::Window2d,
    parameters: &'a Parameters<A>,
    weights: impl FnOnce(usize) -> &'a [A::Weight],
    channels: impl FnOnce(usize) -> &'a [A::Channel],
) -> Conv2d<'a, A> {
    let Parameters { weights: w, channels: c, output, pad } = parameters;
    Conv2d::new(*window, w.values(weights), c.values(channels), *output, *pad)
}

fn make_depthwise<'a, A: Arithmetic>(
    window: &milligrad::Window2d,
    parameters: &'a Parameters<A>,
    weights: impl FnOnce(usize) -> &'a [A::Weight],
    channels: impl FnOnce(usize) -> &'a [A::Channel],
) -> DepthwiseConv2d<'a, A> {
    let Parameters { weights: w, channels: c, output, pad } = parameters;
    DepthwiseConv2d::new(*window, w.values(weights), c.values(channels), *output, *pad)
}

fn forward<'a, A: Arithmetic>(
    layer: &'a Layer<A>,
    weights: impl FnOnce(usize) -> &'a [A::Weight],
    channels: impl FnOnce(usize) -> &'a [A::Channel],
    x: &[A::Element],
    scratch: &mut [A::Element],
    y: &mut [A::Element],
) {
    match layer {
        Layer::Dense { inputs, parameters } => {
            make_dense(*inputs, parameters, weights, channels).forward(x, y)
        }
        Layer::Conv2d { window, parameters } => {
            let layer = make_conv2d(window, parameters, weights, channels);
            if window.is_pointwise() { layer.forward_pointwise(x, y) } else { layer.forward(x, scratch, y) }
        }
        Layer::DepthwiseConv2d { window, parameters } => {
            make_depthwise(window, parameters, weights, channels).forward(x, scratch, y);
        }
        Layer::MaxPool2d { window, output } => MaxPool2d::<A>::new(*window, *output).forward(x, y),
        Layer::AvgPool2d { window, output } => AvgPool2d::<A>::new(*window, *output).forward(x, y),
    }
}

/// Parts of an arena that the plan keeps apart.
fn split<T, const N: usize>(arena: &mut [T], ranges: [Range<usize>; N]) -> [&mut [T]; N] {
    arena.get_disjoint_mut(ranges).expect("a checked plan keeps buffers apart")
}

/// The one buffer of a function in place; where the plan gave it two, the input is copied first.
fn in_place<T: Copy>(arena: &mut [T], x: Range<usize>, y: Range<usize>) -> &mut [T] {
    if x != y {
        arena.copy_within(x, y.start);
    }
    &mut arena[y]
}

/// `y` is the border's value, and `x` where `inner` says.
fn pad<T: Copy>(arena: &mut [T], value: T, inner: &Elements, x: Range<usize>, y: Range<usize>) {
    let [x, y] = split(arena, [x, y]);
    y.fill(value);
    inner.strided().scatter(x, y);
}

/// Each input goes where its part says.
fn concat<T: Copy>(arena: &mut [T], parts: &[Elements], inputs: &[Range<usize>], y: &Range<usize>) {
    for (x, part) in inputs.iter().zip(parts) {
        let [x, y] = split(arena, [x.clone(), y.clone()]);
        part.strided().scatter(x, y);
    }
}

/// Two inputs, `None` for the second where it is the first again, and the output.
fn operands<T>(
    arena: &mut [T],
    a: Range<usize>,
    b: Range<usize>,
    y: Range<usize>,
) -> (&[T], Option<&[T]>, &mut [T]) {
    if a == b {
        let [a, y] = split(arena, [a, y]);
        return (a, None, y);
    }
    let [a, b, y] = split(arena, [a, b, y]);
    (a, Some(b), y)
}
