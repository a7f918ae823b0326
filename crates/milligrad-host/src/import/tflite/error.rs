//! Why a file is refused.

use super::schema::DType;

/// A reason not to import a file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It is something else, or of another version.
    #[error("it is no TensorFlow Lite model of schema 3: {0}")]
    Format(String),
    /// An offset or a length leads beyond the end of the file.
    #[error("the file is damaged: {len} bytes at byte {at} are beyond its end at {file}")]
    Truncated {
        /// Where.
        at: usize,
        /// How many.
        len: usize,
        /// Bytes of the file.
        file: usize,
    },
    /// An index names something that does not exist.
    #[error("the file is damaged: {what} {index} does not exist, there are {len}")]
    Index {
        /// A kind of thing.
        what: &'static str,
        /// The index.
        index: i64,
        /// How many there are.
        len: usize,
    },
    /// A shape has an extent of zero, is too large, or does not fit.
    #[error("{0}")]
    Shape(String),
    /// A constant has fewer or more bytes than its shape needs.
    #[error("{0}")]
    Buffer(String),
    /// A scale or zero point is missing or makes no sense.
    #[error("{0}")]
    Quantization(String),
    /// An operator reads what no operator wrote before: a cycle, or operators out of order.
    #[error("{0}")]
    Order(String),
    /// Operators that milligrad has not, or not with these types.
    #[error("it has what milligrad can't run:{}", .0.iter().map(|u| format!("\n  {u}")).collect::<String>())]
    Unsupported(Vec<Unsupported>),
}

/// An operator that milligrad can't run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// Name of the layer.
    pub layer: String,
    /// Name of the operator, as in TensorFlow Lite.
    pub operator: String,
    /// Type that it computes in.
    pub dtype: String,
    /// What is wrong and what to do.
    pub remedy: String,
}

impl std::fmt::Display for Unsupported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "layer `{}`: {} in {}: {}", self.layer, self.operator, self.dtype, self.remedy)
    }
}

/// What to do about a type that int8 models don't have.
pub(super) fn type_remedy(dtype: DType) -> &'static str {
    match dtype {
        DType::Float32 => {
            "it computes in floats (a float or dynamic-range model); convert with full integer quantisation: \
             converter.optimizations = [tf.lite.Optimize.DEFAULT], a representative_dataset, and \
             target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]"
        }
        DType::Float16 | DType::Float64 | DType::BFloat16 => {
            "convert with full integer quantisation (int8) instead of reduced-precision floats"
        }
        DType::Int16 => {
            "it has 16-bit activations (int16x8); convert with tf.lite.OpsSet.TFLITE_BUILTINS_INT8 for int8 activations"
        }
        DType::UInt8 => {
            "it has unsigned activations of the old kind; convert with a current TensorFlow, and with \
             inference_input_type = inference_output_type = tf.int8"
        }
        DType::Int4 | DType::Int2 | DType::UInt4 => {
            "it has weights of less than 8 bits; convert with int8 weights"
        }
        _ => {
            "only int8 is computed with; integer shapes must be constants after conversion with a fixed input size"
        }
    }
}
