//! Inputs and outputs with dynamic exponents: floats, which become blocks and come from them.

use super::Lowering;
use crate::graph::{self, TensorId};
use crate::program::{BufferId, ElementType, FixedKernel, Kernel, Step};

impl Lowering<'_> {
    /// An input of floats, and the step that makes a block of it.
    pub(super) fn block_of_input(&mut self, port: &graph::Port) {
        let info = self.graph.tensor(port.tensor);
        let input = self.new_buffer(&port.name, ElementType::F32, info.len(), 0);
        let block = self.new_buffer(format!("{} block", port.name), ElementType::I16, info.len(), 0);
        self.real_ports.push((port.tensor, input));
        self.buffer_of[port.tensor.0] = Some(block);
        self.conversion(&port.name, port.tensor, FixedKernel::FromReals, [input, block]);
    }

    /// The step that makes floats of an output that is no probability.
    pub(super) fn reals_of_output(&mut self, port: &graph::Port) {
        let Some(block) = self.buffer_of[port.tensor.0] else { return };
        let last = self.steps.last().filter(|step| step.output == block).map(|step| &step.kernel);
        let is_probability = matches!(last, Some(Kernel::Fixed(kernel)) if kernel.is_probability());
        if is_probability || self.buffers[block.0].dtype != ElementType::I16 {
            return;
        }
        let time = self.steps.len();
        let output = self.new_buffer(&port.name, ElementType::F32, self.buffers[block.0].len, time);
        self.touch(block, time);
        self.real_ports.push((port.tensor, output));
        self.conversion(&port.name, port.tensor, FixedKernel::ToReals, [block, output]);
    }

    fn conversion(&mut self, port: &str, tensor: TensorId, kernel: FixedKernel, [from, to]: [BufferId; 2]) {
        let mut name = format!("{port}_block");
        while self.graph.nodes.iter().any(|node| node.name == name) {
            name.push('_');
        }
        self.steps.push(Step {
            name,
            op: if kernel == FixedKernel::FromReals { "Quantize" } else { "Dequantize" },
            kernel: Kernel::Fixed(kernel),
            inputs: vec![from],
            scratch: None,
            sums: None,
            output: to,
            shape: self.graph.tensor(tensor).shape.clone(),
            macs: 0,
            parameters: 0,
        });
    }
}
