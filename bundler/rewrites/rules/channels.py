"""Channels last, the only order of TensorFlow's own CPU kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bundler import ops
from bundler.ir.dtypes import DType
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Value, attr
from bundler.rewrites.draft import Draft
from bundler.rewrites.engine import rule

__all__ = ["put_channels_last"]

_LAST = {"NCHW": "NHWC", "NCDHW": "NDHWC"}
_IMAGES = {
    "Conv2DBackpropInput": 2,
    **dict.fromkeys(["AvgPool", "AvgPool3D", "BiasAdd", "Conv2D", "Conv3D", "DepthToSpace"], 0),
    **dict.fromkeys(["DepthwiseConv2dNative", "MaxPool", "MaxPool3D"], 0),
}
"""The index of the input that is an image. Batch norms have kernels for either order."""
_BY_DIMENSION = ("dilations", "ksize", "strides")
_INT = DType.int32


@rule(*_IMAGES)
def put_channels_last(op: Node, graph: Graph) -> list[Node] | None:
    """Run an op on images in NCHW as one in NHWC, between two transpositions.

    Only oneDNN has kernels for NCHW, so without it (ARM, macOS) TensorFlow refuses the graph. TensorFlow's optimizer
    removes the transpositions between two such ops. A BiasAdd has kernels for both orders; behind a convolution it is
    transposed with it, so that the two can be fused again.

    Before:
        y = Conv2D(x, w, strides=[1, 1, 2, 2], padding=SAME, data_format=NCHW)
    After:
        y/to_last = Const()
        y/x = Transpose(x, y/to_last)
        y/NHWC = Conv2D(y/x, w, strides=[1, 2, 2, 1], padding=SAME, data_format=NHWC)
        y/to_first = Const()
        y = Transpose(y/NHWC, y/to_first)
    """
    last = _LAST.get(attr(op, "data_format", ""))
    if last is None or (op.op == "BiasAdd" and not _is_convolved(op.input[0], graph)):
        return None
    draft, at, dtype = Draft(op, graph), _IMAGES[op.op], attr(op, "T")
    order = [0, *range(2, len(last)), 1]
    to_last = draft.constant("to_last", order)
    inputs = [*draft.inputs]
    inputs[at] = draft.op("Transpose", "x", inputs[at], to_last, T=dtype, Tperm=_INT)
    if op.op == "Conv2DBackpropInput":
        first = draft.constant("first", 0)
        types = {"Tparams": _INT, "Tindices": _INT, "Taxis": _INT}
        inputs[0] = draft.op("GatherV2", "sizes", inputs[0], to_last, first, **types)
    made = draft.op(op.op, last, *inputs, **_reordered(op, order, last))
    to_first = draft.constant("to_first", [0, len(last) - 1, *range(1, len(last) - 1)])
    return draft.end("Transpose", made, to_first, T=dtype, Tperm=_INT)


def _is_convolved(reference: str, graph: Graph) -> bool:
    producer = graph.producer(reference)
    return producer is not None and producer.op in ("Conv2D", "DepthwiseConv2dNative")


def _reordered(op: Node, order: Sequence[int], last: str) -> dict[str, Value]:
    """The op's attributes, with those that have an entry for each dimension in the new order."""
    found: dict[str, Any] = {key: op.attr[key] for key in sorted(op.attr) if key in ops.table()[op.op].attrs}
    for key in found.keys() & _BY_DIMENSION:
        values = attr(op, key)
        found[key] = [values[at] for at in order]
    paddings = attr(op, "explicit_paddings", ())
    if paddings:
        found["explicit_paddings"] = [paddings[2 * at + side] for at in order for side in (0, 1)]
    return found | {"data_format": last}
