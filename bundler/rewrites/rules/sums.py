"""Sums behind products that TensorFlow's optimizers take for a bias, and biases that they move.

Unless a rule says otherwise, this happens with oneDNN and without, in TensorFlow 2.16 to 2.21.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bundler.ir.dtypes import DType
from bundler.ir.model import Graph, Model
from bundler.ir.nodes import Node, Tensor, attr, new_node
from bundler.rewrites.draft import Draft
from bundler.rewrites.engine import rule
from bundler.rewrites.rules.around import ADDS, maker, operands, readers

__all__ = ["add_moved_biases", "copy_addend_of_scores", "copy_factor_of_scores", "keep_rank_of_sum"]

_CONVOLUTIONS = ("Conv2D", "Conv3D")


def add_moved_biases(model: Model) -> Model:
    """Write a BiasAdd that an optimizer would move to a wrong place as an AddV2.

    The remapper moves it before a Squeeze, even if that drops the channels. Constant folding adds it to a constant of
    one channel (`[1, H, W, 1]`), which BiasAdd refuses.

    Before:
        c = Conv2D(x, filter_of_one)
        s = Squeeze(c, squeeze_dims=[-1])
        y = BiasAdd(s, b)
    After:
        c = Conv2D(x, filter_of_one)
        s = Squeeze(c, squeeze_dims=[-1])
        y = AddV2(s, b)
    """
    return model.with_graphs(_with_moved_biases_added)


def _with_moved_biases_added(graph: Graph) -> Graph:
    moved = {node.name for node in _moved(graph)} if "BiasAdd" in graph.ops else set()
    if not moved:
        return graph
    nodes = (
        new_node("AddV2", node.name, node.input, T=node.attr.get("T")) if node.name in moved else node
        for node in graph.nodes
    )
    return replace(graph, nodes=tuple(nodes))


def _moved(graph: Graph) -> Iterator[Node]:
    """The biases that would be moved. A look at all sums is faster than one at the readers of each bias."""
    for node in graph.nodes:
        if node.op == "BiasAdd" and _drops_channels(node, graph):
            yield node
        elif node.op in ADDS:
            for reference, other in (node.input[:2], node.input[1::-1]):
                biased = maker(reference, graph, "BiasAdd")
                if biased is not None and _has_one_channel(graph.constant_shape(other)) and _is_channels_last(biased):
                    yield biased


def _is_channels_last(bias_add: Node) -> bool:
    return attr(bias_add, "data_format", "NHWC") in ("NHWC", "NDHWC")


def _has_one_channel(shape: tuple[int, ...] | None) -> bool:
    return shape is not None and shape[-1:] == (1,) and max(shape) > 1


def _drops_channels(bias_add: Node, graph: Graph) -> bool:
    """Whether a bias is added to a convolution that was squeezed by its only channel."""
    squeeze = maker(bias_add.input[0], graph, "Squeeze")
    conv = maker(squeeze.input[0], graph, *_CONVOLUTIONS) if squeeze else None
    if squeeze is None or conv is None or not _is_channels_last(bias_add):
        return False
    dropped, filter = attr(squeeze, "squeeze_dims", ()), graph.constant_shape(conv.input[1])
    return (not dropped or -1 in dropped) and (filter is None or filter[-1:] == (1,))


@rule(*ADDS, beside=["MatMul"])
def keep_rank_of_sum(sum: Node, graph: Graph) -> list[Node] | None:
    """Give a product of matrices the dimension that it gains when something of three dimensions is added.

    The remapper takes `[1, 1, C]` for a bias, whose sum with a matrix is a matrix.

    Before:
        m = MatMul(a, w)
        y = AddV2(m, cube)
    After:
        m = MatMul(a, w)
        y/axis = Const()
        y/rows = ExpandDims(m, y/axis)
        y = AddV2(y/rows, cube)
    """
    first, second = operands(sum)
    for product, other in ((first, second), (second, first)):
        shape = graph.constant_shape(other) if maker(product, graph, "MatMul") else None
        if shape is not None and len(shape) > 2:
            draft, dtype = Draft(sum, graph), attr(sum, "T")
            rows = draft.op("ExpandDims", "rows", product, draft.constant("axis", 0), T=dtype, Tdim=DType.int32)
            return draft.end(sum.op, *(rows, other) if product == first else (other, rows), T=dtype)
    return None


@rule(*ADDS, beside=["BatchMatMulV2"])
def copy_addend_of_scores(sum: Node, graph: Graph) -> list[Node] | None:
    """Copy what is added to scaled attention scores, if it is not the first output of its node.

    With oneDNN, the remapper fuses BatchMatMulV2, Mul and AddV2, and reads the first output of the addend's node.

    Before:
        s = BatchMatMulV2(q, k)
        m = Mul(s, scale)
        y = AddV2(m, parts:1)
    After:
        s = BatchMatMulV2(q, k)
        m = Mul(s, scale)
        y/same = Maximum(parts:1, parts:1)
        y = AddV2(m, y/same)
    """
    first, second = operands(sum)
    for scores, other in ((first, second), (second, first)):
        if Tensor.parse(other).port and _are_scaled(scores, graph):
            draft, dtype = Draft(sum, graph), attr(sum, "T")
            same = draft.same("same", other, dtype)
            return draft.end(sum.op, *(scores, same) if scores == first else (same, scores), T=dtype)
    return None


def _are_scaled(scores: str, graph: Graph) -> bool:
    """Whether scores are scaled, after the product of matrices or before."""
    product, scaled = maker(scores, graph, "BatchMatMulV2"), maker(scores, graph, "Mul")
    if product is not None:
        return maker(product.input[0], graph, "Mul") is not None
    return scaled is not None and any(maker(reference, graph, "BatchMatMulV2") for reference in operands(scaled))


@rule("Mul", beside=["BatchMatMulV2"])
def copy_factor_of_scores(product: Node, graph: Graph) -> list[Node] | None:
    """Copy a factor of attention scores, or of queries, that the remapper would not find.

    With oneDNN, it reads the first output of the factor's node, and drops the dimensions of a factor of one element.

    Before:
        y = Mul(parts:1, scale)
        s = BatchMatMulV2(y, k)
        z = AddV2(s, mask)
    After:
        y/same = Maximum(parts:1, parts:1)
        y = Mul(y/same, scale)
        s = BatchMatMulV2(y, k)
        z = AddV2(s, mask)
    """
    first, second = operands(product)
    for factor, other in ((first, second), (second, first)):
        if _is_lost_query(product, factor, graph) or _is_lost_scale(factor, other, graph):
            draft, dtype = Draft(product, graph), attr(product, "T")
            same = draft.same("same", factor, dtype)
            return draft.end("Mul", *(same, other) if factor == first else (other, same), T=dtype)
    return None


def _is_lost_query(product: Node, query: str, graph: Graph) -> bool:
    """The first factor of scores: several outputs, scaled by a constant."""
    return bool(Tensor.parse(query).port) and any(
        Tensor.parse(scores.input[0]).node == product.name and any(readers(scores, graph, *ADDS))
        for scores in readers(product, graph, "BatchMatMulV2")
    )


def _is_lost_scale(factor: str, other: str, graph: Graph) -> bool:
    """The scale of scores: not the first output of its node; or the scores, if their scale has five dimensions."""
    shape = graph.constant_shape(other)
    has_scores = maker(other, graph, "BatchMatMulV2") is not None
    is_deep = maker(factor, graph, "BatchMatMulV2") is not None and shape is not None and len(shape) > 4
    return is_deep or (has_scores and bool(Tensor.parse(factor).port))
