//! What a prediction costs: instructions and code on a Cortex-M4F, by a table.
//!
//! The table holds instructions for each multiplication, gathered element, output and call of each kernel, fitted to
//! counts of whole networks on an emulated board (`cargo xtask bench kernels --layers`), whose totals it meets within
//! 25 %; single small layers can be further off. `milligrad profile` counts for real.

use crate::pack::Packed;
use crate::program::{Kernel, Layer, Program, Step};
use milligrad::Window2d;
use std::collections::BTreeMap;

/// Instructions of a kernel.
#[derive(Default)]
struct Cost {
    /// Each multiplication, or each comparison or sum within a window.
    product: f64,
    /// Each pixel that is gathered for a position, and each of its elements.
    tap: f64,
    gathered: f64,
    /// Each element of the output.
    element: f64,
    /// Each element of the input.
    input: f64,
    /// Each position of a window.
    position: f64,
    /// Each channel of the output.
    channel: f64,
    /// Each call.
    call: f64,
    /// Bytes of code, once for all layers that call it.
    code: usize,
}

/// Code that every program has, and of each step.
const CODE: usize = 250;
const CODE_OF_STEP: usize = 45;

impl Program {
    /// Instructions of a step.
    pub(super) fn instructions(&self, step: &Step) -> u64 {
        if matches!(
            step.kernel,
            Kernel::F32(_) | Kernel::Dequantized { .. } | Kernel::Fixed(_) | Kernel::Softmax
        ) {
            // As in a training step.
            return self.forward_cost(step) as u64;
        }
        let outputs = self.buffer(step.output).len as f64;
        let inputs: usize = step.inputs.iter().map(|&id| self.buffer(id).len).sum();
        let channels = step.shape.last().map_or(1.0, |&channels| channels as f64);
        let (cost, window) = cost(&step.kernel);
        let (mut products, mut pixels, mut elements, mut positions) = (step.macs as f64, 0.0, 0.0, 0.0);
        if let Some(window) = window {
            positions = window.positions() as f64;
            if step.macs == 0 {
                products = window.taps() as f64 * outputs;
            } else if !window.is_pointwise() {
                pixels = positions * window.taps() as f64;
                elements = positions * window.patch_len() as f64;
            }
        }
        let total = cost.call
            + cost.product * products
            + cost.tap * pixels
            + cost.gathered * elements
            + cost.element * outputs
            + cost.input * inputs as f64
            + cost.position * positions
            + cost.channel * channels;
        total as u64
    }

    /// Bytes of code of a prediction.
    pub(super) fn code_bytes(&self) -> usize {
        let kernels: BTreeMap<_, _> =
            self.steps.iter().map(|step| (step.kernel.name(), cost(&step.kernel).0.code)).collect();
        CODE + CODE_OF_STEP * self.steps.len() + kernels.values().sum::<usize>()
    }
}

/// What a kernel costs, and its window.
#[rustfmt::skip]
fn cost(kernel: &Kernel) -> (Cost, Option<&Window2d>) {
    let none = Cost { call: 60.0, ..Cost::default() };
    match kernel {
        Kernel::Packed(Packed::Dense { .. }) => {
            (Cost { product: 1.29, element: 14.0, call: 180.0, code: 800, ..none }, None)
        }
        Kernel::Packed(Packed::Conv2d { window, .. }) => {
            // The rows of the products are shared.
            let code = if window.is_pointwise() { 300 } else { 5_250 };
            (Cost { product: 0.86, tap: 16.7, gathered: 0.56, element: 11.0, code, ..none }, Some(window))
        }
        Kernel::Packed(Packed::Depthwise { window, .. }) => {
            (Cost { element: 16.6, input: 5.0, channel: 208.0, code: 1_200, ..none }, Some(window))
        }
        Kernel::Packed(Packed::Add(_)) => (Cost { element: 15.0, code: 500, ..none }, None),
        Kernel::Int8(Layer::Dense { .. }) => {
            (Cost { product: 2.74, element: 56.0, call: 130.0, code: 1_300, ..none }, None)
        }
        Kernel::Int8(Layer::Conv2d { window, .. }) => {
            let code = if window.is_pointwise() { 700 } else { 2_200 };
            let cost = Cost { product: 2.65, tap: 14.0, gathered: 5.8, element: 70.0, position: 70.0, ..none };
            (Cost { code, ..cost }, Some(window))
        }
        Kernel::Int8(Layer::DepthwiseConv2d { window, .. }) => {
            (Cost { product: 9.0, element: 36.0, position: 210.0, code: 1_900, ..none }, Some(window))
        }
        Kernel::Int8(Layer::MaxPool2d { window, .. } | Layer::AvgPool2d { window, .. }) => {
            (Cost { product: 5.8, element: 5.7, position: 250.0, code: 800, ..none }, Some(window))
        }
        // Their instructions are those of a training step: code alone.
        Kernel::F32(Layer::Conv2d { .. } | Layer::DepthwiseConv2d { .. }) => (Cost { code: 1_600, ..none }, None),
        Kernel::F32(_) => (Cost { code: 700, ..none }, None),
        Kernel::Dequantized { .. } => (Cost { code: 900, ..none }, None),
        Kernel::Fixed(_) => (Cost { code: 800, ..none }, None),
        Kernel::Softmax => (Cost { code: 500, ..none }, None),
        Kernel::QuantizedSoftmax(_) => (Cost { element: 236.0, code: 900, ..none }, None),
        Kernel::QuantizedAdd(_) | Kernel::Elementwise(_) => (Cost { element: 45.0, code: 700, ..none }, None),
        Kernel::Sigmoid | Kernel::Tanh | Kernel::Elu { .. } => {
            (Cost { element: 45.0, code: 500, ..none }, None)
        }
        Kernel::TransposeConv2d { .. } => (Cost { product: 4.0, element: 70.0, code: 1_500, ..none }, None),
        _ => (Cost { element: 10.0, code: 300, ..none }, None),
    }
}
