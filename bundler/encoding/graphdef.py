"""A model's graph as TensorFlow's message, with no weight in memory.

Fields stand in the order of their numbers, a node's attributes in that of their keys: so does C++'s deterministic
serialization. (Python's puts `Tshape` before `T`.)

Layout: tensorflow/core/framework/graph.proto, node_def.proto, function.proto, attr_value.proto, tensor.proto.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from bundler import ops
from bundler.encoding.message import Message, field, head, numbers
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, Tensor, shape_proto
from bundler.ir.protos import AttrValue, FunctionDef, FunctionDefLibrary, GraphDef, NodeDef, TensorProto

__all__ = ["graph_def", "structure"]

_NODE, _LIBRARY = numbers(GraphDef, "node", "library")
_FUNCTION, *_ = numbers(FunctionDefLibrary, "function")
_BODY, *_ = numbers(FunctionDef, "node_def")
_NAME, _OP, _INPUT, _ATTR = numbers(NodeDef, "name", "op", "input", "attr")
_KEY, _VALUE = numbers(NodeDef.AttrEntry, "key", "value")
_TENSOR, *_ = numbers(AttrValue, "tensor")
_CONTENT, _STRING = numbers(TensorProto, "tensor_content", "string_val")


def graph_def(model: Model) -> Message:
    """A GraphDef: nodes, library, versions."""
    graph, library, attrs = Message(), Message(), _Attrs()
    _add_nodes(graph, _NODE, model.graph, _input, attrs)
    for name in sorted(model.functions):
        library.nest(_FUNCTION, _function(model.functions[name], attrs))
    if library.size:
        graph.nest(_LIBRARY, library)
    versions = GraphDef()
    versions.versions.producer = model.producer
    graph.add(versions.SerializeToString())
    return graph


def structure(model: Model) -> bytes:
    """A serialized GraphDef with Placeholders in place of weights: enough to infer dtypes and shapes."""
    return graph_def(model.with_graphs(lambda graph: graph.without_weights())).content


def _input(reference: str) -> bytes:
    """An input of a node, encoded."""
    return field(_INPUT, reference.encode())


class _Inputs(dict[str, bytes]):
    """Encoded inputs of the nodes of a function, which name outputs in place of ports, by their spelling in a graph."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = nodes

    def __missing__(self, reference: str) -> bytes:
        encoded = self[reference] = _input(self.spelled(Tensor.parse(reference)))
        return encoded

    def spelled(self, tensor: Tensor) -> str:
        """The tensor as a FunctionDef spells it. An argument and a control edge have a name only."""
        if tensor.is_control or tensor.node not in self._nodes:
            return str(tensor)
        output, index = ops.named_port(self._nodes[tensor.node], tensor.port)
        return f"{tensor.node}:{output}:{index}"


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
    return field(_ATTR, field(_KEY, key.encode()) + field(_VALUE, content))


def _add_nodes(to: Message, number: int, graph: Graph, inputs: Callable[[str], bytes], attrs: _Attrs) -> None:
    """Append NodeDefs, each as a field of that number."""
    for node in graph.nodes:
        start, weight = _name_op_inputs(node, inputs), graph.weights.get(node.name)
        if weight is None:
            to.add(field(number, start + attrs.encoded(node.attr)))
        elif weight.dtype == DType.string:
            strings = b"".join(field(_STRING, text) for text in weight.strings())
            to.add(field(number, start + _value(weight.dtype, weight.shape, strings)))
        else:
            content = start + _before(weight.nbytes, weight.dtype, weight.shape)
            to.add(head(number, len(content) + weight.nbytes) + content, weight)


def _name_op_inputs(node: Node, inputs: Callable[[str], bytes]) -> bytes:
    """The first three fields of a NodeDef."""
    op, name, references, _ = node
    return b"".join([field(_NAME, name.encode()), _op(op), *map(inputs, references)])


@lru_cache(1 << 10)
def _op(op: str) -> bytes:
    return field(_OP, op.encode())


@lru_cache(1 << 10)
def _before(size: int, dtype: DType, shape: tuple[int, ...]) -> bytes:
    """The attributes of a Const of numbers up to their `size` bytes."""
    return _value(dtype, shape, head(_CONTENT, size) if size else b"", size)


def _value(dtype: DType, shape: tuple[int, ...], content: bytes, size: int = 0) -> bytes:
    """The attributes of a Const, the last `size` bytes of whose content follow: the end of every message around them.

    They belong to the attribute `value`, whose key sorts after the other one, `dtype`.
    """
    tensor: bytes = TensorProto(dtype=dtype.value, tensor_shape=shape_proto(shape)).SerializeToString() + content
    value = head(_TENSOR, len(tensor) + size) + tensor
    entry = field(_KEY, b"value") + head(_VALUE, len(value) + size) + value
    return _attr("dtype", AttrValue(type=dtype.value)) + head(_ATTR, len(entry) + size) + entry


def _function(function: Function, attrs: _Attrs) -> Message:
    """A FunctionDef, whose nodes' inputs name outputs in place of ports."""
    inputs = _Inputs(function.graph.by_name)
    made, tail = Message(function.definition.SerializeToString(deterministic=True)), FunctionDef()
    for output, tensor in function.returns.items():
        tail.ret[output] = inputs.spelled(tensor)
    _add_nodes(made, _BODY, function.graph, inputs.__getitem__, attrs)
    made.add(tail.SerializeToString(deterministic=True))
    return made
