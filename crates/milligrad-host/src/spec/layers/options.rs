//! Options of layers: how parameters start, what they add to the loss, borders.

use crate::Result;
use crate::builder::Builder;
use crate::graph::Regularizer;
use crate::spec::reader::{FromValue, Table};
use crate::train::Initializer;
use toml::de::DeValue;

const INITIALIZERS: &[(&str, Initializer)] = &[
    ("glorot_uniform", Initializer::GlorotUniform),
    ("glorot_normal", Initializer::GlorotNormal),
    ("he_uniform", Initializer::HeUniform),
    ("he_normal", Initializer::HeNormal),
    ("lecun_uniform", Initializer::LecunUniform),
    ("lecun_normal", Initializer::LecunNormal),
    ("zeros", Initializer::Zeros),
    ("ones", Initializer::Ones),
];

/// Keras' factors where only the name is given.
const REGULARIZERS: &[(&str, Regularizer)] =
    &[("l1", Regularizer { l1: 0.01, l2: 0.0 }), ("l2", Regularizer { l1: 0.0, l2: 0.01 })];

/// The options of a layer with weights.
pub(super) fn parameters(builder: Builder, table: &Table<'_, '_>) -> Result<Builder> {
    let weights = ["init", "kernel_initializer", "pointwise_initializer", "depthwise_initializer"];
    // A separable convolution gives those of its depthwise half by name.
    let weights = if table.has("filters") { &weights[..3] } else { &weights[..] };
    let regularizers =
        ["regularizer", "kernel_regularizer", "pointwise_regularizer", "depthwise_regularizer"];
    let regularizers = if table.has("filters") { &regularizers[..3] } else { &regularizers[..] };
    let mut builder = builder;
    if let Some(init) = initializer(table, table.key(weights))? {
        builder = builder.init(init);
    }
    if let Some(init) = initializer(table, table.key(&["bias_init", "bias_initializer"]))? {
        builder = builder.bias_init(init);
    }
    if let Some(added) = regularizer(table, table.key(regularizers))? {
        builder = builder.regularizer(added);
    }
    if let Some(added) = regularizer(table, "bias_regularizer")? {
        builder = builder.bias_regularizer(added);
    }
    Ok(if table.or("use_bias", true)? { builder } else { builder.without_bias() })
}

/// Those of the depthwise half of a separable convolution.
pub(super) fn depthwise(mut builder: Builder, table: &Table<'_, '_>) -> Result<Builder> {
    if let Some(init) = initializer(table, table.key(&["depthwise_initializer", "init"]))? {
        builder = builder.init(init);
    }
    if let Some(added) = regularizer(table, table.key(&["depthwise_regularizer", "regularizer"]))? {
        builder = builder.regularizer(added);
    }
    Ok(builder)
}

/// `"he_normal"`, or a number for a constant.
fn initializer(table: &Table<'_, '_>, key: &str) -> Result<Option<Initializer>> {
    match table.optional::<f32>(key) {
        Ok(constant) => Ok(constant.map(Initializer::Constant)),
        Err(_) => table.choice(key, INITIALIZERS),
    }
}

/// `"l2"` or `{ l1 = 0.001, l2 = 0.001 }`
fn regularizer(table: &Table<'_, '_>, key: &str) -> Result<Option<Regularizer>> {
    if let Ok(Some(_)) = table.optional::<String>(key) {
        return table.choice(key, REGULARIZERS);
    }
    let Some(factors) = table.table(key)? else { return Ok(None) };
    let factors = factors.titled(format!("`{key}`"));
    factors.allow(&["l1", "l2"])?;
    let factor = |key| {
        let factor: f32 = factors.or(key, 0.0)?;
        let fits = factor >= 0.0;
        if fits { Ok(factor) } else { Err(factors.fail(key, format!("`{key}` is not negative"), "")) }
    };
    Ok(Some(Regularizer { l1: factor("l1")?, l2: factor("l2")? }))
}

/// Elements before and after.
pub(super) struct Sides(pub(super) [usize; 2]);

fn number(value: &DeValue<'_>) -> Option<usize> {
    u64::from_value(value)?.try_into().ok()
}

impl FromValue for Sides {
    const EXPECTED: &'static str = "a whole number from 0, or two of them: [before, after]";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        match value {
            DeValue::Array(sides) => {
                let sides: Option<Vec<usize>> = sides.iter().map(|side| number(side.get_ref())).collect();
                sides?.try_into().ok().map(Self)
            }
            _ => number(value).map(|n| Self([n; 2])),
        }
    }
}

/// Rows above and below, columns left and right.
pub(super) struct Borders(pub(super) [[usize; 2]; 2]);

impl FromValue for Borders {
    const EXPECTED: &'static str =
        "a whole number from 0, [rows, columns], or [[top, bottom], [left, right]]";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        match value {
            DeValue::Array(axes) => {
                let axes: Option<Vec<[usize; 2]>> = axes
                    .iter()
                    .map(|axis| Sides::from_value(axis.get_ref()).map(|Sides(sides)| sides))
                    .collect();
                axes?.try_into().ok().map(Self)
            }
            _ => number(value).map(|n| Self([[n; 2]; 2])),
        }
    }
}
