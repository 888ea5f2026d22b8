"""Graphs in files, read without their weights.

Weights stay in the file, so a graph of 2 GB takes the memory of its nodes. A reference inside of a function is spelled
as in a graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from bundler import ops
from bundler.encoding.message import numbers
from bundler.encoding.wire import Field
from bundler.errors import SourceError
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node
from bundler.ir.protos import FunctionDef, FunctionDefLibrary, GraphDef
from bundler.ir.weight import Weight
from bundler.stored.nodes import read_nodes
from bundler.stored.skimmed import Skimmed, skimmed

__all__ = ["read_frozen", "read_graph"]

(_LIBRARY,) = numbers(GraphDef, "library")
(_FUNCTION,) = numbers(FunctionDefLibrary, "function")
_SIDES = numbers(FunctionDef, "signature", "ret")


def read_frozen(path: Path) -> Model:
    """The graph of a file with a GraphDef. Raises SourceError if it is none, or is damaged."""
    with skimmed(path, "a graph of TensorFlow") as file:
        model = read_graph(file, file.whole)
    if not model.graph.nodes:
        raise SourceError("this is not a graph of TensorFlow", where=str(path), found="no nodes")
    return model


def read_graph(file: Skimmed, message: Field) -> Model:
    """The GraphDef in a field of a file, as a model without signatures. ValueError if it is damaged."""
    libraries = (each for each in file.fields(message) if each.number == _LIBRARY)
    functions = dict(function for library in libraries for function in _functions(file, library))
    return Model(_graph(read_nodes(file, message, GraphDef)), functions=functions)


def _functions(file: Skimmed, library: Field) -> Iterator[tuple[str, Function]]:
    for each in file.fields(library):
        if each.number == _FUNCTION:
            file.count("functions")
            yield _function(file, each)


def _function(file: Skimmed, message: Field) -> tuple[str, Function]:
    sides = FunctionDef.FromString(file.part(message, _SIDES))
    graph = _graph(read_nodes(file, message, FunctionDef))
    nodes = (
        node._replace(input=tuple(str(ops.read_tensor(each, graph.by_name)) for each in node.input))
        for node in graph.nodes
    )
    returns = {name: ops.read_tensor(reference, graph.by_name) for name, reference in sides.ret.items()}
    definition = FunctionDef(signature=sides.signature)
    return sides.signature.name, Function(definition, Graph(tuple(nodes), graph.weights), returns)


def _graph(read: Iterable[tuple[Node, Weight | None]]) -> Graph:
    nodes, weights = list[Node](), dict[str, Weight]()
    for node, weight in read:
        nodes.append(node)
        if weight is not None:
            weights[node.name] = weight
    return Graph(tuple(nodes), weights)
