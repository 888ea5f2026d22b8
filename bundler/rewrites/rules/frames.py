"""Version 1 loops: every node runs in a frame, and all of its inputs must come from that frame.

An Enter opens a frame or brings a value into it, an Exit leaves it, and any other node runs in the innermost frame of
its inputs (`BuildControlFlowInfo` in tensorflow/core/graph/control_flow.cc). TensorFlow checks this when it first runs
a graph, not when it loads one. TensorFlow.js looks a value up in the frame at hand, then in those around it
(`getTensor` in tfjs-converter/src/operations/executors/utils.ts).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from bundler import ops
from bundler.errors import ConversionError
from bundler.ir.dtypes import DType
from bundler.ir.fresh import FreshNames
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, Tensor, attr, new_node

__all__ = ["enter_frames"]

Frame: TypeAlias = "str | None"
"""The name of a frame; None is outside of every loop."""
_DEEPEST = 16
"""Loops within loops that are allowed. Programs have a few."""
_PASSES = 10
"""Passes over a graph until the frames of its nodes are known. In the order in which they run, two are enough."""
_LIVE = ("NextIteration", "Exit")
"""Ops that end a turn: they must read a Switch, because a constant of the loop has a value after the last turn too."""


def enter_frames(model: Model) -> Model:
    """Bring values from outside into the loops that read them.

    Raises ConversionError for a node that reads from frames of which neither is around the other, and for an output
    inside a loop.

    Before:
        i = Enter(start, frame_name=loop)
        y = AddV2(i, c)
    After:
        i = Enter(start, frame_name=loop)
        c/enter = Enter(c, frame_name=loop, is_constant=True)
        y = AddV2(i, c/enter)
    """
    if not any(graph.has_loops for graph in model.graphs):
        return model
    outputs = [spec.tensor for signature in model.signatures.values() for spec in signature.outputs.values()]
    graph = _entered(model.graph, {}, outputs)
    functions = {
        name: replace(each, graph=_entered(each.graph, _arguments(each), each.returns.values()))
        for name, each in model.functions.items()
    }
    if graph is model.graph and all(each.graph is model.functions[name].graph for name, each in functions.items()):
        return model
    return replace(model, graph=graph, functions=functions)


def _arguments(function: Function) -> dict[str, DType]:
    return {argument.name: DType(argument.type) for argument in function.definition.signature.input_arg}


class _Frames:
    """The frame in which each node of a graph runs, and the frame in which its outputs are."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._around: dict[str, Frame] = {}
        self._runs: dict[str, Frame] = {}
        self._gives: dict[str, Frame] = {}
        self._turning = {
            tensor.node: merge.name
            for merge in graph.nodes
            if merge.op == "Merge"
            for tensor in graph.inputs[merge.name]
            if graph.is_next_turn(tensor)
        }
        order = list(graph.in_order())
        for _ in range(_PASSES):
            before = dict(self._around), dict(self._runs)
            for node in order:
                self._place(node)
            if before == (self._around, self._runs):
                return
        raise ConversionError("loops are entangled", found=f"{len(self._around)} loops")

    def of(self, name: str) -> Frame:
        """The frame that a node runs in. An Enter runs in the one around its own."""
        return self._runs.get(name)

    def gives(self, name: str) -> Frame:
        """The frame that a node's outputs are in."""
        return self._gives.get(name)

    def between(self, outer: Frame, inner: Frame) -> list[str] | None:
        """The frames to enter from one into another, outermost first; None if it does not lie around the other."""
        if outer == inner:
            return []
        chain = self._chain(inner)
        return [name for name in reversed(chain[: chain.index(outer)]) if name is not None] if outer in chain else None

    def _place(self, node: Node) -> None:
        """Note the frames of a node, as far as those of its inputs are known."""
        runs = gives = self._innermost(node)
        if node.op == "Enter":
            gives = str(attr(node, "frame_name", ""))
            runs = self._around[gives] = self._inner(runs, self._around.get(gives))
        elif node.op == "Exit" and runs is not None:
            gives = self._around.get(runs)
        self._runs[node.name], self._gives[node.name] = runs, gives

    def _innermost(self, node: Node) -> Frame:
        """The innermost frame that a node reads from; of a NextIteration, whose inputs may lack Enters, its Merge's."""
        if node.name in self._turning:
            return self._runs.get(self._turning[node.name])
        innermost: Frame = None
        for tensor in self._graph.inputs[node.name]:
            innermost = self._inner(innermost, self._gives.get(tensor.node))
        return innermost

    def _inner(self, one: Frame, other: Frame) -> Frame:
        """The inner one of two frames; `other` if neither lies in the other."""
        if other is None or one == other:
            return one
        return one if other in self._chain(one) else other

    def _chain(self, frame: Frame) -> list[Frame]:
        """A frame and all frames around it, innermost first."""
        chain = [frame]
        while chain[-1] is not None:
            around = self._around.get(chain[-1])
            if around in chain:
                raise ConversionError("loops lie within each other", found=", ".join(sorted(map(repr, chain))))
            if len(chain) > _DEEPEST:
                raise ConversionError("loops are nested too deeply", expected=f"at most {_DEEPEST}")
            chain.append(around)
        return chain


# Entering ----------------------------------------------------------------------------------------


def _entered(graph: Graph, arguments: Mapping[str, DType], outputs: Iterable[Tensor]) -> Graph:
    if not graph.has_loops:
        return graph
    frames = _Frames(graph)
    entering = _Entering(graph, frames, arguments)
    nodes = tuple(new for node in graph.nodes for new in entering.nodes(node))
    for tensor in outputs:
        if frames.gives(tensor.node) is not None:
            raise ConversionError("an output is inside a loop", where=f"node {tensor.node!r}")
    return replace(graph, nodes=nodes) if entering.made else graph


class _Entering:
    """Adds Enters before nodes. A value enters a frame once, however many nodes read it there."""

    def __init__(self, graph: Graph, frames: _Frames, arguments: Mapping[str, DType]) -> None:
        self.made: dict[tuple[Tensor, str, bool], Tensor] = {}
        self._graph = graph
        self._frames = frames
        self._arguments = arguments
        self._fresh = FreshNames([*graph.by_name, *arguments])
        self._turns = {
            attr(node, "frame_name"): node.attr.get("parallel_iterations") for node in graph.nodes if node.op == "Enter"
        }

    def nodes(self, node: Node) -> Iterator[Node]:
        """The node, and before it the Enters that bring its inputs into its frame."""
        inner, changed = self._frames.of(node.name), dict[Tensor, Tensor | None]()
        for tensor in self._graph.inputs[node.name]:
            way = self._frames.between(self._frames.gives(tensor.node), inner)
            if way is None:
                raise self._unrelated(node)
            if way and node.op in _LIVE and not tensor.is_control:
                what = f"{node.op} reads a value from outside of its loop"
                raise ConversionError(what, where=f"node {node.name!r}", found=str(tensor))
            if way:
                new, entered = self._enter(tensor, way, is_constant=node.op != "Merge")
                changed[tensor] = entered
                yield from new
        yield _reading(node, changed) if changed else node

    def _enter(self, tensor: Tensor, way: Sequence[str], *, is_constant: bool) -> tuple[list[Node], Tensor | None]:
        """The new Enters from one frame to the next, and the output of the last; None for a node without outputs."""
        new, at = list[Node](), tensor._replace(port=max(tensor.port, 0))
        dtype = self._dtype(at)
        if dtype is None and tensor.is_control:
            return [], None
        if dtype is None:
            raise ConversionError("a loop reads a tensor of unknown dtype", found=str(tensor))
        for frame in way:
            key = at, frame, is_constant
            if key not in self.made:
                name = self._fresh(f"{at.node}/enter")
                turns = self._turns.get(frame)
                attrs = {"T": dtype, "frame_name": frame, "is_constant": is_constant, "parallel_iterations": turns}
                new.append(new_node("Enter", name, [str(at)], **attrs))
                self.made[key] = Tensor(name)
            at = self.made[key]
        return new, at._replace(port=-1) if tensor.is_control else at

    def _dtype(self, tensor: Tensor) -> DType | None:
        producer = self._graph.by_name.get(tensor.node)
        return self._arguments.get(tensor.node) if producer is None else ops.output_dtype(producer, tensor.port)

    def _unrelated(self, node: Node) -> ConversionError:
        frames = {self._frames.gives(tensor.node) for tensor in self._graph.inputs[node.name]}
        found = ", ".join(sorted("no loop" if frame is None else f"loop {frame!r}" for frame in frames))
        what = "reads from loops that do not lie within each other"
        return ConversionError(what, where=f"node {node.name!r}", found=found)


def _reading(node: Node, changed: Mapping[Tensor, Tensor | None]) -> Node:
    inputs = [changed.get(tensor, tensor) for tensor in map(Tensor.parse, node.input)]
    return node._replace(input=tuple(str(tensor) for tensor in inputs if tensor is not None))
