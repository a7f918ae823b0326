//! Operators that compute, and the table of all.

use super::{ImportError, schema};
use super::{Importer, Layer, NO_SUCH_OPERATOR, Problem, Value, error, moves, remedy, supported};
use crate::graph::Axes;
use crate::graph::{
    Activation, Constant, ConstantId, Function, Op, Operand, Reduction, TensorId, Values, Window,
};
use milligrad::Padding;
use schema::{DType, Tensor};

impl<'a> Importer<'a> {
    /// Turns an operator into layers; `false` if its outputs can't be known.
    pub(super) fn convert(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        if supported::find(layer.operator.builtin).is_none() {
            let dtype = self.computes_in(layer)?;
            return match dtype {
                DType::Int8 | DType::Int32 | DType::Int64 | DType::Bool => remedy(NO_SUCH_OPERATOR),
                other => remedy(error::type_remedy(other)),
            };
        }
        if let Some(value) = self.fold(layer)? {
            let output = self.output(layer)?;
            return self.write(layer, &output, value);
        }
        let activation = |activation| Op::Activation { activation };
        match layer.kind.as_str() {
            "ADD" => self.elementwise(layer, Function::Add),
            "SUB" => self.elementwise(layer, Function::Sub),
            "MUL" => self.elementwise(layer, Function::Mul),
            "AVERAGE_POOL_2D" => self.pool(layer, |window| Op::AvgPool2d { window }),
            "MAX_POOL_2D" => self.pool(layer, |window| Op::MaxPool2d { window }),
            "CONCATENATION" => self.concat(layer),
            "CONV_2D" | "DEPTHWISE_CONV_2D" => self.plain_convolution(layer),
            "TRANSPOSE_CONV" => self.transpose_convolution(layer),
            "FULLY_CONNECTED" => self.fully_connected(layer),
            "DEQUANTIZE" => self.dequantize(layer),
            "QUANTIZE" => self.quantize(layer),
            "LOGISTIC" => self.unary(layer, activation(Activation::Sigmoid)),
            "TANH" => self.unary(layer, activation(Activation::Tanh)),
            "RELU" => self.unary(layer, activation(Activation::Relu)),
            "RELU6" => self.unary(layer, activation(Activation::Relu6)),
            "LEAKY_RELU" => {
                let alpha = layer.operator.f32(0)?;
                self.unary(layer, activation(Activation::LeakyRelu { alpha }))
            }
            "ELU" => self.unary(layer, activation(Activation::Elu { alpha: 1.0 })),
            "HARD_SWISH" => self.unary(layer, Op::HardSwish),
            "SOFTMAX" => {
                let beta = layer.operator.f32(0)?;
                if beta != 1.0 {
                    return remedy(format!("beta is {beta}; only 1 is known, fold it into the layer before"));
                }
                self.unary(layer, Op::Softmax)
            }
            "RESHAPE" | "SQUEEZE" | "EXPAND_DIMS" => self.reshape(layer),
            "PAD" => self.pad(layer, false),
            "PADV2" => self.pad(layer, true),
            "TRANSPOSE" => self.transpose(layer),
            "MEAN" => self.reduce(layer, Reduction::Mean),
            "SUM" => self.reduce(layer, Reduction::Sum),
            "STRIDED_SLICE" => self.strided_slice(layer),
            "SLICE" => self.plain_slice(layer),
            "SPLIT" => self.split(layer, false),
            "SPLIT_V" => self.split(layer, true),
            "RESIZE_NEAREST_NEIGHBOR" => self.resize(layer),
            "SPACE_TO_BATCH_ND" => self.space_to_batch(layer),
            "BATCH_TO_SPACE_ND" => self.batch_to_space(layer),
            _ => match self.computes_in(layer)? {
                DType::Int8 | DType::Int32 | DType::Int64 => {
                    remedy("it is known in shape arithmetic only, of shapes that are known at import")
                }
                other => remedy(error::type_remedy(other)),
            },
        }
    }

    /// The fused activation, an option of the operator.
    pub(super) fn fused(&self, layer: &Layer<'a>, field: usize) -> Result<Activation, Problem> {
        match layer.operator.u8(field)? {
            0 => Ok(Activation::Linear),
            1 => Ok(Activation::Relu),
            3 => Ok(Activation::Relu6),
            other => {
                let name =
                    ["NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT"].get(usize::from(other));
                let name = name.map_or(other.to_string(), |name| name.to_string());
                remedy(format!("its fused activation is {name}; NONE, RELU and RELU6 are known"))
            }
        }
    }

    fn unary(&mut self, layer: &Layer<'a>, op: Op) -> Result<bool, Problem> {
        let (id, shape) = self.int8(layer, 0)?;
        let output = self.output(layer)?;
        self.node(layer, op, vec![id], Vec::new(), &output, shape)
    }

    /// An operator that has no fused activation of its own, and the activation after it.
    pub(super) fn with_activation(
        &mut self,
        layer: &Layer<'a>,
        op: Op,
        activation: Activation,
        inputs: Vec<TensorId>,
        output: &Tensor<'a>,
        shape: Vec<usize>,
    ) -> Result<bool, Problem> {
        let mut id = self.add(layer, op, inputs, Vec::new(), output, &shape)?;
        if activation != Activation::Linear {
            id = self.add(layer, Op::Activation { activation }, vec![id], Vec::new(), output, &shape)?;
        }
        self.write(layer, output, Value::Tensor(id, shape))
    }

    fn quantize(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        let (input, output) = (self.needed(layer, 0)?, self.output(layer)?);
        if output.dtype != DType::Int8 {
            return remedy(error::type_remedy(output.dtype));
        }
        if input.dtype == DType::Float32 {
            let (id, shape) = self.data(layer, 0)?;
            return self.node(layer, Op::Quantize, vec![id], Vec::new(), &output, shape);
        }
        self.unary(layer, Op::Requantize)
    }

    fn dequantize(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        let output = self.output(layer)?;
        if output.dtype != DType::Float32 {
            return remedy(error::type_remedy(output.dtype));
        }
        self.unary(layer, Op::Dequantize)
    }

    /// An operand that is a constant.
    fn operand(
        &mut self,
        layer: &Layer<'a>,
        position: usize,
    ) -> Result<Option<(ConstantId, i8, Vec<usize>)>, Problem> {
        let tensor = self.needed(layer, position)?;
        if self.values.contains_key(&tensor.index) || tensor.data.is_empty() {
            return Ok(None);
        }
        if tensor.dtype != DType::Int8 {
            return remedy(error::type_remedy(tensor.dtype));
        }
        let (shape, quantization) = (tensor.shape()?, self.activation_quantization(&tensor)?);
        let own = super::graph_shape(&shape).to_vec();
        let id = self.constant(&tensor, format!("{}/operand", layer.name), &own, vec![quantization.scale])?;
        Ok(Some((id, quantization.zero_point, shape)))
    }

    fn elementwise(&mut self, layer: &Layer<'a>, function: Function) -> Result<bool, Problem> {
        let activation = self.fused(layer, 0)?;
        let output = self.output(layer)?;
        let broadcast = |a: &[usize], b: &[usize]| {
            crate::ops::broadcast(a, b).map_err(|text| Problem::Import(ImportError::Shape(text)))
        };
        let (inputs, constants, shape, constant) = match (self.operand(layer, 0)?, self.operand(layer, 1)?) {
            (None, None) => {
                let ((a, first), (b, second)) = (self.int8(layer, 0)?, self.int8(layer, 1)?);
                (vec![a, b], Vec::new(), broadcast(&first, &second)?, None)
            }
            (None, Some((id, zero_point, shape))) => {
                let (x, own) = self.int8(layer, 0)?;
                (vec![x], vec![id], broadcast(&own, &shape)?, Some(Operand { first: false, zero_point }))
            }
            (Some((id, zero_point, shape)), None) => {
                let (x, own) = self.int8(layer, 1)?;
                (vec![x], vec![id], broadcast(&shape, &own)?, Some(Operand { first: true, zero_point }))
            }
            (Some(_), Some(_)) => return remedy("both operands are constants"),
        };
        let equal = inputs
            .windows(2)
            .all(|pair| self.draft.tensors[pair[0].0].shape == self.draft.tensors[pair[1].0].shape);
        let op = match (function, constant) {
            (Function::Add, None) if equal => Op::Add { activation },
            _ => Op::Elementwise { function, activation, constant },
        };
        self.node(layer, op, inputs, constants, &output, shape)
    }

    fn padding(&self, layer: &Layer<'a>, field: usize) -> Result<Padding, Problem> {
        match layer.operator.u8(field)? {
            0 => Ok(Padding::Same),
            1 => Ok(Padding::Valid),
            other => Err(ImportError::Format(format!("layer `{}`: padding {other}", layer.name)).into()),
        }
    }

    /// Two extents of the options, which are positive.
    fn extents(&self, layer: &Layer<'a>, fields: [usize; 2], default: i32) -> Result<[usize; 2], Problem> {
        let [height, width] = fields.map(|field| layer.operator.i32(field, default));
        let extent = |n: i32| match usize::try_from(n) {
            Ok(n @ 1..) => Ok(n),
            _ => Err(Problem::Import(ImportError::Shape(format!(
                "layer `{}` ({}): a stride, kernel or dilation of {n}",
                layer.name, layer.kind
            )))),
        };
        Ok([extent(height?)?, extent(width?)?])
    }

    fn pool(&mut self, layer: &Layer<'a>, op: fn(Window) -> Op) -> Result<bool, Problem> {
        let (id, image) = self.image(layer, 0)?;
        let window = Window {
            kernel: self.extents(layer, [4, 3], 0)?,
            stride: self.extents(layer, [2, 1], 0)?,
            dilation: [1, 1],
            padding: self.padding(layer, 0)?,
        };
        let activation = self.fused(layer, 5)?;
        let [height, width] = self.positions(layer, &window, image)?;
        let output = self.output(layer)?;
        self.with_activation(
            layer,
            op(window),
            activation,
            vec![id],
            &output,
            vec![1, height, width, image[2]],
        )
    }

    fn positions(
        &self,
        layer: &Layer<'a>,
        window: &Window,
        image: [usize; 3],
    ) -> Result<[usize; 2], Problem> {
        let geometry = crate::ops::geometry(window, image);
        let wrong = |text| {
            Problem::Import(ImportError::Shape(format!("layer `{}` ({}): {text}", layer.name, layer.kind)))
        };
        Ok(geometry.map_err(wrong)?.output())
    }

    fn plain_convolution(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        if self.spaced_convolution(layer)? {
            return Ok(true);
        }
        let input = self.image(layer, 0)?;
        let output = self.output(layer)?;
        let (id, shape) = self.convolution(layer, input, None, &output)?;
        self.write(layer, &output, Value::Tensor(id, shape))
    }

    /// A convolution of an image; `spaced` gives the dilation and padding of one that is written in three parts.
    pub(super) fn convolution(
        &mut self,
        layer: &Layer<'a>,
        (id, image): (TensorId, [usize; 3]),
        spaced: Option<([usize; 2], Padding)>,
        output: &Tensor<'a>,
    ) -> Result<(TensorId, Vec<usize>), Problem> {
        let depthwise = layer.kind == "DEPTHWISE_CONV_2D";
        let (fused, dilations) = if depthwise { (4, [6, 5]) } else { (3, [5, 4]) };
        let activation = self.fused(layer, fused)?;
        let (mut dilation, mut padding) = (self.extents(layer, dilations, 1)?, self.padding(layer, 0)?);
        let stride = self.extents(layer, [2, 1], 0)?;
        if let Some((block, around)) = spaced {
            if stride != [1, 1] || dilation != [1, 1] || padding != Padding::Valid {
                return remedy(
                    "between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND it has stride 1 and no padding",
                );
            }
            (dilation, padding) = (block, around);
        }
        let shape = self.needed(layer, 1)?.shape()?;
        let [first, height, width, last] = shape[..] else {
            return remedy(format!("its weights are {shape:?}"));
        };
        let (filters, own) = match depthwise {
            true if first == 1 => (last, vec![height, width, last]),
            true => return remedy(format!("its weights are {shape:?}")),
            false => (first, shape.clone()),
        };
        let window = Window { kernel: [height, width], stride, dilation, padding };
        let constants = self.parameters(layer, [1, 2], &own, filters, if depthwise { 3 } else { 0 })?;
        let [rows, columns] = self.positions(layer, &window, image)?;
        let op = match depthwise {
            true => Op::DepthwiseConv2d { window, activation },
            false => Op::Conv2d { window, activation },
        };
        let target = vec![1, rows, columns, filters];
        Ok((self.add(layer, op, vec![id], constants, output, &target)?, target))
    }

    fn transpose_convolution(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        let size = self.known(layer, 0)?;
        let (id, image) = self.image(layer, 2)?;
        let shape = self.needed(layer, 1)?.shape()?;
        let [filters, height, width, _] = shape[..] else {
            return remedy(format!("its weights are {shape:?}"));
        };
        let extent = |n: i64| usize::try_from(n).ok().filter(|n| (1..=usize::from(u16::MAX)).contains(n));
        let size = match size[..] {
            [1, h, w, c] if c == filters as i64 => extent(h).zip(extent(w)).map(|(h, w)| [h, w]),
            _ => None,
        };
        let Some(size) = size else { return remedy("its output shape is not [1, height, width, filters]") };
        let (kernel, stride) = ([height, width], self.extents(layer, [2, 1], 0)?);
        let mut before = [0; 2];
        for axis in 0..2 {
            let span =
                (image[axis] - 1).checked_mul(stride[axis]).and_then(|span| span.checked_add(kernel[axis]));
            let Some(span) = span else { return remedy("its stride is too large") };
            // As the forward convolution from the output to the input is padded.
            let forward = match self.padding(layer, 0)? {
                Padding::Same => size[axis].div_ceil(stride[axis]),
                _ => (size[axis] + stride[axis]).saturating_sub(kernel[axis]) / stride[axis],
            };
            if forward != image[axis] {
                return Err(ImportError::Shape(format!(
                    "layer `{}` ({}): {image:?} can't become {size:?}",
                    layer.name, layer.kind
                ))
                .into());
            }
            before[axis] = span.saturating_sub(size[axis]) / 2;
        }
        let activation = self.fused(layer, 3)?;
        let constants = self.parameters(layer, [1, 3], &shape, filters, 0)?;
        let op = Op::TransposeConv2d { kernel, stride, before, size, activation };
        let output = self.output(layer)?;
        self.node(layer, op, vec![id], constants, &output, vec![1, size[0], size[1], filters])
    }

    fn fully_connected(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        let activation = self.fused(layer, 0)?;
        if layer.operator.u8(1)? != 0 {
            return remedy("its weights are shuffled; convert without that");
        }
        let (id, input) = self.int8(layer, 0)?;
        let shape = self.needed(layer, 1)?.shape()?;
        let [units, inputs] = shape[..] else { return remedy(format!("its weights are {shape:?}")) };
        let len: usize = input.iter().product();
        if !len.is_multiple_of(inputs) {
            return Err(ImportError::Shape(format!(
                "layer `{}` ({}): {input:?} are no rows of {inputs}",
                layer.name, layer.kind
            ))
            .into());
        }
        let rows = len / inputs;
        let constants = self.parameters(layer, [1, 2], &shape, units, 0)?;
        let keep = layer.operator.bool(2)? && input.last() == Some(&inputs);
        let target = match keep {
            true => input.iter().copied().take(input.len() - 1).chain([units]).collect(),
            false => vec![rows, units],
        };
        let id = if rows > 1 { self.view(layer, id, &[rows, inputs])? } else { id };
        let output = self.output(layer)?;
        self.node(layer, Op::Dense { activation }, vec![id], constants, &output, target)
    }

    /// Weights of this shape and the bias, which is zero where the file has none.
    fn parameters(
        &mut self,
        layer: &Layer<'a>,
        [weights, bias]: [usize; 2],
        shape: &[usize],
        outputs: usize,
        axis: i32,
    ) -> Result<Vec<ConstantId>, Problem> {
        let tensor = self.needed(layer, weights)?;
        if self.values.contains_key(&tensor.index) || tensor.data.is_empty() {
            return remedy("its weights are computed; only constant weights are known");
        }
        if tensor.dtype != DType::Int8 {
            return remedy(error::type_remedy(tensor.dtype));
        }
        let quantization = tensor.quantization()?;
        let problem = |text: String| {
            Problem::Import(ImportError::Quantization(format!("layer `{}`: {text}", layer.name)))
        };
        let (scales, zero_points) = (quantization.scales, quantization.zero_points);
        if scales.len() != 1 && (scales.len() != outputs || quantization.axis != axis) {
            return Err(problem(format!(
                "{} weight scales along axis {} for {outputs} outputs",
                scales.len(),
                quantization.axis
            )));
        }
        if let Some(scale) = scales.iter().find(|scale| !(**scale > 0.0 && scale.is_finite())) {
            return Err(problem(format!("weight scale {scale} is not positive and finite")));
        }
        if zero_points.len() > 1 && zero_points.len() != scales.len() {
            return Err(problem(format!(
                "{} zero points for {} weight scales",
                zero_points.len(),
                scales.len()
            )));
        }
        if zero_points.iter().any(|&zero_point| zero_point != 0) {
            return remedy(
                "its weights have a zero point; convert with symmetric weights, as the current converter does",
            );
        }
        let weights = self.constant(&tensor, format!("{}/weights", layer.name), shape, scales)?;
        let name = format!("{}/bias", layer.name);
        let bias = match self.input(layer, bias)? {
            Some(bias) if !bias.data.is_empty() => {
                if bias.dtype != DType::Int32 {
                    return remedy(format!("its bias is {}; only int32 is known", bias.dtype.name()));
                }
                if bias.constant_len()? != outputs {
                    return Err(ImportError::Buffer(format!(
                        "layer `{}`: {:?} biases for {outputs} outputs",
                        layer.name,
                        bias.shape()?
                    ))
                    .into());
                }
                self.constant(&bias, name, &[outputs], Vec::new())?
            }
            Some(bias) if self.values.contains_key(&bias.index) => {
                return remedy("its bias is computed; only a constant bias is known");
            }
            Some(bias) => {
                return Err(ImportError::Buffer(format!(
                    "layer `{}`: its bias {} is empty",
                    layer.name, bias.index
                ))
                .into());
            }
            None => {
                self.spend(4 * outputs)?;
                let values = Values::I32(vec![0; outputs]);
                self.push_constant(Constant { name, shape: vec![outputs], values, scales: Vec::new() })
            }
        };
        Ok(vec![weights, bias])
    }

    fn reduce(&mut self, layer: &Layer<'a>, function: Reduction) -> Result<bool, Problem> {
        let (id, shape) = self.int8(layer, 0)?;
        let wanted = self.known(layer, 1)?;
        let mut chosen =
            wanted.iter().map(|&n| moves::axis(n, shape.len())).collect::<Result<Vec<_>, _>>()?;
        chosen.sort_unstable();
        chosen.dedup();
        let keep = layer.operator.bool(0)?;
        let gone = |axis: &usize| chosen.contains(axis);
        let target: Vec<_> = match keep {
            true => (0..shape.len()).map(|axis| if gone(&axis) { 1 } else { shape[axis] }).collect(),
            false => (0..shape.len()).filter(|axis| !gone(axis)).map(|axis| shape[axis]).collect(),
        };
        // The batch has one element: to sum over it is to do nothing.
        let first = super::dropped(&shape);
        let own: Vec<_> = chosen.into_iter().filter_map(|axis| axis.checked_sub(first)).collect();
        let Some(axes) = Axes::new(&own) else { return remedy("it runs over more than 4 axes") };
        let output = self.output(layer)?;
        self.node(layer, Op::Reduce { function, axes, keep }, vec![id], Vec::new(), &output, target)
    }

    fn resize(&mut self, layer: &Layer<'a>) -> Result<bool, Problem> {
        let (id, image) = self.image(layer, 0)?;
        let extent = |n: i64| usize::try_from(n).ok().filter(|n| (1..=usize::from(u16::MAX)).contains(n));
        let size = match self.known(layer, 1)?[..] {
            [height, width] => extent(height).zip(extent(width)),
            _ => None,
        };
        let Some((height, width)) = size else {
            return Err(ImportError::Shape(format!("layer `{}`: its size is no image's", layer.name)).into());
        };
        let op = Op::ResizeNearest {
            size: [height, width],
            align_corners: layer.operator.bool(0)?,
            half_pixel_centers: layer.operator.bool(1)?,
        };
        let output = self.output(layer)?;
        self.node(layer, op, vec![id], Vec::new(), &output, vec![1, height, width, image[2]])
    }
}
