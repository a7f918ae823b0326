//! One key of a sweep: its values, and where they go.

use crate::train::Pcg32;
use toml::{Table, Value};

/// What a key can be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Choice {
    /// One of these.
    List(Vec<Value>),
    /// A number within, uniformly, or its logarithm uniformly.
    Range { min: f64, max: f64, log: bool, whole: bool },
}

impl Choice {
    pub(super) fn new(value: Value) -> Result<Self, String> {
        let mut table = match value {
            Value::Array(list) if list.is_empty() => return Err("the list is empty".into()),
            Value::Array(list) => return Ok(Self::List(list)),
            Value::Table(table) => table,
            other => return Err(format!("{other} is no list of values, and no range {{ min, max, log }}")),
        };
        let (min, max) = (table.remove("min"), table.remove("max"));
        let log = match table.remove("log") {
            None => false,
            Some(Value::Boolean(log)) => log,
            Some(other) => return Err(format!("`log` is {other}; it is true or false")),
        };
        if let Some(key) = table.keys().next() {
            return Err(format!("a range has no `{key}`; it has min, max, log"));
        }
        let number = |value: &Option<Value>| match value {
            Some(Value::Integer(n)) => Ok(*n as f64),
            Some(Value::Float(x)) if x.is_finite() => Ok(*x),
            _ => Err("a range has numbers `min` and `max`".to_string()),
        };
        let whole = matches!((&min, &max), (Some(Value::Integer(_)), Some(Value::Integer(_))));
        let (min, max) = (number(&min)?, number(&max)?);
        if min > max || (log && min <= 0.0) {
            return Err(format!("a range from {min} to {max}{}", if log { " by its logarithm" } else { "" }));
        }
        Ok(Self::Range { min, max, log, whole })
    }

    /// How many values; `None` for a range.
    pub(super) fn len(&self) -> Option<usize> {
        match self {
            Self::List(list) => Some(list.len()),
            Self::Range { .. } => None,
        }
    }

    pub(super) fn first(&self) -> Value {
        match self {
            Self::List(list) => list[0].clone(),
            &Self::Range { min, whole, .. } => number(min, whole),
        }
    }

    /// The value that a number stands for, which is divided by how many there are.
    pub(super) fn take(&self, rest: &mut usize) -> Value {
        let Self::List(list) = self else { return self.first() };
        let value = list[*rest % list.len()].clone();
        *rest /= list.len();
        value
    }

    pub(super) fn draw(&self, random: &mut Pcg32) -> Value {
        match self {
            Self::List(list) => list[random.below(list.len() as u32) as usize].clone(),
            &Self::Range { min, max, log, whole } => {
                let share = f64::from(random.uniform());
                let x = match (log, whole) {
                    (true, _) => min * (max / min).powf(share),
                    (false, true) => (min + share * (max - min + 1.0)).floor(),
                    (false, false) => min + share * (max - min),
                };
                // Three digits: a rate of 0.00143 is as good as one of 0.00142857.
                let x = if whole { x.round() } else { format!("{x:.2e}").parse().unwrap_or(x) };
                number(x.clamp(min, max), whole)
            }
        }
    }
}

fn number(x: f64, whole: bool) -> Value {
    if whole { Value::Integer(x as i64) } else { Value::Float(x) }
}

/// Puts a value where a path leads: `NAME.key` for the layer of this name, `train.optimizer.learning_rate` for tables.
/// A word where a table is wanted, such as `optimizer = "adam"`, becomes a table with that `type`.
pub(super) fn set(spec: &mut Table, path: &str, value: Value) -> Result<(), String> {
    let mut parts: Vec<&str> = path.split('.').collect();
    let key = parts.pop().filter(|key| !key.is_empty() && !parts.is_empty());
    let key = key.ok_or("a path is a layer's name or a table, a dot, and a key")?;
    let mut table = match layer(spec, parts[0]) {
        Some(index) => spec["layer"][index].as_table_mut().ok_or("a layer is a table")?,
        None if ["train", "augment", "data", "quantize", "target", "model"].contains(&parts[0]) => spec
            .entry(parts[0])
            .or_insert(Value::Table(Table::new()))
            .as_table_mut()
            .ok_or_else(|| format!("[{}] is no table", parts[0]))?,
        None => {
            let first = parts[0];
            return Err(format!("there is no layer `{first}` (give it a `name`) and no table [{first}]"));
        }
    };
    for part in &parts[1..] {
        let entry = table.entry(*part).or_insert(Value::Table(Table::new()));
        if let Value::String(word) = entry {
            *entry = Value::Table(Table::from_iter([("type".to_string(), Value::String(word.clone()))]));
        }
        table = entry.as_table_mut().ok_or_else(|| format!("`{part}` is no table"))?;
    }
    table.insert(key.into(), value);
    Ok(())
}

fn layer(spec: &Table, name: &str) -> Option<usize> {
    let layers = spec.get("layer")?.as_array()?;
    layers.iter().position(|layer| layer.get("name").and_then(Value::as_str) == Some(name))
}
