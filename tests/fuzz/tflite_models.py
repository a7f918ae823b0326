"""Random int8 models with the answers of both interpreters: `tflite_models.py FOLDER --count N --seed S`.

Each NAME.tflite has a NAME.npz beside it with `input`, `output` (TensorFlow's reference kernels) and `output_tflm` (TFLite-Micro's).
An answer is left out where that interpreter is no reference:

* TensorFlow's for SUM, whose reference kernel in 2.21 does not compute sums of int8 (its optimised one does), and for ELU, of
  which it has none;
* TFLite-Micro's for RELU6 that changes the scale, which it clamps without rescaling, for SPACE_TO_BATCH_ND, whose batches the
  wheel confuses, and for operators that the wheel has not.

`--keras` makes models with Keras and the TensorFlow Lite converter instead, slower, as users have them.
"""

import argparse
import math
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "golden"))

import numpy as np
from oracle import TYPES, Tensor, flatbuffers, runtime, schema, tf

TYPES.setdefault("float32", schema.TensorType.FLOAT32)
TYPES.setdefault("int64", schema.TensorType.INT64)


def run_tensorflow(model, inputs):
    """TensorFlow's outputs, sample after sample; `None` if it refuses the model."""
    try:
        interpreter = tf.lite.Interpreter(
            model_content=model,
            experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
            num_threads=1,
        )
        interpreter.allocate_tensors()
        place, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
        samples = []
        for sample in inputs:
            interpreter.set_tensor(place, sample[None])
            interpreter.invoke()
            samples.append(interpreter.get_tensor(result).reshape(-1).copy())
        return np.stack(samples)
    except (RuntimeError, ValueError) as error:
        print("TensorFlow refuses:", str(error)[:200].replace("\n", " "), file=sys.stderr)
        return None


def run_micro(model, inputs):
    """TFLite-Micro's outputs, sample after sample; `None` if it refuses the model."""
    try:
        interpreter = runtime.Interpreter.from_bytes(model, arena_size=1 << 21)
        samples = []
        for sample in inputs:
            interpreter.set_input(sample[None], 0)
            interpreter.invoke()
            samples.append(np.asarray(interpreter.get_output(0)).reshape(-1).copy())
        return np.stack(samples)
    except (RuntimeError, ValueError):
        return None


class Model:
    """A model in the making: a chain of operators on a current tensor."""

    def __init__(self, rng, shape, dtype="int8"):
        self.rng = rng
        self.tensors, self.operators, self.codes, self.buffers = [], [], [], [schema.BufferT()]
        self.no_tf = self.no_tflm = False
        self.shape, self.scale, self.zero = tuple(shape), self.uniform(0.01, 0.2), self.zero_point()
        self.input = self.current = self.activation() if dtype == "int8" else self.tensor(Tensor(self.shape, dtype="float32"))
        self.input_shape, self.input_scale = self.shape, self.scale

    def uniform(self, low, high):
        return float(np.float32(math.exp(self.rng.uniform(math.log(low), math.log(high)))))

    def choice(self, *options):
        return options[int(self.rng.integers(len(options)))]

    def integer(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def zero_point(self):
        return int(self.choice(-128, 0, self.rng.integers(-128, 128), self.rng.integers(-40, 40)))

    def tensor(self, tensor):
        result = schema.TensorT()
        result.name = f"layer_{len(self.tensors)}/Op".encode()
        result.shape, result.type, result.buffer = [int(n) for n in tensor.shape], TYPES[tensor.dtype], 0
        if len(tensor.scales):
            result.quantization = schema.QuantizationParametersT()
            result.quantization.scale = [float(scale) for scale in tensor.scales]
            result.quantization.zeroPoint = [int(tensor.zero_point)] * len(tensor.scales)
            result.quantization.quantizedDimension = tensor.axis
        if tensor.data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(tensor.data).tobytes(), np.uint8)
            result.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(result)
        return len(self.tensors) - 1

    def activation(self):
        return self.tensor(Tensor(self.shape, np.array([self.scale], np.float32), self.zero))

    def constant(self, data, scales=(), axis=0, zero=0):
        data = np.asarray(data)
        return self.tensor(Tensor(data.shape, np.asarray(scales, np.float32), zero, axis, data, data.dtype.name))

    def integers(self, values):
        return self.constant(np.asarray(values, np.int32))

    def add(self, name, inputs, outputs=None, options_name=None, **options):
        """An operator; its output is the current shape, scale and zero point, unless tensors are given."""
        number = getattr(schema.BuiltinOperator, name)
        if number not in self.codes:
            self.codes.append(number)
        operator = schema.OperatorT()
        operator.opcodeIndex = self.codes.index(number)
        operator.inputs = inputs
        operator.outputs = [self.activation()] if outputs is None else outputs
        if options_name:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options_name)
            operator.builtinOptions = getattr(schema, options_name + "T")()
            for key, value in options.items():
                assert hasattr(operator.builtinOptions, key), key
                setattr(operator.builtinOptions, key, value)
        self.operators.append(operator)
        self.current = operator.outputs[0]

    def bytes(self):
        codes = []
        for number in self.codes:
            code = schema.OperatorCodeT()
            code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), 1
            codes.append(code)
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = [self.input], [self.current]
        model = schema.ModelT()
        model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, codes, [graph], self.buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    # Helpers -----------------------------------------------------------------------------------------------------------

    def new_scale(self, scale):
        self.scale, self.zero = float(np.float32(scale)), self.zero_point()

    def weights(self, shape, fan_in, channels, axis, may_lack_bias=False):
        """Constants of a layer, and the scale of its output for values that spread well."""
        weights = self.rng.integers(-127, 128, shape).astype(np.int8)
        count = channels if self.choice(True, True, False) else 1
        scales = np.array([self.uniform(0.002, 0.02) for _ in range(count)], np.float32)
        if self.choice(True, False):
            scales = np.full(count, scales[0])
        spread = 74 * 73 * math.sqrt(fan_in)
        bias = self.rng.integers(-int(spread), int(spread) + 1, channels).astype(np.int32)
        inputs = [self.constant(weights, scales, axis), self.constant(bias, scales * np.float32(self.scale))]
        if may_lack_bias and self.choice(True, False, False):
            inputs = inputs[:1]
        self.new_scale(self.scale * float(np.exp(np.log(scales).mean())) * spread / 50 / self.uniform(0.5, 2))
        return inputs

    def fused(self):
        return self.choice(0, 0, 1, 3)

    def window(self, largest=5):
        """Kernel, stride, dilation, padding, and the output's extents."""
        _, height, width, _ = self.shape
        for _ in range(100):
            kernel = [self.integer(1, min(largest, n)) for n in (height, width)]
            stride = [self.integer(1, 3), self.integer(1, 3)]
            dilation = [1, 1] if self.choice(True, True, False) else [self.integer(1, 3), self.integer(1, 3)]
            if max(dilation) > 1:
                stride = [1, 1]
            same = self.choice(True, False)
            spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
            if same or all(span <= n for span, n in zip(spans, (height, width))):
                out = [-(-n // s) if same else (n - span) // s + 1 for n, s, span in zip((height, width), stride, spans)]
                return kernel, stride, dilation, int(not same), out
        return [1, 1], [1, 1], [1, 1], 1, [height, width]

    # Operators -----------------------------------------------------------------------------------------------------------

    def conv_2d(self):
        kernel, stride, dilation, padding, out = self.window()
        filters, depth = self.integer(1, 9), self.shape[3]
        x = self.current
        inputs = self.weights((filters, *kernel, depth), kernel[0] * kernel[1] * depth, filters, 0)
        self.shape = (1, *out, filters)
        self.add("CONV_2D", [x, *inputs], None, "Conv2DOptions", padding=padding, strideH=stride[0], strideW=stride[1],
                 dilationHFactor=dilation[0], dilationWFactor=dilation[1], fusedActivationFunction=self.fused())

    def depthwise_conv_2d(self):
        kernel, stride, dilation, padding, out = self.window()
        multiplier, depth = self.choice(1, 1, 2, 3), self.shape[3]
        channels = depth * multiplier
        x = self.current
        inputs = self.weights((1, *kernel, channels), kernel[0] * kernel[1], channels, 3)
        stride = [stride[0]] * 2  # one stride for both axes
        _, height, width, _ = self.shape
        spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
        out = [-(-n // s) if padding == 0 else (n - span) // s + 1 for n, s, span in zip((height, width), stride, spans)]
        self.shape = (1, *out, channels)
        self.add("DEPTHWISE_CONV_2D", [x, *inputs], None, "DepthwiseConv2DOptions", padding=padding, strideH=stride[0],
                 strideW=stride[1], dilationHFactor=dilation[0], dilationWFactor=dilation[1], depthMultiplier=multiplier,
                 fusedActivationFunction=self.fused())

    def transpose_conv(self):
        _, height, width, depth = self.shape
        kernel, stride, filters = [self.integer(1, 4), self.integer(1, 4)], [self.integer(1, 3), self.integer(1, 3)], self.integer(1, 5)
        same = self.choice(True, False)
        out = [n * s if same else (n - 1) * s + max(k, s) for n, s, k in zip((height, width), stride, kernel)]
        if max(out) > 40:
            return self.conv_2d()
        x = self.current
        inputs = self.weights((filters, *kernel, depth), max(1, kernel[0] * kernel[1] * depth / stride[0] / stride[1]), filters, 0, True)
        self.shape = (1, *out, filters)
        self.add("TRANSPOSE_CONV", [self.integers(self.shape), inputs[0], x, *inputs[1:]], None, "TransposeConvOptions", padding=int(not same),
                 strideH=stride[0], strideW=stride[1], fusedActivationFunction=self.fused())

    def fully_connected(self):
        units, depth = self.integer(1, 20), self.shape[-1]
        keep = len(self.shape) > 2 and self.choice(True, False)
        flat = not keep and self.choice(True, False)
        inputs_of = int(np.prod(self.shape)) if flat else depth
        if inputs_of > 3000:
            inputs_of, flat = depth, False
        rows = int(np.prod(self.shape)) // inputs_of
        if rows > 400:
            return self.mean()
        x = self.current
        inputs = self.weights((units, inputs_of), inputs_of, units, 0, True)
        self.shape = (*self.shape[:-1], units) if keep else (rows, units)
        if rows > 1 and not keep:
            self.no_more = True
        self.add("FULLY_CONNECTED", [x, *inputs], None, "FullyConnectedOptions", keepNumDims=keep, fusedActivationFunction=self.fused())

    def elementwise(self):
        name = self.choice("ADD", "SUB", "MUL")
        x, scale, shape = self.current, self.scale, self.shape
        kind = self.choice("self", "constant", "channel", "relu", "input")
        if kind == "input" and self.input_shape == shape and self.tensors[self.input].type == TYPES["int8"]:
            other, other_scale = self.input, self.input_scale
        elif kind in ("constant", "channel"):
            other_shape = shape if kind == "constant" else [tuple(n if self.choice(True, False) else 1 for n in shape), shape[-1:], (1,)][self.integer(0, 2)]
            other_scale = self.uniform(0.01, 0.2)
            other = self.constant(self.rng.integers(-128, 128, other_shape).astype(np.int8), [other_scale], 0, self.zero_point())
        elif kind == "relu":
            self.relu()
            other, other_scale = self.current, self.scale
        else:
            other, other_scale = x, scale
        pair = [x, other] if self.choice(True, False) else [other, x]
        spread = scale * other_scale * 74 * 74 / 50 if name == "MUL" else math.hypot(scale, other_scale)
        self.shape = shape
        self.new_scale(spread * self.uniform(0.6, 2))
        self.add(name, pair, None, name.title() + "Options", fusedActivationFunction=self.fused())

    def pool(self):
        kernel, stride, _, _, _ = self.window()
        same = self.choice(True, False)
        _, height, width, depth = self.shape
        out = [-(-n // s) if same else (n - k) // s + 1 for n, s, k in zip((height, width), stride, kernel)]
        self.shape = (1, *out, depth)
        self.add(self.choice("MAX_POOL_2D", "AVERAGE_POOL_2D"), [self.current], None, "Pool2DOptions", padding=int(not same), strideH=stride[0],
                 strideW=stride[1], filterHeight=kernel[0], filterWidth=kernel[1], fusedActivationFunction=self.fused())

    def mean(self):
        name = self.choice("MEAN", "MEAN", "SUM")
        rank = len(self.shape)
        axes = sorted({self.integer(1, rank - 1) for _ in range(self.integer(1, rank - 1))})
        keep = self.choice(True, False)
        count = int(np.prod([self.shape[axis] for axis in axes]))
        x, scale = self.current, self.scale
        self.shape = tuple(1 if axis in axes else n for axis, n in enumerate(self.shape) if keep or axis not in axes)
        if self.choice(True, True, False):
            self.new_scale(scale * (self.uniform(0.2, 1.2) if name == "MEAN" else math.sqrt(count) * self.uniform(0.8, 3)))
        self.no_tf |= name == "SUM"
        axes = [axis - rank if self.choice(True, False) else axis for axis in axes]
        self.add(name, [x, self.integers(axes)], None, "ReducerOptions", keepDims=keep)

    def pad(self):
        amounts = [[0, 0], *([self.integer(0, 2), self.integer(0, 2)] for _ in self.shape[1:])]
        x = self.current
        inputs = [x, self.integers(amounts)]
        self.shape = tuple(n + before + after for n, (before, after) in zip(self.shape, amounts))
        if len(self.shape) == 4 and self.choice(True, False):
            value = self.constant(self.rng.integers(-128, 128, ()).astype(np.int8), [self.scale], 0, self.zero)
            self.add("PADV2", [*inputs, value], None, "PadV2Options")
        else:
            self.add("PAD", inputs, None, "PadOptions")

    def concatenation(self):
        axis = self.integer(1, len(self.shape) - 1)
        count = self.integer(2, 3)
        self.shape = tuple(n * count if i == axis else n for i, n in enumerate(self.shape))
        axis = axis - len(self.shape) if self.choice(True, False) else axis
        self.add("CONCATENATION", [self.current] * count, None, "ConcatenationOptions", axis=axis)

    def reshape(self):
        x, rest = self.current, int(np.prod(self.shape))
        kind = self.choice("RESHAPE", "RESHAPE", "EXPAND_DIMS", "SQUEEZE")
        if kind == "EXPAND_DIMS" and len(self.shape) < 4:
            axis = self.integer(1, len(self.shape))
            self.shape = (*self.shape[:axis], 1, *self.shape[axis:])
            self.add(kind, [x, self.integers(axis)], None, "ExpandDimsOptions")
        elif kind == "SQUEEZE" and 1 in self.shape[1:-1]:
            axis = self.shape[1:-1].index(1) + 1
            self.shape = (*self.shape[:axis], *self.shape[axis + 1 :])
            self.add(kind, [x], None, "SqueezeOptions", squeezeDims=[axis])
        else:
            factors = []
            for _ in range(self.integer(0, 2)):
                factor = self.choice(*[n for n in range(1, min(rest, 12) + 1) if rest % n == 0])
                factors.append(factor)
                rest //= factor
            target = [1, *factors, rest]
            self.shape = tuple(target)
            if self.choice(True, False):
                target[-1] = -1
            self.add("RESHAPE", [x, self.integers(target)], None, "ReshapeOptions", newShape=target)

    def transpose(self):
        order = [0, *(1 + self.rng.permutation(len(self.shape) - 1)).tolist()]
        self.shape = tuple(self.shape[axis] for axis in order)
        self.add("TRANSPOSE", [self.current, self.integers(order)], None, "TransposeOptions")

    def strided_slice(self):
        begin, end, stride, shape, shrink, masks = [0], [1], [1], [1], 0, [0, 0]
        for axis, n in enumerate(self.shape[1:], 1):
            step = self.choice(1, 1, 2, 3)
            first = self.integer(0, n - 1)
            last = self.integer(first + 1, n)
            begin.append(first - n if self.choice(True, False) else first)
            end.append(last), stride.append(step)
            if self.choice(False, False, True):
                masks[0] |= 1 << axis
                first = 0
            if self.choice(False, False, True):
                masks[1] |= 1 << axis
                last = n
            if self.choice(*[False] * 6, True) and len(shape) > 1:
                shrink |= 1 << axis
                begin[-1], end[-1], stride[-1] = 0, 1, 1
                masks = [mask & ~(1 << axis) for mask in masks]
            else:
                shape.append(-(-(last - first) // step))
        self.shape = tuple(shape) if len(shape) > 1 else (*shape, 1)
        if len(shape) == 1:
            return self.reshape()
        self.add("STRIDED_SLICE", [self.current, self.integers(begin), self.integers(end), self.integers(stride)], None, "StridedSliceOptions",
                 beginMask=masks[0], endMask=masks[1], shrinkAxisMask=shrink)

    def split(self):
        options = [(axis, n) for axis, size in enumerate(self.shape) for n in (2, 3) if axis and size % n == 0]
        if not options:
            return self.strided_slice()
        axis, count = self.choice(*options)
        self.shape = tuple(n // count if i == axis else n for i, n in enumerate(self.shape))
        outputs = [self.activation() for _ in range(count)]
        self.add("SPLIT", [self.integers(axis), self.current], outputs, "SplitOptions", numSplits=count)
        scale = self.scale
        self.new_scale(scale * self.uniform(0.7, 2))
        self.add(self.choice("ADD", "SUB"), [outputs[0], outputs[-1]], None, "AddOptions")
        if self.operators[-1].builtinOptionsType and self.codes[self.operators[-1].opcodeIndex] == schema.BuiltinOperator.SUB:
            self.operators[-1].builtinOptionsType = schema.BuiltinOptions.SubOptions
            self.operators[-1].builtinOptions = schema.SubOptionsT()

    def slice(self):
        begin = [0, *(self.integer(0, n - 1) for n in self.shape[1:])]
        size = [1, *(self.choice(-1, self.integer(1, n - first)) for first, n in zip(begin[1:], self.shape[1:]))]
        self.shape = (1, *(n - first if count < 0 else count for first, count, n in zip(begin[1:], size[1:], self.shape[1:])))
        self.add("SLICE", [self.current, self.integers(begin), self.integers(size)], None, "SliceOptions")

    def split_v(self):
        axes = [axis for axis, size in enumerate(self.shape) if axis and size > 1]
        if not axes:
            return self.slice()
        axis = self.choice(*axes)
        first = self.integer(1, self.shape[axis] - 1)
        sizes = [first, self.shape[axis] - first]
        shapes = [tuple(n if i == axis else extent for i, extent in enumerate(self.shape)) for n in sizes]
        outputs = []
        for self.shape in shapes:
            outputs.append(self.activation())
        self.add("SPLIT_V", [self.current, self.integers(sizes), self.integers(axis)], outputs, "SplitVOptions", numSplits=2)
        # One part goes on: the last one that was written.
        self.shape, self.current = shapes[1], outputs[1]

    def softmax(self):
        x = self.current
        self.scale, self.zero = 1 / 256, -128
        self.add("SOFTMAX", [x], None, "SoftmaxOptions", beta=1.0)

    def logistic(self):
        x = self.current
        self.scale, self.zero = 1 / 256, -128
        self.add("LOGISTIC", [x])

    def tanh(self):
        x = self.current
        self.scale, self.zero = 1 / 128, 0
        self.add("TANH", [x])

    def relu(self):
        x, scale = self.current, self.scale
        name = self.choice("RELU", "RELU6")
        if self.choice(True, False):
            self.new_scale(scale * self.uniform(0.3, 2))
            self.no_tflm |= name == "RELU6"
        self.add(name, [x])

    def leaky_relu(self):
        x = self.current
        if self.choice(True, False):
            self.new_scale(self.scale * self.uniform(0.3, 2))
        self.add("LEAKY_RELU", [x], None, "LeakyReluOptions", alpha=self.uniform(0.01, 0.9))

    def elu(self):
        x = self.current
        if self.choice(True, False):
            self.new_scale(self.scale * self.uniform(0.3, 2))
        self.add("ELU", [x])

    def hard_swish(self):
        x = self.current
        self.new_scale(self.scale * self.uniform(0.5, 2))
        self.add("HARD_SWISH", [x], None, "HardSwishOptions")

    def quantize(self):
        x = self.current
        self.new_scale(self.scale * self.uniform(0.3, 3))
        self.add("QUANTIZE", [x], None, "QuantizeOptions")

    def resize(self):
        size = [self.integer(1, 12), self.integer(1, 12)]
        x = self.current
        self.shape = (1, *size, self.shape[3])
        corners = self.choice(True, False, False)
        self.add("RESIZE_NEAREST_NEIGHBOR", [x, self.integers(size)], None, "ResizeNearestNeighborOptions", alignCorners=corners,
                 halfPixelCenters=not corners and self.choice(True, False))

    def dilated(self):
        """A dilated convolution in three operators."""
        _, height, width, depth = self.shape
        block, kernel = [self.integer(2, 3), self.integer(1, 3)], [self.integer(1, 3), self.integer(1, 3)]
        before = [self.integer(0, 2), self.integer(0, 2)]
        padding = [[b, -(n + b) % block[i] + block[i] * self.integer(0, 1)] for i, (n, b) in enumerate(zip((height, width), before))]
        padded = [n + sum(p) for n, p in zip((height, width), padding)]
        phase = [n // b for n, b in zip(padded, block)]
        if any(k > n for k, n in zip(kernel, phase)):
            return self.conv_2d()
        self.no_tflm = True
        batch, filters, x = block[0] * block[1], self.integer(1, 6), self.current
        self.shape = (batch, *phase, depth)
        self.add("SPACE_TO_BATCH_ND", [x, self.integers(block), self.integers(padding)], None, "SpaceToBatchNDOptions")
        x = self.current
        inputs = self.weights((filters, *kernel, depth), kernel[0] * kernel[1] * depth, filters, 0)
        out = [n - k + 1 for n, k in zip(phase, kernel)]
        self.shape = (batch, *out, filters)
        self.add("CONV_2D", [x, *inputs], None, "Conv2DOptions", padding=1, strideH=1, strideW=1, fusedActivationFunction=self.fused())
        crops = [[self.integer(0, min(p[0], 1)), self.integer(0, min(p[1], 1))] for p in padding]
        full = [n * b - sum(c) for n, b, c in zip(out, block, crops)]
        if min(full) < 1:
            crops, full = [[0, 0], [0, 0]], [n * b for n, b in zip(out, block)]
        x = self.current
        self.shape = (1, *full, filters)
        self.add("BATCH_TO_SPACE_ND", [x, self.integers(block), self.integers(crops)], None, "BatchToSpaceNDOptions")

    def shape_arithmetic(self):
        """A flattening as Keras leaves it behind."""
        rest = int(np.prod(self.shape[1:]))
        x, rank = self.current, len(self.shape)
        shape = self.tensor(Tensor((rank,), dtype="int32"))
        self.add("SHAPE", [x], [shape], "ShapeOptions", outType=schema.TensorType.INT32)
        batch = self.tensor(Tensor((), dtype="int32"))
        self.add("STRIDED_SLICE", [shape, self.integers([0]), self.integers([1]), self.integers([1])], [batch], "StridedSliceOptions", shrinkAxisMask=1)
        target = self.tensor(Tensor((2,), dtype="int32"))
        self.add("PACK", [batch, self.integers(rest)], [target], "PackOptions", valuesCount=2, axis=0)
        self.shape = (1, rest)
        self.add("RESHAPE", [x, target], None, "ReshapeOptions")

    IMAGE = ("conv_2d", "depthwise_conv_2d", "transpose_conv", "pool", "resize", "dilated", "conv_2d", "depthwise_conv_2d")
    ANY = ("fully_connected", "elementwise", "mean", "pad", "concatenation", "reshape", "transpose", "strided_slice", "split", "slice", "split_v", "softmax", "logistic",
           "tanh", "relu", "leaky_relu", "elu", "hard_swish", "quantize", "elementwise", "shape_arithmetic")

    def grow(self):
        """One more random operator."""
        choices = [*self.ANY, *(self.IMAGE if len(self.shape) == 4 else ())]
        if len(self.shape) == 4 and self.choice(True, False):
            choices = self.IMAGE
        size = int(np.prod(self.shape))
        names = [name for name in choices if not (size > 4000 and name in ("concatenation", "pad", "resize", "transpose_conv"))]
        # One axis beside the batch leaves little to do; of the batch itself nothing is left to take.
        names = [name for name in names if len(self.shape) > 1]
        getattr(self, self.choice(*names))()


def random_model(rng):
    rank = int(rng.choice([2, 3, 4, 4, 4, 4]))
    shape = (1, *(int(n) for n in rng.integers(1, 13, rank - 1)))
    if rank == 2:
        shape = (1, int(rng.integers(1, 200)))
    floats = rng.random() < 0.1
    model = Model(rng, shape, "float32" if floats else "int8")
    if floats:
        model.add("QUANTIZE", [model.current], None, "QuantizeOptions")
    for _ in range(int(rng.integers(1, 6))):
        if getattr(model, "no_more", False) or len(model.shape) < 2:
            break
        model.grow()
    if floats or rng.random() < 0.05:
        model.add("DEQUANTIZE", [model.current], [model.tensor(Tensor(model.shape, dtype="float32"))], "DequantizeOptions")
    return model


def random_inputs(rng, model, count):
    shape = model.input_shape[1:]
    if model.tensors[model.input].type == TYPES["float32"]:
        return rng.uniform(-160, 160, (count, *shape)).astype(np.float32) * np.float32(model.input_scale)
    uniform = rng.integers(-128, 128, (count, *shape))
    calm = np.clip(rng.normal(model.integer(-60, 60), 20, (count, *shape)), -128, 127).astype(int)
    return np.where((np.arange(count) % 2 == 0).reshape(-1, *[1] * len(shape)), uniform, calm).astype(np.int8)


# Keras -----------------------------------------------------------------------------------------------------------------


def keras_models():
    """Builders of small Keras models, two or more to each construct, as functions of a random generator."""
    import keras

    L = keras.layers

    def image(rng, depth=None):
        return keras.Input((int(rng.integers(6, 16)), int(rng.integers(6, 16)), depth or int(rng.integers(1, 6))))

    def n(rng, low, high):
        return int(rng.integers(low, high + 1))

    def squeeze_excite(rng):
        x = inputs = image(rng)
        x = L.Conv2D(6, 3, padding="same", activation="relu6")(x)
        s = L.GlobalAveragePooling2D(keepdims=bool(rng.integers(2)))(x)
        s = L.Reshape((1, 1, 6))(s)
        s = L.Conv2D(3, 1, activation="relu")(s)
        s = L.Conv2D(6, 1, activation="sigmoid")(s)
        return inputs, L.Multiply()([x, s])

    def temporal(rng):
        x = inputs = keras.Input((n(rng, 12, 30), n(rng, 1, 5)))
        for dilation in (1, 2, 4):
            x = L.Conv1D(n(rng, 2, 6), n(rng, 2, 3), dilation_rate=dilation, padding=["same", "causal", "valid"][n(rng, 0, 2)], activation="relu")(x)
        return inputs, L.Dense(4, activation="softmax")(L.GlobalAveragePooling1D()(x))

    def decoder(rng):
        x = inputs = image(rng)
        x = L.Conv2D(4, 3, strides=2, padding="same", activation="relu")(x)
        x = L.Conv2DTranspose(n(rng, 2, 5), n(rng, 2, 4), strides=2, padding=["same", "valid"][n(rng, 0, 1)])(x)
        x = keras.ops.image.resize(L.LeakyReLU()(x), (n(rng, 8, 20), n(rng, 8, 20)), interpolation="nearest")
        return inputs, L.Conv2D(1, 3, padding="same", activation="tanh")(x)

    def swish(rng):
        x = inputs = image(rng)
        x = L.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
        x = L.Activation("hard_swish")(L.BatchNormalization()(x))
        x = L.DepthwiseConv2D(n(rng, 2, 5), padding="same", depth_multiplier=n(rng, 1, 2))(x)
        x = L.Activation("hard_swish")(x)
        return inputs, L.Dense(n(rng, 1, 5))(L.Flatten()(L.AveragePooling2D(2)(x)))

    def branches(rng):
        x = inputs = image(rng, 4)
        a, b = keras.ops.split(x, 2, axis=-1)
        a = L.SeparableConv2D(3, 3, padding="same")(a)
        b = L.Permute((2, 1, 3))(L.Permute((2, 1, 3))(L.MaxPooling2D(2, 1, "same")(b)))
        x = L.Concatenate()([a, b, L.Conv2D(2, 1)(x)])
        return inputs, L.ZeroPadding2D(((1, 0), (0, 2)))(x[:, 1:-1, ::2, :])

    def dense_rows(rng):
        x = inputs = keras.Input((n(rng, 3, 8), n(rng, 3, 8)))
        x = L.Dense(n(rng, 3, 8), activation="relu")(x)
        y = L.Dense(x.shape[-1], activation="sigmoid")(x)
        return inputs, L.Softmax()(L.Subtract()([x, y]))

    def sums(rng):
        x = inputs = image(rng)
        if rng.integers(2):
            x = keras.ops.sum(L.Conv2D(5, 3)(x), axis=(1, 2))
        else:
            x = L.Conv2D(5, n(rng, 1, 2), dilation_rate=n(rng, 2, 3), padding=["same", "valid"][n(rng, 0, 1)])(x)
            x = keras.ops.mean(x, axis=3)
        return inputs, L.Dense(3)(L.Flatten()(x))

    def residual(rng):
        x = inputs = image(rng, 6)
        y = L.Conv2D(6, 3, padding="same")(x)
        x = L.ReLU(6)(L.Add()([x, L.BatchNormalization()(y)]))
        y = L.Activation("tanh")(L.DepthwiseConv2D(3, padding="same", dilation_rate=2)(x))
        return inputs, L.GlobalAveragePooling2D()(L.Add()([x, y])) if rng.integers(2) else L.Add()([x, y])

    return [squeeze_excite, temporal, decoder, swish, branches, dense_rows, sums, residual]


def keras_model(rng, build):
    import keras

    keras.utils.set_random_seed(int(rng.integers(1 << 31)))
    inputs, outputs = build(rng)
    model = keras.Model(inputs, outputs)
    for weight in model.weights:
        if "variance" in weight.path:
            weight.assign(rng.uniform(0.3, 2, weight.shape))
        elif weight.ndim if hasattr(weight, "ndim") else len(weight.shape) == 1:
            weight.assign(weight.numpy() + rng.normal(0, 0.2, weight.shape))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([rng.normal(0, 1, (1, *inputs.shape[1:])).astype(np.float32)] for _ in range(30))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    shape = tuple(inputs.shape[1:])
    uniform = rng.integers(-128, 128, (8, *shape)).astype(np.int8)
    return converter.convert(), uniform


def operators(model):
    graph = schema.ModelT.InitFromPackedBuf(model, 0)
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in graph.operatorCodes]
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    return {names[codes[operator.opcodeIndex]] for operator in graph.subgraphs[0].operators}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keras", action="store_true")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    builders = keras_models() if arguments.keras else None
    made = refused = 0
    for index in range(arguments.count):
        # TFLite-Micro aborts on models that it does not like: each has a process of its own.
        child = os.fork()
        if child == 0:
            try:
                code = 0 if make(arguments, index, builders) else 3
            except Exception as error:
                print(f"model {index}: {error!r}", file=sys.stderr)
                code = 1
            sys.stderr.flush()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        made += status == 0
        refused += status != 0
    print(f"{made} models, {refused} that no interpreter answers for")


def make(arguments, index, builders):
    """Makes one model; `False` if no interpreter answers for it."""
    rng = np.random.default_rng([arguments.seed, index, int(arguments.keras)])
    if arguments.keras:
        build = builders[index % len(builders)]
        content, inputs = keras_model(rng, build)
        used = operators(content)
        no_tf, no_tflm = "SUM" in used, "SPACE_TO_BATCH_ND" in used
        name = f"keras-{build.__name__}-{arguments.seed}-{index}"
    else:
        model = random_model(rng)
        content, inputs = model.bytes(), random_inputs(rng, model, 8)
        no_tf, no_tflm, name = model.no_tf, model.no_tflm, f"random-{arguments.seed}-{index}"
    fields = {"input": inputs}
    if not no_tf and (output := run_tensorflow(content, inputs)) is not None:
        fields["output"] = output
        save(arguments.folder / name, content, fields)
    if not no_tflm and (output := run_micro(content, inputs)) is not None:
        fields["output_tflm"] = output
        save(arguments.folder / name, content, fields)
    return len(fields) > 1


def save(path, content, fields):
    """The vectors first: a process that dies leaves no model without them."""
    np.savez_compressed(path.with_suffix(".npz"), **fields)
    path.with_suffix(".tflite").write_bytes(content)


if __name__ == "__main__":
    main()
