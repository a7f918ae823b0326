//! Figures that something hangs on: `early_stopping`, `save_best`, and a plateau's `monitor`.

use crate::Result;
use crate::spec::reader::{Count, Table};
use crate::train::{EarlyStopping, Monitor};

const MONITORS: &[(&str, Monitor)] = &[
    ("val_loss", Monitor::ValLoss),
    ("val_accuracy", Monitor::ValAccuracy),
    ("loss", Monitor::Loss),
    ("accuracy", Monitor::Accuracy),
];

/// A figure by its name; without one the loss of the validation part.
pub(super) fn monitor(table: &Table<'_, '_>) -> Result<Monitor> {
    Ok(table.choice("monitor", MONITORS)?.unwrap_or_default())
}

/// `[train.early_stopping]`
pub(super) fn early_stopping(train: &Table<'_, '_>) -> Result<Option<EarlyStopping>> {
    let Some(table) = train.table("early_stopping")? else { return Ok(None) };
    let table = table.titled("[train.early_stopping]");
    table.allow(&[
        "monitor",
        "min_delta",
        "patience",
        "baseline",
        "start_from_epoch",
        "restore_best_weights",
    ])?;
    Ok(Some(EarlyStopping {
        monitor: monitor(&table)?,
        min_delta: not_negative(&table, "min_delta", 0.0)?,
        patience: whole(&table, "patience", 0)?,
        baseline: table.optional("baseline")?,
        start_from_epoch: whole(&table, "start_from_epoch", 0)?,
        restore_best_weights: table.or("restore_best_weights", false)?,
    }))
}

/// `save_best = "val_loss"`
pub(super) fn save_best(train: &Table<'_, '_>) -> Result<Option<Monitor>> {
    train.choice("save_best", MONITORS)
}

/// A number from 0.
pub(super) fn not_negative(table: &Table<'_, '_>, key: &str, usual: f64) -> Result<f64> {
    let x = table.or(key, usual)?;
    if x >= 0.0 { Ok(x) } else { Err(table.fail(key, format!("`{key}` is not negative"), "")) }
}

/// A whole number from 0.
pub(super) fn whole(table: &Table<'_, '_>, key: &str, usual: usize) -> Result<usize> {
    Ok(table.or(key, usual as u64)?.try_into().unwrap_or(usize::MAX))
}

/// `"full"`, or how many samples a step sees.
pub(super) struct Batch(pub(super) usize);

impl crate::spec::reader::FromValue for Batch {
    const EXPECTED: &'static str = "a whole number from 1, or \"full\" for all samples";
    fn from_value(value: &toml::de::DeValue<'_>) -> Option<Self> {
        if value.as_str() == Some("full") {
            return Some(Self(crate::train::FULL_BATCH));
        }
        Count::from_value(value).map(|Count(batch)| Self(batch))
    }
}
