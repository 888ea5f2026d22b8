"""Call the signatures of several bundles in turn, in Python, so that all meet the same machine.

    python -m bench.turns NOTE CALLS ROUNDS BUNDLE…

CALLS is a pickled list of `Call`. NOTE gets, as JSON, a list by the signature's key: of each bundle, the milliseconds
of its fastest call, and how far its answers are from those of the first bundle, as a part of their largest value.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.caller import Call

__all__: list[str] = []

_WARM_UP = 2


def _measure(calls: Sequence[Call], rounds: int, bundles: Sequence[str]) -> dict[str, list[tuple[float, float]]]:
    import tensorflow as tf

    loaded = [tf.saved_model.load(bundle) for bundle in bundles]
    return {call.key: _turns([each.signatures[call.key] for each in loaded], call, rounds) for call in calls}


def _turns(functions: Sequence[Any], call: Call, rounds: int) -> list[tuple[float, float]]:
    """The fastest call of each function, and its distance from the first function's answers."""
    import tensorflow as tf

    inputs = {name: tf.constant(value) for name, value in call.inputs.items()}
    answers = [_answer(function, inputs) for function in functions]
    best = [float("inf")] * len(functions)
    for turn in range(_WARM_UP + rounds):
        order = range(len(functions)) if turn % 2 else reversed(range(len(functions)))
        for number in order:  # who comes second finds another cache
            started = time.perf_counter()
            _answer(functions[number], inputs)
            if turn >= _WARM_UP:
                best[number] = min(best[number], (time.perf_counter() - started) * 1000)
    return [(milliseconds, _distance(answer, answers[0])) for milliseconds, answer in zip(best, answers)]


def _answer(function: Any, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in function(**inputs).items()}


def _distance(answer: Mapping[str, np.ndarray], than: Mapping[str, np.ndarray]) -> float:
    return max(_largest(answer[name] - than[name]) / max(_largest(than[name]), 1e-30) for name in than)


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values.astype(np.float64)).max(initial=0))


if __name__ == "__main__":
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    _, note, calls, rounds, *bundles = sys.argv
    Path(note).write_text(json.dumps(_measure(pickle.loads(Path(calls).read_bytes()), int(rounds), bundles)))
