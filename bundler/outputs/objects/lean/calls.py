"""A function that holds the nodes of another one calls it: a composed signature, those that its steps call.

    Before:
        def signature(x):
            y = Relu6(x)
            result_0 = Identity(y)
        def signature_1(photo):
            faces/2.detect/x = Identity(photo)
            faces/2.detect/y = Relu6(faces/2.detect/x)
            result_0 = Identity(faces/2.detect/y)
    After, for the second:
        def signature_1(photo):
            faces/2.detect/x = Identity(photo)
            faces/2.detect = StatefulPartitionedCall(faces/2.detect/x)
            result_0 = Identity(faces/2.detect)

TensorFlow inlines the call, so that its optimizers see the same nodes as before. A name says only where to look: it is
a call if each node is the same, and what is around reads results alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bundler.ir.dtypes import DType
from bundler.ir.fresh import FreshNames
from bundler.ir.model import Function, Graph
from bundler.ir.nodes import Node, Tensor, new_node, node_of, shape_proto
from bundler.ir.protos import NameAttrList
from bundler.ir.prune import reachable

if TYPE_CHECKING:
    from bundler.outputs.objects.functions import Made

__all__ = ["calling"]


def calling(made: Mapping[str, Made]) -> dict[str, Function]:
    """The functions by name, each with calls of those that it holds: of the largest first, as they hold others."""
    callees = sorted((_Callee(each) for each in made.values()), key=lambda callee: -len(callee.body))
    return {name: _calling(each, callees) for name, each in made.items()}


class _Callee:
    """A function that others may hold: its nodes but for results, what it is fed with, and what it returns."""

    def __init__(self, made: Made) -> None:
        function = made.function
        self.made = made
        self.captured = _captured(made)
        self.parameters = [name for name in _arguments(function) if name not in self.captured]
        self.body = [node for node in function.graph.nodes if node.name not in function.returns]
        self.returned = [Tensor.parse(function.graph.by_name[result].input[0]) for result in function.returns]
        self._last = next((node.name for node in reversed(self.body) if node.op != "Const"), "")

    def scopes(self, ends: Mapping[str, list[str]]) -> list[str]:
        """Where its last node may be, with the slash; `ends` are those of a caller."""
        alike = ends.get(self._last.rpartition("/")[2], ())
        return [name.removesuffix(self._last) for name in alike if name.endswith(f"/{self._last}")]

    def call(self, name: str, inputs: Iterable[str]) -> Node:
        """A node that calls it. Its shapes are those that Python infers with."""
        signature = self.made.function.definition.signature
        return new_node(
            "StatefulPartitionedCall",
            name,
            inputs,
            f=NameAttrList(name=self.made.name),
            Tin=[DType(argument.type) for argument in signature.input_arg],
            Tout=[DType(argument.type) for argument in signature.output_arg],
            _output_shapes=[shape_proto(result.shape) for result in self.made.results],
        )


def _calling(caller: Made, callees: Iterable[_Callee]) -> Function:
    """The function with calls. Its results have the shapes that it knows: a call may know less."""
    function, graph = caller.function, caller.function.graph
    ends = _ends(graph)
    for callee in callees:
        if callee.made is not caller and callee.parameters:
            for scope in callee.scopes(ends):
                graph = _Place(caller, graph, callee, scope).called()
    if graph is function.graph:
        return function
    kept = reachable(graph, function.returns)
    shapes = dict(zip(function.returns, (shape_proto(result.shape) for result in caller.results)))
    nodes = (
        node.having(_output_shapes=[shapes[node.name]]) if node.name in shapes else node
        for node in graph.nodes
        if node.name in kept
    )
    weights = {name: weight for name, weight in graph.weights.items() if name in kept}
    return replace(function, graph=Graph(tuple(nodes), weights))


def _ends(graph: Graph) -> Mapping[str, list[str]]:
    """The names of the nodes by what is behind their scopes."""
    found: dict[str, list[str]] = {}
    for node in graph.nodes:
        found.setdefault(node.name.rpartition("/")[2], []).append(node.name)
    return found


class _Place:
    """Where a caller may hold a callee: in a scope, but for constants that both share."""

    def __init__(self, caller: Made, graph: Graph, callee: _Callee, scope: str) -> None:
        self._caller = caller
        self._graph = graph
        self._callee = callee
        self._scope = scope
        self._outside = {node: name for name, node in _captured(caller).items()}
        self._own = {scope + node.name for node in callee.body} & graph.by_name.keys()
        self._fed: dict[str, str] = {}

    def called(self) -> Graph:
        """The graph with a call in the place of the nodes; the same graph if something else is there."""
        if not self._is_held():
            return self._graph
        results = {self._there(tensor): port for port, tensor in enumerate(self._callee.returned)}
        around = (node for node in self._graph.nodes if node.name not in self._own)
        read = {tensor for node in around for tensor in map(Tensor.parse, node.input) if tensor.node in self._own}
        if not all(tensor.is_control or tensor in results for tensor in read):
            return self._graph
        call = self._call()
        moved = {tensor: Tensor(call.name, -1 if tensor.is_control else results[tensor]) for tensor in read}
        return self._with(call, lambda tensor: moved.get(tensor, tensor))

    def _call(self) -> Node:
        names = FreshNames([*_arguments(self._caller.function), *self._graph.by_name])
        given = self._fed | {name: self._outside[node] for name, node in self._callee.captured.items()}
        inputs = [given[argument] for argument in _arguments(self._callee.made.function)]
        return self._callee.call(names(self._scope.removesuffix("/")), inputs)

    def _with(self, call: Node, moved: Callable[[Tensor], Tensor]) -> Graph:
        """The graph with a call where the last of the nodes is."""
        last = max(map(self._graph.positions.__getitem__, self._own))
        nodes = [
            call if place == last else node.reading(moved)
            for place, node in enumerate(self._graph.nodes)
            if place == last or node.name not in self._own
        ]
        weights = {name: weight for name, weight in self._graph.weights.items() if name not in self._own}
        return Graph(tuple(nodes), weights)

    def _is_held(self) -> bool:
        """Whether all nodes are there, every parameter is fed from elsewhere, and the captures are at hand."""
        is_same = all(map(self._is_same, self._callee.body))
        is_fed = self._fed.keys() == {*self._callee.parameters}
        is_from_elsewhere = self._own.isdisjoint(map(node_of, self._fed.values()))
        return is_same and is_fed and is_from_elsewhere and self._outside.keys() >= {*self._callee.captured.values()}

    def _is_same(self, node: Node) -> bool:
        """Whether the caller has the node, and it reads the same."""
        name = self._there(Tensor(node.name)).node
        there = self._graph.by_name.get(name)
        return (
            there is not None
            and (there.op, there.attr, len(there.input)) == (node.op, node.attr, len(node.input))
            and self._graph.weights.get(name) == self._callee.made.function.graph.weights.get(node.name)
            and all(map(self._reads_same, node.input, there.input))
        )

    def _reads_same(self, reference: str, there: str) -> bool:
        if reference in self._callee.parameters:
            return self._fed.setdefault(reference, there) == there
        tensor = Tensor.parse(reference)
        if tensor.node in self._callee.captured:
            return there == self._outside.get(self._callee.captured[tensor.node])
        return Tensor.parse(there) == self._there(tensor)

    def _there(self, tensor: Tensor) -> Tensor:
        """The tensor of the callee in the caller."""
        scoped = self._scope + tensor.node
        return tensor._replace(node=scoped) if scoped in self._own else tensor


def _arguments(function: Function) -> list[str]:
    return [argument.name for argument in function.definition.signature.input_arg]


def _captured(made: Made) -> dict[str, str]:
    """The last arguments, which are taken from outside, and what each is in the main graph: a `Capture.node`."""
    arguments = _arguments(made.function)
    names = arguments[len(arguments) - len(made.captured) :]
    return {name: capture.node for name, capture in zip(names, made.captured)}
