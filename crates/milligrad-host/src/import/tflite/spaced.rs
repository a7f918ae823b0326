//! Dilated convolutions that are written as SPACE_TO_BATCH_ND, a plain convolution, and BATCH_TO_SPACE_ND.
//!
//! With a block of `b`, the first cuts the padded image into `b` phases, along each axis, which the second puts together
//! again; a convolution in between sees every `b`-th pixel: it is dilated by `b`.

use super::{ImportError, Importer, Layer, Problem, Value, moves, remedy};
use crate::TensorId;
use milligrad::Padding;

/// What is known between the two.
#[derive(Debug, Clone)]
pub(super) struct Spaced {
    /// The image.
    source: TensorId,
    /// Its shape in the file.
    shape: Vec<usize>,
    /// Block of each spatial axis.
    block: Vec<usize>,
    /// Padding of each spatial axis, before and after.
    padding: Vec<[usize; 2]>,
    /// The convolution, by its place in the file, once it was seen.
    convolution: Option<usize>,
}

impl Spaced {
    /// After EXPAND_DIMS of a 1-D convolution, or its end.
    pub(super) fn reshaped(mut self, importer: &Importer<'_>, layer: &Layer<'_>) -> Result<Self, Problem> {
        if self.convolution.is_some() {
            // Back to one axis: what BATCH_TO_SPACE_ND wants says which.
            return Ok(self);
        }
        let at = match (layer.kind.as_str(), &self.shape[..]) {
            ("EXPAND_DIMS", [_, _, _]) => {
                let [at] = importer.known(layer, 1)?[..] else { return remedy("its axis is not one number") };
                moves::axis(at, 4)?
            }
            _ => {
                return remedy("between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND only a convolution is known");
            }
        };
        if at != 1 && at != 2 {
            return remedy("between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND only a convolution is known");
        }
        self.shape.insert(at, 1);
        self.block.insert(at - 1, 1);
        self.padding.insert(at - 1, [0, 0]);
        Ok(self)
    }
}

impl<'a> Importer<'a> {
    pub(super) fn space_to_batch(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        let (source, shape) = self.int8(layer, 0)?;
        let (block, padding) = (self.known(layer, 1)?, self.known(layer, 2)?);
        let fits = |n: &i64| usize::try_from(*n).ok().filter(|&n| n <= usize::from(u16::MAX));
        let block: Option<Vec<_>> = block.iter().map(|n| fits(n).filter(|&n| n > 0)).collect();
        let padding: Option<Vec<_>> = padding.iter().map(fits).collect();
        let (Some(block), Some(padding)) = (block, padding) else {
            return Err(ImportError::Shape(format!(
                "layer `{}`: its block or padding is negative",
                layer.name
            ))
            .into());
        };
        let spatial = shape.len().checked_sub(2);
        if spatial != Some(block.len()) || padding.len() != 2 * block.len() || !(1..=2).contains(&block.len())
        {
            return Err(ImportError::Shape(format!(
                "layer `{}`: its block does not fit {shape:?}",
                layer.name
            ))
            .into());
        }
        let padding = padding.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
        let output = self.output(layer)?;
        let spaced = Spaced { source, shape, block, padding, convolution: None };
        self.write(layer, &output, Value::Spaced(spaced))
    }

    /// Notes the convolution in between, if this is one.
    pub(super) fn spaced_convolution(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        let input = self.needed(layer, 0)?;
        let Some(Value::Spaced(spaced)) = self.values.get(&input.index) else { return Ok(false) };
        if spaced.convolution.is_some() || spaced.block.len() != 2 {
            return remedy("between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND only one convolution is known");
        }
        let spaced = Spaced { convolution: Some(layer.index), ..spaced.clone() };
        let output = self.output(layer)?;
        self.write(layer, &output, Value::Spaced(spaced))?;
        Ok(true)
    }

    pub(super) fn batch_to_space(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        let input = self.needed(layer, 0)?;
        let Some(Value::Spaced(spaced)) = self.values.get(&input.index).cloned() else {
            return remedy("it is known only after SPACE_TO_BATCH_ND and a convolution");
        };
        let Some(index) = spaced.convolution else {
            return remedy("between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND there has to be a convolution");
        };
        let (block, crops) = (self.known(layer, 1)?, self.known(layer, 2)?);
        // A 1-D convolution names one axis, which is the dilated one, or the longer one.
        let along = match spaced.block[..] {
            [height, width] if height != width => usize::from(width > height),
            _ => usize::from(spaced.shape[1] == 1),
        };
        let (block, crops) = match (&block[..], &crops[..]) {
            (&[h, w], &[top, bottom, left, right]) => ([h, w], [[top, bottom], [left, right]]),
            (&[n], &[before, after]) => {
                let (mut block, mut crops) = ([1, 1], [[0, 0], [0, 0]]);
                (block[along], crops[along]) = (n, [before, after]);
                (block, crops)
            }
            _ => return remedy("its block and crops do not fit an image"),
        };
        let mut padding = [[0u16; 2]; 2];
        for axis in 0..2 {
            if block[axis] != spaced.block[axis] as i64 {
                return remedy("its block is not that of SPACE_TO_BATCH_ND");
            }
            for side in 0..2 {
                let left = spaced.padding[axis][side] as i64 - crops[axis][side];
                let Some(left) = u16::try_from(left).ok().filter(|_| crops[axis][side] >= 0) else {
                    return remedy("it crops more than SPACE_TO_BATCH_ND pads");
                };
                padding[axis][side] = left;
            }
        }
        let [[top, bottom], [left, right]] = padding;
        let padding = Padding::Explicit { top, bottom, left, right };
        let [1, height, width, depth] = spaced.shape[..] else {
            return remedy("it works on a batch of several images");
        };
        let source = self.view(layer, spaced.source, &[height, width, depth])?;
        let operator = self.model.operator(index)?;
        let kind = super::builtin::name(operator.builtin).unwrap_or_default().to_owned();
        let convolution = Layer { index, operator, kind, name: layer.name.clone() };
        let output = self.output(layer)?;
        let before = self.output(&convolution)?;
        if self.activation_quantization(&before)? != self.activation_quantization(&output)? {
            return remedy("it has another scale than the convolution before");
        }
        let (id, shape) = self.convolution(
            &convolution,
            (source, [height, width, depth]),
            Some((spaced.block[..].try_into().unwrap_or([1, 1]), padding)),
            &output,
        )?;
        let target = match crops.len() {
            _ if self.known(layer, 1)?.len() == 1 => {
                let [_, rows, columns, depth] = shape[..] else { return remedy("it is no image") };
                vec![1, rows * columns, depth]
            }
            _ => shape,
        };
        let id = self.view(layer, id, super::graph_shape(&target))?;
        self.write(layer, &output, Value::Tensor(id, target))
    }
}
