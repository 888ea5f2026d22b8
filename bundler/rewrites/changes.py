"""Which ops the rewrites replaced, and by what: for the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bundler.ir.model import Change, Graph, Model
from bundler.ir.nodes import Node, node_of

__all__ = ["changes", "replacement"]


def changes(before: Model, after: Model) -> tuple[Change, ...]:
    """What became of the ops of a model whose nodes have their names still; the most frequent first.

    A node that has new inputs or another op was replaced. New constants are not counted as ops.
    """
    made = Counter(
        change
        for graph, rewritten in _pairs(before, after)
        if rewritten is not graph
        for change in _changed(graph, rewritten)
    )
    by_count = sorted(made.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Change(op, count, into) for (op, into), count in by_count)


def replacement(name: str, before: Graph, after: Graph) -> tuple[Node, ...]:
    """The nodes in place of one of the graph before, which is the last of them; empty if it is as it was."""
    node = after.by_name.get(name)
    if node is None or node is before.by_name[name]:
        return ()
    new = _new_before(node, before, after)
    return (*new, node) if new or node.op != before.by_name[name].op else ()


def _pairs(before: Model, after: Model) -> Iterator[tuple[Graph, Graph]]:
    yield before.graph, after.graph
    for name, function in after.functions.items():
        if name in before.functions:
            yield before.functions[name].graph, function.graph


def _changed(before: Graph, after: Graph) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The op of each node that was replaced, and the distinct ops in its place."""
    for name, was in before.by_name.items():
        nodes = replacement(name, before, after) if after.by_name.get(name) is not was else ()
        if nodes:
            *new, last = (node.op for node in nodes)
            yield was.op, tuple(dict.fromkeys([*(op for op in new if op != "Const"), last]))


def _new_before(node: Node, before: Graph, after: Graph) -> list[Node]:
    """The new nodes that a node reads, itself or through other new nodes, in the order of the graph."""
    nodes, old = after.by_name, before.by_name
    found, pending = set[str](), [node]
    while pending:
        for name in map(node_of, pending.pop().input):
            if name not in old and name not in found and name in nodes:
                found.add(name)
                pending.append(nodes[name])
    return [nodes[name] for name in sorted(found, key=after.positions.__getitem__)]
