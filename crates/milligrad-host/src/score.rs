//! Whole data sets through a program.

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::metrics::{ClassRule, mean_squared_error};
use crate::plan::Plan;
use crate::program::Program;
use rayon::prelude::*;

impl Program {
    /// The input records of a data set, one after the other, as a board reads them.
    pub fn records(&self, data: &Dataset) -> Vec<u8> {
        (0..data.len()).flat_map(|sample| self.encode_input(data.input(sample))).collect()
    }

    /// The output records for input records, by the device crate's kernels on all cores of the desk.
    ///
    /// # Errors
    /// If the bytes are no whole records.
    pub fn outputs(&self, records: &[u8]) -> Result<Vec<u8>> {
        if !records.len().is_multiple_of(self.input_bytes()) {
            return Err(Error::Data(format!(
                "{} bytes are no whole inputs of `{}`, which have {} bytes each",
                records.len(),
                self.name,
                self.input_bytes()
            )));
        }
        let outputs: Result<Vec<_>> = records
            .par_chunks(self.input_bytes())
            .map_init(|| self.runner(), |runner, record| runner.output(record))
            .collect();
        Ok(outputs?.concat())
    }

    /// The same program with every value in memory of its own, so that nothing can overwrite anything: what a planned
    /// program is compared with.
    pub fn with_separate_buffers(&self) -> Self {
        Self { plan: Plan::separate(&self.buffers), ..self.clone() }
    }

    /// All scores or values in output records, in the unit of the targets.
    pub fn decode_outputs(&self, outputs: &[u8]) -> Vec<f32> {
        outputs.chunks_exact(self.output_bytes()).flat_map(|record| self.decode_output(record)).collect()
    }

    /// How the scores of this program become a class.
    pub fn class_rule(&self) -> ClassRule {
        let sigmoid = self.steps.last().is_some_and(|step| step.op == "Sigmoid");
        ClassRule::new(self.scores(), sigmoid)
    }

    /// Numbers in an output record.
    fn scores(&self) -> usize {
        self.outputs.iter().map(|port| self.buffer(port.buffer).len).sum()
    }

    /// Share of right answers, as the trainer counts them (see [`ClassRule`]).
    pub fn accuracy(&self, outputs: &[u8], labels: &[u32]) -> f64 {
        self.class_rule().accuracy(&self.decode_outputs(outputs), self.scores(), labels)
    }

    /// Mean squared difference between output records and targets.
    pub fn mean_squared_error(&self, outputs: &[u8], targets: &[f32]) -> f64 {
        mean_squared_error(&self.decode_outputs(outputs), targets)
    }
}
