//! Training steps on cores without an FPU, modelled as a whole: how often a step does what, each at the mean price of counts on
//! emulated boards. Floats are computed in software there, and multiplications of floats are nearly all of a step.

use crate::program::{Backward, FixedKernel, Kernel, Layer, Learning, OptimizerKind, Program, Step};
use serde::Serialize;

/// What a step costs on a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OnCore {
    /// The core.
    pub core: &'static str,
    /// Instructions, modelled: within 15 % for networks of some hundred weights and more.
    pub instructions: u64,
}

/// Instructions on a core.
struct Prices {
    /// A multiplication forward, on the way back, and for a gradient that is stored.
    forward: f64,
    backward: f64,
    gradient: f64,
    /// A weight whose gradient is zero, and what one costs more whose gradient is not.
    weight: f64,
    active: f64,
    /// An output of a layer that sums, forward and back.
    output: f64,
    /// An exponential.
    exponential: f64,
    /// A comparison of a pooling, and a position of a convolution.
    compare: f64,
    position: f64,
    /// With dynamic exponents, an element that is read in fewer bits or made of a sum, and a float of which one is made.
    block: f64,
    real: f64,
    /// Of what an int8 layer takes on a Cortex-M4F.
    int8: f64,
}

/// How often a step does what.
#[derive(Default)]
struct Counts {
    forward: f64,
    backward: f64,
    gradient: f64,
    weights: f64,
    active: f64,
    outputs: f64,
    exponentials: f64,
    compares: f64,
    positions: f64,
    blocks: f64,
    reals: f64,
    int8: f64,
}

const CORTEX_M3: &str = "Cortex-M3";
const CORTEX_M0: &str = "Cortex-M0";
const RV32IMC: &str = "RV32IMC";

/// In 16-bit fixed point.
const FIXED: [(&str, Prices); 3] = [
    (
        CORTEX_M3,
        Prices {
            forward: 2.9,
            backward: 6.5,
            gradient: 9.0,
            weight: 0.2,
            active: 12.0,
            output: 95.0,
            exponential: 46.0,
            compare: 17.0,
            position: 740.0,
            block: 18.0,
            real: 43.0,
            int8: 1.16,
        },
    ),
    (
        CORTEX_M0,
        Prices {
            forward: 3.9,
            backward: 9.0,
            gradient: 13.0,
            weight: 0.3,
            active: 16.0,
            output: 140.0,
            exponential: 70.0,
            compare: 22.0,
            position: 1060.0,
            block: 25.0,
            real: 52.0,
            int8: 2.2,
        },
    ),
    (
        RV32IMC,
        Prices {
            forward: 4.4,
            backward: 8.8,
            gradient: 13.0,
            weight: 0.3,
            active: 16.5,
            output: 80.0,
            exponential: 44.0,
            compare: 20.0,
            position: 800.0,
            block: 20.0,
            real: 48.0,
            int8: 1.6,
        },
    ),
];

/// In floats, with updates by a rule.
fn floats(optimizer: OptimizerKind) -> [(&'static str, Prices); 3] {
    // On a Cortex-M3; a Cortex-M0 takes about twice as many, RV32IMC a tenth less.
    let (weight, active) = match optimizer {
        OptimizerKind::Sgd => (1.0, 130.0),
        OptimizerKind::Momentum => (116.0, 144.0),
        OptimizerKind::Nesterov => (150.0, 200.0),
        OptimizerKind::RmsProp => (335.0, 306.0),
        OptimizerKind::Adam => (363.0, 350.0),
        OptimizerKind::AdamW => (480.0, 350.0),
    };
    let prices = |multiplication, share, exponential, int8| Prices {
        forward: multiplication,
        backward: multiplication,
        gradient: multiplication,
        weight: share * weight,
        active: share * active,
        output: 30.0 * share,
        exponential,
        compare: 60.0 * share,
        position: 250.0 * share,
        block: 0.0,
        real: 0.0,
        int8,
    };
    [
        (CORTEX_M3, prices(133.0, 1.0, 600.0, 1.16)),
        (CORTEX_M0, prices(224.0, 1.72, 1000.0, 2.2)),
        (RV32IMC, prices(121.0, 0.89, 530.0, 1.6)),
    ]
}

impl Program {
    /// What a training step costs on cores without an FPU.
    pub(super) fn without_fpu(&self, learning: &Learning) -> Vec<OnCore> {
        let counts = self.counts(learning);
        let cores = if learning.fixed.is_some() { FIXED } else { floats(learning.optimizer) };
        let cost = |(core, prices): (&'static str, Prices)| {
            let instructions = counts.forward * prices.forward
                + counts.backward * prices.backward
                + counts.gradient * prices.gradient
                + counts.weights * prices.weight
                + counts.active * prices.active
                + counts.outputs * prices.output
                + counts.exponentials * prices.exponential
                + counts.compares * prices.compare
                + counts.positions * prices.position
                + counts.blocks * prices.block
                + counts.reals * prices.real
                + counts.int8 * prices.int8;
            OnCore { core, instructions: instructions as u64 }
        };
        cores.map(cost).into()
    }

    fn counts(&self, learning: &Learning) -> Counts {
        let mut counts = Counts::default();
        for step in &self.steps {
            let len = self.buffer(step.output).len as f64;
            match &step.kernel {
                Kernel::F32(layer) => self.count_layer(layer, step, &mut counts),
                Kernel::Dequantized { layer, .. } => self.count_layer(layer, step, &mut counts),
                Kernel::Fixed(FixedKernel::Layer(layer)) => self.count_layer(layer, step, &mut counts),
                Kernel::Fixed(FixedKernel::Dynamic(layer, _)) => {
                    self.count_layer(layer, step, &mut counts);
                    if let Layer::Conv2d { window, .. } | Layer::DepthwiseConv2d { window, .. } = layer {
                        // The input is looked at once, not each patch.
                        counts.positions -= 0.3 * window.positions() as f64;
                    }
                    if layer.parameters().is_some() {
                        counts.blocks += self.buffer(step.inputs[0]).len as f64 + len;
                    }
                }
                Kernel::Fixed(FixedKernel::FromReals) => counts.reals += len,
                Kernel::Softmax | Kernel::Sigmoid | Kernel::Tanh | Kernel::Elu { .. } => {
                    counts.exponentials += len;
                }
                Kernel::Fixed(FixedKernel::Softmax | FixedKernel::Sigmoid { .. } | FixedKernel::Tanh) => {
                    counts.exponentials += len;
                }
                Kernel::Int8(_) | Kernel::Packed(_) | Kernel::TransposeConv2d { .. } => {
                    counts.int8 += self.forward_cost(step);
                }
                _ => {}
            }
        }
        for action in &learning.backward {
            if let Backward::Input { step, delta, delta_x, sums, .. } = action {
                counts.backward += self.steps[*step].macs as f64;
                if sums.is_some() {
                    counts.blocks += (self.buffer(*delta).len + self.buffer(*delta_x).len) as f64;
                }
            }
        }
        for apply in &learning.apply {
            let step = &self.steps[apply.step];
            let count = |id: usize| self.parameters[id].values.len() as f64;
            let weights = apply.parameters.weights.map_or(0.0, count);
            let all = weights + count(apply.parameters.biases);
            let share = if apply.gradients.is_some() { 1.0 } else { self.active(apply.step) };
            counts.weights += all;
            counts.active += share * all;
            if apply.gradients.is_some() && weights > 0.0 {
                counts.gradient += self.active(apply.step) * step.macs as f64;
            }
        }
        counts
    }

    fn count_layer<A: milligrad::Arithmetic>(&self, layer: &Layer<A>, step: &Step, counts: &mut Counts) {
        let len = self.buffer(step.output).len as f64;
        counts.forward += step.macs as f64;
        match layer {
            Layer::MaxPool2d { window, .. } | Layer::AvgPool2d { window, .. } => {
                counts.compares += window.taps() as f64 * len;
            }
            Layer::Conv2d { window, .. } | Layer::DepthwiseConv2d { window, .. } => {
                counts.positions += window.positions() as f64;
                counts.outputs += len;
            }
            Layer::Dense { .. } => counts.outputs += len,
        }
    }
}
