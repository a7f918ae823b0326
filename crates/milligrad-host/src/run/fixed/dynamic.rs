//! Training with dynamic exponents as the exported `train_step` and `evaluate` do it.

use super::super::{Runner, in_place, operands, split};
use super::{Learned, Memory, Remembers, fixed_kernel};
use crate::program::{
    Apply, Backward, BufferId, ElementType, FixedKernel, Layer, LossKind, Parameters, Program, Step,
};
use milligrad::fixed::dynamic::{
    self, Block, Conv2d, Dense, DepthwiseConv2d, Exponents, PROBABILITY, Reach, at, double,
};
use milligrad::fixed::{self, Saturation};
use milligrad::layers::{self, AvgPool2d, MaxPool2d};
use milligrad::{Fixed16, TrainError, Window2d, arena};

/// The loss of outputs in units of `2^exponent`, which become `δ`, and the exponent of that.
pub(super) fn loss(
    kind: LossKind,
    outputs: &mut [i16],
    exponent: i16,
    class: usize,
    values: &[f32],
) -> Result<(f32, i16), TrainError> {
    match kind {
        LossKind::SparseCategoricalCrossEntropy => {
            Ok((fixed::sparse_categorical_cross_entropy(outputs, class)?, PROBABILITY))
        }
        LossKind::BinaryCrossEntropy => Ok((fixed::binary_cross_entropy(outputs, values)?, PROBABILITY)),
        LossKind::MeanSquaredError => dynamic::mean_squared_error(outputs, exponent, values),
    }
}

/// Weights and biases of a layer, from flash or from RAM.
struct Values<'a> {
    weights: &'a [i16],
    biases: &'a [i32],
    exponents: Exponents,
    output: milligrad::Clamp<i16>,
}

impl<'a> Values<'a> {
    fn new(parameters: &'a Parameters<Fixed16>, learned: &'a Learned, exponents: Exponents) -> Self {
        Self {
            weights: parameters.weights.values(|id| &learned.weights[id]),
            biases: parameters.channels.values(|id| &learned.biases[id]),
            exponents,
            output: parameters.output,
        }
    }

    fn dense(self, inputs: usize) -> Dense<'a> {
        Dense::new(inputs, self.weights, self.biases, self.exponents, self.output)
    }

    fn conv2d(self, window: &Window2d) -> Conv2d<'a> {
        Conv2d::new(*window, self.weights, self.biases, self.exponents, self.output)
    }

    fn depthwise(self, window: &Window2d) -> DepthwiseConv2d<'a> {
        DepthwiseConv2d::new(*window, self.weights, self.biases, self.exponents, self.output)
    }
}

/// A layer with the exponents of its parameters.
fn layer(step: &Step) -> (&Layer<Fixed16>, Exponents) {
    let FixedKernel::Dynamic(layer, exponents) = fixed_kernel(step) else {
        unreachable!("this kernel is a layer")
    };
    (layer, *exponents)
}

impl Runner<'_> {
    /// `false` if the input is of floats of which one is not finite.
    pub(super) fn is_finite_input(&self) -> bool {
        let input = self.program.input().buffer;
        self.program.buffer(input).dtype != ElementType::F32
            || dynamic::all_finite(&self.f32[self.program.range(input)])
    }

    pub(super) fn dynamic_forward(&mut self, step: &Step, kernel: &FixedKernel) {
        let program = self.program;
        let range = |id: BufferId| program.range(id);
        let (from, to) = (step.inputs[0], step.output);
        let (x, y) = (range(from), range(to));
        let scratch = step.scratch.map(range).unwrap_or_default();
        let sums = step.sums.map(range).unwrap_or_default();
        let Memory { int16, int32, learned, exponents, .. } = &mut self.fixed;
        let exponent = exponents[from.0];
        exponents[to.0] = match kernel {
            FixedKernel::FromReals => dynamic::from_reals(&self.f32[x], &mut int16[y]),
            FixedKernel::ToReals => {
                dynamic::to_reals(&int16[x], exponent, &mut self.f32[y]);
                0
            }
            FixedKernel::FromInt8 { zero_point, scale, exponent } => {
                fixed::from_int8(*zero_point, scale, &arena::bytes(&self.words)[x], &mut int16[y]);
                *exponent
            }
            FixedKernel::Dynamic(layer, own) => {
                let [x, scratch, y] = split(int16, [x, scratch, y]);
                let (block, sums) = (Block::new(x, exponent), &mut int32[sums]);
                match layer {
                    Layer::Dense { inputs, parameters } => {
                        Values::new(parameters, learned, *own).dense(*inputs).forward(block, scratch, sums, y)
                    }
                    Layer::Conv2d { window, parameters } => {
                        Values::new(parameters, learned, *own).conv2d(window).forward(block, scratch, sums, y)
                    }
                    Layer::DepthwiseConv2d { window, parameters } => Values::new(parameters, learned, *own)
                        .depthwise(window)
                        .forward(block, scratch, sums, y),
                    Layer::MaxPool2d { window, output } => {
                        MaxPool2d::<Fixed16>::new(*window, *output).forward(x, y);
                        exponent
                    }
                    Layer::AvgPool2d { window, output } => {
                        AvgPool2d::<Fixed16>::new(*window, *output).forward(x, y);
                        exponent
                    }
                }
            }
            FixedKernel::Softmax => dynamic::softmax(in_place(int16, x, y), exponent),
            FixedKernel::Sigmoid { .. } => dynamic::sigmoid_probability(in_place(int16, x, y), exponent),
            FixedKernel::Clamp(range) => {
                fixed::clamp(&at(range, exponent), in_place(int16, x, y));
                exponent
            }
            FixedKernel::LeakyRelu { alpha } => {
                fixed::leaky_relu(*alpha, in_place(int16, x, y));
                exponent
            }
            FixedKernel::Add(clamp) => {
                let second = step.inputs[1];
                let other = exponents[second.0];
                let (a, b, y) = operands(int16, x, range(second), y);
                dynamic::add(Block::new(a, exponent), Block::new(b.unwrap_or(a), other), clamp, y)
            }
            FixedKernel::Layer(_) | FixedKernel::Tanh => unreachable!("exponents are dynamic"),
        };
    }

    /// The rest of a step, once its deltas are known.
    pub(super) fn dynamic_step<R: Remembers>(
        &mut self,
        loss: Result<f32, TrainError>,
        before: Saturation,
        mut rule: R,
    ) -> Result<f32, TrainError> {
        let learning = self.learning();
        let loss = match loss {
            Err(reason) if learning.guard => return Err(self.fixed.guard.refuse(reason)),
            loss => loss?,
        };
        if learning.guard {
            let mut reach = Reach::new();
            for apply in &learning.apply {
                self.dynamic_gradients(apply);
                self.dynamic_reach(apply, &mut reach);
            }
            let Memory { saturation, guard, learned, .. } = &mut self.fixed;
            rule = guard.decide(reach, saturation.since(&before), &rule, || learned.extent())?;
        }
        for apply in &learning.apply {
            if !learning.guard {
                self.dynamic_gradients(apply);
            }
            self.dynamic_update(apply, &rule);
        }
        Ok(loss)
    }

    pub(super) fn dynamic_backward(&mut self, action: &Backward) {
        let program = self.program;
        let range = |id: BufferId| program.range(id);
        let Memory { int16, int32, learned, exponents, saturation, .. } = &mut self.fixed;
        match action {
            Backward::Activation { step, y: at_y, delta } => {
                let [y, delta] = split(int16, [range(*at_y), range(*delta)]);
                let limit = |clamp| at(clamp, exponents[at_y.0]);
                match fixed_kernel(&program.steps[*step]) {
                    FixedKernel::Dynamic(layer, _) => {
                        let output = layer.parameters().expect("a layer that masks has weights").output;
                        fixed::clamp_backward(&limit(&output), y, delta);
                    }
                    FixedKernel::Add(clamp) | FixedKernel::Clamp(clamp) => {
                        fixed::clamp_backward(&limit(clamp), y, delta);
                    }
                    FixedKernel::LeakyRelu { alpha } => fixed::leaky_relu_backward(*alpha, y, delta),
                    _ => unreachable!("this kernel has no activation"),
                }
            }
            Backward::Input { step, delta: from, patch, sums, values, delta_x: to } => {
                let (delta, delta_x, patch) =
                    (range(*from), range(*to), patch.map(range).unwrap_or_default());
                let exponent = exponents[from.0];
                let sums = &mut int32[sums.map(range).unwrap_or_default()];
                let (layer, own) = layer(&program.steps[*step]);
                if let Layer::MaxPool2d { window, output } = layer {
                    let (x, y) = values.expect("a maximum keeps its values");
                    let [x, y, delta, delta_x] = split(int16, [range(x), range(y), delta, delta_x]);
                    MaxPool2d::<Fixed16>::new(*window, *output).backward_input(x, y, delta, delta_x);
                    exponents[to.0] = exponent;
                    if layer.overlaps() {
                        saturation.see_deltas(delta_x);
                    }
                    return;
                }
                let [delta, patch, delta_x] = split(int16, [delta, patch, delta_x]);
                let block = Block::new(delta, exponent);
                exponents[to.0] = match layer {
                    Layer::Dense { inputs, parameters } => Values::new(parameters, learned, own)
                        .dense(*inputs)
                        .backward_input(block, patch, sums, delta_x),
                    Layer::Conv2d { window, parameters } => Values::new(parameters, learned, own)
                        .conv2d(window)
                        .backward_input(block, patch, sums, delta_x),
                    Layer::DepthwiseConv2d { window, parameters } => Values::new(parameters, learned, own)
                        .depthwise(window)
                        .backward_input(block, patch, sums, delta_x),
                    Layer::MaxPool2d { window, output } | Layer::AvgPool2d { window, output } => {
                        AvgPool2d::<Fixed16>::new(*window, *output).backward_input(delta, delta_x);
                        if layer.overlaps() {
                            saturation.see_deltas(delta_x);
                        }
                        exponent
                    }
                };
            }
            Backward::Join { from, into, .. } if from == into => {
                exponents[into.0] = double(exponents[into.0]);
            }
            Backward::Join { from: at_from, into: at_into, first } => {
                let exponent = exponents[at_from.0];
                let [from, into] = split(int16, [range(*at_from), range(*at_into)]);
                exponents[at_into.0] = if *first {
                    layers::copy(from, into);
                    exponent
                } else {
                    dynamic::accumulate(Block::new(from, exponent), into, exponents[at_into.0])
                };
            }
        }
    }

    /// The gradients of a layer that stores them.
    fn dynamic_gradients(&mut self, apply: &Apply) {
        let Some(into) = apply.gradients else { return };
        let program = self.program;
        let range = |id: BufferId| program.range(id);
        let Memory { int16, int32, learned, exponents, .. } = &mut self.fixed;
        let delta_exponent = exponents[apply.delta.0];
        let Some(weights) = into.weights else {
            let delta = Block::new(&int16[range(apply.delta)], delta_exponent);
            exponents[into.biases.0] = dynamic::accumulate_biases(delta, &mut int32[range(into.biases)]);
            return;
        };
        let patch = apply.patch.map(range).unwrap_or_default();
        let [x, delta, patch] = split(int16, [range(apply.x), range(apply.delta), patch]);
        let (x, delta) = (Block::new(x, exponents[apply.x.0]), Block::new(delta, delta_exponent));
        let [gw, gb] = split(int32, [range(weights), range(into.biases)]);
        let (layer, own) = layer(&program.steps[apply.step]);
        [exponents[weights.0], exponents[into.biases.0]] = match layer {
            Layer::Conv2d { window, parameters } => {
                Values::new(parameters, learned, own).conv2d(window).gradients(x, delta, patch, gw, gb)
            }
            Layer::DepthwiseConv2d { window, parameters } => {
                Values::new(parameters, learned, own).depthwise(window).gradients(x, delta, patch, gw, gb)
            }
            _ => unreachable!("only convolutions store gradients"),
        };
    }

    fn dynamic_reach(&self, apply: &Apply, reach: &mut Reach) {
        let Memory { int16, int32, exponents, .. } = &self.fixed;
        let block = |id: BufferId| Block::new(&int16[self.program.range(id)], exponents[id.0]);
        let gradient = |id: BufferId| (&int32[self.program.range(id)], exponents[id.0]);
        let own = own(self.program, apply);
        match apply.gradients {
            Some(gradients) => {
                if let Some((values, exponent)) = gradients.weights.map(gradient) {
                    reach.weight_gradient(values, exponent, own);
                }
                let (values, exponent) = gradient(gradients.biases);
                reach.bias_gradient(values, exponent, own);
            }
            None if apply.parameters.weights.is_some() => {
                reach.dense(block(apply.x), block(apply.delta), own)
            }
            None => reach.biases(block(apply.delta), own),
        }
    }

    fn dynamic_update<R: Remembers>(&mut self, apply: &Apply, rule: &R) {
        let own = own(self.program, apply);
        let Memory { int16, int32, learned, saturation, exponents, .. } = &mut self.fixed;
        let Learned { weights, biases, word, nothing } = learned;
        let biases = &mut biases[apply.parameters.biases];
        let weights = apply.parameters.weights.map(|id| &mut weights[id]);
        let block = |id: BufferId| Block::new(&int16[self.program.range(id)], exponents[id.0]);
        let gradient = |id: BufferId| &int32[self.program.range(id)];
        let count = match (apply.gradients, weights) {
            (Some(gradients), Some(weights)) => {
                let at_weights = gradients.weights.expect("weights that learn have gradients");
                dynamic::update_by(
                    (gradient(at_weights), gradient(gradients.biases)),
                    [exponents[at_weights.0], exponents[gradients.biases.0]],
                    weights,
                    biases,
                    own,
                    rule,
                    R::own(word, nothing),
                )
            }
            (Some(gradients), None) => {
                let id = gradients.biases;
                rule.update_biases_by(
                    biases,
                    gradient(id),
                    i32::from(exponents[id.0]) - i32::from(own.biases),
                )
            }
            (None, Some(weights)) => {
                let memory = R::own(word, nothing);
                dynamic::apply(block(apply.x), block(apply.delta), weights, biases, own, rule, memory)
            }
            (None, None) => dynamic::update_biases(block(apply.delta), biases, own, rule),
        };
        saturation.add_weights(count);
    }
}

/// The exponents of what is updated.
fn own(program: &Program, apply: &Apply) -> Exponents {
    layer(&program.steps[apply.step]).1
}
