//! Training in 16-bit fixed point as the exported `train_step` and `evaluate` do it.

mod batch;
mod dynamic;

use super::learn::values;
use super::{Runner, forward, in_place, make_conv2d, make_dense, make_depthwise, operands, split};
use crate::program::{
    Apply, Backward, BufferId, ElementType, FixedKernel, Gradients, Kernel, Layer, LossKind, Program, Step,
    Trainable,
};
use milligrad::fixed::{self, Guard, Reach, Saturation, largest_bias, largest_weight};
use milligrad::layers::{self, AvgPool2d, MaxPool2d, dense};
use milligrad::{
    Clamp, Evaluation, Fixed16, PowerOfTwoSgd, StochasticSgd, Target, TrainError, arena, argmax,
};

/// What is in fixed point: arenas, parameters, what the rule remembers, counters, guard.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    pub(super) int16: Vec<i16>,
    int32: Vec<i32>,
    /// Of each buffer, where exponents are dynamic.
    exponents: Vec<i16>,
    pub(super) learned: Learned,
    saturation: Saturation,
    guard: Guard,
    /// Activations and deltas of the batch so far that saturated.
    saturated: u32,
}

/// Parameters and the rule's memory.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Learned {
    /// Of each parameter of the program; empty for those that are biases.
    weights: Vec<Vec<i16>>,
    /// The same; empty for those that are weights.
    biases: Vec<Vec<i32>>,
    word: u32,
    nothing: (),
}

/// A rule's part of [`Learned`].
pub(super) trait Remembers: fixed::Rule {
    fn own<'a>(word: &'a mut u32, nothing: &'a mut ()) -> &'a mut Self::Memory;
}

impl Remembers for PowerOfTwoSgd {
    fn own<'a>(_: &'a mut u32, nothing: &'a mut ()) -> &'a mut () {
        nothing
    }
}

impl Remembers for StochasticSgd {
    fn own<'a>(word: &'a mut u32, _: &'a mut ()) -> &'a mut u32 {
        word
    }
}

impl Memory {
    pub(super) fn new(program: &Program) -> Self {
        let parameters = &program.parameters;
        let weights = parameters.iter().map(|p| match p.dtype {
            ElementType::I16 => p.mantissas().into_iter().map(|w| w as i16).collect(),
            _ => Vec::new(),
        });
        let biases = parameters.iter().map(|p| match p.dtype {
            ElementType::I32 => p.mantissas(),
            _ => Vec::new(),
        });
        let word = program.fixed_point().and_then(|fixed| fixed.word()).unwrap_or(0);
        Self {
            int16: vec![0; program.plan.int16],
            int32: vec![0; program.plan.int32],
            exponents: vec![0; program.buffers.len()],
            learned: Learned { weights: weights.collect(), biases: biases.collect(), word, nothing: () },
            saturation: Saturation::NONE,
            guard: Guard::new().knowing(program.largest_in_fixed_point()),
            saturated: 0,
        }
    }
}

impl Learned {
    /// As real numbers, in the order of the program's parameters.
    pub(super) fn reals(&self, program: &Program) -> Vec<Vec<f32>> {
        let reals = |((weights, biases), parameter): ((&Vec<i16>, &Vec<i32>), &Trainable)| {
            let weights = weights.iter().map(|&w| i32::from(w));
            let mantissas = weights.chain(biases.iter().copied());
            mantissas.map(|m| fixed::dynamic::real(m, parameter.exponent)).collect()
        };
        self.weights.iter().zip(&self.biases).zip(&program.parameters).map(reals).collect()
    }

    /// The largest magnitude.
    fn extent(&self) -> u32 {
        let weights = self.weights.iter().map(|w| largest_weight(w));
        weights.chain(self.biases.iter().map(|b| largest_bias(b))).max().unwrap_or(0)
    }
}

impl Runner<'_> {
    /// What saturated so far, of a program in fixed point.
    pub fn saturation(&self) -> Saturation {
        self.fixed.saturation
    }

    /// The guard of a program in fixed point.
    pub fn fixed_guard(&mut self) -> &mut Guard {
        &mut self.fixed.guard
    }

    pub(super) fn fixed_forward(&mut self, step: &Step, kernel: &FixedKernel) {
        let program = self.program;
        if program.fixed_point().is_some_and(|fixed| fixed.is_dynamic()) {
            self.dynamic_forward(step, kernel);
            return;
        }
        let (x, y) = (program.range(step.inputs[0]), program.range(step.output));
        let scratch = step.scratch.map(|id| program.range(id)).unwrap_or_default();
        let Memory { int16, learned, saturation, .. } = &mut self.fixed;
        match kernel {
            FixedKernel::Layer(layer) => {
                let [x, scratch, y] = split(int16, [x, scratch, y]);
                forward(layer, |id| &learned.weights[id], |id| &learned.biases[id], x, scratch, y);
            }
            FixedKernel::Softmax => fixed::softmax(in_place(int16, x, y)),
            FixedKernel::Sigmoid { probability: false } => fixed::sigmoid(in_place(int16, x, y)),
            FixedKernel::Sigmoid { probability: true } => fixed::sigmoid_probability(in_place(int16, x, y)),
            FixedKernel::Tanh => fixed::tanh(in_place(int16, x, y)),
            FixedKernel::Clamp(range) => fixed::clamp(range, in_place(int16, x, y)),
            FixedKernel::LeakyRelu { alpha } => fixed::leaky_relu(*alpha, in_place(int16, x, y)),
            FixedKernel::Add(range) => {
                let (a, b, y) = operands(int16, x, program.range(step.inputs[1]), y);
                fixed::add(a, b.unwrap_or(a), range, y);
            }
            FixedKernel::FromInt8 { zero_point, scale, .. } => {
                fixed::from_int8(*zero_point, scale, &arena::bytes(&self.words)[x], &mut int16[y]);
            }
            FixedKernel::Dynamic(..) | FixedKernel::FromReals | FixedKernel::ToReals => {
                unreachable!("exponents are static")
            }
        }
        if kernel.sums() {
            saturation.see_activations(&int16[program.range(step.output)]);
        }
    }

    pub(super) fn fixed_step<R: Remembers>(
        &mut self,
        record: &[u8],
        target: Target<'_>,
        rule: &R,
    ) -> Result<f32, TrainError> {
        let learning = self.learning();
        let before = self.fixed.saturation;
        let loss = self.fixed_deltas(record, target);
        if learning.fixed.is_some_and(|fixed| fixed.is_dynamic()) {
            return self.dynamic_step(loss, before, *rule);
        }
        let mut rule = *rule;
        let loss = if learning.guard {
            let loss = loss.map_err(|reason| self.fixed.guard.refuse(reason))?;
            let mut reach = Reach::new();
            for apply in &learning.apply {
                self.fixed_gradients(apply);
                self.add_reach(apply, &mut reach);
            }
            let Memory { saturation, guard, learned, .. } = &mut self.fixed;
            rule = guard.decide(reach, saturation.since(&before), &rule, || learned.extent())?;
            loss
        } else {
            loss?
        };
        for apply in &learning.apply {
            if !learning.guard {
                self.fixed_gradients(apply);
            }
            self.fixed_update(apply, &rule);
        }
        Ok(loss)
    }

    pub(super) fn fixed_evaluate(
        &mut self,
        record: &[u8],
        target: Target<'_>,
    ) -> Result<Evaluation, TrainError> {
        let (program, learning) = (self.program, self.learning());
        let outputs = program.buffer(learning.output).len;
        let range = program.range(learning.output);
        self.load(record).expect("a record of the input's length");
        let (class, values) = match learning.loss {
            LossKind::SparseCategoricalCrossEntropy => (target.class(outputs)?, Vec::new()),
            _ => (0, values(target, outputs)?),
        };
        self.forward();
        let y = &mut self.fixed.int16[range];
        let hit = match learning.loss {
            LossKind::SparseCategoricalCrossEntropy => Some(argmax(y) == class),
            LossKind::BinaryCrossEntropy => {
                Some(y.iter().zip(&values).all(|(&y, &t)| (y >= 1 << 14) == (t >= 0.5)))
            }
            LossKind::MeanSquaredError => None,
        };
        let loss = match learning.fixed.is_some_and(|fixed| fixed.is_dynamic()) {
            true => {
                dynamic::loss(learning.loss, y, self.fixed.exponents[learning.output.0], class, &values)?.0
            }
            false => loss(learning.loss, y, class, &values, &mut { Saturation::NONE })?,
        };
        Ok(Evaluation { loss, hit })
    }

    /// Forward, loss, and all deltas.
    fn fixed_deltas(&mut self, record: &[u8], target: Target<'_>) -> Result<f32, TrainError> {
        let (program, learning) = (self.program, self.learning());
        self.load(record).expect("a record of the input's length");
        let outputs = program.buffer(learning.output).len;
        let (y, delta) = (program.range(learning.output), program.range(learning.delta));
        let (class, values) = match learning.loss {
            LossKind::SparseCategoricalCrossEntropy => (target.class(outputs)?, Vec::new()),
            _ => (0, values(target, outputs)?),
        };
        let is_dynamic = learning.fixed.is_some_and(|fixed| fixed.is_dynamic());
        if is_dynamic && !self.is_finite_input() {
            return Err(TrainError::NotFinite);
        }
        self.forward();
        let Memory { int16, saturation, exponents, .. } = &mut self.fixed;
        if y != delta {
            int16.copy_within(y, delta.start);
        }
        let delta = &mut int16[delta];
        let loss = if is_dynamic {
            let found = dynamic::loss(learning.loss, delta, exponents[learning.output.0], class, &values)?;
            exponents[learning.delta.0] = found.1;
            found.0
        } else {
            loss(learning.loss, delta, class, &values, saturation)?
        };
        learning.backward.iter().for_each(|action| self.fixed_backward(action));
        Ok(loss)
    }

    fn fixed_backward(&mut self, action: &Backward) {
        let program = self.program;
        if program.fixed_point().is_some_and(|fixed| fixed.is_dynamic()) {
            self.dynamic_backward(action);
            return;
        }
        let range = |id: BufferId| program.range(id);
        let Memory { int16, learned, saturation, .. } = &mut self.fixed;
        let (weights, biases) = (|id: usize| &learned.weights[id][..], |id: usize| &learned.biases[id][..]);
        match action {
            Backward::Activation { step, y, delta } => {
                let [y, delta] = split(int16, [range(*y), range(*delta)]);
                match fixed_kernel(&program.steps[*step]) {
                    FixedKernel::Layer(layer) => {
                        let clamp = layer.parameters().map_or(Clamp::<i16>::LINEAR, |p| p.output);
                        fixed::clamp_backward(&clamp, y, delta);
                    }
                    FixedKernel::Add(clamp) | FixedKernel::Clamp(clamp) => {
                        fixed::clamp_backward(clamp, y, delta)
                    }
                    FixedKernel::LeakyRelu { alpha } => fixed::leaky_relu_backward(*alpha, y, delta),
                    FixedKernel::Sigmoid { .. } => fixed::sigmoid_backward(y, delta),
                    FixedKernel::Tanh => fixed::tanh_backward(y, delta),
                    _ => unreachable!("this kernel has no activation"),
                }
            }
            Backward::Input { step, delta, patch, values, delta_x, .. } => {
                let patch = patch.map(range).unwrap_or_default();
                let (delta, delta_x) = (range(*delta), range(*delta_x));
                let end = delta_x.clone();
                match fixed_layer(&program.steps[*step]) {
                    Layer::Dense { inputs, parameters } => {
                        let [delta, delta_x] = split(int16, [delta, delta_x]);
                        make_dense(*inputs, parameters, weights, biases).backward_input(delta, delta_x);
                    }
                    Layer::Conv2d { window, parameters } => {
                        let [delta, patch, delta_x] = split(int16, [delta, patch, delta_x]);
                        make_conv2d(window, parameters, weights, biases)
                            .backward_input(delta, patch, delta_x);
                    }
                    Layer::DepthwiseConv2d { window, parameters } => {
                        let [delta, patch, delta_x] = split(int16, [delta, patch, delta_x]);
                        make_depthwise(window, parameters, weights, biases)
                            .backward_input(delta, patch, delta_x);
                    }
                    Layer::MaxPool2d { window, output } => {
                        let (x, y) = values.expect("a maximum keeps its values");
                        let [x, y, delta, delta_x] = split(int16, [range(x), range(y), delta, delta_x]);
                        MaxPool2d::<Fixed16>::new(*window, *output).backward_input(x, y, delta, delta_x);
                    }
                    Layer::AvgPool2d { window, output } => {
                        let [delta, delta_x] = split(int16, [delta, delta_x]);
                        AvgPool2d::<Fixed16>::new(*window, *output).backward_input(delta, delta_x);
                    }
                }
                saturation.see_deltas(&int16[end]);
            }
            Backward::Join { from, into, .. } if from == into => {
                int16[range(*into)].iter_mut().for_each(|x| *x = x.saturating_add(*x));
                saturation.see_deltas(&int16[range(*into)]);
            }
            Backward::Join { from, into, first } => {
                let [from, into] = split(int16, [range(*from), range(*into)]);
                if *first {
                    layers::copy(from, into);
                } else {
                    fixed::accumulate(from, into);
                    saturation.see_deltas(into);
                }
            }
        }
    }

    /// The gradients of a layer that stores them at batch 1.
    fn fixed_gradients(&mut self, apply: &Apply) {
        let Some(gradients) = apply.gradients else { return };
        gradients.buffers().for_each(|id| self.fixed.int32[self.program.range(id)].fill(0));
        self.fixed_sum(apply, gradients);
    }

    /// Adds the gradients of a layer.
    fn fixed_sum(&mut self, apply: &Apply, into: Gradients) {
        let program = self.program;
        let range = |id: BufferId| program.range(id);
        let Memory { int16, int32, learned, .. } = &mut self.fixed;
        let (x, delta, biases) = (range(apply.x), range(apply.delta), range(into.biases));
        let Some(weights) = into.weights.map(range) else {
            layers::accumulate_biases::<Fixed16>(&int16[delta], &mut int32[biases]);
            return;
        };
        let patch = apply.patch.map(range).unwrap_or_default();
        let [x, delta, patch] = split(int16, [x, delta, patch]);
        let [weights, biases] = split(int32, [weights, biases]);
        let (w, b) = (|id: usize| &learned.weights[id][..], |id: usize| &learned.biases[id][..]);
        match fixed_layer(&program.steps[apply.step]) {
            Layer::Dense { .. } => dense::accumulate::<Fixed16>(x, delta, weights, biases),
            Layer::Conv2d { window, parameters } => {
                make_conv2d(window, parameters, w, b).accumulate(x, delta, patch, weights, biases);
            }
            Layer::DepthwiseConv2d { window, parameters } => {
                make_depthwise(window, parameters, w, b).accumulate(x, delta, patch, weights, biases);
            }
            _ => unreachable!("only layers with parameters learn"),
        }
    }

    fn add_reach(&self, apply: &Apply, reach: &mut Reach) {
        let values = |id: BufferId| &self.fixed.int16[self.program.range(id)];
        match apply.gradients {
            Some(gradients) => {
                gradients.buffers().for_each(|id| reach.gradient(&self.fixed.int32[self.program.range(id)]))
            }
            None if apply.parameters.weights.is_some() => reach.dense(values(apply.x), values(apply.delta)),
            None => reach.biases(values(apply.delta)),
        }
    }

    /// The update of a layer at batch 1.
    fn fixed_update<R: Remembers>(&mut self, apply: &Apply, rule: &R) {
        if let Some(gradients) = apply.gradients {
            self.fixed_update_by(apply, gradients, rule);
            return;
        }
        let range = |id: BufferId| self.program.range(id);
        let Memory { int16, learned, saturation, .. } = &mut self.fixed;
        let Learned { weights, biases, word, nothing } = learned;
        let biases = &mut biases[apply.parameters.biases];
        let count = match apply.parameters.weights {
            Some(index) => {
                let [x, delta] = split(int16, [range(apply.x), range(apply.delta)]);
                fixed::apply(x, delta, &mut weights[index], biases, rule, R::own(word, nothing))
            }
            None => rule.update_biases(biases, &int16[range(apply.delta)]),
        };
        saturation.add_weights(count);
    }

    /// The update of a layer by gradients that are stored.
    fn fixed_update_by<R: Remembers>(&mut self, apply: &Apply, gradients: Gradients, rule: &R) {
        let Memory { int32, learned, saturation, .. } = &mut self.fixed;
        let Learned { weights, biases, word, nothing } = learned;
        let values = |id: BufferId| &int32[self.program.range(id)];
        if let (Some(index), Some(id)) = (apply.parameters.weights, gradients.weights) {
            let memory = R::own(word, nothing);
            saturation.add_weights(rule.update_weights(memory, &mut weights[index], values(id)));
        }
        let biases = &mut biases[apply.parameters.biases];
        saturation.add_weights(rule.update_accumulated_biases(biases, values(gradients.biases)));
    }
}

/// The loss of outputs, which become `δ`.
fn loss(
    kind: LossKind,
    outputs: &mut [i16],
    class: usize,
    values: &[f32],
    saturation: &mut Saturation,
) -> Result<f32, TrainError> {
    match kind {
        LossKind::SparseCategoricalCrossEntropy => fixed::sparse_categorical_cross_entropy(outputs, class),
        LossKind::BinaryCrossEntropy => fixed::binary_cross_entropy(outputs, values),
        LossKind::MeanSquaredError => fixed::mean_squared_error(outputs, values, saturation),
    }
}

fn fixed_kernel(step: &Step) -> &FixedKernel {
    let Kernel::Fixed(kernel) = &step.kernel else { unreachable!("δ passes layers in fixed point") };
    kernel
}

fn fixed_layer(step: &Step) -> &Layer<Fixed16> {
    let FixedKernel::Layer(layer) = fixed_kernel(step) else { unreachable!("this kernel is a layer") };
    layer
}
