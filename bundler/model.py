"""The one noun: a `Model` flows through every stage, and this is the vocabulary to speak of it.

The reader makes one, every rewrite maps one to one, `link` takes many and returns one, the writer
writes one. Nodes are TensorFlow's own `NodeDef` messages, in the main graph and in functions alike;
inside a `Graph` every input is written `n`, `n:1` or `^n` (functions too: the `n:out_arg:1` of a
FunctionDef is translated at both ends of the pipeline, by `ops`).

Nodes are shared between models and never edited: build new ones with `node`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np

from bundler.dtypes import DType
from bundler.protos import AttrValue, FunctionDef, NameAttrList, NodeDef, TensorProto, TensorShapeProto
from bundler.weight import Weight

__all__ = [
    "PREDICT",
    "Function",
    "Graph",
    "Model",
    "Shape",
    "Signature",
    "Tensor",
    "TensorSpec",
    "attr",
    "constant",
    "node",
    "shape_of",
    "shape_proto",
    "show",
    "tensor_proto",
]

PREDICT = "tensorflow/serving/predict"
Shape: TypeAlias = tuple[int | None, ...]
"""Dimensions, None where unknown; a tensor of unknown rank has None in place of the whole."""


class Tensor(NamedTuple):
    """A reference to one output of a node: `y:1` is `Tensor("y", 1)`, a control edge has port -1."""

    node: str
    port: int = 0

    @classmethod
    def parse(cls, reference: str) -> Tensor:
        """Read `y`, `y:1` or `^y`."""
        if reference.startswith("^"):
            return cls(reference[1:], -1)
        name, colon, port = reference.rpartition(":")
        return cls(name, int(port)) if colon and port.isdecimal() else cls(reference, 0)

    @property
    def is_control(self) -> bool:
        return self.port < 0

    def __str__(self) -> str:
        """The spelling of a node's input: `y`, `y:1`, `^y`."""
        if self.port < 0:
            return f"^{self.node}"
        return f"{self.node}:{self.port}" if self.port else self.node

    @property
    def full(self) -> str:
        """The spelling of a signature: `y:0`."""
        return f"{self.node}:{self.port}"


@dataclass(frozen=True)
class TensorSpec:
    """One entry of a signature. `dtype` and `shape` are None where nobody said."""

    tensor: Tensor
    dtype: DType | None = None
    shape: Shape | None = None


@dataclass(frozen=True)
class Signature:
    """What a caller may ask for: named inputs and outputs of the graph."""

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
    """Nodes, and the weights of those Const nodes whose value is still on disk."""

    nodes: tuple[NodeDef, ...]
    weights: Mapping[str, Weight] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> Mapping[str, NodeDef]:
        return MappingProxyType({node.name: node for node in self.nodes})

    @cached_property
    def consumers(self) -> Mapping[str, Sequence[NodeDef]]:
        """The nodes that read a node, by its name; control edges count."""
        found: dict[str, list[NodeDef]] = {}
        for reader in self.nodes:
            for name in {Tensor.parse(reference).node for reference in reader.input}:
                found.setdefault(name, []).append(reader)
        return found

    @cached_property
    def has_loops(self) -> bool:
        """Whether there are version 1 loops, whose nodes belong to frames."""
        return any(node.op == "Enter" for node in self.nodes)

    def without_weights(self) -> Graph:
        """The same structure, a Placeholder of its dtype and shape in place of each large weight.

        Small ones stay: shapes depend on the values of some, none of which is large.
        """
        large = {name for name, weight in self.weights.items() if weight.size > 64 and weight.dtype != DType.string}
        return Graph(
            nodes=tuple(_stand_in(node, self.weights[node.name]) if node.name in large else node for node in self.nodes),
            weights={name: weight for name, weight in self.weights.items() if name not in large},
        )

    def producer(self, reference: str) -> NodeDef | None:
        """The node behind an input; None for an argument of a function."""
        return self.by_name.get(Tensor.parse(reference).node)

    def constant(self, reference: str) -> np.ndarray | None:
        """The value behind an input where it is a constant of at most 64 elements; else None."""
        const = self.producer(reference)
        while const is not None and const.op == "Identity":
            const = self.producer(const.input[0])
        if const is None or const.op != "Const":
            return None
        weight = self.weights.get(const.name)
        if weight is not None:
            return weight.array() if weight.size <= 64 and weight.dtype != DType.string else None
        return _inline_value(const.attr["value"].tensor) if "value" in const.attr else None

    def constant_shape(self, reference: str) -> tuple[int, ...] | None:
        """The shape of the constant behind an input; None where it is no constant."""
        const = self.producer(reference)
        while const is not None and const.op == "Identity":
            const = self.producer(const.input[0])
        if const is None or const.op != "Const":
            return None
        if const.name in self.weights:
            return self.weights[const.name].shape
        return tuple(dim.size for dim in const.attr["value"].tensor.tensor_shape.dim)


@dataclass(frozen=True)
class Function:
    """A function of the graph's library: a graph with arguments and results.

    `definition` is the FunctionDef without its nodes and results; `returns` gives the tensor
    behind each output argument.
    """

    definition: FunctionDef
    graph: Graph
    returns: Mapping[str, Tensor]


@dataclass(frozen=True)
class Model:
    """A graph, the functions it calls, and the signatures by which it is used.

    `initializers` are the nodes to run once after loading (they fill hash tables); `producer` is
    the version of GraphDef that the graph was written with.
    """

    graph: Graph
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    initializers: tuple[str, ...] = ()
    producer: int = 0

    def with_graphs(self, change: Callable[[Graph], Graph]) -> Model:
        """The same model with its graph, and the graph of every function, changed."""
        return replace(
            self,
            graph=change(self.graph),
            functions={
                name: replace(function, graph=change(function.graph)) for name, function in self.functions.items()
            },
        )

    def map_signatures(self, change: Callable[[TensorSpec], TensorSpec]) -> Model:
        """The same model with every entry of every signature changed."""
        return replace(self, signatures={key: signature.map(change) for key, signature in self.signatures.items()})

    @property
    def graphs(self) -> tuple[Graph, ...]:
        """The main graph and those of the functions."""
        return (self.graph, *(function.graph for function in self.functions.values()))

    @property
    def weight_bytes(self) -> int:
        """What the weights take in the output, in bytes."""
        return sum(weight.nbytes for graph in self.graphs for weight in graph.weights.values())


Value: TypeAlias = (
    "bool | int | float | str | bytes | DType | np.ndarray | Sequence[Value]"
    " | AttrValue | NameAttrList | TensorProto | TensorShapeProto | None"
)


def node(op: str, name: str, inputs: Iterable[str] = (), **attrs: Value) -> NodeDef:
    """A new node. Attributes whose value is None are left out.

    Python values become the attribute that TensorFlow means by them: a DType a type, an array a
    tensor, a list a list; messages are taken as they are.
    """
    made = NodeDef(name=name, op=op, input=inputs)
    for key, value in attrs.items():
        if value is not None:
            made.attr[key].CopyFrom(_attr_value(value))
    return made


def constant(name: str, value: np.ndarray, *, control: Iterable[str] = ()) -> NodeDef:
    """A Const node with its value inside. `control` are nodes (no `^`) that tie it to a loop's frame."""
    dtype = DType.parse(value.dtype.name)
    return node("Const", name, [f"^{name}" for name in control], dtype=dtype, value=value)


def attr(node: NodeDef, key: str, default: Value = None) -> Value:
    """An attribute as a Python value, `default` where the node lacks it.

    Reading `node.attr[key]` would create the key: this is the way that does not.
    """
    if key not in node.attr:
        return default
    return _plain(node.attr[key])


def show(node: NodeDef, *attrs: str) -> str:
    """One node in the notation of the docs: `y = Conv2D(x, w, padding=SAME)`."""
    shown = [*node.input, *(f"{key}={_spell(attr(node, key))}" for key in attrs if key in node.attr)]
    return f"{node.name} = {node.op}({', '.join(shown)})"


def shape_of(proto: TensorShapeProto) -> Shape | None:
    """A shape from TensorFlow's message: None for an unknown dimension, or for an unknown rank."""
    return None if proto.unknown_rank else tuple(None if dim.size < 0 else dim.size for dim in proto.dim)


def shape_proto(shape: Shape | None) -> TensorShapeProto:
    """The reverse. An unknown rank is said: a message without dimensions would mean a scalar."""
    if shape is None:
        return TensorShapeProto(unknown_rank=True)
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=-1 if size is None else size) for size in shape])


def tensor_proto(value: np.ndarray) -> TensorProto:
    """A TensorProto with the array's bytes, little-endian and row-major."""
    dtype = DType.parse(value.dtype.name)
    content = np.ascontiguousarray(value, dtype.numpy).tobytes()
    return TensorProto(dtype=dtype.value, tensor_shape=shape_proto(value.shape), tensor_content=content)


_SCALARS: tuple[tuple[type, str], ...] = (
    (DType, "type"),
    (bool, "b"),
    (int, "i"),
    (float, "f"),
    (bytes, "s"),
    (TensorShapeProto, "shape"),
    (TensorProto, "tensor"),
    (NameAttrList, "func"),
)


def _attr_value(value: Value) -> AttrValue:
    if isinstance(value, AttrValue):
        return value
    if isinstance(value, np.ndarray):
        value = tensor_proto(value)
    if isinstance(value, str):
        value = value.encode(errors="surrogateescape")
    for kind, slot in _SCALARS:
        if isinstance(value, kind):
            return AttrValue(**{slot: value})
    if not isinstance(value, Sequence):
        raise TypeError(f"no attribute holds a {type(value).__name__}")
    made = AttrValue()
    made.list.SetInParent()
    for item in value:
        single = _attr_value(item)
        slot = single.WhichOneof("value") or ""
        getattr(made.list, slot).append(getattr(single, slot))
    return made


def _plain(value: AttrValue) -> Value:
    slot = value.WhichOneof("value")
    if slot is None:
        return None
    if slot != "list":
        return _plain_item(slot, getattr(value, slot))
    return [_plain_item(field.name, item) for field, items in value.list.ListFields() for item in items]


def _plain_item(slot: str, item: object) -> Value:
    if slot == "s":
        return item.decode(errors="surrogateescape")  # type: ignore[attr-defined]
    if slot == "type":
        return DType(item)  # type: ignore[call-overload]
    return item  # type: ignore[return-value]


def _spell(value: Value) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_spell, value))}]"
    return str(value)


def _stand_in(const: NodeDef, weight: Weight) -> NodeDef:
    return node("Placeholder", const.name, const.input, dtype=weight.dtype, shape=shape_proto(weight.shape))


def _inline_value(tensor: TensorProto) -> np.ndarray | None:
    """The array in a small TensorProto that holds its bytes; None for other spellings."""
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if len(tensor.tensor_content) > 1024 or (not tensor.tensor_content and 0 not in shape):
        return None
    return np.frombuffer(tensor.tensor_content, DType(tensor.dtype).numpy).reshape(shape)
