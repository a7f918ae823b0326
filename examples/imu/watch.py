"""Makes watch.npz from the smart-watch recordings in the PyPI package seglearn 1.2.5 (BSD-3-Clause, see LICENSE-watch).

    pip download --no-deps seglearn==1.2.5 && unzip seglearn-1.2.5-*.whl
    python watch.py seglearn/data/watch_dataset.npy watch.npz

Seven shoulder exercises, ten people, both arms: 140 recordings at 50 Hz of acceleration (g) and rotation (rad/s), described by
D. Burns et al., "Shoulder physiotherapy exercise recognition" (arXiv 1802.01489). Stored as an inertial sensor delivers them,
in 16 bits: 4,096 a g and 1,024 a rad/s.
"""

import sys

import numpy as np

SCALE = np.array([4096, 4096, 4096, 1024, 1024, 1024])

data = np.load(sys.argv[1], allow_pickle=True).item()
lengths = [len(recording) for recording in data["X"]]
samples = np.ascontiguousarray(np.rint(np.concatenate(data["X"]) * SCALE))
assert np.abs(samples).max() < 2**15

np.savez_compressed(
    sys.argv[2],
    samples=samples.astype(np.int16),
    lengths=np.array(lengths, np.int32),
    exercise=data["y"].astype(np.uint8),
    subject=data["subject"].astype(np.uint8),
    side=data["side"].astype(np.uint8),
)
