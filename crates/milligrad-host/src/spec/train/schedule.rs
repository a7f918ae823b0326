//! `schedule`: how the learning rate changes.

use super::monitor;
use crate::Result;
use crate::spec::reader::{Count, Table};
use crate::train::{Plateau, Schedule};

const SCHEDULES: &[(&str, Change)] = &[
    ("constant", Change::Constant),
    ("step", Change::Step),
    ("exponential", Change::Exponential),
    ("cosine", Change::Cosine),
    ("plateau", Change::Plateau),
    // Keras' names.
    ("exponential_decay", Change::Exponential),
    ("cosine_decay", Change::Cosine),
    ("reduce_lr_on_plateau", Change::Plateau),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    Constant,
    Step,
    Exponential,
    Cosine,
    Plateau,
}

/// `"cosine"` or `{ type = "step", epochs = 10, factor = 0.5 }`
pub(super) fn read(train: &Table<'_, '_>) -> Result<Option<Schedule>> {
    if let Ok(Some(_)) = train.optional::<String>("schedule") {
        let Some(change) = train.choice("schedule", SCHEDULES)? else { return Ok(None) };
        return match change {
            Change::Constant => Ok(Some(Schedule::Constant)),
            Change::Plateau => Ok(Some(Schedule::Plateau(Plateau::default()))),
            Change::Cosine => Ok(Some(Schedule::Cosine { warmup_epochs: 0.0, floor: 0.0 })),
            _ => Err(train.fail(
                "schedule",
                "it needs a factor",
                "write { type = \"exponential\", factor = 0.9 }",
            )),
        };
    }
    let Some(table) = train.table("schedule")? else { return Ok(None) };
    let table = table.titled("`schedule`");
    let Some(change) = table.choice("type", SCHEDULES)? else {
        return Err(
            table.missing("type", "\"constant\", \"step\", \"exponential\", \"cosine\" or \"plateau\"")
        );
    };
    let factor = |key| {
        let factor: f64 = table.required(key)?;
        let fits = factor > 0.0 && factor <= 1.0;
        let problem = || table.fail(key, format!("`{key}` is above 0.0 and at most 1.0"), "");
        if fits { Ok(factor) } else { Err(problem()) }
    };
    let steps = || table.required::<Count>("decay_steps").map(|Count(steps)| steps as u64);
    Ok(Some(match change {
        Change::Constant => {
            table.allow(&["type"])?;
            Schedule::Constant
        }
        Change::Plateau => {
            table.allow(&["type", "monitor", "factor", "patience", "min_delta", "cooldown", "min_lr"])?;
            let usual = Plateau::default();
            let factor = table.or("factor", usual.factor)?;
            if !(factor > 0.0 && factor < 1.0) {
                return Err(table.fail("factor", "a plateau's `factor` is above 0.0 and below 1.0", ""));
            }
            Schedule::Plateau(Plateau {
                monitor: monitor::monitor(&table)?,
                factor,
                patience: monitor::whole(&table, "patience", usual.patience)?,
                min_delta: monitor::not_negative(&table, "min_delta", usual.min_delta)?,
                cooldown: monitor::whole(&table, "cooldown", usual.cooldown)?,
                min_lr: monitor::not_negative(&table, "min_lr", usual.min_lr)?,
            })
        }
        Change::Step => {
            table.allow(&["type", "epochs", "factor"])?;
            let Count(epochs) = table.required("epochs")?;
            Schedule::Step { epochs, factor: factor("factor")? }
        }
        Change::Exponential if table.has("decay_steps") => {
            table.allow(&["type", "decay_steps", "decay_rate", "staircase"])?;
            Schedule::ExponentialDecay {
                decay_steps: steps()?,
                decay_rate: factor("decay_rate")?,
                staircase: table.or("staircase", false)?,
            }
        }
        Change::Exponential => {
            table.allow(&["type", "factor", "decay_steps", "decay_rate", "staircase"])?;
            Schedule::Exponential { factor: factor("factor")? }
        }
        Change::Cosine => {
            let (warmup_epochs, floor) = (table.or("warmup_epochs", 0.0)?, table.or("floor", 0.0)?);
            let alpha = table.or("alpha", 0.0)?;
            if !(warmup_epochs >= 0.0 && (0.0..=1.0).contains(&floor) && (0.0..=1.0).contains(&alpha)) {
                let help = "`warmup_epochs` is not negative, `floor` and `alpha` from 0.0 to 1.0";
                return Err(table.fail_here("this schedule has no sense", help));
            }
            if table.has("decay_steps") {
                table.allow(&["type", "decay_steps", "alpha", "warmup_steps"])?;
                let warmup_steps = table.or("warmup_steps", 0)?;
                Schedule::CosineDecay { decay_steps: steps()?, alpha, warmup_steps }
            } else {
                table.allow(&["type", "warmup_epochs", "floor", "decay_steps"])?;
                Schedule::Cosine { warmup_epochs, floor }
            }
        }
    }))
}
