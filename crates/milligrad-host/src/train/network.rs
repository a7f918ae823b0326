//! A graph compiled for training: layers in order, the buffers between them, and one vector of parameters.

use super::layers::{
    Add, AvgPool2d, BatchNorm, Concat, Conv2d, Dense, DepthwiseConv2d, Dropout, Elementwise, FakeQuantize,
    Function, GaussianNoise, Layer, MaxPool2d, Multiply, Pad, Softmax, WeightsAndBias,
};
use super::layout::Layout;
use super::real::Real;
use crate::error::Result;
use crate::graph::{self, Activation, ConstantId, DType, Graph, Node, Op, TensorId, Window};
use crate::ops::{geometry, plane};
use milligrad::Window2d;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// An executable for blocks of `N` samples.
pub(crate) struct Network<F, const N: usize> {
    pub(crate) layout: Layout,
    pub(crate) steps: Vec<Step<F, N>>,
    /// The layer of each step, for messages.
    pub(crate) names: Vec<String>,
    /// Blocks in each buffer.
    pub(crate) slots: Vec<Slot>,
    pub(crate) input: usize,
    pub(crate) output: usize,
    /// The steps that are batch norms with the batch's statistics: all lanes meet before each of them.
    pub(crate) meetings: Vec<usize>,
}

/// A buffer of activations. A flattened or reshaped tensor shares its input's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    /// Elements of the tensor.
    pub(crate) len: usize,
    /// With one pixel more, which is zero and stands for padding.
    pub(crate) room: usize,
}

/// One layer at work.
pub(crate) struct Step<F, const N: usize> {
    pub(crate) kind: Kind<F, N>,
    pub(crate) inputs: Vec<Source<F>>,
    pub(crate) output: usize,
    /// The range of the fused activation, if it has one.
    pub(crate) clamp: Option<(F, F)>,
    /// Has the layer that reads the output masked its derivative already?
    pub(crate) masked: bool,
    /// Constants that are trained, and whether a later step (which goes first backwards) has written their gradient.
    pub(crate) wanted: [bool; 2],
    pub(crate) accumulate: [bool; 2],
    /// Where its weights lie, if the step of the optimizer can form their gradient itself: they are a dense layer's,
    /// and no other's.
    pub(crate) fused: Option<Range<usize>>,
}

/// A layer, or a batch norm in training, which needs the whole batch.
pub(crate) enum Kind<F, const N: usize> {
    Layer(Box<dyn Layer<F, N>>),
    BatchNorm(BatchNorm),
}

impl<F: Real, const N: usize> Kind<F, N> {
    pub(crate) fn layer(&self) -> &dyn Layer<F, N> {
        match self {
            Self::Layer(layer) => layer.as_ref(),
            Self::BatchNorm(layer) => layer,
        }
    }
}

/// What a step reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<F> {
    pub(crate) slot: usize,
    /// Is the derivative by this input needed?
    pub(crate) wanted: bool,
    /// Has a later step written it already?
    pub(crate) accumulate: bool,
    /// The range of the fused activation that this step masks the derivative with.
    pub(crate) clamp: Option<(F, F)>,
}

impl<F: Real, const N: usize> Network<F, N> {
    /// The layers that `output` depends on; those for which `frozen` holds are not trained.
    ///
    /// # Errors
    /// If the graph is quantised.
    pub(crate) fn compile(graph: &Graph, output: TensorId, frozen: impl Fn(&Node) -> bool) -> Result<Self> {
        let nodes = needed(graph, output);
        let mut constants = Vec::new();
        for node in &nodes {
            if node.inputs.iter().chain([&node.output]).any(|&id| graph.tensor(id).dtype != DType::F32) {
                return Err(graph.error(node, "the trainer computes in floats; train before you quantise"));
            }
            let statistics = |i: usize| matches!(node.op, Op::BatchNorm { .. }) && i >= 2;
            let fixed = |id| graph.training.get(&graph.constant(id).name).is_some_and(|rule| rule.fixed);
            let trained = |i: usize, id| !frozen(node) && !statistics(i) && !fixed(id);
            constants.extend(node.constants.iter().enumerate().map(|(i, &id)| (id, trained(i, id))));
        }
        let layout = Layout::new(graph, &constants);
        let (slots, slot_of) = slots(graph, &nodes);
        let mut network = Self {
            layout,
            steps: Vec::new(),
            names: Vec::new(),
            slots,
            input: slot_of[&graph.input()],
            output: slot_of[&output],
            meetings: Vec::new(),
        };
        for (number, node) in nodes.iter().enumerate() {
            if is_view(&node.op) {
                continue;
            }
            let kind = network.kind(graph, node, number, frozen(node))?;
            if let Kind::BatchNorm(_) = kind {
                network.meetings.push(network.steps.len());
            }
            let inputs = node.inputs.iter().map(|id| Source {
                slot: slot_of[id],
                wanted: false,
                accumulate: false,
                clamp: None,
            });
            network.names.push(node.name.clone());
            network.steps.push(Step {
                kind,
                inputs: inputs.collect(),
                output: slot_of[&node.output],
                clamp: node
                    .op
                    .fused_activation()
                    .map(range)
                    .filter(|c| c.0 > -F::INFINITY || c.1 < F::INFINITY),
                masked: false,
                wanted: [0, 1]
                    .map(|i| node.constants.get(i).is_some_and(|&id| network.layout.place(id).trainable)),
                accumulate: [false; 2],
                fused: None,
            });
        }
        let constants: Vec<&[ConstantId]> =
            nodes.iter().filter(|n| !is_view(&n.op)).map(|n| &n.constants[..]).collect();
        network.plan_backward(&constants);
        network.plan_fusion(&constants);
        network.plan_masks();
        Ok(network)
    }

    fn kind(&self, graph: &Graph, node: &Node, number: usize, frozen: bool) -> Result<Kind<F, N>> {
        let input = graph.tensor(node.inputs[0]);
        let place = |i: usize| self.layout.place(node.constants[i]).range.clone();
        let weights = || WeightsAndBias { weights: place(0), bias: place(1) };
        let clamp = node.op.fused_activation().map_or((-F::INFINITY, F::INFINITY), range);
        let geometry = |window: &Window| -> Result<Window2d> {
            let extents = plane(input).map_err(|problem| graph.error(node, problem))?;
            geometry(window, extents).map_err(|problem| graph.error(node, problem))
        };
        let len = input.len();
        let layer: Box<dyn Layer<F, N>> = match &node.op {
            Op::Dense { .. } => Box::new(Dense { inputs: len, place: weights(), clamp }),
            Op::Conv2d { window, .. } => Box::new(Conv2d::new(geometry(window)?, weights(), clamp)),
            Op::DepthwiseConv2d { window, .. } => {
                Box::new(DepthwiseConv2d::new(geometry(window)?, weights(), clamp))
            }
            Op::MaxPool2d { window } => Box::new(MaxPool2d::new(&geometry(window)?)),
            Op::AvgPool2d { window } => Box::new(AvgPool2d::new(&geometry(window)?)),
            Op::Activation { activation } => {
                Box::new(Elementwise { function: Function::Activation(*activation), len })
            }
            Op::HardSwish => Box::new(Elementwise { function: Function::HardSwish, len }),
            Op::Softmax => Box::new(Softmax { len }),
            Op::Add { .. } => Box::new(Add { len, clamp }),
            Op::Elementwise { function: graph::Function::Mul, constant: None, .. } => {
                let shapes = [0, 1].map(|i| &graph.tensor(node.inputs[i]).shape[..]);
                Box::new(Multiply::new(shapes, &graph.tensor(node.output).shape, clamp))
            }
            Op::Concat { axis } => {
                let shapes = node.inputs.iter().map(|&id| &graph.tensor(id).shape[..]);
                Box::new(Concat::new(shapes, *axis))
            }
            Op::Pad { before, .. } => {
                Box::new(Pad::new(&input.shape, before, &graph.tensor(node.output).shape))
            }
            Op::Dropout { rate } => Box::new(Dropout { rate: *rate, len, layer: number as u64 }),
            Op::GaussianNoise { stddev } => {
                Box::new(GaussianNoise { stddev: *stddev, len, layer: number as u64 })
            }
            Op::FakeQuantize { min, max } => {
                Box::new(FakeQuantize::new(len, crate::quantize::covering((*min, *max))))
            }
            Op::BatchNorm { epsilon, momentum } => {
                let layer = BatchNorm {
                    len,
                    channels: input.shape.last().copied().unwrap_or(1),
                    epsilon: *epsilon,
                    momentum: *momentum,
                    gamma: place(0),
                    beta: place(1),
                    mean: place(2),
                    variance: place(3),
                };
                if !frozen {
                    return Ok(Kind::BatchNorm(layer));
                }
                Box::new(layer)
            }
            _ => {
                return Err(graph.error(node, "the trainer computes in floats; train before you quantise"));
            }
        };
        Ok(Kind::Layer(layer))
    }

    /// Finds out which derivatives are needed, and which of several that go to one place is written first.
    fn plan_backward(&mut self, constants: &[&[ConstantId]]) {
        let mut trained = HashSet::new();
        for step in &mut self.steps {
            for input in &mut step.inputs {
                input.wanted = trained.contains(&input.slot);
            }
            if step.wanted.contains(&true) || step.inputs.iter().any(|input| input.wanted) {
                trained.insert(step.output);
            }
        }
        let (mut slots, mut gradients) = (HashSet::new(), HashSet::new());
        for (step, constants) in self.steps.iter_mut().zip(constants).rev() {
            for input in step.inputs.iter_mut().filter(|input| input.wanted) {
                input.accumulate = !slots.insert(input.slot);
            }
            for (accumulate, &constant) in step.accumulate.iter_mut().zip(*constants) {
                *accumulate = !gradients.insert(constant);
            }
        }
    }

    /// Finds the dense layers whose gradient need not be stored: those whose rows are whole vectors.
    fn plan_fusion(&mut self, constants: &[&[ConstantId]]) {
        const LANES: usize = 16;
        for (step, of_step) in self.steps.iter_mut().zip(constants) {
            let dense = step.kind.layer().dense().filter(|dense| dense.inputs.is_multiple_of(LANES));
            if step.wanted[0] && dense.is_some() {
                let users = constants.iter().filter(|constants| constants.contains(&of_step[0])).count();
                step.fused = (users == 1).then(|| self.layout.place(of_step[0]).range.clone());
            }
        }
    }

    /// Where the only layer that reads a clamped output can mask the derivative in passing, it does.
    fn plan_masks(&mut self) {
        for i in 0..self.steps.len() {
            let Some(clamp) = self.steps[i].clamp else { continue };
            let slot = self.steps[i].output;
            let reads = |step: &Step<F, N>| step.inputs.iter().filter(|input| input.slot == slot).count();
            let mut readers = (0..self.steps.len()).filter(|&j| reads(&self.steps[j]) > 0);
            if let (Some(j), None) = (readers.next(), readers.next()) {
                let reader = &mut self.steps[j];
                if slot != self.output && reader.inputs.len() == 1 && reader.kind.layer().masks() {
                    reader.inputs[0].clamp = Some(clamp);
                    self.steps[i].masked = true;
                }
            }
        }
    }

    /// Multiplications of one sample's forward pass.
    pub(crate) fn multiplications(&self) -> usize {
        self.steps.iter().map(|step| step.kind.layer().multiplications()).sum()
    }
}

/// The nodes that a tensor depends on, in order.
fn needed(graph: &Graph, output: TensorId) -> Vec<&Node> {
    let mut wanted = HashSet::from([output]);
    let mut nodes: Vec<&Node> = Vec::new();
    for node in graph.nodes.iter().rev() {
        if wanted.contains(&node.output) {
            wanted.extend(&node.inputs);
            nodes.push(node);
        }
    }
    nodes.reverse();
    nodes
}

/// `true` if the output is the input with other extents.
fn is_view(op: &Op) -> bool {
    matches!(op, Op::Flatten | Op::Reshape { .. })
}

/// A buffer for each tensor.
fn slots(graph: &Graph, nodes: &[&Node]) -> (Vec<Slot>, HashMap<TensorId, usize>) {
    let slot = |id: TensorId| {
        let info = graph.tensor(id);
        let pixel = match info.shape[..] {
            [_, channels] | [_, _, channels] => channels,
            _ => 0,
        };
        Slot { len: info.len(), room: info.len() + pixel }
    };
    let mut slots = vec![slot(graph.input())];
    let mut slot_of = HashMap::from([(graph.input(), 0)]);
    for node in nodes {
        let number = if is_view(&node.op) {
            let number: usize = slot_of[&node.inputs[0]];
            slots[number].room = slots[number].room.max(slot(node.output).room);
            number
        } else {
            slots.push(slot(node.output));
            slots.len() - 1
        };
        slot_of.insert(node.output, number);
    }
    (slots, slot_of)
}

/// A fused activation as a range.
fn range<F: Real>(activation: Activation) -> (F, F) {
    match activation {
        Activation::Relu => (F::ZERO, F::INFINITY),
        Activation::Relu6 => (F::ZERO, F::from_f32(6.0)),
        _ => (-F::INFINITY, F::INFINITY),
    }
}
