use super::*;

fn names(graph: &Graph) -> Vec<&str> {
    graph.nodes.iter().map(|node| node.name.as_str()).collect()
}

#[test]
fn ranges_are_fused_and_others_are_layers() {
    let graph = Builder::new("t", &[8, 8, 1])
        .conv2d(4, 3)
        .same()
        .relu()
        .conv2d(4, 3)
        .named("second")
        .strides(2)
        .batch_norm()
        .relu6()
        .depthwise_conv2d([3, 1])
        .multiplier(2)
        .relu6()
        .global_avg_pool2d()
        .dense(3)
        .sigmoid()
        .dense(2)
        .relu()
        .named("head")
        .softmax()
        .build(0)
        .unwrap();
    let expected = [
        "conv2d",
        "second",
        "batch_norm",
        "relu6",
        "depthwise_conv2d",
        "global_avg_pool2d",
        "dense",
        "sigmoid",
        "head",
        "softmax",
    ];
    assert_eq!(names(&graph), expected);
    let fused: Vec<_> = graph.nodes.iter().filter_map(|node| node.op.fused_activation()).collect();
    use Activation::*;
    assert_eq!(fused, [Relu, Linear, Relu6, Linear, Relu]);
    let shapes: Vec<_> = graph.nodes.iter().map(|node| graph.tensor(node.output).shape.as_slice()).collect();
    assert_eq!(shapes[..6], [&[8, 8, 4][..], &[3, 3, 4], &[3, 3, 4], &[3, 3, 4], &[1, 3, 8], &[1, 1, 8]]);
    assert_eq!(graph.constants[8].name, "depthwise_conv2d/weights");
}

#[test]
fn default_names_count_up_and_seeds_decide() {
    let two = Builder::new("t", &[4]).dense(3).tanh().dense(2);
    let graph = two.build(1).unwrap();
    assert_eq!(names(&graph), ["dense", "tanh", "dense_1"]);
    assert_eq!(graph, two.build(1).unwrap());
    assert_ne!(graph, two.build(2).unwrap());
    // A layer behind does not change those before.
    assert_eq!(two.clone().dense(1).build(1).unwrap().constants[..4], graph.constants[..]);
}

#[test]
fn a_tensor_that_others_read_keeps_its_values() {
    let start = Builder::new("t", &[4, 4, 2]).conv2d(2, 3).same();
    let before = start.here();
    let graph = start.relu().conv2d(2, 1).add(before).relu().build(0).unwrap();
    assert_eq!(names(&graph), ["conv2d", "relu", "conv2d_1", "add"]);
    assert_eq!(graph.nodes[3].inputs, [graph.nodes[2].output, graph.nodes[0].output]);
    assert_eq!(graph.nodes[3].op.fused_activation(), Some(Activation::Relu));
}

#[test]
fn what_does_not_fit_names_the_layer() {
    let new = || Builder::new("t", &[8, 8, 1]);
    let skip = new().here();
    let huge = usize::MAX / 2;
    for (builder, layer, problem) in [
        (new().conv2d(4, 9), "conv2d", "larger"),
        (new().conv2d(4, 3).max_pool2d(2).max_pool2d(2).max_pool2d(2), "max_pool2d_2", "larger"),
        (new().conv2d(4, 0), "conv2d", "at least 1"),
        (new().conv2d(4, 3).strides(0), "conv2d", "stride"),
        (new().conv2d(4, 3).same().dilation(70_000), "conv2d", "dilation"),
        (new().conv2d(0, 3), "conv2d", "at least 1"),
        (new().dense(0), "dense", "at least 1"),
        (new().dense(huge), "dense", "more than"),
        (new().conv2d(huge, [huge, huge]), "conv2d", "more than"),
        (new().flatten().conv2d(4, 3), "conv2d", "image"),
        (new().dense(3).same(), "dense", "`padding`"),
        (new().dense(3).multiplier(2), "dense", "`multiplier`"),
        (new().conv2d(4, 3).add(skip), "add", "equal"),
        (new().dense(3).named("a").dense(3).named("a"), "a", "unique"),
        (new().dense(3).named("a#b"), "a#b", "letters"),
        (new().dropout(1.0), "dropout", "rate"),
        (Builder::new("t", &[8, 8, 1]).add(new().dense(1).dense(1).here()), "add", "another builder"),
    ] {
        let error = builder.build(0).unwrap_err();
        let Error::Graph { layer: named, .. } = &error else { panic!("{error}") };
        assert_eq!(named, layer, "{error}");
        assert!(error.to_string().contains(problem), "{error}");
    }
    assert!(new().build(0).unwrap_err().to_string().contains("no layers"));
    assert!(Builder::new("t", &[]).dense(1).build(0).is_err());
    assert!(Builder::new("t", &[0]).dense(1).build(0).is_err());
    assert!(new().classes(["a"]).dense(3).build(0).unwrap_err().to_string().contains("labels"));
}
