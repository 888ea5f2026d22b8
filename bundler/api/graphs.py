"""Inputs and outputs of a frozen graph, found by analysis of its nodes alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from bundler import ops
from bundler.ir.dtypes import DType
from bundler.ir.model import PREDICT, Graph
from bundler.ir.nodes import Node, attr
from bundler.ir.protos import GraphDef, SignatureDef, TensorInfo

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = [
    "NodeInfo",
    "Tensor",
    "get_input_nodes",
    "get_input_tensors",
    "get_output_nodes",
    "get_output_tensors",
    "graph_def_of",
    "infer_signature",
]

Tensor: TypeAlias = np.ndarray
TensorFlowGraph: TypeAlias = "tf.Graph"


class NodeInfo(NamedTuple):
    """An input or output. `shape` has None for an unknown size; `dtype` is NumPy's type, None if there is none.

    The shape of an output is empty: it does not follow from the nodes alone.
    """

    name: str
    shape: list[int | None]
    dtype: type | None
    tensor: str


def get_input_nodes(graph: TensorFlowGraph | GraphDef) -> list[NodeInfo]:
    """The Placeholders, in the graph's order."""
    return [_info(node) for node in _nodes(graph) if node.op == "Placeholder"]


def get_output_nodes(graph: TensorFlowGraph | GraphDef) -> list[NodeInfo]:
    """The nodes with a result that no other node reads, in the graph's order."""
    return [_info(node)._replace(shape=[]) for node in _unread(Graph(_nodes(graph)))]


def get_input_tensors(graph: TensorFlowGraph | GraphDef) -> list[str]:
    """The tensors of the inputs, as a session takes them: `x:0`."""
    return [info.tensor for info in get_input_nodes(graph)]


def get_output_tensors(graph: TensorFlowGraph | GraphDef) -> list[str]:
    """The tensors of the outputs, as a session takes them: `Identity:0`."""
    return [info.tensor for info in get_output_nodes(graph)]


def infer_signature(graph: TensorFlowGraph) -> SignatureDef | None:
    """A signature for `predict` with the names of the nodes; None for a graph without outputs."""
    inputs, outputs = (
        {info.name: _tensor_info(graph, info.tensor) for info in found}
        for found in (get_input_nodes(graph), get_output_nodes(graph))
    )
    return SignatureDef(inputs=inputs, outputs=outputs, method_name=PREDICT) if outputs else None


def graph_def_of(graph: TensorFlowGraph | GraphDef) -> GraphDef:
    """The GraphDef of a graph."""
    if isinstance(graph, GraphDef):
        return graph
    message: GraphDef = graph.as_graph_def()
    return message


def _nodes(graph: TensorFlowGraph | GraphDef) -> tuple[Node, ...]:
    return tuple(map(Node.of, graph_def_of(graph).node))


_NO_RESULTS = ("Const", "NoOp", "Placeholder")


def _unread(graph: Graph) -> Iterator[Node]:
    for node in graph.nodes:
        if node.op not in _NO_RESULTS and node.name not in graph.consumers and ops.has_port(node, 0):
            yield node


def _info(node: Node) -> NodeInfo:
    shape = attr(node, "shape")
    dims = shape.dim if shape is not None else ()
    sizes = [dim.size if dim.size >= 0 else None for dim in dims]
    return NodeInfo(node.name, sizes, _numpy_type(attr(node, "dtype", attr(node, "T"))), f"{node.name}:0")


def _numpy_type(dtype: Any) -> type | None:
    return dtype.numpy.type if isinstance(dtype, DType) and dtype.is_number else None


def _tensor_info(graph: TensorFlowGraph, name: str) -> TensorInfo:
    tensor = graph.get_tensor_by_name(name)
    return TensorInfo(name=name, dtype=tensor.dtype.as_datatype_enum, tensor_shape=tensor.shape.as_proto())
