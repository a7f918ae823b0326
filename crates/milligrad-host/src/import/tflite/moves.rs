//! Operators that change shapes and move elements.

use super::{ImportError, error, schema};
use super::{Importer, Layer, Problem, Value, dropped, graph_shape, remedy};
use crate::graph::{Axes, Op};

/// An axis by number, which may count from the end.
pub(super) fn axis(axis: i64, rank: usize) -> Result<usize, Problem> {
    let from_start = if axis < 0 { axis + rank as i64 } else { axis };
    let beyond = ImportError::Index { what: "axis", index: axis, len: rank };
    Ok(usize::try_from(from_start).ok().filter(|&axis| axis < rank).ok_or(beyond)?)
}

/// The shape that RESHAPE, SQUEEZE or EXPAND_DIMS gives a tensor of this shape.
pub(super) fn target(
    importer: &Importer<'_>,
    layer: &Layer<'_>,
    shape: &[usize],
) -> Result<Vec<usize>, Problem> {
    let operator = &layer.operator;
    match layer.kind.as_str() {
        "SQUEEZE" => {
            let chosen = operator.i32s(0)?.into_iter().map(|n| axis(n.into(), shape.len()));
            let chosen = chosen.collect::<Result<Vec<_>, _>>()?;
            if let Some(&kept) = chosen.iter().find(|&&axis| shape[axis] != 1) {
                return Err(ImportError::Shape(format!("axis {kept} of {shape:?} can't be squeezed")).into());
            }
            let goes = |&axis: &usize| shape[axis] == 1 && (chosen.is_empty() || chosen.contains(&axis));
            Ok((0..shape.len()).filter(|axis| !goes(axis)).map(|axis| shape[axis]).collect())
        }
        "EXPAND_DIMS" => {
            let [at] = importer.known(layer, 1)?[..] else { return remedy("its axis is not one number") };
            let at = axis(at, shape.len() + 1)?;
            let mut target = shape.to_vec();
            target.insert(at, 1);
            Ok(target)
        }
        _ => {
            let wanted = match importer.input(layer, 1)? {
                Some(tensor) => importer.integers(&tensor)?.map(|(_, values)| values),
                None => Some(operator.i32s(0)?.into_iter().map(i64::from).collect())
                    .filter(|v: &Vec<_>| !v.is_empty()),
            };
            let Some(wanted) = wanted else { return Ok(importer.output(layer)?.shape()?) };
            fill(&wanted, shape)
        }
    }
}

/// The target of a reshape, of which one extent may be -1.
fn fill(wanted: &[i64], shape: &[usize]) -> Result<Vec<usize>, Problem> {
    let wrong = || Problem::Import(ImportError::Shape(format!("{shape:?} can't become {wanted:?}")));
    if wanted.len() > 8 || wanted.iter().filter(|&&n| n == -1).count() > 1 {
        return Err(wrong());
    }
    let len = shape.iter().try_fold(1usize, |len, &n| len.checked_mul(n)).ok_or_else(wrong)?;
    let given = wanted.iter().filter(|&&n| n != -1);
    let given = given
        .map(|&n| usize::try_from(n).ok().filter(|&n| n > 0))
        .try_fold(1usize, |all, n| all.checked_mul(n?));
    let given = given.filter(|&given| len.is_multiple_of(given)).ok_or_else(wrong)?;
    let target: Vec<_> = wanted.iter().map(|&n| if n == -1 { len / given } else { n as usize }).collect();
    if target.iter().product::<usize>() == len { Ok(target) } else { Err(wrong()) }
}

/// One axis of a slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct SliceAxis {
    pub(super) begin: usize,
    pub(super) size: usize,
    pub(super) step: isize,
    /// The axis, of which one element is taken, goes.
    pub(super) shrink: bool,
}

/// A slice of a tensor.
pub(super) struct Slice {
    pub(super) axes: Vec<SliceAxis>,
}

/// What STRIDED_SLICE takes of a tensor of this shape.
pub(super) fn strided_slice(
    importer: &Importer<'_>,
    layer: &Layer<'_>,
    shape: &[usize],
) -> Result<Slice, Problem> {
    let [begin, end, step] = [1, 2, 3].map(|position| importer.known(layer, position));
    let (begin, end, step) = (begin?, end?, step?);
    let mask = |field: usize| layer.operator.i32(field, 0);
    let (begins, ends, shrinks) = (mask(0)?, mask(1)?, mask(4)?);
    if mask(2)? != 0 || mask(3)? != 0 {
        return remedy(
            "slices with an ellipsis or a new axis are not known; write the axes out, and reshape",
        );
    }
    if begin.len() > shape.len() || begin.len() != end.len() || begin.len() != step.len() {
        return Err(ImportError::Shape(format!("a slice of {} axes of {shape:?}", begin.len())).into());
    }
    let whole = |n: usize| SliceAxis { begin: 0, size: n, step: 1, shrink: false };
    let mut axes: Vec<_> = shape.iter().map(|&n| whole(n)).collect();
    for (i, axis) in axes.iter_mut().enumerate().take(begin.len()) {
        let (n, set) = (shape[i] as i64, |mask: i32| mask >> i & 1 == 1);
        let wrap = |at: i64| if at < 0 { at.saturating_add(n) } else { at };
        let empty =
            || Problem::Import(ImportError::Shape(format!("a slice takes nothing of axis {i} of {shape:?}")));
        if set(shrinks) {
            let at = wrap(begin[i]);
            if !(0..n).contains(&at) {
                return Err(empty());
            }
            *axis = SliceAxis { begin: at as usize, size: 1, step: 1, shrink: true };
            continue;
        }
        let step = step[i];
        // Positions from which, and up to which, without the last; -1 is before the first element.
        let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
        let from =
            if set(begins) { if step > 0 { 0 } else { n - 1 } } else { wrap(begin[i]).clamp(low, high) };
        let to = if set(ends) { if step > 0 { n } else { -1 } } else { wrap(end[i]).clamp(low, high) };
        if step == 0 || step.abs() > 1 << 31 || (to - from).signum() != step.signum() {
            return Err(empty());
        }
        let size = (to - from).abs().div_ceil_unsigned(step.unsigned_abs());
        *axis = SliceAxis { begin: from as usize, size, step: step as isize, shrink: false };
    }
    Ok(Slice { axes })
}

trait DivCeil {
    fn div_ceil_unsigned(self, by: u64) -> usize;
}

impl DivCeil for i64 {
    fn div_ceil_unsigned(self, by: u64) -> usize {
        self.unsigned_abs().div_ceil(by) as usize
    }
}

fn axes(values: &[usize]) -> Result<Axes, Problem> {
    match Axes::new(values) {
        Some(axes) => Ok(axes),
        None => remedy(format!("{} axes without the batch; at most 4", values.len())),
    }
}

impl<'a> Importer<'a> {
    /// RESHAPE, SQUEEZE, EXPAND_DIMS of data.
    pub(super) fn reshape(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        let (input, output) = (self.needed(layer, 0)?, self.output(layer)?);
        if let Some(Value::Spaced(spaced)) = self.values.get(&input.index) {
            let spaced = spaced.clone().reshaped(self, layer)?;
            return self.write(layer, &output, Value::Spaced(spaced));
        }
        if !matches!(input.dtype, schema::DType::Int8 | schema::DType::Float32) {
            return remedy(error::type_remedy(input.dtype));
        }
        let (id, shape) = self.data(layer, 0)?;
        let target = target(self, layer, &shape)?;
        let id = self.view(layer, id, graph_shape(&target))?;
        self.write(layer, &output, Value::Tensor(id, target))
    }

    pub(super) fn strided_slice(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        let (id, shape) = self.int8(layer, 0)?;
        let slice = strided_slice(self, layer, &shape)?;
        let output = self.output(layer)?;
        self.slice(layer, (id, &shape), slice, &output)
    }

    /// SLICE: begin and size, of which -1 is all that is left.
    pub(super) fn plain_slice(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        let (id, shape) = self.int8(layer, 0)?;
        let (begin, size) = (self.known(layer, 1)?, self.known(layer, 2)?);
        let beyond =
            || Problem::Import(ImportError::Shape(format!("{size:?} from {begin:?} on leave {shape:?}")));
        if begin.len() != shape.len() || size.len() != shape.len() {
            return Err(beyond());
        }
        let axis = |i: usize| {
            let begin = usize::try_from(begin[i]).ok().filter(|&begin| begin < shape[i])?;
            let rest = shape[i] - begin;
            let size = if size[i] == -1 { rest } else { usize::try_from(size[i]).ok()? };
            (1..=rest).contains(&size).then_some(SliceAxis { begin, size, step: 1, shrink: false })
        };
        let axes: Option<Vec<_>> = (0..shape.len()).map(axis).collect();
        let slice = Slice { axes: axes.ok_or_else(beyond)? };
        let output = self.output(layer)?;
        self.slice(layer, (id, &shape), slice, &output)
    }

    /// SPLIT and SPLIT_V: a slice for each output.
    pub(super) fn split(&mut self, layer: &Layer<'a>, sizes: bool) -> Result<bool, Problem> {
        let (data, along) = if sizes { (0, 2) } else { (1, 0) };
        let (id, shape) = self.int8(layer, data)?;
        let [along] = self.known(layer, along)?[..] else { return remedy("its axis is not one number") };
        let (along, count) = (axis(along, shape.len())?, layer.operator.outputs.len());
        let wrong = || Problem::Import(ImportError::Shape(format!("{shape:?} can't be split into {count}")));
        let parts = match sizes {
            true => {
                let wanted = self.known(layer, 1)?;
                let given: i64 = wanted.iter().filter(|&&n| n > 0).fold(0, |sum, &n| sum.saturating_add(n));
                let rest = shape[along] as i64 - given;
                let part = |&n: &i64| usize::try_from(if n == -1 { rest } else { n }).ok().filter(|&n| n > 0);
                wanted.iter().map(part).collect::<Option<Vec<_>>>().ok_or_else(wrong)?
            }
            false => vec![shape[along] / count.max(1); count],
        };
        if parts.len() != count
            || parts.iter().try_fold(0usize, |sum, &n| sum.checked_add(n)) != Some(shape[along])
        {
            return Err(wrong());
        }
        let mut begin = 0;
        for (part, index) in parts.into_iter().zip(layer.operator.outputs.i32s()) {
            let output = self.model.tensor(index)?;
            let whole = |&n: &usize| SliceAxis { begin: 0, size: n, step: 1, shrink: false };
            let mut axes: Vec<_> = shape.iter().map(whole).collect();
            axes[along] = SliceAxis { begin, size: part, step: 1, shrink: false };
            self.slice(layer, (id, &shape), Slice { axes }, &output)?;
            begin += part;
        }
        Ok(true)
    }

    fn slice(
        &mut self,
        layer: &Layer<'a>,
        (id, shape): (crate::TensorId, &[usize]),
        slice: Slice,
        output: &schema::Tensor<'a>,
    ) -> Result<bool, Problem> {
        // The batch axis has one element: whatever is taken of it is all of it.
        let own = &slice.axes[dropped(shape)..];
        let own: Vec<_> = if shape.is_empty() { Vec::new() } else { own.to_vec() };
        let kept = slice.axes.iter().filter(|axis| !axis.shrink).map(|axis| axis.size);
        let target: Vec<_> = kept.collect();
        let mut step = [1; 4];
        step.iter_mut().zip(&own).for_each(|(to, axis)| *to = axis.step);
        let begin = axes(&own.iter().map(|axis| axis.begin).collect::<Vec<_>>())?;
        let size = axes(&own.iter().map(|axis| axis.size).collect::<Vec<_>>())?;
        self.node(layer, Op::Slice { begin, size, step }, vec![id], Vec::new(), output, target)
    }

    pub(super) fn transpose(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        let (id, shape) = self.int8(layer, 0)?;
        let wanted = self.known(layer, 1)?;
        let order = wanted.iter().map(|&n| axis(n, shape.len())).collect::<Result<Vec<_>, _>>()?;
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..shape.len()) {
            return Err(ImportError::Shape(format!("{wanted:?} is no order of the axes of {shape:?}")).into());
        }
        let target: Vec<_> = order.iter().map(|&axis| shape[axis]).collect();
        // Wherever the batch axis goes, the order of the others counts.
        let first = dropped(&shape);
        let own: Vec<_> = order.into_iter().filter(|&axis| axis >= first).map(|axis| axis - first).collect();
        let output = self.output(layer)?;
        self.node(layer, Op::Transpose { permutation: axes(&own)? }, vec![id], Vec::new(), &output, target)
    }

    pub(super) fn pad(&mut self, layer: &Layer<'a>, with_value: bool) -> Result<bool, Problem> {
        let (id, shape) = self.int8(layer, 0)?;
        let amounts = self.known(layer, 1)?;
        let input = self.needed(layer, 0)?;
        let quantization = self.activation_quantization(&input)?;
        let value = match self.input(layer, 2)? {
            Some(value) if with_value => {
                if value.dtype != schema::DType::Int8 || self.activation_quantization(&value)? != quantization
                {
                    return remedy("its value has another type or scale than its input; pad with PAD");
                }
                value.constant_len()?;
                match value.data {
                    [byte] => *byte as i8,
                    _ => return remedy("its value is not one constant"),
                }
            }
            _ => quantization.zero_point,
        };
        let amount = |n: i64| usize::try_from(n).ok().filter(|&n| n <= usize::from(u16::MAX));
        let amounts: Option<Vec<_>> = amounts.into_iter().map(amount).collect();
        let Some(amounts) = amounts.filter(|amounts| amounts.len() == 2 * shape.len()) else {
            return Err(ImportError::Shape(format!("its border does not fit {shape:?}")).into());
        };
        let first = dropped(&shape);
        if amounts[..2 * first].iter().any(|&n| n > 0) {
            return remedy("it pads the batch");
        }
        let (before, after): (Vec<_>, Vec<_>) =
            amounts.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip();
        let target = (0..shape.len()).map(|axis| shape[axis] + before[axis] + after[axis]).collect();
        let op = Op::Pad { before: axes(&before[first..])?, after: axes(&after[first..])?, value };
        let output = self.output(layer)?;
        self.node(layer, op, vec![id], Vec::new(), &output, target)
    }

    pub(super) fn concat(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        let count = layer.operator.inputs.len();
        let inputs = (0..count).map(|i| self.int8(layer, i)).collect::<Result<Vec<_>, _>>()?;
        let Some((_, first)) = inputs.first() else { return remedy("it has no inputs") };
        let along = axis(layer.operator.i32(0, 0)?.into(), first.len())?;
        let Some(own) = along.checked_sub(dropped(first)) else { return remedy("it joins along the batch") };
        let mut target = first.clone();
        target[along] = 0;
        for (_, shape) in &inputs {
            if shape.len() != target.len() {
                return Err(ImportError::Shape(format!("{first:?} and {shape:?} can't be joined")).into());
            }
            target[along] += shape[along];
        }
        let activation = self.fused(layer, 1)?;
        let ids = inputs.into_iter().map(|(id, _)| id).collect();
        let output = self.output(layer)?;
        self.with_activation(layer, Op::Concat { axis: own }, activation, ids, &output, target)
    }
}
