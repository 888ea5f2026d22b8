"""What a SavedModel answers in a Python program that loads it with `tf.saved_model.load`.

That road goes through more of TensorFlow's graph optimizers than a session does, so models are asked on both. It
runs in a process of its own: some of what is tested here kills the process when it is wrong.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

Tensors = Mapping[str, np.ndarray]

ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "1"}
NO_ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "0"}


def answers(bundle: Path, feeds: Mapping[str, Tensors], environment: Mapping[str, str]) -> dict[str, Tensors]:
    """The outputs of every signature in `feeds`, by signature and name."""
    told = subprocess.run(
        [sys.executable, __file__, str(bundle)],
        input=pickle.dumps(feeds),
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", **environment},
        capture_output=True,
        check=False,
    )
    assert told.returncode == 0, f"TensorFlow died ({told.returncode}): {told.stderr.decode()[-2000:]}"
    found: dict[str, Tensors] = pickle.loads(told.stdout)
    return found


def _answer() -> None:
    answers_to = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # TensorFlow may print
    import tensorflow as tf

    loaded = tf.saved_model.load(sys.argv[1])
    found = {}
    for key, feeds in pickle.loads(sys.stdin.buffer.read()).items():
        tensors = {name: tf.constant(value) for name, value in feeds.items()}
        found[key] = {name: value.numpy() for name, value in loaded.signatures[key](**tensors).items()}
    answers_to.write(pickle.dumps(found))


if __name__ == "__main__":
    _answer()
