"""The answers of a SavedModel in a Python program that loads it with `tf.saved_model.load`.

That road goes through more of TensorFlow's graph optimizers than a session does, so tests ask models on both. The
program is a process of its own, one for each environment, which all tests share: importing TensorFlow takes seconds.
Some graphs of these tests kill it; the next question starts it again.
"""

from __future__ import annotations

import pickle
import sys
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from bundler.runtimes.child import Child, serve
from bundler.runtimes.failures import Died
from tests.support.places import ROOT

__all__ = ["NO_ONEDNN", "ONEDNN", "Tensors", "answers"]

Tensors = Mapping[str, np.ndarray]

ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "1"}
NO_ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "0"}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": str(ROOT)}


def answers(bundle: Path, feeds: Mapping[str, Tensors], environment: Mapping[str, str]) -> dict[str, Tensors]:
    """The outputs of every signature in `feeds`, by signature and name.

    Raises AssertionError if TensorFlow refuses the bundle, with its traceback, or dies of it, with the signal.
    """
    try:
        reply = _program(frozenset(environment.items())).ask(pickle.dumps((str(bundle), dict(feeds))))
    except Died as death:
        raise AssertionError(str(death)) from None
    found, refusal = pickle.loads(reply)
    assert not refusal, refusal
    answered: dict[str, Tensors] = found
    return answered


@cache
def _program(environment: frozenset[tuple[str, str]]) -> Child:
    """The process for an environment. It ends with ours, when its standard input does."""
    return Child("tf.saved_model.load", [sys.executable, "-m", __name__], {**QUIET, **dict(environment)})


def _answer(question: bytes) -> bytes:
    try:
        return pickle.dumps((_asked(*pickle.loads(question)), ""))
    except Exception:
        return pickle.dumps((None, traceback.format_exc()[-2000:]))


def _asked(bundle: str, feeds: Mapping[str, Tensors]) -> dict[str, dict[str, np.ndarray]]:
    import tensorflow as tf

    loaded = tf.saved_model.load(bundle)
    found = {}
    for key, values in feeds.items():
        tensors = {name: tf.constant(value) for name, value in values.items()}
        found[key] = {name: value.numpy() for name, value in loaded.signatures[key](**tensors).items()}
    return found


if __name__ == "__main__":
    serve(_answer)
