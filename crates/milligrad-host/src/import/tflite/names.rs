//! Names of layers, from the names that TensorFlow gives to tensors.

/// Last parts of tensors' names that say what TensorFlow computes, not what the user called the layer.
const COMPUTED: [&str; 30] = [
    "matmul",
    "biasadd",
    "add",
    "add_1",
    "relu",
    "relu6",
    "conv2d",
    "conv1d",
    "convolution",
    "depthwise",
    "maxpool",
    "maxpool2d",
    "avgpool",
    "avgpool2d",
    "mean",
    "sum",
    "softmax",
    "sigmoid",
    "tanh",
    "mul",
    "sub",
    "reshape",
    "squeeze",
    "expanddims",
    "concat",
    "pad",
    "transpose",
    "fusedbatchnormv3",
    "leakyrelu",
    "batchnorm",
];

/// A short name in snake case for the layer that writes a tensor: `model/dense_1/MatMul;model/dense_1/BiasAdd` gives
/// `dense_1`, and a tensor without a telling name the operator's.
pub(super) fn layer(tensor: &str, kind: &str) -> String {
    let first = tensor.split(';').next().unwrap_or_default();
    let parts: Vec<_> = first.split('/').filter_map(sanitised).collect();
    let telling = parts.iter().rev().find(|part| {
        !COMPUTED.contains(&part.as_str())
            && *part != "identity"
            && !part.starts_with("statefulpartitionedcall")
            && !part.starts_with("serving")
    });
    let fallback = || sanitised(kind).unwrap_or_else(|| "layer".into());
    telling
        .filter(|part| part.starts_with(|c: char| c.is_ascii_alphabetic()))
        .cloned()
        .unwrap_or_else(fallback)
}

/// Lower case, digits and single underscores, at most 40 characters; `None` if nothing is left.
pub(super) fn sanitised(name: &str) -> Option<String> {
    let mut text = String::new();
    for c in name.chars().take(40) {
        match c {
            c if c.is_ascii_alphanumeric() => text.push(c.to_ascii_lowercase()),
            _ if !text.is_empty() && !text.ends_with('_') => text.push('_'),
            _ => {}
        }
    }
    let text = text.trim_end_matches('_');
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::layer;

    #[test]
    fn layers_keep_their_names() {
        assert_eq!(layer("model/dense_1/MatMul;model/dense_1/BiasAdd", "FULLY_CONNECTED"), "dense_1");
        assert_eq!(layer("StatefulPartitionedCall_1:0", "SOFTMAX"), "softmax");
        assert_eq!(layer("functional_1/a b/Relu", "CONV_2D"), "a_b");
        assert_eq!(layer("", "CONV_2D"), "conv_2d");
        assert_eq!(layer("0/1", "MEAN"), "mean");
    }
}
