"""A model's graph as TensorFlow's message, with no weight in memory.

Fields stand in the order of their numbers, a node's attributes in that of their keys, as protobuf's C++ writes messages
that are to be the same every time. (Its Python puts `Tshape` before `T`.)

Layout: tensorflow/core/framework/graph.proto, node_def.proto, function.proto, attr_value.proto, tensor.proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from bundler import ops
from bundler.encoding import message as wire
from bundler.encoding.message import Message
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Model
from bundler.ir.nodes import Node, Tensor, shape_proto
from bundler.ir.protos import AttrValue, FunctionDef, GraphDef, TensorProto
from bundler.ir.weight import Weight

__all__ = ["graph_def", "structure"]


def graph_def(model: Model) -> Message:
    """A GraphDef: nodes, library, versions."""
    made, library, attrs = Message(), Message(), _Attrs()
    _add_nodes(made, 1, model.graph.nodes, model.graph.weights, attrs)
    for name in sorted(model.functions):
        library.field(1, _function(model.functions[name], attrs))
    if library.size:
        made.field(2, library)
    versions = GraphDef()
    versions.versions.producer = model.producer
    made.add(versions.SerializeToString())
    return made


def structure(model: Model) -> bytes:
    """A serialized GraphDef of the structure alone: constants with weights stand in as Placeholders.

    Enough to infer dtypes and shapes, and no weight is read.
    """
    return graph_def(model.with_graphs(lambda graph: graph.without_weights())).content


class _Attrs:
    """Encoded attributes. Nodes share values, and whole sets of them: each is encoded once."""

    def __init__(self) -> None:
        self._sets: dict[int, bytes] = {}
        self._values: dict[tuple[str, int], bytes] = {}

    def encoded(self, attrs: Mapping[str, AttrValue]) -> bytes:
        """The attributes as entries of a NodeDef's map."""
        known = self._sets.get(id(attrs))
        if known is None:
            known = self._sets[id(attrs)] = b"".join([self._encoded(key, attrs[key]) for key in sorted(attrs)])
        return known

    def _encoded(self, key: str, value: AttrValue) -> bytes:
        known = self._values.get((key, id(value)))
        if known is None:
            known = self._values[key, id(value)] = _attr(key, value)
        return known


def _attr(key: str, value: AttrValue) -> bytes:
    content = value.SerializeToString(deterministic=True)
    return wire.field(5, wire.field(1, key.encode()) + wire.field(2, content))


def _add_nodes(to: Message, number: int, nodes: Iterable[Node], weights: Mapping[str, Weight], attrs: _Attrs) -> None:
    """NodeDefs, each a field of that number."""
    for node in nodes:
        weight = weights.get(node.name)
        if weight is None:
            to.add(wire.field(number, _head(node) + attrs.encoded(node.attr)))
        elif weight.dtype == DType.string:
            to.add(wire.field(number, _constant(node, weight, 0)))
        else:
            content = _constant(node, weight, weight.nbytes)
            to.add(wire.head(number, len(content) + weight.nbytes) + content, weight)


def _head(node: Node) -> bytes:
    """Name, op and inputs."""
    op, name, inputs, _ = node
    head = wire.field(1, name.encode()) + _op(op)
    for reference in inputs:
        head += wire.field(3, reference.encode())
    return head


@lru_cache(1 << 10)
def _op(op: str) -> bytes:
    return wire.field(2, op.encode())


def _constant(node: Node, weight: Weight, size: int) -> bytes:
    """A Const up to where the `size` bytes of its weight begin, which are the end of every message around them.

    They belong to the attribute `value`, whose key sorts after the other one, `dtype`.
    """
    tensor = _tensor(weight) + (wire.head(4, size) if size else b"")
    value = wire.head(8, len(tensor) + size) + tensor
    entry = wire.field(1, b"value") + wire.head(2, len(value) + size) + value
    return _head(node) + _dtype(weight.dtype) + wire.head(5, len(entry) + size) + entry


@cache
def _dtype(dtype: DType) -> bytes:
    return _attr("dtype", AttrValue(type=dtype.value))


def _tensor(weight: Weight) -> bytes:
    """A TensorProto less its content. Strings have a field of their own and are small: they are there."""
    described = _type(weight.dtype, weight.shape)
    if weight.dtype != DType.string:
        return described
    return described + b"".join(wire.field(8, text) for text in weight.strings())


@lru_cache(1 << 10)
def _type(dtype: DType, shape: tuple[int, ...]) -> bytes:
    content: bytes = TensorProto(dtype=dtype.value, tensor_shape=shape_proto(shape)).SerializeToString()
    return content


def _function(function: Function, attrs: _Attrs) -> Message:
    """A FunctionDef: its inputs are written with the names of outputs instead of ports."""
    by_name = function.graph.by_name
    made, tail = Message(function.definition.SerializeToString(deterministic=True)), FunctionDef()
    for output, tensor in function.returns.items():
        tail.ret[output] = _spelled(tensor, by_name)
    body = [
        node._replace(input=tuple(_spelled(Tensor.parse(reference), by_name) for reference in node.input))
        for node in function.graph.nodes
    ]
    _add_nodes(made, 3, body, function.graph.weights, attrs)
    made.add(tail.SerializeToString(deterministic=True))
    return made


def _spelled(tensor: Tensor, nodes: Mapping[str, Node]) -> str:
    if tensor.is_control or tensor.node not in nodes:
        return str(tensor)
    output, index = ops.named_port(nodes[tensor.node], tensor.port)
    return f"{tensor.node}:{output}:{index}"
