"""The answers of SavedModels in a Python program that loads them.

`tf.saved_model.load` goes through more of TensorFlow's graph optimizers than a session does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from tests.support.elsewhere import call

__all__ = ["load"]

Tensors: TypeAlias = Mapping[str, np.ndarray]


def load(environment: Mapping[str, str], bundle: Path, feeds: Mapping[str, Tensors]) -> dict[str, Tensors | str]:
    """The outputs of signatures by key and name, or the words of an error.

    Raises Failure if TensorFlow dies, or refuses the bundle.
    """
    found: dict[str, Tensors | str] = call(_answers, str(bundle), dict(feeds), environment=environment)
    return found


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
