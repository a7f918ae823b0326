//! From a list of layers to a graph: names, shapes, fused activations, initial weights.

use super::Builder;
use super::layer::{Border, Kind, Layer};
use crate::graph::{
    Activation, Axes, Constant, ConstantId, DType, Draft, Function, Graph, Node, Op, Port, Regularizer,
    TensorId, TensorInfo, TrainRule, Values, Window,
};
use crate::train::{Fans, Initializer};
use crate::{Error, Result, ops};
use milligrad::Padding;
use std::collections::HashMap;

/// Largest number of parameters of a layer; what a microcontroller holds is far below.
const LIMIT: usize = 1 << 24;

pub(super) fn assemble(builder: &Builder, seed: u64) -> Result<Graph> {
    let mut assembly = Assembly {
        draft: Draft {
            name: builder.name.clone(),
            labels: builder.classes.clone(),
            normalize: builder.normalize,
            features: None,
            target: None,
            tensors: vec![float(builder.input.clone())],
            constants: Vec::new(),
            nodes: Vec::new(),
            training: Default::default(),
            inputs: vec![Port::input(TensorId(0))],
            outputs: vec![Port::output(TensorId(0))],
        },
        tensors: vec![TensorId(0)],
        seed,
    };
    let fused = fused_activations(&builder.layers);
    for (index, (layer, name)) in builder.layers.iter().zip(names(&builder.layers)).enumerate() {
        let Some(name) = name else {
            let tensor = assembly.tensors[layer.inputs[0].0];
            assembly.tensors.push(tensor);
            continue;
        };
        let activation = match fused_into(&fused, index).map(|activation| &builder.layers[activation].kind) {
            Some(Kind::Activation(activation)) => *activation,
            _ => Activation::Linear,
        };
        assembly.push(layer, name, activation)?;
    }
    assembly.draft.outputs[0].tensor = *assembly.tensors.get(builder.at.0).unwrap_or(&TensorId(0));
    if assembly.draft.nodes.is_empty() {
        return Err(Error::Model { model: builder.name.clone(), problem: "it has no layers".into() });
    }
    Graph::verify(assembly.draft)
}

/// The activations that become part of another layer: (their index, that layer's).
fn fused_activations(layers: &[Layer]) -> HashMap<usize, usize> {
    let mut readers = vec![0usize; layers.len() + 1];
    for input in layers.iter().flat_map(|layer| &layer.inputs) {
        if let Some(readers) = readers.get_mut(input.0) {
            *readers += 1;
        }
    }
    let mut fused = HashMap::new();
    for (index, layer) in layers.iter().enumerate() {
        let Kind::Activation(activation) = &layer.kind else { continue };
        let Some(host) = layer.inputs[0].0.checked_sub(1) else { continue };
        let takes = matches!(
            layers[host].kind,
            Kind::Dense { .. } | Kind::Conv2d { .. } | Kind::DepthwiseConv2d { .. } | Kind::Add
        );
        if takes && activation.is_clamp() && readers[host + 1] == 1 && layer.misuse.is_none() {
            fused.insert(index, host);
        }
    }
    fused
}

/// The activation that becomes part of this layer.
fn fused_into(fused: &HashMap<usize, usize>, layer: usize) -> Option<usize> {
    fused.iter().find(|(_, host)| **host == layer).map(|(activation, _)| *activation)
}

/// Every layer's name, `None` for fused activations; one that was named gives its name to the layer it joins.
pub(super) fn names(layers: &[Layer]) -> Vec<Option<String>> {
    let fused = fused_activations(layers);
    let mut names = Names::default();
    let name = |(index, layer): (usize, &Layer)| {
        let activation = fused_into(&fused, index).and_then(|activation| layers[activation].name.as_ref());
        let given = layer.name.as_ref().or(activation);
        (!fused.contains_key(&index)).then(|| names.choose(given, layer))
    };
    layers.iter().enumerate().map(name).collect()
}

struct Assembly {
    draft: Draft,
    /// The tensor of each handle.
    tensors: Vec<TensorId>,
    seed: u64,
}

impl Assembly {
    fn push(&mut self, layer: &Layer, name: String, activation: Activation) -> Result<()> {
        let inputs: Vec<TensorId> =
            layer.inputs.iter().filter_map(|input| self.tensors.get(input.0)).copied().collect();
        let input = inputs.first().map(|id| self.draft.tensors[id.0].shape.clone()).unwrap_or_default();
        let (op, problem) = match op(&layer.kind, activation, &input) {
            Ok(op) => (op, None),
            Err(problem) => (Op::Flatten, Some(problem)),
        };
        let kind = if problem.is_some() { stem(layer) } else { op.name() };
        let error = |problem: String| Error::Graph { layer: name.clone(), op: kind, problem };
        if inputs.len() != layer.inputs.len() {
            return Err(error("a handle of another builder was given to it".into()));
        }
        if let Some(problem) = layer.misuse.clone().or(problem) {
            return Err(error(problem));
        }
        if let Some(rank) = layer.rank
            && rank != input.len()
        {
            let expected =
                if rank == 2 { "[length, channels]" } else { "an image [height, width, channels]" };
            return Err(error(format!("its input is {input:?}, not {expected}")));
        }
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
            return Err(error("a name consists of letters, digits, `_`, `-` and `.`".into()));
        }
        let new = self.constants(layer, &name, &input).map_err(error)?;
        let shape = {
            let inputs: Vec<&TensorInfo> = inputs.iter().map(|id| &self.draft.tensors[id.0]).collect();
            ops::infer(&op, &inputs, &new.iter().collect::<Vec<_>>()).map_err(error)?
        };
        let output = TensorId(self.draft.tensors.len());
        self.draft.tensors.push(float(shape));
        self.tensors.push(output);
        let first = self.draft.constants.len();
        let constants = (first..first + new.len()).map(ConstantId).collect();
        let options = &layer.options;
        for (constant, (regularizer, fixed)) in
            new.iter().zip([(options.regularizer, false), (options.bias_regularizer, !options.bias)])
        {
            if (regularizer, fixed) != (Regularizer::default(), false) {
                self.draft
                    .training
                    .insert(constant.name.clone(), TrainRule { regularizer, fixed, fake_quantize: None });
            }
        }
        self.draft.constants.extend(new);
        self.draft.nodes.push(Node { name, op, inputs, constants, output });
        Ok(())
    }

    /// Weights, biases and statistics before training.
    fn constants(&self, layer: &Layer, name: &str, input: &[usize]) -> Result<Vec<Constant>, String> {
        let channels = || input.last().copied().unwrap_or(0);
        let same = |part: &str, value: f32, len: usize| {
            let values = Values::F32(vec![value; len]);
            Constant { name: format!("{name}/{part}"), shape: vec![len], values, scales: Vec::new() }
        };
        let (shape, outputs) = match layer.kind {
            Kind::Dense { units } => (vec![units, product(input)?], units),
            Kind::Conv2d { filters, window: Window { kernel: [h, w], .. } } => {
                (vec![filters, h, w, channels()], filters)
            }
            Kind::DepthwiseConv2d { multiplier, window: Window { kernel: [h, w], .. } } => {
                let outputs = product(&[channels(), multiplier])?;
                (vec![h, w, outputs], outputs)
            }
            Kind::BatchNorm { .. } => {
                let one = |part| same(part, 1.0, channels());
                let zero = |part| same(part, 0.0, channels());
                return Ok(vec![one("gamma"), zero("beta"), zero("mean"), one("variance")]);
            }
            _ => return Ok(Vec::new()),
        };
        let len = product(&shape)?;
        let fans = match shape[..] {
            [filters, h, w, channels] => Fans::conv2d([filters, h, w, channels]),
            [h, w, outputs] => Fans::depthwise_conv2d([h, w, outputs], channels()),
            _ => Fans::dense([outputs, len / outputs]),
        };
        let constant = |part: &str, init: Initializer, shape: Vec<usize>, len| {
            let name = format!("{name}/{part}");
            let values = Values::F32(init.values(len, fans, self.seed, &name));
            Constant { name, shape, values, scales: Vec::new() }
        };
        let options = &layer.options;
        let bias_init = if options.bias { options.bias_init } else { Initializer::Zeros };
        let weights = constant("weights", options.init, shape, len);
        Ok(vec![weights, constant("bias", bias_init, vec![outputs], outputs)])
    }
}

fn op(kind: &Kind, activation: Activation, input: &[usize]) -> Result<Op, String> {
    let all = || {
        let kernel = match input {
            [length, _] => [1, *length],
            _ => [0, 1].map(|axis| input.get(axis).copied().unwrap_or(0)),
        };
        Window { kernel, stride: [1, 1], dilation: [1, 1], padding: Padding::Valid }
    };
    let axes = |values: &[usize]| Axes::new(values).ok_or("a tensor has 1 to 4 axes");
    Ok(match *kind {
        Kind::Dense { .. } => Op::Dense { activation },
        Kind::Conv2d { window, .. } => Op::Conv2d { window, activation },
        Kind::DepthwiseConv2d { window, .. } => Op::DepthwiseConv2d { window, activation },
        Kind::MaxPool2d { window } => Op::MaxPool2d { window },
        Kind::AvgPool2d { window } => Op::AvgPool2d { window },
        Kind::GlobalAvgPool2d => Op::AvgPool2d { window: all() },
        Kind::GlobalMaxPool2d => Op::MaxPool2d { window: all() },
        Kind::Flatten => Op::Flatten,
        Kind::Reshape { ref shape } => Op::Reshape { shape: axes(shape)? },
        Kind::ZeroPadding { border: Border(border) } => {
            let side = |side: usize| match input.len() {
                2 => axes(&[border[1][side], 0]),
                _ => axes(&[border[0][side], border[1][side], 0]),
            };
            Op::Pad { before: side(0)?, after: side(1)?, value: 0 }
        }
        Kind::HardSwish => Op::HardSwish,
        Kind::Multiply => Op::Elementwise { function: Function::Mul, activation, constant: None },
        Kind::Concat { axis } => Op::Concat { axis: axis.unwrap_or(input.len().saturating_sub(1)) },
        Kind::Activation(activation) => Op::Activation { activation },
        Kind::Softmax => Op::Softmax,
        Kind::Add => Op::Add { activation },
        Kind::BatchNorm { epsilon, momentum } => Op::BatchNorm { epsilon, momentum },
        Kind::Dropout { rate } => Op::Dropout { rate },
        Kind::GaussianNoise { stddev } => Op::GaussianNoise { stddev },
    })
}

/// `a b c ...`, within bounds and not zero.
fn product(extents: &[usize]) -> Result<usize, String> {
    let len = extents.iter().try_fold(1usize, |len, &extent| len.checked_mul(extent));
    match len {
        Some(0) => Err(format!("sizes are at least 1, these are {extents:?}")),
        Some(len) if len <= LIMIT => Ok(len),
        _ => Err(format!("{extents:?} are more than {LIMIT} values")),
    }
}

fn float(shape: Vec<usize>) -> TensorInfo {
    TensorInfo { shape, dtype: DType::F32, quantization: None }
}

/// Default names, as Keras gives them.
#[derive(Default)]
struct Names(HashMap<&'static str, usize>);

impl Names {
    fn choose(&mut self, given: Option<&String>, layer: &Layer) -> String {
        if let Some(name) = given {
            return name.clone();
        }
        let stem = stem(layer);
        let count = self.0.entry(stem).or_default();
        *count += 1;
        if *count == 1 { stem.into() } else { format!("{stem}_{}", *count - 1) }
    }
}

/// The name of a layer of this kind.
fn stem(layer: &Layer) -> &'static str {
    let line = layer.rank == Some(2);
    match layer.kind {
        Kind::Dense { .. } => "dense",
        Kind::Conv2d { .. } if line => "conv1d",
        Kind::Conv2d { .. } => "conv2d",
        Kind::DepthwiseConv2d { .. } if line => "depthwise_conv1d",
        Kind::DepthwiseConv2d { .. } => "depthwise_conv2d",
        Kind::MaxPool2d { .. } if line => "max_pool1d",
        Kind::MaxPool2d { .. } => "max_pool2d",
        Kind::AvgPool2d { .. } if line => "avg_pool1d",
        Kind::AvgPool2d { .. } => "avg_pool2d",
        Kind::GlobalAvgPool2d if line => "global_avg_pool1d",
        Kind::GlobalAvgPool2d => "global_avg_pool2d",
        Kind::Flatten => "flatten",
        Kind::Activation(activation) => match activation {
            Activation::Linear => "linear",
            Activation::Relu => "relu",
            Activation::Relu6 => "relu6",
            Activation::LeakyRelu { .. } => "leaky_relu",
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
            Activation::Elu { .. } => "elu",
        },
        Kind::HardSwish => "hard_swish",
        Kind::Multiply => "multiply",
        Kind::Concat { .. } => "concat",
        Kind::GaussianNoise { .. } => "gaussian_noise",
        Kind::Reshape { .. } => "reshape",
        Kind::ZeroPadding { .. } if line => "zero_padding1d",
        Kind::ZeroPadding { .. } => "zero_padding2d",
        Kind::GlobalMaxPool2d if line => "global_max_pool1d",
        Kind::GlobalMaxPool2d => "global_max_pool2d",
        Kind::Softmax => "softmax",
        Kind::Add => "add",
        Kind::BatchNorm { .. } => "batch_norm",
        Kind::Dropout { .. } => "dropout",
    }
}

#[cfg(test)]
mod tests;
