"""Depthwise convolutions that TensorFlow's own CPU kernel can do: one stride, no dilation, no explicit padding.

oneDNN can do the rest, but not everywhere: without it (ARM, macOS, TF_ENABLE_ONEDNN_OPTS=0) TensorFlow refuses
the graph when it runs. The size of the image need not be known: where it matters, it is read in the graph.
"""

from __future__ import annotations

from collections.abc import Sequence

from bundler.ir.dtypes import DType
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Value, attr
from bundler.rewrites.draft import Draft, scalar
from bundler.rewrites.engine import rule

__all__ = ["dilate_by_batches", "pad_before_depthwise", "stride_after_depthwise"]

_INT = DType.int32
_ONES = [1, 1, 1, 1]


@rule("DepthwiseConv2dNative")
def pad_before_depthwise(conv: Node, graph: Graph) -> list[Node] | None:
    """Pad the image before a depthwise convolution that has explicit paddings.

    With oneDNN, TensorFlow 2.19 dies of explicit paddings with a stride of 2, a bias and a Relu6 (a failed check
    in tensor_format.h). PadV2, unlike Pad, is not taken back into the convolution.

    Before:
        y = DepthwiseConv2dNative(x, w, padding=EXPLICIT, explicit_paddings=[0, 0, 1, 1, 2, 2, 0, 0])
    After:
        y/paddings = Const()
        y/zero = Const()
        y/x = PadV2(x, y/paddings, y/zero)
        y = DepthwiseConv2dNative(y/x, w, padding=VALID)
    """
    if attr(conv, "padding") != "EXPLICIT":
        return None
    draft, dtype = Draft(conv, graph), attr(conv, "T")
    x, filter = draft.inputs
    around = attr(conv, "explicit_paddings")
    paddings = draft.constant("paddings", [around[at : at + 2] for at in range(0, 8, 2)])
    zero = draft.constant("zero", scalar(0, dtype))
    padded = draft.op("PadV2", "x", x, paddings, zero, T=dtype, Tpaddings=_INT)
    return draft.end(conv.op, padded, filter, **_attrs(conv, padding="VALID"))


@rule("DepthwiseConv2dNative")
def stride_after_depthwise(conv: Node, graph: Graph) -> list[Node] | None:
    """Convolve at every place, and keep the places that the strides meet.

    For strides that differ, and for any stride together with a dilation. With padding SAME the first place is
    (k-1)//2 - max(k-1 - (size-1)%stride, 0)//2, where k is what the filter covers.

    Before:
        y = DepthwiseConv2dNative(x, w, strides=[1, 2, 1, 1], padding=VALID)
    After:
        y/everywhere = DepthwiseConv2dNative(x, w, strides=[1, 1, 1, 1], padding=VALID)
        y/begin = Const()
        y/end = Const()
        y/strides = Const()
        y = StridedSlice(y/everywhere, y/begin, y/end, y/strides, begin_mask=9, end_mask=15)
    """
    strides, rates = _spatial(conv, "strides"), _spatial(conv, "dilations")
    covered = _covered(conv, graph)
    fits = strides[0] == strides[1] and (rates == [1, 1] or strides == [1, 1])
    if fits or covered is None or attr(conv, "data_format", "NHWC") != "NHWC":
        return None
    draft, dtype = Draft(conv, graph), attr(conv, "T")
    x, filter = draft.inputs
    everywhere = draft.op(conv.op, "everywhere", x, filter, **_attrs(conv, strides=_ONES))
    same = attr(conv, "padding") == "SAME"
    begin = _first_places(draft, x, covered, strides, dtype) if same else draft.constant("begin", [0, 0, 0, 0])
    end, steps = draft.constant("end", [0, 0, 0, 0]), draft.constant("strides", [1, *strides, 1])
    types = {"T": dtype, "Index": _INT}
    return draft.end("StridedSlice", everywhere, begin, end, steps, **types, begin_mask=9, end_mask=15)


@rule("DepthwiseConv2dNative")
def dilate_by_batches(conv: Node, graph: Graph) -> list[Node] | None:
    """Convolve, without a dilation, images made of every n-th pixel.

    The other way, a filter with holes of zeros, costs with the square of the rate: at rate 4 without oneDNN it takes
    6 to 15 times as long as this. TFLite, XLA and gradients know both ops.

    Before:
        y = DepthwiseConv2dNative(x, w, strides=[1, 1, 1, 1], padding=VALID, dilations=[1, 2, 2, 1])
    After:
        y/rates = Const()
        y/shape = Shape(x)
        y/one = Const()
        y/three = Const()
        y/size = StridedSlice(y/shape, y/one, y/three, y/one)
        y/around = Const()
        y/padded = AddV2(y/size, y/around)
        y/less = Neg(y/padded)
        y/more = FloorMod(y/less, y/rates)
        y/before = Const()
        y/after = Const()
        y/behind = AddV2(y/after, y/more)
        y/paddings = Pack(y/before, y/behind)
        y/none = Const()
        y/crops = Pack(y/none, y/more)
        y/batches = SpaceToBatchND(x, y/rates, y/paddings)
        y/conv = DepthwiseConv2dNative(y/batches, w, padding=VALID)
        y = BatchToSpaceND(y/conv, y/rates, y/crops)
    """
    rates, covered = _spatial(conv, "dilations"), _covered(conv, graph)
    if rates == [1, 1] or covered is None or attr(conv, "data_format", "NHWC") != "NHWC":
        return None
    draft, dtype = Draft(conv, graph), attr(conv, "T")
    x, filter = draft.inputs
    around = [size - 1 for size in covered] if attr(conv, "padding") == "SAME" else [0, 0]
    block = draft.constant("rates", rates)
    paddings, crops = _even(draft, x, around, block, dtype)
    blocks = {"T": dtype, "Tblock_shape": _INT}
    batches = draft.op("SpaceToBatchND", "batches", x, block, paddings, **blocks, Tpaddings=_INT)
    made = draft.op(conv.op, "conv", batches, filter, **_attrs(conv, padding="VALID", dilations=None))
    return draft.end("BatchToSpaceND", made, block, crops, **blocks, Tcrops=_INT)


def _spatial(conv: Node, key: str) -> list[int]:
    values = attr(conv, key) or _ONES
    return list(values[1:3])


def _covered(conv: Node, graph: Graph) -> list[int] | None:
    """Height and width of what the filter covers, holes included; None where no constant tells."""
    filter = graph.constant_shape(conv.input[1])
    if filter is None:
        return None
    return [(size - 1) * rate + 1 for size, rate in zip(filter, _spatial(conv, "dilations"))]


def _attrs(conv: Node, **changed: Value) -> dict[str, Value]:
    kept = {key: conv.attr[key] for key in sorted(conv.attr) if key != "explicit_paddings"}
    return {**kept, **changed}


def _size(draft: Draft, x: str, dtype: DType) -> str:
    """The height and width of an image, in the graph."""
    shape = draft.op("Shape", "shape", x, T=dtype, out_type=_INT)
    one, three = draft.constant("one", [1]), draft.constant("three", [3])
    return draft.op("StridedSlice", "size", shape, one, three, one, T=_INT, Index=_INT)


def _first_places(draft: Draft, x: str, covered: Sequence[int], strides: Sequence[int], dtype: DType) -> str:
    """Where the strides of a convolution with padding SAME begin: [0, row, column, 0]."""
    size = _size(draft, x, dtype)
    ones = draft.constant("ones", [1, 1])
    last = draft.op("Sub", "last", size, ones, T=_INT)
    left = draft.op("FloorMod", "left", last, draft.constant("steps", list(strides)), T=_INT)
    lacking = draft.op("Sub", "lacking", draft.constant("reach", [size - 1 for size in covered]), left, T=_INT)
    padded = draft.op("Maximum", "padded", lacking, draft.constant("none", [0, 0]), T=_INT)
    before = draft.op("FloorDiv", "before", padded, draft.constant("twos", [2, 2]), T=_INT)
    centre = draft.constant("centre", [(size - 1) // 2 for size in covered])
    places = draft.op("Sub", "places", centre, before, T=_INT)
    return draft.op("Pad", "begin", places, draft.constant("ends", [[1, 1]]), T=_INT, Tpaddings=_INT)


def _even(draft: Draft, x: str, around: Sequence[int], rates: str, dtype: DType) -> tuple[str, str]:
    """Paddings that make room for the filter and an even number of blocks, and the crops that undo the latter."""
    size = _size(draft, x, dtype)
    padded = draft.op("AddV2", "padded", size, draft.constant("around", list(around)), T=_INT)
    more = draft.op("FloorMod", "more", draft.op("Neg", "less", padded, T=_INT), rates, T=_INT)
    before = draft.constant("before", [size // 2 for size in around])
    after = draft.constant("after", [size - size // 2 for size in around])
    behind = draft.op("AddV2", "behind", after, more, T=_INT)
    pair = {"N": 2, "T": _INT, "axis": 1}
    paddings = draft.op("Pack", "paddings", before, behind, **pair)
    return paddings, draft.op("Pack", "crops", draft.constant("none", [0, 0]), more, **pair)
