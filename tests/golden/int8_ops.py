"""Golden vectors of the int8 kernels: one `<operator>.npz` per operator, and `requantize.npz`.

    python3 int8_ops.py             write every .npz beside this script (same bytes each time)
    python3 int8_ops.py add mean    write these only
    python3 int8_ops.py --check     recompute every output from the fields of the .npz alone (`reference.py`)

Needs tensorflow-cpu 2.21, tflite_micro and numpy; README.md names the versions used.

Fields are named `{case:02d}.{field}`:

    input                  int8, NHWC (or NC), batch of 4 first; `input0`, `input1`, .. for several inputs
    weights                int8, zero point 0: conv2d OHWI, depthwise_conv2d 1HWC, fully_connected OI
    bias                   int32, scale input_scale * weight_scales[c]
    input_scale, output_scale, input_zero_point, output_zero_point
                           float32 and int32 scalars; `input0_scale`, `input1_scale`, .. for several inputs
    weight_scales          float32, one value or one per output channel
    alpha                  float32 scalar, leaky_relu only
    attributes             int32 vector, see below
    output_tflm            int8, TFLite-Micro's reference kernels; relu6 has it only where no rescaling is needed
    output_tflite          int8, TensorFlow's reference kernels (BUILTIN_REF)

Order of `attributes` (absent where an operator is not listed); padding: 0 valid, 1 same; activation: 0 none, 1 relu, 2 relu6:

    conv2d, depthwise_conv2d      stride_h, stride_w, dilation_h, dilation_w, padding, activation, depth_multiplier
    max_pool2d, average_pool2d    filter_h, filter_w, stride_h, stride_w, padding, activation
    fully_connected, add, sub, mul    activation
    mean                          keep_dims (over H and W)
    pad                           before and after: top, bottom, left, right, front, back (of H, W, C)
    concatenation                 axis

`requantize.npz` holds plain columns of int32: accumulator, multiplier, shift (a positive shift is to the left), and the
results double_rounding (gemmlowp, as TFLite-Micro and CMSIS-NN) and single_rounding, neither with zero point or clamp.
"""

import argparse
import zlib
from pathlib import Path

import numpy as np

import oracle
import reference
from oracle import Tensor, constant

HERE = Path(__file__).resolve().parent
BATCH = 4
CASES = 24
MORE_CASES = {"conv2d": 32, "depthwise_conv2d": 32, "fully_connected": 40}
SIGMA = 73.9  # standard deviation of a uniform int8


# Random quantisation -------------------------------------------------------------------------------------------------


def scale(rng, low=0.002, high=0.2):
    return np.float32(np.exp(rng.uniform(np.log(low), np.log(high))))


def zero_point(rng, case):
    """Of nine cases, two at the ends of the range and one in the middle."""
    return {0: -128, 3: 127, 6: 0}.get(case % 9, int(rng.integers(-128, 128)))


def activation_of(case):
    """None where `ties` makes the cases, as these need negative values."""
    return 0 if ties(case) else (case + case // 3) % 3


def ties(case):
    """One case in eight has powers of two for scales: many results end in one half and show how halves are rounded."""
    return case % 8 == 3


def power_of_two(value):
    return np.float32(2.0 ** np.rint(np.log2(value)))


def output_quantization(rng, case, activation):
    """With relu6 the scale is such that 6 lies inside the int8 range or near its end."""
    if activation == 2:
        return np.float32(6 / 255 * rng.uniform(0.6, 3)), int(rng.integers(-128, 0))
    return scale(rng), zero_point(rng, case + 4 + case // 9)


def int8(rng, *shape):
    return rng.integers(-128, 128, shape, dtype=np.int8)


def every_int8(rng):
    """All 256 values in random order."""
    return rng.permutation(np.arange(-128, 128)).astype(np.int8).reshape(BATCH, 8, 8, 1)


def spread(case):
    """Standard deviation of the output, in its units: moderate, wide (saturates), narrow."""
    return {2: 300, 5: 6, 10: 150}.get(case % 12, 50)


def accumulator_scales(rng, case, fan_in, input_zero, channels, per_channel):
    """Bias, and the ratio of accumulator unit to output unit for each channel."""
    rms = np.sqrt(fan_in) * SIGMA * np.hypot(SIGMA, input_zero)
    ratios = spread(case) / rms * rng.uniform(0.4, 2.5, channels if per_channel else 1)
    bias = np.rint(rng.normal(0, rms * rng.uniform(0.2, 2), channels)).astype(np.int32)
    if case % 8 == 6:
        bias[0] = (1 << 30) * (-1) ** (case // 8)
    return bias, ratios


def weighted(rng, case, shape, axis, fan_in, input_zero, per_channel):
    """Weights, bias and the ratios of accumulator to output unit; one case in four has small weights and great ratios."""
    channels = shape[axis]
    weights = rng.integers(-127, 128, shape, dtype=np.int8)
    if case % 4 != 3:
        return weights, *accumulator_scales(rng, case, fan_in, input_zero, channels, per_channel)
    weights = np.sign(weights) * rng.integers(0, 2, shape, dtype=np.int8)
    ratios = rng.uniform(0.9, 2.5, channels if per_channel else 1)
    if ties(case):
        ratios = power_of_two(ratios / rng.integers(4, 64, ratios.shape))
    return weights, np.rint(rng.normal(0, 50 / ratios.min(), channels)).astype(np.int32), ratios


def layer_quantization(rng, case, activation):
    """Input and output of a layer with weights; powers of two where `weighted` chooses such ratios."""
    input_q = scale(rng), zero_point(rng, case)
    output_q = output_quantization(rng, case, activation)
    if ties(case):
        return (power_of_two(input_q[0]), input_q[1]), (power_of_two(output_q[0]), output_q[1])
    return input_q, output_q


# Cases: each function returns the fields of one case and the model ---------------------------------------------------


def unary(fields, name, output_shape, options_name=None, inputs=(), **options):
    """The model of an operator with one variable input."""
    source = Tensor(fields["input"].shape, [fields["input_scale"]], fields["input_zero_point"])
    output = Tensor(output_shape, [fields["output_scale"]], fields["output_zero_point"])
    return fields, oracle.single_operator(name, [source, *inputs], output, options_name, **options)


def quantized_fields(data, input_q, output_q):
    return {
        "input": data,
        "input_scale": np.float32(input_q[0]),
        "input_zero_point": np.int32(input_q[1]),
        "output_scale": np.float32(output_q[0]),
        "output_zero_point": np.int32(output_q[1]),
    }


def window(rng, case, dilated):
    """Kernel, stride, dilation, padding and input size of one convolution or pooling."""
    kernel = {0: np.array([3, 3]), 9: np.array([7, 2])}.get(case, rng.integers(1, 5, 2))
    stride = np.array([1 + case % 3, 1 + (case // 3 + case) % 3])
    dilation = np.array([1, 1])
    if dilated and case % 5 == 4:
        kernel, stride, dilation = rng.integers(2, 4, 2), np.array([1, 1]), rng.integers(1, 4, 2)
    padding = (case // 2) % 2
    extent = (kernel - 1) * dilation + 1
    size = extent * (1 - padding) + rng.integers(1 + 2 * padding, 6 + padding, 2)
    same, valid = -(-size // stride), (size - extent) // stride + 1
    return kernel, stride, dilation, padding, size, same if padding else valid


def bias_tensor(bias, input_scale, weight_scales):
    return constant(bias, np.float32(input_scale) * weight_scales)


def convolution_options(stride, dilation, padding, activation):
    return {
        "strideH": int(stride[0]),
        "strideW": int(stride[1]),
        "dilationHFactor": int(dilation[0]),
        "dilationWFactor": int(dilation[1]),
        "padding": 1 - padding,  # the schema's order: SAME, VALID
        "fusedActivationFunction": (0, 1, 3)[activation],
    }


def convolution(rng, case, depthwise):
    kernel, stride, dilation, padding, size, output_size = window(rng, case, dilated=True)
    activation = activation_of(case)
    inputs = int(rng.integers(1, 6))
    multiplier = 1 + case % 4 if depthwise else 1
    outputs = inputs * multiplier if depthwise else int(rng.integers(1, 9))
    input_q, output_q = layer_quantization(rng, case, activation)
    shape, axis = ((1, *kernel, outputs), 3) if depthwise else ((outputs, *kernel, inputs), 0)
    fan_in = np.prod(kernel) * (1 if depthwise else inputs)
    weights, bias, ratios = weighted(rng, case, shape, axis, fan_in, input_q[1], per_channel=case % 6 != 1)
    weight_scales = (ratios * output_q[0] / input_q[0]).astype(np.float32)
    fields = quantized_fields(int8(rng, BATCH, *size, inputs), input_q, output_q) | {
        "weights": weights,
        "bias": bias,
        "weight_scales": weight_scales,
        "attributes": np.int32([*stride, *dilation, padding, activation, multiplier]),
    }
    name, extra = ("DEPTHWISE_CONV_2D", {"depthMultiplier": multiplier}) if depthwise else ("CONV_2D", {})
    options = convolution_options(stride, dilation, padding, activation) | extra
    constants = [constant(weights, weight_scales, axis), bias_tensor(bias, input_q[0], weight_scales)]
    options_name = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
    return unary(fields, name, (BATCH, *output_size, outputs), options_name, constants, **options)


def conv2d(rng, case):
    return convolution(rng, case, depthwise=False)


def depthwise_conv2d(rng, case):
    return convolution(rng, case, depthwise=True)


def fully_connected(rng, case):
    inputs, outputs = int(rng.integers(1, 57)), int(rng.integers(1, 33))
    activation = activation_of(case)
    input_q, output_q = layer_quantization(rng, case, activation)
    weights, bias, ratios = weighted(rng, case, (outputs, inputs), 0, inputs, input_q[1], per_channel=case % 2)
    weight_scales = (ratios * output_q[0] / input_q[0]).astype(np.float32)
    fields = quantized_fields(int8(rng, BATCH, inputs), input_q, output_q) | {
        "weights": weights,
        "bias": bias,
        "weight_scales": weight_scales,
        "attributes": np.int32([activation]),
    }
    constants = [constant(weights, weight_scales, 0), bias_tensor(bias, input_q[0], weight_scales)]
    options = {"fusedActivationFunction": (0, 1, 3)[activation]}
    return unary(fields, "FULLY_CONNECTED", (BATCH, outputs), "FullyConnectedOptions", constants, **options)


def pool(rng, case, name):
    kernel, stride, _, padding, size, output_size = window(rng, case, dilated=False)
    channels, activation = int(rng.integers(1, 6)), activation_of(case)
    quantization = output_quantization(rng, case, activation)
    fields = quantized_fields(int8(rng, BATCH, *size, channels), quantization, quantization) | {
        "attributes": np.int32([*kernel, *stride, padding, activation]),
    }
    options = {
        "filterHeight": int(kernel[0]),
        "filterWidth": int(kernel[1]),
        "strideH": int(stride[0]),
        "strideW": int(stride[1]),
        "padding": 1 - padding,
        "fusedActivationFunction": (0, 1, 3)[activation],
    }
    return unary(fields, name, (BATCH, *output_size, channels), "Pool2DOptions", **options)


def max_pool2d(rng, case):
    return pool(rng, case, "MAX_POOL_2D")


def average_pool2d(rng, case):
    return pool(rng, case, "AVERAGE_POOL_2D")


def binary(rng, case, name, options_name, real_sigma):
    """Two inputs of equal shape; `real_sigma(s0, z0, s1, z1)` is the standard deviation of the real output."""
    activation = activation_of(case)
    shape = (BATCH, *rng.integers(2, 6, 3))
    first, second = (scale(rng), zero_point(rng, case)), (scale(rng), zero_point(rng, case + 1 + case // 9))
    output_q = output_quantization(rng, case, activation)
    if activation == 2:  # keep the output scale, move the inputs
        shrink = spread(case) * output_q[0] / real_sigma(*first, *second)
        first = np.float32(first[0] * shrink), first[1]
        if name != "MUL":
            second = np.float32(second[0] * shrink), second[1]
    else:
        output_q = np.float32(real_sigma(*first, *second) / spread(case)), output_q[1]
    if case % 4 == 3:  # exact ratios
        first, second, output_q = ((power_of_two(q[0]), q[1]) for q in (first, second, output_q))
    fields = {
        "input0": int8(rng, *shape),
        "input1": int8(rng, *shape),
        "input0_scale": first[0],
        "input0_zero_point": np.int32(first[1]),
        "input1_scale": second[0],
        "input1_zero_point": np.int32(second[1]),
        "output_scale": output_q[0],
        "output_zero_point": np.int32(output_q[1]),
        "attributes": np.int32([activation]),
    }
    inputs = [Tensor(shape, [first[0]], first[1]), Tensor(shape, [second[0]], second[1])]
    output = Tensor(shape, [output_q[0]], output_q[1])
    options = {"fusedActivationFunction": (0, 1, 3)[activation]}
    return fields, oracle.single_operator(name, inputs, output, options_name, **options)


def sum_sigma(s0, z0, s1, z1):
    return np.hypot(s0 * np.hypot(SIGMA, z0), s1 * np.hypot(SIGMA, z1))


def product_sigma(s0, z0, s1, z1):
    return s0 * np.hypot(SIGMA, z0) * s1 * np.hypot(SIGMA, z1)


def add(rng, case):
    return binary(rng, case, "ADD", "AddOptions", sum_sigma)


def sub(rng, case):
    return binary(rng, case, "SUB", "SubOptions", sum_sigma)


def mul(rng, case):
    return binary(rng, case, "MUL", "MulOptions", product_sigma)


def softmax(rng, case):
    classes = (10, 2, 12, 3, 100, 5, 1, 20)[case % 8]
    quantization = scale(rng, 0.002, 1), zero_point(rng, case)
    fields = quantized_fields(int8(rng, BATCH, classes), quantization, (1 / 256, -128))
    return unary(fields, "SOFTMAX", (BATCH, classes), "SoftmaxOptions", beta=1.0)


def elementwise(rng, case, name, output_q, input_scale=None, **options):
    """One input holding every int8 value once."""
    data = every_int8(rng)
    input_q = input_scale or scale(rng), zero_point(rng, case)
    return unary(quantized_fields(data, input_q, output_q or input_q), name, data.shape, **options)


def logistic(rng, case):
    return elementwise(rng, case, "LOGISTIC", (1 / 256, -128), scale(rng, 0.004, 0.4))


def tanh(rng, case):
    return elementwise(rng, case, "TANH", (1 / 128, 0), scale(rng, 0.004, 0.4))


def rescaled(rng, case, input_scale):
    """An output quantisation of its own in two cases of three, else the input's; its scale at times a simple fraction."""
    if case % 3 == 2:
        return None
    ratio = (2, 0.5, 4, 1)[case // 4 % 4] if case % 4 == 0 else rng.uniform(0.3, 2)
    return np.float32(input_scale * ratio), zero_point(rng, case + 4 + case // 9)


def relu(rng, case):
    input_scale = scale(rng)
    return elementwise(rng, case, "RELU", rescaled(rng, case, input_scale), input_scale)


def relu6(rng, case):
    input_scale = np.float32(6 / 255 * rng.uniform(0.6, 4))
    output_q = rescaled(rng, case, input_scale)
    return elementwise(rng, case, "RELU6", output_q, input_scale)


def leaky_relu(rng, case):
    input_scale = scale(rng)
    alpha = np.float32((0.1, 0.01, 0.3, 0.2, 0.0, 1.5, rng.uniform(0, 1), rng.uniform(0, 0.3))[case % 8])
    output_q = rescaled(rng, case, input_scale)
    options = {"options_name": "LeakyReluOptions", "alpha": float(alpha)}
    fields, model = elementwise(rng, case, "LEAKY_RELU", output_q, input_scale, **options)
    return fields | {"alpha": alpha}, model


def hard_swish(rng, case):
    input_scale = scale(rng, 0.01, 0.1)
    return elementwise(rng, case, "HARD_SWISH", rescaled(rng, case, input_scale), input_scale)


def elu(rng, case):
    input_scale = scale(rng)
    return elementwise(rng, case, "ELU", rescaled(rng, case, input_scale), input_scale)


def mean(rng, case):
    shape = (BATCH, *rng.integers(1, 9, 2), int(rng.integers(4, 17)))
    keep = case % 2
    input_scale = scale(rng)
    input_q = input_scale, zero_point(rng, case)
    output_q = rescaled(rng, case, input_scale * rng.uniform(0.3, 1)) or input_q
    fields = quantized_fields(int8(rng, *shape), input_q, output_q) | {"attributes": np.int32([keep])}
    output_shape = (BATCH, 1, 1, shape[3]) if keep else (BATCH, shape[3])
    axes = [constant(np.int32([1, 2]))]
    return unary(fields, "MEAN", output_shape, "ReducerOptions", axes, keepDims=bool(keep))


def pad(rng, case):
    shape = np.array([BATCH, *rng.integers(1, 7, 3)])
    amounts = rng.integers(0, 4, (3, 2))
    if case % 2:
        amounts[2] = 0
    quantization = scale(rng), zero_point(rng, case)
    fields = quantized_fields(int8(rng, *shape), quantization, quantization) | {"attributes": np.int32(amounts.ravel())}
    paddings = np.concatenate([[[0, 0]], amounts]).astype(np.int32)
    return unary(fields, "PAD", tuple(shape + paddings.sum(1)), "PadOptions", [constant(paddings)])


def concatenation(rng, case):
    count, axis = 2 + case % 3, 1 + (case // 3) % 3
    quantization = scale(rng), zero_point(rng, case)
    shapes = [np.array([BATCH, *rng.integers(1, 6, 3)])] * count
    shapes = [np.where(np.arange(4) == axis, rng.integers(1, 6), shape) for shape in shapes]
    fields = {f"input{index}": int8(rng, *shape) for index, shape in enumerate(shapes)}
    for tensor in [*fields, "output"]:
        fields[f"{tensor}_scale"], fields[f"{tensor}_zero_point"] = quantization[0], np.int32(quantization[1])
    fields["attributes"] = np.int32([axis])
    output_shape = np.where(np.arange(4) == axis, sum(shape[axis] for shape in shapes), shapes[0])
    inputs = [Tensor(tuple(shape), [quantization[0]], quantization[1]) for shape in shapes]
    output = Tensor(tuple(output_shape), [quantization[0]], quantization[1])
    return fields, oracle.single_operator("CONCATENATION", inputs, output, "ConcatenationOptions", axis=axis)


OPERATORS = [
    conv2d, depthwise_conv2d, fully_connected, max_pool2d, average_pool2d, add, softmax, logistic, tanh, relu, relu6,
    leaky_relu, hard_swish, elu, mean, sub, mul, pad, concatenation,
]  # fmt: skip


# Writing -------------------------------------------------------------------------------------------------------------


def inputs_of(fields):
    return [fields[name] for name in ("input", "input0", "input1", "input2", "input3") if name in fields]


def answer(run, model, inputs):
    """The oracle's output, or None if it refuses the model."""
    try:
        return run(model, inputs)
    except (RuntimeError, ValueError) as error:
        print("    refused:", str(error).strip().splitlines()[0][:100])
        return None


def write_operator(operator):
    arrays, differing = {}, {}
    for case in range(MORE_CASES.get(operator.__name__, CASES)):
        rng = np.random.default_rng([zlib.crc32(operator.__name__.encode()), case])
        fields, model = operator(rng, case)
        oracles = {"output_tflm": oracle.run_tflm, "output_tflite": oracle.run_tflite}
        outputs = {name: answer(run, model, inputs_of(fields)) for name, run in oracles.items()}
        if operator is relu6 and case % 3 != 2:
            outputs["output_tflm"] = None  # clamps without rescaling: wrong unless both quantisations are the same
        fields |= {name: output for name, output in outputs.items() if output is not None}
        arrays |= {f"{case:02d}.{name}": value for name, value in fields.items()}
        if all(output is not None for output in outputs.values()):
            error = np.abs(outputs["output_tflm"].astype(int) - outputs["output_tflite"])
            if error.any():
                differing[case] = f"{case}: {np.count_nonzero(error)}/{error.size}, {error.max()}"
    save(operator.__name__, arrays)
    print("    differ:", "; ".join(differing.values()) or "none")


def save(name, arrays):
    path = HERE / f"{name}.npz"
    np.savez_compressed(path, **arrays)
    print(f"{path.name}: {path.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description="Golden vectors of the int8 kernels.")
    parser.add_argument("operators", nargs="*")
    parser.add_argument("--check", action="store_true", help="recompute the outputs from the files alone")
    arguments = parser.parse_args()
    if arguments.check:
        reference.check(HERE, arguments.operators or [operator.__name__ for operator in OPERATORS])
        return
    for operator in OPERATORS:
        if not arguments.operators or operator.__name__ in arguments.operators:
            write_operator(operator)
    if not arguments.operators or "requantize" in arguments.operators:
        save("requantize", reference.requantize_rows(np.random.default_rng(7)))


if __name__ == "__main__":
    main()
