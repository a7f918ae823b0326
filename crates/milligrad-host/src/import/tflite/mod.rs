//! TensorFlow Lite's files: int8 models.
//!
//! A file is read where it lies (`bytes`), its operators become layers one after the other (`Importer`), shape
//! arithmetic that converters leave behind is computed on the way (`fold`), and the draft goes through
//! [`Graph::verify`] as every other.
//! The batch axis, which has one element, is dropped. What can't be run is refused by name, all of it at once.

mod builtin;
mod bytes;
mod error;
mod fold;
mod inputs;
mod layers;
mod moves;
mod names;
mod nodes;
mod ports;
mod schema;
mod spaced;
mod supported;

pub use error::{ImportError, Unsupported};
pub use supported::{OPERATORS, Supported};

use crate::graph::{ConstantId, Draft, Graph, TensorId};
use crate::verify::MOST_LAYERS;
use crate::{Error, Result};
use schema::{Model, Operator};
use spaced::Spaced;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Largest file that is read.
const LARGEST_FILE: u64 = 256 << 20;
/// Most operators of a file: some of them are folded and become no layers.
const MOST_OPERATORS: usize = 4 * MOST_LAYERS;

/// Reads a .tflite file; the model is named after it.
///
/// # Errors
/// If the file can't be read, is damaged, or holds what milligrad can't run; the message names the layers.
pub fn load(path: impl AsRef<Path>) -> Result<Graph> {
    let path = path.as_ref();
    let size = std::fs::metadata(path).map_err(Error::io(path))?.len();
    if size > LARGEST_FILE {
        return Err(Error::file(path, format!("it has {size} bytes, at most {LARGEST_FILE} are read")));
    }
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let stem = path.file_stem().map_or("model".into(), |stem| stem.to_string_lossy().into_owned());
    from_bytes(&stem, &bytes).map_err(|error| Error::file(path, error.to_string()))
}

/// Understands the bytes of a .tflite file.
///
/// # Errors
/// [`Error::Import`] if the file is damaged or holds what milligrad can't run, [`Error::Graph`] or [`Error::Model`] if
/// its layers don't fit together.
pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Graph> {
    let import = |problem| Error::Import { model: name.into(), problem };
    let model = Model::new(bytes).map_err(import)?;
    Importer::new(name, model).and_then(Importer::run).map_err(|problem| match problem {
        Problem::Import(problem) => import(problem),
        Problem::Remedy(remedy) => import(ImportError::Format(remedy)),
        Problem::Graph(error) => error,
    })
}

/// What ends the import of an operator.
#[derive(Debug)]
enum Problem {
    /// The file is damaged.
    Import(ImportError),
    /// The operator can't be run as it is; what to do.
    Remedy(String),
    /// It does not fit its inputs.
    Graph(Error),
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        Self::Import(error)
    }
}

fn remedy<T>(text: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::Remedy(text.into()))
}

/// What a tensor of the file has become.
#[derive(Debug, Clone)]
enum Value {
    /// A tensor of the graph; the shape is that of the file, with the batch axis.
    Tensor(TensorId, Vec<usize>),
    /// Integers known now: shapes.
    Integers(Vec<usize>, Vec<i64>),
    /// Part of a dilated convolution that is written with SPACE_TO_BATCH_ND.
    Spaced(Spaced),
    /// The output of an operator that can't be run.
    Unknown,
}

/// Integers with their shape.
type Integers = (Vec<usize>, Vec<i64>);

/// An operator on its way to layers.
struct Layer<'a> {
    /// Its place in the file.
    index: usize,
    operator: Operator<'a>,
    /// Name of its TensorFlow Lite operator.
    kind: String,
    /// Name of the layer.
    name: String,
}

struct Importer<'a> {
    model: Model<'a>,
    draft: Draft,
    values: HashMap<usize, Value>,
    names: HashSet<String>,
    /// The last number that was given to each name that several layers have.
    numbers: HashMap<String, usize>,
    /// Constants by tensor and shape.
    constants: HashMap<(usize, Vec<usize>), ConstantId>,
    /// Bytes of constants that may still be made: files share buffers, but not for ever.
    budget: usize,
    unsupported: Vec<Unsupported>,
}

impl<'a> Importer<'a> {
    fn new(name: &str, model: Model<'a>) -> Result<Self, Problem> {
        let draft = Draft {
            training: Default::default(),
            name: names::sanitised(name).unwrap_or_else(|| "model".into()),
            labels: Vec::new(),
            normalize: Default::default(),
            features: None,
            target: None,
            tensors: Vec::new(),
            constants: Vec::new(),
            nodes: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        let budget = 2 * model.bytes;
        Ok(Self {
            model,
            draft,
            values: HashMap::new(),
            names: HashSet::new(),
            numbers: HashMap::new(),
            constants: HashMap::new(),
            budget,
            unsupported: Vec::new(),
        })
    }

    fn run(mut self) -> Result<Graph, Problem> {
        self.read_inputs()?;
        let operators = self.model.operators();
        if operators > MOST_OPERATORS {
            return remedy(format!("it has {operators} operators, at most {MOST_OPERATORS} are read"));
        }
        for index in 0..operators {
            self.operator(index)?;
        }
        if !self.unsupported.is_empty() {
            return Err(ImportError::Unsupported(self.unsupported).into());
        }
        self.read_outputs()?;
        Graph::verify(self.draft).map_err(Problem::Graph)
    }

    /// One operator; what can't be run is noted, so that all of it is known in the end.
    fn operator(&mut self, index: usize) -> Result<(), Problem> {
        let operator = self.model.operator(index)?;
        let kind = match builtin::name(operator.builtin) {
            Some("CUSTOM") => format!("CUSTOM `{}`", operator.custom),
            Some(name) => name.to_owned(),
            None => format!("builtin operator {}", operator.builtin),
        };
        let Some(output) = operator.outputs.i32(0) else {
            return Err(ImportError::Format(format!("operator {index} ({kind}) has no output")).into());
        };
        if operator.inputs.len() > 1 << 10 || operator.outputs.len() > 1 << 10 {
            return Err(ImportError::Format(format!(
                "operator {index} ({kind}) has more than 1,024 tensors"
            ))
            .into());
        }
        let name = names::layer(&self.model.tensor(output)?.name()?, &kind);
        let layer = Layer { index, operator, kind, name };
        let result = match self.unknown_input(&layer)? {
            true => self.check_only(&layer),
            false => self.convert(&layer),
        };
        match result {
            Ok(true) => Ok(()),
            Ok(false) => self.forget(&layer),
            Err(Problem::Remedy(remedy)) => {
                let dtype = self.computes_in(&layer)?.name().to_owned();
                let Layer { name, kind, .. } = &layer;
                let (layer_name, operator) = (name.clone(), kind.clone());
                self.unsupported.push(Unsupported { layer: layer_name, operator, dtype, remedy });
                self.forget(&layer)
            }
            Err(other) => Err(other),
        }
    }

    /// The type that an operator computes in: that of its first tensor that is no shape.
    fn computes_in(&self, layer: &Layer<'a>) -> Result<schema::DType, Problem> {
        use schema::DType as T;
        let tensors = layer.operator.inputs.i32s().filter(|&index| index >= 0);
        let types =
            tensors.map(|index| Ok(self.model.tensor(index)?.dtype)).collect::<Result<Vec<_>, Problem>>()?;
        let data = types.iter().find(|dtype| !matches!(dtype, T::Int32 | T::Int64 | T::Bool));
        Ok(data.or(types.first()).copied().unwrap_or(T::Unknown))
    }

    /// `true` if an input comes from an operator that can't be run.
    fn unknown_input(&self, layer: &Layer<'a>) -> Result<bool, Problem> {
        for index in layer.operator.inputs.i32s().filter(|&index| index >= 0) {
            if let Some(Value::Unknown) = self.values.get(&self.model.tensor(index)?.index) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Its outputs can't be known.
    fn forget(&mut self, layer: &Layer<'a>) -> Result<(), Problem> {
        for index in layer.operator.outputs.i32s() {
            let tensor = self.model.tensor(index)?;
            self.values.insert(tensor.index, Value::Unknown);
        }
        Ok(())
    }

    /// Is there such an operator, in this type? For operators whose inputs are not known.
    fn check_only(&self, layer: &Layer<'a>) -> Result<bool, Problem> {
        use schema::DType as T;
        if supported::find(layer.operator.builtin).is_none() {
            return remedy(NO_SUCH_OPERATOR);
        }
        match self.computes_in(layer)? {
            T::Int8 | T::Int32 | T::Int64 | T::Bool => Ok(false),
            T::Float32 if layer.kind == "QUANTIZE" => Ok(false),
            other => remedy(error::type_remedy(other)),
        }
    }
}

/// A shape of the file without the batch axis.
fn graph_shape(shape: &[usize]) -> &[usize] {
    match shape {
        [] => &[1],
        [1, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    }
}

/// How many axes the graph's shape has less.
fn dropped(shape: &[usize]) -> usize {
    usize::from(shape.len() > 1 && shape[0] == 1)
}

const NO_SUCH_OPERATOR: &str =
    "milligrad has no such operator; replace it in the model by those that `milligrad ops` lists";
