"""Single-operator .tflite models, and the two interpreters that answer for them.

A model is written with the flatbuffer object API, so that every shape, scale, zero point and option is the caller's choice.

* `run_tflite`: TensorFlow's interpreter with its reference kernels (`OpResolverType.BUILTIN_REF`), no delegates.
* `run_tflm`: TFLite-Micro's interpreter with its reference kernels (PyPI `tflite_micro`).
"""

import os
from dataclasses import dataclass, field

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import flatbuffers
import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema
from tflite_micro import runtime

TYPES = {"int8": schema.TensorType.INT8, "int32": schema.TensorType.INT32}


@dataclass
class Tensor:
    """One tensor: `scales` holds one value, or one per index of dimension `axis`; `data` only for constants."""

    shape: tuple
    scales: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    zero_point: int = 0
    axis: int = 0
    data: np.ndarray | None = None
    dtype: str = "int8"


def constant(data, scales=(), axis=0):
    """A constant tensor with zero point 0."""
    return Tensor(data.shape, np.asarray(scales, np.float32), 0, axis, data, data.dtype.name)


def _quantization(tensor):
    parameters = schema.QuantizationParametersT()
    parameters.scale = [float(scale) for scale in tensor.scales]
    parameters.zeroPoint = [int(tensor.zero_point)] * len(tensor.scales)
    parameters.quantizedDimension = tensor.axis
    return parameters


def _tensor(tensor, index, buffers):
    result = schema.TensorT()
    result.name = f"t{index}".encode()
    result.shape = [int(size) for size in tensor.shape]
    result.type = TYPES[tensor.dtype]
    result.buffer = 0
    if len(tensor.scales):
        result.quantization = _quantization(tensor)
    if tensor.data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(tensor.data.tobytes(), np.uint8)
        result.buffer = len(buffers)
        buffers.append(buffer)
    return result


def single_operator(name, inputs, output, options_name=None, **options):
    """The bytes of a model of one operator; inputs without data become the model's inputs, in their order."""
    buffers = [schema.BufferT()]
    tensors = [_tensor(tensor, index, buffers) for index, tensor in enumerate([*inputs, output])]

    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
    code.version = 1

    operator = schema.OperatorT()
    operator.inputs = list(range(len(inputs)))
    operator.outputs = [len(inputs)]
    if options_name:
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, options_name)
        operator.builtinOptions = getattr(schema, options_name + "T")()
        for key, value in options.items():
            assert hasattr(operator.builtinOptions, key), key
            setattr(operator.builtinOptions, key, value)

    graph = schema.SubGraphT()
    graph.tensors = tensors
    graph.operators = [operator]
    graph.inputs = [index for index, tensor in enumerate(inputs) if tensor.data is None]
    graph.outputs = [len(inputs)]

    model = schema.ModelT()
    model.version = 3
    model.operatorCodes = [code]
    model.subgraphs = [graph]
    model.buffers = buffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def run_tflite(model, inputs):
    """The int8 output of TensorFlow's reference kernels."""
    interpreter = tf.lite.Interpreter(
        model_content=model,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
        num_threads=1,
    )
    interpreter.allocate_tensors()
    for details, data in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(details["index"], data)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def run_tflm(model, inputs):
    """The int8 output of TFLite-Micro's reference kernels."""
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=1 << 20)
    for index, data in enumerate(inputs):
        interpreter.set_input(data, index)
    interpreter.invoke()
    return interpreter.get_output(0)
