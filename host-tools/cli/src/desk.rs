//! Programs on the desk: the device crate's kernels, on all cores.

use milligrad_host::data::{Dataset, Targets};
use milligrad_host::{Program, Result};

/// Input records of these samples, one after the other.
pub(crate) fn records(program: &Program, data: &Dataset) -> Vec<u8> {
    data.inputs.chunks_exact(data.input_len()).flat_map(|raw| program.encode_input(raw)).collect()
}

/// Output records for input records, both one after the other.
pub(crate) fn outputs(program: &Program, records: &[u8]) -> Result<Vec<u8>> {
    run(program, records, false)
}

/// The same, each in memory of its own: what an earlier sample left behind can't have a part in it.
pub(crate) fn fresh_outputs(program: &Program, records: &[u8]) -> Result<Vec<u8>> {
    run(program, records, true)
}

fn run(program: &Program, records: &[u8], fresh: bool) -> Result<Vec<u8>> {
    let samples = records.len() / program.input_bytes();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let part = samples.div_ceil(threads).max(1) * program.input_bytes();
    let part_of = |records: &[u8]| -> Result<Vec<u8>> {
        let mut runner = program.runner();
        let mut outputs = Vec::new();
        for record in records.chunks(program.input_bytes()) {
            if fresh {
                runner = program.runner();
            }
            outputs.extend(runner.output(record)?);
        }
        Ok(outputs)
    };
    let parts: Vec<Result<Vec<u8>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = records.chunks(part).map(|records| scope.spawn(|| part_of(records))).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    Ok(parts.into_iter().collect::<Result<Vec<_>>>()?.concat())
}

/// The share of right answers in output records; `None` if the targets are no classes.
pub(crate) fn accuracy(program: &Program, outputs: &[u8], data: &Dataset) -> Option<f64> {
    let labels = data.labels()?;
    let answers = outputs.chunks_exact(program.output_bytes()).map(|record| {
        let scores = program.decode_output(record);
        match scores[..] {
            [yes] => u32::from(yes > 0.5),
            _ => (1..scores.len()).fold(0, |best, i| if scores[i] > scores[best] { i } else { best }) as u32,
        }
    });
    let right = answers.zip(labels).filter(|(answer, label)| answer == *label).count();
    Some(right as f64 / labels.len().max(1) as f64)
}

/// The mean squared difference between output records and targets that are numbers.
pub(crate) fn mean_squared_error(program: &Program, outputs: &[u8], data: &Dataset) -> Option<f64> {
    let Targets::Values { values, .. } = &data.targets else { return None };
    let outputs =
        outputs.chunks_exact(program.output_bytes()).flat_map(|record| program.decode_output(record));
    let sum: f64 = outputs.zip(values).map(|(y, &t)| f64::from(y - t).powi(2)).sum();
    Some(sum / values.len().max(1) as f64)
}
