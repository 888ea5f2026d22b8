"""Weights as variables: in a checkpoint beside the graph, and restored from it when the graph is loaded.

A graph that holds its weights can take 2 GB at most, and cannot be trained. Here every float weight of the main graph
becomes a variable. The node that reads it has the constant's name, so no other node changes:

    Before:
        w = Const()
    After:
        w/variable = VarHandleOp()
        w = ReadVariableOp(w/variable)

Scalars stay constants, and so do weights of other dtypes (shapes and axes among them), those in a loop's frame, those
that fill a table, those that callers may feed, and those of functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, free_name, new_node, shape_proto
from bundler.ir.prune import reachable
from bundler.ir.weight import Weight

__all__ = ["Variable", "are_variables", "with_variables"]

_FLOATS = frozenset({DType.float16, DType.float32, DType.float64})

_LARGE = 1 << 29
"""Bytes of weights above which `weights = "auto"` means variables: docs/SCALE.md has what each choice costs."""


class Variable(NamedTuple):
    """A weight in the checkpoint: its name, its key there, and the names of the nodes that read, hold and set it."""

    name: str
    key: str
    reader: str
    handle: str
    setter: str
    weight: Weight


def are_variables(weights: str, models: Iterable[Model]) -> bool:
    """Whether the weights of a bundle become variables, by the manifest's `weights` and, with "auto", their size."""
    return weights == "variables" or (weights == "auto" and sum(model.weight_bytes for model in models) > _LARGE)


def with_variables(model: Model, scope: str = "", suffix: str = "") -> tuple[Model, tuple[Variable, ...]]:
    """The model with variables for its weights, in the order of the graph; the same model if it has no such weight.

    `scope` goes before their names in a checkpoint that holds variables of several graphs, `suffix` after their keys.
    """
    variables = {variable.reader: variable for variable in _variables(model, f"{scope}/" if scope else "", suffix)}
    if not variables:
        return model, ()
    kept = {name: weight for name, weight in model.graph.weights.items() if name not in variables}
    graph = Graph(tuple(new for node in model.graph.nodes for new in _reading(node, variables)), kept)
    return replace(model, graph=graph), tuple(variables.values())


def _variables(model: Model, prefix: str, suffix: str) -> Iterator[Variable]:
    graph, nodes = model.graph, model.graph.by_name
    fed = {spec.tensor.node for signature in model.signatures.values() for spec in signature.inputs.values()}
    fixed = fed | reachable(graph, model.initializers)
    for name, weight in graph.weights.items():
        if weight.dtype in _FLOATS and weight.shape and weight.size and name not in fixed and not nodes[name].input:
            handle, setter = (free_name(f"{name}/{part}", nodes) for part in ("variable", "set"))
            yield Variable(prefix + name, prefix + name + suffix, name, handle, setter, weight)


def _reading(const: Node, variables: Mapping[str, Variable]) -> list[Node]:
    """A variable in place of a constant; any other node as it is."""
    if const.name not in variables:
        return [const]
    name, _, reader, handle, _, weight = variables[const.name]
    shape = shape_proto(weight.shape)
    return [
        new_node("VarHandleOp", handle, dtype=weight.dtype, shape=shape, shared_name=name),
        new_node("ReadVariableOp", reader, [handle], dtype=weight.dtype),
    ]
