"""Reference losses, gradients and weights for the trainer, from Keras 3: writes `training.npz` beside this script.

    python3 training.py             write training.npz
    python3 training.py --check     recompute it in numpy, in float64, and print the largest deviations

Needs tensorflow-cpu 2.21 and numpy; README.md names the versions used.

Data: the first 320 rows of `digits.csv.gz` in file order, pixel / 16; ten steps of batch 32, in file order.
Loss: softmax and cross entropy from the logits, mean over the batch; `loss` is taken before the step's update. float32.

    net         layers (tensors)
    mlp         64, dense 32 relu (hidden.*), dense 10 (output.*)
    cnn         8x8x1, conv 3x3 valid, 8 channels, relu (conv.*), max-pool 2x2, flatten 3x3x8, dense 10 (output.*)

    optimizer   per weight w with gradient g, all states zero at first, t = 1, 2, ..
    sgd         w -= 0.1 g
    momentum    v = 0.9 v - 0.1 g;  w += v
    adam        m = 0.9 m + 0.1 g;  v = 0.999 v + 0.001 g^2
                w -= 0.001 sqrt(1 - 0.999^t) / (1 - 0.9^t) m / (sqrt(v) + 1e-7)

Fields, all float32; a tensor is one of `hidden.kernel`, `hidden.bias`, `conv.kernel`, ..:

    {net}.init.{tensor}                 weights before the first step; the biases are not zero
    {net}.gradient.{tensor}             gradient of the first step's loss
    {net}.{optimizer}.loss              10 values
    {net}.{optimizer}.final.{tensor}    weights after ten steps

Layouts: dense kernel [in, out]; conv kernel HWIO; flatten keeps the order H, W, C.
"""

import argparse
import gzip
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np

HERE = Path(__file__).resolve().parent
DIGITS = HERE.parents[1] / "crates/milligrad-host/data/digits.csv.gz"
STEPS, BATCH = 10, 32
SHAPES = {
    "mlp": {"hidden.kernel": (64, 32), "hidden.bias": (32,), "output.kernel": (32, 10), "output.bias": (10,)},
    "cnn": {"conv.kernel": (3, 3, 1, 8), "conv.bias": (8,), "output.kernel": (72, 10), "output.bias": (10,)},
}
OPTIMIZERS = "sgd", "momentum", "adam"


def batches():
    """Pixels [step, sample, 64] in 0..1 and labels [step, sample]."""
    with gzip.open(DIGITS, "rt") as file:
        rows = np.loadtxt(file, delimiter=",", max_rows=STEPS * BATCH, dtype=np.int32)
    pixels = (rows[:, :64] / 16).astype(np.float32)
    return pixels.reshape(STEPS, BATCH, 64), rows[:, 64].reshape(STEPS, BATCH)


def initial_weights(net):
    """Glorot-uniform kernels; small biases instead of zeros, so that these are tested too."""
    rng = np.random.default_rng(list(net.encode()))
    weights = {}
    for name, shape in SHAPES[net].items():
        fan = np.prod(shape[:-2]) * (shape[-2] + shape[-1]) if name.endswith("kernel") else 0
        limit = np.sqrt(6 / fan) if fan else 0.1
        weights[name] = rng.uniform(-limit, limit, shape).astype(np.float32)
    return weights


# Keras -----------------------------------------------------------------------------------------------------------------


def keras_model(net):
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    stack = {
        "mlp": lambda: [layers.Dense(32, activation="relu")],
        "cnn": lambda: [
            layers.Reshape((8, 8, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
        ],
    }
    model = keras.Sequential([keras.Input((64,)), *stack[net](), layers.Dense(10)])
    model.set_weights(list(initial_weights(net).values()))
    return model


def keras_optimizer(name):
    from keras import optimizers

    return {
        "sgd": lambda: optimizers.SGD(0.1),
        "momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
        "adam": lambda: optimizers.Adam(1e-3),
    }[name]()


def keras_run(net, optimizer_name):
    """The losses, the first gradients and the final weights."""
    import keras
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    model, optimizer = keras_model(net), keras_optimizer(optimizer_name)
    loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    losses, first = [], None
    for pixels, labels in zip(*batches(), strict=True):
        with tf.GradientTape() as tape:
            loss = loss_function(labels, model(pixels, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        losses.append(loss.numpy())
        first = first or [gradient.numpy() for gradient in gradients]
    return np.float32(losses), first, model.get_weights()


# numpy, float64 --------------------------------------------------------------------------------------------------------


def dense_backward(x, kernel, gradient):
    return {"kernel": x.T @ gradient, "bias": gradient.sum(0)}, gradient @ kernel.T


def cross_entropy(logits, labels):
    """The mean loss, and its gradient by the logits."""
    shifted = logits - logits.max(1, keepdims=True)
    probabilities = np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)
    picked = probabilities[np.arange(len(labels)), labels]
    return -np.log(picked).mean(), (probabilities - np.eye(10)[labels]) / len(labels)


def mlp_step(w, pixels, labels):
    pre = pixels @ w["hidden.kernel"] + w["hidden.bias"]
    hidden = np.maximum(pre, 0)
    loss, gradient = cross_entropy(hidden @ w["output.kernel"] + w["output.bias"], labels)
    output, gradient = dense_backward(hidden, w["output.kernel"], gradient)
    hidden, _ = dense_backward(pixels, w["hidden.kernel"], gradient * (pre > 0))
    return loss, named(hidden=hidden, output=output)


def cnn_step(w, pixels, labels):
    windows = np.lib.stride_tricks.sliding_window_view(pixels.reshape(-1, 8, 8), (3, 3), (1, 2))
    pre = np.einsum("byxhw,hwc->byxc", windows, w["conv.kernel"][:, :, 0]) + w["conv.bias"]
    blocks = np.maximum(pre, 0).reshape(-1, 3, 2, 3, 2, 8)
    pooled = blocks.max((2, 4))
    features = pooled.reshape(-1, 72)
    loss, gradient = cross_entropy(features @ w["output.kernel"] + w["output.bias"], labels)
    output, gradient = dense_backward(features, w["output.kernel"], gradient)
    gradient = first_maximum(blocks) * gradient.reshape(-1, 3, 1, 3, 1, 8)
    gradient = gradient.reshape(pre.shape) * (pre > 0)
    kernel = np.einsum("byxhw,byxc->hwc", windows, gradient)[:, :, None]
    return loss, named(conv={"kernel": kernel, "bias": gradient.sum((0, 1, 2))}, output=output)


def first_maximum(blocks):
    """One at the first maximum of each 2x2 block, in the order H, W."""
    flat = blocks.transpose(0, 1, 3, 5, 2, 4).reshape(-1, 4)
    chosen = np.eye(4)[flat.argmax(1)].reshape(*(blocks.shape[i] for i in (0, 1, 3, 5)), 2, 2)
    return chosen.transpose(0, 1, 4, 2, 5, 3)


def named(**layers):
    return {f"{layer}.{name}": value for layer, tensors in layers.items() for name, value in tensors.items()}


def update(optimizer, w, g, m, v, t):
    """The formulas of the head of this file; returns w, m, v."""
    if optimizer == "sgd":
        return w - 0.1 * g, m, v
    if optimizer == "momentum":
        v = 0.9 * v - 0.1 * g
        return w + v, m, v
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    return w - 0.001 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7), m, v


def numpy_run(net, optimizer, w):
    w = {name: value.astype(np.float64) for name, value in w.items()}
    states = {name: (np.zeros_like(value), np.zeros_like(value)) for name, value in w.items()}
    losses, first = [], None
    for t, (pixels, labels) in enumerate(zip(*batches(), strict=True), 1):
        loss, gradients = {"mlp": mlp_step, "cnn": cnn_step}[net](w, pixels.astype(np.float64), labels)
        losses.append(loss)
        first = first or gradients
        for name, g in gradients.items():
            w[name], *states[name] = update(optimizer, w[name], g, *states[name], t)
    return losses, first, w


def check(arrays):
    """Prints, per field of each net, the largest absolute deviation from float64."""
    for net, shapes in SHAPES.items():
        init = {name: arrays[f"{net}.init.{name}"] for name in shapes}
        for optimizer in OPTIMIZERS:
            losses, gradients, final = numpy_run(net, optimizer, init)
            worst = {
                "loss": np.abs(losses - arrays[f"{net}.{optimizer}.loss"]).max(),
                "gradient": max(np.abs(gradients[n] - arrays[f"{net}.gradient.{n}"]).max() for n in shapes),
                "final": max(np.abs(final[n] - arrays[f"{net}.{optimizer}.final.{n}"]).max() for n in shapes),
            }
            print(net, optimizer, ", ".join(f"{name} {value:.1e}" for name, value in worst.items()))
            if max(worst.values()) > 1e-5:
                raise SystemExit("the golden values are not reproduced")


def main():
    parser = argparse.ArgumentParser(description="Golden values of the trainer.")
    parser.add_argument("--check", action="store_true", help="recompute them in float64")
    path = HERE / "training.npz"
    if parser.parse_args().check:
        with np.load(path) as arrays:
            check(dict(arrays))
        return
    arrays = {}
    for net, shapes in SHAPES.items():
        arrays |= {f"{net}.init.{name}": value for name, value in initial_weights(net).items()}
        for optimizer in OPTIMIZERS:
            losses, gradients, final = keras_run(net, optimizer)
            arrays |= {f"{net}.gradient.{name}": value for name, value in zip(shapes, gradients, strict=True)}
            arrays[f"{net}.{optimizer}.loss"] = losses
            arrays |= {f"{net}.{optimizer}.final.{name}": value for name, value in zip(shapes, final, strict=True)}
    np.savez_compressed(path, **arrays)
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
