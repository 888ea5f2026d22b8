"""What the graph itself says of a tensor's shape; TensorFlow is not asked."""

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
    made = graph.producer(reference)
    if made is None or not steps:
        return None
    if made.op in _ALIKE:
        return rank(made.input[0], graph, steps - 1)
    if made.op in _BROADCAST:
        ranks = [rank(each, graph, steps // 2) for each in made.input[:2]]
        return None if None in ranks else max(filter(None, ranks), default=0)
    shape = _given_shape(reference, made, graph)
    return _RANKS.get(made.op) if shape is None else len(shape)


def channels(reference: str, graph: Graph, axis: int = -1) -> int | None:
    """How many channels an input of the model has, or a convolution or MatMul gives; None if it is unknown.

    `axis` is the dimension of the channels.
    """
    made = graph.producer(reference)
    while made is not None and made.op in ("Identity", "StopGradient"):
        made = graph.producer(made.input[0])
    if made is None:
        return None
    if made.op == "Placeholder":
        shape = _given_shape(reference, made, graph)
        return shape[axis] if shape is not None and len(shape) > 1 else None
    filter = graph.constant_shape(made.input[1]) if made.op in _FILTERED else None
    return None if filter is None or len(filter) != _FILTERED[made.op] else _channels(made, filter)


def _channels(made: Node, filter: Sequence[int]) -> int:
    if made.op == "DepthwiseConv2dNative":
        return filter[2] * filter[3]
    return filter[-2] if attr(made, "transpose_b", False) else filter[-1]


def _given_shape(reference: str, made: Node, graph: Graph) -> Shape | None:
    """The shape of a constant, or of an input of the model."""
    proto = attr(made, "shape") if made.op == "Placeholder" else None
    if isinstance(proto, TensorShapeProto) and proto.dim:
        return shape_of(proto)
    return graph.constant_shape(reference)
