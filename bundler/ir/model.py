"""The `Model` that flows through every stage.

The reader makes one, every rewrite maps one to one, `link` takes many and returns one, the writer writes one.
Inside a `Graph` every input is written `n`, `n:1` or `^n`. A FunctionDef writes `n:out_arg:1`: the reader and the
writer translate between the two, with the table in `ops`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import NamedTuple

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node, Shape, Tensor, attr, inline_value, new_node, node_of, shape_proto
from bundler.ir.pack import Packed, pack, unpack
from bundler.ir.protos import FunctionDef, TensorProto
from bundler.ir.weight import Weight

__all__ = ["PREDICT", "Change", "Function", "Graph", "Model", "Signature", "TensorSpec"]

PREDICT = "tensorflow/serving/predict"
_WAYS = ("Enter", "Identity")
"""Ops through which the value of a constant goes."""


@dataclass(frozen=True)
class TensorSpec:
    """One entry of a signature. `dtype` and `shape` are None if the model leaves them out."""

    tensor: Tensor
    dtype: DType | None = None
    shape: Shape | None = None


@dataclass(frozen=True)
class Signature:
    """A way to call the model: named inputs and outputs of its graph."""

    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    method_name: str = PREDICT

    @property
    def specs(self) -> tuple[TensorSpec, ...]:
        """All entries, inputs first."""
        return (*self.inputs.values(), *self.outputs.values())

    def map(self, change: Callable[[TensorSpec], TensorSpec]) -> Signature:
        """The same signature with every entry changed."""
        return replace(
            self,
            inputs={key: change(spec) for key, spec in self.inputs.items()},
            outputs={key: change(spec) for key, spec in self.outputs.items()},
        )


@dataclass(frozen=True)
class Graph:
    """Nodes, and the weights, by name, of those Const nodes whose values are on disk."""

    nodes: tuple[Node, ...]
    weights: Mapping[str, Weight] = field(default_factory=dict)

    def __reduce__(self) -> tuple[Callable[..., Graph], tuple[Packed, dict[str, Weight]]]:
        # To find the class of a message, pickle would import TensorFlow.
        return _graph, (pack(self.nodes), dict(self.weights))

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.nodes}

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """The place of each node in `nodes`, by its name."""
        return {node.name: index for index, node in enumerate(self.nodes)}

    @property
    def ops(self) -> Set[str]:
        """The ops of the nodes."""
        return self._by_op.keys()

    def of(self, ops: Iterable[str]) -> Sequence[Node]:
        """The nodes of these ops, in the order of the graph."""
        places = chain.from_iterable(self._by_op[op] for op in ops if op in self._by_op)
        return [self.nodes[place] for place in sorted(places)]

    @cached_property
    def _by_op(self) -> Mapping[str, Sequence[int]]:
        """The places in `nodes` of the nodes of each op: dozens of rules look for the nodes of their ops."""
        found: dict[str, list[int]] = {}
        for place, node in enumerate(self.nodes):
            found.setdefault(node.op, []).append(place)
        return found

    @cached_property
    def inputs(self) -> Mapping[str, tuple[Tensor, ...]]:
        """The tensors that each node reads, by the node's name; control edges count."""
        return {node.name: tuple(map(Tensor.parse, node.input)) for node in self.nodes}

    @cached_property
    def consumers(self) -> Mapping[str, Sequence[Node]]:
        """The nodes that read a node, by its name; control edges count."""
        found: dict[str, list[Node]] = {}
        for reader in self.nodes:
            for name in dict.fromkeys(map(node_of, reader.input)):  # it may read a node more than once
                found.setdefault(name, []).append(reader)
        return found

    @property
    def has_loops(self) -> bool:
        """Whether there are version 1 loops, whose nodes belong to frames."""
        return "Enter" in self.ops

    def in_order(self) -> Iterator[Node]:
        """The nodes, each after those that it reads, except for what comes from the last turn of a version 1 loop.

        Nodes in a circle that is not such a loop are left out.
        """
        waits = {
            name: {tensor.node for tensor in read if tensor.node in self.by_name and not self.is_next_turn(tensor)}
            for name, read in self.inputs.items()
        }
        ready = [name for name, awaited in reversed(waits.items()) if not awaited]
        while ready:
            node = self.by_name[ready.pop()]
            yield node
            for reader in self.consumers.get(node.name, ()):
                if node.name in waits[reader.name]:
                    waits[reader.name].remove(node.name)
                    ready += [] if waits[reader.name] else [reader.name]

    def is_next_turn(self, tensor: Tensor) -> bool:
        """Whether a NextIteration gives this tensor."""
        return tensor.node in self.by_name and self.by_name[tensor.node].op == "NextIteration"

    def replacing(self, made: Mapping[str, Sequence[Node]]) -> Graph:
        """The same graph with other nodes in place of those named in `made`. The last of them keeps the name."""
        return replace(self, nodes=tuple(chain.from_iterable(made.get(node.name, (node,)) for node in self.nodes)))

    def without_weights(self) -> Graph:
        """The same graph with a Placeholder of its dtype and shape in place of each weight of more than 64 elements.

        Shapes may depend on the values of smaller ones.
        """
        large = {name for name, weight in self.weights.items() if weight.size > 64 and weight.dtype != DType.string}
        return Graph(
            nodes=tuple(
                _stand_in(node, self.weights[node.name]) if node.name in large else node for node in self.nodes
            ),
            weights={name: weight for name, weight in self.weights.items() if name not in large},
        )

    def producer(self, reference: str) -> Node | None:
        """The node behind an input; None for an argument of a function."""
        return self.by_name.get(node_of(reference))

    def constant(self, reference: str) -> np.ndarray | None:
        """The value of the constant that an input reads; None if it is no constant, or has more than 64 elements."""
        const = self._constant_behind(reference)
        weight = None if const is None else self.weights.get(const.name)
        if weight is not None:
            return weight.array() if weight.size <= 64 and weight.dtype != DType.string else None
        return None if const is None or "value" not in const.attr else inline_value(const.attr["value"].tensor)

    def constant_shape(self, reference: str) -> tuple[int, ...] | None:
        """The shape of the constant that an input reads; None if it is no constant."""
        const = self._constant_behind(reference)
        if const is None:
            return None
        if const.name in self.weights:
            return self.weights[const.name].shape
        return tuple(dim.size for dim in attr(const, "value", TensorProto()).tensor_shape.dim)

    def _constant_behind(self, reference: str) -> Node | None:
        """The Const that an input reads, through Identities and constant Enters."""
        behind = self.producer(reference)
        if behind is not None and behind.op in _WAYS:
            behind = self.by_name.get(self.source(behind.name))
        return behind if behind is not None and behind.op == "Const" else None

    def source(self, name: str) -> str:
        """The first node before a chain of Identities and constant Enters; in a circle any of its nodes."""
        way = dict[str, None]()
        while name not in way and name not in self._sources:
            way[name] = None
            node = self.by_name.get(name)
            if node is not None and node.input and (node.op == "Identity" or _is_entered(node)):
                name = node_of(node.input[0])
        self._sources.update(dict.fromkeys(way, self._sources.get(name, name)))
        return self._sources[name]

    @cached_property
    def _sources(self) -> dict[str, str]:
        """Answers of `source`, which is asked for every node behind a long chain of Identities."""
        return {}


@dataclass(frozen=True)
class Function:
    """A function of the graph's library: a graph with arguments and results.

    `definition` is the FunctionDef without its nodes and results; `returns` gives the tensor
    behind each output argument.
    """

    definition: FunctionDef
    graph: Graph
    returns: Mapping[str, Tensor]

    def __reduce__(self) -> tuple[Callable[..., Function], tuple[bytes, Graph, dict[str, Tensor]]]:
        return _function, (self.definition.SerializeToString(), self.graph, dict(self.returns))


class Change(NamedTuple):
    """What rewrites made of a number of nodes of an op: the ops in the place of each; the last one has its name."""

    op: str
    number: int
    into: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """A graph, the functions it calls, and the signatures by which it is used.

    `initializers` are the names of nodes to run once after loading (they fill hash tables); `producer` is the version
    of GraphDef that the graph was written with. `notes` and `changes` are for the user: what was left out of the file,
    what means something else in TensorFlow, and which ops were rewritten.
    """

    graph: Graph
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    initializers: tuple[str, ...] = ()
    producer: int = 0
    notes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    def with_graphs(self, change: Callable[[Graph], Graph]) -> Model:
        """The same model with its graph and those of its functions changed; the same object if none is."""
        graph = change(self.graph)
        bodies = {name: change(function.graph) for name, function in self.functions.items()}
        if graph is self.graph and all(body is self.functions[name].graph for name, body in bodies.items()):
            return self
        functions = {name: replace(self.functions[name], graph=body) for name, body in bodies.items()}
        return replace(self, graph=graph, functions=functions)

    def noting(self, notes: Iterable[str]) -> Model:
        """The same model with more notes."""
        return replace(self, notes=(*self.notes, *notes))

    def map_signatures(self, change: Callable[[TensorSpec], TensorSpec]) -> Model:
        """The same model with every entry of every signature changed."""
        return replace(self, signatures={key: signature.map(change) for key, signature in self.signatures.items()})

    @property
    def graphs(self) -> tuple[Graph, ...]:
        """The main graph and those of the functions."""
        return (self.graph, *(function.graph for function in self.functions.values()))

    @property
    def weight_bytes(self) -> int:
        """The bytes of the weights in the output; strings count as on disk."""
        weights = (weight for graph in self.graphs for weight in graph.weights.values())
        return sum(weight.stored_bytes if weight.dtype == DType.string else weight.nbytes for weight in weights)


def _is_entered(producer: Node) -> bool:
    return producer.op == "Enter" and bool(attr(producer, "is_constant", False))


def _stand_in(const: Node, weight: Weight) -> Node:
    return new_node("Placeholder", const.name, const.input, dtype=weight.dtype, shape=shape_proto(weight.shape))


def _graph(nodes: Packed, weights: Mapping[str, Weight]) -> Graph:
    return Graph(unpack(nodes), weights)


def _function(definition: bytes, graph: Graph, returns: Mapping[str, Tensor]) -> Function:
    return Function(FunctionDef.FromString(definition), graph, returns)
