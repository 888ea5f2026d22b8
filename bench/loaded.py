"""A bundle in use: loaded in a fresh process, and its signatures called there."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from statistics import median

import numpy as np

from bench import measure
from bench.builds import Setting
from bench.caller import Call
from bench.measure import TooLong
from bench.rows import Row
from bundler.bundle import Bundle, Endpoint
from bundler.ir.model import TensorSpec

__all__ = ["LOADERS", "loaded", "once", "written_calls"]

LOADERS = ("c", "python")
"""TensorFlow's C library, which servers use, and `tf.saved_model.load`."""

_ROUNDS = 10
_SIDE = 224
"""What is fed where a signature leaves a size open: the side of the images that most classifiers take."""
_LIMIT = 240.0
"""Seconds after which a process is ended: Python's loader of plain graphs is quadratic."""


def loaded(case: str, bundle: Path, loader: str, setting: Setting, **environment: str) -> Row:
    """What loading and calling a bundle takes: medians of the setting's runs, or the limit that a run reached."""
    calls = written_calls(bundle, setting)
    try:
        found = [once(bundle, loader, calls, setting, **environment) for _ in range(setting.runs)]
    except TooLong as error:
        return Row(case, {"seconds_at_least": _LIMIT}, note=str(error))
    return Row(case, {figure: median(each[figure] for each in found) for figure in found[0]})


def once(bundle: Path, loader: str, calls: Path, setting: Setting, **environment: str) -> dict[str, float]:
    """The figures of one process. Raises TooLong at the limit."""
    note = setting.folder / "called"
    arguments = ("bench.caller", note, loader, bundle, calls, _ROUNDS)
    measure.module(*arguments, limit=_LIMIT, environment=environment)
    found: dict[str, float] = json.loads(note.read_text())
    return found


def written_calls(bundle: Path, setting: Setting) -> Path:
    """A file with a call of each signature of a bundle."""
    calls = setting.folder / "calls"
    calls.write_bytes(pickle.dumps([_call(endpoint) for endpoint in Bundle.open(bundle).endpoints]))
    return calls


def _call(endpoint: Endpoint) -> Call:
    """A call with seeded numbers, in the smallest batch."""
    inputs, outputs = endpoint.signature.inputs, endpoint.signature.outputs
    fed, fetched = ([(spec.tensor.node, spec.tensor.port) for spec in side.values()] for side in (inputs, outputs))
    return Call(endpoint.key, {name: _drawn(spec) for name, spec in inputs.items()}, fed, fetched)


def _drawn(spec: TensorSpec) -> np.ndarray:
    assert spec.dtype is not None
    shape = [size or (_SIDE if axis else 1) for axis, size in enumerate(spec.shape or ())]
    return np.random.default_rng(0).random(shape, np.float32).astype(spec.dtype.numpy)
