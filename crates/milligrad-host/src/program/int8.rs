//! Descriptions of kernels whose device form keeps its fields to itself: as the constructor takes them.

use milligrad::layers::{Broadcast, QuantizedAdd, QuantizedMul, QuantizedSub, Strided};

/// The arguments of [`Strided::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elements {
    /// Elements of the tensor.
    pub len: usize,
    /// Extents of the loops.
    pub extents: [usize; 4],
    /// Steps of the loops.
    pub steps: [isize; 4],
    /// The first element.
    pub start: usize,
}

impl Broadcasting {
    /// On the device.
    pub fn broadcast(&self) -> Broadcast {
        Broadcast::new(self.extents, self.a, self.b)
    }
}

impl Elements {
    /// On the device.
    pub fn strided(&self) -> Strided {
        Strided::new(self.len, self.extents, self.steps, self.start)
    }
}

/// The arguments of [`Broadcast::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broadcasting {
    /// Extents of the output.
    pub extents: [usize; 4],
    /// Steps of the first operand.
    pub a: [usize; 4],
    /// Steps of the second operand.
    pub b: [usize; 4],
}

/// A function of two int8 tensors with its scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantizedFunction {
    /// `a + b`
    Add(QuantizedAdd),
    /// `a - b`
    Sub(QuantizedSub),
    /// `a b`
    Mul(QuantizedMul),
}

/// A sum, difference or product of int8 tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Elementwise {
    /// The function.
    pub function: QuantizedFunction,
    /// How the operands meet, where their shapes differ.
    pub broadcast: Option<Broadcasting>,
    /// An operand in flash, and whether it is the first.
    pub constant: Option<(bool, Vec<i8>)>,
}

impl Elementwise {
    /// Name of the kernel.
    pub fn kernel(&self) -> &'static str {
        match self.function {
            QuantizedFunction::Add(_) => "quantized_add",
            QuantizedFunction::Sub(_) => "quantized_sub",
            QuantizedFunction::Mul(_) => "quantized_mul",
        }
    }

    /// `y = f(a, b)`
    pub fn forward(&self, a: &[i8], b: &[i8], y: &mut [i8]) {
        let broadcast = self.broadcast.map(|by| by.broadcast());
        match (&self.function, broadcast) {
            (QuantizedFunction::Add(f), None) => f.forward(a, b, y),
            (QuantizedFunction::Sub(f), None) => f.forward(a, b, y),
            (QuantizedFunction::Mul(f), None) => f.forward(a, b, y),
            (QuantizedFunction::Add(f), Some(by)) => by.forward(f, a, b, y),
            (QuantizedFunction::Sub(f), Some(by)) => by.forward(f, a, b, y),
            (QuantizedFunction::Mul(f), Some(by)) => by.forward(f, a, b, y),
        }
    }
}
