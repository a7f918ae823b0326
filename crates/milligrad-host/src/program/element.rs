//! What the elements of a device's buffers are.

use crate::graph::DType;

/// Type of a buffer's elements; each has an arena of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ElementType {
    /// int8 with scale and zero point.
    I8,
    /// 32-bit float.
    F32,
    /// Activations and deltas in 16-bit fixed point, see [`milligrad::fixed`].
    I16,
    /// Sums of gradients in fixed point, and biases.
    I32,
}

impl ElementType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::I8, Self::F32, Self::I16, Self::I32];

    /// Bytes of one element.
    pub fn bytes(self) -> usize {
        match self {
            Self::I8 => 1,
            Self::I16 => 2,
            Self::F32 | Self::I32 => 4,
        }
    }

    /// Name of the type in Rust.
    pub fn rust(self) -> &'static str {
        match self {
            Self::I8 => "i8",
            Self::F32 => "f32",
            Self::I16 => "i16",
            Self::I32 => "i32",
        }
    }
}

impl From<DType> for ElementType {
    fn from(dtype: DType) -> Self {
        match dtype {
            DType::F32 => Self::F32,
            DType::I8 => Self::I8,
        }
    }
}
