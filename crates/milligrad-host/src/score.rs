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

    /// Share of the samples whose largest output is that of their label; of a single output, whether it is over
    /// one half.
    pub fn accuracy(&self, outputs: &[u8], labels: &[u32]) -> f64 {
        let classes =
            outputs.chunks_exact(self.output_bytes()).map(|record| match self.decode_output(record)[..] {
                [p] => usize::from(p > 0.5),
                ref scores => milligrad::argmax(scores),
            });
        let right = classes.zip(labels).filter(|(class, label)| *class == **label as usize).count();
        right as f64 / labels.len().max(1) as f64
    }

    /// Mean squared difference between output records and targets.
    pub fn mean_squared_error(&self, outputs: &[u8], targets: &[f32]) -> f64 {
        let outputs = outputs.chunks_exact(self.output_bytes()).flat_map(|record| self.decode_output(record));
        let sum: f64 = outputs.zip(targets).map(|(y, &t)| f64::from(y - t).powi(2)).sum();
        sum / targets.len().max(1) as f64
    }
}
