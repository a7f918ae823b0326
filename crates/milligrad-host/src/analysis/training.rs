//! What a training step costs: RAM exactly, instructions by a table.
//!
//! The table ([`COST`]) holds instructions for each multiplication of the loops and for each call, fitted to counts on an
//! emulated Cortex-M4F. `cargo xtask bench training` prints the model beside the counts.

use crate::program::{Backward, BufferId, Kernel, Layer, Learning, Program, Step};
use milligrad::Clamp;
use serde::Serialize;

/// Cost of one training step at batch 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainingCost {
    /// Bytes of RAM: arena, parameters, what the optimizer remembers, guard.
    pub ram_bytes: usize,
    /// Bytes of RAM beside the parameters and what the optimizer remembers of them.
    pub ram_beyond_parameters_bytes: usize,
    /// Bytes of initial values of parameters, in flash.
    pub initial_bytes: usize,
    /// Instructions on a Cortex-M4F, modelled: within about 25 % for layers of a hundred weights and more.
    pub instructions: u64,
    /// Layer by layer.
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

/// Instructions on a Cortex-M4F without packed kernels.
struct Cost {
    /// A multiplication forward, in floats.
    forward: f64,
    /// The same in int8.
    int8: f64,
    /// A multiplication on the way back to the inputs.
    backward: f64,
    /// A product that is added to a gradient.
    gradient: f64,
    /// A weight that is updated, without state and for each float of state more.
    update: f64,
    state: f64,
    /// An element of a tensor: loads, activation, store.
    element: f64,
    /// An element that is gathered or compared within a window.
    tap: f64,
    /// A position of a convolution.
    position: f64,
    /// An exponential.
    exponential: f64,
    /// An element whose square is summed.
    square: f64,
    /// A call, its loops set up.
    call: f64,
}

const COST: Cost = Cost {
    forward: 2.5,
    int8: 4.5,
    backward: 3.0,
    gradient: 2.1,
    update: 4.0,
    state: 6.0,
    element: 8.0,
    tap: 20.0,
    position: 360.0,
    exponential: 45.0,
    square: 3.0,
    call: 60.0,
};

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
            layers,
        })
    }

    fn layer_training(&self, learning: &Learning, index: usize) -> LayerTraining {
        let step = &self.steps[index];
        let len = |id: BufferId| self.buffer(id).len as f64;
        let state = learning.optimizer.state_per_parameter();
        let mut backward = 0.0;
        for action in &learning.backward {
            match *action {
                Backward::Activation { step, delta, .. } if step == index => {
                    backward += COST.call + COST.element * len(delta);
                }
                Backward::Input { step: of, delta_x, .. } if of == index => {
                    let positions = positions(step) as f64;
                    backward += COST.call
                        + COST.backward * step.macs as f64
                        + COST.element * len(delta_x)
                        + COST.tap * positions * patch(step) as f64
                        + windows(step);
                }
                _ => {}
            }
        }
        let (mut update, mut trainable) = (0.0, 0);
        if let Some(apply) = learning.apply.iter().find(|apply| apply.step == index) {
            let count = |id: usize| self.parameters[id].values.len();
            let weights = apply.parameters.weights.map_or(0, count);
            trainable = weights + count(apply.parameters.biases);
            // Plain descent leaves rows alone whose δ is zero, as about half of them are behind a ReLU.
            let skips = matches!(&step.kernel, Kernel::F32(layer) if state == 0 && apply.gradients.is_none()
                && layer.parameters().is_some_and(|p| p.output != Clamp::<f32>::LINEAR));
            let share = if skips { 0.5 } else { 1.0 };
            update += COST.call + (share * COST.update + COST.state * state as f64) * trainable as f64;
            let mut squares = len(apply.x) + len(apply.delta);
            if apply.gradients.is_some() {
                let products = if weights > 0 { step.macs as f64 } else { 0.0 };
                let gathered = if weights > 0 { (positions(step) * patch(step)) as f64 } else { 0.0 };
                update += COST.call
                    + COST.gradient * products
                    + COST.tap * gathered
                    + COST.element * len(apply.delta)
                    + windows(step);
                squares = trainable as f64;
            }
            if learning.guard {
                update += COST.call + COST.square * squares;
            }
        }
        LayerTraining {
            name: step.name.clone(),
            trainable,
            ram_bytes: 4 * trainable * (1 + state),
            forward: self.forward_cost(step) as u64,
            backward: backward as u64,
            update: update as u64,
        }
    }

    fn forward_cost(&self, step: &Step) -> f64 {
        let outputs = self.buffer(step.output).len as f64;
        let gathered = (positions(step) * patch(step)) as f64;
        let per_mac = match &step.kernel {
            Kernel::Int8(_) | Kernel::Packed(_) | Kernel::TransposeConv2d { .. } => COST.int8,
            _ => COST.forward,
        };
        let per_element = match &step.kernel {
            Kernel::Softmax | Kernel::Sigmoid | Kernel::Tanh | Kernel::Elu { .. } => COST.exponential,
            Kernel::F32(Layer::MaxPool2d { window, .. } | Layer::AvgPool2d { window, .. }) => {
                COST.tap * window.taps() as f64
            }
            _ => COST.element,
        };
        COST.call + per_mac * step.macs as f64 + per_element * outputs + COST.tap * gathered + windows(step)
    }
}

/// What a convolution spends on its positions, or the way back through a pooling on its windows.
fn windows(step: &Step) -> f64 {
    match &step.kernel {
        Kernel::F32(Layer::Conv2d { window, .. } | Layer::DepthwiseConv2d { window, .. }) => {
            COST.position * window.positions() as f64
        }
        _ => 0.0,
    }
}

/// Elements that a convolution gathers for each position.
fn patch(step: &Step) -> usize {
    match &step.kernel {
        Kernel::F32(Layer::Conv2d { window, .. } | Layer::DepthwiseConv2d { window, .. })
            if !window.is_pointwise() =>
        {
            window.patch_len()
        }
        _ => 0,
    }
}

fn positions(step: &Step) -> usize {
    match &step.kernel {
        Kernel::F32(Layer::Conv2d { window, .. } | Layer::DepthwiseConv2d { window, .. }) => {
            window.positions()
        }
        _ => 1,
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
