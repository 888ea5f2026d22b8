"""Depthwise convolutions that TensorFlow's own CPU kernel can do: one stride, no dilation, no explicit padding.

oneDNN can do the rest, but not everywhere: without it (ARM, macOS, TF_ENABLE_ONEDNN_OPTS=0) TensorFlow refuses
the graph when it runs. The size of the image need not be known: new nodes read it when the graph runs.

In the formulas, `size` is the height and width of the image, `k` those of what the filter covers, holes included.
"""

from __future__ import annotations

from collections.abc import Sequence

from bundler.ir.dtypes import DType
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Value, attr
from bundler.rewrites.draft import Draft, scalar
from bundler.rewrites.engine import Declined, rule

__all__ = ["dilate_by_batches", "pad_before_depthwise", "stride_after_depthwise"]

_INT = DType.int32
_ONES = [1, 1, 1, 1]
_ONEDNN_ONLY = "run with oneDNN (x86) only, because the filter is no constant"


@rule("DepthwiseConv2dNative")
def pad_before_depthwise(conv: Node, graph: Graph) -> list[Node] | None:
    """Pad the image before a depthwise convolution that has explicit paddings.

    With oneDNN, TensorFlow 2.19 dies of explicit paddings with a stride of 2, a bias and a Relu6 (a failed check
    in tensor_format.h). TensorFlow's optimizers merge a Pad with the convolution behind it, but no PadV2.

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
def stride_after_depthwise(conv: Node, graph: Graph) -> list[Node] | Declined | None:
    """Convolve at every pixel, and keep those that the strides meet.

    For strides that differ, and for any stride together with a dilation.

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
    has_kernel = strides[0] == strides[1] and (rates == [1, 1] or strides == [1, 1])
    if has_kernel or attr(conv, "data_format", "NHWC") != "NHWC":
        return None
    covered = _covered(conv, graph)
    if covered is None:
        return Declined(f"strides {strides} {_ONEDNN_ONLY}")
    draft, dtype = Draft(conv, graph), attr(conv, "T")
    x, filter = draft.inputs
    everywhere = draft.op(conv.op, "everywhere", x, filter, **_attrs(conv, strides=_ONES))
    is_same = attr(conv, "padding") == "SAME"
    begin = _first_pixel(draft, x, covered, strides, dtype) if is_same else draft.constant("begin", [0, 0, 0, 0])
    end, steps = draft.constant("end", [0, 0, 0, 0]), draft.constant("strides", [1, *strides, 1])
    types = {"T": dtype, "Index": _INT}
    return draft.end("StridedSlice", everywhere, begin, end, steps, **types, begin_mask=9, end_mask=15)


@rule("DepthwiseConv2dNative")
def dilate_by_batches(conv: Node, graph: Graph) -> list[Node] | Declined | None:
    """Convolve, without a dilation, images made of every n-th pixel.

    The alternative, a filter with zeros in its holes, costs the square of the rate: at rate 4 without oneDNN it takes
    6 to 15 times as long. TFLite, XLA and gradients know SpaceToBatchND and BatchToSpaceND.

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
    rates = _spatial(conv, "dilations")
    if rates == [1, 1] or attr(conv, "data_format", "NHWC") != "NHWC":
        return None
    covered = _covered(conv, graph)
    if covered is None:
        return Declined(f"dilations {rates} {_ONEDNN_ONLY}")
    draft, dtype = Draft(conv, graph), attr(conv, "T")
    x, filter = draft.inputs
    around = [k - 1 for k in covered] if attr(conv, "padding") == "SAME" else [0, 0]
    block = draft.constant("rates", rates)
    paddings, crops = _paddings_and_crops(draft, x, around, block, dtype)
    blocks = {"T": dtype, "Tblock_shape": _INT}
    batches = draft.op("SpaceToBatchND", "batches", x, block, paddings, **blocks, Tpaddings=_INT)
    made = draft.op(conv.op, "conv", batches, filter, **_attrs(conv, padding="VALID", dilations=None))
    return draft.end("BatchToSpaceND", made, block, crops, **blocks, Tcrops=_INT)


def _spatial(conv: Node, key: str) -> list[int]:
    """The entries of an attribute for height and width."""
    values = attr(conv, key) or _ONES
    return list(values[1:3])


def _covered(conv: Node, graph: Graph) -> list[int] | None:
    """Height and width of what the filter covers, holes included; None if the filter is no constant."""
    filter = graph.constant_shape(conv.input[1])
    if filter is None:
        return None
    return [(size - 1) * rate + 1 for size, rate in zip(filter, _spatial(conv, "dilations"))]


def _attrs(conv: Node, **changed: Value) -> dict[str, Value]:
    kept = {key: conv.attr[key] for key in sorted(conv.attr) if key != "explicit_paddings"}
    return {**kept, **changed}


def _size(draft: Draft, x: str, dtype: DType) -> str:
    """The height and width of an image: int32, shape [2]."""
    shape = draft.op("Shape", "shape", x, T=dtype, out_type=_INT)
    one, three = draft.constant("one", [1]), draft.constant("three", [3])
    return draft.int32("StridedSlice", "size", shape, one, three, one, Index=_INT)


def _first_pixel(draft: Draft, x: str, covered: Sequence[int], strides: Sequence[int], dtype: DType) -> str:
    """The first pixel that a convolution with strides and padding SAME meets: [0, row, column, 0].

    Such a convolution pads by less than one without strides, half of it before the image:

        lacking = (k - 1) - (size - 1) % strides
        before = max(lacking, 0) // 2
        [row, column] = (k - 1) // 2 - before

    See `GetWindowedOutputSizeVerbose` in tensorflow/core/framework/kernel_shape_util.cc.
    """
    last = draft.int32("Sub", "last", _size(draft, x, dtype), draft.constant("ones", [1, 1]))
    left = draft.int32("FloorMod", "left", last, draft.constant("steps", list(strides)))
    lacking = draft.int32("Sub", "lacking", draft.constant("reach", [k - 1 for k in covered]), left)
    padded = draft.int32("Maximum", "padded", lacking, draft.constant("none", [0, 0]))
    before = draft.int32("FloorDiv", "before", padded, draft.constant("twos", [2, 2]))
    places = draft.int32("Sub", "places", draft.constant("centre", [(k - 1) // 2 for k in covered]), before)
    return draft.int32("Pad", "begin", places, draft.constant("ends", [[1, 1]]), Tpaddings=_INT)


def _paddings_and_crops(draft: Draft, x: str, around: Sequence[int], rates: str, dtype: DType) -> tuple[str, str]:
    """What SpaceToBatchND pads, and what BatchToSpaceND crops; int32, shape [2, 2].

    The image gets `around` pixels for the filter, and behind it as many as make its size a multiple of the rates:

        more = -(size + around) % rates
        paddings = [around // 2, around - around // 2 + more]
        crops = [0, more]
    """
    padded = draft.int32("AddV2", "padded", _size(draft, x, dtype), draft.constant("around", list(around)))
    more = draft.int32("FloorMod", "more", draft.int32("Neg", "less", padded), rates)
    before = draft.constant("before", [pixels // 2 for pixels in around])
    after = draft.constant("after", [pixels - pixels // 2 for pixels in around])
    paddings = draft.int32("Pack", "paddings", before, draft.int32("AddV2", "behind", after, more), N=2, axis=1)
    crops = draft.int32("Pack", "crops", draft.constant("none", [0, 0]), more, N=2, axis=1)
    return paddings, crops
