"""Does TensorFlow take the functions of a graph? It looks at one when it is first called, not when it is loaded."""

from __future__ import annotations

import re
from dataclasses import replace

from bundler.encoding.graphdef import structure
from bundler.errors import Fault, VerificationError
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Model, Signature, TensorSpec
from bundler.ir.nodes import new_node
from bundler.link import join, scoped
from bundler.runtimes.tensorflow import Runtime

__all__ = ["check_functions"]


def check_functions(model: Model, runtime: Runtime) -> None:
    """Import the bodies of a model's functions as one graph.

    Raises Refused if TensorFlow refuses a body, VerificationError if a result has another dtype than its function says.
    """
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
