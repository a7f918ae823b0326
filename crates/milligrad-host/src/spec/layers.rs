//! `[[layer]]`: the network.

mod options;

use super::reader::{Count, Names, Table};
use crate::builder::{Builder, Handle};
use crate::graph::Activation;
use crate::{Error, Result};
use std::collections::HashMap;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Dense,
    Conv1d,
    Conv2d,
    DepthwiseConv1d,
    DepthwiseConv2d,
    SeparableConv1d,
    SeparableConv2d,
    MaxPool1d,
    MaxPool2d,
    AvgPool1d,
    AvgPool2d,
    GlobalMaxPool1d,
    GlobalMaxPool2d,
    GlobalAvgPool1d,
    GlobalAvgPool2d,
    Flatten,
    Reshape,
    ZeroPadding1d,
    ZeroPadding2d,
    BatchNorm,
    Dropout,
    GaussianNoise,
    Add,
    Multiply,
    Concat,
    LeakyRelu,
    Elu,
    Activation,
    Function(Then),
}

const KINDS: &[(&str, Kind)] = &[
    ("dense", Kind::Dense),
    ("conv2d", Kind::Conv2d),
    ("depthwise_conv2d", Kind::DepthwiseConv2d),
    ("separable_conv2d", Kind::SeparableConv2d),
    ("conv1d", Kind::Conv1d),
    ("depthwise_conv1d", Kind::DepthwiseConv1d),
    ("separable_conv1d", Kind::SeparableConv1d),
    ("max_pool2d", Kind::MaxPool2d),
    ("avg_pool2d", Kind::AvgPool2d),
    ("global_max_pool2d", Kind::GlobalMaxPool2d),
    ("global_avg_pool2d", Kind::GlobalAvgPool2d),
    ("max_pool1d", Kind::MaxPool1d),
    ("avg_pool1d", Kind::AvgPool1d),
    ("global_max_pool1d", Kind::GlobalMaxPool1d),
    ("global_avg_pool1d", Kind::GlobalAvgPool1d),
    ("zero_padding2d", Kind::ZeroPadding2d),
    ("zero_padding1d", Kind::ZeroPadding1d),
    ("flatten", Kind::Flatten),
    ("reshape", Kind::Reshape),
    ("batch_norm", Kind::BatchNorm),
    ("dropout", Kind::Dropout),
    ("gaussian_noise", Kind::GaussianNoise),
    ("add", Kind::Add),
    ("multiply", Kind::Multiply),
    ("concat", Kind::Concat),
    ("activation", Kind::Activation),
    ("relu", Kind::Function(Then::Function(Activation::Relu))),
    ("relu6", Kind::Function(Then::Function(Activation::Relu6))),
    ("leaky_relu", Kind::LeakyRelu),
    ("elu", Kind::Elu),
    ("sigmoid", Kind::Function(Then::Function(Activation::Sigmoid))),
    ("tanh", Kind::Function(Then::Function(Activation::Tanh))),
    ("hard_swish", Kind::Function(Then::HardSwish)),
    ("softmax", Kind::Function(Then::Softmax)),
    // Keras' names.
    ("max_pooling2d", Kind::MaxPool2d),
    ("average_pooling2d", Kind::AvgPool2d),
    ("global_max_pooling2d", Kind::GlobalMaxPool2d),
    ("global_average_pooling2d", Kind::GlobalAvgPool2d),
    ("max_pooling1d", Kind::MaxPool1d),
    ("average_pooling1d", Kind::AvgPool1d),
    ("global_max_pooling1d", Kind::GlobalMaxPool1d),
    ("global_average_pooling1d", Kind::GlobalAvgPool1d),
    ("batch_normalization", Kind::BatchNorm),
    ("concatenate", Kind::Concat),
];

/// Values of `activation`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    Function(Activation),
    HardSwish,
    Softmax,
}

const ACTIVATIONS: &[(&str, Then)] = &[
    ("linear", Then::Function(Activation::Linear)),
    ("relu", Then::Function(Activation::Relu)),
    ("relu6", Then::Function(Activation::Relu6)),
    ("leaky_relu", Then::Function(Activation::LeakyRelu { alpha: 0.2 })),
    ("elu", Then::Function(Activation::Elu { alpha: 1.0 })),
    ("sigmoid", Then::Function(Activation::Sigmoid)),
    ("tanh", Then::Function(Activation::Tanh)),
    ("hard_swish", Then::HardSwish),
    ("softmax", Then::Softmax),
    ("hard_silu", Then::HardSwish),
];

/// Keys of layers with weights.
const PARAMETERS: &[&str] = &[
    "init",
    "bias_init",
    "regularizer",
    "bias_regularizer",
    "use_bias",
    "kernel_initializer",
    "bias_initializer",
    "kernel_regularizer",
];

/// Keys of layers with a window.
const WINDOW: &[&str] = &["stride", "strides", "padding", "dilation", "dilation_rate"];

/// Puts the layers into a builder, and says for each how far the builder was then.
pub(super) fn read(mut builder: Builder, tables: &[Table<'_, '_>]) -> Result<(Builder, Vec<Handle>)> {
    let mut named = HashMap::from([("input".to_string(), builder.here())]);
    let mut ends = Vec::new();
    for table in tables {
        let kinds: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        let Some(kind) = table.choice("type", KINDS)? else {
            return Err(table.missing("type", &format!("one of {}", kinds.join(", "))));
        };
        if let Some(tensor) = references(table, "from", &named)?.first() {
            builder = builder.from(*tensor);
        }
        builder = layer(builder, kind, table, &named)?;
        if let Some(name) = table.optional::<String>("name")? {
            if named.contains_key(&name) {
                return Err(table.fail("name", format!("another layer is called `{name}`"), ""));
            }
            builder = then(builder.named(&name), kind, table)?;
            named.insert(name, builder.here());
        } else {
            builder = then(builder, kind, table)?;
        }
        ends.push(builder.here());
    }
    Ok((builder, ends))
}

fn layer(
    builder: Builder,
    kind: Kind,
    table: &Table<'_, '_>,
    named: &HashMap<String, Handle>,
) -> Result<Builder> {
    let allow = |own: &[&[&str]]| table.allow(&[&["type"], &own.concat()[..], &["name", "from"]].concat());
    let count = |key| table.required::<Count>(key).map(|Count(n)| n);
    let size = |keys: &[&'static str]| table.required::<[usize; 2]>(table.key(keys));
    let length = |keys: &[&'static str]| count(table.key(keys));
    Ok(match kind {
        Kind::Dense => {
            allow(&[&["units", "activation"], PARAMETERS])?;
            options::parameters(builder.dense(count("units")?), table)?
        }
        Kind::Conv1d | Kind::Conv2d => {
            allow(&[&["filters", "kernel", "kernel_size"], WINDOW, &["activation"], PARAMETERS])?;
            let filters = count("filters")?;
            let builder = match kind {
                Kind::Conv1d => builder.conv1d(filters, length(KERNEL)?),
                _ => builder.conv2d(filters, size(KERNEL)?),
            };
            options::parameters(window(builder, kind, table)?, table)?
        }
        Kind::DepthwiseConv1d | Kind::DepthwiseConv2d => {
            allow(&[
                &["kernel", "kernel_size", "multiplier", "depth_multiplier"],
                WINDOW,
                &["activation", "depthwise_initializer", "depthwise_regularizer"],
                PARAMETERS,
            ])?;
            let builder = depthwise(builder, kind == Kind::DepthwiseConv1d, table)?;
            options::parameters(window(builder, kind, table)?, table)?
        }
        Kind::SeparableConv1d | Kind::SeparableConv2d => separable(builder, kind, table)?,
        Kind::MaxPool2d | Kind::AvgPool2d | Kind::MaxPool1d | Kind::AvgPool1d => {
            allow(&[&["size", "pool_size", "stride", "strides", "padding"]])?;
            let keys = &["size", "pool_size"];
            let pool = match kind {
                Kind::MaxPool2d => builder.max_pool2d(size(keys)?),
                Kind::AvgPool2d => builder.avg_pool2d(size(keys)?),
                Kind::MaxPool1d => builder.max_pool1d(length(keys)?),
                _ => builder.avg_pool1d(length(keys)?),
            };
            window(pool, kind, table)?
        }
        Kind::GlobalMaxPool1d | Kind::GlobalMaxPool2d | Kind::GlobalAvgPool1d | Kind::GlobalAvgPool2d => {
            allow(&[])?;
            match kind {
                Kind::GlobalMaxPool1d => builder.global_max_pool1d(),
                Kind::GlobalMaxPool2d => builder.global_max_pool2d(),
                Kind::GlobalAvgPool1d => builder.global_avg_pool1d(),
                _ => builder.global_avg_pool2d(),
            }
        }
        Kind::ZeroPadding1d => {
            allow(&[&["padding"]])?;
            builder.zero_padding1d(table.required::<options::Sides>("padding")?.0)
        }
        Kind::ZeroPadding2d => {
            allow(&[&["padding"]])?;
            builder.zero_padding2d(table.required::<options::Borders>("padding")?.0)
        }
        Kind::Flatten => {
            allow(&[])?;
            builder.flatten()
        }
        Kind::Reshape => {
            allow(&[&["shape", "target_shape"]])?;
            builder.reshape(&table.required::<Vec<usize>>(table.key(&["shape", "target_shape"]))?)
        }
        Kind::BatchNorm => {
            allow(&[&["epsilon", "momentum", "activation"]])?;
            builder.batch_norm_with(table.or("epsilon", 1e-3)?, table.or("momentum", 0.99)?)
        }
        Kind::Dropout => {
            allow(&[&["rate"]])?;
            builder.dropout(table.required("rate")?)
        }
        Kind::GaussianNoise => {
            allow(&[&["stddev"]])?;
            builder.gaussian_noise(table.required("stddev")?)
        }
        Kind::Add | Kind::Multiply | Kind::Concat => {
            let axis: &[&str] = if kind == Kind::Concat { &["axis"] } else { &[] };
            allow(&[&["with", "activation"], axis])?;
            // Inputs in a list, as Keras takes them, or the others beside the layer before.
            let mut inputs = references(table, "from", named)?;
            inputs.drain(..inputs.len().min(1));
            inputs.extend(references(table, "with", named)?);
            if inputs.is_empty() {
                return Err(
                    table.missing("with", "the name of an earlier layer, a list of them, or \"input\"")
                );
            }
            match kind {
                Kind::Add => inputs.into_iter().fold(builder, Builder::add),
                Kind::Multiply => inputs.into_iter().fold(builder, Builder::multiply),
                _ => match table.optional::<i64>("axis")? {
                    None | Some(-1) => builder.concat(&inputs),
                    Some(axis) => match usize::try_from(axis).ok().and_then(|axis| axis.checked_sub(1)) {
                        Some(axis) => builder.concat_along(axis, &inputs),
                        None => {
                            let help = "as in Keras axis 0 is the batch; -1 is the last axis, 1 the first of a sample";
                            return Err(table.fail("axis", "there is no such axis", help));
                        }
                    },
                },
            }
        }
        Kind::LeakyRelu => {
            allow(&[&["alpha", "negative_slope"]])?;
            builder.leaky_relu(table.or(table.key(&["alpha", "negative_slope"]), 0.3)?)
        }
        Kind::Elu => {
            allow(&[&["alpha"]])?;
            builder.elu(table.or("alpha", 1.0)?)
        }
        Kind::Activation => {
            allow(&[&["activation"]])?;
            match table.choice("activation", ACTIVATIONS)? {
                Some(then) => activation(builder, then),
                None => return Err(table.missing("activation", "the name of an activation")),
            }
        }
        Kind::Function(then) => {
            allow(&[])?;
            activation(builder, then)
        }
    })
}

const KERNEL: &[&str] = &["kernel", "kernel_size"];

fn depthwise(builder: Builder, line: bool, table: &Table<'_, '_>) -> Result<Builder> {
    let Count(multiplier) = table.or(table.key(&["multiplier", "depth_multiplier"]), Count(1))?;
    let builder = if line {
        let Count(kernel) = table.required(table.key(KERNEL))?;
        builder.depthwise_conv1d(kernel)
    } else {
        builder.depthwise_conv2d(table.required::<[usize; 2]>(table.key(KERNEL))?)
    };
    Ok(builder.multiplier(multiplier))
}

/// Two layers, of which the second has the name: `NAME` is the mixture, `NAME.depthwise` the other half.
fn separable(builder: Builder, kind: Kind, table: &Table<'_, '_>) -> Result<Builder> {
    table.allow(
        &[
            &["type", "filters", "kernel", "kernel_size", "multiplier", "depth_multiplier"],
            WINDOW,
            &["activation", "depthwise_initializer", "depthwise_regularizer"],
            &["pointwise_initializer", "pointwise_regularizer"],
            PARAMETERS,
            &["name", "from"],
        ]
        .concat(),
    )?;
    let Count(filters) = table.required("filters")?;
    let builder = depthwise(builder, kind == Kind::SeparableConv1d, table)?;
    let builder = options::depthwise(window(builder, kind, table)?.without_bias(), table)?;
    let builder = match table.optional::<String>("name")? {
        Some(name) => builder.named(format!("{name}.depthwise")),
        None => builder,
    };
    options::parameters(builder.pointwise(filters), table)
}

fn window(mut builder: Builder, kind: Kind, table: &Table<'_, '_>) -> Result<Builder> {
    use Kind::{AvgPool1d, Conv1d, DepthwiseConv1d, MaxPool1d, SeparableConv1d};
    let line = matches!(kind, Conv1d | DepthwiseConv1d | SeparableConv1d | MaxPool1d | AvgPool1d);
    let extent = |key: &str| -> Result<Option<[usize; 2]>> {
        match line {
            true => Ok(table.optional::<Count>(key)?.map(|Count(n)| [1, n])),
            false => table.optional(key),
        }
    };
    if let Some(stride) = extent(table.key(&["stride", "strides"]))? {
        builder = builder.strides(stride);
    }
    if let Some(dilation) = extent(table.key(&["dilation", "dilation_rate"]))? {
        builder = builder.dilation(dilation);
    }
    Ok(match table.choice("padding", &[("valid", false), ("same", true)])? {
        Some(true) => builder.same(),
        _ => builder,
    })
}

fn then(builder: Builder, kind: Kind, table: &Table<'_, '_>) -> Result<Builder> {
    Ok(match (kind, table.choice("activation", ACTIVATIONS)?) {
        (Kind::Activation, _) | (_, None | Some(Then::Function(Activation::Linear))) => builder,
        (_, Some(then)) => activation(builder, then),
    })
}

fn activation(builder: Builder, then: Then) -> Builder {
    match then {
        Then::Function(activation) => builder.activation(activation),
        Then::HardSwish => builder.hard_swish(),
        Then::Softmax => builder.softmax(),
    }
}

/// The tensors that a key names; none if it is not there.
fn references(table: &Table<'_, '_>, key: &str, named: &HashMap<String, Handle>) -> Result<Vec<Handle>> {
    let Some(Names(names)) = table.optional(key)? else { return Ok(Vec::new()) };
    let find = |name: &String| {
        named.get(name).copied().ok_or_else(|| {
            let mut names: Vec<&str> = named.keys().map(String::as_str).collect();
            names.sort_unstable();
            let help = format!("give it a `name`; there are {} before this one", names.join(", "));
            table.fail(key, format!("no earlier layer is called `{name}`"), &help)
        })
    };
    names.iter().map(find).collect()
}

/// Points at the layer that an error of the builder speaks of.
pub(super) fn locate(error: Error, builder: &Builder, tables: &[Table<'_, '_>], ends: &[Handle]) -> Error {
    let Error::Graph { layer, problem, .. } = &error else { return error };
    let place = builder.position(layer).and_then(|at| ends.iter().position(|end| at <= *end));
    match place.and_then(|place| tables.get(place)) {
        Some(table) => table.fail("type", format!("layer `{layer}`: {problem}"), ""),
        None => error,
    }
}
