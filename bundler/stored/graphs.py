"""The graphs of a SavedModel and of a frozen graph, read without their weights.

Weights stay in the file, so a graph of 2 GB takes the memory of its nodes. A reference inside of a function is spelled
as in a graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from bundler import ops
from bundler.disk import files
from bundler.disk.shards import File, Group
from bundler.encoding.message import numbers
from bundler.encoding.wire import Bytes, Field, fields
from bundler.errors import SourceError
from bundler.ir.dtypes import DType
from bundler.ir.model import Function, Graph, Model
from bundler.ir.nodes import Node, Tensor
from bundler.ir.protos import (
    AttrValue,
    FunctionDef,
    FunctionDefLibrary,
    GraphDef,
    MetaGraphDef,
    NodeDef,
    SavedModel,
    TensorProto,
)
from bundler.ir.weight import Weight
from bundler.outputs.savedmodel import FILE, initial_nodes, read_signatures
from bundler.stored.reading import explained

__all__ = ["StoredGraph", "read_frozen", "read_graphs"]

_Made = TypeVar("_Made")

_LARGE = 1 << 10
"""Bytes of a node above which its constant stays in the file."""
_MOST_NODES = 1 << 20
"""Nodes of a file: each takes two bytes there, and hundreds in memory."""
_MOST_BYTES = (1 << 31) - 1
"""The most bytes of a message that protobuf reads."""

_META_GRAPHS, *_ = numbers(SavedModel, "meta_graphs")
_GRAPH_DEF, _OBJECTS = numbers(MetaGraphDef, "graph_def", "object_graph_def")
_NODE, _LIBRARY = numbers(GraphDef, "node", "library")
_ATTR, *_ = numbers(NodeDef, "attr")
_TENSOR, *_ = numbers(AttrValue, "tensor")
_CONTENT, *_ = numbers(TensorProto, "tensor_content")
_KEY, _VALUE = 1, 2
"""The fields of an entry of a map."""


@dataclass(frozen=True)
class StoredGraph:
    """A MetaGraph of a SavedModel: its tags, sorted, and its graph with the signatures."""

    tags: tuple[str, ...]
    model: Model


def read_graphs(folder: Path) -> tuple[StoredGraph, ...]:
    """The MetaGraphs of the SavedModel in a folder. Raises SourceError if there is none, or it is damaged."""
    graphs = _read(folder / FILE, "a SavedModel", lambda file: list(file.meta_graphs()))
    if not graphs:
        raise SourceError("this is not a SavedModel", where=str(folder / FILE), found="no MetaGraph")
    return tuple(graphs)


def read_frozen(path: Path) -> Model:
    """The graph of a file with a GraphDef. Raises SourceError if it is none, or is damaged."""
    model = _read(path, "a graph of TensorFlow", lambda file: file.graph(0, file.source.size))
    if not model.graph.nodes:
        raise SourceError("this is not a graph of TensorFlow", where=str(path), found="no nodes")
    return model


def _read(path: Path, what: str, read: Callable[[_Skimmed], _Made]) -> _Made:
    with explained(path, what):
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise ValueError(f"{size:,} bytes, of which protobuf reads at most {_MOST_BYTES:,}")
        with files.opened(path) as opened:
            return read(_Skimmed(path, Bytes(opened, size)))


class _Skimmed:
    """A file with graphs."""

    def __init__(self, path: Path, source: Bytes) -> None:
        self.source = source
        self._group = Group((File(path, source.size),))
        self._nodes = 0

    def meta_graphs(self) -> Iterator[StoredGraph]:
        """The MetaGraphs of a SavedModel."""
        for each in fields(self.source, 0, self.source.size):
            if each.number == _META_GRAPHS:
                yield self._meta_graph(each)

    def graph(self, start: int, end: int) -> Model:
        """The GraphDef between two places."""
        nodes: list[Node] = []
        weights: dict[str, Weight] = {}
        library = FunctionDefLibrary()
        for each in fields(self.source, start, end):
            if each.number == _NODE:
                node, weight = self._node(each)
                nodes.append(node)
                weights |= {} if weight is None else {node.name: weight}
            elif each.number == _LIBRARY:
                library.MergeFromString(self.source.read(each.start, each.end))
        functions = {each.signature.name: _function(each) for each in library.function}
        return Model(Graph(tuple(nodes), weights), functions=functions)

    def _meta_graph(self, message: Field) -> StoredGraph:
        model, rest = Model(Graph(())), bytearray()
        for each, start in self._with_starts(message):
            if each.number == _GRAPH_DEF:
                model = self.graph(each.start, each.end)
            elif each.number != _OBJECTS:
                rest += self.source.read(start, each.end)
        described = MetaGraphDef.FromString(bytes(rest))
        initializers = tuple(_waited_for(initial_nodes(described), model.graph))
        model = replace(model, signatures=read_signatures(described), initializers=initializers)
        return StoredGraph(tuple(sorted(described.meta_info_def.tags)), model)

    def _node(self, message: Field) -> tuple[Node, Weight | None]:
        """A node, and its constant if that is large."""
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise ValueError(f"more than {_MOST_NODES:,} nodes")
        large = self._large_constant(message) if message.end - message.start > _LARGE else None
        return large or (Node.of(NodeDef.FromString(self.source.read(message.start, message.end))), None)

    def _large_constant(self, message: Field) -> tuple[Node, Weight] | None:
        """A node without its value, and that as a weight; None if it has none whose elements lie there in bytes."""
        rest, weight = bytearray(), None
        for each, start in self._with_starts(message):
            found = self._weight(each) if each.number == _ATTR else None
            weight = found or weight
            rest += b"" if found else self.source.read(start, each.end)
        return None if weight is None else (Node.of(NodeDef.FromString(bytes(rest))), weight)

    def _weight(self, entry: Field) -> Weight | None:
        """The tensor in an attribute `value` whose elements lie there in bytes; None for any other attribute."""
        inner = {each.number: each for each in fields(self.source, entry.start, entry.end)}
        if inner.keys() != {_KEY, _VALUE} or self._bytes(inner[_KEY]) != b"value":
            return None
        rest, content = bytearray(), None
        for each in fields(self.source, inner[_VALUE].start, inner[_VALUE].end):
            for part, start in self._with_starts(each) if each.number == _TENSOR else ():
                content = part if part.number == _CONTENT else content
                rest += b"" if part.number == _CONTENT else self.source.read(start, part.end)
        return None if content is None else self._placed(TensorProto.FromString(bytes(rest)), content)

    def _placed(self, tensor: TensorProto, content: Field) -> Weight | None:
        """A tensor whose elements lie in the file; None if these bytes are not its elements."""
        dtype = next((known for known in DType if known == tensor.dtype), None)
        shape, size = [dim.size for dim in tensor.tensor_shape.dim], content.end - content.start
        if dtype is None or not dtype.is_number or min(shape, default=0) < 0:
            return None
        if math.prod(shape) * dtype.numpy.itemsize != size:
            return None
        return Weight(dtype, tuple(shape), self._group, content.start, size, dtype)

    def _bytes(self, value: Field) -> bytes:
        return self.source.read(value.start, value.end)

    def _with_starts(self, message: Field) -> Iterator[tuple[Field, int]]:
        """The fields of a message, each with the place of its tag."""
        start = message.start
        for each in fields(self.source, message.start, message.end):
            yield each, start
            start = each.end


def _waited_for(names: list[str], graph: Graph) -> Iterator[str]:
    """The nodes that initial nodes wait for: a NoOp has no work of its own."""
    for name in dict.fromkeys(names):
        node = graph.by_name.get(name)
        if node is None or node.op != "NoOp":
            yield name
        else:
            yield from (Tensor.parse(reference).node for reference in node.input)


def _function(definition: FunctionDef) -> Function:
    by_name = {message.name: Node.of(message) for message in definition.node_def}
    nodes = (
        node._replace(input=tuple(str(ops.read_tensor(each, by_name)) for each in node.input))
        for node in by_name.values()
    )
    returns = {name: ops.read_tensor(reference, by_name) for name, reference in definition.ret.items()}
    return Function(FunctionDef(signature=definition.signature), Graph(tuple(nodes)), returns)
