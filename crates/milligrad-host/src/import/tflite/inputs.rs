//! What operators read: tensors of the graph, and integers that are known at import.

use super::error::type_remedy;
use super::schema::{self, Tensor};
use super::{ImportError, Importer, Integers, Layer, Problem, Value, remedy};
use crate::graph::TensorId;

impl<'a> Importer<'a> {
    /// The `position`-th input, `None` where the file leaves it out.
    pub(super) fn input(&self, layer: &Layer<'a>, position: usize) -> Result<Option<Tensor<'a>>, Problem> {
        match layer.operator.inputs.i32(position) {
            None | Some(-1) => Ok(None),
            Some(index) => Ok(Some(self.model.tensor(index)?)),
        }
    }

    pub(super) fn needed(&self, layer: &Layer<'a>, position: usize) -> Result<Tensor<'a>, Problem> {
        let missing =
            || ImportError::Format(format!("layer `{}` ({}) lacks input {position}", layer.name, layer.kind));
        Ok(self.input(layer, position)?.ok_or_else(missing)?)
    }

    pub(super) fn output(&self, layer: &Layer<'a>) -> Result<Tensor<'a>, Problem> {
        let index = layer.operator.outputs.i32(0).unwrap_or(-1);
        Ok(self.model.tensor(index)?)
    }

    /// The graph's tensor for an input.
    pub(super) fn data(&self, layer: &Layer<'a>, position: usize) -> Result<(TensorId, Vec<usize>), Problem> {
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
    pub(super) fn int8(&self, layer: &Layer<'a>, position: usize) -> Result<(TensorId, Vec<usize>), Problem> {
        let dtype = self.needed(layer, position)?.dtype;
        match dtype {
            schema::DType::Int8 => self.data(layer, position),
            other => remedy(type_remedy(other)),
        }
    }

    /// As [`int8`](Self::int8), an image with batch axis.
    pub(super) fn image(
        &self,
        layer: &Layer<'a>,
        position: usize,
    ) -> Result<(TensorId, [usize; 3]), Problem> {
        let (id, shape) = self.int8(layer, position)?;
        match shape[..] {
            [1, h, w, c] => Ok((id, [h, w, c])),
            _ => remedy(format!("its input is {shape:?}; images are [1, height, width, channels]")),
        }
    }

    /// Integers that are known now; `None` if they are not.
    pub(super) fn integers(&self, tensor: &Tensor<'a>) -> Result<Option<Integers>, Problem> {
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
    pub(super) fn known(&self, layer: &Layer<'a>, position: usize) -> Result<Vec<i64>, Problem> {
        match self.integers(&self.needed(layer, position)?)? {
            Some((_, values)) => Ok(values),
            None => remedy(format!(
                "its input {position} is computed while the model runs; convert with a fixed input size"
            )),
        }
    }
}
