"""What SavedModels answer in a Python program that loads them: run as a program, asked over a pipe (see `Loader`).

`tf.saved_model.load` goes through more of TensorFlow's graph optimizers than a session does.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from bundler.runtimes.child import Child, serve
from tests.support.places import ROOT

__all__ = ["Loader"]

Tensors: TypeAlias = Mapping[str, np.ndarray]

_START = "import sys; sys.path[:] = {path!r}; from tests.layers.load import main; main()"


class Loader:
    """A process that loads SavedModels."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        command = [sys.executable, "-c", _START.format(path=[str(ROOT), *sys.path])]
        self._child = Child("tf.saved_model.load", command, {**quiet, **environment})

    def close(self) -> None:
        self._child.close()

    def run(self, bundle: Path, feeds: Mapping[str, Tensors]) -> dict[str, Tensors | str]:
        """The outputs of signatures by key and name, or the words of an error. Died if TensorFlow does."""
        found: dict[str, Tensors | str] = pickle.loads(self._child.ask(pickle.dumps((str(bundle), feeds))))
        return found


def main() -> None:
    """Answer questions until standard input ends."""
    serve(lambda question: pickle.dumps(_answers(*pickle.loads(question))))


def _answers(bundle: str, feeds: Mapping[str, Tensors]) -> dict[str, Tensors | str]:
    import tensorflow as tf

    signatures = tf.saved_model.load(bundle).signatures
    return {key: _answer(signatures[key], given) for key, given in feeds.items()}


def _answer(signature: Any, feeds: Tensors) -> Tensors | str:
    import tensorflow as tf

    try:
        return {name: value.numpy() for name, value in signature(**feeds).items()}
    except (tf.errors.OpError, TypeError, ValueError) as error:
        return str(error)
