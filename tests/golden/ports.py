"""Models with several inputs and outputs: `ports.py` writes `tflite/ports-*.tflite` with an `.npz` each.

The arrays of an `.npz` are `input_0`, `input_1`, ..., `output_0`, ... (TensorFlow's reference kernels) and `output_tflm_0`, ...
(TFLite-Micro's), in the order in which the file lists the model's inputs and outputs, 16 samples each; where a model has one
input or output, `input`, `output` and `output_tflm`.
"""

import sys
from pathlib import Path

import numpy as np
from oracle import runtime, tf

import keras

L = keras.layers
SAMPLES = 16


def two_sensors():
    """Image and a few numbers in, two heads of different sizes out."""
    image, numbers = keras.Input((10, 12, 2), name="image"), keras.Input((6,), name="numbers")
    x = L.Conv2D(6, 3, padding="same", activation="relu")(image)
    x = L.DepthwiseConv2D(3, padding="same", activation="relu6")(x)
    x = L.GlobalAveragePooling2D()(x)
    x = L.Concatenate()([x, L.Dense(6, activation="relu")(numbers)])
    return [image, numbers], {"scores": L.Dense(5, activation="softmax")(x), "place": L.Dense(3)(x)}


def shared_trunk():
    """One input; an output that others read too, so that nothing may overwrite it."""
    image = keras.Input((9, 9, 3))
    trunk = L.Conv2D(8, 3, strides=2, padding="same", activation="relu")(image)
    mask = L.Conv2D(1, 1, activation="sigmoid")(trunk)
    y = L.Multiply()([trunk, mask])
    return [image], [trunk, mask, L.Dense(4, activation="tanh")(L.Flatten()(y))]


def difference():
    """Two inputs of the same shape, one output."""
    before, after = keras.Input((8, 8, 4), name="before"), keras.Input((8, 8, 4), name="after")
    share = L.Conv2D(6, 3, activation="relu")
    x = L.Subtract()([share(before), share(after)])
    return [before, after], L.Dense(2)(L.Flatten()(L.MaxPooling2D()(x)))


def three_in():
    """Inputs that no layer mixes before the end, one of them an output as it is reshaped."""
    a, b, c = (keras.Input((n,)) for n in (7, 12, 5))
    x = L.Dense(4, activation="relu")(a)
    y = L.Reshape((4, 3))(b)
    z = L.LeakyReLU(0.3)(c)
    return [a, b, c], [L.Add()([x, L.Dense(4)(z)]), y, L.GlobalAveragePooling1D()(y)]


def convert(inputs, outputs, rng, floats):
    model = keras.Model(inputs, outputs)
    for weight in model.weights:
        if len(weight.shape) == 1:
            weight.assign(weight.numpy() + rng.normal(0, 0.2, weight.shape))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    shapes = {x.name: (1, *x.shape[1:]) for x in inputs}
    converter.representative_dataset = lambda: (
        {name: rng.normal(0, 1, shape).astype(np.float32) for name, shape in shapes.items()} for _ in range(40)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    if not floats:
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def reference(model):
    interpreter = tf.lite.Interpreter(
        model_content=model,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
        num_threads=1,
    )
    interpreter.allocate_tensors()
    return interpreter


def answers(model, rng):
    full, micro = reference(model), runtime.Interpreter.from_bytes(model, arena_size=1 << 20)
    ins, outs = full.get_input_details(), full.get_output_details()
    arrays = {}

    def keep(kind, index, count, value):
        arrays.setdefault(kind if count == 1 else f"{kind}_{index}", []).append(np.array(value[0]))

    for _ in range(SAMPLES):
        for index, details in enumerate(ins):
            if details["dtype"] == np.int8:
                value = rng.integers(-128, 128, details["shape"]).astype(np.int8)
            else:
                value = rng.normal(0, 1, details["shape"]).astype(np.float32)
            keep("input", index, len(ins), value)
            full.set_tensor(details["index"], value)
            micro.set_input(value, index)
        full.invoke()
        micro.invoke()
        for index, details in enumerate(outs):
            keep("output", index, len(outs), full.get_tensor(details["index"]))
            keep("output_tflm", index, len(outs), micro.get_output(index))
    return {name: np.stack(values) for name, values in arrays.items()}


def main():
    folder = Path(__file__).resolve().parent / "tflite"
    for seed, build in enumerate([two_sensors, shared_trunk, difference, three_in]):
        for floats in (False, True) if build is two_sensors else (False,):
            keras.utils.set_random_seed(seed)
            rng = np.random.default_rng(seed)
            model = convert(*build(), rng, floats)
            name = f"ports-{build.__name__}{'-floats' if floats else ''}"
            (folder / f"{name}.tflite").write_bytes(model)
            arrays = answers(model, rng)
            np.savez_compressed(folder / f"{name}.npz", **arrays)
            print(name, {key: value.shape for key, value in arrays.items()}, file=sys.stderr)


main()
