//! Whole data sets through a program.

use crate::data::Dataset;
use crate::error::{Error, Result};
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

    /// Share of right answers, as the trainer counts them: of several outputs the largest must be that of the label; of
    /// sigmoids each output counts, right if it is over one half just where the label is; a single score is right if
    /// its sign is.
    pub fn accuracy(&self, outputs: &[u8], labels: &[u32]) -> f64 {
        let sigmoid = self.steps.last().is_some_and(|step| step.op == "Sigmoid");
        let threshold = if sigmoid { 0.5 } else { 0.0 };
        let right = |(record, &label): (&[u8], &u32)| {
            let scores = self.decode_output(record);
            match scores[..] {
                [score] => f64::from(u8::from((score > threshold) == (label == 1))),
                _ if sigmoid => {
                    let answers =
                        scores.iter().zip(0..).filter(|(p, class)| (**p > threshold) == (*class == label));
                    answers.count() as f64 / scores.len() as f64
                }
                _ => f64::from(u8::from(milligrad::argmax(&scores) == label as usize)),
            }
        };
        let sum: f64 = outputs.chunks_exact(self.output_bytes()).zip(labels).map(right).sum();
        sum / labels.len().max(1) as f64
    }

    /// Mean squared difference between output records and targets.
    pub fn mean_squared_error(&self, outputs: &[u8], targets: &[f32]) -> f64 {
        let outputs = outputs.chunks_exact(self.output_bytes()).flat_map(|record| self.decode_output(record));
        let sum: f64 = outputs.zip(targets).map(|(y, &t)| f64::from(y - t).powi(2)).sum();
        sum / targets.len().max(1) as f64
    }
}
