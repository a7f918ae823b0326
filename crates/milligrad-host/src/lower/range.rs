//! A range activation before a max pooling.

use super::Lowering;
use crate::graph::Node;
use crate::program::{FixedKernel, Kernel, Layer};
use milligrad::{Arithmetic, Clamp};

impl Lowering<'_> {
    /// Gives a max pooling the range of the layer before it, which nobody else reads: the maximum within a range is the maximum of
    /// elements within it. So fewer elements are limited, and on the way back the pooling drops what the range limited, so that the
    /// layer need not look for it. Where nothing learns, layers give out what they are said to ([`Dump`](crate::Dump)).
    pub(super) fn take_range(&mut self, node: &Node, kernel: &mut Kernel) {
        let Some(buffer) = node.inputs.first().and_then(|id| self.buffer_of[id.0]) else { return };
        if self.trained.is_empty() || self.is_shared(buffer) {
            return;
        }
        let Some(producer) = self.steps.iter_mut().rfind(|step| step.output == buffer) else { return };
        match kernel {
            Kernel::F32(pooling) => {
                let range = match &mut producer.kernel {
                    Kernel::F32(layer) | Kernel::Dequantized { layer, .. } => range_of(layer),
                    Kernel::Add(range) => Some(range),
                    _ => None,
                };
                move_range(range, pooling, Clamp::<f32>::LINEAR);
            }
            Kernel::Fixed(FixedKernel::Layer(pooling)) => {
                let range = match &mut producer.kernel {
                    Kernel::Fixed(FixedKernel::Layer(layer)) => range_of(layer),
                    Kernel::Fixed(FixedKernel::Add(range)) => Some(range),
                    _ => None,
                };
                move_range(range, pooling, Clamp::<i16>::LINEAR);
            }
            _ => {}
        }
    }
}

/// The range of a layer with weights.
fn range_of<A: Arithmetic>(layer: &mut Layer<A>) -> Option<&mut A::Output> {
    layer.parameters_mut().map(|parameters| &mut parameters.output)
}

fn move_range<A: Arithmetic>(range: Option<&mut A::Output>, pooling: &mut Layer<A>, linear: A::Output) {
    if let (Some(range), Layer::MaxPool2d { output, .. }) = (range, pooling)
        && *output == linear
    {
        *output = std::mem::replace(range, linear);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, CompileOptions, Graph, Layers, Learn, OptimizerKind, Program};

    fn learning(graph: &Graph) -> Program {
        let learn = Learn::new(Layers::All, OptimizerKind::Sgd);
        Program::compile(graph, &CompileOptions { learn: Some(learn), ..Default::default() }).unwrap()
    }

    /// The ranges of convolution and pooling.
    fn ranges(program: &Program) -> Vec<Clamp<f32>> {
        let range = |kernel: &Kernel| match kernel {
            Kernel::F32(Layer::MaxPool2d { output, .. }) => Some(*output),
            Kernel::F32(Layer::Conv2d { parameters, .. }) => Some(parameters.output),
            _ => None,
        };
        program.steps.iter().filter_map(|step| range(&step.kernel)).collect()
    }

    #[test]
    fn the_range_before_a_max_pooling_is_its_own() {
        let (linear, relu6) = (Clamp::<f32>::LINEAR, Clamp::<f32>::RELU6);
        let body = || Builder::new("m", &[6, 6, 1]).conv2d(3, 3).relu6();
        let graph = body().max_pool2d(2).flatten().dense(2).softmax().build(1).unwrap();
        let (plain, program) =
            (Program::compile(&graph, &CompileOptions::default()).unwrap(), learning(&graph));
        assert_eq!(ranges(&plain), [relu6, linear]);
        assert_eq!(ranges(&program), [linear, relu6]);
        assert_eq!(program.learning.as_ref().unwrap().backward.len(), 2, "dense, pooling");
        for sample in 0..20 {
            let x: Vec<f32> = (0..36).map(|i| ((i * 7 + sample * 5) % 23) as f32 - 11.0).collect();
            let predict =
                |program: &Program| program.runner().predict(&program.encode_input(&x)).unwrap().to_vec();
            assert_eq!(predict(&plain), predict(&program));
        }
        // What others read, too, is limited where it is.
        let shared = body();
        let skip = shared.here();
        let shared = shared.max_pool2d([1, 1]).add(skip).flatten().dense(2).softmax().build(1).unwrap();
        assert_eq!(ranges(&learning(&shared)), [relu6, linear]);
        // Nor is it taken over a function in between, or by a mean.
        let between = body().tanh().max_pool2d(2).flatten().dense(2).softmax().build(1).unwrap();
        assert_eq!(ranges(&learning(&between)), [relu6, linear]);
        let mean = body().avg_pool2d(2).flatten().dense(2).softmax().build(1).unwrap();
        assert_eq!(ranges(&learning(&mean)), [relu6]);
    }
}
