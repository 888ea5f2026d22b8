"""Biases that are not vectors along the channels."""

from __future__ import annotations

from bundler.ir.model import Graph
from bundler.ir.nodes import Node, attr, new_node
from bundler.rewrites.engine import Declined, rule
from bundler.rewrites.rules.shape import channels, rank

__all__ = ["add_bias"]


@rule("BiasAdd")
def add_bias(biased: Node, graph: Graph) -> list[Node] | Declined | None:
    """Write BiasAdd as AddV2 unless its bias is known to be a vector with a value for each channel.

    The converter writes every Add after a convolution or MatMul as BiasAdd, and TensorFlow.js adds whatever broadcasts:
    scalars, matrices, residuals (tfjs-converter/src/operations/executors/arithmetic_executor.ts). TensorFlow's BiasAdd
    takes a vector only. With channels first, an AddV2 would add a vector along the width, so that a bias of unknown
    rank stays.

    Before:
        y = BiasAdd(x, residual)
    After:
        y = AddV2(x, residual)
    """
    value, bias, *control = biased.input
    shape, is_first = graph.constant_shape(bias), attr(biased, "data_format", "NHWC").startswith("NC")
    size = channels(value, graph, axis=1 if is_first else -1)
    dimensions = rank(bias, graph) if shape is None else len(shape)
    if shape == (size,) or (is_first and dimensions == 1 and (shape is None or size is None)):
        return None
    if is_first and dimensions is None:
        return Declined("with channels first, TensorFlow runs it only if the bias, of unknown rank, is a vector")
    return [new_node("AddV2", biased.name, [value, bias, *control], T=biased.attr.get("T"))]
