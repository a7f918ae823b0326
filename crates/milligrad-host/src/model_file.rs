//! Models on disk: a safetensors file that also holds the graph.
//!
//! Constants are tensors under their own names (F32, I8, I32), scales of int8 weights are F32 tensors `NAME#scales`,
//! and everything else is JSON in the file's metadata under the one key `milligrad`, with a format version. So any
//! safetensors reader opens the weights, and equal models give equal bytes.

use crate::graph::{Constant, Draft, Graph, Values};
use crate::{Error, Result};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::path::Path;

/// Version of the format that this crate writes. It reads this one and those before.
pub const FORMAT: u32 = 2;

/// Key of the metadata.
const KEY: &str = "milligrad";

/// Marks the tensor with a constant's scales.
const SCALES: &str = "#scales";

/// Largest file that is read.
const LIMIT: u64 = 256 << 20;

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    /// Names of the constants, in the graph's order.
    constants: Vec<String>,
    graph: Draft,
}

/// Just enough to tell what the rest is.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// Writes a model, so that the file holds the old one or the new one, whatever happens.
///
/// # Errors
/// If the folder can't be written.
pub fn save(graph: &Graph, path: impl AsRef<Path>) -> Result<()> {
    write_atomically(path, &to_bytes(graph)?)
}

/// Reads a model.
///
/// # Errors
/// If the file can't be read, is no model of this format, or holds an unsound graph; the message names the tensor or layer.
pub fn load(path: impl AsRef<Path>) -> Result<Graph> {
    let path = path.as_ref();
    from_bytes(&read(path)?).map_err(|problem| Error::file(path, problem))
}

/// Replaces a model's parameters with the tensors of equal names of any safetensors file. Returns how many were replaced.
///
/// # Errors
/// If the file has not every parameter of the model as F32 tensor of the right shape. Other tensors are ignored.
pub fn load_parameters(graph: &mut Graph, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let bytes = read(path)?;
    let error = |problem| Error::file(path, problem);
    let tensors = open(&bytes).map_err(error)?;
    for index in 0..graph.constants.len() {
        let id = crate::ConstantId(index);
        let (name, shape) = (graph.constant(id).name.clone(), graph.constant(id).shape.clone());
        let constant = constant(&tensors, &name).map_err(error)?;
        if constant.shape != shape {
            return Err(error(format!("`{name}` is {:?}, the model has {shape:?}", constant.shape)));
        }
        let Values::F32(values) = constant.values else { return Err(error(format!("`{name}` is not F32"))) };
        if let Some(at) = values.iter().position(|x| !x.is_finite()) {
            return Err(error(format!("value {at} of `{name}` is {}", values[at])));
        }
        graph.set_values(id, &values)?;
    }
    Ok(())
}

/// The bytes of a model file.
///
/// # Errors
/// If two constants have the same name, or a number of the graph has no text form.
pub fn to_bytes(graph: &Graph) -> Result<Vec<u8>> {
    let error = |problem: String| Error::Model { model: graph.name.clone(), problem };
    let mut tensors: Vec<(String, Dtype, &[usize], Vec<u8>)> = Vec::new();
    let mut names = HashSet::new();
    let counts: Vec<[usize; 1]> = graph.constants.iter().map(|constant| [constant.scales.len()]).collect();
    for (constant, count) in graph.constants.iter().zip(&counts) {
        if constant.name.ends_with(SCALES) || !names.insert(&constant.name) {
            return Err(error(format!("`{}` is not a unique name of a parameter", constant.name)));
        }
        let (dtype, bytes) = match &constant.values {
            Values::F32(values) => (Dtype::F32, values.iter().flat_map(|x| x.to_le_bytes()).collect()),
            Values::I8(values) => (Dtype::I8, values.iter().map(|&x| x as u8).collect()),
            Values::I32(values) => (Dtype::I32, values.iter().flat_map(|x| x.to_le_bytes()).collect()),
        };
        tensors.push((constant.name.clone(), dtype, &constant.shape, bytes));
        if !constant.scales.is_empty() {
            let bytes = constant.scales.iter().flat_map(|x| x.to_le_bytes()).collect();
            tensors.push((format!("{}{SCALES}", constant.name), Dtype::F32, count, bytes));
        }
    }
    let views: Vec<(&str, TensorView<'_>)> = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| {
            Ok((name.as_str(), TensorView::new(*dtype, shape.to_vec(), bytes)?))
        })
        .collect::<std::result::Result<_, safetensors::SafeTensorError>>()
        .map_err(|e| error(e.to_string()))?;
    let graph_only = Draft { constants: Vec::new(), ..(**graph).clone() };
    let constants = graph.constants.iter().map(|constant| constant.name.clone()).collect();
    let header = Header { format: FORMAT, constants, graph: graph_only };
    let text = serde_json::to_string(&header).map_err(|e| error(e.to_string()))?;
    if serde_json::from_str::<Header>(&text).map_or(true, |read| read.graph != header.graph) {
        return Err(error("a number in it is not finite".into()));
    }
    safetensors::serialize(views, Some(HashMap::from([(KEY.to_string(), text)])))
        .map_err(|e| error(e.to_string()))
}

/// Understands the bytes of a model file.
///
/// # Errors
/// A sentence that names the tensor or layer.
pub fn from_bytes(bytes: &[u8]) -> std::result::Result<Graph, String> {
    let tensors = open(bytes)?;
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
    let text = metadata.metadata().as_ref().and_then(|map| map.get(KEY));
    let text = text.ok_or("this safetensors file holds no milligrad model, only tensors")?;
    let damaged = |e: serde_json::Error| format!("its description of the model is damaged: {e}");
    let Version { format } = serde_json::from_str(text).map_err(damaged)?;
    if !(1..=FORMAT).contains(&format) {
        return Err(format!(
            "it has format {format}, this milligrad reads 1 to {FORMAT}; use the version that wrote it"
        ));
    }
    let Header { constants, mut graph, .. } = serde_json::from_str(text).map_err(damaged)?;
    let mut seen = HashSet::new();
    for name in &constants {
        if !seen.insert(name) {
            return Err(format!("`{name}` is listed twice"));
        }
        graph.constants.push(constant(&tensors, name)?);
    }
    Graph::verify(graph).map_err(|e| e.to_string())
}

fn open(bytes: &[u8]) -> std::result::Result<SafeTensors<'_>, String> {
    SafeTensors::deserialize(bytes)
        .map_err(|e| format!("this is no safetensors file, or it is truncated or damaged ({e})"))
}

fn constant(tensors: &SafeTensors<'_>, name: &str) -> std::result::Result<Constant, String> {
    let tensor = tensors.tensor(name).map_err(|_| format!("the tensor `{name}` is missing"))?;
    let values = match tensor.dtype() {
        Dtype::F32 => Values::F32(floats(&tensor)),
        Dtype::I8 => Values::I8(tensor.data().iter().map(|&x| x as i8).collect()),
        Dtype::I32 => {
            Values::I32(tensor.data().as_chunks().0.iter().map(|&x| i32::from_le_bytes(x)).collect())
        }
        other => return Err(format!("`{name}` is of type {other:?}; parameters are F32, I8 or I32")),
    };
    let scales = match tensors.tensor(&format!("{name}{SCALES}")) {
        Ok(scales) if scales.dtype() != Dtype::F32 => {
            return Err(format!("`{name}{SCALES}` is of type {:?}, expected F32", scales.dtype()));
        }
        Ok(scales) => floats(&scales),
        Err(_) => Vec::new(),
    };
    Ok(Constant { name: name.into(), shape: tensor.shape().to_vec(), values, scales })
}

fn floats(tensor: &TensorView<'_>) -> Vec<f32> {
    tensor.data().as_chunks().0.iter().map(|&x| f32::from_le_bytes(x)).collect()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let length = std::fs::metadata(path).map_err(Error::io(path))?.len();
    if length > LIMIT {
        return Err(Error::file(
            path,
            format!("{length} bytes are too many for a model of a microcontroller"),
        ));
    }
    std::fs::read(path).map_err(Error::io(path))
}

/// Writes a file beside its place and then renames it, so that nobody ever sees half of it.
///
/// # Errors
/// If the folder can't be written; what was there before is untouched.
pub fn write_atomically(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let name = path.file_name().ok_or_else(|| Error::file(path, "this is no name of a file"))?;
    let beside = path.with_file_name(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
    let write = || {
        let mut file = std::fs::File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|e| {
        let _ = std::fs::remove_file(&beside);
        Error::io(path)(e)
    })
}

#[cfg(test)]
mod tests;
