"""Do the nodes of a graph hold together? TensorFlow.js would not load such a graph either."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container

from bundler import ops
from bundler.errors import ConversionError
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Tensor

__all__ = ["check_edges"]


def check_edges(graph: Graph, arguments: Container[str] = ()) -> None:
    """Names are unique, every input is there, and only loops go round. ConversionError where it is not so.

    `arguments` are the names that a function's callers fill in.
    """
    nodes = graph.by_name
    if len(nodes) < len(graph.nodes):
        name, count = Counter(node.name for node in graph.nodes).most_common(1)[0]
        raise ConversionError(f"{count} nodes have the name {name!r}")
    in_order = True
    seen: set[str] = set()
    for node in graph.nodes:
        for tensor in graph.inputs[node.name]:
            producer = nodes.get(tensor.node)
            if tensor.node not in arguments if producer is None else not _gives(producer, tensor):
                raise ConversionError("reads what no node gives", where=f"node {node.name!r}", found=str(tensor))
            in_order = in_order and (producer is None or tensor.node in seen)
        seen.add(node.name)
    # Most files list a node after what it reads: then nothing can go round.
    going_round = [] if in_order else _in_cycles(graph)
    if going_round:
        raise ConversionError("nodes wait for each other outside of a loop", found=", ".join(going_round[:3]))


def _gives(producer: Node, tensor: Tensor) -> bool:
    return tensor.is_control or ops.has_port(producer, tensor.port)


def _in_cycles(graph: Graph) -> list[str]:
    """The nodes that can never run, for they wait for themselves; a loop's next turn is not waited for."""
    waits = {
        name: {tensor.node for tensor in read if _is_awaited(tensor.node, graph)} for name, read in graph.inputs.items()
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
