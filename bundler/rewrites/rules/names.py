"""Names that TensorFlow accepts: ASCII letters, digits and a few signs. TensorFlow.js accepts any string."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from bundler.ir.fresh import FreshNames
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, Tensor
from bundler.ir.renames import calling, with_name

__all__ = ["legal_names", "renames"]

_PIECE = "[A-Za-z0-9.][A-Za-z0-9._/-]*"
_LEGAL = re.compile(f"{_PIECE}(?:>{_PIECE})*")
"""`IsValidNodeName` in tensorflow/core/graph/validate.cc."""
_FUNCTION = re.compile("[A-Za-z0-9._/>-]+")
"""Names of functions may begin with any of these signs: TensorFlow's own begin with `__inference_`."""
_START = re.compile("[A-Za-z0-9.]")
_FOREIGN = re.compile("[^A-Za-z0-9._/-]")
_LISTED = 5
"""Renames that a note lists."""


def legal_names(model: Model) -> Model:
    """Rename nodes, functions and arguments whose names TensorFlow refuses, and the references to them.

    Keys of signatures stay as they are. The names of loop frames, tables and tensor arrays may be any string.

    Before:
        très = Relu(x)
        y = Neg(très)
    After:
        tr_s = Relu(x)
        y = Neg(tr_s)
    """
    functions = renames(model.functions, _FUNCTION)
    nodes = renames(model.graph.by_name)
    bodies = {name: _body(each, functions) for name, each in model.functions.items()}
    inner = [pair for body, renames in bodies.values() for pair in renames]
    if not (functions or nodes or inner):
        return model
    graph = _graph(model.graph, nodes, functions)
    made = replace(
        model,
        graph=graph,
        functions={functions.get(name, name): body for name, (body, _) in bodies.items()},
        initializers=tuple(nodes.get(name, name) for name in model.initializers),
    ).map_signatures(lambda spec: replace(spec, tensor=_moved(spec.tensor, nodes)))
    return made.noting([_note([*nodes.items(), *functions.items(), *inner])])


def _note(renames: Iterable[tuple[str, str]]) -> str:
    spelled = [f"{old!r} is {new!r}" for old, new in renames]
    more = f" and {len(spelled) - _LISTED} more" if len(spelled) > _LISTED else ""
    return f"renamed, because TensorFlow refuses such names: {', '.join(spelled[:_LISTED])}{more}"


def renames(names: Iterable[str], pattern: re.Pattern[str] = _LEGAL) -> dict[str, str]:
    """New names for those that are illegal; all names stay different."""
    listed = list(names)
    illegal = [name for name in listed if not pattern.fullmatch(name)]
    fresh = FreshNames(listed if illegal else ())
    return {name: fresh(_legal(name)) for name in illegal}


def _legal(name: str) -> str:
    made = _FOREIGN.sub("_", name)
    return made if _START.match(made) else f"n{made}"


def _graph(graph: Graph, names: Mapping[str, str], functions: Mapping[str, str]) -> Graph:
    return Graph(
        nodes=tuple(_node(node, names, functions) for node in graph.nodes),
        weights={names.get(name, name): weight for name, weight in graph.weights.items()},
    )


def _node(node: Node, names: Mapping[str, str], functions: Mapping[str, str]) -> Node:
    if names:
        node = node.reading(lambda tensor: _moved(tensor, names))._replace(name=names.get(node.name, node.name))
    return calling(node, functions) if functions else node


def _moved(tensor: Tensor, names: Mapping[str, str]) -> Tensor:
    return tensor._replace(node=names.get(tensor.node, tensor.node))


def _body(function: Function, functions: Mapping[str, str]) -> tuple[Function, list[tuple[str, str]]]:
    """A function with legal names inside, and what was renamed there."""
    signature = function.definition.signature
    arguments = [argument.name for argument in signature.input_arg]
    names = renames([*arguments, *function.graph.by_name])
    results = renames([result.name for result in signature.output_arg])
    if not (names or results or functions):
        return function, []
    definition = with_name(function.definition, functions)
    for argument in definition.signature.input_arg:
        argument.name = names.get(argument.name, argument.name)
    for result in definition.signature.output_arg:
        result.name = results.get(result.name, result.name)
    body = Function(
        definition,
        _graph(function.graph, names, functions),
        {results.get(name, name): _moved(tensor, names) for name, tensor in function.returns.items()},
    )
    return body, [*names.items(), *results.items()]
