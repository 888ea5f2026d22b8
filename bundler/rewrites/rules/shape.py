"""Ranks and channels that follow from nearby nodes, without TensorFlow's shape inference."""

from __future__ import annotations

from collections.abc import Sequence

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Shape, attr, shape_of
from bundler.ir.protos import TensorShapeProto

__all__ = ["channels", "rank"]

_FILTERED = {"Conv2D": 4, "Conv3D": 5, "DepthwiseConv2dNative": 4, "MatMul": 2}
_RANKS = {**_FILTERED, "AvgPool": 4, "MaxPool": 4, "AvgPool3D": 5, "MaxPool3D": 5, "Conv2DBackpropInput": 4}
_ALIKE = {
    *("Cast", "Elu", "Identity", "LeakyRelu", "Neg", "Relu", "Relu6", "Selu", "Sigmoid", "Softmax", "Softplus"),
    *("StopGradient", "Tanh", "Transpose", "Pad", "PadV2", "BiasAdd", "FusedBatchNormV3", "FusedBatchNorm"),
}
"""Ops whose output has the rank of their first input."""
_BROADCAST = {"Add", "AddV2", "Maximum", "Minimum", "Mul", "RealDiv", "Sub"}
_STEPS = 8
"""How far back the search for a rank goes."""


def rank(reference: str, graph: Graph, steps: int = _STEPS) -> int | None:
    """The number of dimensions of a tensor; None if no node nearby determines it."""
    node = graph.producer(reference)
    if node is None or not steps:
        return None
    if node.op in _ALIKE:
        return rank(node.input[0], graph, steps - 1)
    if node.op in _BROADCAST:
        first = rank(node.input[0], graph, steps // 2)
        second = None if first is None else rank(node.input[1], graph, steps // 2)
        return None if first is None or second is None else max(first, second)
    shape = _given_shape(reference, node, graph)
    return _RANKS.get(node.op) if shape is None else len(shape)


def channels(reference: str, graph: Graph, axis: int = -1) -> int | None:
    """The number of channels of a tensor; None unless it is an input of the model, or a convolution or MatMul.

    `axis` is the dimension of the channels of an input.
    """
    node = graph.producer(reference)
    while node is not None and node.op in ("Identity", "StopGradient"):
        node = graph.producer(node.input[0])
    if node is None:
        return None
    if node.op == "Placeholder":
        shape = _given_shape(reference, node, graph)
        return shape[axis] if shape is not None and len(shape) > 1 else None
    filter = graph.constant_shape(node.input[1]) if node.op in _FILTERED else None
    return None if filter is None or len(filter) != _FILTERED[node.op] else _channels(node, filter)


def _channels(node: Node, filter: Sequence[int]) -> int:
    if node.op == "DepthwiseConv2dNative":
        return filter[2] * filter[3]
    return filter[-2] if attr(node, "transpose_b", False) else filter[-1]


def _given_shape(reference: str, node: Node, graph: Graph) -> Shape | None:
    """The shape of a constant, or of an input of the model."""
    proto = attr(node, "shape") if node.op == "Placeholder" else None
    if isinstance(proto, TensorShapeProto) and proto.dim:
        return shape_of(proto)
    return graph.constant_shape(reference)
