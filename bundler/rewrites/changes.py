"""Which ops the rewrites replaced, and by what: for the user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bundler.ir.model import Change, Graph, Model
from bundler.ir.nodes import Node, node_of

__all__ = ["Replacements", "changes"]


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


class Replacements:
    """The nodes of the graph `after` rewrites that stand for nodes of the graph before."""

    def __init__(self, before: Graph, after: Graph) -> None:
        self._after = after
        old = before.by_name
        self._new = {node.name: place for place, node in enumerate(after.nodes) if node.name not in old}

    def of(self, was: Node) -> tuple[Node, ...]:
        """The nodes in place of one of the graph before, which is the last of them; empty if it is as it was."""
        node = self._after.by_name.get(was.name)
        if node is None or node is was:
            return ()
        new = self._new_before(node)
        return (*new, node) if new or node.op != was.op else ()

    def _new_before(self, node: Node) -> list[Node]:
        """The new nodes that a node reads, itself or through other new nodes, in the order of the graph."""
        found, pending = set[int](), [node]
        while pending:
            for name in map(node_of, pending.pop().input):
                place = self._new.get(name)
                if place is not None and place not in found:
                    found.add(place)
                    pending.append(self._after.nodes[place])
        return [self._after.nodes[place] for place in sorted(found)]


def _pairs(before: Model, after: Model) -> Iterator[tuple[Graph, Graph]]:
    yield before.graph, after.graph
    for name, function in after.functions.items():
        if name in before.functions:
            yield before.functions[name].graph, function.graph


def _changed(before: Graph, after: Graph) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The op of each node that was replaced, and the distinct ops in its place."""
    replacements = Replacements(before, after)
    for was in before.nodes:
        nodes = replacements.of(was)
        if nodes:
            *new, last = (node.op for node in nodes)
            yield was.op, tuple(dict.fromkeys([*(op for op in new if op != "Const"), last]))
