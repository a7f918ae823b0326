//! MaxPool2d and AvgPool2d.

use super::{Lower, geometry, plane, windowed};
use crate::graph::{DType, TensorInfo, Window};
use crate::program::{Kernel, Layer};
use milligrad::{Arithmetic, Clamp, Int8, Padding, QuantizedOutput, Window2d};

pub(super) fn infer(window: &Window, input: &TensorInfo) -> Result<Vec<usize>, String> {
    let extents = plane(input)?;
    if window.dilation != [1, 1] {
        return Err("a pooling window has no dilation".into());
    }
    if let Padding::Explicit { top, bottom, left, right } = window.padding {
        let [height, width] = window.kernel;
        if usize::from(top.max(bottom)) >= height || usize::from(left.max(right)) >= width {
            return Err("padding as wide as the pooling window leaves windows without elements".into());
        }
    }
    windowed(input, geometry(window, extents)?.output(), extents[2])
}

pub(super) fn lower_max(node: &Lower<'_>, window: &Window) -> Kernel {
    let window = node.geometry(window);
    make(node, |output| max(window, output), |output| max(window, output))
}

pub(super) fn lower_average(node: &Lower<'_>, window: &Window) -> Kernel {
    let window = node.geometry(window);
    make(node, |output| average(window, output), |output| average(window, output))
}

fn max<A: Arithmetic>(window: Window2d, output: A::Output) -> Layer<A> {
    Layer::MaxPool2d { window, output }
}

fn average<A: Arithmetic>(window: Window2d, output: A::Output) -> Layer<A> {
    Layer::AvgPool2d { window, output }
}

fn make(
    node: &Lower<'_>,
    int8: impl FnOnce(QuantizedOutput) -> Layer<Int8>,
    f32: impl FnOnce(Clamp<f32>) -> Layer<f32>,
) -> Kernel {
    match node.input().dtype {
        // Input and output have the same scale: the whole range passes.
        DType::I8 => Kernel::Int8(int8(QuantizedOutput::new(0, i8::MIN, i8::MAX))),
        DType::F32 => Kernel::F32(f32(Clamp::<f32>::LINEAR)),
    }
}
