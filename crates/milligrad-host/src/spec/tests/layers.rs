//! `[[layer]]`.

use super::*;

/// A specification with these layers.
fn with_layers(input: &str, layers: &str) -> String {
    format!("[model]\nname = \"t\"\ninput = {input}\n{layers}\n[data]\nsource = \"digits\"\n")
}

fn shapes(text: &str) -> Vec<(String, Vec<usize>)> {
    let graph = parse(text).unwrap().graph(&[], 0).unwrap();
    graph.nodes.iter().map(|node| (node.name.clone(), graph.tensor(node.output).shape.clone())).collect()
}

const SERIES: &str = r#"
[[layer]]
type = "zero_padding1d"
padding = [1, 0]
[[layer]]
type = "conv1d"
filters = 4
kernel = 3
stride = 2
padding = "same"
activation = "relu"
[[layer]]
type = "depthwise_conv1d"
kernel = 3
multiplier = 2
name = "left"
[[layer]]
type = "max_pool1d"
size = 2
[[layer]]
type = "separable_conv1d"
filters = 5
kernel = 3
padding = "same"
name = "right"
from = "left"
[[layer]]
type = "global_avg_pool1d"
[[layer]]
type = "elu"
[[layer]]
type = "dense"
units = 2
"#;

#[test]
fn layers_of_a_series_under_both_spellings() {
    let text = with_layers("[12, 3]", SERIES);
    let expected = [
        ("zero_padding1d", vec![13, 3]),
        ("conv1d", vec![7, 4]),
        ("left", vec![5, 8]),
        ("max_pool1d", vec![2, 8]),
        ("right.depthwise", vec![5, 8]),
        ("right", vec![5, 5]),
        ("global_avg_pool1d", vec![1, 5]),
        ("elu", vec![1, 5]),
        ("dense", vec![2]),
    ];
    let expected = expected.map(|(name, shape)| (name.to_string(), shape));
    assert_eq!(shapes(&text), expected);
    let keras = text
        .replace("\"conv1d\"", "\"Conv1D\"")
        .replace("kernel", "kernel_size")
        .replace("stride", "strides")
        .replace("multiplier", "depth_multiplier")
        .replace("\"max_pool1d\"\nsize", "\"MaxPooling1D\"\npool_size")
        .replace("global_avg_pool1d", "GlobalAveragePooling1D")
        .replace("separable_conv1d", "SeparableConv1D");
    assert_eq!(shapes(&keras), expected);
}

const BRANCHES: &str = r#"
[[layer]]
type = "conv2d"
filters = 4
kernel = 3
padding = "same"
init = "he_normal"
bias_init = 0.5
regularizer = { l1 = 0.001, l2 = 0.002 }
bias_regularizer = "l2"
name = "a"
[[layer]]
type = "conv2d"
filters = 4
kernel = 1
use_bias = false
from = "input"
name = "b"
[[layer]]
type = "global_max_pool2d"
name = "gate"
[[layer]]
type = "multiply"
from = ["b", "gate"]
activation = "hard_swish"
name = "c"
[[layer]]
type = "concat"
with = ["a", "b"]
[[layer]]
type = "zero_padding2d"
padding = [[1, 0], [0, 2]]
[[layer]]
type = "gaussian_noise"
stddev = 0.1
[[layer]]
type = "reshape"
shape = [9, 120]
"#;

#[test]
fn branches_and_options() {
    let spec = parse(&with_layers("[8, 8, 1]", BRANCHES)).unwrap();
    let graph = spec.graph(&[], 0).unwrap();
    let shape = |name: &str| {
        let node = graph.nodes.iter().find(|node| node.name == name).unwrap();
        graph.tensor(node.output).shape.clone()
    };
    assert_eq!((shape("gate"), shape("c"), shape("concat")), (vec![1, 1, 4], vec![8, 8, 4], vec![8, 8, 12]));
    assert_eq!((shape("zero_padding2d"), shape("reshape")), (vec![9, 10, 12], vec![9, 120]));
    let rule = |name: &str| graph.training.get(name).copied().unwrap_or_default();
    let (weights, bias) = (rule("a/weights").regularizer, rule("a/bias").regularizer);
    assert_eq!((weights.l1, weights.l2, bias.l1, bias.l2), (0.001, 0.002, 0.0, 0.01));
    assert!(rule("b/bias").fixed && !rule("b/weights").fixed && !rule("a/bias").fixed);
    let bias = graph.constants.iter().find(|c| c.name == "a/bias").unwrap();
    assert_eq!(bias.values, crate::Values::F32(vec![0.5; 4]));
}

#[test]
fn layers_that_do_not_fit_are_named() {
    for (input, layer, problem) in [
        ("[8, 8, 1]", "type = \"conv1d\"\nfilters = 2\nkernel = 3", "not [length, channels]"),
        ("[12, 3]", "type = \"conv2d\"\nfilters = 2\nkernel = 3", "not an image"),
        ("[12, 3]", "type = \"concat\"\nwith = \"input\"\naxis = 0", "axis 0 is the batch"),
        ("[12, 3]", "type = \"concat\"\nwith = \"input\"\naxis = 3", "axis 2 of [12, 3] does not exist"),
        ("[12, 3]", "type = \"reshape\"\nshape = [5, 7]", "has 36 elements"),
        ("[12, 3]", "type = \"reshape\"\nshape = [2, 2, 3, 3, 1]", "1 to 4 axes"),
        ("[12, 3]", "type = \"gaussian_noise\"\nstddev = -1.0", "not a number from 0"),
        ("[12, 3]", "type = \"dense\"\nunits = 2\ninit = \"he\"", "allowed: glorot_uniform"),
        ("[12, 3]", "type = \"dense\"\nunits = 2\nregularizer = { l2 = -1.0 }", "not negative"),
        ("[12, 3]", "type = \"flatten\"\ninit = \"ones\"", "unknown key `init`"),
        ("[12, 3]", "type = \"multiply\"", "`with` is missing"),
    ] {
        let text = with_layers(input, &format!("[[layer]]\n{layer}\n"));
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains("t.toml:"), "{layer}: {error}");
    }
}
