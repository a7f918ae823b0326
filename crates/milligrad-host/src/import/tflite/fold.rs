//! Shape arithmetic: integers that converters compute from shapes, which are known when a model is imported.

use super::{Importer, Integers, Layer, Problem, Value, moves, remedy};

/// More integers than any shape has.
const MOST: usize = 256;

impl<'a> Importer<'a> {
    /// Computes an operator whose inputs are all known integers; `None` if it works on data.
    pub(super) fn fold(&mut self, layer: &Layer<'a>) -> Result<Option<Value>, Problem> {
        let first = match self.input(layer, 0)? {
            Some(tensor) => tensor,
            None => return Ok(None),
        };
        if layer.kind == "SHAPE" {
            let shape = match self.values.get(&first.index) {
                Some(Value::Tensor(_, shape) | Value::Integers(shape, _)) => shape.clone(),
                Some(_) => return remedy("the shape of a part of a dilated convolution is not known"),
                None => first.shape()?,
            };
            let values = shape.iter().map(|&n| n as i64).collect();
            return Ok(Some(Value::Integers(vec![shape.len()], values)));
        }
        let mut inputs = Vec::new();
        for position in 0..layer.operator.inputs.len() {
            let Some(tensor) = self.input(layer, position)? else { return Ok(None) };
            let Some(known) = self.integers(&tensor)? else { return Ok(None) };
            inputs.push(known);
        }
        let Some((shape, values)) = self.compute(layer, &inputs)? else {
            return remedy(format!("{} of integers is not known", layer.kind));
        };
        if shape.len() > 8 || values.len() > MOST || shape.iter().product::<usize>() != values.len() {
            return remedy("it computes with shapes in a way that is not known");
        }
        Ok(Some(Value::Integers(shape, values)))
    }
    fn compute(&self, layer: &Layer<'a>, inputs: &[Integers]) -> Result<Option<Integers>, Problem> {
        let [(shape, values), rest @ ..] = inputs else { return Ok(None) };
        let flat = |values: Vec<i64>| (vec![values.len()], values);
        let pairs = |f: fn(i64, i64) -> Option<i64>| {
            let (other_shape, other) = rest.first()?;
            let len = values.len().max(other.len());
            let at = |values: &[i64], i: usize| values.get(if values.len() == 1 { 0 } else { i }).copied();
            let computed: Option<Vec<_>> = (0..len).map(|i| f(at(values, i)?, at(other, i)?)).collect();
            Some((if other.len() > values.len() { other_shape.clone() } else { shape.clone() }, computed?))
        };
        Ok(match layer.kind.as_str() {
            "RESHAPE" | "SQUEEZE" | "EXPAND_DIMS" => {
                let target = moves::target(self, layer, shape)?;
                Some((target, values.clone()))
            }
            "CAST" => Some((shape.clone(), values.clone())),
            "PACK" if inputs.iter().all(|(_, values)| values.len() == 1) => {
                Some(flat(inputs.iter().map(|(_, values)| values[0]).collect()))
            }
            "CONCATENATION" => Some(flat(inputs.iter().flat_map(|(_, values)| values.clone()).collect())),
            "REDUCE_PROD" => {
                let product = values.iter().try_fold(1i64, |product, &n| product.checked_mul(n));
                let keep = layer.operator.bool(0)?;
                product.map(|product| (if keep { vec![1; shape.len()] } else { Vec::new() }, vec![product]))
            }
            "GATHER" => match rest {
                [(to, indices)] => {
                    let get = |&i: &i64| values.get(usize::try_from(i).ok()?).copied();
                    indices.iter().map(get).collect::<Option<_>>().map(|values| (to.clone(), values))
                }
                _ => None,
            },
            "ADD" => pairs(i64::checked_add),
            "SUB" => pairs(i64::checked_sub),
            "MUL" => pairs(i64::checked_mul),
            "STRIDED_SLICE" if shape.len() == 1 => {
                let slice = moves::strided_slice(self, layer, shape)?;
                let [axis] = slice.axes[..] else { return Ok(None) };
                let at =
                    |i: usize| values.get((axis.begin as isize + i as isize * axis.step) as usize).copied();
                let found: Option<Vec<_>> = (0..axis.size).map(at).collect();
                found.map(|found| (if axis.shrink { Vec::new() } else { vec![found.len()] }, found))
            }
            _ => None,
        })
    }
}
