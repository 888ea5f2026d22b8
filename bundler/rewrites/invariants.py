"""What holds between two passes, whatever they do."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain

from bundler.ir.model import Graph, Model
from bundler.ir.nodes import node_of

__all__ = ["check"]


def check(model: Model, *, after: str) -> None:
    """Check that names are unique, and that all that nodes, functions and signatures refer to is there.

    Raises AssertionError, which names the pass `after` which this does not hold: a bug of that pass.
    """
    asked = {spec.tensor.node for signature in model.signatures.values() for spec in signature.specs}
    _check_graph(model.graph, (), "the model", asked.union(model.initializers), after)
    for name, function in model.functions.items():
        arguments = [argument.name for argument in function.definition.signature.input_arg]
        results = {tensor.node for tensor in function.returns.values()}
        _check_graph(function.graph, arguments, f"function {name!r}", results, after)


def _check_graph(graph: Graph, arguments: Collection[str], asking: str, asked: set[str], after: str) -> None:
    if len(graph.by_name) != len(graph.nodes):
        raise AssertionError(f"{after}: two nodes have one name")
    if not graph.weights.keys() <= graph.by_name.keys():
        raise AssertionError(f"{after}: no node has the weight {min(graph.weights.keys() - graph.by_name.keys())!r}")
    read = set(map(node_of, chain.from_iterable(node.input for node in graph.nodes)))
    for reader, needed in (("a node", read), (asking, asked)):
        missing = needed.difference(graph.by_name, arguments)
        if missing:
            raise AssertionError(f"{after}: {reader} needs {min(missing)!r}, which no node makes")
