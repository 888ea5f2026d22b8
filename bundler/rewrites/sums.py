"""Sums behind products that TensorFlow's optimizers take for a bias, and biases that they move.

Without a word on it, these hold with oneDNN and without, in TensorFlow 2.16 to 2.21.
"""

from __future__ import annotations

from bundler.dtypes import DType
from bundler.model import Graph
from bundler.nodes import Node, Tensor, attr
from bundler.rewrites.around import ADDS, maker, operands, readers
from bundler.rewrites.draft import Draft
from bundler.rewrites.engine import rule

__all__ = ["add_moved_bias", "copy_addend_of_scores", "copy_factor_of_scores", "keep_rank_of_sum"]

_CONVOLUTIONS = ("Conv2D", "Conv3D")


@rule("BiasAdd")
def add_moved_bias(bias_add: Node, graph: Graph) -> list[Node] | None:
    """Write a BiasAdd that an optimizer would move to where it is wrong as an AddV2.

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
    is_last = attr(bias_add, "data_format", "NHWC") in ("NHWC", "NDHWC")
    if not is_last or not (_drops_channels(bias_add, graph) or _meets_one_channel(bias_add, graph)):
        return None
    return Draft(bias_add, graph).end("AddV2", *operands(bias_add), T=attr(bias_add, "T"))


def _drops_channels(bias_add: Node, graph: Graph) -> bool:
    squeeze = maker(bias_add.input[0], graph, "Squeeze")
    conv = maker(squeeze.input[0], graph, *_CONVOLUTIONS) if squeeze else None
    if squeeze is None or conv is None:
        return False
    dropped, filter = attr(squeeze, "squeeze_dims", ()), graph.constant_shape(conv.input[1])
    return (not dropped or -1 in dropped) and (filter is None or filter[-1:] == (1,))


def _meets_one_channel(bias_add: Node, graph: Graph) -> bool:
    for sum in readers(bias_add, graph, *ADDS):
        for reference in operands(sum):
            shape = graph.constant_shape(reference)
            if shape is not None and shape[-1:] == (1,) and max(shape) > 1:
                return True
    return False


@rule(*ADDS)
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
        shape = graph.constant_shape(other)
        if shape is not None and len(shape) > 2 and maker(product, graph, "MatMul"):
            draft, dtype = Draft(sum, graph), attr(sum, "T")
            rows = draft.op("ExpandDims", "rows", product, draft.constant("axis", 0), T=dtype, Tdim=DType.int32)
            return draft.end(sum.op, *(rows, other) if product == first else (other, rows), T=dtype)
    return None


@rule(*ADDS)
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


@rule("Mul")
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
    if "BatchMatMulV2" not in graph.ops:
        return None
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
