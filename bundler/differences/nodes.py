"""Nodes of two bundles that have one name and op, and other inputs or attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bundler.ir.model import Model
from bundler.ir.nodes import Node
from bundler.ir.prune import functions_called, running

__all__ = ["needed_nodes", "node_changes"]


def needed_nodes(model: Model) -> Iterator[tuple[str, Node]]:
    """The nodes that the signatures need, by name; those of functions after the function's name."""
    needed = running(model)
    own = [node for node in model.graph.nodes if node.name in needed]
    yield from ((node.name, node) for node in own)
    for name, function in functions_called(own, model.functions).items():
        yield from ((f"{name}/{node.name}", node) for node in function.graph.nodes)


def node_changes(before: Mapping[str, Node], after: Mapping[str, Node]) -> Iterator[str]:
    """The names of nodes that differ. The values of constants are weights, and other ops are counted as such."""
    for name in sorted(before.keys() & after.keys()):
        old, new = before[name], after[name]
        if old.op == new.op and (old.input != new.input or _attributes(old) != _attributes(new)):
            yield name


def _attributes(node: Node) -> Mapping[str, object]:
    """The attributes that mean something: private ones are for the program that wrote the graph."""
    value = {"value"} if node.op == "Const" else set[str]()
    return {key: each for key, each in node.attr.items() if key[:1] != "_" and key not in value}
