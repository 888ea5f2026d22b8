"""The nodes of a graph in a file, read without the values of constants that are large."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import TypeAlias

from bundler.encoding.message import numbers
from bundler.encoding.wire import Field
from bundler.ir.dtypes import DType
from bundler.ir.nodes import Node
from bundler.ir.protos import AttrValue, FunctionDef, GraphDef, NodeDef, TensorProto
from bundler.ir.shapes import element_count
from bundler.ir.weight import Weight
from bundler.stored.skimmed import Skimmed

__all__ = ["read_nodes"]

_LARGE = 1 << 12
"""Bytes of a node above which its constant stays in the file."""
_RUN = 1 << 16
"""Bytes of smaller nodes that are read at once: for each alone protobuf takes longer."""

_Kind: TypeAlias = "type[GraphDef] | type[FunctionDef]"
_NODES: Mapping[_Kind, str] = MappingProxyType({GraphDef: "node", FunctionDef: "node_def"})
"""The field with the nodes, by the kind of graph."""
(_ATTR,) = numbers(NodeDef, "attr")
(_TENSOR,) = numbers(AttrValue, "tensor")
(_CONTENT,) = numbers(TensorProto, "tensor_content")
_KEY, _VALUE = 1, 2
"""The fields of an entry of a map."""


def read_nodes(file: Skimmed, graph: Field, kind: _Kind) -> Iterator[tuple[Node, Weight | None]]:
    """The nodes of a graph of a kind in a file. One with a large constant lacks it, and comes with it.

    ValueError if the graph is damaged.
    """
    (wanted,) = numbers(kind, _NODES[kind])
    for (number, large, _), group in groupby(file.fields(graph), _run):
        if number == wanted:
            run = list(group)
            file.count("nodes", len(run))
            yield from (_large_node(file, each) for each in run) if large else _small_nodes(file, run, kind)


def _run(field: Field) -> tuple[int, bool, int]:
    """What is the same for fields that may be read at once."""
    return field.number, field.end - field.start > _LARGE, field.tag // _RUN


def _small_nodes(file: Skimmed, run: Sequence[Field], kind: _Kind) -> Iterator[tuple[Node, None]]:
    """Nodes that lie one after the other: the bytes of the fields of a message are such a message."""
    content = file.spelled(run[0]._replace(end=run[-1].end))
    return ((Node.of(each), None) for each in getattr(kind.FromString(content), _NODES[kind]))


def _large_node(file: Skimmed, message: Field) -> tuple[Node, Weight | None]:
    return _without_constant(file, message) or (Node.of(NodeDef.FromString(file.value(message))), None)


def _without_constant(file: Skimmed, message: Field) -> tuple[Node, Weight] | None:
    """A node without its value, and that as a weight; None if it has none whose elements lie there in bytes."""
    weight, rest = None, bytearray()
    for each in file.fields(message):
        found = _weight(file, each) if each.number == _ATTR else None
        if found is None:
            rest += file.spelled(each)
        else:
            weight = found
    return None if weight is None else (Node.of(NodeDef.FromString(bytes(rest))), weight)


def _weight(file: Skimmed, entry: Field) -> Weight | None:
    """The tensor in an attribute `value` whose elements lie there in bytes; None for any other attribute."""
    inner = {each.number: each for each in file.fields(entry)}
    if inner.keys() != {_KEY, _VALUE} or file.value(inner[_KEY]) != b"value":
        return None
    content, rest = None, bytearray()
    for tensor in file.fields(inner[_VALUE]):
        for part in file.fields(tensor) if tensor.number == _TENSOR else ():
            if part.number == _CONTENT:
                content = part
            else:
                rest += file.spelled(part)
    return None if content is None else _placed(file, TensorProto.FromString(bytes(rest)), content)


def _placed(file: Skimmed, tensor: TensorProto, content: Field) -> Weight | None:
    """A tensor whose elements lie in the file; None if these bytes are not its elements."""
    dtype = next((known for known in DType if known == tensor.dtype), None)
    shape, size = [dim.size for dim in tensor.tensor_shape.dim], content.end - content.start
    elements = element_count(shape)
    if dtype is None or not dtype.is_number or elements is None or elements * dtype.numpy.itemsize != size:
        return None
    return Weight(dtype, tuple(shape), file.group, content.start, size, dtype)
