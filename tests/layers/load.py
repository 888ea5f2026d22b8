"""What the signatures of a SavedModel answer in a Python program that loads it: run as a program.

    python -m tests.layers.load BUNDLE

Standard input is a pickle of inputs by key and name; so is what is printed, with the words of an error in place of the
outputs if a signature fails. `tf.saved_model.load` goes through more of TensorFlow's graph optimizers than a session.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np


def main(bundle: str) -> None:
    answers_to = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # TensorFlow may print
    import tensorflow as tf

    signatures = tf.saved_model.load(bundle).signatures
    found = {key: _answer(signatures[key], feeds) for key, feeds in pickle.loads(sys.stdin.buffer.read()).items()}
    answers_to.write(pickle.dumps(found))


def _answer(signature: Any, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray] | str:
    import tensorflow as tf

    try:
        return {name: value.numpy() for name, value in signature(**feeds).items()}
    except (tf.errors.OpError, TypeError, ValueError) as error:
        return str(error)


if __name__ == "__main__":
    main(sys.argv[1])
