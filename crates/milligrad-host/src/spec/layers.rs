//! `[[layer]]`: the network.

use super::reader::{Count, Table};
use crate::builder::{Builder, Handle};
use crate::graph::Activation;
use crate::{Error, Result};
use std::collections::HashMap;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Dense,
    Conv2d,
    DepthwiseConv2d,
    MaxPool2d,
    AvgPool2d,
    GlobalAvgPool2d,
    Flatten,
    BatchNorm,
    Dropout,
    Add,
    LeakyRelu,
    Activation(Activation),
    Softmax,
}

const KINDS: &[(&str, Kind)] = &[
    ("dense", Kind::Dense),
    ("conv2d", Kind::Conv2d),
    ("depthwise_conv2d", Kind::DepthwiseConv2d),
    ("max_pool2d", Kind::MaxPool2d),
    ("avg_pool2d", Kind::AvgPool2d),
    ("global_avg_pool2d", Kind::GlobalAvgPool2d),
    ("flatten", Kind::Flatten),
    ("batch_norm", Kind::BatchNorm),
    ("dropout", Kind::Dropout),
    ("add", Kind::Add),
    ("relu", Kind::Activation(Activation::Relu)),
    ("relu6", Kind::Activation(Activation::Relu6)),
    ("leaky_relu", Kind::LeakyRelu),
    ("sigmoid", Kind::Activation(Activation::Sigmoid)),
    ("tanh", Kind::Activation(Activation::Tanh)),
    ("softmax", Kind::Softmax),
];

/// Values of `activation`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    Function(Activation),
    Softmax,
}

const ACTIVATIONS: &[(&str, Then)] = &[
    ("linear", Then::Function(Activation::Linear)),
    ("relu", Then::Function(Activation::Relu)),
    ("relu6", Then::Function(Activation::Relu6)),
    ("sigmoid", Then::Function(Activation::Sigmoid)),
    ("tanh", Then::Function(Activation::Tanh)),
    ("softmax", Then::Softmax),
];

/// Puts the layers into a builder, and says for each how far the builder was then.
pub(super) fn read(mut builder: Builder, tables: &[Table<'_, '_>]) -> Result<(Builder, Vec<Handle>)> {
    let mut named = HashMap::from([("input".to_string(), builder.here())]);
    let mut ends = Vec::new();
    for table in tables {
        let kinds: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
        let Some(kind) = table.choice("type", KINDS)? else {
            return Err(table.missing("type", &format!("one of {}", kinds.join(", "))));
        };
        if let Some(tensor) = reference(table, "from", &named)? {
            builder = builder.from(tensor);
        }
        builder = layer(builder, kind, table, &named)?;
        if let Some(name) = table.optional::<String>("name")? {
            if named.contains_key(&name) {
                return Err(table.fail("name", format!("another layer is called `{name}`"), ""));
            }
            builder = builder.named(&name);
            builder = then(builder, table)?;
            named.insert(name, builder.here());
        } else {
            builder = then(builder, table)?;
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
    let allow = |own: &[&str]| table.allow(&[&["type"], own, &["name", "from"]].concat());
    let count = |key| table.required::<Count>(key).map(|Count(n)| n);
    let kernel = |key| table.required::<[usize; 2]>(key);
    Ok(match kind {
        Kind::Dense => {
            allow(&["units", "activation"])?;
            builder.dense(count("units")?)
        }
        Kind::Conv2d => {
            allow(&["filters", "kernel", "stride", "padding", "dilation", "activation"])?;
            window(builder.conv2d(count("filters")?, kernel("kernel")?), table)?
        }
        Kind::DepthwiseConv2d => {
            allow(&["kernel", "multiplier", "stride", "padding", "dilation", "activation"])?;
            let Count(multiplier) = table.or("multiplier", Count(1))?;
            window(builder.depthwise_conv2d(kernel("kernel")?).multiplier(multiplier), table)?
        }
        Kind::MaxPool2d | Kind::AvgPool2d => {
            allow(&["size", "stride", "padding"])?;
            let size = kernel("size")?;
            let pool =
                if kind == Kind::MaxPool2d { builder.max_pool2d(size) } else { builder.avg_pool2d(size) };
            window(pool, table)?
        }
        Kind::GlobalAvgPool2d => {
            allow(&[])?;
            builder.global_avg_pool2d()
        }
        Kind::Flatten => {
            allow(&[])?;
            builder.flatten()
        }
        Kind::BatchNorm => {
            allow(&["epsilon", "momentum", "activation"])?;
            builder.batch_norm_with(table.or("epsilon", 1e-3)?, table.or("momentum", 0.99)?)
        }
        Kind::Dropout => {
            allow(&["rate"])?;
            builder.dropout(table.required("rate")?)
        }
        Kind::Add => {
            allow(&["with", "activation"])?;
            let other = reference(table, "with", named)?;
            builder.add(
                other.ok_or_else(|| table.missing("with", "the name of an earlier layer, or \"input\""))?,
            )
        }
        Kind::LeakyRelu => {
            allow(&["alpha"])?;
            builder.leaky_relu(table.or("alpha", 0.3)?)
        }
        Kind::Activation(activation) => {
            allow(&[])?;
            builder.activation(activation)
        }
        Kind::Softmax => {
            allow(&[])?;
            builder.softmax()
        }
    })
}

fn window(mut builder: Builder, table: &Table<'_, '_>) -> Result<Builder> {
    if let Some(stride) = table.optional::<[usize; 2]>("stride")? {
        builder = builder.strides(stride);
    }
    if let Some(dilation) = table.optional::<[usize; 2]>("dilation")? {
        builder = builder.dilation(dilation);
    }
    Ok(match table.choice("padding", &[("valid", false), ("same", true)])? {
        Some(true) => builder.same(),
        _ => builder,
    })
}

fn then(builder: Builder, table: &Table<'_, '_>) -> Result<Builder> {
    Ok(match table.choice("activation", ACTIVATIONS)? {
        None | Some(Then::Function(Activation::Linear)) => builder,
        Some(Then::Function(activation)) => builder.activation(activation),
        Some(Then::Softmax) => builder.softmax(),
    })
}

fn reference(table: &Table<'_, '_>, key: &str, named: &HashMap<String, Handle>) -> Result<Option<Handle>> {
    let Some(name) = table.optional::<String>(key)? else { return Ok(None) };
    let unknown = || {
        let mut names: Vec<&str> = named.keys().map(String::as_str).collect();
        names.sort_unstable();
        let help = format!("give it a `name`; there are {} before this one", names.join(", "));
        table.fail(key, format!("no earlier layer is called `{name}`"), &help)
    };
    named.get(&name).copied().map(Some).ok_or_else(unknown)
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
