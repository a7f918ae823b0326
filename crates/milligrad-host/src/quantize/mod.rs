//! Post-training quantisation: f32 to int8 by the ranges that calibration data produce.
//!
//! Activations get an affine scale per tensor, weights a symmetric scale per output channel, biases 32 bits in
//! units of input scale times weight scale, as TensorFlow Lite's specification asks. A part of the model
//! that is to learn on the device stays f32.

mod calibrate;
pub(crate) mod multiplier;
pub mod qat;

use crate::error::{Error, Result};
use crate::graph::{Activation, Constant, DType, Draft, Graph, Node, Op, Port, TensorId, TensorInfo, Values};
use crate::lower::{Layers, floats};
use crate::ops::{PROBABILITIES, TANH};
use milligrad::Quantization;
use std::collections::HashSet;

/// How to quantise.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuantizeOptions {
    /// These layers will learn on the device: they and all after them stay f32.
    pub trainable: Option<Layers>,
    /// One scale for all output channels of a layer instead of one each.
    pub per_tensor: bool,
}

/// Quantises a float graph; batch norm is folded first. `calibration` holds normalised inputs, one after the other.
///
/// # Errors
/// If there are no calibration data, or the model is int8 already.
pub fn quantize(graph: &Graph, calibration: &[f32], options: &QuantizeOptions) -> Result<Graph> {
    let prepared = prepared(graph)?;
    let ranges = calibrated(&prepared, calibration)?;
    with_ranges(&prepared, ranges, options)
}

/// The float graph as it will be int8: batch norm folded, activations fused.
fn prepared(graph: &Graph) -> Result<Graph> {
    let graph = crate::prepare::for_inference(graph)?;
    graph.require_single("quantisation")?;
    if graph.tensors.iter().any(|t| t.dtype == DType::I8) {
        return Err(Error::Model { model: graph.name.clone(), problem: "it is quantised already".into() });
    }
    Ok(graph)
}

/// The range of each tensor.
fn calibrated(graph: &Graph, calibration: &[f32]) -> Result<Vec<(f32, f32)>> {
    if calibration.is_empty() || !calibration.len().is_multiple_of(graph.input_len()) {
        return Err(Error::Data(format!(
            "calibration needs whole samples of {} values, {} values given",
            graph.input_len(),
            calibration.len()
        )));
    }
    let mut ranges = calibrate::ranges(graph, calibration)?;
    share_ranges(graph, &mut ranges);
    Ok(ranges)
}

/// The first node that stays f32.
fn first_float(graph: &Graph, options: &QuantizeOptions) -> Result<usize> {
    Ok(match &options.trainable {
        Some(layers) => layers.choose(graph)?[0].node,
        None => graph.nodes.len(),
    })
}

fn with_ranges(graph: &Graph, ranges: Vec<(f32, f32)>, options: &QuantizeOptions) -> Result<Graph> {
    let first_float = first_float(graph, options)?;
    let quantizer = Quantizer {
        draft: Draft {
            tensors: Vec::new(),
            constants: Vec::new(),
            nodes: Vec::new(),
            inputs: vec![Port::input(TensorId(0))],
            outputs: vec![Port::output(TensorId(0))],
            ..graph.clone().into_draft()
        },
        graph,
        ranges,
        per_tensor: options.per_tensor,
        int8_of: vec![None; graph.tensors.len()],
        f32_of: vec![None; graph.tensors.len()],
    };
    quantizer.run(first_float)
}

/// `true` if the output has the scale of the input: elements are moved or chosen, or averaged.
fn keeps_scale(op: &Op) -> bool {
    matches!(
        op,
        Op::Flatten | Op::Reshape { .. } | Op::Pad { .. } | Op::MaxPool2d { .. } | Op::AvgPool2d { .. }
    )
}

/// The inputs of a concatenation get its range where nothing else reads them, so that they need no change of scale.
fn share_ranges(graph: &Graph, ranges: &mut [(f32, f32)]) {
    let readers = |id| graph.nodes.iter().flat_map(|node| &node.inputs).filter(|&&input| input == id).count();
    let mut shared = HashSet::new();
    for node in graph.nodes.iter().rev() {
        let view = matches!(node.op, Op::Flatten | Op::Reshape { .. }) && shared.contains(&node.output);
        if matches!(node.op, Op::Concat { .. }) || view {
            for &id in node.inputs.iter().filter(|&&id| readers(id) == 1 && id != graph.input()) {
                ranges[id.0] = ranges[node.output.0];
                shared.insert(id);
            }
        }
    }
}

/// The scale that covers a range, zero included.
pub(crate) fn covering((min, max): (f32, f32)) -> Quantization {
    let (min, max) = (f64::from(min.min(0.0)), f64::from(max.max(0.0)));
    let scale = if max > min { ((max - min) / 255.0) as f32 } else { 1.0 };
    let scale = scale.max(f32::MIN_POSITIVE);
    let zero_point = (-128.0 - min / f64::from(scale)).round().clamp(-128.0, 127.0);
    Quantization::new(scale, zero_point as i8)
}

struct Quantizer<'a> {
    /// What is being built.
    draft: Draft,
    graph: &'a Graph,
    /// Smallest and largest value of each tensor.
    ranges: Vec<(f32, f32)>,
    per_tensor: bool,
    /// The new tensor that holds an old one in int8.
    int8_of: Vec<Option<TensorId>>,
    /// The new tensor that holds an old one in f32.
    f32_of: Vec<Option<TensorId>>,
}

impl Quantizer<'_> {
    fn run(mut self, first_float: usize) -> Result<Graph> {
        let graph = self.graph;
        if first_float == 0 {
            self.f32_of[graph.input().0] = Some(self.tensor(graph.input(), None));
            self.draft.inputs[0].tensor = self.f32_of[graph.input().0].expect("just made");
        } else {
            let quantization = self.range(graph.input());
            self.int8_of[graph.input().0] = Some(self.tensor(graph.input(), Some(quantization)));
            self.draft.inputs[0].tensor = self.int8_of[graph.input().0].expect("just made");
        }
        for (index, node) in graph.nodes.iter().enumerate() {
            if index < first_float { self.int8_node(node)? } else { self.float_node(node) }
        }
        let output = self.f32_of[graph.output().0].or(self.int8_of[graph.output().0]);
        self.draft.outputs[0].tensor = output.expect("a verified graph writes its output");
        Graph::verify(self.draft)
    }

    fn tensor(&mut self, old: TensorId, quantization: Option<Quantization>) -> TensorId {
        let dtype = if quantization.is_some() { DType::I8 } else { DType::F32 };
        let shape = self.graph.tensor(old).shape.clone();
        self.draft.tensors.push(TensorInfo { shape, dtype, quantization });
        TensorId(self.draft.tensors.len() - 1)
    }

    /// The scale that covers a tensor's range.
    fn range(&self, id: TensorId) -> Quantization {
        covering(self.ranges[id.0])
    }

    fn int8_node(&mut self, node: &Node) -> Result<()> {
        let inputs: Vec<_> =
            node.inputs.iter().map(|id| self.int8_of[id.0].expect("int8 comes before float")).collect();
        let input = self.draft.tensors[inputs[0].0].quantization.expect("an int8 tensor has a scale");
        let quantization = match node.op {
            op if keeps_scale(&op) => input,
            Op::Softmax | Op::Activation { activation: Activation::Sigmoid } => PROBABILITIES,
            Op::Activation { activation: Activation::Tanh } => TANH,
            Op::HardSwish => {
                let output = self.range(node.output);
                // The kernel can't make numbers finer than 1/128 of the input's.
                let least = input.scale * (1.01 / 128.0);
                if output.scale > least { output } else { Quantization::new(least, output.zero_point) }
            }
            _ => self.range(node.output),
        };
        let inputs = match node.op {
            Op::Concat { .. } => inputs.iter().map(|&id| self.at_scale(id, quantization, node)).collect(),
            _ => inputs,
        };
        let op = match node.op {
            Op::Pad { before, after, .. } => Op::Pad { before, after, value: input.zero_point },
            op => op,
        };
        let constants = match node.constants[..] {
            [weights, bias] => {
                let by_last_axis = matches!(node.op, Op::DepthwiseConv2d { .. });
                let (weights, bias) = self.parameters(
                    self.graph.constant(weights),
                    self.graph.constant(bias),
                    input.scale,
                    by_last_axis,
                );
                self.draft.constants.extend([weights, bias]);
                let n = self.draft.constants.len();
                vec![crate::ConstantId(n - 2), crate::ConstantId(n - 1)]
            }
            _ => Vec::new(),
        };
        let output = self.tensor(node.output, Some(quantization));
        self.int8_of[node.output.0] = Some(output);
        self.draft.nodes.push(Node { name: node.name.clone(), op, inputs, constants, output });
        Ok(())
    }

    /// The tensor with this scale, for a concatenation, whose inputs share one.
    fn at_scale(&mut self, id: TensorId, quantization: Quantization, node: &Node) -> TensorId {
        let info = &self.draft.tensors[id.0];
        if info.quantization == Some(quantization) {
            return id;
        }
        let info = TensorInfo { quantization: Some(quantization), ..info.clone() };
        self.draft.tensors.push(info);
        let output = TensorId(self.draft.tensors.len() - 1);
        self.draft.nodes.push(Node {
            name: format!("{}.requantize_{}", node.name, id.0),
            op: Op::Requantize,
            inputs: vec![id],
            constants: Vec::new(),
            output,
        });
        output
    }

    /// Symmetric int8 weights with a scale for each output channel, and the bias in their units.
    fn parameters(
        &self,
        weights: &Constant,
        bias: &Constant,
        input: f32,
        by_last_axis: bool,
    ) -> (Constant, Constant) {
        let (w, b) = (floats(&weights.values), floats(&bias.values));
        let (outputs, row) = (b.len(), w.len() / b.len());
        let channel = |index: usize| if by_last_axis { index % outputs } else { index / row };
        let mut largest = vec![0.0f32; outputs];
        w.iter().enumerate().for_each(|(i, w)| largest[channel(i)] = largest[channel(i)].max(w.abs()));
        if self.per_tensor {
            let all = largest.iter().fold(0.0f32, |max, &w| w.max(max));
            largest.fill(all);
        }
        let scale = |(&largest, &bias): (&f32, &f32)| {
            // The bias must fit 30 bits, also where all weights are zero.
            let for_bias = bias.abs() / (input * (1 << 30) as f32);
            (largest / 127.0).max(for_bias).max(f32::MIN_POSITIVE)
        };
        let mut scales: Vec<f32> = largest.iter().zip(b).map(scale).collect();
        if self.per_tensor {
            let all = scales.iter().fold(0.0f32, |max, &s| s.max(max));
            scales.fill(all);
        }
        let quantized =
            w.iter().enumerate().map(|(i, &w)| (w / scales[channel(i)]).round().clamp(-127.0, 127.0) as i8);
        let quantized = quantized.collect();
        let biases = b.iter().zip(&scales);
        let biases = biases
            .map(|(&b, &s)| (f64::from(b) / (f64::from(input) * f64::from(s))).round() as i32)
            .collect();
        let constant = |of: &Constant, values, scales| Constant {
            name: of.name.clone(),
            shape: of.shape.clone(),
            values,
            scales,
        };
        (constant(weights, Values::I8(quantized), scales), constant(bias, Values::I32(biases), Vec::new()))
    }

    fn float_node(&mut self, node: &Node) {
        let inputs = node.inputs.iter().map(|&id| self.float_input(id)).collect();
        let constants = node.constants.iter().map(|&id| {
            self.draft.constants.push(self.graph.constant(id).clone());
            crate::ConstantId(self.draft.constants.len() - 1)
        });
        let constants = constants.collect();
        let output = self.tensor(node.output, None);
        self.f32_of[node.output.0] = Some(output);
        self.draft.nodes.push(Node { name: node.name.clone(), op: node.op, inputs, constants, output });
    }

    /// The float form of a tensor, across the border if it is int8.
    fn float_input(&mut self, id: TensorId) -> TensorId {
        if let Some(float) = self.f32_of[id.0] {
            return float;
        }
        let int8 = self.int8_of[id.0].expect("verified order of layers");
        let output = self.tensor(id, None);
        self.f32_of[id.0] = Some(output);
        self.draft.nodes.push(Node {
            name: format!("dequantize_{}", id.0),
            op: Op::Dequantize,
            inputs: vec![int8],
            constants: Vec::new(),
            output,
        });
        output
    }
}
