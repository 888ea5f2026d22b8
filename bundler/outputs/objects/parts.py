"""A part of the main graph as the body of a function.

    Before:
        x = Placeholder()
        w = Const()
        y = MatMul(x, w)
    After, with the argument `a` for x, which callers feed, and `b` for w, which is taken from outside:
        y = MatMul(a, b)

A constant with control edges belongs to a branch of version 1 control flow. An Identity with these edges takes its
place. In a loop an Identity could not read what is outside the frame, so constants there are copied.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping
from typing import NamedTuple

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Tensor, node_of
from bundler.outputs.objects.captures import Capture

__all__ = ["Part", "Parts", "spellings"]

_PLACEHOLDERS = frozenset({"Placeholder", "PlaceholderV2", "PlaceholderWithDefault"})


class Part(NamedTuple):
    """A part of a graph: its nodes in their order, with the objects behind those that are taken from outside, by node.

    `ready` are the names of Placeholders whose place arguments take.
    """

    whole: Graph
    nodes: list[Node]
    taken: dict[str, Capture]
    ready: set[str]

    @property
    def captured(self) -> list[Capture]:
        """The objects, each once."""
        return list({capture.node: capture for capture in self.taken.values()}.values())

    def is_replaced(self, node: Node) -> bool:
        """Whether an argument takes the place of a node. A constant in a branch has control edges to keep."""
        return node.name in self.taken and not (node.op == "Const" and node.input)

    def graph(self, spelled: Mapping[str, str], outside: Mapping[str, str]) -> Graph:
        """The nodes that read arguments; `spelled` are those of `spellings`."""
        read = [_reading(node, spelled) for node in self.nodes if not self.is_replaced(node)]
        nodes = [
            _entering(node, outside[self.taken[node.name].node]) if node.name in self.taken else node for node in read
        ]
        weights = self.whole.weights
        copied = {node.name: weights[node.name] for node in nodes if node.op == "Const" and node.name in weights}
        return Graph(tuple(nodes), copied)


class Parts:
    """Takes parts of a graph. `captures` are the objects behind its nodes, by the node's name."""

    def __init__(self, graph: Graph, captures: Mapping[str, Capture]) -> None:
        self._graph = graph
        self._captures = captures

    def part(self, fed: Collection[Tensor], wanted: Iterable[Tensor]) -> Part:
        """What makes the wanted tensors from those that are fed."""
        ready = {tensor.node for tensor in fed if self._graph.by_name[tensor.node].op in _PLACEHOLDERS}
        given = {*fed, *(Tensor(name, -1) for name in ready)}
        found = self._found({spelling for tensor in given for spelling in (str(tensor), tensor.full)}, wanted)
        nodes = [self._graph.nodes[place] for place in sorted(map(self._graph.positions.__getitem__, found))]
        has_loops = any(node.op == "Enter" for node in nodes)
        taken = {
            node.name: self._captures[node.name]
            for node in nodes
            if node.name in self._captures and not (has_loops and node.input)
        }
        return Part(self._graph, nodes, taken, ready)

    def _found(self, fed: Container[str], wanted: Iterable[Tensor]) -> set[str]:
        """The names of the nodes behind the wanted tensors. `fed` has all spellings of what callers feed."""
        found, pending = set[str](), list(map(str, wanted))
        while pending:
            reference = pending.pop()
            if reference not in fed and (name := node_of(reference)) not in found:
                found.add(name)
                pending += self._graph.by_name[name].input
        return found


def spellings(part: Part, fed: Mapping[Tensor, str], outside: Mapping[str, str]) -> dict[str, str]:
    """The names of arguments by all spellings of what they stand for; "" for control edges, as arguments are ready.

    `fed` has them by the tensors that callers feed, `outside` by `Capture.node`.
    """
    free = {node.name: outside[part.taken[node.name].node] for node in part.nodes if part.is_replaced(node)}
    spelled = {spelling: name for tensor, name in fed.items() for spelling in (str(tensor), tensor.full)}
    spelled |= free | {f"{node}:0": name for node, name in free.items()}
    return spelled | {f"^{node}": "" for node in (*free, *part.ready)}


def _reading(node: Node, spelled: Mapping[str, str]) -> Node:
    """A node that reads arguments by their names."""
    if spelled.keys().isdisjoint(node.input):
        return node
    read = [spelled.get(reference, reference) for reference in node.input]
    return node._replace(input=tuple(filter(None, read)))


def _entering(const: Node, argument: str) -> Node:
    """An Identity that brings an argument into the branch of a constant."""
    return Node("Identity", const.name, (argument, *const.input), {"T": const.attr["dtype"]})
