"""Keras on TensorFlow: `fit` on arrays, as the course does it."""

import harness

options = harness.arguments()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402

MODELS = {
    "lab01": lambda: [layers.Flatten(), layers.Dense(128, "relu"), layers.Dense(10)],
    "cnn": lambda: [
        layers.Conv2D(8, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(64, "relu"),
        layers.Dense(10),
    ],
}


def prepare(task):
    keras.utils.set_random_seed(task.seed)
    model = keras.Sequential([layers.Input((28, 28, 1)), *MODELS[task.name]()])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])

    def epoch():
        model.fit(*task.train, batch_size=task.batch, epochs=1, verbose=0)

    def test_accuracy():
        answers = model.predict(task.test[0], batch_size=1000, verbose=0).argmax(1)
        return np.mean(answers == task.test[1])

    return epoch, test_accuracy


harness.run(options, f"Keras {keras.__version__}, TensorFlow {tf.__version__}", prepare)
