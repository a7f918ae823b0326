//! Kernels that exist for int8 alone.

use super::{operands, split};
use crate::program::{Kernel, Program, Step};
use milligrad::Int8;
use milligrad::layers::{QuantizedReduce, ResizeNearest, TransposeConv2d};

pub(super) fn step(program: &Program, step: &Step, arena: &mut [i8]) {
    let range = |id| program.range(id);
    let (x, y) = (range(step.inputs[0]), range(step.output));
    match &step.kernel {
        Kernel::Elementwise(elementwise) => match &elementwise.constant {
            None => {
                let (a, b, y) = operands(arena, x, range(step.inputs[1]), y);
                elementwise.forward(a, b.unwrap_or(a), y);
            }
            Some((first, constant)) => {
                let [x, y] = split(arena, [x, y]);
                let (a, b): (&[i8], &[i8]) = if *first { (constant, x) } else { (x, constant) };
                elementwise.forward(a, b, y);
            }
        },
        Kernel::Gather(elements) => {
            let [x, y] = split(arena, [x, y]);
            elements.strided().gather(x, y);
        }
        Kernel::Reduce { kept, reduced, offset, scale, output } => {
            let [x, y] = split(arena, [x, y]);
            QuantizedReduce::new(kept.strided(), reduced.strided(), *offset, *scale, *output).forward(x, y);
        }
        Kernel::TransposeConv2d { window, parameters } => {
            let patch = step.scratch.map(range).unwrap_or_default();
            let [x, patch, y] = split(arena, [x, patch, y]);
            let (weights, channels) =
                (parameters.weights.values(|_| &[]), parameters.channels.values(|_| &[]));
            TransposeConv2d::<Int8>::new(*window, weights, channels, parameters.output, parameters.pad)
                .forward(x, patch, y);
        }
        Kernel::ResizeNearest { input, rows, columns } => {
            let [x, y] = split(arena, [x, y]);
            ResizeNearest::new(*input, rows, columns).forward(x, y);
        }
        kernel => unreachable!("{} is no int8 kernel", kernel.name()),
    }
}
