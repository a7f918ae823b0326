//! The border between int8 and a dense layer that learns: where the layer is wide, it reads int8 and makes floats of it block by
//! block, forward and in its update, so that they are never all in RAM.

use super::Lowering;
use crate::graph::{Node, Op};
use crate::program::{ElementType, Kernel, Layer};

/// Elements of the smallest and the largest block.
const BLOCK: [usize; 2] = [64, 128];

/// A block is about as long as the layer has outputs: it then lies where their `δ` will be, or where the outputs were, and
/// takes no RAM of its own.
fn block(outputs: usize) -> usize {
    (outputs - outputs % 8).clamp(BLOCK[0], BLOCK[1])
}

impl Lowering<'_> {
    /// `true` for a `Dequantize` that its reader does: a dense layer that learns, in floats, if nobody else reads them. Floats are
    /// made twice in a step then, and sums are stored and loaded between blocks, which is a few instructions for each input where
    /// a step has more than two for each weight. So it has to save three quarters of the floats: a layer of less than four
    /// blocks keeps them.
    pub(super) fn is_in_reader(&self, node: &Node) -> bool {
        let (graph, output) = (self.graph, node.output);
        if node.op != Op::Dequantize || self.fixed || self.readers[output.0] != 1 || graph.is_output(output) {
            return false;
        }
        let learns = |index: usize| self.trained.iter().any(|chosen| chosen.node == index);
        let reader = graph.nodes.iter().position(|node| node.inputs.contains(&output));
        let dense =
            reader.filter(|&index| learns(index) && matches!(graph.nodes[index].op, Op::Dense { .. }));
        let is_finite = graph.tensor(node.inputs[0]).quantization.is_some_and(|q| {
            // What is int8 is not checked on the device.
            q.dequantize(i8::MIN).is_finite() && q.dequantize(i8::MAX).is_finite()
        });
        dense.is_some_and(|index| {
            let outputs = graph.tensor(graph.nodes[index].output).len();
            is_finite && graph.tensor(output).len() >= 4 * block(outputs)
        })
    }

    /// The kernel of a layer that reads over the border.
    pub(super) fn over_border(&self, node: &Node, kernel: Kernel) -> Kernel {
        let id = node.inputs[0];
        let is_int8 =
            self.buffer_of[id.0].is_some_and(|buffer| self.buffers[buffer.0].dtype == ElementType::I8);
        let border = self.graph.nodes.iter().find(|border| border.output == id);
        match (kernel, border) {
            (Kernel::F32(layer @ Layer::Dense { .. }), Some(border)) if is_int8 => {
                let outputs = self.graph.tensor(node.output).len();
                let quantization = self.graph.tensor(border.inputs[0]).quantization;
                let quantization = quantization.expect("what is dequantised is int8");
                Kernel::Dequantized { quantization, block: block(outputs), layer }
            }
            (kernel, _) => kernel,
        }
    }
}
