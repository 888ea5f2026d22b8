"""Checks of a written bundle. Each function runs one and returns a Check.

`owners` are the models behind the signatures, by key: a fault names the model.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bundler.convert.arguments import unusable
from bundler.encoding.graphdef import structure
from bundler.errors import Fault, VerificationError
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Model, Signature, TensorSpec
from bundler.ir.nodes import Shape, new_node
from bundler.link import join, scoped
from bundler.outputs.checkpoint import prefix
from bundler.outputs.savedmodel import MetaGraph
from bundler.outputs.variables import restoring
from bundler.report import Check
from bundler.runtimes.failures import Failure, meaning
from bundler.runtimes.tensorflow import Runtime

__all__ = ["graph", "load", "restore"]


def load(folder: Path, metagraph: MetaGraph, owners: Mapping[str, str], runtime: Runtime) -> Check:
    """Load a MetaGraph as a server does, and find every tensor of its signatures as they say.

    Raises VerificationError if TensorFlow refuses it or one of its functions, or knows a tensor otherwise.
    """
    with _naming(owners):
        _check_functions(metagraph.model, runtime)
        _check_inputs(metagraph.model, owners)
        return _compare("load", metagraph.model, owners, lambda tensors: runtime.load(folder, metagraph.tags, tensors))


def graph(model: Model, owners: Mapping[str, str], runtime: Runtime) -> Check:
    """Import a frozen graph, less its large weights, and find every tensor of its signatures as they say.

    Raises VerificationError as `load` does.
    """
    with _naming(owners):
        _check_functions(model, runtime)
        return _compare("import", model, owners, lambda tensors: runtime.shapes(structure(model), tensors))


def restore(folder: Path, metagraph: MetaGraph, runtime: Runtime) -> Check:
    """Restore the variables of a MetaGraph by its own nodes. Never more than one batch of them is in memory.

    Raises VerificationError if one is missing, damaged, or of another dtype.
    """
    started = time.perf_counter()
    with meaning(VerificationError):
        for name, part in restoring(metagraph.model, prefix(folder)):
            runtime.execute(structure(part), [name])
    size = sum(variable.weight.nbytes for variable in metagraph.variables)
    detail = f"{len(metagraph.variables)} variables of {size:,} bytes in {time.perf_counter() - started:.2f} s"
    return Check("restore", detail)


def _check_functions(model: Model, runtime: Runtime) -> None:
    """Import the bodies of functions as a graph. TensorFlow looks at a function when it is first called, not before."""
    if not model.functions:
        return
    bodies = {_scope(at, name): _body(function) for at, (name, function) in enumerate(model.functions.items())}
    graph = replace(join({scope: scoped(body, scope) for scope, body in bodies.items()}), functions=model.functions)
    results = [(spec.tensor.full, spec.dtype) for signature in graph.signatures.values() for spec in signature.specs]
    found = runtime.shapes(structure(graph), [tensor for tensor, _ in results])
    faults = [
        Fault("TensorFlow knows another dtype", tensor, found=str(dtype), expected=str(expected))
        for (tensor, expected), (dtype, _) in zip(results, found)
        if dtype != expected
    ]
    if faults:
        raise VerificationError.of(fault.inside("a result of a function") for fault in faults)


def _scope(number: int, function: str) -> str:
    """A name that a scope may have, and by which a reader finds the function."""
    return f"function.{number}." + re.sub("[^A-Za-z0-9_./-]", "_", function)


def _body(function: Function) -> Model:
    """A function as a graph: its arguments become Placeholders, its results outputs."""
    signature = function.definition.signature
    arguments = tuple(new_node("Placeholder", arg.name, dtype=DType(arg.type)) for arg in signature.input_arg)
    results = {arg.name: TensorSpec(function.returns[arg.name], DType(arg.type)) for arg in signature.output_arg}
    graph = replace(function.graph, nodes=(*arguments, *function.graph.nodes))
    return Model(graph, {signature.name: Signature({}, results)})


@contextmanager
def _naming(owners: Mapping[str, str]) -> Iterator[None]:
    """Raise VerificationError for what TensorFlow refuses, with the model that it speaks of, if that is clear."""
    try:
        yield
    except Failure as failure:
        models = dict.fromkeys(owners.values())
        named = list(models) if len(models) == 1 else [name for name in models if _speaks_of(str(failure), name)]
        place = ", ".join(f"model {name!r}" for name in named)
        # The failure's own place is the folder of an unpublished bundle, which is about to be removed.
        raise VerificationError.of([replace(failure.fault, where=place)]) from failure


def _speaks_of(message: str, model: str) -> bool:
    """Whether TensorFlow names a node in the scope of a model: `{{node posenet/y}}`, or `Node 'posenet/y'`."""
    return re.search(rf"[nN]ode '?(function\.\d+\.)?{re.escape(model)}/", message) is not None


def _check_inputs(model: Model, owners: Mapping[str, str]) -> None:
    """`tf.saved_model.load` makes arguments of the inputs; the C library, which loads here, does not."""
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
    owners: Mapping[str, str],
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


def _place(owners: Mapping[str, str], key: str, entry: str) -> str:
    return f"model {owners[key]!r}: signature {key!r}, {entry!r}"


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
