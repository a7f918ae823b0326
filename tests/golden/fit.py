"""Reference of `fit`, from Keras 3: writes `fit.json` and `fit.npz` here.

    python3 fit.py

Needs tensorflow-cpu 2.21 and numpy; README.md names the versions used.

`fit.json` is a list of runs of Keras' own EarlyStopping and ReduceLROnPlateau over made-up figures of epochs:

    early_stopping   constants, `values` of the figure, `epochs` that were trained, `best`: the epoch (from 1) whose weights are restored
    plateau          constants, `values`, and the `rates` of the epochs, of which the first is 0.01

`fit.npz` is 20 steps of every `fit/*.toml` with `train_on_batch`, on the data and in the fields of `keras_runs.py`. Where a
specification has `class_weight`, Keras is given it; "balanced" is scikit-learn's `n / (classes * count)`. Where its name starts with
`weighted_`, sample i has the weight (7 i mod 5) / 2. Layers that `freeze` names (`*` is any text) are not trainable.
"""

import fnmatch
import json
import tomllib

import keras_runs
import keras
import numpy as np
import tensorflow as tf

HERE = keras_runs.HERE
STEPS, BATCH = 20, keras_runs.BATCH


# Callbacks -------------------------------------------------------------------------------------------------------------


def watched():
    """A model whose only weight can say in which epoch it was, and whose metrics Keras knows."""
    net = keras.Sequential([keras.Input([1]), keras.layers.Dense(1, use_bias=False)])
    net.compile(keras.optimizers.SGD(0.01), "binary_crossentropy", metrics=["accuracy"])
    net.train_on_batch(np.zeros([1, 1]), np.zeros([1, 1]))
    return net


def figures(rng, monitor, epochs):
    """A curve that gets better and then no more, with noise, and here and there the same figure again."""
    course = 0.4 * np.exp(-np.arange(epochs) / rng.uniform(2, 12)) + rng.uniform(0, 0.05) * rng.standard_normal(epochs)
    course += np.linspace(0, rng.uniform(0, 0.2), epochs)
    values = 0.3 + course if monitor.endswith("loss") else 0.7 - course
    for epoch in np.flatnonzero(rng.random(epochs) < 0.1):
        values[epoch] = values[max(epoch - 1, 0)]
    # Keras compares float32: no constant lies on the grid of the figures.
    return [round(float(value), 4) for value in values]


def early_stopping(rng, net):
    monitor = str(rng.choice(["val_loss", "val_accuracy", "loss", "accuracy"]))
    constants = {
        "monitor": monitor,
        "min_delta": float(rng.choice([0, 0.00105, 0.02005])),
        "patience": int(rng.choice([0, 1, 2, 5, 9])),
        "baseline": [None, None, 0.45005, 0.60005][rng.integers(4)],
        "start_from_epoch": int(rng.choice([0, 0, 3, 8])),
    }
    values = figures(rng, monitor, 30)
    callback = keras.callbacks.EarlyStopping(**constants, restore_best_weights=True)
    callback.set_model(net)
    callback.on_train_begin()
    net.stop_training = False
    for epoch, value in enumerate(values):
        net.set_weights([np.full([1, 1], epoch + 1)])
        callback.on_epoch_end(epoch, {monitor: value})
        if net.stop_training:
            break
    callback.on_train_end()
    best = int(net.get_weights()[0][0, 0])
    return {"kind": "early_stopping", **constants, "values": values, "epochs": epoch + 1, "best": best}


def plateau(rng, net):
    monitor = str(rng.choice(["val_loss", "val_accuracy", "loss", "accuracy"]))
    constants = {
        "monitor": monitor,
        "factor": float(rng.choice([0.1, 0.5, 0.9])),
        "patience": int(rng.choice([0, 1, 2, 5, 9])),
        "min_delta": float(rng.choice([0, 0.00015, 0.02005])),
        "cooldown": int(rng.choice([0, 0, 1, 4])),
        "min_lr": float(rng.choice([0, 0.0004, 0.003])),
    }
    values = figures(rng, monitor, 30)
    net.optimizer.learning_rate = 0.01
    callback = keras.callbacks.ReduceLROnPlateau(**constants)
    callback.set_model(net)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        rates.append(float(f"{net.optimizer.learning_rate.numpy():.7g}"))
        callback.on_epoch_end(epoch, {monitor: value})
    return {"kind": "plateau", **constants, "values": values, "rates": rates}


# Runs ------------------------------------------------------------------------------------------------------------------


def weights(spec, labels):
    """What `train_on_batch` is given for each batch."""
    given = spec["train"].get("class_weight")
    if given == "balanced":
        counts = np.bincount(labels, minlength=10)
        given = len(labels) / (10 * counts)
    if given is not None:
        classes = {index: float(weight) for index, weight in enumerate(given)}
        return lambda part: {"class_weight": classes}
    if spec["model"]["name"].startswith("weighted_"):
        samples = (np.arange(len(labels)) * 7 % 5 / 2).astype(np.float32)
        return lambda part: {"sample_weight": samples[part]}
    return lambda part: {}


def run(path):
    spec = tomllib.loads(path.read_text())
    keras.utils.set_random_seed(0)
    net, weighted, ending = keras_runs.model(spec)
    kind, loss, net = keras_runs.loss(spec, net, ending)
    keras_runs.initial(path.stem, weighted)
    for name, made in weighted.items():
        made.trainable = not any(fnmatch.fnmatch(name, pattern) for pattern in spec["train"].get("freeze", []))
    everything = {ours: (made, weight) for name, made in weighted.items() for ours, weight in keras_runs.tensors(name, made)}

    def read():
        laid = {ours: keras_runs.layout(weight, made, weight.numpy()) for ours, (made, weight) in everything.items()}
        return {ours: np.ascontiguousarray(values) for ours, values in laid.items()}

    arrays = {f"{path.stem}.init.{ours}": values for ours, values in read().items()}
    pixels, labels = (array[: STEPS * BATCH] for array in keras_runs.digits())
    y = keras_runs.targets(pixels, labels, kind, net.output_shape[-1])
    x = pixels.reshape(-1, *spec["model"]["input"])
    given = weights(spec, labels)
    net.compile(keras_runs.optimizer(spec["train"]), loss)
    losses = []
    for start in range(0, len(x), BATCH):
        part = slice(start, start + BATCH)
        net.reset_metrics()
        losses.append(float(net.train_on_batch(x[part], y[part], **given(part))))
    arrays[f"{path.stem}.loss"] = np.float32(losses)
    arrays |= {f"{path.stem}.final.{ours}": values for ours, values in read().items()}
    print(f"{path.stem:20} loss {losses[0]:.4f} to {losses[-1]:.4f}")
    return arrays


def main():
    tf.config.experimental.enable_op_determinism()
    rng, net = np.random.default_rng(4), watched()
    cases = [early_stopping(rng, net) for _ in range(60)] + [plateau(rng, net) for _ in range(60)]
    (HERE / "fit.json").write_text("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n")
    arrays = {}
    for path in sorted((HERE / "fit").glob("*.toml")):
        arrays |= run(path)
    np.savez_compressed(HERE / "fit.npz", **arrays)
    for name in ("fit.json", "fit.npz"):
        print(f"{name}: {(HERE / name).stat().st_size} bytes")


if __name__ == "__main__":
    main()
