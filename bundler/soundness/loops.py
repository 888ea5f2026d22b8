"""Checks of version 1 loops: every node must read from one frame.

Enter leads into a frame, Exit out of it, and a node reads tensors of its own frame only. TensorFlow checks this when a
graph is first run: see `BuildControlFlowInfo` in tensorflow/core/graph/control_flow.cc.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bundler.errors import Fault
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, attr

__all__ = ["faults"]

_OPS = frozenset({"Enter", "Exit", "NextIteration", "RefEnter", "RefExit", "RefNextIteration"})


class _Frame(NamedTuple):
    """A frame: its name, and the number of the one around it. Number 0, with no name, is outside of all loops."""

    name: str
    parent: int


def faults(model: Model) -> Iterator[Fault]:
    """The nodes that TensorFlow would refuse to run."""
    for graph in model.graphs:
        if not graph.ops.isdisjoint(_OPS):
            yield from _Frames(graph).faults


class _Frames:
    """The frames of a graph, and for each node the number of the frame that its outputs are in."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._frames = [_Frame("", 0)]
        self._entered: dict[str, int] = {}
        self._outputs: dict[str, int] = {}

    @property
    def faults(self) -> Iterator[Fault]:
        """The first node that does not fit its frame; the frames of later ones depend on it."""
        for node in self._graph.in_order():
            fault = self._fault(node, self._read(node))
            if fault is not None:
                yield fault.inside(f"node {node.name!r}")
                return
        yield from self._turn_faults()

    def _read(self, node: Node) -> dict[int, str]:
        """The frames that a node reads from, and a tensor in each. NextIterations come later and are left out."""
        inputs = self._graph.inputs[node.name]
        return {self._outputs[tensor.node]: str(tensor) for tensor in inputs if tensor.node in self._outputs}

    def _fault(self, node: Node, read: Mapping[int, str]) -> Fault | None:
        if len(read) > 1:
            (one, first), (other, second) = sorted(read.items())[:2]
            found = f"{first} in {self._spelled(one)}, {second} in {self._spelled(other)}"
            return Fault("reads from different frames of loops", found=found)
        here = next(iter(read), 0)
        if node.op.endswith("Enter"):
            name = attr(node, "frame_name", "")
            inner = self._entered.setdefault(name, len(self._frames))
            if inner == len(self._frames):
                self._frames.append(_Frame(name, here))
            elif self._frames[inner].parent != here:
                return Fault("enters a frame that lies in another", found=repr(name))
            self._outputs[node.name] = inner
            return None
        if node.op.endswith(("Exit", "NextIteration")) and here == 0:
            return Fault(f"{node.op} outside of a loop")
        self._outputs[node.name] = self._frames[here].parent if node.op.endswith("Exit") else here
        return None

    def _turn_faults(self) -> Iterator[Fault]:
        """Merges that read a NextIteration of another frame."""
        for node in self._graph.nodes:
            for tensor in self._graph.inputs[node.name] if node.op.endswith("Merge") else ():
                if self._outputs[tensor.node] != self._outputs[node.name]:
                    yield Fault("reads from another frame", f"node {node.name!r}", found=str(tensor))

    def _spelled(self, frame: int) -> str:
        return f"frame {self._frames[frame].name!r}" if frame else "no frame"
