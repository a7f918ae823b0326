//! What operators become: tensors, nodes and constants of the graph.

use super::error::type_remedy;
use super::schema::{self, Tensor};
use super::{ImportError, Importer, Layer, Problem, Value, graph_shape, remedy};
use crate::Error;
use crate::graph::{Axes, Constant, ConstantId, DType, Node, Op, TensorId, TensorInfo, Values};
use crate::verify::LARGEST_TENSOR;
use milligrad::Quantization;

impl<'a> Importer<'a> {
    /// Scale and zero point of an int8 activation.
    pub(super) fn activation_quantization(&self, tensor: &Tensor<'a>) -> Result<Quantization, Problem> {
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
    pub(super) fn tensor(&mut self, tensor: &Tensor<'a>, shape: &[usize]) -> Result<TensorId, Problem> {
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
            other => return remedy(type_remedy(other)),
        };
        let shape = graph_shape(shape).to_vec();
        if shape.len() > 4 {
            return remedy(format!("a tensor of {} axes without the batch; at most 4", shape.len()));
        }
        self.draft.tensors.push(TensorInfo { shape, dtype, quantization });
        Ok(TensorId(self.draft.tensors.len() - 1))
    }

    pub(super) fn unique(&mut self, name: &str) -> String {
        let mut unique = name.to_owned();
        let number = self.numbers.entry(name.to_owned()).or_insert(1);
        while !self.names.insert(unique.clone()) {
            *number += 1;
            unique = format!("{name}_{number}");
        }
        unique
    }

    /// Adds a node whose result is `output` of the file, with this shape there.
    pub(super) fn node(
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

    pub(super) fn add(
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
    pub(super) fn view(
        &mut self,
        layer: &Layer<'a>,
        id: TensorId,
        shape: &[usize],
    ) -> Result<TensorId, Problem> {
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
    pub(super) fn write(
        &mut self,
        layer: &Layer<'a>,
        output: &Tensor<'a>,
        value: Value,
    ) -> Result<bool, Problem> {
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
    pub(super) fn constant(
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
            other => return remedy(type_remedy(other)),
        };
        let id = self.push_constant(Constant { name, shape: shape.to_vec(), values, scales });
        self.constants.insert((tensor.index, shape.to_vec()), id);
        Ok(id)
    }

    pub(super) fn spend(&mut self, bytes: usize) -> Result<(), Problem> {
        match self.budget.checked_sub(bytes) {
            Some(rest) => {
                self.budget = rest;
                Ok(())
            }
            None => Err(ImportError::Buffer("its constants share buffers beyond all measure".into()).into()),
        }
    }

    pub(super) fn push_constant(&mut self, constant: Constant) -> ConstantId {
        self.draft.constants.push(constant);
        ConstantId(self.draft.constants.len() - 1)
    }
}
