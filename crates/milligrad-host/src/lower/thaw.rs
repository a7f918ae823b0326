//! The part of an int8 model that is to learn, as floats again: from the first layer that learns on.

use crate::error::Result;
use crate::graph::{
    Constant, ConstantId, DType, Draft, Function, Graph, Node, Op, TensorId, TensorInfo, Values,
};

/// The graph with all nodes from `first` on in floats; those before stay as they are, and a `Dequantize` stands at each
/// border. A graph that is float from there on stays as it is.
///
/// # Errors
/// If a layer from there on exists in int8 only.
pub(super) fn thaw(graph: &Graph, first: usize) -> Result<Graph> {
    let int8 = |id: &TensorId| graph.tensor(*id).dtype == DType::I8;
    if !graph.nodes[first..].iter().any(|node| int8(&node.output)) {
        return Ok(graph.clone());
    }
    let mut draft = graph.clone().into_draft();
    draft.nodes.truncate(first);
    let mut thaw = Thaw { graph, float_of: vec![None; draft.tensors.len()], draft };
    for node in &graph.nodes[first..] {
        thaw.node(node)?;
    }
    let output = thaw.float(graph.output());
    thaw.draft.outputs[0].tensor = output;
    Graph::verify(thaw.draft)
}

struct Thaw<'a> {
    graph: &'a Graph,
    draft: Draft,
    /// The float form of each tensor.
    float_of: Vec<Option<TensorId>>,
}

impl Thaw<'_> {
    fn new_tensor(&mut self, like: TensorId) -> TensorId {
        let shape = self.graph.tensor(like).shape.clone();
        self.draft.tensors.push(TensorInfo { shape, dtype: DType::F32, quantization: None });
        TensorId(self.draft.tensors.len() - 1)
    }

    /// The float form of a tensor, across the border if it is int8.
    fn float(&mut self, id: TensorId) -> TensorId {
        if let Some(float) = self.float_of[id.0] {
            return float;
        }
        if self.graph.tensor(id).dtype == DType::F32 {
            return id;
        }
        let output = self.new_tensor(id);
        self.float_of[id.0] = Some(output);
        let mut name = format!("dequantize_{}", id.0);
        while self.graph.nodes.iter().any(|node| node.name == name) {
            name.push('_');
        }
        self.draft.nodes.push(Node {
            name,
            op: Op::Dequantize,
            inputs: vec![id],
            constants: Vec::new(),
            output,
        });
        output
    }

    fn node(&mut self, node: &Node) -> Result<()> {
        let graph = self.graph;
        let input = graph.tensor(node.inputs[0]);
        let inputs: Vec<_> = node.inputs.iter().map(|&id| self.float(id)).collect();
        let op = match node.op {
            // Between floats there is nothing to convert.
            Op::Quantize | Op::Dequantize | Op::Requantize => {
                self.float_of[node.output.0] = Some(inputs[0]);
                return Ok(());
            }
            Op::Elementwise { function: Function::Add, activation, constant: None } => Op::Add { activation },
            Op::Pad { before, after, value }
                if input.quantization.is_some_and(|q| q.zero_point == value) || input.dtype == DType::F32 =>
            {
                Op::Pad { before, after, value: 0 }
            }
            op @ (Op::Dense { .. }
            | Op::Conv2d { .. }
            | Op::DepthwiseConv2d { .. }
            | Op::MaxPool2d { .. }
            | Op::AvgPool2d { .. }
            | Op::Flatten
            | Op::Reshape { .. }
            | Op::Activation { .. }
            | Op::Softmax
            | Op::Add { .. }
            | Op::HardSwish
            | Op::Concat { .. }) => op,
            op if input.dtype == DType::F32 => op,
            _ => {
                return Err(graph.error(
                    node,
                    "it exists in int8 only, and comes after the first layer that is to learn, from which on all is float; \
                     choose layers after it (--trainable last:N or names)",
                ));
            }
        };
        let constants = match node.constants[..] {
            [weights, bias] if !graph.constant(weights).scales.is_empty() => {
                let scale = input.quantization.map_or(1.0, |q| q.scale);
                let by_last_axis = matches!(node.op, Op::DepthwiseConv2d { .. });
                self.parameters(graph.constant(weights), graph.constant(bias), scale, by_last_axis)
            }
            _ => node.constants.clone(),
        };
        let output = match graph.tensor(node.output).dtype {
            DType::F32 => node.output,
            DType::I8 => self.new_tensor(node.output),
        };
        self.float_of[node.output.0] = Some(output);
        self.draft.nodes.push(Node { name: node.name.clone(), op, inputs, constants, output });
        Ok(())
    }

    /// Weights times their scales; biases times those and the input's.
    fn parameters(
        &mut self,
        weights: &Constant,
        bias: &Constant,
        input: f32,
        by_last_axis: bool,
    ) -> Vec<ConstantId> {
        let (outputs, row) = (bias.values.len(), weights.values.len() / bias.values.len());
        let scale = |channel: usize| weights.scales[if weights.scales.len() == 1 { 0 } else { channel }];
        let channel = |index: usize| if by_last_axis { index % outputs } else { index / row };
        let weight_values = match &weights.values {
            Values::I8(q) => {
                let value = |(index, &q): (usize, &i8)| f32::from(q) * scale(channel(index));
                Values::F32(q.iter().enumerate().map(value).collect())
            }
            other => other.clone(),
        };
        let bias_values = match &bias.values {
            Values::I32(q) => {
                let real = |(channel, &q): (usize, &i32)| {
                    (f64::from(q) * f64::from(input) * f64::from(scale(channel))) as f32
                };
                Values::F32(q.iter().enumerate().map(real).collect())
            }
            other => other.clone(),
        };
        [(weights, weight_values), (bias, bias_values)]
            .map(|(of, values)| {
                let constant =
                    Constant { name: of.name.clone(), shape: of.shape.clone(), values, scales: Vec::new() };
                self.draft.constants.push(constant);
                ConstantId(self.draft.constants.len() - 1)
            })
            .to_vec()
    }
}
