//! The way back: which actions compute the deltas, and which update the parameters.

use super::{Learn, Lowering};
use crate::error::{Error, Result};
use crate::program::ElementType;
use crate::program::{
    Apply, Backward, BufferId, FixedKernel, Gradients, Kernel, Learning, LossKind, ParameterIds, Step,
    TrainingLayer,
};
use milligrad::Clamp;
use std::collections::{HashMap, HashSet};

impl Lowering<'_> {
    /// Lays out a training step after the forward pass. Time goes on: the loss, the deltas, the updates.
    pub(super) fn learning(&mut self, learn: &Learn, output: BufferId) -> Result<Learning> {
        let output = self.mantissas(output);
        let last = self.last_step();
        self.touch(output, self.steps.len());
        let (loss, past_activation) = self.loss(learn.loss, output)?;
        let mut way = Way {
            deltas: HashMap::new(),
            needed: self.needed(),
            backward: Vec::new(),
            time: self.steps.len() + 1,
            delta_of_step: HashMap::new(),
        };
        // The loss turns the outputs into δ, in place: of what went into the last activation, or of the outputs.
        let mut delta = output;
        if past_activation {
            way.deltas.insert(self.steps[last].inputs[0], output);
        } else {
            if reads_output(&self.steps[last].kernel) {
                delta =
                    self.new_buffer("delta", self.delta_type(), self.buffers[output.0].len, self.steps.len());
            }
            way.deltas.insert(output, delta);
        }
        let end = if past_activation { last } else { last + 1 };
        for step in (0..end).rev() {
            self.back_through(step, &mut way)?;
        }
        // Layers that make floats of int8 come last: when the inputs of all others are no longer needed, a block lies there.
        let mut learners = self.learners.clone();
        learners.sort_by_key(|&(step, _)| self.steps[step].kernel.dequantizes().is_some());
        let mut apply: Vec<Apply> = Vec::new();
        for &(step, parameters) in &learners {
            if !way.delta_of_step.contains_key(&step) {
                let Step { name, op, .. } = &self.steps[step];
                let problem =
                    "it can't learn: its output does not reach the loss; choose other layers".into();
                return Err(Error::Graph { layer: name.clone(), op, problem });
            }
            apply.push(self.gradients(step, parameters, learn, &way));
            way.time += 1;
        }
        // A guard decides when all gradients are known, so that what the updates read has to stay.
        for apply in apply.iter_mut().filter(|_| learn.guard) {
            match apply.gradients {
                Some(gradients) => gradients.buffers().for_each(|id| self.touch(id, way.time)),
                None => [apply.x, apply.delta].into_iter().for_each(|id| self.touch(id, way.time)),
            }
            apply.patch = self.block(apply, way.time).or(apply.patch);
            way.time += 1;
        }
        // Sums over a batch live from step to step.
        for id in apply.iter().filter_map(|apply| apply.batch).flat_map(Gradients::buffers) {
            (self.buffers[id.0].first, self.buffers[id.0].last) = (0, way.time);
        }
        Ok(Learning {
            optimizer: learn.optimizer,
            loss,
            output,
            delta,
            backward: way.backward,
            apply,
            guard: learn.guard,
            batches: learn.batches,
            fixed: learn.fixed,
        })
    }

    /// What an output that is made of a block is made of.
    fn mantissas(&self, output: BufferId) -> BufferId {
        match self.steps.last() {
            Some(Step { kernel: Kernel::Fixed(FixedKernel::ToReals), inputs, output: reals, .. })
                if *reals == output =>
            {
                inputs[0]
            }
            _ => output,
        }
    }

    /// The last step of the network itself.
    fn last_step(&self) -> usize {
        let converts = |step: &Step| step.kernel == Kernel::Fixed(FixedKernel::ToReals);
        self.steps.iter().rposition(|step| !converts(step)).unwrap_or(0)
    }

    /// The type of deltas.
    fn delta_type(&self) -> ElementType {
        if self.fixed { ElementType::I16 } else { ElementType::F32 }
    }

    /// The loss, and whether it gives δ of what went into the last activation.
    fn loss(&self, wanted: Option<LossKind>, output: BufferId) -> Result<(LossKind, bool)> {
        let model = |problem: &str| Error::Model { model: self.graph.name.clone(), problem: problem.into() };
        let last = self.steps.get(self.last_step()).ok_or_else(|| model("it has no layers"))?;
        if last.output != output {
            return Err(model(
                "it gives out what is not its last layer's; only its last layer's outputs can have a loss",
            ));
        }
        if self.buffers[output.0].dtype != self.delta_type() {
            return Err(model("its output is int8; only float outputs can have a loss"));
        }
        let whole = last.shape.iter().product::<usize>() == last.shape.last().copied().unwrap_or(1);
        let usual = match last.kernel {
            Kernel::Softmax | Kernel::Fixed(FixedKernel::Softmax) if whole => {
                LossKind::SparseCategoricalCrossEntropy
            }
            Kernel::Sigmoid | Kernel::Fixed(FixedKernel::Sigmoid { probability: true }) => {
                LossKind::BinaryCrossEntropy
            }
            _ => LossKind::MeanSquaredError,
        };
        let loss = wanted.unwrap_or(usual);
        if loss != usual && loss != LossKind::MeanSquaredError {
            return Err(model(
                "cross entropy needs a softmax over all outputs at the end, binary cross entropy a sigmoid; add one, or \
                 train with the mean squared error",
            ));
        }
        Ok((loss, loss != LossKind::MeanSquaredError))
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

    fn back_through(&mut self, index: usize, way: &mut Way) -> Result<()> {
        let step = self.steps[index].clone();
        let Some(&delta) = way.deltas.get(&step.output) else { return Ok(()) };
        if !way.needed.contains(&step.output) {
            return Ok(());
        }
        self.touch(delta, way.time);
        let masks = masks(&step.kernel);
        if masks {
            self.touch(step.output, way.time);
            self.touch(delta, way.time);
            way.push(Backward::Activation { step: index, y: step.output, delta });
        }
        way.delta_of_step.insert(index, delta);
        if let Some(layer) = step.kernel.trains() {
            if way.needed.contains(&step.inputs[0]) {
                self.through_layer(index, layer, delta, way);
            }
            return Ok(());
        }
        match &step.kernel {
            Kernel::Add(_) | Kernel::Fixed(FixedKernel::Add(_)) => {
                for (i, &input) in step.inputs.iter().enumerate() {
                    // The first input takes over δ itself; where it is both inputs, it is added to itself below.
                    if way.needed.contains(&input) {
                        self.hand_on(delta, input, i == 0, way);
                    }
                }
            }
            Kernel::Dequantize(_) | Kernel::Fixed(FixedKernel::FromInt8 { .. } | FixedKernel::FromReals) => {}
            kernel if passes(kernel) => {
                // In place δ is where it should be.
                let x = step.inputs[0];
                let elsewhere = x != step.output && way.needed.contains(&x);
                elsewhere.then(|| self.hand_on(delta, x, true, way));
            }
            _ if step.inputs.iter().any(|input| way.needed.contains(input)) => {
                return Err(no_way_back(&step));
            }
            _ => {}
        }
        Ok(())
    }

    /// `δx` through a layer, added up where other layers read `x` too.
    fn through_layer(&mut self, index: usize, layer: TrainingLayer, delta: BufferId, way: &mut Way) {
        let x = self.steps[index].inputs[0];
        let y = self.steps[index].output;
        let name = format!("{} delta_x", self.steps[index].name);
        let delta_x = self.new_buffer(name, self.delta_type(), self.buffers[x.0].len, way.time);
        let channels = match &self.steps[index].kernel {
            Kernel::Fixed(kernel) if kernel.keeps_sums() => {
                Some(self.buffers[y.0].len / layer.convolution.map_or(1, |window| window.positions()))
            }
            _ => None,
        };
        // With dynamic exponents it is δ in fewer bits.
        let patch = channels.or(layer.convolution.map(|window| window.patch_len())).map(|len| {
            let name = format!("{} patch", self.steps[index].name);
            self.new_buffer(name, self.delta_type(), len, way.time)
        });
        let sums = channels.map(|_| {
            let len = self.buffers[x.0].len + layer.convolution.map_or(0, |window| window.patch_len());
            self.new_buffer(format!("{} sums", self.steps[index].name), ElementType::I32, len, way.time)
        });
        let values = layer.maximum.then_some((x, y));
        for id in [delta].into_iter().chain(values.into_iter().flat_map(|(x, y)| [x, y])) {
            self.touch(id, way.time);
        }
        way.push(Backward::Input { step: index, delta, patch, sums, values, delta_x });
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
                let copy = self.new_buffer(name, self.delta_type(), self.buffers[x.0].len, way.time);
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

    /// Where the gradients of a layer come from, and where they go if they are stored.
    fn gradients(&mut self, step: usize, parameters: ParameterIds, learn: &Learn, way: &Way) -> Apply {
        let x = self.steps[step].inputs[0];
        let delta = way.delta_of_step[&step];
        let name = self.steps[step].name.clone();
        let layer = self.steps[step].kernel.trains().expect("only layers that train learn");
        let delta_type = self.delta_type();
        let gradient_type = if self.fixed { ElementType::I32 } else { ElementType::F32 };
        self.touch(delta, way.time);
        if parameters.weights.is_some() {
            self.touch(x, way.time);
        }
        let (weights, biases) = (
            parameters.weights.map(|index| self.parameters[index].values.len()),
            self.parameters[parameters.biases].values.len(),
        );
        let mut buffer =
            |what: &str, dtype, len| self.new_buffer(format!("{name} {what}"), dtype, len, way.time);
        let mut pair = |of: &str| Gradients {
            weights: weights.map(|len| buffer(&format!("{of}weight gradient"), gradient_type, len)),
            biases: buffer(&format!("{of}bias gradient"), gradient_type, biases),
        };
        let stored = !layer.dense;
        let gradients = stored.then(|| pair(""));
        let batch = learn.batches.then(|| pair("batch "));
        let patch = layer.convolution.filter(|_| weights.is_some());
        let patch = patch.map(|window| buffer("patch", delta_type, window.patch_len()));
        let mut apply = Apply { step, x, delta, patch, gradients, batch, parameters };
        if !learn.guard {
            apply.patch = self.block(&apply, way.time).or(patch);
        }
        apply
    }

    /// Scratch for floats that an update makes of an int8 input.
    fn block(&mut self, apply: &Apply, time: usize) -> Option<BufferId> {
        let Kernel::Dequantized { block, .. } = self.steps[apply.step].kernel else { return None };
        let name = format!("{} block", self.steps[apply.step].name);
        apply.parameters.weights.map(|_| self.new_buffer(name, ElementType::F32, block, time))
    }
}

/// `true` if `δ` is masked by the step's output.
fn masks(kernel: &Kernel) -> bool {
    match kernel {
        Kernel::F32(_)
        | Kernel::Dequantized { .. }
        | Kernel::Fixed(FixedKernel::Layer(_) | FixedKernel::Dynamic(..)) => {
            kernel.trains().is_some_and(|layer| layer.masks)
        }
        Kernel::Add(range) => *range != Clamp::<f32>::LINEAR,
        Kernel::Fixed(FixedKernel::Add(range)) => *range != Clamp::<i16>::LINEAR,
        Kernel::Fixed(kernel) => function(kernel),
        Kernel::LeakyRelu { .. } | Kernel::Elu { .. } | Kernel::Sigmoid | Kernel::Tanh | Kernel::Clamp(_) => {
            true
        }
        _ => false,
    }
}

/// `true` if the way back reads the step's output.
fn reads_output(kernel: &Kernel) -> bool {
    masks(kernel) || kernel.trains().is_some_and(|layer| layer.maximum)
}

/// `true` if `δ` of the output is, once masked, `δ` of the input.
fn passes(kernel: &Kernel) -> bool {
    matches!(
        kernel,
        Kernel::LeakyRelu { .. } | Kernel::Elu { .. } | Kernel::Sigmoid | Kernel::Tanh | Kernel::Clamp(_)
    ) || matches!(kernel, Kernel::Fixed(kernel) if function(kernel))
}

/// `true` for functions of one element, in fixed point, that have a way back.
fn function(kernel: &FixedKernel) -> bool {
    matches!(
        kernel,
        FixedKernel::Clamp(_)
            | FixedKernel::LeakyRelu { .. }
            | FixedKernel::Sigmoid { probability: false }
            | FixedKernel::Tanh
    )
}

fn no_way_back(step: &Step) -> Error {
    Error::Graph {
        layer: step.name.clone(),
        op: step.op,
        problem: "it lies between the loss and a layer that is to learn, and has no way back on the device; choose only \
                  layers after it (--trainable last:N or names), or train on the desk"
            .into(),
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
