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
mod layers;
mod moves;
mod names;
mod ports;
mod schema;
mod spaced;
mod supported;

pub use error::{ImportError, Unsupported};
pub use supported::{OPERATORS, Supported};

use crate::graph::{Axes, Constant, ConstantId, DType, Draft, Graph, Node, Op, TensorId, TensorInfo, Values};
use crate::verify::{LARGEST_TENSOR, MOST_LAYERS};
use crate::{Error, Result};
use milligrad::Quantization;
use schema::{Model, Operator, Tensor};
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

    /// The `position`-th input, `None` where the file leaves it out.
    fn input(&self, layer: &Layer<'a>, position: usize) -> Result<Option<Tensor<'a>>, Problem> {
        match layer.operator.inputs.i32(position) {
            None | Some(-1) => Ok(None),
            Some(index) => Ok(Some(self.model.tensor(index)?)),
        }
    }

    fn needed(&self, layer: &Layer<'a>, position: usize) -> Result<Tensor<'a>, Problem> {
        let missing =
            || ImportError::Format(format!("layer `{}` ({}) lacks input {position}", layer.name, layer.kind));
        Ok(self.input(layer, position)?.ok_or_else(missing)?)
    }

    fn output(&self, layer: &Layer<'a>) -> Result<Tensor<'a>, Problem> {
        let index = layer.operator.outputs.i32(0).unwrap_or(-1);
        Ok(self.model.tensor(index)?)
    }

    /// The graph's tensor for an input.
    fn data(&self, layer: &Layer<'a>, position: usize) -> Result<(TensorId, Vec<usize>), Problem> {
        let tensor = self.needed(layer, position)?;
        match self.values.get(&tensor.index) {
            Some(Value::Tensor(id, shape)) => Ok((*id, shape.clone())),
            Some(Value::Spaced(_)) => remedy("between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND only a convolution is known"),
            Some(_) => remedy("it computes with shapes in a way that is not known"),
            None if !tensor.data.is_empty() => remedy("its input is a constant"),
            None => Err(ImportError::Order(format!(
                "layer `{}` ({}) reads tensor {} before any operator wrote it (a cycle, or operators out of order)",
                layer.name, layer.kind, tensor.index
            ))
            .into()),
        }
    }

    /// As [`data`](Self::data), of int8.
    fn int8(&self, layer: &Layer<'a>, position: usize) -> Result<(TensorId, Vec<usize>), Problem> {
        let dtype = self.needed(layer, position)?.dtype;
        match dtype {
            schema::DType::Int8 => self.data(layer, position),
            other => remedy(error::type_remedy(other)),
        }
    }

    /// As [`int8`](Self::int8), an image with batch axis.
    fn image(&self, layer: &Layer<'a>, position: usize) -> Result<(TensorId, [usize; 3]), Problem> {
        let (id, shape) = self.int8(layer, position)?;
        match shape[..] {
            [1, h, w, c] => Ok((id, [h, w, c])),
            _ => remedy(format!("its input is {shape:?}; images are [1, height, width, channels]")),
        }
    }

    /// Integers that are known now; `None` if they are not.
    fn integers(&self, tensor: &Tensor<'a>) -> Result<Option<Integers>, Problem> {
        use schema::DType as T;
        if let Some(value) = self.values.get(&tensor.index) {
            return Ok(match value {
                Value::Integers(shape, values) => Some((shape.clone(), values.clone())),
                _ => None,
            });
        }
        if tensor.data.is_empty()
            || tensor.data.len() > 1 << 10
            || !matches!(tensor.dtype, T::Int32 | T::Int64)
        {
            return Ok(None);
        }
        tensor.constant_len()?;
        let (words, _) = tensor.data.as_chunks::<4>();
        let (longs, _) = tensor.data.as_chunks::<8>();
        let values = match tensor.dtype {
            T::Int32 => words.iter().map(|&bytes| i32::from_le_bytes(bytes).into()).collect(),
            _ => longs.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect(),
        };
        Ok(Some((tensor.shape()?, values)))
    }

    /// The integers of an input that has to be known.
    fn known(&self, layer: &Layer<'a>, position: usize) -> Result<Vec<i64>, Problem> {
        match self.integers(&self.needed(layer, position)?)? {
            Some((_, values)) => Ok(values),
            None => remedy(format!(
                "its input {position} is computed while the model runs; convert with a fixed input size"
            )),
        }
    }

    /// Scale and zero point of an int8 activation.
    fn activation_quantization(&self, tensor: &Tensor<'a>) -> Result<Quantization, Problem> {
        let found = tensor.quantization()?;
        let problem = |text: String| Problem::Import(ImportError::Quantization(text));
        let scale = match found.scales[..] {
            [scale] if scale > 0.0 && scale.is_finite() => scale,
            [scale] => return Err(problem(format!("tensor {} has scale {scale}", tensor.index))),
            _ => {
                return Err(problem(format!(
                    "tensor {} has {} scales, not 1",
                    tensor.index,
                    found.scales.len()
                )));
            }
        };
        let zero_point = match found.zero_points[..] {
            [] => Some(0),
            [zero_point] => i8::try_from(zero_point).ok(),
            _ => None,
        };
        let zero_point = zero_point.ok_or_else(|| {
            problem(format!("tensor {} has zero points {:?}", tensor.index, found.zero_points.get(..4)))
        })?;
        Ok(Quantization::new(scale, zero_point))
    }

    /// A new tensor of the graph for a tensor of the file, of this shape.
    fn tensor(&mut self, tensor: &Tensor<'a>, shape: &[usize]) -> Result<TensorId, Problem> {
        let len =
            shape.iter().try_fold(1usize, |len, &n| len.checked_mul(n).filter(|&n| n <= LARGEST_TENSOR));
        if len.is_none() || shape.iter().any(|&n| n == 0 || n > usize::from(u16::MAX)) {
            return Err(ImportError::Shape(format!(
                "tensor {} is {shape:?}: extents are within 1 to 65,535, all elements at most {LARGEST_TENSOR}",
                tensor.index
            ))
            .into());
        }
        let (dtype, quantization) = match tensor.dtype {
            schema::DType::Int8 => (DType::I8, Some(self.activation_quantization(tensor)?)),
            schema::DType::Float32 => (DType::F32, None),
            other => return remedy(error::type_remedy(other)),
        };
        let shape = graph_shape(shape).to_vec();
        if shape.len() > 4 {
            return remedy(format!("a tensor of {} axes without the batch; at most 4", shape.len()));
        }
        self.draft.tensors.push(TensorInfo { shape, dtype, quantization });
        Ok(TensorId(self.draft.tensors.len() - 1))
    }

    fn unique(&mut self, name: &str) -> String {
        let mut unique = name.to_owned();
        let number = self.numbers.entry(name.to_owned()).or_insert(1);
        while !self.names.insert(unique.clone()) {
            *number += 1;
            unique = format!("{name}_{number}");
        }
        unique
    }

    /// Adds a node whose result is `output` of the file, with this shape there.
    fn node(
        &mut self,
        layer: &Layer<'a>,
        op: Op,
        inputs: Vec<TensorId>,
        constants: Vec<ConstantId>,
        output: &Tensor<'a>,
        shape: Vec<usize>,
    ) -> Result<bool, Problem> {
        let id = self.add(layer, op, inputs, constants, output, &shape)?;
        self.write(layer, output, Value::Tensor(id, shape))
    }

    fn add(
        &mut self,
        layer: &Layer<'a>,
        op: Op,
        inputs: Vec<TensorId>,
        constants: Vec<ConstantId>,
        output: &Tensor<'a>,
        shape: &[usize],
    ) -> Result<TensorId, Problem> {
        let infos: Vec<_> = inputs.iter().map(|id| &self.draft.tensors[id.0]).collect();
        let values: Vec<_> = constants.iter().map(|id| &self.draft.constants[id.0]).collect();
        let inferred = crate::ops::infer(&op, &infos, &values).map_err(|problem| {
            Problem::Graph(Error::Graph { layer: layer.name.clone(), op: op.name(), problem })
        })?;
        let id = self.tensor(output, shape)?;
        let name = self.unique(&layer.name);
        let expected = std::mem::replace(&mut self.draft.tensors[id.0].shape, inferred.clone());
        self.draft.nodes.push(Node { name, op, inputs, constants, output: id });
        if inferred == expected { Ok(id) } else { self.view(layer, id, &expected) }
    }

    /// The same tensor with another shape of the graph.
    fn view(&mut self, layer: &Layer<'a>, id: TensorId, shape: &[usize]) -> Result<TensorId, Problem> {
        let info = &self.draft.tensors[id.0];
        if info.shape == shape {
            return Ok(id);
        }
        let Some(axes) = Axes::new(shape) else {
            return remedy(format!("a tensor of {} axes without the batch; at most 4", shape.len()));
        };
        if shape.iter().product::<usize>() != info.len() {
            return Err(ImportError::Shape(format!(
                "layer `{}` ({}): {:?} can't become {shape:?}",
                layer.name, layer.kind, info.shape
            ))
            .into());
        }
        let info = TensorInfo { shape: shape.to_vec(), ..info.clone() };
        self.draft.tensors.push(info);
        let output = TensorId(self.draft.tensors.len() - 1);
        let name = self.unique(&layer.name);
        let op = Op::Reshape { shape: axes };
        self.draft.nodes.push(Node { name, op, inputs: vec![id], constants: Vec::new(), output });
        Ok(output)
    }

    /// Notes what a tensor of the file has become.
    fn write(&mut self, layer: &Layer<'a>, output: &Tensor<'a>, value: Value) -> Result<bool, Problem> {
        match self.values.insert(output.index, value) {
            None => Ok(true),
            Some(_) => Err(ImportError::Order(format!(
                "layer `{}` ({}) writes tensor {}, which has been written already",
                layer.name, layer.kind, output.index
            ))
            .into()),
        }
    }

    /// A constant of the graph.
    fn constant(
        &mut self,
        tensor: &Tensor<'a>,
        name: String,
        shape: &[usize],
        scales: Vec<f32>,
    ) -> Result<ConstantId, Problem> {
        if let Some(&id) = self.constants.get(&(tensor.index, shape.to_vec())) {
            return Ok(id);
        }
        tensor.constant_len()?;
        self.spend(tensor.data.len())?;
        let (words, _) = tensor.data.as_chunks::<4>();
        let values = match tensor.dtype {
            schema::DType::Int8 => Values::I8(tensor.data.iter().map(|&byte| byte as i8).collect()),
            schema::DType::Int32 => {
                Values::I32(words.iter().map(|&bytes| i32::from_le_bytes(bytes)).collect())
            }
            other => return remedy(error::type_remedy(other)),
        };
        let id = self.push_constant(Constant { name, shape: shape.to_vec(), values, scales });
        self.constants.insert((tensor.index, shape.to_vec()), id);
        Ok(id)
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Problem> {
        match self.budget.checked_sub(bytes) {
            Some(rest) => {
                self.budget = rest;
                Ok(())
            }
            None => Err(ImportError::Buffer("its constants share buffers beyond all measure".into()).into()),
        }
    }

    fn push_constant(&mut self, constant: Constant) -> ConstantId {
        self.draft.constants.push(constant);
        ConstantId(self.draft.constants.len() - 1)
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
