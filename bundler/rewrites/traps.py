"""Graphs that are right, and that TensorFlow's own optimizers break.

Each rule changes no number; each names the trap that it keeps the graph out of. The minimal cases are
in tests/rewrites/test_traps.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bundler.model import Graph
from bundler.nodes import Node, Tensor, attr, constant, node
from bundler.rewrites.engine import frame_of, rule, scalar

__all__ = ["keep_pad_out_of_conv", "keep_relu6_out_of_hard_swish"]

_ADDS = ("Add", "AddV2", "AddN")
_ONE_SIXTH = np.float32(1) / np.float32(6)


@rule("Pad")
def keep_pad_out_of_conv(pad: Node, graph: Graph) -> list[Node] | None:
    """Write a Pad that is added to something as PadV2, which no optimizer takes for a convolution's own.

    With oneDNN on, the remapper fuses Conv2D + BiasAdd + Add, and the layout pass then takes an addend that
    is a Pad for the padding of the convolution: the process dies (TensorFlow 2.12 to 2.21).

    Before:
        y = Pad(x, paddings)
        z = AddV2(y, other)
    After:
        y/zero = Const()
        y = PadV2(x, paddings, y/zero)
        z = AddV2(y, other)
    """
    if not any(reader.op in _ADDS for reader in graph.consumers.get(pad.name, ())):
        return None
    dtype = attr(pad, "T")
    zero = constant(f"{pad.name}/zero", scalar(0, dtype), control=frame_of(pad.input[0], graph))
    x, paddings, *control = pad.input
    inputs = [x, paddings, zero.name, *control]
    return [zero, node("PadV2", pad.name, inputs, T=dtype, Tpaddings=attr(pad, "Tpaddings"))]


@rule("Relu6")
def keep_relu6_out_of_hard_swish(relu6: Node, graph: Graph) -> list[Node] | None:
    """Write the Relu6 of an inexact hard-swish as ClipByValue.

    The remapper fuses x * relu6(x + 3) * c with 1/6 whatever c is (TensorFlow 2.19 and 2.21 with oneDNN). In
    models whose weights were float16, c is 0.16662598: one percent off at the end of a deep network.

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
    if not _is_plus_three(relu6, graph) or all(factor == _ONE_SIXTH for factor in _factors(relu6, graph)):
        return None
    dtype, control = attr(relu6, "T"), frame_of(relu6.input[0], graph)
    zero = constant(f"{relu6.name}/zero", scalar(0, dtype), control=control)
    six = constant(f"{relu6.name}/six", scalar(6, dtype), control=control)
    x, *waits = relu6.input
    return [zero, six, node("ClipByValue", relu6.name, [x, zero.name, six.name, *waits], T=dtype)]


def _is_plus_three(relu6: Node, graph: Graph) -> bool:
    add = graph.producer(relu6.input[0])
    if add is None or add.op not in _ADDS:
        return False
    return any(_is_all(graph.constant(reference), 3) for reference in add.input)


def _is_all(value: np.ndarray | None, number: float) -> bool:
    return value is not None and value.size > 0 and bool(np.all(value == number))


def _factors(relu6: Node, graph: Graph) -> Iterator[float]:
    """The constants that the product with relu6 is multiplied by, one or two multiplications on."""
    for product in _products(relu6, graph):
        for outer in (product, *_products(product, graph)):
            for reference in outer.input:
                value = graph.constant(reference)
                if value is not None:
                    yield from value.flat


def _products(node: Node, graph: Graph) -> Iterator[Node]:
    for reader in graph.consumers.get(node.name, ()):
        if reader.op == "Mul" and any(Tensor.parse(reference).node == node.name for reference in reader.input[:2]):
            yield reader
