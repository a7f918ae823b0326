//! Every tensor of a model at work: to find the first layer in which two computations part.

use crate::data::npz::{Array, Npz};
use crate::{ElementType, Error, Program, Result};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;

/// The outputs of all layers, sample after sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Dump {
    /// In order of execution.
    pub layers: Vec<DumpedLayer>,
    samples: usize,
}

/// The outputs of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct DumpedLayer {
    /// Name of the layer.
    pub name: String,
    /// Shape of one sample.
    pub shape: Vec<usize>,
    /// Type of its elements.
    pub dtype: ElementType,
    /// Little-endian elements of all samples.
    pub bytes: Vec<u8>,
}

/// Where two dumps part.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Name of the layer.
    pub layer: String,
    /// What is different.
    pub problem: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the first layer that differs is `{}`: {}", self.layer, self.problem)
    }
}

impl Dump {
    /// Runs the program on input records and keeps what every layer gives.
    ///
    /// # Errors
    /// If the records are no whole inputs.
    pub fn new(program: &Program, records: &[u8]) -> Result<Self> {
        let layer = |step: &crate::program::Step| DumpedLayer {
            name: step.name.clone(),
            shape: step.shape.clone(),
            dtype: program.buffer(step.output).dtype,
            bytes: Vec::new(),
        };
        let mut layers: Vec<_> = program.steps.iter().map(layer).collect();
        let (mut runner, mut samples) = (program.runner(), 0);
        for record in records.chunks(program.input_bytes()) {
            runner.predict_with(record, |index, _, bytes| layers[index].bytes.extend_from_slice(bytes))?;
            samples += 1;
        }
        Ok(Self { layers, samples })
    }

    /// As an archive of NumPy arrays `[samples, ...]`, named as the layers.
    ///
    /// # Errors
    /// If it is too large for an archive.
    pub fn to_npz(&self) -> Result<Vec<u8>> {
        let failed = |e: zip::result::ZipError| Error::Data(format!("layers can't be written: {e}"));
        let written = |e: std::io::Error| Error::Data(format!("layers can't be written: {e}"));
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for layer in &self.layers {
            archive
                .start_file(format!("{}.npy", layer.name), SimpleFileOptions::default())
                .map_err(failed)?;
            let dtype = match layer.dtype {
                ElementType::I8 => "|i1",
                ElementType::I16 => "<i2",
                ElementType::I32 => "<i4",
                ElementType::F32 => "<f4",
            };
            let shape: Vec<usize> =
                std::iter::once(self.samples).chain(layer.shape.iter().copied()).collect();
            archive.write_all(&Array::file(dtype, &shape, &layer.bytes)).map_err(written)?;
        }
        Ok(archive.finish().map_err(failed)?.into_inner())
    }

    /// The first layer that is not in another dump as it is here; layers that the other has not are passed over.
    pub fn first_difference(&self, other: &Npz) -> Option<Difference> {
        self.layers.iter().find_map(|layer| {
            let array = other.get(&layer.name).ok()?;
            let problem = difference(layer, array)?;
            Some(Difference { layer: layer.name.clone(), problem })
        })
    }
}

fn difference(layer: &DumpedLayer, array: &Array) -> Option<String> {
    let ours: Vec<f64> = match layer.dtype {
        ElementType::I8 => layer.bytes.iter().map(|&x| f64::from(x as i8)).collect(),
        ElementType::F32 => {
            let (floats, _) = layer.bytes.as_chunks::<4>();
            floats.iter().map(|&x| f64::from(f32::from_le_bytes(x))).collect()
        }
        ElementType::I16 => {
            layer.bytes.as_chunks().0.iter().map(|&x| f64::from(i16::from_le_bytes(x))).collect()
        }
        ElementType::I32 => {
            layer.bytes.as_chunks().0.iter().map(|&x| f64::from(i32::from_le_bytes(x))).collect()
        }
    };
    let theirs: Vec<f64> = match array.to_i8() {
        Some(values) => values.into_iter().map(f64::from).collect(),
        None => array.to_f32().into_iter().map(f64::from).collect(),
    };
    if ours.len() != theirs.len() {
        return Some(format!("it has {} values, there are {}", ours.len(), theirs.len()));
    }
    let mut wrong = ours.iter().zip(&theirs).enumerate().filter(|(_, (a, b))| a != b);
    let (at, (a, b)) = wrong.next()?;
    let per_sample: usize = layer.shape.iter().product();
    let count = 1 + wrong.count();
    Some(format!(
        "{count} of {} values, the first in sample {} at {}: {a} instead of {b}",
        ours.len(),
        at / per_sample,
        at % per_sample
    ))
}
