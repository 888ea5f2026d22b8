"""Graphs that TensorFlow's own optimizers break.

The rules change no numbers. Minimal graphs are in tests/rewrites/test_traps.py and tests/rewrites/fusions.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bundler.ir.dtypes import DType
from bundler.ir.model import Graph
from bundler.ir.nodes import Node, Tensor, attr
from bundler.rewrites.draft import Draft, scalar
from bundler.rewrites.engine import rule
from bundler.rewrites.rules.around import (
    ADDS,
    constants_of,
    factors_behind,
    is_near,
    maker,
    operands,
    products_behind,
    readers,
)

__all__ = ["keep_pad_out_of_conv", "keep_relu6_out_of_hard_swish"]

_ADDS = (*ADDS, "AddN")
_CONVOLUTIONS = ("Conv2D", "Conv3D")


@rule("Pad")
def keep_pad_out_of_conv(pad: Node, graph: Graph) -> list[Node] | None:
    """Write a Pad that an optimizer would take for a convolution's own padding as PadV2, which no optimizer knows.

    With oneDNN on, the remapper fuses Conv2D + BiasAdd + Add, and the layout pass then takes an addend that
    is a Pad for the padding of the convolution: the process dies (TensorFlow 2.12 to 2.21). A Pad before a
    convolution is merged with it, whatever it pads: batch and channels are lost.

    Before:
        y = Pad(x, paddings)
        z = AddV2(y, other)
    After:
        y/zero = Const()
        y = PadV2(x, paddings, y/zero)
        z = AddV2(y, other)

    Before:
        y = Pad(x, of_batch)
        z = Conv2D(y, w)
    After:
        y/zero = Const()
        y = PadV2(x, of_batch, y/zero)
        z = Conv2D(y, w)
    """
    if not any(_is_misread(pad, reader, graph) for reader in graph.consumers.get(pad.name, ())):
        return None
    draft, dtype = Draft(pad, graph), attr(pad, "T")
    x, paddings = draft.inputs
    zero = draft.constant("zero", scalar(0, dtype))
    return draft.end("PadV2", x, paddings, zero, T=dtype, Tpaddings=attr(pad, "Tpaddings"))


def _is_misread(pad: Node, reader: Node, graph: Graph) -> bool:
    """Whether an optimizer loses part of a Pad that `reader` reads."""
    if reader.op in _ADDS:
        return True
    if reader.op not in _CONVOLUTIONS:
        return False
    paddings = graph.constant(pad.input[1])
    if paddings is not None and paddings.ndim == 2 and (paddings[0].any() or paddings[-1].any()):
        return True
    return reader.op == "Conv3D" and not _is_merged_with_volumes(pad, reader, graph)


def _is_merged_with_volumes(pad: Node, conv: Node, graph: Graph) -> bool:
    """Whether a Pad and a Conv3D may be merged.

    The merged op reads paddings of int32, forgets that it pads by itself, and has no slope for an activation.
    """
    is_plain = attr(conv, "padding") == "VALID" and attr(pad, "Tpaddings", DType.int32) == DType.int32
    return is_plain and not any(readers(conv, graph, "LeakyRelu", "Softplus"))


@rule("Relu6")
def keep_relu6_out_of_hard_swish(relu6: Node, graph: Graph) -> list[Node] | None:
    """Write the Relu6 of an inexact hard-swish as ClipByValue.

    The remapper fuses x * relu6(x + 3) * c with 3 and 1/6, even if the graph's constants are 0.01 off (TensorFlow 2.16
    to 2.21 with oneDNN). In models whose weights were float16, c is 0.16662598: one percent off at the end of a deep
    network.

    Before:
        x3 = AddV2(x, three)
        y = Relu6(x3)
        xy = Mul(x, y)
        z = Mul(xy, c)
    After:
        x3 = AddV2(x, three)
        y/zero = Const()
        y/six = Const()
        y = ClipByValue(x3, y/zero, y/six)
        xy = Mul(x, y)
        z = Mul(xy, c)
    """
    threes = list(_threes(relu6, graph))
    sixths = list(_sixths(relu6, graph)) if threes else []
    is_exact = all(three == 3 for three in threes) and all(abs(sixth - 1 / 6) < 1e-7 for sixth in sixths)
    if not sixths or is_exact:
        return None
    draft, dtype = Draft(relu6, graph), attr(relu6, "T")
    zero, six = (draft.constant(name, scalar(value, dtype)) for name, value in (("zero", 0), ("six", 6)))
    return draft.end("ClipByValue", *draft.inputs, zero, six, T=dtype)


def _threes(relu6: Node, graph: Graph) -> Iterator[float]:
    """The constants that are added to x before Relu6 and are near 3, if the Relu6 is multiplied by x."""
    add = maker(relu6.input[0], graph, *ADDS)
    for value, x in constants_of(add, graph) if add else ():
        if is_near(value, 3):
            inputs = (reference for product in products_behind(relu6, graph) for reference in operands(product))
            if Tensor.parse(x).node in {Tensor.parse(reference).node for reference in inputs}:
                yield float(value.flat[0])


def _sixths(relu6: Node, graph: Graph) -> Iterator[float]:
    """The factors in the products with Relu6 that are near 1/6."""
    return (factor for factor in factors_behind(relu6, graph) if is_near(np.array(factor), 1 / 6))
