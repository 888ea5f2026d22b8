"""Constants that several functions hold: they are in one more function, which these call.

    Before:
        def signature(x):
            w = Const()
            y = Conv2D(x, w)
        def signature_1(x):
            w = Const()
            z = Conv2D(x, w)
    After:
        def constants():
            w = Const()
            result_0 = Identity(w)
        def signature(x):
            constants = PartitionedCall()
            y = Conv2D(x, constants)
        def signature_1(x):
            constants = PartitionedCall()
            z = Conv2D(x, constants)

TensorFlow inlines the call, so that its optimizers see constants. A composed signature has those of the models that it
calls. Small constants stay: as axes and sizes they are read when shapes are inferred, which is before that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from bundler.ir.fresh import FreshNames
from bundler.ir.model import Function, Graph
from bundler.ir.nodes import Node, Tensor, new_node, shape_proto
from bundler.ir.protos import FunctionDef, NameAttrList, OpDef
from bundler.ir.weight import Weight

__all__ = ["sharing"]

_SMALL = 64
"""Elements up to which a constant stays in each function."""


class _Group(NamedTuple):
    """The function that has the constants which the same functions hold."""

    name: str
    weights: Mapping[str, Weight]

    def call(self, name: str) -> Node:
        """A node with the constants as its outputs. Its shapes are those that Python infers with."""
        weights = self.weights.values()
        return new_node(
            "PartitionedCall",
            name,
            f=NameAttrList(name=self.name),
            Tin=(),
            Tout=[weight.dtype for weight in weights],
            _output_shapes=[shape_proto(weight.shape) for weight in weights],
        )

    def function(self, nodes: Mapping[str, Node]) -> Function:
        """The function with these nodes of the constants."""
        definition, results = FunctionDef(signature=OpDef(name=self.name)), []
        for number, (name, weight) in enumerate(self.weights.items()):
            definition.signature.output_arg.add(name=f"result_{number}", type=weight.dtype.value)
            results.append(new_node("Identity", f"result_{number}", [name], T=weight.dtype))
        body = Graph((*(nodes[name] for name in self.weights), *results), self.weights)
        return Function(definition, body, {node.name: Tensor(node.name) for node in results})


def sharing(functions: Mapping[str, Function], names: FreshNames) -> dict[str, Function]:
    """The functions, parts of one graph, with each large constant once. `names` are those of functions."""
    groups = _groups(functions, names)
    calling = {name: _calling(function, groups.get(name, ())) for name, function in functions.items()}
    made = {
        group.name: group.function(functions[name].graph.by_name) for name, called in groups.items() for group in called
    }
    return calling | made


def _groups(functions: Mapping[str, Function], names: FreshNames) -> dict[str, list[_Group]]:
    """The constants that several functions hold, by these functions' names."""
    groups: dict[tuple[str, ...], dict[str, Weight]] = {}
    for const, holders in _holders(functions).items():
        weight = functions[holders[0]].graph.weights[const]
        if weight.size > _SMALL and weight.dtype.is_number:
            groups.setdefault(tuple(holders), {})[const] = weight
    found: dict[str, list[_Group]] = {}
    for together, weights in groups.items():
        group = _Group(names("constants"), weights)
        for holder in together:
            found.setdefault(holder, []).append(group)
    return found


def _holders(functions: Mapping[str, Function]) -> dict[str, list[str]]:
    """The functions that hold a constant, if they are several. Control edges bind a constant to its branch or loop."""
    count = Counter(chain.from_iterable(function.graph.weights for function in functions.values()))
    found: dict[str, list[str]] = {}
    for name, function in functions.items():
        for const in function.graph.weights:
            if count[const] > 1 and not function.graph.by_name[const].input:
                found.setdefault(const, []).append(name)
    return found


def _calling(function: Function, groups: Collection[_Group]) -> Function:
    """The function with calls in place of its constants."""
    if not groups:
        return function
    arguments = (argument.name for argument in function.definition.signature.input_arg)
    names = FreshNames([*arguments, *function.graph.by_name])
    calls, tensors = [], dict[Tensor, Tensor]()
    for group in groups:
        calls.append(group.call(names("constants")))
        tensors |= _outputs(calls[-1].name, list(group.weights))
    return replace(function, graph=_reading(function.graph, calls, tensors))


def _outputs(call: str, consts: Sequence[str]) -> dict[Tensor, Tensor]:
    """The outputs of a call by the constants in whose place they are, and its control edge by theirs."""
    values = {Tensor(const): Tensor(call, port) for port, const in enumerate(consts)}
    return values | {Tensor(const, -1): Tensor(call, -1) for const in consts}


def _reading(graph: Graph, calls: Iterable[Node], tensors: Mapping[Tensor, Tensor]) -> Graph:
    """The graph with calls before its nodes, and these tensors in place of constants."""
    gone = {tensor.node for tensor in tensors}
    readers = {reader.name for const in gone for reader in graph.consumers.get(const, ())}
    nodes = [
        node.reading(lambda tensor: tensors.get(tensor, tensor)) if node.name in readers else node
        for node in graph.nodes
        if node.name not in gone
    ]
    kept = {name: weight for name, weight in graph.weights.items() if name not in gone}
    return Graph((*calls, *nodes), kept)
