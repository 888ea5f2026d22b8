"""Is it what we meant? Each verb tries one thing on a written bundle and gives a Check."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from bundler.dtypes import DType
from bundler.errors import Fault, VerificationError
from bundler.model import TensorSpec
from bundler.nodes import Shape
from bundler.report import Check
from bundler.runtime import Runtime
from bundler.savedmodel import MetaGraph

__all__ = ["load"]


def load(folder: Path, metagraph: MetaGraph, runtime: Runtime) -> Check:
    """Load a MetaGraph as a server does, and find every tensor of its signatures as they say.

    Raises VerificationError where TensorFlow refuses it, or knows a tensor otherwise.
    """
    started = time.perf_counter()
    specs = {
        f"signature {key!r}, {name!r}": spec
        for key, signature in metagraph.model.signatures.items()
        for name, spec in (*signature.inputs.items(), *signature.outputs.items())
    }
    found = runtime.load(folder, metagraph.tags, [spec.tensor.full for spec in specs.values()])
    faults = [
        fault
        for (where, spec), (dtype, shape) in zip(specs.items(), found)
        for fault in _differences(where, spec, dtype, shape)
    ]
    if faults:
        raise VerificationError.of(faults)
    return Check("load", True, f"{len(specs)} tensors found in {time.perf_counter() - started:.2f} s")


def _differences(where: str, spec: TensorSpec, dtype: DType, shape: Shape | None) -> Iterator[Fault]:
    if dtype != spec.dtype:
        yield Fault("TensorFlow knows another dtype", where, found=str(dtype), expected=str(spec.dtype))
    if not _fit(shape, spec.shape):
        yield Fault("TensorFlow knows another shape", where, found=str(shape), expected=str(spec.shape))


def _fit(one: Shape | None, other: Shape | None) -> bool:
    """Whether one tensor can have both shapes: what is unknown fits everything."""
    if one is None or other is None:
        return True
    return len(one) == len(other) and all(a == b or a is None or b is None for a, b in zip(one, other))
