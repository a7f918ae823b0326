"""The arithmetic behind the golden vectors, in numpy and Python integers, from the fields of the .npz files alone.

`check` recomputes the outputs of every case; `requantize_rows` makes `requantize.npz`.
All integers are int64 holding int32 values; "Qm.n" means m integer and n fraction bits.
"""

import math

import numpy as np

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1

# Fixed point -----------------------------------------------------------------------------------------------------------


def round_half_away(value):
    """C's round()."""
    return np.trunc(value + np.copysign(0.5, value)) if abs(value) < 1 << 52 else value


def quantize_multiplier(real):
    """`real` = multiplier * 2^(shift - 31) with a multiplier in [2^30, 2^31), or (0, 0)."""
    fraction, shift = math.frexp(float(real))
    multiplier = int(round_half_away(fraction * (1 << 31)))
    if multiplier == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def high_mul(a, b):
    """gemmlowp SaturatingRoundingDoublingHighMul: a * b / 2^31, ties upwards; only INT32_MIN^2 saturates."""
    return np.minimum((np.int64(a) * np.int64(b) + (1 << 30)) >> 31, INT32_MAX)


def divide_by_power(value, exponent):
    """gemmlowp RoundingDivideByPOT: value / 2^exponent, ties away from zero."""
    half = (1 << exponent) >> 1
    return np.sign(value) * ((np.abs(np.int64(value)) + half) >> exponent)


def shift_left(value, amount):
    """gemmlowp SaturatingRoundingMultiplyByPOT for amount >= 0."""
    return np.clip(np.int64(value) << amount, INT32_MIN, INT32_MAX)


def double_rounding(value, multiplier, shift):
    """MultiplyByQuantizedMultiplier as TFLite-Micro and CMSIS-NN have it by default."""
    return divide_by_power(high_mul(np.int64(value) << max(shift, 0), multiplier), max(-shift, 0))


def single_rounding(value, multiplier, shift):
    """The same with TFLITE_SINGLE_ROUNDING: one rounding, ties upwards."""
    return (np.int64(value) * np.int64(multiplier) + (1 << (30 - shift))) >> (31 - shift)


def exp_of_quarter(a):
    """gemmlowp exp_on_interval_between_negative_one_quarter_and_0_excl, Q0.31."""
    constant, third = 1895147668, 715827883  # exp(-1/8), 1/3
    x = a + (1 << 28)
    x2 = high_mul(x, x)
    x3, x4 = high_mul(x2, x), high_mul(x2, x2)
    tail = divide_by_power(high_mul(divide_by_power(x4, 2) + x3, third) + x2, 1)
    return constant + high_mul(constant, x + tail)


def exp_of_negative(a, integer_bits):
    """gemmlowp exp_on_negative_values: Qm.n <= 0 to Q0.31."""
    quarter = 1 << (29 - integer_bits)
    remainder_of_quarter = (a & (quarter - 1)) - quarter
    result = exp_of_quarter(shift_left(remainder_of_quarter, integer_bits))
    remainder = remainder_of_quarter - a
    factors = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)  # exp(-1/4), exp(-1/2), .. exp(-16)
    for index, factor in enumerate(factors[: integer_bits + 2]):
        result = np.where(remainder & (quarter << index), high_mul(result, factor), result)
    return np.where(a == 0, INT32_MAX, result)


def newton_reciprocal(a):
    """2 / (1 + a) in Q2.29 for a in Q0.31, 0 <= a < 1: three Newton steps."""
    half_denominator = (a + INT32_MAX + 1) >> 1
    x = 1515870810 + high_mul(half_denominator, -1010580540)  # 48/17 - 32/17 d
    for _ in range(3):
        x = x + shift_left(high_mul(x, (1 << 29) - high_mul(half_denominator, x)), 2)
    return x


def one_over_one_plus(a):
    return shift_left(newton_reciprocal(a), 1)


def one_minus_over_one_plus(a):
    return shift_left(newton_reciprocal(a) - (1 << 29), 2)


# Operators -------------------------------------------------------------------------------------------------------------


def scalars(fields, *names):
    """Scales as Python floats (the float32 value in double precision), zero points as ints."""
    return [fields[name].item() for name in names]


def quantization(fields):
    return scalars(fields, "input_scale", "input_zero_point", "output_scale", "output_zero_point")


def centred(fields, name="input"):
    return fields[name].astype(np.int64) - fields[f"{name}_zero_point"].item()


def activate(value, activation, scale, zero_point):
    """Clamp to int8 and to the fused activation; the bounds are computed in float32."""
    low, high = -128, 127
    if activation:
        low = max(low, zero_point)
    if activation == 2:
        high = min(high, zero_point + int(round_half_away(np.float32(6) / np.float32(scale))))
    return np.clip(value, low, high)


def padding_before(size, output, extent, stride, same):
    return max((output - 1) * stride + extent - size, 0) // 2 if same else 0


def output_size(size, extent, stride, same):
    return -(-size // stride) if same else (size - extent) // stride + 1


def windows(data, kernel, stride, dilation, same, fill):
    """[batch, y, x, ky, kx, channel]: the input under each output, `fill` outside."""
    offsets = []
    for axis in (0, 1):
        size, extent = data.shape[1 + axis], (kernel[axis] - 1) * dilation[axis] + 1
        outputs = output_size(size, extent, stride[axis], same)
        before = padding_before(size, outputs, extent, stride[axis], same)
        starts = np.arange(outputs)[:, None] * stride[axis] - before
        offsets.append(starts + np.arange(kernel[axis]) * dilation[axis])
    rows, columns = offsets
    inside_y, inside_x = (rows >= 0) & (rows < data.shape[1]), (columns >= 0) & (columns < data.shape[2])
    inside = inside_y[:, None, :, None] & inside_x[None, :, None, :]
    gathered = data[:, rows.clip(0, data.shape[1] - 1)][:, :, :, columns.clip(0, data.shape[2] - 1)]
    return np.where(inside[None, ..., None], gathered.transpose(0, 1, 3, 2, 4, 5), fill)


def fixed_point(value, real):
    return double_rounding(value, *quantize_multiplier(real))


def floating_point(value, real):
    """TensorFlow's reference FULLY_CONNECTED, and no other operator: in double precision, ties away from zero."""
    product = value * real
    return np.trunc(product + np.copysign(0.5, product)).astype(np.int64)


def requantize_channels(fields, accumulator, activation, requantize=fixed_point):
    input_scale, _, scale, zero_point = quantization(fields)
    channels = accumulator.shape[-1]
    weight_scales = np.broadcast_to(fields["weight_scales"].astype(np.float64), channels)
    accumulator = accumulator + fields["bias"]
    assert np.abs(accumulator).max() <= INT32_MAX
    ratios = input_scale * weight_scales / scale
    columns = [requantize(accumulator[..., c], ratio) for c, ratio in enumerate(ratios)]
    return activate(np.stack(columns, -1) + zero_point, activation, scale, zero_point)


def conv2d(fields):
    *geometry, padding, activation, _ = fields["attributes"].tolist()
    weights = fields["weights"].astype(np.int64)
    patches = windows(centred(fields), weights.shape[1:3], geometry[:2], geometry[2:], padding, 0)
    return requantize_channels(fields, np.einsum("byxhwi,ohwi->byxo", patches, weights), activation)


def depthwise_conv2d(fields):
    *geometry, padding, activation, multiplier = fields["attributes"].tolist()
    weights = fields["weights"][0].astype(np.int64)
    patches = windows(centred(fields), weights.shape[:2], geometry[:2], geometry[2:], padding, 0)
    patches = patches.repeat(multiplier, -1)  # output channel = input channel * multiplier + m
    return requantize_channels(fields, np.einsum("byxhwc,hwc->byxc", patches, weights), activation)


def fully_connected(fields, requantize=fixed_point):
    accumulator = centred(fields) @ fields["weights"].astype(np.int64).T
    return requantize_channels(fields, accumulator, fields["attributes"].item(), requantize)


def fully_connected_tflite(fields):
    return fully_connected(fields, floating_point)


def max_pool2d(fields):
    *geometry, padding, activation = fields["attributes"].tolist()
    patches = windows(fields["input"].astype(np.int64), geometry[:2], geometry[2:], (1, 1), padding, -128)
    return activate(patches.max((3, 4)), activation, *scalars(fields, "output_scale", "output_zero_point"))


def average_pool2d(fields):
    """The sum of the raw int8 values over the count of taps inside, ties away from zero; no zero point involved."""
    *geometry, padding, activation = fields["attributes"].tolist()
    data = fields["input"].astype(np.int64)
    total = windows(data, geometry[:2], geometry[2:], (1, 1), padding, 0).sum((3, 4))
    count = windows(np.ones_like(data), geometry[:2], geometry[2:], (1, 1), padding, 0).sum((3, 4))
    mean = np.sign(total) * ((np.abs(total) + count // 2) // count)
    return activate(mean, activation, *scalars(fields, "output_scale", "output_zero_point"))


def add(fields, sign=1):
    """Both inputs to units of 2 * max(scale0, scale1) / 2^20, then to the output's."""
    scale0, scale1, scale, zero_point = scalars(
        fields, "input0_scale", "input1_scale", "output_scale", "output_zero_point"
    )
    widest = 2 * max(scale0, scale1)
    first = fixed_point(centred(fields, "input0") << 20, scale0 / widest)
    second = fixed_point(centred(fields, "input1") << 20, scale1 / widest)
    total = fixed_point(first + sign * second, widest / ((1 << 20) * scale))
    return activate(total + zero_point, fields["attributes"].item(), scale, zero_point)


def sub(fields):
    return add(fields, -1)


def mul(fields):
    scale0, scale1, scale, zero_point = scalars(
        fields, "input0_scale", "input1_scale", "output_scale", "output_zero_point"
    )
    product = centred(fields, "input0") * centred(fields, "input1")
    value = fixed_point(product, scale0 * scale1 / scale)
    return activate(value + zero_point, fields["attributes"].item(), scale, zero_point)


def input_radius(integer_bits, shift):
    """The largest distance that fits Qm.n after a left shift."""
    return ((1 << integer_bits) - 1) * (1 << (31 - integer_bits)) // (1 << shift)


def softmax(fields):
    """exp in Q5.26 -> Q0.31, sum in Q12.19, reciprocal by Newton, 8 bits out."""
    multiplier, shift = quantize_multiplier(min(fields["input_scale"].item() * (1 << 26), INT32_MAX))
    data = fields["input"].astype(np.int64)
    difference = data - data.max(-1, keepdims=True)
    kept = difference >= -input_radius(5, shift)
    exponential = exp_of_negative(double_rounding(np.where(kept, difference, 0), multiplier, shift), 5)
    total = np.where(kept, divide_by_power(exponential, 12), 0).sum(-1)
    result = np.full(data.shape, -128)
    for row in np.ndindex(total.shape):
        headroom = 32 - int(total[row]).bit_length()
        reciprocal = one_over_one_plus((int(total[row]) << headroom) - (1 << 31))
        output = divide_by_power(high_mul(reciprocal, exponential[row]), 12 - headroom + 31 - 8) - 128
        result[row] = np.where(kept[row], output.clip(-128, 127), -128)
    return result


def sigmoid_input(fields):
    """The input in Q4.27, and where it lies beyond the range of Q4.27."""
    multiplier, shift = quantize_multiplier(fields["input_scale"].item() * (1 << 27))
    value, radius = centred(fields), input_radius(4, shift)
    beyond = np.where(value <= -radius, -1, np.where(value >= radius, 1, 0))
    return double_rounding(np.where(beyond, 0, value), multiplier, shift), beyond


def logistic(fields):
    value, beyond = sigmoid_input(fields)
    positive = one_over_one_plus(exp_of_negative(-np.abs(value), 4))
    probability = np.where(value == 0, 1 << 30, np.where(value > 0, positive, INT32_MAX - positive))
    output = np.minimum(divide_by_power(probability, 31 - 8), 255) - 128
    return np.where(beyond, np.where(beyond > 0, 127, -128), output)


def tanh(fields):
    value, beyond = sigmoid_input(fields)
    positive = one_minus_over_one_plus(exp_of_negative(-np.abs(value), 5))  # 2 |value| in Q5.26
    output = np.minimum(divide_by_power(np.where(value == 0, 0, np.sign(value) * positive), 31 - 7), 127)
    return np.where(beyond, np.where(beyond > 0, 127, -128), output)


def relu(fields, activation=1):
    input_scale, _, scale, zero_point = quantization(fields)
    value = fixed_point(centred(fields), input_scale / scale) + zero_point
    return activate(value, activation, scale, zero_point)


def relu6(fields):
    return relu(fields, 2)


def leaky_relu(fields):
    input_scale, _, scale, zero_point = quantization(fields)
    value, alpha = centred(fields), fields["alpha"].item()
    positive = fixed_point(value, input_scale / scale)
    negative = fixed_point(value, input_scale * alpha / scale)
    return np.clip(np.where(value >= 0, positive, negative) + zero_point, -128, 127)


def multiplier16(real):
    """A 16-bit multiplier and the shift, from the rounded 32-bit one."""
    multiplier, shift = quantize_multiplier(real)
    return min((multiplier + (1 << 15)) >> 16, (1 << 15) - 1), shift


def high_mul16(a, b):
    return (a * b + (1 << 14)) >> 15


def saturate16(value):
    return np.clip(value, -(1 << 15), (1 << 15) - 1)


def hard_swish(fields):
    """int16 arithmetic: x in 1/128 of its unit, times relu6(x + 3) / 6 in Q0.15; the ratios are computed in float32."""
    hires_scale = fields["input_scale"] * np.float32(1 / 128)
    output_multiplier, output_shift = multiplier16(hires_scale / fields["output_scale"])
    gate_multiplier, gate_shift = multiplier16(hires_scale / np.float32(3 / 32768))
    hires = centred(fields) << 7
    value = high_mul16(hires, output_multiplier)
    gate = saturate16(hires << max(gate_shift - 1, 0))
    gate = high_mul16(gate, gate_multiplier)
    gate = saturate16(gate << 1) if gate_shift > 0 else divide_by_power(gate, -gate_shift)
    gate = (gate + (1 << 15)) >> 1
    product = gate * value
    product = np.sign(product) * (np.abs(product) >> 15)
    assert output_shift <= 0
    output = divide_by_power(product, -output_shift) + fields["output_zero_point"].item()
    return np.clip(output, -128, 127)


def elu(fields):
    """The function in float32, times the inverse of the output's scale, rounded half away from zero."""
    _, _, scale, zero_point = quantization(fields)
    x = fields["input_scale"] * centred(fields).astype(np.float32)
    y = np.where(x < 0, np.expm1(x.astype(np.float64)).astype(np.float32), x) * (np.float32(1) / fields["output_scale"])
    rounded = np.sign(y) * np.floor(np.abs(y.astype(np.float64)) + 0.5)
    return np.clip(rounded + zero_point, -128, 127)


def mean(fields):
    """1 / count goes into the multiplier, truncated."""
    input_scale, _, scale, zero_point = quantization(fields)
    multiplier, shift = quantize_multiplier(input_scale / scale)
    total = centred(fields).sum((1, 2), keepdims=bool(fields["attributes"].item()))
    count = fields["input"].shape[1] * fields["input"].shape[2]
    up = min(count.bit_length() - 1, 32, 31 + shift)
    return np.clip(double_rounding(total, (multiplier << up) // count, shift - up) + zero_point, -128, 127)


def pad(fields):
    amounts = [(0, 0), *fields["attributes"].reshape(3, 2).tolist()]
    return np.pad(fields["input"], amounts, constant_values=fields["output_zero_point"].item())


def concatenation(fields):
    return np.concatenate([fields[f"input{i}"] for i in range(4) if f"input{i}" in fields], fields["attributes"].item())


# Checking --------------------------------------------------------------------------------------------------------------


def cases(path):
    """The cases of one .npz, each a dictionary of its fields."""
    with np.load(path) as arrays:
        grouped = {}
        for key, value in arrays.items():
            case, _, name = key.partition(".")
            grouped.setdefault(case, {})[name] = value
    return grouped


def check(folder, operators):
    """Prints how many values differ from each oracle; raises if any does."""
    total_wrong = 0
    for operator in operators:
        computed_by = {"output_tflm": globals()[operator], "output_tflite": globals()[operator]}
        if operator == "fully_connected":
            computed_by["output_tflite"] = fully_connected_tflite
        for name, compute in computed_by.items():
            golden = [fields for fields in cases(folder / f"{operator}.npz").values() if name in fields]
            wrong = sum(np.count_nonzero(compute(fields) != fields[name]) for fields in golden)
            total = sum(fields[name].size for fields in golden)
            print(f"{operator} {name}: {wrong} of {total} values in {len(golden)} cases differ")
            total_wrong += wrong
    if total_wrong:
        raise SystemExit(f"{total_wrong} values differ")


# requantize.npz --------------------------------------------------------------------------------------------------------


def truncating_divide(value, divisor):
    """C's division of integers."""
    return value // divisor if value >= 0 else -(-value // divisor)


def exact_double_rounding(accumulator, multiplier, shift):
    """gemmlowp's C statements, line by line, in Python integers."""
    left, right = max(shift, 0), max(-shift, 0)
    product = (accumulator << left) * multiplier
    nudge = 1 << 30 if product >= 0 else 1 - (1 << 30)
    high = truncating_divide(product + nudge, 1 << 31)
    mask = (1 << right) - 1
    threshold = (mask >> 1) + (1 if high < 0 else 0)
    return (high >> right) + (1 if (high & mask) > threshold else 0)


def exact_single_rounding(accumulator, multiplier, shift):
    """floor(accumulator * multiplier / 2^(31 - shift) + 1/2)."""
    return (accumulator * multiplier + (1 << (30 - shift))) >> (31 - shift)


def requantize_candidates(rng):
    """Edges crossed with edges, ties, then random values, without end."""
    edges = [0, 1, 2, 3, 127, 128, 255, 1 << 15, 1 << 29]
    edges += [(1 << 30) - 1, 1 << 30, (1 << 30) + 1, INT32_MAX - 1, INT32_MAX]
    accumulators = [*edges, *(-edge for edge in edges), INT32_MIN]
    multipliers = [1 << 30, (1 << 30) + 1, 0x5A827999, 0x60000000, INT32_MAX - 1, INT32_MAX]
    shifts = [-31, -30, -16, -9, -8, -2, -1, 0, 1, 2, 8, 22]
    crossed = [(a, m, s) for a in accumulators for m in multipliers for s in shifts]
    yield from ((accumulator, 0, 0) for accumulator in accumulators)
    yield from (crossed[i] for i in rng.permutation(len(crossed))[:900])
    for _ in range(500):  # the exact result ends in one half, or the first rounding makes it so
        shift = int(rng.integers(1, 16))
        multiplier = (1 << 30) + int(rng.choice([0, 0, 0, 1 << 20, 1 << 29, 3]))
        yield (2 * int(rng.integers(-300, 300)) + 1) << shift, multiplier, -shift
    while True:
        accumulator = int(rng.integers(INT32_MIN, 1 << 31)) >> int(rng.integers(0, 24))
        yield accumulator, int(rng.integers(1 << 30, 1 << 31)), int(rng.integers(-20, 4))


def requantize_rows(rng, count=2000):
    """Rows where C has no overflow: the shifted accumulator and both results fit int32."""
    rows, fits = {}, range(INT32_MIN, INT32_MAX + 1)
    for row in requantize_candidates(rng):
        accumulator, _, shift = row
        double, single = exact_double_rounding(*row), exact_single_rounding(*row)
        if (accumulator << max(shift, 0)) in fits and single in fits and row not in rows:
            assert double == double_rounding(*row) and single == single_rounding(*row)
            rows[row] = double, single
        if len(rows) == count:
            break
    names = "accumulator", "multiplier", "shift", "double_rounding", "single_rounding"
    columns = np.array([(*row, *results) for row, results in rows.items()], np.int32).T
    return dict(zip(names, columns, strict=True))
