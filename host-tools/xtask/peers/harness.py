"""What the peers of `cargo xtask bench host` share: arguments, data, clocks.

A peer calls `arguments()` before it imports its framework, then `run(arguments, prepare)`, where
`prepare(task)` returns `(epoch, test_accuracy)`: a function that trains for one epoch, another that
gives the share of right answers on the test part. One JSON object is printed on stdout.
"""

import argparse
import gzip
import json
import os
import pathlib
import time
from dataclasses import dataclass


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=["lab01", "cnn"])
    parser.add_argument("--data", required=True, help="folder with the four files of Fashion-MNIST")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    # Only so many cores, whatever pools a framework makes; and pools of that size.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    threads = str(options.threads)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = threads
    os.environ["TF_NUM_INTRAOP_THREADS"] = threads
    os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ["JAX_PLATFORMS"] = "cpu"
    if options.threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return options


@dataclass
class Task:
    """Images are f32 in 0..1, `[samples, 28, 28, 1]`; labels are i32."""

    name: str
    batch: int
    threads: int
    seed: int
    train: tuple
    test: tuple


def idx(folder, name):
    import numpy as np

    path = pathlib.Path(folder) / name
    packed = path.with_name(path.name + ".gz")
    raw = gzip.open(packed).read() if packed.exists() else path.read_bytes()
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(raw[3])]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def part(folder, name):
    import numpy as np

    images = idx(folder, f"{name}-images-idx3-ubyte").astype(np.float32)[..., None] / np.float32(255)
    return images, idx(folder, f"{name}-labels-idx1-ubyte").astype(np.int32)


def run(options, version, prepare):
    train, test = part(options.data, "train"), part(options.data, "t10k")
    task = Task(options.name, options.batch, options.threads, options.seed, train, test)
    epoch, test_accuracy = prepare(task)
    seconds, cpu_seconds = [], []
    for _ in range(options.epochs):
        wall, cpu = time.perf_counter(), time.process_time()
        epoch()
        seconds.append(time.perf_counter() - wall)
        cpu_seconds.append(time.process_time() - cpu)
    result = {
        "version": version,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "test_accuracy": float(test_accuracy()),
    }
    print(json.dumps(result), flush=True)
