//! `[target]`: what the device has, known before anything is trained.

use super::reader::{FromValue, Table};
use crate::{Analysis, LayerCost, Result};
use milligrad::Core;
use toml::de::DeValue;

/// What the device has for the model, as int8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TargetSpec {
    /// The kernels.
    pub core: Core,
    /// Bytes of flash: constants, and code as it is modelled.
    pub flash_budget: Option<u64>,
    /// Bytes of RAM beside the stack.
    pub ram_budget: Option<u64>,
    /// Instructions of one prediction on a Cortex-M4F, as they are modelled.
    pub max_instructions: Option<u64>,
}

/// Bytes: a number, or a text with a unit.
struct Bytes(u64);

impl FromValue for Bytes {
    const EXPECTED: &'static str =
        "a number of bytes, or a text such as \"64 KB\" (1,000) or \"64 KiB\" (1,024)";
    fn from_value(value: &DeValue<'_>) -> Option<Self> {
        let Some(text) = value.as_str() else { return u64::from_value(value).map(Self) };
        let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = match unit.trim() {
            "B" | "" => 1.0,
            "KB" | "K" | "kB" => 1e3,
            "MB" | "M" => 1e6,
            "KiB" => 1024.0,
            "MiB" => 1024.0 * 1024.0,
            _ => return None,
        };
        let number: f64 = number.replace('_', "").parse().ok()?;
        Some(Self((number * unit) as u64))
    }
}

impl TargetSpec {
    pub(super) fn read(table: &Table<'_, '_>) -> Result<Self> {
        table.allow(&["core", "flash_budget", "ram_budget", "max_instructions"])?;
        let cores = [("portable", Core::Portable), ("armv7e-m", Core::Armv7em)];
        let bytes = |key| Ok::<_, crate::Error>(table.optional::<Bytes>(key)?.map(|Bytes(bytes)| bytes));
        Ok(Self {
            core: table.choice("core", &cores)?.unwrap_or_default(),
            flash_budget: bytes("flash_budget")?,
            ram_budget: bytes("ram_budget")?,
            max_instructions: table.optional("max_instructions")?,
        })
    }

    /// The first budget that a model is above: its key, and what to say.
    pub(super) fn exceeded(&self, cost: &Analysis) -> Option<(&'static str, String)> {
        type Part = fn(&LayerCost) -> u64;
        let checks: [(_, _, _, _, Part); 3] = [
            ("flash_budget", "B of flash", self.flash_budget, cost.flash_bytes() as u64, |layer| {
                layer.constant_bytes as u64
            }),
            ("ram_budget", "B of RAM", self.ram_budget, cost.ram_bytes as u64, |layer| {
                layer.live_bytes as u64
            }),
            ("max_instructions", "instructions", self.max_instructions, cost.instructions, |layer| {
                layer.instructions
            }),
        ];
        checks.into_iter().find_map(|(key, unit, budget, needed, part)| {
            let budget = budget.filter(|&budget| needed > budget)?;
            let most = cost.layers.iter().max_by_key(|layer| part(layer))?;
            let code = match key {
                "flash_budget" => format!("code (modelled) takes {}, and ", cost.code_bytes),
                _ => String::new(),
            };
            let problem = format!(
                "as int8 the model needs {needed} {unit}, {budget} are allowed; {code}layer `{}` ({}) takes most, {}",
                most.name,
                most.op,
                part(most)
            );
            Some((key, problem))
        })
    }
}
