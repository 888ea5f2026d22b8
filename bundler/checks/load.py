"""Does TensorFlow load the graph, and does each tensor of the signatures have the dtype and shape that they say?

`owners` are the names of the models behind the signatures, by key: a fault names the model.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bundler.checks.functions import check_functions
from bundler.encoding.graphdef import structure
from bundler.errors import Fault, VerificationError
from bundler.ir.dtypes import DType
from bundler.ir.model import Model, TensorSpec
from bundler.ir.nodes import Shape
from bundler.outputs.savedmodel import MetaGraph
from bundler.report import Check
from bundler.runtimes.failures import Failure
from bundler.runtimes.tensorflow import Runtime
from bundler.serving.arguments import unusable

__all__ = ["graph", "load"]


def load(folder: Path, metagraph: MetaGraph, owners: Mapping[str, tuple[str, ...]], runtime: Runtime) -> Check:
    """Load a MetaGraph as TensorFlow Serving does, and compare every tensor of its signatures.

    Raises VerificationError if TensorFlow refuses it or one of its functions, or knows a tensor otherwise.
    """
    with _naming(owners):
        check_functions(metagraph.model, runtime)
        _check_inputs(metagraph.model, owners)
        return _compare("load", metagraph.model, owners, lambda tensors: runtime.load(folder, metagraph.tags, tensors))


def graph(model: Model, owners: Mapping[str, tuple[str, ...]], runtime: Runtime) -> Check:
    """Import a frozen graph without its large weights, and compare every tensor of its signatures.

    Raises VerificationError as `load` does.
    """
    with _naming(owners):
        check_functions(model, runtime)
        return _compare("import", model, owners, lambda tensors: runtime.shapes(structure(model), tensors))


@contextmanager
def _naming(owners: Mapping[str, tuple[str, ...]]) -> Iterator[None]:
    """Raise VerificationError if TensorFlow refuses the graph. It names the model if TensorFlow's message does."""
    try:
        yield
    except Failure as failure:
        models = dict.fromkeys(name for names in owners.values() for name in names)
        named = list(models) if len(models) == 1 else [name for name in models if _names(str(failure), name)]
        place = ", ".join(f"model {name!r}" for name in named)
        # The failure's own place is the folder of an unpublished bundle, which is about to be removed.
        raise VerificationError.of([replace(failure.fault, where=place)]) from failure


def _names(message: str, model: str) -> bool:
    """Whether TensorFlow names a node in the scope of a model: `{{node posenet/y}}`, or `Node 'posenet/y'`."""
    return re.search(rf"[nN]ode '?(function\.\d+\.)?{re.escape(model)}/", message) is not None


def _check_inputs(model: Model, owners: Mapping[str, tuple[str, ...]]) -> None:
    """Raise VerificationError for inputs that `tf.saved_model.load` refuses as arguments. The C library takes them."""
    faults = [
        Fault(f"tf.saved_model.load cannot pass this input: {why}", _place(owners, key, entry))
        for key, signature in model.signatures.items()
        for entry, why, _ in unusable(signature.inputs)
    ]
    if faults:
        raise VerificationError.of(faults)


def _compare(
    name: str,
    model: Model,
    owners: Mapping[str, tuple[str, ...]],
    find: Callable[[list[str]], list[tuple[DType, Shape | None]]],
) -> Check:
    started = time.perf_counter()
    specs = {
        _place(owners, key, entry): spec
        for key, signature in model.signatures.items()
        for entry, spec in (*signature.inputs.items(), *signature.outputs.items())
    }
    found = find([spec.tensor.full for spec in specs.values()])
    faults = [
        fault
        for (where, spec), (dtype, shape) in zip(specs.items(), found)
        for fault in _differences(where, spec, dtype, shape)
    ]
    if faults:
        raise VerificationError.of(faults)
    return Check(name, f"{len(specs)} tensors found in {time.perf_counter() - started:.2f} s")


def _place(owners: Mapping[str, tuple[str, ...]], key: str, entry: str) -> str:
    models = "".join(f"model {name!r}: " for name in owners[key])
    return f"{models}signature {key!r}, {entry!r}"


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
