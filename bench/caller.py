"""Load a SavedModel in this process and call every signature, in C or in Python: seconds of CPU, latency, and memory.

    python -m bench.caller NOTE c|python BUNDLE CALLS ROUNDS

CALLS is a pickled list of `Call`, NOTE gets the figures as JSON. Memory is what the process has more than before it
loaded, in MB: the library itself takes 0.3 to 0.6 GB. Milliseconds are those of a round, in which each signature is
called once: the median of ROUNDS after the first calls.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Call"]


class Call(NamedTuple):
    """A signature with the values of its inputs, by name and by tensor of the graph, and the tensors of its outputs."""

    key: str
    inputs: Mapping[str, np.ndarray]
    fed: Sequence[tuple[str, int]]
    fetched: Sequence[tuple[str, int]]


def _in_c(bundle: str, calls: Sequence[Call]) -> tuple[Callable[[], object], Callable[[], object]]:
    """What loads the bundle, and what calls its signatures."""
    from bundler.runtimes.tensorflow.engines.native import Native
    from bundler.runtimes.tensorflow.installed import library
    from bundler.runtimes.tensors import packed

    engine = Native(str(library()))

    given = [([*call.fed], [packed(value) for value in call.inputs.values()], [*call.fetched]) for call in calls]
    return (
        lambda: engine._keep(bundle, ["serve"]),
        lambda: [engine.run(bundle, ["serve"], *each) for each in given],
    )


def _in_python(bundle: str, calls: Sequence[Call]) -> tuple[Callable[[], object], Callable[[], object]]:
    """The same by `tf.saved_model.load`."""
    import tensorflow as tf

    loaded: list[Any] = []
    given = [{name: tf.constant(value) for name, value in call.inputs.items()} for call in calls]
    return (
        lambda: loaded.append(tf.saved_model.load(bundle)),
        lambda: [loaded[0].signatures[call.key](**values) for call, values in zip(calls, given)],
    )


_LOADERS = {"c": _in_c, "python": _in_python}


def _resident() -> float:
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmRSS:"))


def _measure(loader: str, bundle: str, calls: Sequence[Call], rounds: int) -> dict[str, float]:
    load, call = _LOADERS[loader](bundle, calls)
    memory, started = _resident(), time.process_time()
    load()
    loaded, held = time.process_time(), _resident()
    call()
    called, then_held = time.process_time(), _resident()
    return {
        "load_cpu_seconds": loaded - started,
        "first_cpu_seconds": called - loaded,
        "milliseconds": median(_milliseconds(call) for _ in range(rounds)),
        "loaded_mb": held - memory,
        "called_mb": then_held - memory,
    }


def _milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    _, note, loader, bundle, calls, rounds = sys.argv
    Path(note).write_text(json.dumps(_measure(loader, bundle, pickle.loads(Path(calls).read_bytes()), int(rounds))))
