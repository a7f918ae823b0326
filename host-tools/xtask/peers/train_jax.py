"""JAX in its fastest form: a whole epoch is one compiled `lax.scan`, with Adam by hand."""

import harness

options = harness.arguments()

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jax import lax  # noqa: E402


def glorot(key, shape):
    receptive = int(np.prod(shape[:-2]))
    limit = np.sqrt(6 / (receptive * (shape[-2] + shape[-1])))
    return jax.random.uniform(key, shape, minval=-limit, maxval=limit), jnp.zeros(shape[-1])


SHAPES = {
    "lab01": [(784, 128), (128, 10)],
    "cnn": [(3, 3, 1, 8), (3, 3, 8, 16), (400, 64), (64, 10)],
}


def logits(parameters, x):
    *hidden, (w, b) = parameters
    for weights, bias in hidden:
        if weights.ndim == 4:
            x = lax.conv_general_dilated(x, weights, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
            x = jax.nn.relu(x + bias)
            x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        else:
            x = jax.nn.relu(x.reshape(len(x), -1) @ weights + bias)
    return x @ w + b


def loss(parameters, x, labels):
    y = logits(parameters, x)
    chosen = jnp.take_along_axis(y, labels[:, None], axis=1)[:, 0]
    return jnp.mean(jax.nn.logsumexp(y, axis=1) - chosen)


def step(state, batch):
    parameters, m, v, t = state
    gradient = jax.grad(loss)(parameters, *batch)
    t = t + 1
    rate = 0.001 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, gradient)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, gradient)
    parameters = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), parameters, m, v)
    return (parameters, m, v, t), None


@jax.jit
def scan(state, x, labels, order):
    def gathered(state, indices):
        return step(state, (x[indices], labels[indices]))

    return lax.scan(gathered, state, order)[0]


def prepare(task):
    x, labels = map(jnp.asarray, task.train)
    if task.name == "lab01":
        x = x.reshape(len(x), -1)
    keys = jax.random.split(jax.random.key(task.seed), len(SHAPES[task.name]))
    parameters = [glorot(key, shape) for key, shape in zip(keys, SHAPES[task.name])]
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    random = np.random.default_rng(task.seed)
    # An epoch of equal batches; the remainder of the shuffled samples waits for the next one.
    steps = len(x) // task.batch
    state = (parameters, zeros, zeros, jnp.float32(0))

    def epoch():
        nonlocal state
        order = random.permutation(len(x))[: steps * task.batch].reshape(steps, task.batch)
        state = jax.block_until_ready(scan(state, x, labels, jnp.asarray(order)))

    def test_accuracy():
        images = task.test[0].reshape(-1, *x.shape[1:])
        return np.mean(np.asarray(logits(state[0], images)).argmax(1) == task.test[1])

    return epoch, test_accuracy


harness.run(options, f"JAX {jax.__version__}", prepare)
