"""The order in which the nodes of a graph can run."""

from __future__ import annotations

from collections.abc import Iterator

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Tensor

__all__ = ["in_order", "is_next_turn"]


def in_order(graph: Graph) -> Iterator[Node]:
    """The nodes, each after those that it reads, except for what comes from the last turn of a version 1 loop.

    Nodes in a circle that is not such a loop are left out.
    """
    waits = {
        name: {tensor.node for tensor in read if tensor.node in graph.by_name and not is_next_turn(tensor, graph)}
        for name, read in graph.inputs.items()
    }
    ready = [name for name, awaited in reversed(waits.items()) if not awaited]
    while ready:
        node = graph.by_name[ready.pop()]
        yield node
        for reader in graph.consumers.get(node.name, ()):
            if node.name in waits[reader.name]:
                waits[reader.name].remove(node.name)
                ready += [] if waits[reader.name] else [reader.name]


def is_next_turn(tensor: Tensor, graph: Graph) -> bool:
    """Whether a NextIteration gives this tensor."""
    return tensor.node in graph.by_name and graph.by_name[tensor.node].op == "NextIteration"
