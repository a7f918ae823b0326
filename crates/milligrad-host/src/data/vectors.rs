//! Golden vectors: inputs and the outputs that another program gave for them, in an NPZ archive.
//!
//! | the model has | arrays, sample after sample |
//! |---|---|
//! | one input, one output | `input`, `output`, and `output_tflm` where TensorFlow Lite Micro's answer is another |
//! | several | `input_0`, `input_1`, ..., `output_0`, `output_tflm_0`, ... in the model's order, or by their names: `NAME`, `NAME_tflm` |
//!
//! int8 arrays are what an int8 model takes and gives. Floats are raw inputs and real outputs; for an int8 model they are
//! quantised.

use super::npz::{Array, Npz};
use crate::program::{Port, Program};
use crate::{Error, Result};
use milligrad::Rounding;
use std::path::Path;

/// Records to feed a model, and the records that should come out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vectors {
    /// Input records, one after the other.
    pub inputs: Vec<u8>,
    /// Expected output records.
    pub outputs: Vec<u8>,
    /// How many there are.
    pub samples: usize,
}

impl Vectors {
    /// Reads the vectors of a program from an archive. For [`Rounding::Double`] the answers of TensorFlow Lite Micro are taken
    /// where there are any.
    ///
    /// # Errors
    /// If an array is missing, or has another type or shape than the program.
    pub fn read(program: &Program, path: &Path, rounding: Rounding) -> Result<Self> {
        Self::of(program, &Npz::read(path)?, rounding)
    }

    /// As [`read`](Self::read), of an archive that has been read.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    pub fn of(program: &Program, npz: &Npz, rounding: Rounding) -> Result<Self> {
        let normalize = |raw: f32| program.normalize.apply(raw);
        let (inputs, samples) =
            records(program, &program.inputs, npz, |index| input_names(&program.inputs, index), normalize)?;
        let (outputs, expected) = records(
            program,
            &program.outputs,
            npz,
            |index| output_names(&program.outputs, index, rounding),
            |real| real,
        )?;
        if samples != expected {
            return Err(Error::file(npz.path(), format!("{samples} inputs with {expected} outputs")));
        }
        Ok(Self { inputs, outputs, samples })
    }

    /// Whether an archive has answers of the interpreter of this convention: TensorFlow Lite Micro's for
    /// [`Rounding::Double`], else TensorFlow's.
    pub fn answered(npz: &Npz, rounding: Rounding) -> bool {
        let micro = rounding == Rounding::Double;
        npz.names().any(|name| !name.starts_with("input") && name.contains("_tflm") == micro)
    }

    /// The first `samples` of them, or all.
    #[must_use]
    pub fn take(mut self, samples: usize) -> Self {
        let (input, output) = (self.inputs.len() / self.samples, self.outputs.len() / self.samples);
        self.samples = self.samples.min(samples);
        self.inputs.truncate(self.samples * input);
        self.outputs.truncate(self.samples * output);
        self
    }
}

/// Names that the array of an input may have.
fn input_names(ports: &[Port], index: usize) -> Vec<String> {
    let position = (ports.len() > 1).then(|| format!("input_{index}"));
    position.into_iter().chain([ports[index].name.clone()]).collect()
}

/// Names that the array of an output may have.
fn output_names(ports: &[Port], index: usize, rounding: Rounding) -> Vec<String> {
    let (several, micro) = (ports.len() > 1, rounding == Rounding::Double);
    let own = &ports[index].name;
    let names = [
        (micro && several).then(|| format!("output_tflm_{index}")),
        micro.then(|| format!("{own}_tflm")),
        several.then(|| format!("output_{index}")),
        Some(own.clone()),
    ];
    names.into_iter().flatten().collect()
}

/// The first of these arrays that is there.
fn first<'n>(npz: &'n Npz, names: &[String]) -> Result<(String, &'n Array)> {
    let found = names.iter().find_map(|name| Some((name.clone(), npz.get(name).ok()?)));
    found.map_or_else(
        || {
            let wanted = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
            let known: Vec<&str> = npz.names().collect();
            Err(Error::file(npz.path(), format!("there is no array {wanted}, only {}", known.join(", "))))
        },
        Ok,
    )
}

/// The records of all ports, and their number. `real` makes the numbers that floats stand for.
fn records(
    program: &Program,
    ports: &[Port],
    npz: &Npz,
    names: impl Fn(usize) -> Vec<String>,
    real: impl Fn(f32) -> f32,
) -> Result<(Vec<u8>, usize)> {
    let mut parts = Vec::new();
    let mut samples = None;
    for (index, port) in ports.iter().enumerate() {
        let (name, array) = first(npz, &names(index))?;
        let wrong = |problem: String| Error::file(npz.path(), problem);
        let (width, len) = (program.buffer(port.buffer).len, array.shape.iter().product::<usize>());
        if len == 0 || !len.is_multiple_of(width) || array.shape.first() != Some(&(len / width)) {
            return Err(wrong(format!(
                "`{name}` is {:?}; the model has {width} values a sample",
                array.shape
            )));
        }
        if samples.is_some_and(|samples| samples != len / width) {
            return Err(wrong(format!(
                "`{name}` has {} samples, the arrays before it have others",
                len / width
            )));
        }
        samples = Some(len / width);
        if array.to_i8().is_none() && array.to_f32().iter().any(|x| !x.is_finite()) {
            return Err(wrong(format!("`{name}` holds NaN or infinity; golden vectors are numbers")));
        }
        let bytes: Vec<u8> = match (array.to_i8(), port.quantization) {
            (Some(values), Some(_)) => values.into_iter().map(|x| x as u8).collect(),
            (Some(_), None) => return Err(wrong(format!("`{name}` is int8, the model has floats there"))),
            (None, Some(q)) => array.to_f32().into_iter().map(|x| q.quantize(real(x)) as u8).collect(),
            (None, None) => array.to_f32().into_iter().flat_map(|x| real(x).to_le_bytes()).collect(),
        };
        parts.push((bytes, program.port_bytes(port)));
    }
    let samples = samples.unwrap_or(0);
    let record =
        |sample: usize| parts.iter().flat_map(move |(bytes, width)| &bytes[sample * width..][..*width]);
    Ok(((0..samples).flat_map(record).copied().collect(), samples))
}
