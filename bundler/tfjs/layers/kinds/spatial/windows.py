"""What layers share that move a window over an image: axes, paddings, sizes.

Everything is computed with the channels last. A series, which has one axis less than an image, is an image of height 1.
"""

from __future__ import annotations

from bundler.drafting.tensors import check_rank, expand, floats, transpose
from bundler.drafting.value import Value
from bundler.errors import ConversionError
from bundler.ir.nodes import Shape
from bundler.ir.shapes import shown
from bundler.tfjs.layers.graph.scope import Scope

__all__ = ["Sizes", "channels_back", "channels_last", "image", "lifted", "moved"]

Sizes = tuple[int, ...]
"""A size for each axis that the window moves along."""


def image(scope: Scope, x: Value, rank: int, data_format: str) -> Value:
    """The input of a layer as floats with the channels last. ConversionError if it has not `rank` axes between."""
    check_rank(x, rank + 2)
    return channels_last(scope, floats(scope, x), data_format)


def channels_last(scope: Scope, x: Value, data_format: str) -> Value:
    """The value with its channels on the last axis."""
    return transpose(scope, x, (0, *range(2, x.rank), 1)) if data_format == "channels_first" else x


def channels_back(scope: Scope, x: Value, data_format: str) -> Value:
    """The reverse of `channels_last`."""
    return transpose(scope, x, (0, x.rank - 1, *range(1, x.rank - 1))) if data_format == "channels_first" else x


def lifted(scope: Scope, x: Value, axis: int = 1) -> Value:
    """A series as an image of height 1; anything else as it is."""
    return expand(scope, x, axis) if x.rank == 3 else x


def moved(lengths: Shape, window: Sizes, strides: Sizes, padding: str, dilations: Sizes | None = None) -> Shape:
    """How often a window fits on each axis. ConversionError if it does not fit at all."""
    spread = dilations or (1,) * len(window)
    reach = [(size - 1) * dilation + 1 for size, dilation in zip(window, spread)]
    counts = [
        None if length is None else -(-length // stride) if padding == "same" else (length - size) // stride + 1
        for length, size, stride in zip(lengths, reach, strides)
    ]
    if any(count is not None and count < 1 for count in counts):
        expected = f"at least {reach}, the size of the window"
        raise ConversionError("the layer's input is too small", found=shown(lengths), expected=expected)
    return tuple(counts)
