"""Is it what we meant? Each verb tries one thing on a written bundle and gives a Check."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bundler.arguments import unusable
from bundler.checkpoint import prefix
from bundler.dtypes import DType
from bundler.errors import Fault, VerificationError
from bundler.graphdef import structure
from bundler.model import Model, TensorSpec
from bundler.nodes import Shape
from bundler.report import Check
from bundler.runtime import Runtime
from bundler.savedmodel import MetaGraph
from bundler.variables import restoring

__all__ = ["graph", "load", "restore"]


def load(folder: Path, metagraph: MetaGraph, runtime: Runtime) -> Check:
    """Load a MetaGraph as a server does, and find every tensor of its signatures as they say.

    Raises VerificationError where TensorFlow refuses it, or knows a tensor otherwise.
    """
    return _compare("load", metagraph.model, lambda tensors: runtime.load(folder, metagraph.tags, tensors))


def graph(model: Model, runtime: Runtime) -> Check:
    """Import a frozen graph, less its large weights, and find every tensor of its signatures as they say.

    Raises VerificationError as `load` does.
    """
    return _compare("import", model, lambda tensors: runtime.shapes(structure(model), tensors))


def restore(folder: Path, metagraph: MetaGraph, runtime: Runtime) -> Check:
    """Restore the variables of a MetaGraph by its own nodes, one batch after another: never are all of them held.

    Raises VerificationError where one is missing, damaged, or of another dtype.
    """
    started = time.perf_counter()
    for node, part in restoring(metagraph.model, prefix(folder)):
        runtime.execute(structure(part), [node])
    size = sum(variable.weight.nbytes for variable in metagraph.variables)
    told = f"{len(metagraph.variables)} variables of {size:,} bytes in {time.perf_counter() - started:.2f} s"
    return Check("restore", True, told)


def _compare(name: str, model: Model, find: Callable[[list[str]], list[tuple[DType, Shape | None]]]) -> Check:
    started = time.perf_counter()
    specs = {
        f"signature {key!r}, {entry!r}": spec
        for key, signature in model.signatures.items()
        for entry, spec in (*signature.inputs.items(), *signature.outputs.items())
    }
    found = find([spec.tensor.full for spec in specs.values()])
    faults = [
        fault
        for (where, spec), (dtype, shape) in zip(specs.items(), found)
        for fault in _differences(where, spec, dtype, shape)
    ]
    faults += [
        Fault(f"tf.saved_model.load cannot pass this input: {why}", f"signature {key!r}, {entry!r}")
        for key, signature in model.signatures.items()
        for entry, why, _ in unusable(signature.inputs)
    ]
    if faults:
        raise VerificationError.of(faults)
    return Check(name, True, f"{len(specs)} tensors found in {time.perf_counter() - started:.2f} s")


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
