//! The way back: which actions compute the deltas, and which update the parameters.

use super::Lowering;
use crate::error::{Error, Result};
use crate::graph::DType;
use crate::program::{Apply, Backward, BufferId, Kernel, Layer, Learning, OptimizerKind, Step};
use milligrad::Clamp;
use std::collections::{HashMap, HashSet};

impl Lowering<'_> {
    /// Lays out a training step after the forward pass. Time goes on: the loss, the deltas, the updates.
    pub(super) fn learning(&mut self, optimizer: OptimizerKind, output: BufferId) -> Result<Learning> {
        let last = self.steps.last().expect("a graph with weights has steps");
        if !matches!(last.kernel, Kernel::Softmax) || last.output != output {
            return Err(Error::Model {
                model: self.graph.name.clone(),
                problem: "only models that end in a float softmax learn on the device; end the model in softmax, or \
                          train on the desk"
                    .into(),
            });
        }
        // The loss turns the probabilities into δ of the scores, in place.
        let scores = last.inputs[0];
        let mut way = Way {
            deltas: HashMap::from([(scores, output)]),
            needed: self.needed(),
            backward: Vec::new(),
            time: self.steps.len() + 1,
            delta_of_step: HashMap::new(),
        };
        let passes = |kernel: &Kernel| {
            !matches!(kernel, Kernel::HardSwish | Kernel::Mul { .. } | Kernel::Pad { .. } | Kernel::Concat(_))
        };
        let on_the_way = |step: &&Step| way.needed.contains(&step.output) && !passes(&step.kernel);
        if let Some(step) = self.steps.iter().find(on_the_way) {
            return Err(Error::Graph {
                layer: step.name.clone(),
                op: step.op,
                problem:
                    "layers before it can't learn on the device; let fewer layers learn, or train on the desk"
                        .into(),
            });
        }
        for step in (0..self.steps.len() - 1).rev() {
            self.back_through(step, &mut way);
        }
        let mut apply = Vec::new();
        for (step, parameters) in self.learners.clone() {
            apply.push(self.apply(step, parameters, &way));
            way.time += 1;
        }
        Ok(Learning { optimizer, backward: way.backward, apply })
    }

    /// Buffers whose δ is needed: those that depend on a parameter that learns.
    fn needed(&self) -> HashSet<BufferId> {
        let mut needed = HashSet::new();
        for (index, step) in self.steps.iter().enumerate() {
            let learns = self.learners.iter().any(|(step, _)| *step == index);
            if learns || step.inputs.iter().any(|id| needed.contains(id)) {
                needed.insert(step.output);
            }
        }
        needed
    }

    fn back_through(&mut self, index: usize, way: &mut Way) {
        let step = self.steps[index].clone();
        let Some(&delta) = way.deltas.get(&step.output) else { return };
        if !way.needed.contains(&step.output) {
            return;
        }
        self.touch(delta, way.time);
        let masks = match &step.kernel {
            Kernel::F32(layer) => layer.parameters().is_some_and(|p| p.output != Clamp::<f32>::LINEAR),
            Kernel::Add(range) => *range != Clamp::<f32>::LINEAR,
            Kernel::LeakyRelu { .. }
            | Kernel::Elu { .. }
            | Kernel::Sigmoid
            | Kernel::Tanh
            | Kernel::Clamp(_) => true,
            _ => false,
        };
        if masks {
            self.touch(step.output, way.time);
            self.touch(delta, way.time);
            way.push(Backward::Activation { step: index, y: step.output, delta });
        }
        way.delta_of_step.insert(index, delta);
        match &step.kernel {
            Kernel::F32(layer) => {
                if way.needed.contains(&step.inputs[0]) {
                    self.through_layer(index, layer, delta, way);
                }
            }
            Kernel::Add(_) => {
                for (i, &input) in step.inputs.iter().enumerate() {
                    // The first input takes over δ itself; where it is both inputs, it is added to itself below.
                    if way.needed.contains(&input) {
                        self.hand_on(delta, input, i == 0, way);
                    }
                }
            }
            Kernel::Dequantize(_) | Kernel::Quantize(_) => {}
            _ if step.inputs[0] == step.output => {}
            _ => self.hand_on(delta, step.inputs[0], true, way),
        }
    }

    /// `δx` through a layer, added up where other layers read `x` too.
    fn through_layer(&mut self, index: usize, layer: &Layer<f32>, delta: BufferId, way: &mut Way) {
        let x = self.steps[index].inputs[0];
        let y = self.steps[index].output;
        let name = format!("{} delta_x", self.steps[index].name);
        let delta_x = self.new_buffer(name, DType::F32, self.buffers[x.0].len, way.time);
        let patch = (layer.parameters().is_some() && !matches!(layer, Layer::Dense { .. })).then(|| {
            let len = patch_len(layer);
            self.new_buffer(format!("{} patch", self.steps[index].name), DType::F32, len, way.time)
        });
        let values = matches!(layer, Layer::MaxPool2d { .. }).then_some((x, y));
        for id in [delta].into_iter().chain(values.into_iter().flat_map(|(x, y)| [x, y])) {
            self.touch(id, way.time);
        }
        way.push(Backward::Input { step: index, delta, patch, values, delta_x });
        self.hand_on(delta_x, x, true, way);
    }

    /// Makes `delta` the δ of `x`, or adds it to what is there. Without `move_it`, `delta` is kept for others.
    fn hand_on(&mut self, delta: BufferId, x: BufferId, move_it: bool, way: &mut Way) {
        match way.deltas.get(&x).copied() {
            None if move_it => {
                way.deltas.insert(x, delta);
            }
            None => {
                let name = format!("{} delta", self.buffers[x.0].name);
                let copy = self.new_buffer(name, DType::F32, self.buffers[x.0].len, way.time);
                self.touch(delta, way.time);
                way.push(Backward::Join { from: delta, into: copy, first: true });
                way.deltas.insert(x, copy);
            }
            Some(into) => {
                self.touch(delta, way.time);
                self.touch(into, way.time);
                way.push(Backward::Join { from: delta, into, first: false });
            }
        }
    }

    fn apply(&mut self, step: usize, parameters: (usize, usize), way: &Way) -> Apply {
        let x = self.steps[step].inputs[0];
        let delta = way.delta_of_step[&step];
        self.touch(x, way.time);
        self.touch(delta, way.time);
        let name = self.steps[step].name.clone();
        let Kernel::F32(layer) = self.steps[step].kernel.clone() else {
            unreachable!("only float layers learn")
        };
        if let Layer::Dense { .. } = layer {
            return Apply { step, x, delta, patch: None, gradients: None, parameters };
        }
        let (w, b) = parameters;
        let lens = [w, b].map(|index| self.parameters[index].values.len());
        let mut buffer =
            |what: &str, len| self.new_buffer(format!("{name} {what}"), DType::F32, len, way.time);
        let patch = Some(buffer("patch", patch_len(&layer)));
        let weights = buffer("weight gradient", lens[0]);
        let biases = buffer("bias gradient", lens[1]);
        Apply { step, x, delta, patch, gradients: Some((weights, biases)), parameters }
    }
}

fn patch_len(layer: &Layer<f32>) -> usize {
    match layer {
        Layer::Conv2d { window, .. } | Layer::DepthwiseConv2d { window, .. } => window.patch_len(),
        _ => 0,
    }
}

/// The way back so far.
struct Way {
    /// Where δ of a forward buffer is.
    deltas: HashMap<BufferId, BufferId>,
    needed: HashSet<BufferId>,
    backward: Vec<Backward>,
    time: usize,
    /// δ of the sums of each step passed.
    delta_of_step: HashMap<usize, BufferId>,
}

impl Way {
    fn push(&mut self, action: Backward) {
        self.backward.push(action);
        self.time += 1;
    }
}
