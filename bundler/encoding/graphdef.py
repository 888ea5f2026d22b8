"""A model's graph as TensorFlow's message, with no weight in memory.

Fields stand in the order of their numbers, a node's attributes in that of their keys: so does C++'s deterministic
serialization. (Python's puts `Tshape` before `T`.)

Layout: tensorflow/core/framework/graph.proto, node_def.proto, function.proto, attr_value.proto, tensor.proto.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache

from bundler import ops
from bundler.encoding.message import Message, field, head, numbers
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, Tensor, shape_proto
from bundler.ir.protos import AttrValue, FunctionDef, FunctionDefLibrary, GraphDef, NodeDef, TensorProto
from bundler.ir.weight import Weight

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
    _add_nodes(graph, _NODE, model.graph, _Inputs(), attrs)
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


class _Inputs(dict[str, bytes]):
    """Encoded inputs of nodes, by their spelling in a graph. Those of a function name an output of one of `nodes`."""

    def __init__(self, nodes: Mapping[str, Node] = {}) -> None:
        self._nodes = nodes

    def __missing__(self, reference: str) -> bytes:
        spelled = self.spelled(Tensor.parse(reference)) if self._nodes else reference
        encoded = self[reference] = field(_INPUT, spelled.encode())
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


def _add_nodes(to: Message, number: int, graph: Graph, inputs: _Inputs, attrs: _Attrs) -> None:
    """Append NodeDefs, each as a field of that number."""
    for node in graph.nodes:
        start, weight = _name_op_inputs(node, inputs), graph.weights.get(node.name)
        if weight is None:
            to.add(field(number, start + attrs.encoded(node.attr)))
        elif weight.dtype == DType.string:
            to.add(field(number, start + _value(weight, 0)))
        else:
            content = start + _value(weight, weight.nbytes)
            to.add(head(number, len(content) + weight.nbytes) + content, weight)


def _name_op_inputs(node: Node, inputs: _Inputs) -> bytes:
    """The first three fields of a NodeDef."""
    op, name, references, _ = node
    return b"".join([field(_NAME, name.encode()), _op(op), *map(inputs.__getitem__, references)])


@lru_cache(1 << 10)
def _op(op: str) -> bytes:
    return field(_OP, op.encode())


def _value(weight: Weight, size: int) -> bytes:
    """The attributes of a Const up to the `size` bytes of its weight, which are the end of every message around them.

    They belong to the attribute `value`, whose key sorts after the other one, `dtype`.
    """
    tensor = _tensor(weight) + (head(_CONTENT, size) if size else b"")
    value = head(_TENSOR, len(tensor) + size) + tensor
    entry = field(_KEY, b"value") + head(_VALUE, len(value) + size) + value
    return _dtype(weight.dtype) + head(_ATTR, len(entry) + size) + entry


@cache
def _dtype(dtype: DType) -> bytes:
    return _attr("dtype", AttrValue(type=dtype.value))


def _tensor(weight: Weight) -> bytes:
    """A TensorProto without the content of its weight, unless that is strings: they are small."""
    described = _type(weight.dtype, weight.shape)
    if weight.dtype != DType.string:
        return described
    return described + b"".join(field(_STRING, text) for text in weight.strings())


@lru_cache(1 << 10)
def _type(dtype: DType, shape: tuple[int, ...]) -> bytes:
    content: bytes = TensorProto(dtype=dtype.value, tensor_shape=shape_proto(shape)).SerializeToString()
    return content


def _function(function: Function, attrs: _Attrs) -> Message:
    """A FunctionDef, whose nodes' inputs name outputs in place of ports."""
    inputs = _Inputs(function.graph.by_name)
    made, tail = Message(function.definition.SerializeToString(deterministic=True)), FunctionDef()
    for output, tensor in function.returns.items():
        tail.ret[output] = inputs.spelled(tensor)
    _add_nodes(made, _BODY, function.graph, inputs, attrs)
    made.add(tail.SerializeToString(deterministic=True))
    return made
