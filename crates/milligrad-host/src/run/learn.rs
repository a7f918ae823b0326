//! Training on the desk as the exported `train_step`, `accumulate`, `apply`, `evaluate`, `commit` and `rollback` do it.

use super::fixed::Learned;
use super::rule::{Remembers, Rule, States};
use super::{Runner, make_conv2d, make_dense, make_depthwise, split};
use crate::program::{Apply, Backward, BufferId, Gradients, Kernel, Layer, Learning, LossKind, Program};
use milligrad::guard::{Guard, Norm, all_finite, fastest, largest, most, scale};
use milligrad::layers::{self, AvgPool2d, MaxPool2d, dense, dense::Dequantized};
use milligrad::{Clamp, Evaluation, Quantization, Target, TargetKind, TrainError, arena, argmax, loss};

/// Parameters and the optimizer's memory as they were at [`Runner::commit`].
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    parameters: Vec<Vec<f32>>,
    states: States,
    fixed: Learned,
}

impl Program {
    /// The target that a program takes which learns.
    ///
    /// # Panics
    /// If it was compiled without learning.
    pub fn target(&self) -> TargetKind {
        let outputs = self.buffer(self.output().buffer).len;
        match self.learning.as_ref().expect("a program that learns").loss {
            LossKind::SparseCategoricalCrossEntropy => TargetKind::Class(outputs),
            _ => TargetKind::Values(outputs),
        }
    }
}

impl<'p> Runner<'p> {
    /// What the guard has done, and its limits.
    pub fn guard(&mut self) -> &mut Guard {
        &mut self.guard
    }

    /// Copies parameters and the optimizer's memory.
    pub fn commit(&self) -> Snapshot {
        let (parameters, states) = (self.parameters.clone(), self.states.clone());
        Snapshot { parameters, states, fixed: self.fixed.learned.clone() }
    }

    /// Takes a copy back.
    pub fn rollback(&mut self, snapshot: &Snapshot) {
        self.parameters.clone_from(&snapshot.parameters);
        self.states.clone_from(&snapshot.states);
        self.fixed.learned.clone_from(&snapshot.fixed);
        self.guard.forget();
        self.fixed_guard().forget();
        self.samples = 0;
    }

    /// One training step on an input record.
    ///
    /// # Errors
    /// The refusal of the device crate; parameters are unchanged then.
    ///
    /// # Panics
    /// If the program was compiled without learning or for another rule, or the record has not the length of the input.
    pub fn train_step<'t>(
        &mut self,
        record: &[u8],
        target: impl Into<Target<'t>>,
        rule: &Rule,
    ) -> Result<f32, TrainError> {
        match rule {
            Rule::Sgd(sgd) => self.step_with(record, target.into(), sgd),
            Rule::Momentum(momentum) => self.step_with(record, target.into(), momentum),
            Rule::Nesterov(nesterov) => self.step_with(record, target.into(), nesterov),
            Rule::RmsProp(rms_prop) => self.step_with(record, target.into(), rms_prop),
            Rule::Adam(adam) => self.step_with(record, target.into(), adam),
            Rule::AdamW(adam_w) => self.step_with(record, target.into(), adam_w),
            Rule::PowerOfTwo(rule) => self.fixed_step(record, target.into(), rule),
            Rule::Stochastic(rule) => self.fixed_step(record, target.into(), rule),
        }
    }

    fn step_with<O: Remembers>(
        &mut self,
        record: &[u8],
        target: Target<'_>,
        rule: &O,
    ) -> Result<f32, TrainError> {
        let learning = self.learning();
        let loss = self.guarded(|this| this.deltas(record, target))?;
        if !learning.guard {
            let rule = rule.begin_with(&mut self.states);
            for apply in &learning.apply {
                self.sum_gradients(apply);
                self.update(apply, &rule);
            }
            return Ok(loss);
        }
        let mut norm = Norm::new();
        for apply in learning.in_order_of_layers() {
            self.sum_gradients(apply);
            self.add_norm(apply, &mut norm);
        }
        let extent = || extent::<O>(&self.parameters, O::states(&mut self.states));
        let step = self.guard.decide(norm, rule, extent)?;
        let mut clipped: Vec<BufferId> = Vec::new();
        for apply in &learning.apply {
            clipped.extend(apply.gradients.into_iter().flat_map(Gradients::buffers));
            clipped.extend(apply.gradients.is_none().then_some(apply.delta));
        }
        for id in clipped {
            step.clip(&mut self.f32[self.program.range(id)]);
        }
        let rule = step.optimizer.begin_with(&mut self.states);
        learning.apply.iter().for_each(|apply| self.update(apply, &rule));
        Ok(loss)
    }

    /// Loss and hit on an input record.
    ///
    /// # Errors
    /// The refusal of the device crate, for a target that is none.
    ///
    /// # Panics
    /// As [`train_step`](Self::train_step).
    pub fn evaluate<'t>(
        &mut self,
        record: &[u8],
        target: impl Into<Target<'t>>,
    ) -> Result<Evaluation, TrainError> {
        let (program, learning, target) = (self.program, self.learning(), target.into());
        let outputs = program.buffer(program.output().buffer).len;
        let range = program.range(program.output().buffer);
        if learning.fixed.is_some() {
            return self.fixed_evaluate(record, target);
        }
        self.load(record).expect("a record of the input's length");
        match learning.loss {
            LossKind::SparseCategoricalCrossEntropy => {
                let class = target.class(outputs)?;
                self.forward();
                let y = &mut self.f32[range];
                let hit = Some(argmax(y) == class);
                Ok(Evaluation { loss: loss::sparse_categorical_cross_entropy(y, class)?, hit })
            }
            LossKind::BinaryCrossEntropy => {
                let target = values(target, outputs)?;
                self.forward();
                let y = &mut self.f32[range];
                let hit = Some(y.iter().zip(&target).all(|(&y, &t)| (y >= 0.5) == (t >= 0.5)));
                Ok(Evaluation { loss: loss::binary_cross_entropy(y, &target), hit })
            }
            LossKind::MeanSquaredError => {
                let target = values(target, outputs)?;
                self.forward();
                Ok(Evaluation { loss: loss::mean_squared_error(&mut self.f32[range], &target), hit: None })
            }
        }
    }

    /// Adds a sample's gradients to those of the batch.
    ///
    /// # Errors
    /// The refusal of the device crate; nothing is added then.
    ///
    /// # Panics
    /// As [`train_step`](Self::train_step), and if the program was compiled without batches.
    pub fn accumulate<'t>(
        &mut self,
        record: &[u8],
        target: impl Into<Target<'t>>,
    ) -> Result<f32, TrainError> {
        let learning = self.learning();
        if learning.fixed.is_some() {
            return self.fixed_accumulate(record, target.into());
        }
        let loss = self.guarded(|this| this.deltas(record, target.into()))?;
        for apply in &learning.apply {
            let range = |id| self.program.range(id);
            let is_float = apply.parameters.weights.is_some() && self.int8_input(apply).is_none();
            let finite = all_finite(&self.f32[range(apply.delta)])
                && (!is_float || all_finite(&self.f32[range(apply.x)]));
            if !finite {
                return self.guarded(|_| Err(TrainError::NotFinite));
            }
        }
        for apply in &learning.apply {
            let batch = apply.batch.expect("a program with batches");
            if self.samples == 0 {
                batch.buffers().for_each(|id| self.f32[self.program.range(id)].fill(0.0));
            }
            self.sum(apply, batch);
        }
        self.samples += 1;
        Ok(loss)
    }

    /// Updates by the mean of the gradients that were accumulated, and returns how many samples they are of.
    ///
    /// # Errors
    /// What the guard says; the batch is dropped then, and parameters are unchanged.
    ///
    /// # Panics
    /// As [`accumulate`](Self::accumulate).
    pub fn apply(&mut self, rule: &Rule) -> Result<usize, TrainError> {
        match rule {
            Rule::Sgd(sgd) => self.apply_with(sgd),
            Rule::Momentum(momentum) => self.apply_with(momentum),
            Rule::Nesterov(nesterov) => self.apply_with(nesterov),
            Rule::RmsProp(rms_prop) => self.apply_with(rms_prop),
            Rule::Adam(adam) => self.apply_with(adam),
            Rule::AdamW(adam_w) => self.apply_with(adam_w),
            Rule::PowerOfTwo(rule) => self.fixed_apply(rule),
            Rule::Stochastic(rule) => self.fixed_apply(rule),
        }
    }

    fn apply_with<O: Remembers>(&mut self, rule: &O) -> Result<usize, TrainError> {
        let learning = self.learning();
        let samples = std::mem::take(&mut self.samples);
        if samples == 0 {
            return Ok(0);
        }
        let mean = 1.0 / samples as f32;
        let batches = || learning.apply.iter().map(|apply| apply.batch.expect("a program with batches"));
        let (factor, rule) = if learning.guard {
            let mut norm = Norm::new();
            let batches = learning.in_order_of_layers().into_iter().filter_map(|apply| apply.batch);
            for id in batches.flat_map(Gradients::buffers) {
                norm.gradient(&self.f32[self.program.range(id)]);
            }
            let extent = || extent::<O>(&self.parameters, O::states(&mut self.states));
            let step = self.guard.decide(norm.scaled(mean), rule, extent)?;
            (mean * step.factor, step.optimizer.begin_with(&mut self.states))
        } else {
            (mean, rule.begin_with(&mut self.states))
        };
        for (apply, batch) in learning.apply.iter().zip(batches()) {
            for id in batch.buffers() {
                scale(factor, &mut self.f32[self.program.range(id)]);
            }
            self.update_by(apply, batch, &rule);
        }
        Ok(samples)
    }

    pub(super) fn learning(&self) -> &'p Learning {
        self.program.learning.as_ref().expect("a program that learns")
    }

    pub(super) fn forward(&mut self) {
        self.program.steps.iter().for_each(|step| self.step(step));
    }

    /// Does what can be refused; a guard takes note.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, TrainError>) -> Result<T, TrainError> {
        let guarded = self.learning().guard;
        work(self).map_err(|reason| if guarded { self.guard.refuse(reason) } else { reason })
    }

    /// Forward, loss, and all deltas.
    fn deltas(&mut self, record: &[u8], target: Target<'_>) -> Result<f32, TrainError> {
        let (program, learning) = (self.program, self.learning());
        self.load(record).expect("a record of the input's length");
        let outputs = program.buffer(program.output().buffer).len;
        let (input, y, delta) = (
            program.range(program.input().buffer),
            program.range(program.output().buffer),
            program.range(learning.delta),
        );
        let (class, values) = match learning.loss {
            LossKind::SparseCategoricalCrossEntropy => (target.class(outputs)?, Vec::new()),
            _ => (0, values(target, outputs)?),
        };
        if learning.guard && program.input().quantization.is_none() && !all_finite(&self.f32[input]) {
            return Err(TrainError::NotFinite);
        }
        self.forward();
        if y != delta {
            self.f32.copy_within(y, delta.start);
        }
        let delta = &mut self.f32[delta];
        let loss = match learning.loss {
            LossKind::SparseCategoricalCrossEntropy => loss::sparse_categorical_cross_entropy(delta, class)?,
            LossKind::BinaryCrossEntropy => loss::binary_cross_entropy(delta, &values),
            LossKind::MeanSquaredError => loss::mean_squared_error(delta, &values),
        };
        if !loss.is_finite() {
            return Err(TrainError::NotFinite);
        }
        learning.backward.iter().for_each(|action| self.backward(action));
        Ok(loss)
    }

    fn backward(&mut self, action: &Backward) {
        let range = |id: BufferId| self.program.range(id);
        let ram = |index: usize| &self.parameters[index][..];
        match action {
            Backward::Activation { step, y, delta } => {
                let [y, delta] = split(&mut self.f32, [range(*y), range(*delta)]);
                match &self.program.steps[*step].kernel {
                    Kernel::F32(layer) | Kernel::Dequantized { layer, .. } => {
                        let clamp = layer.parameters().map_or(Clamp::<f32>::LINEAR, |p| p.output);
                        layers::clamp_backward(&clamp, y, delta);
                    }
                    Kernel::Add(clamp) | Kernel::Clamp(clamp) => layers::clamp_backward(clamp, y, delta),
                    Kernel::LeakyRelu { alpha } => layers::leaky_relu_backward(*alpha, y, delta),
                    Kernel::Elu { alpha } => layers::elu_backward(*alpha, y, delta),
                    Kernel::Sigmoid => layers::sigmoid_backward(y, delta),
                    Kernel::Tanh => layers::tanh_backward(y, delta),
                    _ => unreachable!("this kernel has no activation"),
                }
            }
            Backward::Input { step, delta, patch, values, delta_x, .. } => {
                let Kernel::F32(layer) = &self.program.steps[*step].kernel else {
                    unreachable!("δ passes float layers")
                };
                let patch = patch.map(range).unwrap_or_default();
                let (delta, delta_x) = (range(*delta), range(*delta_x));
                match layer {
                    Layer::Dense { inputs, parameters } => {
                        let [delta, delta_x] = split(&mut self.f32, [delta, delta_x]);
                        make_dense(*inputs, parameters, ram, ram).backward_input(delta, delta_x);
                    }
                    Layer::Conv2d { window, parameters } => {
                        let [delta, patch, delta_x] = split(&mut self.f32, [delta, patch, delta_x]);
                        make_conv2d(window, parameters, ram, ram).backward_input(delta, patch, delta_x);
                    }
                    Layer::DepthwiseConv2d { window, parameters } => {
                        let [delta, patch, delta_x] = split(&mut self.f32, [delta, patch, delta_x]);
                        make_depthwise(window, parameters, ram, ram).backward_input(delta, patch, delta_x);
                    }
                    Layer::MaxPool2d { window, output } => {
                        let (x, y) = values.expect("a maximum keeps its values");
                        let [x, y, delta, delta_x] =
                            split(&mut self.f32, [range(x), range(y), delta, delta_x]);
                        MaxPool2d::<f32>::new(*window, *output).backward_input(x, y, delta, delta_x);
                    }
                    Layer::AvgPool2d { window, output } => {
                        let [delta, delta_x] = split(&mut self.f32, [delta, delta_x]);
                        AvgPool2d::<f32>::new(*window, *output).backward_input(delta, delta_x);
                    }
                }
            }
            Backward::Join { from, into, first } => {
                if from == into {
                    self.f32[range(*into)].iter_mut().for_each(|x| *x += *x);
                    return;
                }
                let [from, into] = split(&mut self.f32, [range(*from), range(*into)]);
                if *first { layers::copy(from, into) } else { layers::accumulate(from, into) }
            }
        }
    }

    /// The gradients of a layer that stores them at batch 1.
    fn sum_gradients(&mut self, apply: &Apply) {
        let Some(gradients) = apply.gradients else { return };
        gradients.buffers().for_each(|id| self.f32[self.program.range(id)].fill(0.0));
        self.sum(apply, gradients);
    }

    /// Adds the gradients of a layer.
    fn sum(&mut self, apply: &Apply, into: Gradients) {
        let range = |id: BufferId| self.program.range(id);
        let ram = |index: usize| &self.parameters[index][..];
        let (x, delta, biases) = (range(apply.x), range(apply.delta), range(into.biases));
        let Some(weights) = into.weights.map(range) else {
            let [delta, biases] = split(&mut self.f32, [delta, biases]);
            layers::accumulate_biases::<f32>(delta, biases);
            return;
        };
        let patch = apply.patch.map(range).unwrap_or_default();
        if let Some(quantization) = self.int8_input(apply) {
            let x = Dequantized::new(quantization, &arena::bytes(&self.words)[x]);
            let [delta, block, weights, biases] = split(&mut self.f32, [delta, patch, weights, biases]);
            dense::accumulate_dequantized(x, block, delta, weights, biases);
            return;
        }
        let Kernel::F32(layer) = &self.program.steps[apply.step].kernel else {
            unreachable!("only float layers learn")
        };
        let [x, delta, patch, weights, biases] = split(&mut self.f32, [x, delta, patch, weights, biases]);
        match layer {
            Layer::Dense { .. } => dense::accumulate::<f32>(x, delta, weights, biases),
            Layer::Conv2d { window, parameters } => {
                make_conv2d(window, parameters, ram, ram).accumulate(x, delta, patch, weights, biases);
            }
            Layer::DepthwiseConv2d { window, parameters } => {
                make_depthwise(window, parameters, ram, ram).accumulate(x, delta, patch, weights, biases);
            }
            _ => unreachable!("only layers with parameters learn"),
        }
    }

    fn add_norm(&self, apply: &Apply, norm: &mut Norm) {
        let values = |id: BufferId| &self.f32[self.program.range(id)];
        match apply.gradients {
            Some(gradients) => gradients.buffers().for_each(|id| norm.gradient(values(id))),
            None if let (Some(quantization), Some(_)) =
                (self.int8_input(apply), apply.parameters.weights) =>
            {
                let x =
                    Dequantized::new(quantization, &arena::bytes(&self.words)[self.program.range(apply.x)]);
                norm.dense_dequantized(x, values(apply.delta));
            }
            None if apply.parameters.weights.is_some() => norm.dense(values(apply.x), values(apply.delta)),
            None => norm.gradient(values(apply.delta)),
        }
    }

    /// What the int8 input of a layer stands for that makes floats of it block by block.
    fn int8_input(&self, apply: &Apply) -> Option<Quantization> {
        self.program.steps[apply.step].kernel.dequantizes()
    }

    /// The update of a layer at batch 1.
    fn update<O: Remembers>(&mut self, apply: &Apply, rule: &O) {
        if let Some(gradients) = apply.gradients {
            self.update_by(apply, gradients, rule);
            return;
        }
        let quantization = self.int8_input(apply);
        let states = O::states(&mut self.states);
        let (x, delta) = (self.program.range(apply.x), self.program.range(apply.delta));
        match apply.parameters.weights {
            Some(weights) => {
                let ids = [weights, apply.parameters.biases];
                let [vw, vb] = states.get_disjoint_mut(ids).expect("parameters of one layer differ");
                let [weights, biases] =
                    self.parameters.get_disjoint_mut(ids).expect("parameters of one layer differ");
                if let Some(quantization) = quantization {
                    let x = Dequantized::new(quantization, &arena::bytes(&self.words)[x]);
                    let block = apply.patch.map(|id| self.program.range(id)).unwrap_or_default();
                    let [block, delta] = split(&mut self.f32, [block, delta]);
                    dense::apply_dequantized(x, block, delta, weights, biases, (vw, vb), rule);
                    return;
                }
                let [x, delta] = split(&mut self.f32, [x, delta]);
                dense::apply::<f32, O>(x, delta, weights, biases, (vw, vb), rule);
            }
            None => {
                let index = apply.parameters.biases;
                rule.update_biases(&mut self.parameters[index], &mut states[index], &self.f32[delta]);
            }
        }
    }

    /// The update of a layer by gradients that are stored.
    fn update_by<O: Remembers>(&mut self, apply: &Apply, gradients: Gradients, rule: &O) {
        let states = O::states(&mut self.states);
        let values = |id: BufferId| &self.f32[self.program.range(id)];
        if let (Some(index), Some(id)) = (apply.parameters.weights, gradients.weights) {
            rule.update_weights(&mut self.parameters[index], &mut states[index], values(id));
        }
        let (index, gradient) = (apply.parameters.biases, values(gradients.biases));
        rule.update_accumulated_biases(&mut self.parameters[index], &mut states[index], gradient);
    }
}

/// The largest magnitudes of parameters and velocities.
fn extent<O: Remembers>(parameters: &[Vec<f32>], states: &[Vec<O::State>]) -> (f32, f32) {
    (
        parameters.iter().map(|values| largest(values)).fold(0.0, most),
        states.iter().map(|states| fastest::<f32, O>(states)).fold(0.0, most),
    )
}

/// As [`Target::values`], for a number of values that is not known to the compiler.
pub(super) fn values(target: Target<'_>, outputs: usize) -> Result<Vec<f32>, TrainError> {
    match target {
        Target::Values(values) if values.len() == outputs => Ok(values.to_vec()),
        Target::Class(_) if outputs == 1 => target.values::<1>().map(Vec::from),
        Target::Class(milligrad::UNLABELLED) => Err(TrainError::Unlabelled),
        _ => Err(TrainError::WrongTarget),
    }
}
