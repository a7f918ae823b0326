"""Reference runs of the trainer, from Keras 3: every `keras/*.toml` becomes a Keras model; writes `keras.npz` here.

    python3 keras_runs.py

Needs tensorflow-cpu 2.21 and numpy; README.md names the versions used.

Data: the first 400 rows of `digits.csv.gz` in file order, pixel / 16, as [8, 8] or [8, 8, 1] or [64]: two epochs of 25 batches of
16, in this order. Targets follow from the loss and the number of outputs k:

    sparse cross entropy                                 the digit
    categorical cross entropy, or 10 outputs             the digit, one-hot
    binary cross entropy, k = 1                          1 if the digit is odd
    binary cross entropy, k > 1                          for the first k rows of the image: is the sum of its pixels above 2.4?
    others                                               for the first k rows of the image: the mean of its pixels

The loss of a step is taken before its update, with regularisation. float32.

Fields, all float32, in the layouts of milligrad's own files; a tensor is one of `conv/weights`, `norm/variance`, ..:

    {net}.init.{tensor}     before the first step; biases are not zero
    {net}.loss              50 values
    {net}.final.{tensor}    after 50 steps
"""

import gzip
import os
import tomllib
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras
import numpy as np
import tensorflow as tf
from keras import layers, losses, optimizers, regularizers

HERE = Path(__file__).resolve().parent
DIGITS = HERE.parents[1] / "crates/milligrad-host/data/digits.csv.gz"
SAMPLES, BATCH, EPOCHS = 400, 16, 2
BATCHES = SAMPLES // BATCH


def digits():
    with gzip.open(DIGITS, "rt") as file:
        rows = np.loadtxt(file, delimiter=",", max_rows=SAMPLES, dtype=np.int32)
    return (rows[:, :64] / 16).astype(np.float32), rows[:, 64]


def targets(pixels, labels, loss, outputs):
    rows = pixels.reshape(-1, 8, 8).sum(2)[:, :outputs]
    match loss:
        case "sparse_categorical_cross_entropy":
            return labels
        case "binary_cross_entropy" if outputs == 1:
            return (labels % 2).astype(np.float32)[:, None]
        case "binary_cross_entropy":
            return (rows > 2.4).astype(np.float32)
        case _ if outputs == 10:
            return np.eye(10, dtype=np.float32)[labels]
        case _:
            return rows / 8


# Specifications to Keras -----------------------------------------------------------------------------------------------


def activation(name):
    return layers.ReLU(max_value=6) if name == "relu6" else layers.Activation(name)


def regularizer(value):
    if isinstance(value, dict):
        return regularizers.L1L2(l1=value.get("l1", 0.0), l2=value.get("l2", 0.0))
    return value


def layer(spec):
    """The Keras layer of a [[layer]] that has one input; its activation comes after it."""
    get = spec.get
    window = {"padding": get("padding", "valid")}
    strides, dilation = get("stride", 1), get("dilation", 1)
    weights = {
        "use_bias": get("use_bias", True),
        "bias_regularizer": regularizer(get("bias_regularizer")),
    }
    kernel = {"kernel_regularizer": regularizer(get("regularizer"))}
    depthwise = {"depth_multiplier": get("multiplier", 1), **window, "strides": strides, **weights}
    pool = {**window, "strides": get("stride")}
    match spec["type"]:
        case "dense":
            return layers.Dense(spec["units"], **weights, **kernel)
        case "conv2d":
            return layers.Conv2D(spec["filters"], spec["kernel"], strides, dilation_rate=dilation, **window, **weights, **kernel)
        case "conv1d":
            return layers.Conv1D(spec["filters"], spec["kernel"], strides, **window, **weights, **kernel)
        case "depthwise_conv2d":
            return layers.DepthwiseConv2D(spec["kernel"], **depthwise)
        case "depthwise_conv1d":
            return layers.DepthwiseConv1D(spec["kernel"], **depthwise)
        case "separable_conv2d":
            return layers.SeparableConv2D(spec["filters"], spec["kernel"], **depthwise)
        case "separable_conv1d":
            return layers.SeparableConv1D(spec["filters"], spec["kernel"], **depthwise)
        case "max_pool2d":
            return layers.MaxPooling2D(spec["size"], **pool)
        case "avg_pool2d":
            return layers.AveragePooling2D(spec["size"], **pool)
        case "max_pool1d":
            return layers.MaxPooling1D(spec["size"], **pool)
        case "avg_pool1d":
            return layers.AveragePooling1D(spec["size"], **pool)
        case "global_avg_pool2d":
            return layers.GlobalAveragePooling2D()
        case "global_max_pool2d":
            return layers.GlobalMaxPooling2D()
        case "global_max_pool1d":
            return layers.GlobalMaxPooling1D()
        case "zero_padding2d":
            return layers.ZeroPadding2D(tuple(map(tuple, spec["padding"])))
        case "zero_padding1d":
            return layers.ZeroPadding1D(tuple(spec["padding"]))
        case "flatten":
            return layers.Flatten()
        case "reshape":
            return layers.Reshape(spec["shape"])
        case "batch_norm":
            return layers.BatchNormalization(momentum=get("momentum", 0.99), epsilon=get("epsilon", 1e-3))
        case "elu":
            return layers.ELU(get("alpha", 1.0))
        case "leaky_relu":
            return layers.LeakyReLU(negative_slope=spec["alpha"])
        case name:
            return activation(name)


def model(spec):
    """The model up to its scores, its layers with weights by name, and the layer it would end in."""
    here = keras.Input(spec["model"]["input"])
    inputs, named, weighted, ending = here, {}, {}, None
    for place, one in enumerate(spec["layer"], 1):
        sources = one.get("from", [])
        sources = [sources] if isinstance(sources, str) else sources
        beside = one.get("with", [])
        beside = [beside] if isinstance(beside, str) else beside
        first = [named[sources[0]]] if sources else [here]
        tensors = first + [named[name] for name in [*sources[1:], *beside]]
        match one["type"]:
            case "add":
                here = layers.Add()(tensors)
            case "multiply":
                here = layers.Multiply()(tensors)
            case "concat":
                here = layers.Concatenate()(tensors)
            case _:
                made = layer(one)
                here = made(tensors[0])
                if made.weights:
                    weighted[one["name"]] = made
        then = one.get("activation")
        if place == len(spec["layer"]) and then in ("softmax", "sigmoid"):
            ending = then
        elif then:
            here = activation(then)(here)
        if "name" in one:
            named[one["name"]] = here
    return keras.Model(inputs, here), weighted, ending


def loss(spec, net, ending):
    """The loss's name, the loss from what the model gives, and the model."""
    given = spec["train"]["loss"]
    given = {"type": given} if isinstance(given, str) else given
    smoothing = {"label_smoothing": given.get("label_smoothing", 0.0)}
    match given["type"]:
        case "sparse_categorical_cross_entropy":
            made = losses.SparseCategoricalCrossentropy(from_logits=True)
        case "categorical_cross_entropy":
            made = losses.CategoricalCrossentropy(from_logits=True, **smoothing)
        case "binary_cross_entropy":
            made = losses.BinaryCrossentropy(from_logits=True, **smoothing)
        case other:
            if ending:
                net = keras.Model(net.inputs, layers.Activation(ending)(net.outputs[0]))
            made = {
                "mean_squared_error": losses.MeanSquaredError,
                "mean_absolute_error": losses.MeanAbsoluteError,
                "huber": lambda: losses.Huber(delta=given["delta"]),
            }[other]()
    return given["type"], made, net


def optimizer(train):
    given = train["optimizer"]
    given = {"type": given} if isinstance(given, str) else dict(given)
    kind = {"sgd": optimizers.SGD, "adam": optimizers.Adam, "adamw": optimizers.AdamW, "rmsprop": optimizers.RMSprop}[given.pop("type")]
    if schedule := train.get("schedule"):
        given["learning_rate"] = decay(given.get("learning_rate", 0.001), schedule)
    return kind(**given)


def decay(rate, schedule):
    schedules = optimizers.schedules
    match schedule["type"]:
        case "step":
            return schedules.ExponentialDecay(rate, schedule["epochs"] * BATCHES, schedule["factor"], staircase=True)
        case "exponential":
            return schedules.ExponentialDecay(rate, BATCHES, schedule["factor"])
        case "exponential_decay":
            return schedules.ExponentialDecay(rate, schedule["decay_steps"], schedule["decay_rate"], schedule["staircase"])
        case "cosine":
            warmup = schedule["warmup_epochs"] * BATCHES
            return schedules.CosineDecay(0.0, EPOCHS * BATCHES - warmup, schedule["floor"], warmup_target=rate, warmup_steps=warmup)
        case "cosine_decay":
            warmup = schedule["warmup_steps"]
            return schedules.CosineDecay(0.0, schedule["decay_steps"], schedule["alpha"], warmup_target=rate, warmup_steps=warmup)
        case other:
            raise SystemExit(f"no schedule {other}")


# Weights ---------------------------------------------------------------------------------------------------------------


def tensors(name, made):
    """Pairs of milligrad's name of a tensor of this layer, and Keras' tensor."""
    names = [weight.path.rsplit("/", 1)[-1] for weight in made.weights]
    separable = isinstance(made, layers.SeparableConv1D | layers.SeparableConv2D)
    ours = {
        "kernel": "weights",
        "pointwise_kernel": "weights",
        "moving_mean": "mean",
        "moving_variance": "variance",
    }
    if isinstance(made, layers.DepthwiseConv1D | layers.DepthwiseConv2D):
        ours["kernel"] = "weights"
    for keras_name, weight in zip(names, made.weights, strict=True):
        if separable and keras_name == "depthwise_kernel":
            yield f"{name}.depthwise/weights", weight
        else:
            yield f"{name}/{ours.get(keras_name, keras_name)}", weight


def layout(weight, made, values):
    """In milligrad's order: [outputs, .., inputs], depthwise [height, width, outputs]."""
    name = weight.path.rsplit("/", 1)[-1]
    if not name.endswith("kernel"):
        return values
    depthwise = isinstance(made, layers.DepthwiseConv1D | layers.DepthwiseConv2D) or name == "depthwise_kernel"
    if depthwise:
        values = values.reshape(*values.shape[:-2], -1)
        return values if values.ndim == 3 else values[None]
    values = np.moveaxis(values, -1, 0)
    return values[:, None] if values.ndim == 3 else values


def initial(net, weighted):
    """Small kernels by fan-in; biases and the rest not at their usual values, so that these are tested too."""
    rng = np.random.default_rng(list(net.encode()))
    for name, made in weighted.items():
        for ours, weight in tensors(name, made):
            shape = weight.shape
            if ours.endswith("/weights"):
                depthwise = "depthwise" in weight.path or isinstance(made, layers.DepthwiseConv1D | layers.DepthwiseConv2D)
                fan = np.prod(shape[:-2]) if depthwise else np.prod(shape[:-1])
                values = rng.uniform(-1, 1, shape) * np.sqrt(3 / fan)
            elif ours.endswith(("gamma", "variance")):
                values = rng.uniform(0.7, 1.3, shape)
            else:
                values = rng.uniform(-0.1, 0.1, shape)
            weight.assign(values.astype(np.float32))


def run(path):
    spec = tomllib.loads(path.read_text())
    keras.utils.set_random_seed(0)
    net, weighted, ending = model(spec)
    kind, loss_function, net = loss(spec, net, ending)
    initial(path.stem, weighted)
    everything = {ours: (made, weight) for name, made in weighted.items() for ours, weight in tensors(name, made)}

    def read():
        return {ours: np.ascontiguousarray(layout(weight, made, weight.numpy())) for ours, (made, weight) in everything.items()}

    arrays = {f"{path.stem}.init.{ours}": values for ours, values in read().items()}
    pixels, labels = digits()
    y = targets(pixels, labels, kind, net.output_shape[-1])
    x = pixels.reshape(-1, *spec["model"]["input"])
    rule = optimizer(spec["train"])
    rule.build(net.trainable_variables)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            value = loss_function(y, net(x, training=True)) + sum(net.losses)
        rule.apply(tape.gradient(value, net.trainable_variables), net.trainable_variables)
        return value

    values = [
        step(x[start : start + BATCH], y[start : start + BATCH]).numpy()
        for _ in range(EPOCHS)
        for start in range(0, SAMPLES, BATCH)
    ]
    arrays[f"{path.stem}.loss"] = np.float32(values)
    arrays |= {f"{path.stem}.final.{ours}": values for ours, values in read().items()}
    print(f"{path.stem:20} {net.count_params():6} parameters, loss {values[0]:.4f} to {values[-1]:.4f}")
    return arrays


def main():
    tf.config.experimental.enable_op_determinism()
    arrays = {}
    for path in sorted((HERE / "keras").glob("*.toml")):
        arrays |= run(path)
    path = HERE / "keras.npz"
    np.savez_compressed(path, **arrays)
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
