"""How a rule for one node becomes a pass over a model, and what must hold after each pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

import numpy as np

from bundler.errors import BundlerError, ConversionError, within
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, Tensor, free_name

__all__ = ["Pass", "Rule", "check", "each", "frame_of", "rule", "scalar"]


class Rule(Protocol):
    """What stands for a node of one of `ops`, seen in its graph; None: the node may stay as it is.

    The graph given is the one from before the pass. `note` is what a user should know of it, if anything.
    """

    __name__: str
    ops: Collection[str]
    note: str

    def __call__(self, node: Node, graph: Graph, /) -> Sequence[Node] | None: ...


class Pass(Protocol):
    """A model into a model of the same meaning. What `each` makes has the `rule` that it carries."""

    __name__: str

    def __call__(self, model: Model, /) -> Model: ...


def rule(*ops: str, note: str = "") -> Callable[[Callable[[Node, Graph], Sequence[Node] | None]], Rule]:
    """Declare a rule for nodes of these ops, and what the models in which it applies are to note."""

    def declare(function: Callable[[Node, Graph], Sequence[Node] | None]) -> Rule:
        function.ops = frozenset(ops)  # type: ignore[attr-defined]
        function.note = note  # type: ignore[attr-defined]
        return function  # type: ignore[return-value]

    return declare


def each(rule: Rule) -> Pass:
    """Carry a rule over every node of the graph and of its functions."""

    def over_graph(graph: Graph, found: Counter[str]) -> Graph:
        if graph.ops.isdisjoint(rule.ops):
            return graph
        given = {node.name: _applied(rule, node, graph) for node in graph.nodes if node.op in rule.ops}
        replaced = {name: nodes for name, nodes in given.items() if nodes is not None}
        if not replaced:
            return graph
        found.update(graph.by_name[name].op for name in replaced)
        taken = graph.by_name.keys()
        return graph.replacing({name: _distinct(nodes, taken) for name, nodes in replaced.items()})

    def over_model(model: Model) -> Model:
        found = Counter[str]()
        made = model.with_graphs(lambda graph: over_graph(graph, found))
        listed = ", ".join(f"{count} {op}" for op, count in sorted(found.items()))
        return made.noting([f"{rule.note}: {listed}"]) if rule.note and found else made

    over_model.__name__ = rule.__name__
    over_model.rule = rule  # type: ignore[attr-defined]
    return over_model


def _applied(rule: Rule, node: Node, graph: Graph) -> Sequence[Node] | None:
    try:
        return rule(node, graph)
    except BundlerError:
        with within(f"node {node.name!r}"):  # only now: rules are applied a hundred thousand times
            raise


def _distinct(nodes: Sequence[Node], taken: Collection[str]) -> Sequence[Node]:
    """The nodes for one node under names that no other node of the graph has.

    All but the last are new: if the model already uses such a name, they get underscores.
    """
    renamed = {node.name: free_name(node.name, taken) for node in nodes[:-1] if node.name in taken}
    return [_renamed(node, renamed) for node in nodes] if renamed else nodes


def _renamed(node: Node, names: dict[str, str]) -> Node:
    reading = node.reading(lambda tensor: tensor._replace(node=names.get(tensor.node, tensor.node)))
    return reading._replace(name=names.get(node.name, node.name))


def scalar(number: int, dtype: DType) -> np.ndarray:
    """A number as a constant of that dtype. Raises ConversionError if NumPy has no such numbers (bfloat16, string)."""
    if not dtype.is_number:
        raise ConversionError("no constant of this dtype can be made", found=str(dtype), expected="a dtype of numbers")
    return np.array(number, dtype.numpy)


def frame_of(reference: str, graph: Graph) -> list[str]:
    """What a new constant must wait for, to stand in the same loop as the tensor `reference`.

    A constant without control inputs is outside of every version 1 loop, and TensorFlow refuses an op
    whose inputs come from different frames.
    """
    return [Tensor.parse(reference).node] if graph.has_loops else []


def check(model: Model, *, after: str) -> None:
    """What holds after every pass: names are unique, every input and every signature's tensor is there."""
    for graph, arguments in _graphs_and_arguments(model):
        assert len(graph.by_name) == len(graph.nodes), f"{after}: two nodes have one name"
        known = graph.by_name.keys() | arguments
        read = {tensor.node for tensors in graph.inputs.values() for tensor in tensors}
        assert read <= known, f"{after}: nothing makes {sorted(read - known)[:3]}"
    asked = {spec.tensor.node for signature in model.signatures.values() for spec in signature.specs}
    assert asked <= model.graph.by_name.keys(), f"{after}: a signature lost its tensor"


def _graphs_and_arguments(model: Model) -> Iterable[tuple[Graph, set[str]]]:
    yield model.graph, set()
    for function in model.functions.values():
        yield function.graph, {argument.name for argument in function.definition.signature.input_arg}
