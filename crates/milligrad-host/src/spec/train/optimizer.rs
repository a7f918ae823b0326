//! `optimizer`: how it is learned.

use crate::Result;
use crate::spec::reader::Table;
use crate::train::{Clip, Optimizer};

/// Keras' constants.
const OPTIMIZERS: &[(&str, Optimizer)] = &[
    ("sgd", Optimizer::Sgd { learning_rate: 0.01, momentum: 0.0, nesterov: false }),
    ("adam", Optimizer::Adam { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }),
    (
        "adamw",
        Optimizer::AdamW {
            learning_rate: 0.001,
            weight_decay: 0.004,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
        },
    ),
    (
        "rmsprop",
        Optimizer::RmsProp { learning_rate: 0.001, rho: 0.9, momentum: 0.0, epsilon: 1e-7, centered: false },
    ),
];

/// `"adam"` or `{ type = "adam", learning_rate = ... }`
pub(super) fn read(train: &Table<'_, '_>) -> Result<Option<(Optimizer, Clip)>> {
    if let Ok(Some(_)) = train.optional::<String>("optimizer") {
        return Ok(train.choice("optimizer", OPTIMIZERS)?.map(|usual| (usual, Clip::None)));
    }
    let Some(table) = train.table("optimizer")? else { return Ok(None) };
    let table = table.titled("`optimizer`");
    let usual = table.choice("type", OPTIMIZERS)?.unwrap_or_default();
    let allow = |own: &[&str]| table.allow(&[&["type", "learning_rate"], own, CLIPS].concat());
    let rate = |usual: f64| {
        let rate = table.or("learning_rate", usual)?;
        if rate > 0.0 { Ok(rate) } else { Err(table.fail("learning_rate", "a learning rate is above 0", "")) }
    };
    let share = |key, usual: f64| {
        let share = table.or(key, usual)?;
        let fits = (0.0..1.0).contains(&share);
        if fits { Ok(share) } else { Err(table.fail(key, format!("`{key}` is from 0.0 to below 1.0"), "")) }
    };
    let positive = |key, usual: f64| {
        let x = table.or(key, usual)?;
        if x >= 0.0 { Ok(x) } else { Err(table.fail(key, format!("`{key}` is not negative"), "")) }
    };
    let optimizer = match usual {
        Optimizer::Sgd { learning_rate, momentum, nesterov } => {
            allow(&["momentum", "nesterov"])?;
            Optimizer::Sgd {
                learning_rate: rate(learning_rate)?,
                momentum: share("momentum", momentum)?,
                nesterov: table.or("nesterov", nesterov)?,
            }
        }
        Optimizer::Adam { learning_rate, beta_1, beta_2, epsilon } => {
            allow(&["beta_1", "beta_2", "epsilon"])?;
            Optimizer::Adam {
                learning_rate: rate(learning_rate)?,
                beta_1: share("beta_1", beta_1)?,
                beta_2: share("beta_2", beta_2)?,
                epsilon: positive("epsilon", epsilon)?,
            }
        }
        Optimizer::AdamW { learning_rate, weight_decay, beta_1, beta_2, epsilon } => {
            allow(&["weight_decay", "beta_1", "beta_2", "epsilon"])?;
            Optimizer::AdamW {
                learning_rate: rate(learning_rate)?,
                weight_decay: positive("weight_decay", weight_decay)?,
                beta_1: share("beta_1", beta_1)?,
                beta_2: share("beta_2", beta_2)?,
                epsilon: positive("epsilon", epsilon)?,
            }
        }
        Optimizer::RmsProp { learning_rate, rho, momentum, epsilon, centered } => {
            allow(&["rho", "momentum", "epsilon", "centered"])?;
            Optimizer::RmsProp {
                learning_rate: rate(learning_rate)?,
                rho: share("rho", rho)?,
                momentum: share("momentum", momentum)?,
                epsilon: positive("epsilon", epsilon)?,
                centered: table.or("centered", centered)?,
            }
        }
    };
    Ok(Some((optimizer, clip(&table)?)))
}

/// Keras' names; one of them.
const CLIPS: &[&str] = &["clipvalue", "clipnorm", "global_clipnorm"];

fn clip(table: &Table<'_, '_>) -> Result<Clip> {
    let mut clip = Clip::None;
    for (&key, make) in CLIPS.iter().zip([Clip::Value, Clip::Norm, Clip::GlobalNorm]) {
        let Some(limit) = table.optional::<f64>(key)? else { continue };
        if limit <= 0.0 {
            return Err(table.fail(key, format!("`{key}` is above 0"), ""));
        }
        if clip != Clip::None {
            return Err(table.fail(key, format!("only one of {} can be given", CLIPS.join(", ")), ""));
        }
        clip = make(limit);
    }
    Ok(clip)
}
