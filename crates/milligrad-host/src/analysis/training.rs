//! What a training step costs: RAM exactly, instructions by a model of the kernels ([`kernels`]). `cargo xtask bench training`
//! prints the model beside counts on emulated boards, and a test holds it against them.

mod kernels;
mod without_fpu;

use crate::program::{Backward, BufferId, FixedKernel, Kernel, Layer, Learning, Program, Step};
use kernels::{CALL, ELEMENT};
use milligrad::Clamp;
use serde::Serialize;
pub use without_fpu::OnCore;

/// Cost of one training step at batch 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainingCost {
    /// Bytes of RAM: arena, parameters, what the optimizer remembers, guard.
    pub ram_bytes: usize,
    /// Bytes of RAM beside the parameters and what the optimizer remembers of them.
    pub ram_beyond_parameters_bytes: usize,
    /// Bytes of initial values of parameters, in flash.
    pub initial_bytes: usize,
    /// Instructions on a Cortex-M4F, modelled: within 15 % for networks of some hundred weights and more, of inputs without
    /// blocks of zeros, which take less.
    pub instructions: u64,
    /// The same on cores without an FPU, which compute floats in software.
    pub without_fpu: Vec<OnCore>,
    /// Layer by layer, on a Cortex-M4F.
    pub layers: Vec<LayerTraining>,
}

/// A layer's part in a training step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerTraining {
    /// Name.
    pub name: String,
    /// Number of parameters that learn.
    pub trainable: usize,
    /// Bytes of parameters that learn, and what the optimizer remembers of them.
    pub ram_bytes: usize,
    /// Instructions forward.
    pub forward: u64,
    /// Instructions backward: activation, deltas.
    pub backward: u64,
    /// Instructions of gradients, their norm where there is a guard, and updates.
    pub update: u64,
}

impl TrainingCost {
    /// Instructions on a core by its name, such as `Cortex-M3`, where they are modelled.
    pub fn on(&self, core: &str) -> Option<u64> {
        let without_fpu = self.without_fpu.iter().find(|cost| cost.core == core);
        without_fpu.map(|cost| cost.instructions).or((core == "Cortex-M4F").then_some(self.instructions))
    }
}

impl Program {
    /// What one training step costs, if the program learns.
    pub fn training(&self) -> Option<TrainingCost> {
        let learning = self.learning.as_ref()?;
        let layers: Vec<_> =
            (0..self.steps.len()).map(|index| self.layer_training(learning, index)).collect();
        let own = self.parameter_bytes() + 4 * learning.optimizer.state(self.parameter_bytes() / 4);
        Some(TrainingCost {
            ram_bytes: self.ram_bytes(),
            ram_beyond_parameters_bytes: self.ram_bytes() - own,
            initial_bytes: self.parameter_bytes(),
            instructions: layers.iter().map(|layer| layer.forward + layer.backward + layer.update).sum(),
            without_fpu: self.without_fpu(learning),
            layers,
        })
    }

    fn layer_training(&self, learning: &Learning, index: usize) -> LayerTraining {
        let step = &self.steps[index];
        let len = |id: BufferId| self.buffer(id).len as f64;
        let state = learning.optimizer.state_per_parameter();
        let (inputs, outputs) = self.matrix(step);
        let mut backward = 0.0;
        for action in &learning.backward {
            match *action {
                Backward::Activation { step, delta, .. } if step == index => {
                    backward += CALL + ELEMENT * len(delta);
                }
                Backward::Input { step: of, delta, delta_x, .. } if of == index => {
                    backward += CALL
                        + match &step.kernel {
                            Kernel::F32(Layer::Dense { .. }) => kernels::columns(inputs, outputs),
                            Kernel::F32(Layer::Conv2d { window, .. }) => {
                                let position =
                                    kernels::columns(inputs, outputs) + kernels::SCATTERED * inputs as f64;
                                window.positions() as f64 * (position + 80.0)
                                    + kernels::CLEARED * len(delta_x)
                            }
                            Kernel::F32(Layer::DepthwiseConv2d { window, .. }) => {
                                let patch = (kernels::BACKWARD + kernels::SCATTERED) * inputs as f64;
                                window.positions() as f64 * (patch + 250.0)
                            }
                            Kernel::F32(Layer::MaxPool2d { window, .. }) => {
                                kernels::max_pooling(window)[1] + kernels::CLEARED * len(delta_x)
                            }
                            Kernel::F32(Layer::AvgPool2d { window, .. }) => {
                                kernels::POOLED_BACK * window.taps() as f64 * len(delta)
                                    + kernels::CLEARED * len(delta_x)
                            }
                            Kernel::Fixed(FixedKernel::Dynamic(layer, _)) if layer.parameters().is_some() => {
                                let products = match layer {
                                    Layer::Dense { .. } => kernels::FIXED_COLUMNS,
                                    _ => kernels::FIXED_BACKWARD,
                                };
                                products * step.macs as f64
                                    + (kernels::FIXED_COLUMN + kernels::BLOCK_OUTPUT) * len(delta_x)
                                    + kernels::BLOCK_INPUT * len(delta)
                            }
                            Kernel::Fixed(FixedKernel::Layer(Layer::Dense { .. })) => {
                                kernels::FIXED_COLUMNS * step.macs as f64
                                    + kernels::FIXED_COLUMN * len(delta_x)
                            }
                            Kernel::Fixed(_) => {
                                kernels::FIXED_BACKWARD * step.macs as f64 + ELEMENT * len(delta_x)
                            }
                            _ => ELEMENT * len(delta_x),
                        };
                }
                _ => {}
            }
        }
        let (mut update, mut trainable, mut bytes) = (0.0, 0, 0);
        if let Some(apply) = learning.apply.iter().find(|apply| apply.step == index) {
            let count = |id: usize| self.parameters[id].values.len();
            let (weights, biases) =
                (apply.parameters.weights.map_or(0, count), count(apply.parameters.biases));
            trainable = weights + biases;
            let parameters = apply.parameters.weights.into_iter().chain([apply.parameters.biases]);
            bytes = parameters.map(|id| count(id) * self.parameters[id].dtype.bytes()).sum();
            let mut squares = len(apply.x) + len(apply.delta);
            let floats = step.kernel.dequantizes().map_or(0.0, |_| kernels::DEQUANTIZED * inputs as f64);
            if matches!(step.kernel, Kernel::Fixed(_)) {
                // Of convolutions each position adds to the gradients; a dense layer leaves rows alone whose δ is zero.
                let (gradients, share) = match (&apply.gradients, &step.kernel) {
                    (
                        Some(_),
                        Kernel::Fixed(
                            FixedKernel::Layer(
                                Layer::Conv2d { window, .. } | Layer::DepthwiseConv2d { window, .. },
                            )
                            | FixedKernel::Dynamic(
                                Layer::Conv2d { window, .. } | Layer::DepthwiseConv2d { window, .. },
                                _,
                            ),
                        ),
                    ) => (kernels::patches(window) + kernels::FIXED_BACKWARD * step.macs as f64, 1.0),
                    (Some(_), _) => (kernels::FIXED_BACKWARD * step.macs as f64, 1.0),
                    (None, _) => (0.0, self.active(index)),
                };
                if apply.gradients.is_some() && learning.fixed.is_some_and(|fixed| fixed.is_dynamic()) {
                    update += kernels::MAGNITUDE * squares;
                }
                update += kernels::FIXED_UPDATE * (share * weights as f64 + biases as f64) + gradients;
                if apply.gradients.is_some() {
                    squares = trainable as f64;
                }
            } else {
                update += kernels::update(learning.optimizer, biases, 1, 1.0);
                if apply.gradients.is_some() {
                    update += kernels::BIAS * len(apply.delta);
                    if weights > 0 {
                        update +=
                            self.gradients(index) + kernels::update(learning.optimizer, weights, 1, 1.0);
                    }
                    squares = trainable as f64;
                } else if weights > 0 {
                    let share = self.active(index);
                    let update_of = |inputs| kernels::update(learning.optimizer, inputs, outputs, share);
                    update += floats + kernels::in_blocks(inputs, block(step), update_of);
                }
            }
            if learning.guard {
                let square = if learning.fixed.is_some_and(|fixed| fixed.is_dynamic()) {
                    kernels::MAGNITUDE
                } else if learning.fixed.is_some() {
                    kernels::FIXED_GUARD
                } else {
                    kernels::SQUARE
                };
                update += 2.0 * CALL + square * squares + floats;
            }
        }
        LayerTraining {
            name: step.name.clone(),
            trainable,
            ram_bytes: bytes + 4 * trainable * state,
            forward: self.forward_cost(step) as u64,
            backward: backward as u64,
            update: update as u64,
        }
    }

    /// Gradients of a layer with a window, summed over its positions.
    fn gradients(&self, index: usize) -> f64 {
        let step = &self.steps[index];
        let (inputs, outputs) = self.matrix(step);
        match &step.kernel {
            Kernel::F32(Layer::Conv2d { window, .. }) => {
                kernels::gradients(window, outputs, self.active(index))
            }
            Kernel::F32(Layer::DepthwiseConv2d { window, .. }) => {
                kernels::patches(window) + kernels::BACKWARD * step.macs as f64
            }
            _ => kernels::outer(inputs, outputs, self.active(index)),
        }
    }

    /// The share of a layer's `δ` that is not zero, as a guess: behind a max pooling one of each window, behind a ReLU half.
    fn active(&self, index: usize) -> f64 {
        let pooled = match self.steps.get(index + 1).map(|next| &next.kernel) {
            Some(Kernel::F32(Layer::MaxPool2d { window, .. }))
            | Some(Kernel::Fixed(
                FixedKernel::Layer(Layer::MaxPool2d { window, .. })
                | FixedKernel::Dynamic(Layer::MaxPool2d { window, .. }, _),
            )) => window.taps(),
            _ => 1,
        };
        let limited = match &self.steps[index].kernel {
            Kernel::F32(layer) | Kernel::Dequantized { layer, .. } => {
                layer.parameters().is_some_and(|p| p.output != Clamp::<f32>::LINEAR)
            }
            Kernel::Fixed(FixedKernel::Layer(layer) | FixedKernel::Dynamic(layer, _)) => {
                layer.parameters().is_some_and(|p| p.output != Clamp::<i16>::LINEAR)
            }
            _ => false,
        };
        match (pooled, limited) {
            (1, false) => 1.0,
            (1, true) => 0.5,
            (taps, _) => 1.0 / taps as f64,
        }
    }

    /// Inputs and outputs of a layer's matrix; of a convolution, those of one position.
    fn matrix(&self, step: &Step) -> (usize, usize) {
        let outputs = self.buffer(step.output).len;
        match step.kernel.float_layer() {
            Some(Layer::Dense { inputs, .. }) => (*inputs, outputs),
            Some(Layer::Conv2d { window, .. } | Layer::DepthwiseConv2d { window, .. }) => {
                (window.patch_len(), outputs / window.positions().max(1))
            }
            _ => (0, outputs),
        }
    }

    /// Instructions of a step forward.
    pub(super) fn forward_cost(&self, step: &Step) -> f64 {
        let len = self.buffer(step.output).len as f64;
        let (inputs, outputs) = self.matrix(step);
        CALL + match &step.kernel {
            Kernel::F32(Layer::Dense { .. }) => kernels::rows(inputs, outputs),
            Kernel::Dequantized { .. } => {
                let rows = kernels::in_blocks(inputs, block(step), |inputs| kernels::rows(inputs, outputs));
                kernels::DEQUANTIZED * inputs as f64 + rows
            }
            Kernel::F32(Layer::Conv2d { window, .. }) => kernels::convolution(window, outputs),
            Kernel::F32(Layer::DepthwiseConv2d { window, .. }) => {
                let sums = kernels::MULTIPLICATION * step.macs as f64 + ELEMENT * len;
                kernels::patches(window) + 60.0 * window.positions() as f64 + sums
            }
            Kernel::F32(Layer::MaxPool2d { window, .. }) => kernels::max_pooling(window)[0],
            Kernel::F32(Layer::AvgPool2d { window, .. }) => kernels::POOLED * window.taps() as f64 * len,
            Kernel::Int8(_) | Kernel::Packed(_) | Kernel::TransposeConv2d { .. } => {
                kernels::INT8 * step.macs as f64 + ELEMENT * len
            }
            Kernel::Fixed(FixedKernel::Dynamic(layer, _)) if layer.parameters().is_some() => {
                let x = self.buffer(step.inputs[0]).len as f64;
                let elements = kernels::BLOCK_INPUT * x + (kernels::BLOCK_OUTPUT + kernels::BLOCK_ROW) * len;
                elements
                    + match layer {
                        Layer::Dense { inputs, .. } => kernels::block_rows(*inputs, len as usize),
                        Layer::Conv2d { window, .. } => {
                            let outputs = self.buffer(step.output).len / window.positions().max(1);
                            let position = kernels::BLOCK_POSITION
                                + kernels::block_rows(window.patch_len(), outputs)
                                + kernels::ELEMENT * window.patch_len() as f64;
                            kernels::patches(window) + window.positions() as f64 * position
                        }
                        Layer::DepthwiseConv2d { window, .. } => {
                            let position = kernels::BLOCK_POSITION * window.positions() as f64;
                            kernels::patches(window) + position + kernels::fixed(step.macs, len)
                        }
                        Layer::MaxPool2d { .. } | Layer::AvgPool2d { .. } => 0.0,
                    }
            }
            Kernel::Fixed(FixedKernel::FromReals) => kernels::REAL * len,
            Kernel::Fixed(FixedKernel::Layer(layer) | FixedKernel::Dynamic(layer, _)) => match layer {
                Layer::Dense { inputs, .. } => kernels::fixed_rows(*inputs, len as usize),
                Layer::Conv2d { window, .. } => {
                    let outputs = self.buffer(step.output).len / window.positions().max(1);
                    let position = kernels::FIXED_POSITION + kernels::fixed_rows(window.patch_len(), outputs);
                    kernels::patches(window) + window.positions() as f64 * position
                }
                Layer::DepthwiseConv2d { window, .. } => {
                    let position = kernels::FIXED_POSITION * window.positions() as f64;
                    kernels::patches(window) + position + kernels::fixed(step.macs, len)
                }
                Layer::MaxPool2d { window, .. } | Layer::AvgPool2d { window, .. } => {
                    kernels::POOLED * window.taps() as f64 * len
                }
            },
            Kernel::Fixed(FixedKernel::Softmax) => kernels::FIXED_SOFTMAX * len,
            Kernel::Fixed(FixedKernel::Sigmoid { .. } | FixedKernel::Tanh) => kernels::FIXED_SIGMOID * len,
            Kernel::Dequantize(_) => kernels::DEQUANTIZED * len,
            Kernel::Softmax => kernels::SOFTMAX * len,
            Kernel::Sigmoid | Kernel::Tanh | Kernel::Elu { .. } => kernels::EXPONENTIAL * len,
            _ => ELEMENT * len,
        }
    }
}

/// Elements of the block of which a layer makes floats; of one with float inputs all of them.
fn block(step: &Step) -> usize {
    match step.kernel {
        Kernel::Dequantized { block, .. } => block,
        _ => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Builder, CompileOptions, Layers, Learn, OptimizerKind, Program};

    #[test]
    fn what_learns_is_counted() {
        let graph = Builder::new("m", &[64]).dense(32).relu().dense(10).softmax().build(0).unwrap();
        let cost = |learn: Learn| {
            let options = CompileOptions { learn: Some(learn), ..Default::default() };
            Program::compile(&graph, &options).unwrap().training().unwrap()
        };
        let sgd = cost(Learn::new(Layers::All, OptimizerKind::Sgd));
        assert_eq!(sgd.layers.iter().map(|layer| layer.trainable).sum::<usize>(), 2410);
        assert_eq!(sgd.ram_bytes - sgd.ram_beyond_parameters_bytes, 4 * 2410);
        let head = cost(Learn::new(Layers::Last(1), OptimizerKind::Sgd));
        assert!(head.instructions < sgd.instructions && head.initial_bytes == 4 * 330);
        let momentum = cost(Learn::new(Layers::All, OptimizerKind::Momentum));
        assert_eq!(momentum.ram_bytes, sgd.ram_bytes + 4 * 2410);
        assert!(cost(Learn::new(Layers::All, OptimizerKind::Sgd).guarded()).instructions > sgd.instructions);
        let float = Program::compile(&graph, &CompileOptions::default()).unwrap();
        assert_eq!(float.training(), None);
    }
}
