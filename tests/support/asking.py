"""Ask a bundle by signature and name, in TensorFlow's C runtime: as TensorFlow Serving would."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from bundler.ir.model import Signature
from bundler.ir.protos import SavedModel
from bundler.outputs.savedmodel import FILE, read_signatures
from bundler.runtimes.tensorflow import Runtime

__all__ = ["ask", "error", "signatures"]


@cache
def signatures(bundle: Path) -> Mapping[str, Signature]:
    """The signatures of a bundle's first MetaGraph, by key."""
    saved = SavedModel()
    saved.ParseFromString((bundle / FILE).read_bytes())
    return read_signatures(saved.meta_graphs[0])


def ask(runtime: Runtime, bundle: Path, key: str, **feeds: np.ndarray) -> dict[str, np.ndarray]:
    """The outputs of one signature, by name."""
    signature = signatures(bundle)[key]
    values = runtime.run(
        bundle,
        ["serve"],
        {signature.inputs[name].tensor.full: value for name, value in feeds.items()},
        [spec.tensor.full for spec in signature.outputs.values()],
    )
    return dict(zip(signature.outputs, values))


def error(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, as a part of the largest value; infinite if shapes or whole numbers differ."""
    if found.shape != expected.shape:
        return np.inf
    if found.dtype.kind != "f":
        return 0.0 if np.array_equal(found, expected) else np.inf
    scale = max(float(np.abs(expected).max(initial=0)), float(np.finfo(np.float32).tiny))
    return float(np.abs(found - expected).max(initial=0)) / scale
