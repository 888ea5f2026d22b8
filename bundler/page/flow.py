"""The steps of a composed signature, and which of them takes what another gives, as its graph has it.

The nodes of step 3 of the signature `faces` lie in the scope `faces/3.sub/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Literal, NamedTuple

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Tensor
from bundler.report import SignatureReport, TensorReport

__all__ = ["Arc", "Flow", "Stop", "flow"]

_GAP, _LINE, _LANE = 26, 18, 13
"""Pixels of the picture: from stop to stop, from line to line, from lane to lane."""
_STEP = re.compile(r"(\d+)\.")


class Stop(NamedTuple):
    """An input, a step or an output, and the tensors that come out of it."""

    kind: Literal["input", "step", "output"]
    name: str
    tensors: tuple[TensorReport, ...]

    @property
    def height(self) -> int:
        """Pixels in the picture: a line for the name, and for a step one for each tensor."""
        return _GAP + _LINE * (len(self.tensors) if self.kind == "step" else 0)


class Arc(NamedTuple):
    """What one stop takes of another, by their numbers. Arcs of one `lane` do not cross; in lane 0 are neighbours."""

    start: int
    end: int
    lane: int


class Flow(NamedTuple):
    """The stops from the inputs to the outputs; arcs go from earlier to later ones."""

    stops: tuple[Stop, ...]
    arcs: tuple[Arc, ...]

    @property
    def tops(self) -> tuple[int, ...]:
        """The place of each stop's name in the picture, in pixels from the top; after them the height of all."""
        return tuple(accumulate((stop.height for stop in self.stops), initial=_GAP // 2))

    @property
    def spine(self) -> int:
        """Pixels from the left to the stops: the lanes lie before them."""
        return _LANE * (1 + max((arc.lane for arc in self.arcs), default=0))

    def x(self, arc: Arc) -> int:
        """Pixels from the left to the lane of an arc."""
        return self.spine - _LANE * arc.lane

    def taken(self, number: int) -> list[Stop]:
        """The stops whose tensors a stop takes."""
        return [self.stops[arc.start] for arc in self.arcs if arc.end == number]


def flow(signature: SignatureReport, graph: Graph) -> Flow:
    """The flow of a signature that has steps, in the graph of its bundle."""
    stops = (
        *(Stop("input", each.name, (each,)) for each in signature.inputs),
        *(Stop("step", each.step, each.gives) for each in signature.steps),
        *(Stop("output", each.name, (each,)) for each in signature.outputs),
    )
    return Flow(stops, tuple(_in_lanes(sorted(_Scopes(signature, graph).pairs()))))


class _Scopes:
    """To which stop the nodes of a graph belong."""

    def __init__(self, signature: SignatureReport, graph: Graph) -> None:
        self._graph = graph
        self._inputs = {Tensor.parse(each.tensor).node: at for at, each in enumerate(signature.inputs)}
        self._outputs = [Tensor.parse(each.tensor).node for each in signature.outputs]
        self._first = len(signature.inputs)
        self._count = len(signature.steps)
        self._scope = _scope(signature)

    def pairs(self) -> set[tuple[int, int]]:
        """Pairs of stops, the second of which takes what the first gives."""
        found = {
            (start, end)
            for node in self._graph.nodes
            if (end := self._stop(node.name)) is not None
            for start in self._taken(node)
            if start < end
        }
        for at, name in enumerate(self._outputs):
            end, own = self._first + self._count + at, self._stop(name)
            starts = self._taken(self._graph.by_name[name]) if own is None and name in self._graph.by_name else [own]
            found |= {(start, end) for start in starts if start is not None}
        return found

    def _taken(self, node: Node) -> Iterator[int]:
        """The stops that a node reads. Steps may share a constant, which is none of what they give."""
        for reference in node.input:
            read = self._graph.by_name.get(Tensor.parse(reference).node)
            if read is not None and read.op != "Const" and (stop := self._stop(read.name)) is not None:
                yield stop

    def _stop(self, name: str) -> int | None:
        """The input or the step that a node belongs to; None if it belongs to neither."""
        if name in self._inputs:
            return self._inputs[name]
        known = self._scope is not None and name.startswith(self._scope)
        match = _STEP.match(name, len(self._scope or "")) if known else None
        number = int(match[1]) if match and len(match[1]) < 9 else self._count
        return self._first + number if number < self._count else None


def _scope(signature: SignatureReport) -> str | None:
    """The scope of the steps' scopes: what stands before `0.` in the name of a step's tensor, if there is one."""
    given = (tensor.tensor for step in signature.steps for tensor in step.gives)
    found = (re.match(r"(.*?/|)\d+\.", tensor) for tensor in given)
    return next((match[1] for match in found if match), None)


def _in_lanes(pairs: Iterable[tuple[int, int]]) -> Iterator[Arc]:
    """Arcs for pairs. Those of one start share a lane, which is free for others after the last of their ends."""
    ends: dict[int, list[int]] = {}
    for start, end in pairs:
        ends.setdefault(start, []).append(end)
    busy = list[int]()
    for start, reached in ends.items():
        far = [end for end in reached if end > start + 1]
        lane = next((at for at, until in enumerate(busy) if until <= start), len(busy)) if far else 0
        if far:
            busy[lane : lane + 1] = [max(far)]
        yield from (Arc(start, end, lane + 1 if end in far else 0) for end in reached)
