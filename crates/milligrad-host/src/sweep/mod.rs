//! Many variants of one specification: trained, made int8, measured by the device's kernels, and compared by what they
//! cost.
//!
//! ```toml
//! [sweep]
//! trials = 20                                # drawn at random; without it, all combinations
//! epochs = 8                                 # instead of those of [train]
//! qat_epochs = 2
//!
//! [sweep.choices]
//! "conv.filters" = [8, 12, 16]               # a key of the layer of this name
//! "train.optimizer.learning_rate" = { min = 0.0003, max = 0.01, log = true }
//! "augment.flip_horizontal" = [true, false]
//! ```
//!
//! [`Sweep::read`] understands the table, [`Sweep::trials`] lists the variants, [`Trial::run`] trains one, and
//! [`pareto`] finds those that none is better than in everything. Models are compared on the validation part alone.

mod choice;
mod trial;

pub use trial::{Outcome, Trial};

use crate::error::{Error, Result};
use crate::train::Pcg32;
use choice::Choice;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use toml::Table;

/// Most trials of a sweep.
const MOST_TRIALS: usize = 10_000;

/// The variants of a specification.
#[derive(Debug, Clone)]
pub struct Sweep {
    /// The specification without its `[sweep]`.
    base: Table,
    /// Its name in messages, and where its relative paths begin.
    name: String,
    folder: PathBuf,
    choices: Vec<(String, Choice)>,
    /// Variants that are drawn; all if `None`.
    trials: Option<usize>,
    epochs: Option<usize>,
    qat_epochs: usize,
    seed: u64,
}

impl Sweep {
    /// Reads a specification with a `[sweep]`.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no such file, [`Error::Spec`] names the key that is wrong.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        Self::parse(&text, &path.display().to_string(), path.parent().unwrap_or(Path::new("")))
    }

    /// Understands a text; `name` is for messages, `folder` where relative paths begin.
    ///
    /// # Errors
    /// [`Error::Spec`] names the key that is wrong.
    pub fn parse(text: &str, name: &str, folder: &Path) -> Result<Self> {
        // The specification itself has to be sound, and its errors point at lines.
        let seed = crate::spec::Spec::parse(text, name, folder)?.train.seed;
        let error = |problem: String| Error::Spec(format!("{name}: {problem}"));
        let mut base: Table = text.parse().map_err(|e: toml::de::Error| error(e.message().into()))?;
        let Some(toml::Value::Table(mut sweep)) = base.remove("sweep") else {
            return Err(error(
                "there is no [sweep]; write [sweep.choices] with lists of values by key".into(),
            ));
        };
        let mut count = |key: &str| match sweep.remove(key) {
            None => Ok(None),
            Some(toml::Value::Integer(n)) if (1..=MOST_TRIALS as i64).contains(&n) => Ok(Some(n as usize)),
            Some(other) => {
                Err(error(format!("[sweep] {key} is {other}; it is a whole number from 1 to {MOST_TRIALS}")))
            }
        };
        let (trials, epochs, qat_epochs) = (count("trials")?, count("epochs")?, count("qat_epochs")?);
        let Some(toml::Value::Table(table)) = sweep.remove("choices") else {
            return Err(error("[sweep.choices] is missing: keys, and a list of values for each".into()));
        };
        if let Some(key) = sweep.keys().next() {
            return Err(error(format!(
                "[sweep] has no key `{key}`; it has trials, epochs, qat_epochs, choices"
            )));
        }
        let choices: Result<Vec<_>> = table
            .into_iter()
            .map(|(key, value)| {
                let choice = Choice::new(value).map_err(|problem| error(format!("`{key}`: {problem}")))?;
                choice::set(&mut base.clone(), &key, choice.first())
                    .map_err(|problem| error(format!("`{key}`: {problem}")))?;
                Ok((key, choice))
            })
            .collect();
        let choices = choices?;
        if choices.is_empty() {
            return Err(error("[sweep.choices] is empty: nothing to try".into()));
        }
        if let (None, Some((key, _))) = (trials, choices.iter().find(|(_, choice)| choice.len().is_none())) {
            return Err(error(format!("`{key}` is a range: say with `trials` how many are to be drawn")));
        }
        let (name, folder, qat_epochs) = (name.into(), folder.into(), qat_epochs.unwrap_or(0));
        Ok(Self { base, name, folder, choices, trials, epochs, qat_epochs, seed })
    }

    /// The variants: all combinations, or some of them drawn at random, each once; fewer than were asked for where draws
    /// repeat themselves. The same seed, the specification's unless given, draws and trains the same.
    ///
    /// # Errors
    /// [`Error::Spec`] if one is no specification, or there are more than ten thousand.
    pub fn trials(&self, seed: Option<u64>) -> Result<Vec<Trial>> {
        let combinations = self
            .choices
            .iter()
            .try_fold(1usize, |product, (_, choice)| product.checked_mul(choice.len()?))
            .filter(|&all| self.trials.is_none_or(|wanted| wanted >= all));
        let mut trials = Vec::new();
        match combinations {
            Some(all) if all > MOST_TRIALS => {
                let problem = "combinations are too many: draw some of them with `trials`";
                return Err(Error::Spec(format!("{}: [sweep.choices]: {all} {problem}", self.name)));
            }
            Some(all) => {
                for index in 0..all {
                    let mut rest = index;
                    let values = self.choices.iter().map(|(_, choice)| choice.take(&mut rest));
                    trials.push(self.trial(values.collect(), seed)?);
                }
            }
            None => {
                let mut random = Pcg32::named(seed.unwrap_or(self.seed), "sweep");
                let mut seen = BTreeSet::new();
                let wanted = self.trials.unwrap_or(0);
                // Draws that came already are drawn again, within reason.
                for _ in 0..100 * wanted {
                    if trials.len() == wanted {
                        break;
                    }
                    let values = self.choices.iter().map(|(_, choice)| choice.draw(&mut random));
                    let trial = self.trial(values.collect(), seed)?;
                    if seen.insert(trial.key.clone()) {
                        trials.push(trial);
                    }
                }
            }
        }
        Ok(trials)
    }

    fn trial(&self, values: Vec<toml::Value>, seed: Option<u64>) -> Result<Trial> {
        let mut table = self.base.clone();
        // What is trained is what the variant's own specification says.
        let epochs = self.epochs.map(|epochs| ("train.epochs", epochs as i64));
        let seed = seed.map(|seed| ("train.seed", seed as i64));
        for (path, value) in epochs.into_iter().chain(seed) {
            choice::set(&mut table, path, value.into()).map_err(Error::Spec)?;
        }
        for ((key, _), value) in self.choices.iter().zip(&values) {
            choice::set(&mut table, key, value.clone())
                .map_err(|problem| Error::Spec(format!("{}: `{key}`: {problem}", self.name)))?;
        }
        let choices = self.choices.iter().map(|(key, _)| key.clone()).zip(values).collect();
        Trial::new(&table, (&self.name, &self.folder), choices, self.qat_epochs)
    }
}

/// The outcomes that no other is at least as good as in everything, and better in something: accuracy, flash, RAM,
/// instructions. Trials that were not trained are none of them.
pub fn pareto(outcomes: &[Outcome]) -> Vec<bool> {
    let costs = |o: &Outcome| [o.flash_bytes as u64, o.ram_bytes as u64, o.instructions];
    let beats = |a: &Outcome, b: &Outcome| {
        let (Some(x), Some(y)) = (a.score, b.score) else { return a.score.is_some() && b.score.is_none() };
        let no_worse = x >= y && costs(a).iter().zip(costs(b)).all(|(a, b)| *a <= b);
        no_worse && (x > y || costs(a) != costs(b))
    };
    outcomes.iter().map(|b| b.score.is_some() && !outcomes.iter().any(|a| beats(a, b))).collect()
}

#[cfg(test)]
mod tests;
