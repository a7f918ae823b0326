"""Reference steps of the device's optimizers, from Keras 3: writes `optimizers.npz` beside this script.

    python3 optimizers.py

Needs tensorflow-cpu 2.21; README.md names the versions used. 40 weights take 30 steps by the same random gradients with every rule, all
with a learning rate of 0.01. Fields, all float32: `start` [40], `gradients` [30, 40], and the weights after each step, `RULE` [30, 40].
"""

import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

RULES = {
    "sgd": lambda: keras.optimizers.SGD(0.01),
    "momentum": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
    "nesterov": lambda: keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
}
random = np.random.default_rng(5)
start = random.normal(size=40).astype(np.float32)
# Some much larger than others, and some zero.
gradients = (random.normal(size=(30, 40)) * 10.0 ** random.integers(-3, 2, 40)).astype(np.float32)
gradients[random.random((30, 40)) < 0.2] = 0

fields = {"start": start, "gradients": gradients}
for name, rule in RULES.items():
    weights, optimizer, steps = keras.Variable(start), rule(), []
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weights])
        steps.append(np.array(weights))
    fields[name] = np.stack(steps)
np.savez_compressed(Path(__file__).with_name("optimizers.npz"), **fields)
