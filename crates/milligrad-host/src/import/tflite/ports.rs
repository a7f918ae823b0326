//! Inputs and outputs of the model, and their names.
//!
//! One of each is called `input` and `output`. Several are called as the file's signature calls them, else as their
//! tensors, else by position: `input_0`, `input_1`, ... A name of that form always tells the position.

use super::schema::{DType, Tensor};
use super::{ImportError, Importer, Problem, Unsupported, Value, error, names, remedy};
use crate::graph::Port;
use std::collections::HashSet;

/// Most inputs or outputs of a model.
const MOST: usize = 64;

impl<'a> Importer<'a> {
    /// Makes tensors of the graph for the file's inputs.
    pub(super) fn read_inputs(&mut self) -> Result<(), Problem> {
        let tensors = self.port_tensors("input", self.model.inputs.i32s().collect())?;
        for tensor in &tensors {
            self.check_input(tensor)?;
        }
        let names = port_names("input", &tensors, &self.model.signature(0)?)?;
        for (tensor, name) in tensors.iter().zip(names) {
            let value = if self.unsupported.is_empty() {
                let shape = tensor.shape()?;
                let id = self.tensor(tensor, &shape)?;
                self.draft.inputs.push(Port { name, tensor: id });
                Value::Tensor(id, shape)
            } else {
                Value::Unknown
            };
            if self.values.insert(tensor.index, value).is_some() {
                let problem = format!("tensor {} is two inputs of the model", tensor.index);
                return Err(ImportError::Order(problem).into());
            }
        }
        Ok(())
    }

    /// Finds the file's outputs among what the operators wrote.
    pub(super) fn read_outputs(&mut self) -> Result<(), Problem> {
        let tensors = self.port_tensors("output", self.model.outputs.i32s().collect())?;
        let names = port_names("output", &tensors, &self.model.signature(1)?)?;
        for (tensor, name) in tensors.iter().zip(names) {
            match self.values.get(&tensor.index) {
                Some(Value::Tensor(id, _)) => self.draft.outputs.push(Port { name, tensor: *id }),
                _ => {
                    let problem = format!("no operator writes the model's output, tensor {}", tensor.index);
                    return Err(ImportError::Order(problem).into());
                }
            }
        }
        Ok(())
    }

    fn port_tensors(&self, what: &str, indices: Vec<i32>) -> Result<Vec<Tensor<'a>>, Problem> {
        if indices.is_empty() || indices.len() > MOST {
            return remedy(format!("it has {} {what}s; models have 1 to {MOST}", indices.len()));
        }
        indices.into_iter().map(|index| Ok(self.model.tensor(index)?)).collect()
    }

    /// An input is int8, or f32 for a model that quantises it itself.
    fn check_input(&mut self, input: &Tensor<'a>) -> Result<(), Problem> {
        let shape = input.shape()?;
        if !matches!(input.dtype, DType::Int8 | DType::Float32) {
            self.unsupported.push(Unsupported {
                layer: "input".into(),
                operator: "the model's input".into(),
                dtype: input.dtype.name().into(),
                remedy: error::type_remedy(input.dtype).into(),
            });
        } else if shape.len() > 1 && shape[0] != 1 {
            return remedy(format!("its input is {shape:?}; convert it with a batch size of 1"));
        }
        Ok(())
    }
}

/// A name for each input or output. `signature` are names by tensor.
fn port_names(
    what: &str,
    tensors: &[Tensor<'_>],
    signature: &[(usize, String)],
) -> Result<Vec<String>, Problem> {
    if tensors.len() == 1 {
        return Ok(vec![what.into()]);
    }
    let mut taken = HashSet::new();
    let mut all = Vec::new();
    for (position, tensor) in tensors.iter().enumerate() {
        let signed = signature.iter().find(|(index, _)| *index == tensor.index);
        let own = match signed {
            Some((_, name)) => name.clone(),
            None => tensor.name()?.trim_start_matches("serving_default_").to_owned(),
        };
        let own = own.split(':').next().and_then(names::sanitised).filter(|name| tells(name));
        let name = own.filter(|name| taken.insert(name.clone()));
        all.push(name.unwrap_or_else(|| format!("{what}_{position}")));
    }
    Ok(all)
}

/// Whether it is more than a number that some program gave.
fn tells(name: &str) -> bool {
    let numbered = |kind: &str| {
        let number = name.strip_prefix(kind).map(|rest| rest.trim_start_matches('_'));
        number.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
    };
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && !["input", "output", "args", "keras_tensor", "inputs", "identity", "tfl_quantize"]
            .into_iter()
            .any(numbered)
        && !name.starts_with("statefulpartitionedcall")
}

#[cfg(test)]
mod tests {
    use super::tells;

    #[test]
    fn positions_are_said_by_position_alone() {
        for name in ["image", "input_image", "scores", "output_0_a", "args_min"] {
            assert!(tells(name), "{name}");
        }
        for name in
            ["input", "output_0", "output_12", "args_0", "statefulpartitionedcall_1", "0_a", "keras_tensor_3"]
        {
            assert!(!tells(name), "{name}");
        }
    }
}
