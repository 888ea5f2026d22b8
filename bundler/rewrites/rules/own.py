"""Ops of TensorFlow.js that TensorFlow has under another name, or with other attributes."""

from __future__ import annotations

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, attr
from bundler.rewrites.draft import Draft, scalar
from bundler.rewrites.engine import rule

__all__ = ["pad_with_value", "replace_own_op"]


@rule("Conv1D", "DepthwiseConv2d", "Ones", "Zeros")
def replace_own_op(own: Node, graph: Graph) -> list[Node]:
    """Write an op of TensorFlow.js' own with those of TensorFlow.

    Before:
        y = Conv1D(x, w, stride=2, padding=SAME)
    After:
        y/row = Const()
        y/x = ExpandDims(x, y/row)
        y/first = Const()
        y/w = ExpandDims(w, y/first)
        y/Conv2D = Conv2D(y/x, y/w, strides=[1, 1, 2, 1], padding=SAME)
        y = Squeeze(y/Conv2D, squeeze_dims=[-3])

    Before:
        y = Zeros(shape)
    After:
        y/value = Const()
        y = Fill(shape, y/value)
    """
    if own.op == "Conv1D":
        return _conv2d_of_one_row(own, graph)
    if own.op == "DepthwiseConv2d":
        return [own._replace(op="DepthwiseConv2dNative")]
    return _fill(own, 1 if own.op == "Ones" else 0, graph)


def _conv2d_of_one_row(conv: Node, graph: Graph) -> list[Node]:
    """NWC becomes NHWC with a height of one; the filter [w, in, out] gets a height as well."""
    draft, dtype = Draft(conv, graph), attr(conv, "T")
    x, filter = draft.inputs
    image = draft.op("ExpandDims", "x", x, draft.constant("row", -3), T=dtype)
    square = draft.op("ExpandDims", "w", filter, draft.constant("first", 0), T=dtype)
    sizes = {"strides": [1, 1, attr(conv, "stride", 1), 1], "dilations": [1, 1, attr(conv, "dilation", 1), 1]}
    made = draft.op("Conv2D", "Conv2D", image, square, T=dtype, padding=attr(conv, "padding"), **sizes)
    return draft.end("Squeeze", made, T=dtype, squeeze_dims=[-3])


def _fill(own: Node, value: int, graph: Graph) -> list[Node]:
    draft, dtype = Draft(own, graph), attr(own, "T", DType.float32)  # the default of TensorFlow.js
    filled = draft.constant("value", scalar(value, dtype))
    return draft.end("Fill", *draft.inputs, filled, T=dtype, index_type=attr(own, "index_type"))


@rule("Pad")
def pad_with_value(pad: Node, graph: Graph) -> list[Node] | None:
    """Write a Pad with a value as PadV2: TensorFlow's Pad has zeros only.

    Before:
        y = Pad(x, paddings, constant_value=2)
    After:
        y/value = Const()
        y = PadV2(x, paddings, y/value)
    """
    if "constant_value" not in pad.attr:
        return None
    value, dtype = attr(pad, "constant_value"), attr(pad, "T")
    plain = pad.having(constant_value=None)
    if not value or not dtype.is_number:
        return [plain]
    draft = Draft(pad, graph)
    filled = draft.constant("value", np.array(value).astype(dtype.numpy))
    return draft.end("PadV2", *draft.inputs, filled, **plain.attr)
