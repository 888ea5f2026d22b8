"""Whether a graph's references are sound. TensorFlow.js would not load a graph whose references are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator

from bundler import ops
from bundler.errors import ConversionError
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Tensor, node_of

__all__ = ["check_edges"]

_SHOWN = 3
"""Nodes of a cycle that an error shows."""


def check_edges(graph: Graph, arguments: Container[str] = ()) -> None:
    """Raise ConversionError unless names are unique, every input exists, and only loops have cycles.

    `arguments` are the names of a function's arguments.
    """
    _check_names(graph)
    others = list(_reading_others(graph))
    for node in others:
        _check_inputs(node, graph, arguments)
    # Most files list a node after its inputs: then there is no cycle.
    cyclic = [] if all(_is_in_order(node, graph) for node in others) else _never_ready(graph)
    if cyclic:
        raise ConversionError("nodes depend on each other outside of a loop", found=", ".join(cyclic[:_SHOWN]))


def _check_names(graph: Graph) -> None:
    if len(graph.by_name) < len(graph.nodes):
        name, times = Counter(node.name for node in graph.nodes).most_common(1)[0]
        raise ConversionError(f"{times} nodes have the name {name!r}")


def _reading_others(graph: Graph) -> Iterator[Node]:
    """The nodes that read anything but the first outputs of nodes before them, as most nodes do: a few of many."""
    usual = set[str]()
    for node in graph.nodes:
        if not usual.issuperset(node.input):
            yield node
        if node_of(node.name) == node.name and ops.has_port(node, 0):  # a name may be spelled as another's port is
            usual.add(node.name)


def _check_inputs(node: Node, graph: Graph, arguments: Container[str]) -> None:
    for tensor in map(Tensor.parse, node.input):
        if not _exists(tensor, graph, arguments):
            raise ConversionError("reads a tensor that no node has", where=f"node {node.name!r}", found=str(tensor))


def _exists(tensor: Tensor, graph: Graph, arguments: Container[str]) -> bool:
    producer = graph.by_name.get(tensor.node)
    if producer is None:
        return tensor.node in arguments
    return tensor.is_control or ops.has_port(producer, tensor.port)


def _is_in_order(node: Node, graph: Graph) -> bool:
    """Whether the node comes after the nodes that it reads."""
    position = graph.positions
    return all(position.get(name, -1) < position[node.name] for name in map(node_of, node.input))


def _never_ready(graph: Graph) -> list[str]:
    """The nodes of cycles, and the nodes after them: those that are left if nodes run as soon as their inputs have.

    A NextIteration has its value from the loop's turn before, so its readers do not wait for it.
    """
    waits = {
        name: {tensor.node for tensor in inputs if _is_awaited(tensor.node, graph)}
        for name, inputs in graph.inputs.items()
    }
    ready = [name for name, awaited in waits.items() if not awaited]
    while ready:
        done = ready.pop()
        del waits[done]
        for reader in graph.consumers.get(done, ()):
            awaited = waits.get(reader.name, set())
            if done in awaited:
                awaited.remove(done)
                ready += [] if awaited else [reader.name]
    return list(waits)


def _is_awaited(producer: str, graph: Graph) -> bool:
    return producer in graph.by_name and graph.by_name[producer].op != "NextIteration"
