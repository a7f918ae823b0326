//! Where a model spends its instructions, and what it takes of flash and stack.

use crate::cycles::{Cycles, Timing};
use crate::elf::{Elf, Reach};
use crate::firmware::Options;
use crate::plugin::{self, Block};
use crate::session::{Folder, Report, TrainPlan};
use crate::{Cost, Firmware, Result};
use milligrad_firmware_build::{Kind, identifier};
use milligrad_protocol::{commands, entries, files, sections};
use std::collections::BTreeMap;

/// The share of a call that one layer or one function has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Name of the layer or function.
    pub name: String,
    /// Instructions.
    pub instructions: u64,
    /// Modelled cycles; see [`cycles`](mod@crate::cycles).
    pub cycles: Cycles,
}

/// What one call of an entry function costs, and what the function takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Instructions by the timer, stack by its paint, and the RAM of the `Network` struct.
    pub cost: Cost,
    /// Instructions by the plugin, which counts blocks of code; within 1 % of those by the timer.
    pub counted_instructions: u64,
    /// Cycles as modelled for the board's core, or for a Cortex-M4F if that has no model; see
    /// [`Core::has_cycle_model`](crate::Core::has_cycle_model).
    pub cycles: Cycles,
    /// The layers, in the order of execution. From a build of their own, with a mark after each layer: their sum
    /// differs a little from the total. None for training steps.
    pub layers: Vec<Share>,
    /// The functions that ran, the most instructions first.
    pub functions: Vec<Share>,
    /// Stack from the call graph: no input can make it deeper. `None` if there is recursion or a call through a
    /// pointer, which [`Reach::unbounded`] names.
    pub stack_bound_bytes: Option<u64>,
    /// Code that the entry function reaches.
    pub code_bytes: u64,
    /// The part of it that prediction alone does not reach: what training takes beyond inference. 0 for predictions.
    pub training_code_bytes: u64,
    /// Constants that it reaches: weights, biases, tables, layer descriptors.
    pub constant_bytes: u64,
    /// Initial values of variables, in flash: parameters that are trained.
    pub initial_values_bytes: u64,
    /// Where it can panic; should be nowhere. See [`Reach::panics`].
    pub panics: Vec<String>,
}

impl Firmware {
    /// Profiles the prediction of one input record.
    ///
    /// # Errors
    /// Those of [`predict`](Firmware::predict) and [`build`](Firmware::build), and [`Error::Elf`](crate::Error::Elf).
    pub fn profile(&self, model: &str, input: &[u8]) -> Result<Profile> {
        let words = [commands::MEASURE, model, "1"];
        let mut profile =
            self.profile_call(model, &[entries::PREDICT], &words, files::INPUTS, input, |_| Ok(()))?;
        let marked = Options { marks: true, ..self.options };
        let marked = Self {
            options: marked,
            elf: Firmware::build_with(self.board, &self.models, marked)?.elf,
            ..self.clone()
        };
        profile.layers = marked.layers(model, &words, input)?;
        Ok(profile)
    }

    /// Profiles the first training step of a plan, of all samples of a batch where it learns in batches. Code and constants are
    /// those of training and prediction together; the stack is that of the training step.
    ///
    /// # Errors
    /// Those of [`train`](Firmware::train), and [`Error::Elf`](crate::Error::Elf).
    pub fn profile_training(&self, model: &str, plan: &TrainPlan<'_>) -> Result<Profile> {
        let kind = self.learner(model)?;
        let (words, count) = (plan.words()?, plan.counted(kind, 1));
        let [rate, momentum, batch, schedule] = words.each_ref().map(String::as_str);
        let words = [commands::MEASURE_TRAIN, model, rate, momentum, batch, schedule, &count];
        let entries: &[&str] = match kind {
            Kind::LearnsInBatches => &[entries::TRAIN, entries::APPLY, entries::PREDICT],
            _ => &[entries::TRAIN, entries::PREDICT],
        };
        let check = |report: &Report| plan.check_step(kind, model, report);
        self.profile_call(model, entries, &words, files::STEPS, plan.steps, check)
    }

    /// Takes apart the ELF file.
    ///
    /// # Errors
    /// [`Error::Elf`](crate::Error::Elf).
    pub fn analyse(&self) -> Result<Elf> {
        Elf::open(self.elf())
    }

    /// The symbol of an entry function of a model, for [`Elf::reach`].
    ///
    /// # Errors
    /// [`Error::UnknownModel`](crate::Error::UnknownModel); [`Error::NotALearner`](crate::Error::NotALearner) if the training
    /// step of another model is asked for.
    pub fn entry(&self, model: &str, training: bool) -> Result<String> {
        if training {
            self.learner(model)?;
        } else {
            self.model(model)?;
        }
        Ok(symbol(if training { entries::TRAIN } else { entries::PREDICT }, model))
    }

    /// Profiles the calls of a run, which are of all `entries` but the last, or of the only one; sizes are those of all of them.
    fn profile_call(
        &self,
        model: &str,
        entries: &[&str],
        words: &[&str],
        file: &std::ffi::CStr,
        record: &[u8],
        check: impl FnOnce(&Report) -> Result<()>,
    ) -> Result<Profile> {
        self.model(model)?;
        let folder = Folder::new()?;
        folder.write(file, record)?;
        self.run(&folder, words, true, &[])?;
        let report = Report::read(&folder)?;
        check(&report)?;
        let cost = report.cost(self, model)?;

        let elf = self.analyse()?;
        let symbols: Vec<_> = entries.iter().map(|prefix| symbol(prefix, model)).collect();
        let symbols: Vec<_> = symbols.iter().map(String::as_str).collect();
        let called = elf.reach(&symbols[..(symbols.len() - 1).max(1)])?;
        let all = elf.reach(&symbols)?;
        // The last entry is prediction.
        let inference = elf.reach(&symbols[symbols.len() - 1..])?;
        let blocks = self.count(&elf, words, file, record)?;
        let timing = Timing::of(self.board.core);
        let mut functions = BTreeMap::new();
        let mut total = Sum::default();
        for block in &blocks {
            if let Some(name) = called.function_at(block.address) {
                total.add(block, timing);
                functions.entry(name).or_insert_with(Sum::default).add(block, timing);
            }
        }
        let mut functions: Vec<_> = functions.into_iter().map(|(name, sum)| sum.share(name)).collect();
        functions.sort_by_key(|share| std::cmp::Reverse(share.instructions));
        Ok(Profile {
            cost,
            counted_instructions: total.instructions,
            cycles: total.cycles,
            layers: Vec::new(),
            functions,
            stack_bound_bytes: called.stack_bound_bytes(),
            code_bytes: all.code_bytes(),
            training_code_bytes: all.code_bytes() - inference.code_bytes(),
            constant_bytes: all.constant_bytes(),
            initial_values_bytes: elf.initial_values_bytes(),
            panics: all.panics(),
        })
    }

    /// The layers of a prediction, in a build with marks.
    fn layers(&self, model: &str, words: &[&str], input: &[u8]) -> Result<Vec<Share>> {
        let folder = Folder::new()?;
        folder.write(files::INPUTS, input)?;
        let elf = self.analyse()?;
        let entry = symbol(entries::PREDICT, model);
        let reach: Reach<'_> = elf.reach(&[&entry])?;
        let blocks = self.count_in(&folder, &elf, words)?;
        let names = Report::read(&folder)?.layers;
        let mut layers = vec![Sum::default(); names.len()];
        for block in &blocks {
            // What runs after the last layer belongs to it.
            let section =
                usize::from(block.section.saturating_sub(sections::CALL)).min(names.len().saturating_sub(1));
            let runs_in_model = block.section != sections::OUTSIDE
                && reach.function_at(block.address).is_some_and(|name| name != sections::FUNCTION);
            if let (true, Some(layer)) = (runs_in_model, layers.get_mut(section)) {
                layer.add(block, Timing::of(self.board.core));
            }
        }
        Ok(layers.into_iter().zip(names).map(|(sum, name)| sum.share(name)).collect())
    }

    /// Counts blocks in a run of one record.
    fn count(&self, elf: &Elf, words: &[&str], file: &std::ffi::CStr, record: &[u8]) -> Result<Vec<Block>> {
        let folder = Folder::new()?;
        folder.write(file, record)?;
        self.count_in(&folder, elf, words)
    }

    fn count_in(&self, folder: &Folder, elf: &Elf, words: &[&str]) -> Result<Vec<Block>> {
        let plugin = plugin::arguments(elf)?;
        self.run(folder, words, false, &plugin.each_ref().map(String::as_str))?;
        plugin::counts(folder.path())
    }
}

/// The symbol of an entry function. The names of a firmware's models are sound.
fn symbol(prefix: &str, model: &str) -> String {
    format!("{prefix}{}", identifier(model).unwrap_or_default())
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    instructions: u64,
    cycles: Cycles,
}

impl Sum {
    fn add(&mut self, block: &Block, timing: Timing) {
        self.instructions += block.ops.len() as u64 * block.count;
        self.cycles += timing.block(&block.ops) * block.count + timing.refill() * block.taken;
    }

    fn share(self, name: String) -> Share {
        Share { name, instructions: self.instructions, cycles: self.cycles }
    }
}
