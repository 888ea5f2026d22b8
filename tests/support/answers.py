"""The answers of a SavedModel in a Python program that loads it with `tf.saved_model.load`.

That road goes through more of TensorFlow's graph optimizers than a session does, so tests ask models on both.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bundler.runtimes.failures import Failure
from tests.support.elsewhere import call

__all__ = ["NO_ONEDNN", "ONEDNN", "Tensors", "answers"]

Tensors = Mapping[str, np.ndarray]

ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "1"}
NO_ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "0"}


def answers(bundle: Path, feeds: Mapping[str, Tensors], environment: Mapping[str, str]) -> dict[str, Tensors]:
    """The outputs of every signature in `feeds`, by signature and name.

    Raises AssertionError if TensorFlow refuses the bundle, with its traceback, or dies of it, with the signal.
    """
    try:
        return call(_asked, str(bundle), dict(feeds), environment=environment)
    except Failure as failure:
        raise AssertionError(str(failure)) from None


def _asked(bundle: str, feeds: Mapping[str, Tensors]) -> dict[str, Tensors]:
    import tensorflow as tf

    loaded = tf.saved_model.load(bundle)
    found: dict[str, Tensors] = {}
    for key, values in feeds.items():
        tensors = {name: tf.constant(value) for name, value in values.items()}
        found[key] = {name: value.numpy() for name, value in loaded.signatures[key](**tensors).items()}
    return found
