//! The operators that are imported, with their limits: what `milligrad ops` lists, and what the importer asks.

/// An operator of TensorFlow Lite that is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Supported {
    /// Its number in the schema.
    pub code: i32,
    /// Its name in the schema.
    pub name: &'static str,
    /// Types that it takes.
    pub types: &'static str,
    /// What it becomes.
    pub becomes: &'static str,
    /// What is refused.
    pub limits: &'static str,
}

macro_rules! operators {
    ($($code:literal $name:literal, $types:literal, $becomes:literal, $limits:literal;)*) => {
        /// All of them, by name.
        pub const OPERATORS: &[Supported] = &[$(
            Supported { code: $code, name: $name, types: $types, becomes: $becomes, limits: $limits }
        ),*];
    };
}
operators! {
    0 "ADD", "int8", "Add", "any broadcasting, one operand may be constant; fused none, RELU, RELU6";
    1 "AVERAGE_POOL_2D", "int8", "AvgPool2d", "fused none, RELU, RELU6";
    37 "BATCH_TO_SPACE_ND", "int8", "part of a dilated convolution", "only after SPACE_TO_BATCH_ND and a convolution";
    53 "CAST", "int32, int64", "folded at import", "shape arithmetic only";
    2 "CONCATENATION", "int8", "Concat", "not along the batch; all inputs and the output with one scale and zero point";
    3 "CONV_2D", "int8", "Conv2d", "weights constant with zero point 0, per tensor or channel; no groups; dilated too";
    4 "DEPTHWISE_CONV_2D", "int8", "DepthwiseConv2d", "weights constant with zero point 0; any multiplier; dilated too";
    6 "DEQUANTIZE", "int8", "Dequantize", "to float32, at the end of the model";
    111 "ELU", "int8", "ELU", "a table of 256 bytes";
    70 "EXPAND_DIMS", "int8, float32, shapes", "nothing", "at most 4 axes without the batch";
    9 "FULLY_CONNECTED", "int8", "Dense", "weights constant with zero point 0, per tensor or output; any number of rows";
    36 "GATHER", "int32, int64", "folded at import", "shape arithmetic only";
    117 "HARD_SWISH", "int8", "HardSwish", "a table of 256 bytes";
    98 "LEAKY_RELU", "int8", "LeakyReLU", "a table of 256 bytes; alpha from 0";
    14 "LOGISTIC", "int8", "Sigmoid", "a table of 256 bytes; output scale 1/256, zero point -128";
    17 "MAX_POOL_2D", "int8", "MaxPool2d", "fused none, RELU, RELU6";
    40 "MEAN", "int8", "Mean", "any axes but the batch, constant";
    18 "MUL", "int8", "Mul", "as ADD";
    83 "PACK", "int32, int64", "folded at import", "shape arithmetic only";
    34 "PAD", "int8", "Pad", "not along the batch; amounts constant";
    60 "PADV2", "int8", "Pad", "as PAD; value constant, with the input's scale";
    114 "QUANTIZE", "int8, float32", "Quantize, Requantize", "float32 at the beginning of the model; int8 to int8 is a table";
    81 "REDUCE_PROD", "int32, int64", "folded at import", "shape arithmetic only";
    19 "RELU", "int8", "ReLU", "a table of 256 bytes";
    21 "RELU6", "int8", "ReLU6", "a table of 256 bytes";
    22 "RESHAPE", "int8, float32, shapes", "nothing", "shape known at import";
    97 "RESIZE_NEAREST_NEIGHBOR", "int8", "ResizeNearest", "size constant";
    77 "SHAPE", "any", "folded at import", "";
    65 "SLICE", "int8, shapes", "Slice", "not along the batch; begin and size constant";
    25 "SOFTMAX", "int8", "Softmax", "over the last axis, at most 4,096 elements; beta 1; output scale 1/256, zero point -128";
    38 "SPACE_TO_BATCH_ND", "int8", "part of a dilated convolution", "only before a convolution and BATCH_TO_SPACE_ND";
    49 "SPLIT", "int8", "Slice", "not along the batch";
    102 "SPLIT_V", "int8", "Slice", "not along the batch; sizes constant";
    43 "SQUEEZE", "int8, float32, shapes", "nothing", "";
    45 "STRIDED_SLICE", "int8, shapes", "Slice", "not along the batch; no ellipsis and no new axis; any steps";
    41 "SUB", "int8", "Sub", "as ADD";
    74 "SUM", "int8", "Sum", "as MEAN; rounds as TensorFlow Lite Micro in both conventions";
    28 "TANH", "int8", "Tanh", "a table of 256 bytes; output scale 1/128, zero point 0";
    39 "TRANSPOSE", "int8", "Transpose", "at most 4 axes without the batch";
    67 "TRANSPOSE_CONV", "int8", "TransposeConv2d", "weights constant with zero point 0, per tensor or channel";
}

pub(super) fn find(code: i32) -> Option<&'static Supported> {
    OPERATORS.iter().find(|operator| operator.code == code)
}

#[cfg(test)]
mod tests {
    use super::{super::builtin, OPERATORS};

    #[test]
    fn names_are_the_schemas_and_in_order() {
        assert!(OPERATORS.iter().all(|operator| builtin::name(operator.code) == Some(operator.name)));
        assert!(OPERATORS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
